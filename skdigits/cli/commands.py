"""The commands: parsing and printing; each command calls the library."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

import skdigits
from skdigits.cli.cluster import dask_cluster
from skdigits.cli.output import (
    accept_any_character,
    check_folder,
    console,
    end_at_signals,
    make_folder,
    print_error,
    print_line,
    short_warnings,
)
from skdigits.cli.packages import TRAINING, check_packages
from skdigits.cli.progress import (
    fit_with_progress,
    quiet_workers,
    report_classifier,
    report_size,
    show_search_progress,
    start_tensorflow,
)
from skdigits.cli.reports import (
    draw_cleaning,
    print_predictions,
    report_data,
    save_classifier,
    save_comparison,
    save_learning_curves,
    save_recognizer,
    save_search,
    save_untested,
)
from skdigits.cli.samples import (
    MAXIMUM_FOR_FOLDS,
    check_single_digits,
    find_pictures_of,
    hold_out,
    hold_pages,
    images_of,
    load_to_adapt,
    make_folds,
    make_test_sequences,
    read_digits_to_adapt,
    read_for_inspection,
    read_images,
    read_lines,
    read_train_test,
    without_damaged,
)
from skdigits.files import check_destination

if TYPE_CHECKING:
    import numpy as np

    from skdigits.typing import Estimator

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: no frames in a pipe, and paragraphs that are wrapped
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Read digits in pictures; train and use convolutional classifiers for digits.",
)


class PlainCommand(typer.core.TyperCommand):
    """A command whose help has no backslashes before brackets, as some versions of Typer print."""

    def get_help(self, ctx: Any) -> str:
        """Return the help of the command."""
        return super().get_help(ctx).replace("\\[", "[")


command = functools.partial(app.command, cls=PlainCommand)

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="A folder or file, recognized from its content: pictures, CSV, Kaggle's zip, IDX, "
        ".npz, .mat, ARFF, LIBSVM, Parquet; 'mnist' to download MNIST. The default is the digits "
        "bundled with scikit-learn.",
        show_default=False,
    ),
]
Dask = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Address of the scheduler of a Dask cluster.")
]
Seed = Annotated[
    int,
    typer.Option(metavar="N", min=0, max=2**32 - 1, help="Random seed, for reproducible results."),
]
TestFraction = Annotated[
    float,
    typer.Option(
        metavar="SHARE", min=0.01, max=0.9, help="Share of the images held out for testing."
    ),
]
Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model.skdigits written by train or search.")
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
        With exit status 0 after success, 1 if some pictures could not be read, 2 after a user
        error, 130 after Ctrl-C, 143 after SIGTERM.
    """
    accept_any_character()
    try:
        with short_warnings(), end_at_signals():
            app(args=argv, prog_name="skdigits")
    except (ValueError, TypeError, OSError, ImportError) as error:
        print_error(error)
        sys.exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(skdigits.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Parse the options that precede a command."""


@command()
def inspect(
    data: Data = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder for the figures.")
    ] = Path("skdigits-inspect"),
    sequences: Annotated[
        bool,
        typer.Option(
            "--sequences", help="The pictures show lines of digits, as those of pages always do."
        ),
    ] = False,
) -> None:
    """Describe images and labels, and draw them.

    Pictures are drawn before and after they are cleaned.
    """
    check_packages("matplotlib")
    check_folder(output)
    pictures = find_pictures_of(data)
    if sequences and not pictures:
        raise ValueError("--sequences is for pictures of lines; DATA holds no pictures.")
    sequences = sequences or hold_pages(pictures)
    bunch = None
    if sequences:
        pictures, n_unreadable = without_damaged(pictures)
    else:
        bunch, pictures, n_unreadable = read_for_inspection(data)
    make_folder(output)
    if bunch is not None:
        report_data(bunch, images_of(bunch), output)
    if pictures:
        draw_cleaning(pictures, "line" if sequences else "digit", output)
    if n_unreadable:
        raise typer.Exit(1)


@command()
def train(
    data: Data = None,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Folder for the model, metrics and figures."
        ),
    ] = Path("skdigits-train"),
    sequences: Annotated[
        bool,
        typer.Option("--sequences", help="Train on sequences of digits generated from the images."),
    ] = False,
    architecture: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Network: lenet (default), compact or tiny (smaller), or deep (larger).",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of epochs; by default 15, or with --from those of MODEL.",
        ),
    ] = None,
    sequences_per_epoch: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="With --sequences, how many an epoch generates; 10,000 by default.",
        ),
    ] = None,
    batch_size: Annotated[
        str, typer.Option(metavar="N", help="Images per gradient step, or auto.")
    ] = "auto",
    learning_rate: Annotated[
        str, typer.Option(metavar="RATE", help="Maximum learning rate, or auto.")
    ] = "auto",
    augment: Annotated[
        int,
        typer.Option(
            "--augment",
            count=True,
            max=10,
            show_default=False,
            help="Rotate, zoom and shift training images at random; given twice, twice as far.",
        ),
    ] = 0,
    style: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Style augmentation, for writers, pens and cameras that DATA does not contain: "
            "handwritten, or mixed, which adds printed and seven-segment digits. With --sequences "
            "handwritten is the default; tiles sets whole images side by side.",
        ),
    ] = None,
    early_stopping: Annotated[
        bool,
        typer.Option(
            "--early-stopping",
            help="Stop when the validation loss no longer improves; a tenth of the training images "
            "is held out for validation.",
        ),
    ] = False,
    validation_fraction: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            min=0.01,
            max=0.9,
            help="Share of the training images for validation.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="Adapt this model.skdigits to the images of DATA; or digit or sequence, the "
            "models that come with the package.",
        ),
    ] = None,
    test_fraction: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            min=0,
            max=0.9,
            help="Share of the images held out for testing; 0 trains on all images, without a "
            "test.",
        ),
    ] = 0.2,
    seed: Seed = 0,
) -> None:
    """Train a classifier, and save model, metrics and figures.

    It is tested on images that are held out. With --sequences, train a recognizer of digit
    sequences instead: it is trained on sequences that are generated from the training images, new
    ones in every epoch, and tested on sequences that are generated from the held-out images.

    With --from, adapt a saved model to the images of DATA, which may be few: pictures of digits, or
    of lines for a model of sequences, each in a folder named after its label or listed in
    labels.csv.

    Interrupted training resumes when the same command is given again.
    """
    from skdigits import DigitClassifier, DigitSequenceRecognizer

    check_packages("matplotlib", *TRAINING)
    if sequences_per_epoch and not sequences:
        raise ValueError("--sequences-per-epoch is for --sequences; leave it out without that.")
    if model is not None:
        if sequences or architecture or augment or style:
            raise ValueError(
                "--from keeps the network and the style of its model; leave out --sequences, "
                "--architecture, --augment and --style."
            )
        estimator = load_to_adapt(model)
        estimator.set_params(
            batch_size=_number(batch_size, int, "--batch-size", auto=True),
            learning_rate=_number(learning_rate, float, "--learning-rate", auto=True),
            epochs=epochs or estimator.epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
        )
        _check_parameters(estimator)
        _adapt(estimator, data, output, test_fraction, seed, str(model))
        return
    if sequences and (augment or architecture):
        raise ValueError(
            "--architecture and --augment are for single digits; leave them out with --sequences."
        )
    if style is not None:
        from skdigits.checks.parameters import check_name
        from skdigits.synthesis.composition import STYLES

        check_name("--style", style, STYLES if sequences else ("handwritten", "mixed"))
    if style and augment:
        raise ValueError("--style changes more than --augment does; leave out one of them.")
    options: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    if sequences:
        given = {"sequences_per_epoch": sequences_per_epoch, "style": style}
        options |= {name: value for name, value in given.items() if value}
    else:
        options |= {"architecture": architecture or "lenet", "augment": augment, "style": style}
    estimator = (DigitSequenceRecognizer if sequences else DigitClassifier)(
        batch_size=_number(batch_size, int, "--batch-size", auto=True),
        learning_rate=_number(learning_rate, float, "--learning-rate", auto=True),
        early_stopping=early_stopping,
        validation_fraction=validation_fraction,
        random_state=seed,
        **options,
    )
    _check_parameters(estimator)
    check_folder(output)
    X_train, X_test, y_train, y_test = read_train_test(data, test_fraction, seed)
    if sequences:
        check_single_digits(y_train)
    make_folder(output)
    print_line(f"{len(y_train)} images to train on, {_held_out(y_test)}.")
    seconds = fit_with_progress(estimator, X_train, y_train, output, (X_test, y_test))
    _check_convergence(estimator)
    facts = {"n_train": len(y_train), "fit_seconds": seconds, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed}
    if sequences and len(y_test):
        X_test, y_test = make_test_sequences(estimator, X_test, y_test, seed)
    _save(estimator, X_test, y_test, output, facts)


def _adapt(
    estimator: Estimator, data: Any, output: Path, test_fraction: float, seed: int, model: Any
) -> None:
    """Adapt a model to most of the images of DATA, and test it on the others before and after."""
    from skdigits import DigitSequenceRecognizer

    check_folder(output)
    if isinstance(estimator, DigitSequenceRecognizer):
        samples = read_lines(data, test_fraction, seed)
    else:
        samples = read_digits_to_adapt(estimator.classes_, data, test_fraction, seed)
    X_train, X_test, y_train, y_test = samples
    before = estimator.score(X_test, y_test) if len(y_test) else None
    make_folder(output)
    print_line(f"{len(y_train)} images to adapt to, {_held_out(y_test)}.")
    seconds = fit_with_progress(estimator, X_train, y_train, output, (X_test, y_test))
    _check_convergence(estimator)
    facts = {"n_train": len(y_train), "fit_seconds": seconds, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed, "from": model}
    if before is None:
        _save(estimator, X_test, y_test, output, facts)
        return
    _save(estimator, X_test, y_test, output, facts | {"score_before": before})
    print_line(f"Score before adaptation: {before:.4f}")


def _held_out(y_test: np.ndarray) -> str:
    return f"{len(y_test)} held out for testing" if len(y_test) else "none held out for testing"


def _save(
    estimator: Estimator, X_test: Any, y_test: np.ndarray, output: Path, facts: dict[str, Any]
) -> None:
    """Test an estimator, if there are test images, and save it with metrics and figures."""
    from skdigits import DigitClassifier

    if not len(y_test):
        save_untested(estimator, output, facts)
    elif isinstance(estimator, DigitClassifier):
        save_classifier(estimator, X_test, y_test, output, facts)
    else:
        save_recognizer(estimator, X_test, y_test, output, facts)


@command()
def search(
    data: Data = None,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Folder for results, model and figures."
        ),
    ] = Path("skdigits-search"),
    epochs: Annotated[str, typer.Option(metavar="N,...", help="Numbers of epochs.")] = "5,10,15,20",
    batch_size: Annotated[
        str, typer.Option(metavar="N,...", help="Batch sizes; auto is possible.")
    ] = "auto",
    learning_rate: Annotated[
        str, typer.Option(metavar="RATE,...", help="Learning rates; auto is possible.")
    ] = "auto",
    architecture: Annotated[
        str, typer.Option(metavar="NAME,...", help="Networks: lenet, compact, tiny or deep.")
    ] = "compact,lenet",
    filters: Annotated[
        str | None,
        typer.Option(metavar="N,...", help="Numbers of filters of the first convolution."),
    ] = None,
    dropout: Annotated[str | None, typer.Option(metavar="RATE,...", help="Dropout rates.")] = None,
    folds: Annotated[
        int, typer.Option(metavar="N", min=2, help="Number of folds of the cross-validation.")
    ] = 3,
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Number of parallel fits; -1 means one per core.")
    ] = 1,
    dask: Dask = None,
    test_fraction: TestFraction = 0.2,
    seed: Seed = 0,
) -> None:
    """Search a grid of values, and save the best classifier.

    The values of an option are separated by commas. Every finished fit is recorded in the output
    folder, and the state of each fit after each epoch, so that the same command resumes an
    interrupted search.
    """
    from skdigits import DigitClassifier, EpochSearchCV

    check_packages("matplotlib", *TRAINING)
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
    check_folder(output)
    X_train, X_test, y_train, y_test = read_train_test(data, test_fraction, seed)
    make_folder(output)
    print_line(f"{len(y_train)} images to search with, {_held_out(y_test)}.")
    # Parameters with only one value have no column in the results, except for the epochs.
    searched = {n: values for n, values in grid.items() if n == "epochs" or len(values) > 1}
    fixed = {n: values[0] for n, values in grid.items() if n not in searched}
    found = EpochSearchCV(
        DigitClassifier(random_state=seed, checkpoint=output, **fixed),
        searched,
        cv=make_folds(folds, seed),
        n_jobs=None if dask else jobs,
        journal=output / "journal.jsonl",
    )
    show_search_progress(found)
    start_tensorflow()
    with quiet_workers(), dask_cluster(dask, X_train, y_train):
        found.fit(X_train, y_train)
    _check_convergence(found.best_estimator_)
    found.best_estimator_.set_params(checkpoint=None)
    save_search(found, output)
    facts = {"n_train": len(y_train), "fit_seconds": found.refit_time_, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed, "best_params": found.best_params_}
    save_classifier(found.best_estimator_, X_test, y_test, output, facts)


@command()
def compare(
    data: Data = None,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FOLDER", help="Folder for tables and figures."),
    ] = Path("skdigits-compare"),
    classifiers: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...", help="Names of classifiers, separated by commas; all by default."
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            help="Number of folds; by default 5 for up to 5000 images, else no folds.",
        ),
    ] = None,
    test_fraction: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            min=0.01,
            max=0.9,
            help="Share of test images, without folds and for learning curves.",
        ),
    ] = 0.4,
    curves: Annotated[bool, typer.Option(help="Draw learning curves too.")] = True,
    seed: Seed = 0,
) -> None:
    """Compare the networks with scikit-learn's classifiers.

    All are trained and tested on the same images.
    """
    from skdigits.comparison import compare_classifiers, learning_curves, make_classifiers
    from skdigits.networks.architectures import ARCHITECTURES

    chosen = _choose(make_classifiers(seed), classifiers)
    has_networks = not set(ARCHITECTURES).isdisjoint(chosen)
    check_packages("matplotlib", *(TRAINING if has_networks else ()))
    check_folder(output)
    X, y = read_images(data)
    if folds is None and len(y) <= MAXIMUM_FOR_FOLDS:
        folds = 5
    held_out = hold_out(X, y, test_fraction, seed)
    splits = list(make_folds(folds, seed).split(X, y)) if folds else [held_out]
    make_folder(output)
    n_train = sum(len(train) for train, _ in splits) // len(splits)
    n_test = sum(len(test) for _, test in splits)
    print_line(f"{n_train} images to train on, {n_test} to test on.")
    if has_networks:
        start_tensorflow()
    found = compare_classifiers(chosen, X, y, splits, report=report_classifier)
    facts = {"data": data or "digits", "n_train": n_train, "n_test": n_test, "folds": folds}
    save_comparison(found, output, facts | {"test_fraction": test_fraction, "seed": seed})
    if curves:
        table = learning_curves(chosen, X, y, held_out, report=report_size)
        save_learning_curves(table, output)


@command()
def predict(
    model: Model,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A CSV file, an IDX file, a picture, or a folder of them."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The CSV file to write.")
    ] = Path("submission.csv"),
    reject_below: Annotated[
        float,
        typer.Option(
            metavar="P", min=0, max=1, help="Leave a label empty if its probability is lower."
        ),
    ] = 0.0,
    dask: Dask = None,
) -> None:
    """Predict images with a saved model, and write ImageId,Label.

    That is the form that Kaggle expects; for pictures, ImageId is the file name. Files are read,
    predicted and written in chunks, so that they may be larger than memory. A model trained with
    --sequences takes pictures of lines.
    """
    from skdigits import DigitSequenceRecognizer, load
    from skdigits.cli.prediction import cleaning_of, write_predictions
    from skdigits.datasets.sources import iter_chunks
    from skdigits.wrappers import network_estimator

    check_destination(output)
    estimator = load(model)
    last = network_estimator(estimator)
    lines = isinstance(last, DigitSequenceRecognizer)
    chunks = iter_chunks(data, lines=lines, cleaning=cleaning_of(estimator))
    if dask is None and not last._network.key.spec.has_onnx_model:
        start_tensorflow()
    with dask_cluster(dask):
        totals = write_predictions(estimator, chunks, output, reject_below=reject_below)
    print_predictions(totals, output, reject_below)
    if totals.n_unreadable:
        raise typer.Exit(1)


@command()
def read(
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="PICTURE",
            help="Picture files, folders of them with all subfolders, or - for standard input.",
        ),
    ],
    digits: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Number of digits of each line, where it is known."),
    ] = None,
    reject_below: Annotated[
        float,
        typer.Option(
            metavar="P", min=0, max=1, help="Print an empty text for lines of lower confidence."
        ),
    ] = 0.0,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, with the box of each line in pixels.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object per line, with its box.")
    ] = False,
    draw: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write each picture there, with boxes and texts."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="A model.skdigits to read with."),
    ] = None,
) -> None:
    """Read all lines of digits in pictures.

    The file, text and confidence of each line are printed, separated by tabs. Nothing needs to be
    trained: the package has networks for digits of any kind. A page gives its lines from top to
    bottom; a picture without digits gives a line without text.
    """
    from skdigits import load
    from skdigits.cli.pages import print_pages, read_pages
    from skdigits.wrappers import network_estimator

    if as_csv and as_json:
        raise ValueError("--csv and --json are two forms of output; leave out one of them.")
    estimator = None if model is None else network_estimator(load(model))
    if draw is not None:
        check_folder(draw)
        make_folder(draw)
    form = "csv" if as_csv else "json" if as_json else "text"
    pages = read_pages(pictures, digits=digits, model=estimator)
    if print_pages(pages, form=form, reject_below=reject_below, draw=draw):
        raise typer.Exit(1)


@command()
def export(
    model: Model,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The file to write; it ends in .onnx, .keras or .tflite.",
        ),
    ] = Path("model.onnx"),
) -> None:
    """Export the network of a model for programs without skdigits.

    Its input is images with pixels as in training; its output is probabilities.
    """
    import skdigits.persistence

    check_destination(output, skdigits.persistence.EXPORT_FORMATS)
    if output.suffix.lower() != ".onnx":
        check_packages(*TRAINING)
    estimator = skdigits.load(model)
    if output.suffix.lower() != ".onnx":
        start_tensorflow()
    print_line(f"Wrote {skdigits.export(estimator, output)}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _number(text: str, kind: Callable[[str], Any], option: str, *, auto: bool = False) -> Any:
    if auto and text == "auto":
        return text
    try:
        return kind(text)
    except ValueError:
        expected = "a number or auto" if auto else "a number"
        raise ValueError(f"{option} should be {expected}; got {text!r}.") from None


def _numbers(
    text: str | None, kind: Callable[[str], Any], option: str, *, auto: bool = False
) -> Any:
    return None if text is None else [_number(n, kind, option, auto=auto) for n in _names(text)]


def _choose(known: dict[str, Any], names: Any) -> dict[str, Any]:
    """Select the classifiers that the user named."""
    from skdigits.checks.parameters import check_name

    if names is None:
        return known
    for name in _names(names):
        check_name("classifier", name, known)
    return {name: known[name] for name in _names(names)}


def _check_grid(grid: Any) -> None:
    from sklearn.model_selection import ParameterGrid

    from skdigits import DigitClassifier

    _check_parameters(*(DigitClassifier(**candidate) for candidate in ParameterGrid(grid)))


def _check_parameters(*estimators: Any) -> None:
    """Raise an error before any work if a parameter is not valid."""
    for estimator in estimators:
        estimator._check_parameters()


def _check_convergence(estimator: Estimator) -> None:
    """Raise if the training has diverged: weights that are not finite cannot predict."""
    import numpy as np

    if not all(np.isfinite(weights).all() for weights in estimator.to_keras().get_weights()):
        raise ValueError("The training has diverged, and no model is saved; lower --learning-rate.")
