"""Images and labels of a command, and how they are split into training and test samples."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.cli.output import print_error

if TYPE_CHECKING:
    import numpy as np
    from sklearn.utils import Bunch

    from skdigits.classifier import DigitClassifier
    from skdigits.sequence import DigitSequenceRecognizer

TEST_SEQUENCES = 2000
DIGITS = frozenset("0123456789")
ENOUGH_TO_JUDGE = 20  # pictures, to tell pages from digits
MAXIMUM_FOR_FOLDS = 5000  # images; of more, a part is held out instead of cross-validation
LONGEST = 40  # characters of a label in a message
NONE_READABLE = "None of the pictures can be read."


def images_of(bunch: Any) -> np.ndarray:
    """Return the images of a bunch, or rows of pixels if height and width are not known.

    Parameters
    ----------
    bunch : sklearn.utils.Bunch
        As a loader returns it.

    Returns
    -------
    ndarray of shape (n, height, width) or (n, n_pixels), uint8
        The images.
    """
    return bunch.data if bunch.images is None else bunch.images


def read_images(source: str | None) -> tuple[Any, np.ndarray]:
    """Read images with labels.

    Parameters
    ----------
    source : str or None
        As for `skdigits.datasets.load_data`.

    Returns
    -------
    X : ndarray of shape (n, height, width) or (n, n_pixels), uint8
        The images.
    y : ndarray of shape (n,)
        Their labels.
    """
    from skdigits.datasets import load_data

    bunch = load_data(source)
    return images_of(bunch), bunch.target


def read_for_inspection(source: str | None) -> Bunch:
    """Read images, with labels where there are any; pictures that cannot be read are named.

    Parameters
    ----------
    source : str or None
        As for `skdigits.datasets.load_data`.

    Returns
    -------
    bunch : sklearn.utils.Bunch
        As a loader returns it; ``target`` is None for pictures without labels.
    pictures : list of Path
        The picture files that can be read; empty if the source holds no pictures.
    n_unreadable : int
        Number of pictures that cannot be read.

    Raises
    ------
    ValueError
        If none of the pictures can be read.
    """
    import numpy as np

    from skdigits.datasets import load_data
    from skdigits.datasets.contents import Samples
    from skdigits.datasets.picture_files import SIDE

    pictures = find_pictures_of(source)
    if not pictures:
        return load_data(source), [], 0
    path = _recognized(source)[1]
    chunks = _read_pictures(path)
    problems = [problem for chunk in chunks for problem in chunk.problems]
    for problem in problems:
        print_error(problem.text)
    names = np.concatenate([chunk.names for chunk in chunks])
    readable = ~np.isin(names, [problem.name for problem in problems])
    if not readable.any():
        raise ValueError(NONE_READABLE)
    images = np.concatenate([chunk.data for chunk in chunks]).reshape(-1, SIDE, SIDE)[readable]
    target = None
    if chunks[0].target is not None:
        target = np.concatenate([chunk.target for chunk in chunks])[readable]
    folder, found = path if path.is_dir() else path.parent, set(names[readable].tolist())
    pictures = [file for file in pictures if file.relative_to(folder).as_posix() in found]
    bunch = Samples(images, target, str(path)).bunch(as_frame=False, return_X_y=False)
    return bunch, pictures, len(problems)


def find_pictures_of(source: str | None) -> list[Path]:
    """List the picture files of a source.

    Parameters
    ----------
    source : str or None
        As for `skdigits.datasets.load_data`.

    Returns
    -------
    list of Path
        The files; empty if the source holds no pictures.
    """
    from skdigits.datasets.picture_files import find_pictures

    kind, path = _recognized(source)
    return find_pictures(path) if kind == "pictures" else []


def without_damaged(files: list[Path]) -> tuple[list[Path], int]:
    """Select the picture files that can be read, and name the others.

    Parameters
    ----------
    files : list of Path
        Picture files.

    Returns
    -------
    readable : list of Path
        Those whose first page can be read.
    n_unreadable : int
        Number of the others.

    Raises
    ------
    ValueError
        If none can be read.
    """
    from skdigits.pictures import open_pictures

    readable = []
    for file in files:
        try:
            next(open_pictures(file))
        except (ValueError, OSError, ImportError) as error:
            print_error(error)
        else:
            readable.append(file)
    if not readable:
        raise ValueError(NONE_READABLE)
    return readable, len(files) - len(readable)


def _recognized(source: str | None) -> tuple[Any, Any]:
    """The format of a source, and the file or folder to read; no path for a name."""
    from skdigits.datasets.recognition import recognize

    return (None, None) if source in (None, "digits", "mnist") else recognize(Path(source), "train")


def _read_pictures(path: Path) -> list[Any]:
    """Chunks of pictures, with labels if all have one."""
    from skdigits.datasets.picture_files import iter_pictures

    try:
        return list(iter_pictures(path, subset="train"))
    except ValueError:  # a picture has no label
        return list(iter_pictures(path, subset="test"))


def hold_pages(pictures: list[Path]) -> bool:
    """Whether most of some pictures are pages, with several lines of digits.

    Parameters
    ----------
    pictures : list of Path
        The picture files.

    Returns
    -------
    bool
        The answer.
    """
    from skdigits.pictures import find_lines, open_pictures

    some = pictures[:: len(pictures) // ENOUGH_TO_JUDGE or 1]
    n_pages = 0
    for path in some:
        # The loader names what it cannot read.
        with contextlib.suppress(ValueError, OSError, ImportError):
            n_pages += len(find_lines(next(open_pictures(path)))) > 1
    return n_pages > len(some) / 2


def hold_out(
    X: Any, y: np.ndarray, test_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split samples into a training and a test set with the same shares of the classes.

    Parameters
    ----------
    X : ndarray of shape (n, …)
        Images.
    y : ndarray of shape (n,)
        Labels.
    test_fraction : float
        Share of the test set.
    seed : int
        Seed of the split.

    Returns
    -------
    train, test : ndarray of int
        Indices of the samples.

    Raises
    ------
    ValueError
        If a set would be too small to contain every class.
    """
    from sklearn.model_selection import StratifiedShuffleSplit

    splitter = StratifiedShuffleSplit(1, test_size=test_fraction, random_state=seed)
    with _errors_naming_the_option():
        return next(splitter.split(X, y))


def read_train_test(source: str | None, test_fraction: float, seed: int) -> tuple[np.ndarray, ...]:
    """Read images with labels, and split them.

    Parameters
    ----------
    source : str or None
        As for `skdigits.datasets.load_data`.
    test_fraction : float
        Share of the test set; 0 for none.
    seed : int
        Seed of the split.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Images and labels.

    Raises
    ------
    ValueError
        If a set would be too small to contain every class.
    """
    X, y = read_images(source)
    return _split(X, y, test_fraction, seed)


def read_digits_to_adapt(
    classes: np.ndarray, source: str | None, test_fraction: float, seed: int
) -> tuple[np.ndarray, ...]:
    """Read images of single digits that a classifier adapts to, and split them.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels that the classifier knows.
    source : str or None
        As for `skdigits.datasets.load_data`.
    test_fraction : float
        Share of the test set; 0 for none.
    seed : int
        Seed of the split.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Images and labels.

    Raises
    ------
    ValueError
        If a label is not one of the classes, or a set would be too small to contain every class.
    """
    X, y = read_images(source)
    known = classes.astype(str)
    unknown = [label for label in y.astype(str).tolist() if label not in known]
    lines = [label for label in unknown if _is_of_line(label)]
    if lines and find_pictures_of(source):
        raise ValueError(
            f"DATA holds lines of digits, such as {lines[0][:LONGEST]!r}, and the model of --from "
            "reads single digits. To adapt a model of lines: --from sequence."
        )
    if unknown:
        raise ValueError(
            f"DATA has the label {unknown[0][:LONGEST]!r}, which the model of --from does not "
            f"know; it knows {', '.join(known[:10])}{', …' if len(known) > 10 else ''}. To train "
            "another model, leave out --from."
        )
    return _split(X, y, test_fraction, seed)


def check_single_digits(labels: np.ndarray) -> None:
    """Check that images of which sequences are to be generated show single digits.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Their labels.

    Raises
    ------
    ValueError
        If a label is not one of the digits.
    """
    for label in labels.astype(str).tolist():
        if _is_of_line(label):
            raise ValueError(
                f"DATA holds lines of digits, such as {label[:LONGEST]!r}, and --sequences "
                "generates lines of single digits. To adapt a model to lines: --from sequence."
            )
        if label not in DIGITS:
            raise ValueError(
                f"DATA has the label {label[:LONGEST]!r}, and --sequences generates lines of "
                "images of single digits, whose labels are 0 to 9."
            )


def _is_of_line(label: str) -> bool:
    return len(label) > 1 and label.isascii() and label.isdigit()


def _split(X: Any, y: np.ndarray, test_fraction: float, seed: int) -> tuple[Any, ...]:
    """Split samples into a training and a test set, which is empty for a share of 0."""
    if not test_fraction:
        return X, X[:0], y, y[:0]
    train, test = hold_out(X, y, test_fraction, seed)
    return X[train], X[test], y[train], y[test]


def read_lines(source: str, test_fraction: float, seed: int) -> tuple[Any, ...]:
    """Read pictures of lines with labels, and split them at random.

    Parameters
    ----------
    source : str
        A folder of pictures.
    test_fraction : float
        Share of the test set; 0 for none.
    seed : int
        Seed of the split.

    Returns
    -------
    X_train, X_test : list of ndarray of shape (28, width), uint8
        Images of lines.
    y_train, y_test : ndarray of str
        Their digits.

    Raises
    ------
    ValueError
        If the source holds no pictures, too few of them, or pictures of single digits.
    """
    from sklearn.model_selection import train_test_split

    from skdigits.datasets.picture_files import load_lines

    if not find_pictures_of(source):
        raise ValueError(
            "A model of sequences adapts to pictures of lines, and DATA holds none. Name a folder "
            "of pictures with their labels; or adapt a model of single digits: --from digit."
        )
    X, y = load_lines(source)
    if all(len(label) <= 1 for label in y.tolist()):
        raise ValueError(
            "DATA holds pictures of single digits, and the model of --from reads lines. To adapt "
            "a model of single digits: --from digit."
        )
    if not test_fraction:
        return X, [], y, y[:0]
    with _errors_naming_the_option():
        return train_test_split(X, y, test_size=test_fraction, random_state=seed)


def load_to_adapt(path: Path) -> DigitClassifier | DigitSequenceRecognizer:
    """Load a model that a further fit adapts to few images.

    Parameters
    ----------
    path : Path
        A file that `save` wrote, or a name that `load_pretrained` takes.

    Returns
    -------
    DigitClassifier or DigitSequenceRecognizer
        The estimator; of a Pipeline its last step, since pictures are cleaned when they are read.
    """
    from skdigits import load
    from skdigits.pretrained import NAMES, load_pretrained
    from skdigits.wrappers import network_estimator

    is_ours = str(path) in NAMES and not path.exists()
    estimator = load_pretrained(str(path)) if is_ours else network_estimator(load(path))
    return estimator.set_params(warm_start="adapt")


def make_folds(folds: int, seed: int) -> Any:
    """Make the splitter of a cross-validation.

    Parameters
    ----------
    folds : int
        Number of folds.
    seed : int
        Seed of the split.

    Returns
    -------
    StratifiedKFold
        The splitter, which shuffles the samples.
    """
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(folds, shuffle=True, random_state=seed)


def make_test_sequences(
    recognizer: DigitSequenceRecognizer, X: Any, y: np.ndarray, seed: int
) -> tuple[np.ndarray, ...]:
    """Generate test sequences in the style that a recognizer was trained on.

    Parameters
    ----------
    recognizer : DigitSequenceRecognizer
        The recognizer.
    X : ndarray of shape (n, height, width) or (n, n_pixels), uint8
        Images of single digits.
    y : ndarray of shape (n,)
        Their labels.
    seed : int
        Seed of the sequences.

    Returns
    -------
    X : ndarray of shape (2000, 28, width), uint8
        Images of sequences; digits side by side are not distorted.
    y : ndarray of shape (2000,), str
        The digits of each image.
    """
    from skdigits.datasets import make_digit_sequences
    from skdigits.pictures.line_images import LineImages

    images = LineImages.check(X).as_bytes(0, 255).same_width()
    style = {name: getattr(recognizer, name) for name in ("style", "lengths", "gap")}
    return make_digit_sequences(images, y, TEST_SEQUENCES, **style, random_state=seed)


@contextlib.contextmanager
def _errors_naming_the_option() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        message = str(error).rstrip(".")
        raise ValueError(f"{message}. --test-fraction is the share of the test images.") from error
