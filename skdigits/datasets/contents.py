"""Checks and conversion of stored arrays of images and labels."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from skdigits.datasets.bunch import LoadedImages
from skdigits.datasets.orientation import check_upright
from skdigits.datasets.pixels import as_pixels

MNIST = (70_000, 784)  # images and pixels of a table with both subsets
SUBSETS = {"all": slice(None), "train": slice(60_000), "test": slice(60_000, None)}  # of MNIST
N_DIGITS = 10
PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
LEADING_ZERO = re.compile(r"[+-]?0\d")
LARGEST_INTEGER = 2**53  # up to here, a float holds every integer exactly


def make_samples(
    images: np.ndarray, labels: np.ndarray | None, where: Any, *, subset: str, note: str = ""
) -> LoadedImages:
    """Check the arrays of a file, and convert them with `as_pixels` and `read_labels`.

    For ``"train"``, labels are required. A table of MNIST's 70,000 images is divided into subsets;
    all other tables are returned whole. `where` names the file in messages; `note` is added to the
    description.
    """
    if labels is None and subset == "train":
        raise ValueError(
            f"{where}: there are no labels. Images without labels can only be predicted: use "
            "`skdigits predict` or subset='test'."
        )
    target = None if labels is None else read_labels(labels, where)
    images = as_pixels(images, where, n_labels=None if target is None else len(target))
    _warn_of_ten(target, where)
    check_upright(images, target, where)
    if (len(images), math.prod(images.shape[1:])) == MNIST:
        part = SUBSETS[subset]
        images, target = images[part], None if target is None else target[part]
        note += f", {'the first 60,000' if subset == 'train' else 'the last 10,000'} images"
    return LoadedImages(images, target, f"{where}{note}")


def read_labels(values: Any, where: Any) -> np.ndarray:
    """Convert stored labels to int64 if all are whole numbers without leading zeros, else to str.

    `values` has one number or text per sample, in a vector or in a matrix with one row or column.
    One-hot labels, in a matrix with 10 rows or columns, are accepted too. `where` names the file in
    messages.
    """
    values = np.asarray(values)
    if values.ndim == 2 and 1 not in values.shape:
        values = _from_one_hot(values)
    if values.ndim not in (1, 2) or not values.size or values.size != max(values.shape):
        raise ValueError(
            f"{where}: the labels have the shape {values.shape}; expected one per image."
        )
    values = values.ravel()
    if (
        values.dtype.kind == "f"
        and ((values != np.rint(values)) | (abs(values) > LARGEST_INTEGER)).any()
    ):
        raise ValueError(
            f"{where}: a label is missing or not a whole number; found "
            f"{', '.join(f'{n:g}' for n in np.unique(values)[:3])}, …"
        )
    if values.dtype.kind in "buif":
        return values.astype(np.int64)
    if values.dtype.kind not in "US":
        raise ValueError(
            f"{where}: the labels have the type {values.dtype}; expected numbers or texts."
        )
    try:
        texts = np.char.strip(values.astype(str))
    except UnicodeDecodeError:
        raise ValueError(
            f"{where}: a label contains bytes that are not ASCII; expected numbers or texts."
        ) from None
    if (texts == "").any():
        raise ValueError(f"{where}: a label is empty.")
    labels = as_labels(texts)
    if labels.dtype.kind != "U" or any(map(LEADING_ZERO.match, texts.tolist())):
        return labels
    numbers = np.array([to_number(text) for text in texts.tolist()])  # accepts 7.0 too
    is_whole = (numbers == np.rint(numbers)) & (abs(numbers) <= LARGEST_INTEGER)
    return numbers.astype(np.int64) if is_whole.all() else labels


def as_labels(texts: Sequence[str] | np.ndarray) -> np.ndarray:
    """Convert texts to int64 if all are integers without leading zeros, otherwise to str."""
    labels = np.array(texts, dtype=str)
    if not all(map(PLAIN_INTEGER.fullmatch, np.unique(labels).tolist())):
        return labels
    try:
        return labels.astype(np.int64)
    except (ValueError, OverflowError):
        return labels


def to_number(text: str) -> float:
    """Convert a text to a number, or to NaN if it is not a finite number."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _from_one_hot(values: np.ndarray) -> np.ndarray:
    """Convert one-hot labels to digits; return other matrices unchanged."""
    axis = 1 if values.shape[1] == N_DIGITS else 0
    if values.dtype.kind not in "buif" or values.shape[axis] != N_DIGITS:
        return values
    is_one_hot = values.max() == 1 and values.min() in (-1, 0) and ((values == 1).sum(axis) == 1)
    return values.argmax(axis) if np.all(is_one_hot) else values


def _warn_of_ten(target: np.ndarray | None, where: Any) -> None:
    """Warn of labels 1–10: some data sets use 10 for the digit 0, because MATLAB counts from 1."""
    if target is None or target.dtype.kind != "i" or target.max() != 10 or target.min() != 1:
        return
    warnings.warn(
        f"{where}: the labels are 1 to 10, without 0. In SVHN and in many MATLAB files, 10 means "
        "the digit 0. The labels are not changed; use y % 10 to convert 10 to 0.",
        stacklevel=5,
    )
