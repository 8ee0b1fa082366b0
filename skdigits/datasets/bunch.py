"""The forms in which loaders return images: all at once, or in chunks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch, gen_batches

from skdigits.validation import infer_image_shape


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


class Samples(NamedTuple):
    """Images and labels that are in memory.

    Parameters
    ----------
    images : ndarray of shape (n, n_pixels) or (n, height, width), uint8
        The images.
    target : ndarray of shape (n,) or None
        The labels; None without labels.
    origin : str
        Where they are from.
    note : str, default=""
        What else the description says.
    feature_names : list of str, default=None
        Names of the pixels; None is Kaggle's, ``pixel0``, ``pixel1``, …
    """

    images: np.ndarray
    target: np.ndarray | None
    origin: str
    note: str = ""
    feature_names: list[str] | None = None

    def bunch(self, *, as_frame: bool = False, return_X_y: bool = False) -> Any:
        """Return the samples in scikit-learn's form, as `load_data` describes it.

        Parameters
        ----------
        as_frame : bool, default=False
            Whether `data` is a DataFrame and `target` a Series.
        return_X_y : bool, default=False
            Whether to return ``(data, target)`` only.
        """
        n, *shape = self.images.shape
        n_pixels = math.prod(shape)
        rows = self.images.reshape(n, n_pixels)
        height, width = shape if len(shape) > 1 else infer_image_shape(n_pixels)[:2]
        names = self.feature_names or [f"pixel{i}" for i in range(n_pixels)]
        data, target, frame = rows, self.target, None
        if as_frame:
            import pandas as pd

            data = frame = pd.DataFrame(rows, columns=names)
            if target is not None:
                target = pd.Series(target, name="label")
                frame = pd.concat([target, data], axis=1)
        if return_X_y:
            return data, target
        labels = "no labels" if target is None else "with labels"
        return Bunch(
            data=data,
            target=target,
            images=rows.reshape(n, height, width) if height * width == n_pixels else None,
            feature_names=names,
            target_names=None if target is None else np.unique(target),
            frame=frame,
            DESCR=f"{self.origin}: {n} images of {n_pixels} pixels, {labels}.\n{self.note}",
        )

    def chunks(self, chunk_size: int, lines: bool = False) -> Iterator[Chunk]:
        """Divide the samples.

        Parameters
        ----------
        chunk_size : int
            Maximum number of images in a chunk.
        lines : bool, default=False
            Whether to return labels as strings.
        """
        target = self.target.astype(str) if lines and self.target is not None else self.target
        for chosen in gen_batches(len(self.images), chunk_size):
            yield Chunk(self.images[chosen], None if target is None else target[chosen])
