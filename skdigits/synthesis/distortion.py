"""Distort images of digits at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from skdigits.synthesis.composition import TileLayout

N_FIELDS = 500  # number of displacement fields; the digits share them
SMOOTHNESS = 1 / 7  # standard deviation of the Gaussian filter, relative to the image's height


@dataclass(frozen=True)
class Distortion:
    """Distortions of many digits; the centre of each image is the fixed point.

    Parameters
    ----------
    angles, zooms, shears : ndarray of shape (n_digits,), float32
        Rotation in radians, scale factor, and shear in pixels to the left per pixel downwards.
    strengths : ndarray of shape (n_digits,), float32
        Standard deviation of the elastic displacement in pixels.
    fields : ndarray of shape (n_digits,), int
        Index in `displacements` for each digit.
    displacements : ndarray of shape (n_fields, 2, height, width) or None
        Smooth displacements to the right and downwards, with a standard deviation of 1 pixel.
    """

    angles: np.ndarray
    zooms: np.ndarray
    shears: np.ndarray
    strengths: np.ndarray
    fields: np.ndarray
    displacements: np.ndarray | None

    @classmethod
    def draw(
        cls, n_digits: int, layout: TileLayout, shape: tuple[int, int], rng: np.random.RandomState
    ) -> Distortion | None:
        """Choose distortions at random.

        The elastic distortions are those of Simard et al., "Best practices for convolutional neural
        networks applied to visual document analysis" (2003).

        Parameters
        ----------
        n_digits : int
            Number of digits.
        layout : TileLayout
            Maximum of each distortion.
        shape : tuple of int
            Height and width of the digits.
        rng : RandomState
            Random generator.

        Returns
        -------
        Distortion or None
            The distortions; None if the layout has none.
        """
        if not (layout.rotation or layout.scale or layout.shear or layout.elastic):
            return None

        def uniform(low: float, high: float) -> np.ndarray:
            return rng.uniform(low, high, size=n_digits).astype(np.float32)

        return cls(
            angles=np.deg2rad(uniform(-layout.rotation, layout.rotation)),
            zooms=uniform(1 - layout.scale, 1 + layout.scale),
            shears=np.tan(np.deg2rad(uniform(-layout.shear, layout.shear))),
            strengths=uniform(0, layout.elastic),
            fields=rng.randint(N_FIELDS, size=n_digits),
            displacements=_displacements(shape, rng) if layout.elastic else None,
        )

    def __call__(self, images: np.ndarray, which: slice) -> np.ndarray:
        """Distort images.

        Parameters
        ----------
        images : ndarray of shape (n, height, width), uint8
            Digits.
        which : slice
            Indices of these digits among the digits of all sequences.

        Returns
        -------
        ndarray of shape (n, height, width), uint8
            The distorted images; pixels from outside an image are black.
        """

        def each(values: np.ndarray) -> np.ndarray:
            return values[which, None, None]

        height, width = images.shape[1:]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        x, y = x - (width - 1) / 2, y - (height - 1) / 2
        x = x + each(self.shears) * y
        angles, zooms = each(self.angles), each(self.zooms)
        cos, sin = np.cos(angles) / zooms, np.sin(angles) / zooms
        across, down = cos * x - sin * y + (width - 1) / 2, sin * x + cos * y + (height - 1) / 2
        if self.displacements is not None:
            field = self.displacements[self.fields[which]]
            across += each(self.strengths) * field[:, 0]
            down += each(self.strengths) * field[:, 1]
        return _interpolated(images, across, down)


def _displacements(shape: tuple[int, int], rng: np.random.RandomState) -> np.ndarray:
    noise = rng.uniform(-1, 1, size=(N_FIELDS, 2, *shape)).astype(np.float32)
    smooth = gaussian_filter(noise, (0, 0, *[shape[0] * SMOOTHNESS] * 2), mode="constant")
    return smooth / smooth.std()


def _interpolated(images: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Sample images at fractional positions, by bilinear interpolation."""
    n, height, width = images.shape
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    # Positions are clipped to the black margin of the image, so that each has four neighbours.
    across = np.clip(across + 1, 0, width + 0.999)
    down = np.clip(down + 1, 0, height + 0.999)
    left, top = across.astype(np.int32), down.astype(np.int32)
    right_share, lower_share = across - left, down - top
    row = width + 2
    first = np.arange(n, dtype=np.int32)[:, None, None] * (row * (height + 2)) + top * row + left
    pixels = padded.ravel()
    upper = pixels[first] * (1 - right_share) + pixels[first + 1] * right_share
    first += row
    lower = pixels[first] * (1 - right_share) + pixels[first + 1] * right_share
    return np.rint(upper * (1 - lower_share) + lower * lower_share).astype(np.uint8)
