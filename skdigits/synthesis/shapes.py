"""Shapes of single digits, ordered by the thickness of their strokes."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from sklearn.utils import gen_batches

AT_A_TIME = 4096  # images processed at once, to limit memory
INK = 0.16  # minimum brightness of ink, relative to the brightest pixel
STEEPEST = 1.0  # limit of measured slants, in columns per row
SPREAD = 0.12  # standard deviation of the rank of thickness among the digits of one writer


class Shapes:
    """Images of single digits, from which lines are composed.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on black; images without ink are left out.
    labels : ndarray of shape (n_images,), int
        Their labels, 0–9.
    weights : ndarray of shape (n_images,), optional
        Relative frequency of each image; equal by default.
    """

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
    ) -> None:
        weights = np.ones(len(images)) if weights is None else np.asarray(weights, float)
        there = images.any(axis=(1, 2)) & (weights > 0)
        if not there.any():
            raise ValueError(
                "There is no digit to use: all images are blank, or have the weight 0."
            )
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
        """Slant of each digit, as in `Writers`."""
        return slants_of(self.images)

    @cached_property
    def boxes(self) -> np.ndarray:
        """Left, top, right and bottom of the ink of each digit, of shape (n_images, 4)."""
        return ink_boxes(self.images)

    def choose(self, digits: np.ndarray, ranks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Choose images of digits at random, with about the given thickness of strokes.

        Parameters
        ----------
        digits : ndarray of shape (n,), int
            The digits; there must be an image of each.
        ranks : ndarray of shape (n,), float
            Ranks of their thickness among images of the same digit, from 0 (thin) to 1 (thick).
        rng : numpy.random.Generator
            Random generator.

        Returns
        -------
        ndarray of shape (n,), int
            Indices of the images.
        """
        ranks = ranks + rng.normal(0, SPREAD, len(ranks))
        ranks = np.where(ranks < 0.5, np.abs(ranks), 1 - np.abs(1 - ranks))  # reflected at the ends
        chosen = np.empty(len(ranks), int)
        for digit in np.unique(digits):
            (indices, ends), there = self._by_digit[int(digit)], digits == digit
            chosen[there] = indices[np.searchsorted(ends, ranks[there] * ends[-1])]
        return chosen


def ink_boxes(images: np.ndarray) -> np.ndarray:
    """Find the bounding boxes of the ink of digits.

    Parameters
    ----------
    images : ndarray of shape (n, height, width), uint8
        Single digits; no image is blank.

    Returns
    -------
    ndarray of shape (n, 4), int
        Left, top, right and bottom.
    """
    boxes = np.empty((len(images), 4), int)
    for chosen in gen_batches(len(images), AT_A_TIME):
        values = images[chosen]
        ink = values > (INK * values.max(axis=(1, 2), keepdims=True)).astype(np.uint8)
        for side, axis in enumerate((1, 2)):
            there = ink.any(axis=axis)
            boxes[chosen, side] = there.argmax(axis=1)
            boxes[chosen, side + 2] = there.shape[1] - there[:, ::-1].argmax(axis=1)
    return boxes


def stroke_widths(images: np.ndarray) -> np.ndarray:
    """Measure the relative width of strokes: the area, divided by the perimeter.

    Parameters
    ----------
    images : ndarray of shape (n, height, width), uint8
        Single digits.

    Returns
    -------
    ndarray of shape (n,)
        Widths, for comparisons among images only.
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
        Slants, as in `Writers`.
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
