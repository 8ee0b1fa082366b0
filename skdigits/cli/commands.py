"""The commands: parsing and printing only."""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import skdigits
from skdigits.cli.reports import (
    draw_off_screen,
    out,
    print_description,
    save_classifier,
    save_comparison,
    save_learning_curves,
    save_picture,
    save_recognizer,
    save_search,
    say,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train and use convolutional classifiers for images of digits.",
)

TEST_SEQUENCES = 2000
MOST_FOR_FOLDS = 5000  # images; more are divided once

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
    print_description(bunch)
    _make_folder(output)
    draw_off_screen()
    save_picture(LabelCountDisplay.from_labels(bunch.target), output / "labels.png")
    images = _images(bunch)
    save_picture(ImageGridDisplay.from_samples(images, bunch.target), output / "samples.png")
    save_picture(ImageGridDisplay.from_means(images, bunch.target), output / "means.png")


@app.command()
def train(
    data: Data = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for model, figures and pictures.")
    ] = Path("skdigits-train"),
    sequences: Annotated[
        bool, typer.Option("--sequences", help="Learn to read sequences, made of the digits.")
    ] = False,
    architecture: Annotated[
        str | None,
        typer.Option(help="Network: lenet (by default), compact or tiny (smaller), or deep."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training images; 15 by default.")
    ] = None,
    batch_size: Annotated[str, typer.Option(help="Images per gradient step, or auto.")] = "auto",
    learning_rate: Annotated[str, typer.Option(help="Highest learning rate, or auto.")] = "auto",
    augment: Annotated[
        bool, typer.Option("--augment", help="Rotate, zoom and shift training images a little.")
    ] = False,
    early_stopping: Annotated[
        bool,
        typer.Option("--early-stopping", help="Stop when a tenth, held out, is read no better."),
    ] = False,
    validation_fraction: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.9, help="Share of the training images to validate on."),
    ] = None,
    test_fraction: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the images held out to test on.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same weights.")] = 0,
) -> None:
    """Train a classifier, test it on held-out images, and save all there is to know.

    With --sequences train a reader of sequences, on new ones made of the digits in every epoch,
    and test it on sequences of the digits held out.
    """
    import numpy as np

    from skdigits import DigitClassifier, DigitSequenceRecognizer

    if sequences and (augment or architecture):
        raise ValueError("--architecture and --augment are for single digits, not --sequences.")
    options: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    if not sequences:
        options |= {"architecture": architecture or "lenet", "augment": augment}
    estimator = (DigitSequenceRecognizer if sequences else DigitClassifier)(
        batch_size=_number(batch_size, int, "--batch-size", auto=True),
        learning_rate=_number(learning_rate, float, "--learning-rate", auto=True),
        early_stopping=early_stopping,
        validation_fraction=validation_fraction,
        random_state=seed,
        **options,
    )
    estimator._check_parameters()  # before any reading
    _check_folder(output)
    X_train, X_test, y_train, y_test = _read_split(data, output, test_fraction, seed)
    out.print(f"{len(y_train)} images to train on, {len(y_test)} held out to test on.")
    seconds = _fit_showing_epochs(estimator, X_train, y_train)
    if not all(np.isfinite(weights).all() for weights in estimator.to_keras().get_weights()):
        raise ValueError("The training has diverged, nothing is saved; lower --learning-rate.")
    facts = {"n_train": len(y_train), "fit_seconds": seconds, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed}
    if sequences:
        X_test, y_test = _sequences(estimator, X_test, y_test, seed)
        save_recognizer(estimator, X_test, y_test, output, facts)
    else:
        save_classifier(estimator, X_test, y_test, output, facts)


def _sequences(recognizer, X, y, seed):
    """Sequences of digits, as those trained on, but for what is done to a digit."""
    from skdigits.datasets import make_digit_sequences
    from skdigits.inference.line_images import ImageLines

    images = ImageLines.check(X).as_bytes(0, 255).same_width()
    style = {"lengths": recognizer.lengths, "gap": recognizer.gap}
    return make_digit_sequences(images, y, TEST_SEQUENCES, **style, random_state=seed)


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
        "architecture": _names(architecture),
        "epochs": _numbers(epochs, int, "--epochs"),
        "batch_size": _numbers(batch_size, int, "--batch-size", auto=True),
        "learning_rate": _numbers(learning_rate, float, "--learning-rate", auto=True),
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
    save_search(found, output)
    best = found.best_estimator_
    facts = {"n_train": len(y_train), "fit_seconds": found.refit_time_, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed, "best_params": found.best_params_}
    save_classifier(best, X_test, y_test, output, facts)


@app.command()
def compare(
    data: Data = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for tables and pictures.")
    ] = Path("skdigits-compare"),
    classifiers: Annotated[
        str | None, typer.Option(help="Which to compare, with commas between; all by default.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Folds of a cross-validation; by default 5 up to 5000 images."),
    ] = None,
    test_fraction: Annotated[
        float,
        typer.Option(min=0.01, max=0.9, help="Share to test on: without folds, and in the curves."),
    ] = 0.4,
    curves: Annotated[bool, typer.Option(help="Draw learning curves too.")] = True,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same figures.")] = 0,
) -> None:
    """Compare the networks with scikit-learn's other classifiers, on the same images."""
    from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

    from skdigits.comparison import compare_classifiers, learning_curves, make_classifiers

    chosen = _choose(make_classifiers(seed), classifiers)
    _check_folder(output)
    X, y = _read_images(data)
    if folds is None and len(y) <= MOST_FOR_FOLDS:
        folds = 5
    held_out = splits = []
    if curves or folds is None:
        shuffled = StratifiedShuffleSplit(1, test_size=test_fraction, random_state=seed)
        with _told_of_test_fraction():
            held_out = splits = list(shuffled.split(X, y))
    if folds is not None:
        splits = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, y))
    _make_folder(output)
    n_train, n_test = (sum(len(part[i]) for part in splits) for i in (0, 1))
    n_train //= len(splits)
    out.print(f"{n_train} images to train on, {n_test} to test on.")
    facts = {"data": data or "digits", "n_train": n_train, "n_test": n_test, "folds": folds}
    facts |= {"test_fraction": test_fraction, "seed": seed}
    found = compare_classifiers(chosen, X, y, splits, report=_report_classifier)
    save_comparison(found, output, facts)
    if curves:
        lines = learning_curves(chosen, X, y, held_out[0], report=_report_size)
        save_learning_curves(lines, output)


def _report_classifier(name, row):
    out.print(f"{name:22s} {row['accuracy']:.4f} after {row['fit_seconds']:6.1f} s")


def _report_size(name, size, accuracy):
    out.print(f"{name:22s} {accuracy:.4f} after training on {size} images")


def _choose(known, names):
    from skdigits.validation import check_name

    if names is None:
        return known
    for name in _names(names):
        check_name("classifier", name, known)
    return {name: known[name] for name in _names(names)}


def _names(text):
    return [name.strip() for name in text.split(",")]


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
    reject_below: Annotated[
        float,
        typer.Option(min=0, max=1, help="Leave labels empty that are less probable than this."),
    ] = 0.0,
    dask: Dask = None,
) -> None:
    """Read images with a saved model, and write ImageId,Label as Kaggle wants it.

    For pictures ImageId is the name of the file. Files are read, predicted and written in chunks,
    however large they are. A model trained with --sequences reads pictures of sequences.
    """
    import numpy as np
    import pandas as pd

    from skdigits import DigitSequenceRecognizer, load
    from skdigits.datasets import iter_data
    from skdigits.datasets.sources import picture_names
    from skdigits.files import replacing

    if not output.parent.is_dir():
        raise ValueError(f"{output.parent}: there is no such folder to write into.")
    estimator = load(model)
    lines = isinstance(estimator, DigitSequenceRecognizer)
    chunks = iter_data(data, lines=lines)
    if not lines:
        chunks = _of_size(estimator, chunks)
    names = picture_names(data)
    n_images, n_kept, n_labelled, n_right = 0, 0, 0, 0
    with _backend(dask), replacing(output, "w", newline="", encoding="utf-8") as file:
        for (labels, kept), target in _predictions(estimator, chunks, reject_below):
            ids = np.arange(n_images, n_images + len(labels))
            ids = ids + 1 if names is None else names[ids]
            table = pd.DataFrame({"ImageId": ids, "Label": np.where(kept, labels, "")})
            table.to_csv(file, index=False, header=not n_images, lineterminator="\n")
            n_images += len(labels)
            n_kept += int(kept.sum())
            if target is not None:
                n_labelled += int(kept.sum())
                n_right += int((labels.astype(str) == target.astype(str))[kept].sum())
    say(f"Wrote {output}: {n_images} labels.")
    if n_kept < n_images:
        out.print(
            f"{n_images - n_kept} of them are rejected, their labels empty: less probable than "
            f"{reject_below:g}."
        )
    if n_labelled:
        of = "labels given" if n_kept == n_images else f"{n_labelled} labels kept"
        out.print(f"Accuracy on the {of}: {n_right / n_labelled:.4f}")


def _of_size(classifier, chunks):
    """The chunks; a ValueError if their images are of another size than those trained on."""
    height, width, _ = classifier.image_shape_
    for images, target in chunks:
        found = "×".join(map(str, images.shape[1:]))
        if images[0].size != classifier.n_features_in_:
            raise ValueError(
                f"The model reads images of {height}×{width} pixels; these have {found}. Train on "
                "images of that size; pictures are made 28×28, as MNIST's are."
            )
        yield images, target


def _predictions(estimator, chunks, reject_below):
    """Labels, which to keep, and targets by chunk; on a cluster, two chunks per core at a time."""
    import joblib

    n_jobs = joblib.effective_n_jobs(None)
    n_chunks = 2 * n_jobs if n_jobs > 1 else 1
    while group := list(itertools.islice(chunks, n_chunks)):
        found = joblib.Parallel(batch_size=1)(
            joblib.delayed(_predict)(estimator, images, reject_below) for images, _ in group
        )
        yield from zip(found, (target for _, target in group), strict=True)


def _predict(estimator, images, reject_below):
    labels, confidence = (found[:, 0] for found in estimator.predict_top_k(images, k=1))
    return labels, (confidence >= reject_below) | (reject_below == 0)


def _number(text, kind, option, *, auto=False):
    if auto and text == "auto":
        return text
    try:
        return kind(text)
    except ValueError:
        expected = "a number or auto" if auto else "a number"
        raise ValueError(f"{option} should be {expected}; got {text!r}.") from None


def _numbers(text, kind, option, *, auto=False):
    return None if text is None else [_number(n, kind, option, auto=auto) for n in _names(text)]


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
        out.print(f"Workers at {dask}: {len(client.nthreads())}.")
        saves_memory = client.amm.running()
        client.amm.stop()  # it takes all copies but one away
        try:
            with joblib.parallel_config("dask", client=client, scatter=list(arrays) or None):
                yield
        finally:
            if saves_memory:
                client.amm.start()


def _show_progress(search):
    """Bars over fits and epochs where scikit-learn has them, else a line per fit."""
    try:
        from sklearn.callback import ProgressBar
    except ImportError:
        search.set_params(verbose=2)
    else:
        search.set_callbacks(ProgressBar())


def _read_split(data, folder, test_fraction, seed):
    """Read images, make the folder to write into, and hold out what is tested on."""
    from sklearn.model_selection import train_test_split

    X, y = _read_images(data)
    with _told_of_test_fraction():
        split = train_test_split(X, y, test_size=test_fraction, stratify=y, random_state=seed)
    _make_folder(folder)
    return split


@contextlib.contextmanager
def _told_of_test_fraction():
    try:
        yield
    except ValueError as error:
        told = str(error).rstrip(".")
        raise ValueError(f"{told}. --test-fraction is the share held out to test on.") from error


def _read_images(data):
    from skdigits.datasets import load_data

    bunch = load_data(data)
    return _images(bunch), bunch.target


def _images(bunch):
    """Images, or rows of pixels where a file does not say how they make an image."""
    return bunch.data if bunch.images is None else bunch.images


def _check_folder(folder):
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected the name of a folder to write into.")


def _make_folder(folder):
    """Make it, and raise now rather than after the work if nothing can be written into it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _fit_showing_epochs(estimator, X, y):
    """Fit with a bar that shows the time left and a line per epoch; return the seconds."""
    import time

    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with out.status("Starting TensorFlow …"):
        from skdigits.training.tensorflow import keras

    columns = (TextColumn("epoch {task.completed}/{task.total}"), BarColumn())
    with Progress(*columns, TimeRemainingColumn(), console=out, transient=True) as progress:
        task = progress.add_task("fit", total=estimator.epochs)

        def show(epoch, logs):
            values = "  ".join(f"{name} {logs[name]:.4f}" for name in sorted(logs))
            progress.console.print(f"epoch {epoch + 1:3d}  {values}")
            progress.advance(task)

        estimator.set_params(callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=show)])
        start = time.perf_counter()
        estimator.fit(X, y)
        seconds = time.perf_counter() - start
    estimator.set_params(callbacks=None)
    return seconds
