"""Containers for loaded images: all images at once, or chunks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch, gen_batches

from skdigits.checks.image_shapes import infer_image_shape


class Problem(NamedTuple):
    """A picture that could not be read."""

    name: str  # as in `Chunk.names`
    text: str  # error message, which contains the name of the file


class Chunk(NamedTuple):
    """Consecutive images of a source that is read in chunks."""

    data: Any  # uint8, (n, n_pixels) or (n, height, width); a list if the widths differ
    target: np.ndarray | None = None  # labels
    names: np.ndarray | None = None  # file names, only for picture files
    problems: tuple[Problem, ...] = ()  # pictures that could not be read; their images are zeros
    pages: tuple[str, ...] = ()  # names of pictures that show lines instead of a single digit


def without_problems(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Iterate over chunks; raise a ValueError for the first picture that could not be read."""
    for chunk in chunks:
        if chunk.problems:
            raise ValueError(chunk.problems[0].text)
        yield chunk


class LoadedImages(NamedTuple):
    """Images and labels in memory."""

    images: np.ndarray  # uint8, (n, n_pixels) or (n, height, width)
    target: np.ndarray | None  # labels
    origin: str  # name of the source, for the description
    note: str = ""  # further text of the description
    feature_names: list[str] | None = None  # None means pixel0, pixel1, … as in Kaggle's files

    def bunch(self, *, as_frame: bool = False, return_X_y: bool = False) -> Any:
        """Return the samples as a scikit-learn Bunch or tuple, as `load_data` does."""
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
        """Divide the samples into chunks; with `lines`, the labels are strings."""
        target = self.target.astype(str) if lines and self.target is not None else self.target
        for chosen in gen_batches(len(self.images), chunk_size):
            yield Chunk(self.images[chosen], None if target is None else target[chosen])
