"""Images and labels of a command, split into training and test samples."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class TrainTest(NamedTuple):
    """Training and test images, with labels.

    Parameters
    ----------
    X_train, X_test : ndarray of shape (n, …) or list of ndarray
        Images.
    y_train, y_test : ndarray of shape (n,)
        Labels.
    """

    X_train: Any
    X_test: Any
    y_train: np.ndarray
    y_test: np.ndarray

    @property
    def held_out(self) -> str:
        """Part of a message, such as ``360 held out for testing``."""
        n = len(self.y_test)
        return f"{n} held out for testing" if n else "none held out for testing"


def read_images(source: str | None) -> tuple[Any, np.ndarray]:
    """Read a source of `skdigits.datasets.load_data`; return images and labels.

    The images are uint8 of shape (n, height, width), or (n, n_pixels) for rows of pixels that are
    not square images.
    """
    from skdigits.datasets import load_data

    bunch = load_data(source)
    return bunch.data if bunch.images is None else bunch.images, bunch.target


def find_picture_source(source: str | None) -> Path | None:
    """Return the picture file or the folder of pictures of a source; None if it has no pictures.

    `source` is as for `skdigits.datasets.load_data`.
    """
    from skdigits.datasets.picture_files import find_pictures
    from skdigits.datasets.recognition import recognize

    if source in (None, "digits", "mnist"):
        return None
    kind, path = recognize(Path(source), "train")
    return path if kind == "pictures" and find_pictures(path) else None


def split(X: Any, y: np.ndarray, test_fraction: float, seed: int) -> TrainTest:
    """Split samples into a training and a test set, as `hold_out` does.

    With a `test_fraction` of 0, the test set is empty.
    """
    if not test_fraction:
        return TrainTest(X, X[:0], y, y[:0])
    train, test = hold_out(X, y, test_fraction, seed)
    return TrainTest(X[train], X[test], y[train], y[test])


def hold_out(
    X: Any, y: np.ndarray, test_fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of training and test samples, stratified by class.

    A ValueError is raised if one of the sets would be too small to contain every class.
    """
    from sklearn.model_selection import StratifiedShuffleSplit

    splitter = StratifiedShuffleSplit(1, test_size=test_fraction, random_state=seed)
    with naming_the_option():
        return next(splitter.split(X, y))


@contextlib.contextmanager
def naming_the_option() -> Iterator[None]:
    """Add the name of the option to the errors of scikit-learn's functions that split samples."""
    try:
        yield
    except ValueError as error:
        message = str(error).rstrip(".")
        raise ValueError(f"{message}. --test-fraction is the share of the test images.") from error
