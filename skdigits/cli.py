"""The commands: parsing and printing only."""

from __future__ import annotations

import contextlib
import itertools
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import skdigits

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train and use convolutional classifiers for images of digits.",
)
out = Console(highlight=False)

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="A folder or file: Kaggle's CSV, MNIST's IDX files or pictures; 'mnist' to download "
        "MNIST; nothing for the digits bundled with scikit-learn.",
        show_default=False,
    ),
]

Dask = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster to use.")
]


def main(argv: list[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None takes those of the process.

    Raises
    ------
    SystemExit
        With 0 after success, 2 after an error of the user's, 130 after Ctrl-C.
    """
    try:
        app(args=argv, prog_name="skdigits")
    except (ValueError, TypeError, OSError) as error:
        Console(stderr=True, highlight=False).print(
            f"skdigits: {error}", style="red", markup=False, soft_wrap=True
        )
        sys.exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(skdigits.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def inspect(
    data: Data = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path(
        "skdigits-inspect"
    ),
) -> None:
    """Describe images and labels, and draw them."""
    from skdigits.datasets import load_data
    from skdigits.inspection import ImageGridDisplay, LabelCountDisplay

    _check_folder(output)
    bunch = load_data(data)
    _print_description(bunch)
    _make_folder(output)
    _draw_off_screen()
    _save_picture(LabelCountDisplay.from_labels(bunch.target), output / "labels.png")
    _save_picture(ImageGridDisplay.from_samples(bunch.data, bunch.target), output / "samples.png")
    _save_picture(ImageGridDisplay.from_means(bunch.data, bunch.target), output / "means.png")


@app.command()
def train(
    data: Data = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for model, figures and pictures.")
    ] = Path("skdigits-train"),
    architecture: Annotated[
        str, typer.Option(help="Network: lenet, or compact: a fifth of the parameters, faster.")
    ] = "lenet",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.")] = 15,
    batch_size: Annotated[str, typer.Option(help="Images per gradient step, or auto.")] = "auto",
    learning_rate: Annotated[str, typer.Option(help="Highest learning rate, or auto.")] = "auto",
    augment: Annotated[
        bool, typer.Option("--augment", help="Rotate, zoom and shift training images a little.")
    ] = False,
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="Stop when validation no longer improves.")
    ] = False,
    validation_fraction: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.9, help="Share of the training images for curves only."),
    ] = None,
    test_fraction: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the images held out to test on.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same weights.")] = 0,
) -> None:
    """Train a classifier, test it on held-out images, and save all there is to know."""
    from skdigits import DigitClassifier

    classifier = DigitClassifier(
        architecture,
        epochs=epochs,
        batch_size=_number(batch_size, int, "--batch-size"),
        learning_rate=_number(learning_rate, float, "--learning-rate"),
        augment=augment,
        early_stopping=early_stopping,
        validation_fraction=validation_fraction,
        random_state=seed,
    )
    classifier._check_parameters()  # before any reading
    _check_folder(output)
    X_train, X_test, y_train, y_test = _read_split(data, output, test_fraction, seed)
    out.print(f"{len(y_train)} images to train on, {len(y_test)} held out to test on.")
    seconds = _fit_showing_epochs(classifier, X_train, y_train)
    facts = {"n_train": len(y_train), "fit_seconds": seconds, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed}
    _save_all(classifier, X_test, y_test, output, facts)


@app.command()
def search(
    data: Data = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for results, model and pictures.")
    ] = Path("skdigits-search"),
    epochs: Annotated[str, typer.Option(help="Numbers of epochs to try.")] = "5,10,15,20",
    batch_size: Annotated[str, typer.Option(help="Batch sizes to try; auto is one.")] = "auto",
    learning_rate: Annotated[str, typer.Option(help="Learning rates to try.")] = "auto",
    architecture: Annotated[str, typer.Option(help="Networks to try.")] = "compact,lenet",
    filters: Annotated[
        str | None, typer.Option(help="Filters of the first convolution to try.")
    ] = None,
    dropout: Annotated[str | None, typer.Option(help="Dropout rates to try.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 3,
    jobs: Annotated[int, typer.Option(help="Fits at once; -1 is one per core.")] = 1,
    dask: Dask = None,
    test_fraction: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the images held out to test on.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same result.")] = 0,
) -> None:
    """Search a grid (values with commas between), and train and save the best classifier.

    Every finished fit is recorded in the folder: after Ctrl-C the same command goes on.
    """
    from sklearn.model_selection import StratifiedKFold

    from skdigits import DigitClassifier, EpochSearchCV

    grid = {
        "architecture": architecture.split(","),
        "epochs": _numbers(epochs, int, "--epochs"),
        "batch_size": _numbers(batch_size, int, "--batch-size"),
        "learning_rate": _numbers(learning_rate, float, "--learning-rate"),
        "filters": _numbers(filters, int, "--filters"),
        "dropout": _numbers(dropout, float, "--dropout"),
    }
    grid = {name: values for name, values in grid.items() if values}
    _check_grid(grid)
    _check_folder(output)
    X_train, X_test, y_train, y_test = _read_split(data, output, test_fraction, seed)
    out.print(f"{len(y_train)} images to search with, {len(y_test)} held out to test on.")
    found = EpochSearchCV(
        DigitClassifier(random_state=seed),
        {name: values for name, values in grid.items() if name == "epochs" or len(values) > 1},
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        n_jobs=None if dask else jobs,
        journal=output / "journal.jsonl",
    )
    fixed = {name: values[0] for name, values in grid.items() if len(values) == 1}
    found.estimator.set_params(**{n: v for n, v in fixed.items() if n != "epochs"})
    _show_progress(found)
    with _backend(dask, X_train, y_train):
        found.fit(X_train, y_train)
    _save_search(found, output)
    best = found.best_estimator_
    facts = {"n_train": len(y_train), "fit_seconds": found.refit_time_, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed, "best_params": found.best_params_}
    _save_all(best, X_test, y_test, output, facts)


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model.skdigits written by train.")
    ],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="What to read: a CSV or IDX file, a picture, or a folder of them."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The CSV to write.")] = Path(
        "submission.csv"
    ),
    dask: Dask = None,
) -> None:
    """Read images with a saved model, and write ImageId,Label as Kaggle wants it.

    Files are read, predicted and written in chunks, however large they are.
    """
    import pandas as pd

    from skdigits import load
    from skdigits.datasets import iter_data
    from skdigits.persistence import replacing

    if not output.parent.is_dir():
        raise ValueError(f"{output.parent}: there is no such folder to write into.")
    classifier = load(model)
    n_images, n_labelled, n_right = 0, 0, 0
    with _backend(dask), replacing(output, "w", newline="", encoding="utf-8") as file:
        for labels, target in _predictions(classifier, iter_data(data)):
            ids = range(n_images + 1, n_images + len(labels) + 1)
            table = pd.DataFrame({"ImageId": ids, "Label": labels})
            table.to_csv(file, index=False, header=not n_images, lineterminator="\n")
            n_images += len(labels)
            if target is not None:
                n_labelled += len(target)
                n_right += int((labels.astype(str) == target.astype(str)).sum())
    _say(f"Wrote {output}: {n_images} labels.")
    if n_labelled:
        out.print(f"Accuracy on the labels given: {n_right / n_labelled:.4f}")


def _predictions(classifier, chunks):
    """Labels and targets chunk by chunk; on a cluster, two chunks per core at a time."""
    import joblib

    n_chunks = 2 * joblib.effective_n_jobs(None)
    while group := list(itertools.islice(chunks, n_chunks)):
        labels = joblib.Parallel(batch_size=1)(
            joblib.delayed(_predict)(classifier, images) for images, _ in group
        )
        yield from zip(labels, (target for _, target in group), strict=True)


def _predict(classifier, images):
    return classifier.predict(images)


def _say(text):
    out.print(text, markup=False, soft_wrap=True)


def _number(text, kind, option):
    if text == "auto":
        return text
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{option} should be a number or auto; got {text!r}.") from None


def _numbers(text, kind, option):
    return (
        None if text is None else [_number(part.strip(), kind, option) for part in text.split(",")]
    )


def _check_grid(grid):
    """Raise before any reading if a candidate cannot be used."""
    from sklearn.model_selection import ParameterGrid

    from skdigits import DigitClassifier

    for candidate in ParameterGrid(grid):
        DigitClassifier(**candidate)._check_parameters()


@contextlib.contextmanager
def _backend(dask, *arrays):
    """Have joblib run its tasks on this machine, or on a Dask cluster.

    Every worker gets the arrays, so that none of them is lost with a worker.
    """
    import joblib

    if dask is None:
        yield
        return
    try:
        from dask.distributed import Client
    except ImportError:
        raise ValueError("--dask needs Dask: pip install 'skdigits[dask]'.") from None
    with Client(dask) as client:
        out.print(f"Using {len(client.scheduler_info()['workers'])} workers of {dask}.")
        with joblib.parallel_config("dask", client=client, scatter=list(arrays) or None):
            yield


def _show_progress(search):
    """Bars over fits and epochs where scikit-learn has them, else a line per fit."""
    try:
        from sklearn.callback import ProgressBar
    except ImportError:
        search.set_params(verbose=2)
    else:
        search.set_callbacks(ProgressBar())


def _save_search(search, folder):
    """Print the results, best first, and write them as a table and two pictures."""
    import pandas as pd
    from rich.table import Table

    from skdigits.inspection import SearchHistoryDisplay, SearchScoreDisplay

    results = pd.DataFrame(search.cv_results_).drop(columns="params")
    results = results.sort_values("rank_test_score", kind="stable")
    names = [name for name in map(str, results) if name.startswith("param_")]
    table = Table("rank", *(name.removeprefix("param_") for name in names), "score", "± deviation")
    for row in results.to_dict("records"):
        values = [str(row[name]) for name in names]
        scores = [f"{row['mean_test_score']:.4f}", f"{row['std_test_score']:.4f}"]
        table.add_row(str(row["rank_test_score"]), *values, *scores)
    out.print(table)
    for data, name in ((results, "results.csv"), (pd.DataFrame(search.cv_curves_), "curves.csv")):
        _save_table(data, folder / name)
        _say(f"Wrote {folder / name}")
    _draw_off_screen()
    _save_picture(SearchScoreDisplay.from_estimator(search), folder / "scores.png")
    _save_picture(SearchHistoryDisplay.from_estimator(search), folder / "search_loss.png")


def _read_split(data, folder, test_fraction, seed):
    """Read images, make the folder to write into, and hold out what is tested on."""
    from sklearn.model_selection import train_test_split

    from skdigits.datasets import load_data

    X, y = load_data(data, return_X_y=True)
    _make_folder(folder)
    return train_test_split(X, y, test_size=test_fraction, stratify=y, random_state=seed)


def _save_all(classifier, X, y, folder, facts):
    """Test a classifier, and write the model, its history, the figures and the pictures."""
    from skdigits import save

    probability = classifier.predict_proba(X)
    _print_report(classifier, y, probability, facts["fit_seconds"])
    save(classifier, folder / "model.skdigits")
    _say(f"Wrote {folder / 'model.skdigits'}")
    _save_history(classifier.history_, folder / "history.csv")
    _save_metrics(classifier, y, probability, folder / "metrics.json", **facts)
    _save_pictures(classifier, X, y, probability, folder)


def _check_folder(folder):
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected the name of a folder to write into.")


def _make_folder(folder):
    folder.mkdir(parents=True, exist_ok=True)


def _fit_showing_epochs(classifier, X, y):
    """Fit with a bar that shows the time left and a line per epoch; return the seconds."""
    import time

    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with out.status("Starting TensorFlow …"):
        from skdigits.training import keras

    columns = (TextColumn("epoch {task.completed}/{task.total}"), BarColumn())
    with Progress(*columns, TimeRemainingColumn(), console=out, transient=True) as progress:
        task = progress.add_task("fit", total=classifier.epochs)

        def show(epoch, logs):
            values = "  ".join(f"{name} {logs[name]:.4f}" for name in sorted(logs))
            progress.console.print(f"epoch {epoch + 1:3d}  {values}")
            progress.advance(task)

        classifier.set_params(callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=show)])
        start = time.perf_counter()
        classifier.fit(X, y)
        seconds = time.perf_counter() - start
    classifier.set_params(callbacks=None)
    return seconds


def _print_description(bunch):
    import pandas as pd
    from rich.table import Table

    from skdigits.preprocessing import infer_image_shape

    pixels = bunch.data.shape[1]
    if bunch.images is None:
        height, width, _ = infer_image_shape(pixels)
        size = f"{height}×{width}, padded"
    else:
        size = "{}×{}".format(*bunch.images.shape[1:])
    facts = Table(show_header=False, box=None)
    facts.add_row("samples", f"{len(bunch.data)}")
    facts.add_row("pixels per image", f"{pixels}")
    facts.add_row("image size", size)
    facts.add_row("pixel range", f"{bunch.data.min()} to {bunch.data.max()}")
    facts.add_row("missing values", f"{int(pd.DataFrame(bunch.data).isna().sum().sum())}")
    out.print(facts)
    out.print(_labels_table(bunch.target))
    out.print(_describe_table(bunch.data))


def _labels_table(y):
    import pandas as pd
    from rich.table import Table

    table = Table("label", "samples", "share", title="Labels, most frequent first")
    for label, count in pd.Series(y).value_counts().items():
        table.add_row(str(label), str(count), f"{count / len(y):.1%}")
    return table


def _describe_table(data):
    import pandas as pd
    from rich.table import Table

    table = Table("statistic", "pixels", title="All pixels")
    for name, value in pd.Series(data.ravel()).describe().items():
        table.add_row(str(name), f"{value:.10g}" if name == "count" else f"{value:.2f}")
    return table


def _print_report(classifier, y, probability, seconds):
    from sklearn.metrics import classification_report

    predicted = classifier.classes_[probability.argmax(axis=1)]
    out.print(classification_report(y, predicted, digits=4, zero_division=0), markup=False)
    out.print(
        f"Test accuracy {(predicted == y).mean():.4f} on {len(y)} held-out images "
        f"after {seconds:.1f} s of training.",
        style="bold",
    )


def _save_history(history, path):
    import pandas as pd

    table = pd.DataFrame(history)
    table.insert(0, "epoch", range(1, len(table) + 1))
    _save_table(table, path)
    _say(f"Wrote {path}")


def _save_table(table, path):
    from skdigits.persistence import replacing

    with replacing(path, "w", newline="", encoding="utf-8") as file:
        table.to_csv(file, index=False, lineterminator="\n")


def _save_metrics(classifier, y, probability, path, **facts):
    import json

    from sklearn.metrics import classification_report, log_loss

    from skdigits.persistence import replacing, versions

    predicted = classifier.classes_[probability.argmax(axis=1)]
    metrics = {
        "accuracy": float((predicted == y).mean()),
        "log_loss": float(log_loss(y, probability, labels=classifier.classes_)),
        "n_test": len(y),
        **facts,
        "per_class": classification_report(y, predicted, output_dict=True, zero_division=0),
        "parameters": classifier.get_params(),
        "versions": versions(),
    }
    with replacing(path, "w", encoding="utf-8") as file:
        json.dump(metrics, file, indent=2)
        file.write("\n")
    _say(f"Wrote {path}")


def _save_pictures(classifier, X, y, probability, folder):
    from sklearn.metrics import ConfusionMatrixDisplay

    from skdigits.inspection import HistoryDisplay, ImageGridDisplay

    _draw_off_screen()
    predicted = classifier.classes_[probability.argmax(axis=1)]
    for metric in ("accuracy", "loss"):
        display = HistoryDisplay.from_estimator(classifier, metric=metric)
        _save_picture(display, folder / f"{metric}.png")
    display = ConfusionMatrixDisplay.from_predictions(y, predicted, cmap="Blues", colorbar=False)
    _save_picture(display, folder / "confusion_matrix.png")
    display = ImageGridDisplay.from_predictions(X, y, probability, classifier.classes_)
    _save_picture(display, folder / "mistakes.png")


def _draw_off_screen():
    import matplotlib

    matplotlib.use("Agg")


def _save_picture(display, path):
    """Write the display's figure as PNG, whole or not at all, and close it."""
    from matplotlib import pyplot as plt

    from skdigits.persistence import replacing

    with replacing(path) as file:
        display.figure_.savefig(file, format="png", dpi=120)
    plt.close(display.figure_)
    _say(f"Wrote {path}")
