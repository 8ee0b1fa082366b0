"""Arrays of images and labels as people store them, checked and converted."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from skdigits.datasets.bunch import Samples
from skdigits.datasets.orientation import check_upright
from skdigits.datasets.pixels import as_pixels

MNIST = (70_000, 784)  # images and pixels of both parts in one table
N_TRAIN = 60_000  # the first of them
N_DIGITS = 10
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
LEADING_ZERO = re.compile(r"[+-]?0\d")
LARGEST_INTEGER = 2**53  # of those that a float holds exactly


def make_samples(
    images: np.ndarray, labels: np.ndarray | None, where: Any, *, subset: str, note: str = ""
) -> Samples:
    """Check and convert the arrays of a file.

    Parameters
    ----------
    images : ndarray
        As for `as_pixels`.
    labels : ndarray or None
        As for `read_labels`; None without labels.
    where : str
        The file, for messages.
    subset : {"train", "test"}
        ``"train"`` requires labels. A table of MNIST's 70,000 images is divided; everything else is
        returned as it is.
    note : str, default=""
        What was done to the images, for the description.
    """
    if labels is None and subset == "train":
        raise ValueError(
            f"{where}: there are no labels. Images without labels can only be predicted: "
            "`skdigits predict`, or subset='test'."
        )
    target = None if labels is None else read_labels(labels, where)
    images = as_pixels(images, where, n_labels=None if target is None else len(target))
    _warn_of_ten(target, where)
    check_upright(images, target, where)
    if (len(images), math.prod(images.shape[1:])) == MNIST:
        part = slice(N_TRAIN) if subset == "train" else slice(N_TRAIN, None)
        images, target = images[part], None if target is None else target[part]
        note += f", {'the first 60,000' if subset == 'train' else 'the last 10,000'} images"
    return Samples(images, target, f"{where}{note}")


def read_labels(values: Any, where: Any) -> np.ndarray:
    """Convert labels as people store them to integers or strings.

    Parameters
    ----------
    values : array-like
        One number or text per sample, also as a row or column of a matrix; or a matrix of 10 rows
        or columns with one highest value per sample (one-hot).
    where : str
        The file, for messages.

    Returns
    -------
    ndarray of shape (n_samples,)
        int64 if all are whole numbers without leading zeros, else str.
    """
    values = np.asarray(values)
    if values.ndim == 2 and 1 not in values.shape:
        values = _from_one_hot(values)
    is_matrix = values.ndim == 2 and 1 not in values.shape
    if values.ndim not in (1, 2) or is_matrix or not values.size:
        raise ValueError(f"{where}: labels of shape {values.shape}; expected one per image.")
    values = values.ravel()
    if (
        values.dtype.kind == "f"
        and ((values != np.rint(values)) | (abs(values) > LARGEST_INTEGER)).any()
    ):
        raise ValueError(
            f"{where}: labels are missing or no whole numbers; found "
            f"{', '.join(f'{n:g}' for n in np.unique(values)[:3])}, …"
        )
    if values.dtype.kind in "buif":
        return values.astype(np.int64)
    if values.dtype.kind not in "US":
        raise ValueError(f"{where}: labels of type {values.dtype}; expected numbers or texts.")
    try:
        texts = np.char.strip(values.astype(str))
    except UnicodeDecodeError:
        raise ValueError(f"{where}: labels are texts that are not ASCII bytes.") from None
    if (texts == "").any():
        raise ValueError(f"{where}: a label is empty.")
    labels = as_labels(texts)
    if labels.dtype.kind != "U" or any(map(LEADING_ZERO.match, texts.tolist())):
        return labels
    numbers = np.array([to_number(text) for text in texts.tolist()])  # 7.0, as floats are written
    is_whole = (numbers == np.rint(numbers)) & (abs(numbers) <= LARGEST_INTEGER)
    return numbers.astype(np.int64) if is_whole.all() else labels


def as_labels(texts: Sequence[str] | np.ndarray) -> np.ndarray:
    """Convert texts to int64 if all are integers written plainly, else to str, as ``"07"``.

    Parameters
    ----------
    texts : list of str
        One per sample.
    """
    labels = np.array(texts, dtype=str)
    if not all(map(PLAIN_INTEGER.fullmatch, np.unique(labels).tolist())):
        return labels
    try:
        return labels.astype(np.int64)
    except (ValueError, OverflowError):
        return labels


def to_number(text: str) -> float:
    """Convert a text to a finite number, or to NaN.

    Parameters
    ----------
    text : str
        The text.
    """
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _from_one_hot(values: np.ndarray) -> np.ndarray:
    """The position of the only 1 of each sample; other matrices as they are."""
    axis = 1 if values.shape[1] == N_DIGITS else 0
    if values.dtype.kind not in "buif" or values.shape[axis] != N_DIGITS:
        return values
    is_one_hot = values.max() == 1 and values.min() in (-1, 0) and ((values == 1).sum(axis) == 1)
    return values.argmax(axis) if np.all(is_one_hot) else values


def _warn_of_ten(target: np.ndarray | None, where: Any) -> None:
    """Some sets number the digits 1–9 and 10, because MATLAB counts from 1."""
    if target is None or target.dtype.kind != "i" or target.max() != 10 or target.min() != 1:
        return
    warnings.warn(
        f"{where}: the labels are 1 to 10, without 0. In SVHN and in many files of MATLAB 10 means "
        "the digit 0. They are kept as they are; y % 10 makes 0 of 10.",
        UserWarning,
        stacklevel=5,
    )
