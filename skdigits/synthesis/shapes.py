"""Shapes of single digits, ordered by the thickness of their strokes."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from PIL import Image
from sklearn.utils import gen_batches

AT_A_TIME = 4096  # images processed at once, to bound memory
INK = 0.16  # of the brightest pixel; brighter pixels are ink
STEEPEST = 1.0  # limit of measured slants, in columns per row
SPREAD = 0.12  # standard deviation of the rank of thickness among the digits of one writer


class Shapes:
    """Digits from which lines are composed.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on black; images without ink are left out.
    labels : ndarray of shape (n_images,), int
        Their labels, 0–9.
    weights : ndarray of shape (n_images,), optional
        Relative frequency of each digit; equal by default.
    """

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
    ) -> None:
        weights = np.ones(len(images)) if weights is None else np.asarray(weights, float)
        there = images.any(axis=(1, 2)) & (weights > 0)
        if not there.any():
            raise ValueError("There is no digit to draw from: all images are blank.")
        self.images, self.labels = images[there], np.asarray(labels)[there]
        weights = weights[there]
        thickness = stroke_widths(self.images)
        self._by_digit = {}
        for digit in np.unique(self.labels):
            chosen = np.flatnonzero(self.labels == digit)
            chosen = chosen[np.argsort(thickness[chosen], kind="stable")]
            self._by_digit[int(digit)] = chosen, np.cumsum(weights[chosen])
        self.digits = np.array(list(self._by_digit))
        shares = np.array([ends[-1] for _, ends in self._by_digit.values()])
        self.shares = shares / shares.sum()

    @cached_property
    def slants(self) -> np.ndarray:
        """Slant of each digit, in columns to the right per row upwards."""
        return slants_of(self.images)

    def choose(self, digit: int, rank: float, rng: np.random.Generator) -> int:
        """Draw an image of a digit with about the given thickness of strokes.

        Parameters
        ----------
        digit : int
            The digit, one of `digits`.
        rank : float
            Rank of its thickness among the same digits, from 0 (thin) to 1.
        rng : numpy.random.Generator
            Random generator.

        Returns
        -------
        int
            Index of the image.
        """
        indices, ends = self._by_digit[digit]
        rank = rank + rng.normal(0, SPREAD)
        rank = abs(rank) if rank < 0.5 else 1 - abs(1 - rank)  # reflected at both ends
        return indices[np.searchsorted(ends, rank * ends[-1])]

    def cut(self, index: int) -> Image.Image:
        """Crop a digit to its ink.

        Parameters
        ----------
        index : int
            Index of the image.

        Returns
        -------
        PIL.Image.Image
            The digit in grey levels.
        """
        image = self.images[index]
        ink = image > INK * image.max()
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        return Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def stroke_widths(images: np.ndarray) -> np.ndarray:
    """Measure the mean width of strokes: twice the area, divided by the perimeter.

    Parameters
    ----------
    images : ndarray of shape (n, height, width), uint8
        Single digits.

    Returns
    -------
    ndarray of shape (n,)
        Relative widths.
    """
    widths = np.empty(len(images))
    for chosen in gen_batches(len(images), AT_A_TIME):
        values = images[chosen].astype(np.int16)
        edges = sum(np.abs(np.diff(values, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2))
        widths[chosen] = values.sum(axis=(1, 2)) / np.maximum(edges, 1)
    return widths


def slants_of(images: np.ndarray) -> np.ndarray:
    """Measure slants by the second moments of the ink.

    Parameters
    ----------
    images : ndarray of shape (n, height, width), uint8
        Single digits.

    Returns
    -------
    ndarray of shape (n,)
        Columns to the right per row upwards.
    """
    y, x = (axis.ravel() for axis in np.mgrid[: images.shape[1], : images.shape[2]])
    basis = np.stack([np.ones(len(y)), y, x, y * y, x * y], axis=1)
    slants = np.empty(len(images))
    for chosen in gen_batches(len(images), AT_A_TIME):
        moments = images[chosen].reshape(-1, len(y)).astype(float) @ basis
        mean_y, mean_x, mean_yy, mean_xy = (moments[:, 1:] / np.maximum(moments[:, :1], 1)).T
        variance = np.maximum(mean_yy - mean_y**2, 1e-6)
        slants[chosen] = (mean_x * mean_y - mean_xy) / variance
    return slants.clip(-STEEPEST, STEEPEST)
