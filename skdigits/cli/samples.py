"""Images and labels of a command, and how they are split into training and test samples."""

from __future__ import annotations

import contextlib
from pathlib import Path

TEST_SEQUENCES = 2000
MAXIMUM_FOR_FOLDS = 5000  # images; of more, a part is held out instead of cross-validation


def images_of(bunch):
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


def read_images(source):
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


def read_for_inspection(source):
    """Read images, with labels where there are any.

    Parameters
    ----------
    source : str or None
        As for `skdigits.datasets.load_data`.

    Returns
    -------
    sklearn.utils.Bunch
        As a loader returns it; ``target`` is None for pictures without labels.
    """
    from skdigits.datasets import load_data

    try:
        return load_data(source)
    except ValueError:
        if not find_pictures_of(source):
            raise
        return load_data(source, subset="test")


def find_pictures_of(source):
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
    from skdigits.datasets.recognition import recognize

    if source in (None, "digits", "mnist"):
        return []
    kind, path = recognize(Path(source), "train")
    return find_pictures(path) if kind == "pictures" else []


def hold_out(X, y, test_fraction, seed):
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


def read_train_test(source, test_fraction, seed):
    """Read images with labels, and split them.

    Parameters
    ----------
    source : str or None
        As for `skdigits.datasets.load_data`.
    test_fraction : float
        Share of the test set.
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
    train, test = hold_out(X, y, test_fraction, seed)
    return X[train], X[test], y[train], y[test]


def read_lines(source, test_fraction, seed):
    """Read pictures of lines with labels, and split them at random.

    Parameters
    ----------
    source : str
        A folder of pictures.
    test_fraction : float
        Share of the test set.
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
        If the source holds no pictures, or fewer than two.
    """
    from sklearn.model_selection import train_test_split

    from skdigits.datasets.picture_files import load_lines

    if not find_pictures_of(source):
        raise ValueError(
            "A model of sequences adapts to pictures of lines, and DATA holds none. Name a folder "
            "of pictures with their labels."
        )
    X, y = load_lines(source)
    with _errors_naming_the_option():
        return train_test_split(X, y, test_size=test_fraction, random_state=seed)


def load_to_adapt(path):
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
    from skdigits.persistence.wrappers import network_estimator
    from skdigits.pretrained import NAMES, load_pretrained

    is_ours = str(path) in NAMES and not path.exists()
    estimator = load_pretrained(str(path)) if is_ours else network_estimator(load(path))
    return estimator.set_params(warm_start="adapt")


def make_folds(folds, seed):
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


def make_test_sequences(recognizer, X, y, seed):
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
    from skdigits.inference.line_images import LineImages

    images = LineImages.check(X).as_bytes(0, 255).same_width()
    style = {name: getattr(recognizer, name) for name in ("style", "lengths", "gap")}
    return make_digit_sequences(images, y, TEST_SEQUENCES, **style, random_state=seed)


@contextlib.contextmanager
def _errors_naming_the_option():
    try:
        yield
    except ValueError as error:
        message = str(error).rstrip(".")
        raise ValueError(f"{message}. --test-fraction is the share of the test images.") from error
