"""Images side by side, so that one operation changes all of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Strip:
    """Images of one height, side by side.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), uint8
        Bright on black.
    starts : ndarray of shape (n_images + 1,), int
        Left column of each image, and end of the last image.
    """

    pixels: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, images: Sequence[np.ndarray]) -> Strip:
        """Put images side by side.

        Parameters
        ----------
        images : sequence of ndarray of shape (height, width), uint8
            Images of one height.

        Returns
        -------
        Strip
            The images.
        """
        starts = np.cumsum([0, *(image.shape[1] for image in images)])
        return cls(np.concatenate(images, axis=1), starts)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the images."""
        ends = self.starts.tolist()
        return (self.pixels[:, a:b] for a, b in itertools.pairwise(ends))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Repeat the value of each image for all its columns.

        Parameters
        ----------
        values : ndarray of shape (n_images,)
            The values.

        Returns
        -------
        ndarray of shape (width,), float32
            The value of each column.
        """
        return np.repeat(np.asarray(values, np.float32), np.diff(self.starts))

    def extents(self, level: float = 0) -> np.ndarray:
        """Find the pixels of each image that are brighter than a level.

        Parameters
        ----------
        level : float, default=0
            Grey level.

        Returns
        -------
        ndarray of shape (n_images, 4), int
            Left, top, right and bottom of these pixels in the strip; right equals left if there are
            no such pixels.
        """
        columns = np.flatnonzero(self.pixels.max(axis=0) > level)
        columns = np.append(columns, self.starts[-1])
        first, last = np.searchsorted(columns, [self.starts[:-1], self.starts[1:]])
        left, right = columns[first], columns[np.maximum(last - 1, first)] + (first < last)
        rows = np.maximum.reduceat(self.pixels, self.starts[:-1], axis=1) > level
        top, bottom = rows.argmax(axis=0), len(rows) - rows[::-1].argmax(axis=0)
        return np.stack([left, top, right, bottom], axis=1)

    def brightened(self) -> Strip:
        """Scale the grey levels of each image so that its maximum is 255.

        Returns
        -------
        Strip
            The images; black images stay black.
        """
        brightest = np.maximum.reduceat(self.pixels.max(axis=0), self.starts[:-1])
        pixels = self.pixels * self.spread(255 / np.maximum(brightest, 1))
        return Strip(np.rint(pixels).astype(np.uint8), self.starts)
