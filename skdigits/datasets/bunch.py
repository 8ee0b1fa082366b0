"""The forms in which loaders return images: all at once, or in chunks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch

PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


class Problem(NamedTuple):
    """A picture that could not be read.

    Parameters
    ----------
    name : str
        Its name, as in `Chunk.names`.
    text : str
        What is wrong, with the name of the file.
    """

    name: str
    text: str


class Chunk(NamedTuple):
    """Consecutive images of a source that is read in parts.

    Parameters
    ----------
    data : ndarray of shape (n, n_pixels) or (n, height, width), or list of ndarray
        The images, uint8; a list where their widths differ.
    target : ndarray of shape (n,) or None, default=None
        Labels of the images; None without labels.
    names : ndarray of shape (n,) or None, default=None
        File names, str; None unless each image comes from a separate file.
    problems : tuple of Problem, default=()
        The pictures that could not be read; their images are zeros.
    pages : tuple of str, default=()
        Names of pictures in which no digit is found, but lines of digits.
    """

    data: Any
    target: np.ndarray | None = None
    names: np.ndarray | None = None
    problems: tuple[Problem, ...] = ()
    pages: tuple[str, ...] = ()


def make_bunch(
    data: np.ndarray,
    target: np.ndarray | None,
    *,
    image_shape: tuple[int, ...],
    feature_names: list[str],
    descr: str,
    as_frame: bool,
    return_X_y: bool,
) -> Any:
    """Return images and labels in scikit-learn's form.

    Parameters
    ----------
    data : ndarray of shape (n_samples, n_features), uint8
        Rows of pixels.
    target : ndarray of shape (n_samples,) or None
        Labels; None without labels.
    image_shape : tuple of int
        Height and width.
    feature_names : list of str
        Names of the pixels.
    descr : str
        Description.
    as_frame : bool
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool
        Whether to return ``(data, target)`` only.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        With ``data``, ``target``, ``images``, ``feature_names``, ``target_names``, ``DESCR``,
        and ``frame`` (data and target in one DataFrame, None unless `as_frame`).
    """
    height, width = image_shape
    pixels = data
    images = data.reshape(-1, height, width) if height * width == data.shape[1] else None
    names = None if target is None else np.unique(target)
    frame = None
    if as_frame:
        import pandas as pd

        data = pd.DataFrame(pixels, columns=feature_names)
        frame = data
        if target is not None:
            target = pd.Series(target, name="label")
            frame = pd.concat([target, data], axis=1)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        images=images,
        feature_names=feature_names,
        target_names=names,
        frame=frame,
        DESCR=descr,
    )


def check_subset(subset: str) -> None:
    """Raise a ValueError if `subset` is neither ``"train"`` nor ``"test"``.

    Parameters
    ----------
    subset : str
        The value that the user passed to a loader.
    """
    if subset not in ("train", "test"):
        raise ValueError(f"subset should be 'train' or 'test'; got {subset!r}.")


def as_labels(texts: Sequence[str] | np.ndarray) -> np.ndarray:
    """Convert texts to labels.

    Parameters
    ----------
    texts : list of str
        One per sample.

    Returns
    -------
    ndarray of shape (n_samples,)
        int64 if every text is an integer written plainly, else str; so ``"07"`` stays a string of
        two digits.
    """
    labels = np.array(texts, dtype=str)
    if not all(map(PLAIN_INTEGER.fullmatch, np.unique(labels).tolist())):
        return labels
    try:
        return labels.astype(np.int64)
    except (ValueError, OverflowError):
        return labels


def pixel_names(n_features: int) -> list[str]:
    """Name pixels as Kaggle does.

    Parameters
    ----------
    n_features : int
        Number of pixels.

    Returns
    -------
    list of str
        ``pixel0``, ``pixel1``, …
    """
    return [f"pixel{i}" for i in range(n_features)]
