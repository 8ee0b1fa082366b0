"""Training of a classifier or a recognizer, and adaptation of a saved model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.cli.console import print_line
from skdigits.cli.options import parse_number
from skdigits.cli.output import check_folder, make_folder
from skdigits.cli.reports import check_convergence, save_report
from skdigits.cli.samples import (
    TrainTest,
    find_picture_source,
    naming_the_option,
    read_images,
    split,
)
from skdigits.cli.train.progress import fit_with_progress

if TYPE_CHECKING:
    import numpy as np

    from skdigits.classifier import DigitClassifier
    from skdigits.sequence import DigitSequenceRecognizer
    from skdigits.typing import Estimator

TEST_SEQUENCES = 2000
DIGITS = frozenset("0123456789")
LONGEST = 40  # characters of a label in a message


@dataclass(frozen=True)
class FitOptions:
    """Options that all three kinds of training have in common.

    Parameters
    ----------
    data : str or None
        As for `skdigits.datasets.load_data`.
    output : Path
        Folder for the model, metrics and figures.
    test_fraction : float
        Share of the images held out for testing; 0 for none.
    seed : int
        Random seed.
    batch_size, learning_rate : str
        A number, or ``"auto"``.
    epochs : int or None
        Number of epochs; None keeps the number of the estimator.
    early_stopping : bool
        Whether to stop when the validation loss no longer improves.
    validation_fraction : float or None
        Share of the training images for validation; None means a tenth with early stopping, and
        otherwise no validation.
    """

    data: str | None
    output: Path
    test_fraction: float
    seed: int
    batch_size: str
    learning_rate: str
    epochs: int | None
    early_stopping: bool
    validation_fraction: float | None


def train_classifier(options: FitOptions, **parameters: Any) -> None:
    """Train a classifier of single digits, and save it with metrics and figures.

    `parameters` are further parameters of `DigitClassifier`.
    """
    from skdigits import DigitClassifier

    estimator = DigitClassifier(random_state=options.seed, **parameters)
    _set_options(estimator, options)
    samples = split(*read_images(options.data), options.test_fraction, options.seed)
    facts = _fit(estimator, samples, options, "train on")
    save_report(estimator, samples.X_test, samples.y_test, options.output, facts)


def train_recognizer(options: FitOptions, **parameters: Any) -> None:
    """Train a recognizer on generated sequences, and save it with metrics and figures.

    `parameters` are further parameters of `DigitSequenceRecognizer`.
    """
    from skdigits import DigitSequenceRecognizer
    from skdigits.synthesis.composition import check_drawn

    estimator = DigitSequenceRecognizer(random_state=options.seed, **parameters)
    _set_options(estimator, options)
    check_drawn(estimator.style, estimator.signs)
    samples = split(*read_images(options.data), options.test_fraction, options.seed)
    _check_single_digits(samples.y_train)
    facts = _fit(estimator, samples, options, "train on")
    X_test, y_test = samples.X_test, samples.y_test
    if len(y_test):
        X_test, y_test = _make_test_sequences(estimator, X_test, y_test, options.seed)
    save_report(estimator, X_test, y_test, options.output, facts)


def adapt_model(options: FitOptions, model: Path) -> None:
    """Adapt a model to the training images, and test it on held-out images before and after.

    `model` is a file written by `save`, or a name for `load_pretrained`.
    """
    from skdigits import DigitSequenceRecognizer

    estimator = _load(model)
    _set_options(estimator, options)
    if isinstance(estimator, DigitSequenceRecognizer):
        samples = _read_lines(options)
    else:
        samples = _read_digits(estimator.classes_, options)
    X_test, y_test = samples.X_test, samples.y_test
    before = estimator.score(X_test, y_test) if len(y_test) else None
    facts = _fit(estimator, samples, options, "adapt to") | {"from": str(model)}
    if before is not None:
        facts["score_before"] = before
    save_report(estimator, X_test, y_test, options.output, facts)
    if before is not None:
        print_line(f"Score before adaptation: {before:.4f}")


def _set_options(estimator: Estimator, options: FitOptions) -> None:
    """Set and check the parameters of an estimator, and check the output folder."""
    from skdigits.estimator import check_parameters

    estimator.set_params(
        batch_size=parse_number(options.batch_size, int, "--batch-size", auto=True),
        learning_rate=parse_number(options.learning_rate, float, "--learning-rate", auto=True),
        epochs=options.epochs or estimator.epochs,
        early_stopping=options.early_stopping,
        validation_fraction=options.validation_fraction,
    )
    check_parameters(estimator)
    check_folder(options.output)


def _fit(
    estimator: Estimator, samples: TrainTest, options: FitOptions, purpose: str
) -> dict[str, Any]:
    """Fit an estimator, print its progress, and return facts about the fit."""
    X_train, X_test, y_train, y_test = samples
    make_folder(options.output)
    print_line(f"{len(y_train)} images to {purpose}, {samples.held_out}.")
    seconds = fit_with_progress(estimator, X_train, y_train, options.output, (X_test, y_test))
    check_convergence(estimator)
    return {
        "n_train": len(y_train),
        "fit_seconds": seconds,
        "data": options.data or "digits",
        "test_fraction": options.test_fraction,
        "seed": options.seed,
    }


def _check_single_digits(labels: np.ndarray) -> None:
    """Raise a ValueError if a label is not a single digit; sequences are made of single digits."""
    for label in labels.astype(str).tolist():
        if _is_of_line(label):
            raise ValueError(
                f"DATA has lines of digits, such as {label[:LONGEST]!r}, but --sequences needs "
                "images of single digits. To adapt a model to lines, use --from sequence."
            )
        if label not in DIGITS:
            raise ValueError(
                f"DATA has the label {label[:LONGEST]!r}, but --sequences needs images of single "
                "digits, whose labels are 0 to 9."
            )


def _make_test_sequences(
    recognizer: DigitSequenceRecognizer, X: Any, y: np.ndarray, seed: int
) -> tuple[np.ndarray, ...]:
    """Generate test sequences with the style, lengths, signs and gap of the training sequences."""
    from skdigits.datasets import make_digit_sequences
    from skdigits.pictures.line_images import LineImages

    images = LineImages.check(X).as_bytes(0, 255).same_width()
    style = {name: getattr(recognizer, name) for name in ("style", "lengths", "signs", "gap")}
    return make_digit_sequences(images, y, TEST_SEQUENCES, **style, random_state=seed)


def _load(path: Path) -> DigitClassifier | DigitSequenceRecognizer:
    """Load a model, or only the last step of a Pipeline, because pictures are already cleaned."""
    from skdigits import load
    from skdigits.pretrained import NAMES, load_pretrained
    from skdigits.wrappers import network_estimator

    is_ours = str(path) in NAMES and not path.exists()
    estimator = load_pretrained(str(path)) if is_ours else network_estimator(load(path))
    return estimator.set_params(warm_start="adapt")


def _read_digits(classes: np.ndarray, options: FitOptions) -> TrainTest:
    """Read images of single digits, and check that the classifier knows their labels."""
    X, y = read_images(options.data)
    known = classes.astype(str)
    unknown = [label for label in y.astype(str).tolist() if label not in known]
    lines = [label for label in unknown if _is_of_line(label)]
    if lines and find_picture_source(options.data) is not None:
        raise ValueError(
            f"DATA has lines of digits, such as {lines[0][:LONGEST]!r}, but the model of --from "
            "reads single digits. To adapt a model that reads lines, use --from sequence."
        )
    if unknown:
        raise ValueError(
            f"DATA has the label {unknown[0][:LONGEST]!r}, which the model of --from does not "
            f"know. Its labels are {', '.join(known[:10])}{', …' if len(known) > 10 else ''}. To "
            "train a new model, omit --from."
        )
    return split(X, y, options.test_fraction, options.seed)


def _read_lines(options: FitOptions) -> TrainTest:
    """Read pictures of lines and their labels, split at random."""
    from sklearn.model_selection import train_test_split

    from skdigits.datasets.picture_files import load_lines

    if options.data is None or find_picture_source(options.data) is None:
        raise ValueError(
            "A model of sequences needs pictures of lines, but DATA contains no pictures. Pass a "
            "folder of pictures with labels, or adapt a model of single digits with --from digit."
        )
    X, y = load_lines(options.data)
    if all(len(label) <= 1 for label in y.tolist()):
        raise ValueError(
            "DATA has pictures of single digits, but the model of --from reads lines. To adapt a "
            "model of single digits, use --from digit."
        )
    if not options.test_fraction:
        return TrainTest(X, [], y, y[:0])
    with naming_the_option():
        return TrainTest(
            *train_test_split(X, y, test_size=options.test_fraction, random_state=options.seed)
        )


def _is_of_line(label: str) -> bool:
    return len(label) > 1 and all(c in DIGITS or not c.isalnum() for c in label)
