"""Images with labels from a file that is read as a whole."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdigits.checks.image_shapes import infer_image_shape
from skdigits.datasets.bunch import Chunk, as_labels, make_bunch, pixel_names
from skdigits.datasets.orientation import check_upright
from skdigits.datasets.pixels import as_pixels

MNIST = (70_000, 784)  # images and pixels of both parts in one table
N_TRAIN = 60_000  # the first of them
N_DIGITS = 10
DECIMAL_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)\.0+")  # as a column of floats is written


class Samples(NamedTuple):
    """Images and labels of a file.

    Parameters
    ----------
    images : ndarray of shape (n, n_pixels) or (n, height, width), uint8
        The images.
    target : ndarray of shape (n,) or None
        The labels; None without labels.
    origin : str
        Where they are from, for the description.
    """

    images: np.ndarray
    target: np.ndarray | None
    origin: str

    def bunch(self, *, as_frame: bool, return_X_y: bool) -> Any:
        """Return the samples in scikit-learn's form.

        Parameters
        ----------
        as_frame : bool
            Whether `data` is a DataFrame and `target` a Series.
        return_X_y : bool
            Whether to return ``(data, target)`` only.

        Returns
        -------
        sklearn.utils.Bunch or tuple
            As `make_bunch` returns it.
        """
        n_pixels = math.prod(self.images.shape[1:])
        is_flat = self.images.ndim == 2
        shape = infer_image_shape(n_pixels)[:2] if is_flat else self.images.shape[1:]
        labels = "no labels" if self.target is None else "with labels"
        return make_bunch(
            self.images.reshape(-1, n_pixels),
            self.target,
            image_shape=shape,
            feature_names=pixel_names(n_pixels),
            descr=f"{self.origin}: {len(self.images)} images of {n_pixels} pixels, {labels}.\n",
            as_frame=as_frame,
            return_X_y=return_X_y,
        )

    def chunks(self, chunk_size: int, lines: bool) -> Iterator[Chunk]:
        """Divide the samples.

        The file is read as a whole, because its library reads it so, or because one scale holds
        for all its pixels: memory is bounded by one byte per pixel, not by `chunk_size`.

        Parameters
        ----------
        chunk_size : int
            Maximum number of images in a chunk.
        lines : bool
            Whether to return labels as strings.

        Yields
        ------
        Chunk
            The next images.
        """
        target = self.target
        if target is not None and lines:
            target = target.astype(str)
        for chosen in gen_batches(len(self.images), chunk_size):
            yield Chunk(self.images[chosen], None if target is None else target[chosen])


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

    Returns
    -------
    Samples
        Images as bytes, and labels.

    Raises
    ------
    ValueError
        If the arrays are not images and labels, or labels are missing.

    Warns
    -----
    UserWarning
        If digits lie on their side, or 10 is a label and 0 is not.
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
    return Samples(images, target, where + note)


def read_labels(values: np.ndarray, where: Any) -> np.ndarray:
    """Convert labels as people store them to integers or strings.

    Parameters
    ----------
    values : ndarray
        One number or text per sample, also as a row or column of a matrix; or a matrix of 10 rows
        or columns with one highest value per sample (one-hot).
    where : str
        The file, for messages.

    Returns
    -------
    ndarray of shape (n_samples,)
        int64 if all are whole numbers written plainly, else str.

    Raises
    ------
    ValueError
        If these are no labels, or one is missing.
    """
    values = np.asarray(values)
    if values.ndim == 2 and 1 not in values.shape:
        values = _from_one_hot(values, where)
    if values.ndim == 0 or values.ndim > 2 or not values.size:
        raise ValueError(f"{where}: labels of shape {values.shape}; expected one per image.")
    values = values.ravel()
    if values.dtype.kind in "bui":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        if (values != np.rint(values)).any() or (np.abs(values) > 2**53).any():
            raise ValueError(
                f"{where}: labels are missing or no whole numbers; found "
                f"{', '.join(f'{n:g}' for n in np.unique(values)[:3])}, …"
            )
        return values.astype(np.int64)
    if values.dtype.kind not in "US":
        raise ValueError(f"{where}: labels of type {values.dtype}; expected numbers or texts.")
    try:
        texts = np.char.strip(values.astype(str))
    except UnicodeDecodeError:
        raise ValueError(f"{where}: labels are texts that are not ASCII bytes.") from None
    if (texts == "").any():
        raise ValueError(f"{where}: a label is empty.")
    if all(map(DECIMAL_INTEGER.fullmatch, np.unique(texts).tolist())):
        texts = np.char.partition(texts, ".")[:, 0]
    return as_labels(texts)


def _from_one_hot(values: np.ndarray, where: Any) -> np.ndarray:
    axis = 1 if values.shape[1] == N_DIGITS else 0
    is_number = values.dtype.kind in "buif"
    if is_number and values.shape[axis] == N_DIGITS:
        low, high = values.min(), values.max()
        if high == 1 and low in (-1, 0) and ((values == 1).sum(axis=axis) == 1).all():
            return values.argmax(axis=axis)
    raise ValueError(f"{where}: labels of shape {values.shape}; expected one per image.")


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
