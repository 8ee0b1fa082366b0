"""Cut numbers out of a picture, and convert them to images for the network that reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

ROWS, DIGIT_ROWS = 28, 18  # height of an image and of the digits in it, in pixels
MARGIN = 1.0  # before and after a number, in heights of its digits
LEAST_CONTRAST = 12.0  # grey levels; a picture with less contrast stays pale
PAPER, INK = 2, 98  # percentiles of the grey levels that become 0 and 255


@dataclass(frozen=True)
class NumberBox:
    """A rectangle around a number, which can be turned.

    Parameters
    ----------
    x, y : float
        Its centre in pixels.
    along : tuple of float
        Direction in which the number is read: a vector of length 1.
    length : float
        Length in this direction in pixels.
    height : float
        Height of the digits in pixels.
    score : float
        Mean probability of its pixels to be part of a number, from 0 to 1.
    """

    x: float
    y: float
    along: tuple[float, float]
    length: float
    height: float
    score: float

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the upright rectangle around it."""
        (a, b), half = self.along, (self.length / 2, self.height / 2)
        across, down = abs(a) * half[0] + abs(b) * half[1], abs(b) * half[0] + abs(a) * half[1]
        return self.x - across, self.y - down, self.x + across, self.y + down

    def part(self, start: float, stop: float) -> NumberBox:
        """Return the part between two distances from its start, in pixels."""
        shift = (start + stop - self.length) / 2
        x, y = self.x + shift * self.along[0], self.y + shift * self.along[1]
        return replace(self, x=x, y=y, length=stop - start)

    def scaled(self, across: float, down: float) -> NumberBox:
        """Return the box in a picture that is larger by two factors, which are about equal."""
        mean = (across + down) / 2
        x, y, length, height = (
            self.x * across,
            self.y * down,
            self.length * mean,
            self.height * mean,
        )
        return replace(self, x=x, y=y, length=length, height=height)


def cut_number(picture: Image.Image, box: NumberBox) -> np.ndarray:
    """Cut a number out of a picture, with a margin before and after it.

    Parameters
    ----------
    picture : PIL.Image.Image
        Grey levels.
    box : NumberBox
        Where the number is.

    Returns
    -------
    ndarray of shape (ROWS, width), uint8
        The image, as `evened` returns it; a pixel of it is ``box.height / DIGIT_ROWS`` pixels of
        the picture. Its first column is `MARGIN` heights before the box.
    """
    scale = box.height / DIGIT_ROWS
    width = max(8, round((box.length + 2 * MARGIN * box.height) / scale))
    along = np.array(box.along)
    down = np.array([-along[1], along[0]])
    start = np.array([box.x, box.y]) - along * (width / 2 * scale) - down * (ROWS / 2 * scale)
    matrix = np.column_stack([along * scale, down * scale, start])
    return evened(sampled(picture, matrix, width))


def sampled(picture: Image.Image, matrix: np.ndarray, width: int) -> np.ndarray:
    """Sample a part of a picture; its pixels are means where they are larger than the picture's.

    Parameters
    ----------
    picture : PIL.Image.Image
        Grey levels.
    matrix : ndarray of shape (2, 3)
        From coordinates of the part to those of the picture.
    width : int
        Width of the part in pixels.

    Returns
    -------
    ndarray of shape (ROWS, width), uint8
        Grey levels.
    """
    finer = max(1, int(np.ceil(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) - 1e-6))
    if finer > 1:
        matrix = np.column_stack([matrix[:, :2] / finer, matrix[:, 2]])
    size = width * finer, ROWS * finer
    rows = matrix.ravel().tolist()
    image = picture.transform(size, Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR)
    return np.asarray(image.reduce(finer) if finer > 1 else image)


def evened(grey: np.ndarray) -> np.ndarray:
    """Stretch the contrast of a number, and make its background dark.

    Parameters
    ----------
    grey : ndarray of shape (ROWS, width)
        Grey levels from 0 to 255 of a number with its margins. The contrast is measured without
        the margins, where frames and other writing may be.

    Returns
    -------
    ndarray of shape (ROWS, width), uint8
        The background, which covers more than half of the number, is dark; ink is bright.
    """
    grey = grey.astype(np.float32)
    above, before = (ROWS - DIGIT_ROWS) // 2, min(DIGIT_ROWS, grey.shape[1] // 3)
    middle = grey[:, before : grey.shape[1] - before]
    low, high = np.percentile(middle[above : ROWS - above], [PAPER, INK])
    stretched = (grey - low) / max(high - low, LEAST_CONTRAST)
    if np.median(middle) > (low + high) / 2:
        stretched = 1 - stretched
    return np.rint(stretched.clip(0, 1) * 255).astype(np.uint8)
