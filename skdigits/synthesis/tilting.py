"""Scale and slant many pictures of digits at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

AT_A_TIME = 32  # pictures of similar width; their arrays fit into the cache of a processor
FINE = 7  # bits of a fixed-point number for fractions of a pixel
JITTER = 0.04  # standard deviation of the positions of corners, relative to the picture


class Collection(Protocol):
    """Images, and the box of the digit or sign in each."""

    @property
    def images(self) -> np.ndarray:
        """Images of shape (n_images, height, width), uint8."""

    @property
    def boxes(self) -> np.ndarray:
        """Left, top, right and bottom, of shape (n_images, 4)."""


@dataclass(frozen=True)
class Pictures:
    """Digits and signs that are cut out of images of several sizes.

    Parameters
    ----------
    pairs : ndarray of uint16
        Pixels of all images, one image after the other. The lower byte is a pixel, the upper byte
        its right neighbour.
    start, stride : ndarray of shape (n,), int32
        Index in `pairs` of the upper left pixel of each picture, and distance between its rows.
    height, width : ndarray of shape (n,), int32
        Size of each picture.
    """

    pairs: np.ndarray
    start: np.ndarray
    stride: np.ndarray
    height: np.ndarray
    width: np.ndarray

    @classmethod
    def cut(
        cls, collections: Sequence[Collection], collection: np.ndarray, index: np.ndarray
    ) -> Pictures:
        """Cut pictures out of images.

        Parameters
        ----------
        collections : sequence of Collection
            Collections of images.
        collection, index : ndarray of shape (n,), int
            Index of each picture's collection, and index of its image in this collection.

        Returns
        -------
        Pictures
            The pictures.
        """
        images, n_pixels = [], 0
        numbers = np.empty((4, len(index)), np.int32)
        for i, of_all in enumerate(collections):
            chosen = np.flatnonzero(collection == i)
            images.append(of_all.images[index[chosen]])
            left, top, right, bottom = of_all.boxes[index[chosen]].T
            n_rows, n_columns = images[-1].shape[1:]
            first = n_pixels + n_rows * n_columns * np.arange(len(chosen))
            sizes = np.full_like(left, n_columns), bottom - top, right - left
            numbers[:, chosen] = first + top * n_columns + left, *sizes
            n_pixels += images[-1].size
        pixels = np.concatenate([stack.ravel() for stack in images]).astype(np.uint16)
        pixels[:-1] |= pixels[1:] << 8
        return cls(pixels, *numbers)

    def __getitem__(self, chosen: np.ndarray) -> Pictures:
        """Return the pictures with these indices."""
        numbers = self.start, self.stride, self.height, self.width
        return Pictures(self.pairs, *(values[chosen] for values in numbers))


def tilted(
    pictures: Pictures,
    width: np.ndarray,
    height: np.ndarray,
    slant: np.ndarray,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Scale and slant pictures, and move their corners slightly at random.

    Parameters
    ----------
    pictures : Pictures
        Digits and signs, cropped to their ink.
    width, height : ndarray of shape (n,), float
        Sizes before the slant is applied, in pixels.
    slant : ndarray of shape (n,), float
        Slants, as in `Writers`.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    list of ndarray of shape (tile_height, tile_width), uint8
        The digits and signs, cropped to the columns of their ink.
    """
    n_rows = np.maximum(2, np.rint(height)).astype(int)
    n_columns = np.maximum(2, np.rint(width + np.abs(slant) * height).astype(int) + 2)
    scale = pictures.width / np.maximum(width, 1)
    # Corners of the tile in the picture, counterclockwise from the upper left one.
    above, below = (-scale * np.maximum(side, 0) * height for side in (slant, -slant))
    across, down, none = scale * n_columns, pictures.height, np.zeros(len(scale))
    corners = np.array(
        [(above, none), (below, down), (below + across, down), (above + across, none)]
    )
    corners += rng.normal(0, JITTER, corners.shape) * [pictures.width, down]
    order = np.argsort(n_columns, kind="stable")
    tiles = [np.empty((0, 0), np.uint8)] * len(order)
    for start in range(0, len(order), AT_A_TIME):
        chosen = order[start : start + AT_A_TIME]
        sizes = n_rows[chosen], n_columns[chosen]
        warped = _warped(pictures[chosen], corners[..., chosen], *sizes)
        there = warped.max(axis=1) > 0
        first, last = there.argmax(axis=1), there.shape[1] - there[:, ::-1].argmax(axis=1)
        last = np.minimum(last, sizes[1])
        for i, tile, *box in zip(chosen, warped, sizes[0], first, last, strict=True):
            tiles[i] = tile[: box[0], box[1] : box[2]]
    return tiles


def _warped(
    pictures: Pictures, corners: np.ndarray, n_rows: np.ndarray, n_columns: np.ndarray
) -> np.ndarray:
    """Warp quadrilaterals of pictures to rectangles, with bilinear interpolation."""
    down = np.arange(n_rows.max(), dtype=np.float32)[:, np.newaxis] + np.float32(0.5)
    right = np.arange(n_columns.max(), dtype=np.float32) + np.float32(0.5)
    is_inside = down < _each(n_rows)
    positions = []  # fixed-point numbers, from the upper left pixel of the picture
    for axis, size in enumerate((pictures.width, pictures.height)):
        north_west, south_west, south_east, north_east = corners[:, axis]
        twist = (south_east - south_west - north_east + north_west) / (n_rows * n_columns)
        at = (_each((north_east - north_west) / n_columns) + _each(twist) * down) * right
        at += _each((south_west - north_west) / n_rows) * down + _each(north_west - size / 2)
        is_inside = is_inside & (np.abs(at) < _each(size / 2))
        reach = _each((size - 1) / 2)
        np.clip(at, -reach, reach, out=at)
        at += reach
        at *= 1 << FINE
        positions.append(at.astype(np.int32))
    column, row = (position >> FINE for position in positions)
    across, below = (position.astype(np.int16) & ((1 << FINE) - 1) for position in positions)
    row *= pictures.stride[:, np.newaxis, np.newaxis]
    row += column
    row += pictures.start[:, np.newaxis, np.newaxis]
    row *= is_inside
    index = row.astype(np.intp)
    upper = _between_pairs(pictures.pairs.take(index, mode="clip"), across)
    index += pictures.stride[:, np.newaxis, np.newaxis]
    lower = _between_pairs(pictures.pairs.take(index, mode="clip"), across)
    tiles = _between(upper, lower, below)
    tiles *= is_inside
    return tiles.astype(np.uint8)


def _each(values: np.ndarray) -> np.ndarray:
    """Reshape one value per picture, to broadcast it over rows and columns."""
    return values.astype(np.float32)[:, np.newaxis, np.newaxis]


def _between_pairs(pairs: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    return _between((pairs & 255).view(np.int16), (pairs >> 8).view(np.int16), fraction)


def _between(start: np.ndarray, end: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Interpolate linearly between two arrays; the result replaces `end`."""
    end -= start
    end *= fraction
    end >>= FINE
    end += start
    return end
