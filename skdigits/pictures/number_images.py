"""Cut numbers out of a picture, and convert them to images for the network that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

OTHER = "\ufffd"  # stands for any character that is neither a digit nor a sign of a number
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


def cut_numbers(grey: np.ndarray, boxes: Sequence[NumberBox]) -> list[np.ndarray]:
    """Cut numbers out of a picture, with margins before and after them.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float32
        Grey levels from 0 to 255.
    boxes : sequence of NumberBox
        Where the numbers are.

    Returns
    -------
    list of ndarray of shape (ROWS, width), uint8
        The images, as `evened` returns them; a pixel is ``box.height / DIGIT_ROWS`` pixels of the
        picture. The first column is `MARGIN` heights before the box. Outside the picture, the
        pixels of its border are repeated.
    """
    ends = np.array([_corners(box) for box in boxes])
    limits = np.array(grey.shape[::-1])
    around = int(np.ceil(max(0, -ends.min(), (ends - limits).max()))) + 1
    picture = Image.fromarray(np.pad(grey.clip(0, 255).astype(np.uint8), around, mode="edge"))
    return [_cut(picture, box, around) for box in boxes]


def _corners(box: NumberBox) -> np.ndarray:
    """Return the corners of the image of a number, of shape (4, 2), in pixels of the picture."""
    along = np.array(box.along)
    down = np.array([-along[1], along[0]])
    half = box.length / 2 + MARGIN * box.height, ROWS / DIGIT_ROWS / 2 * box.height
    signs = np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)])
    return np.array([box.x, box.y]) + (signs * half) @ np.array([along, down])


def _cut(picture: Image.Image, box: NumberBox, around: int) -> np.ndarray:
    """Return the image of a number; `around` is the width of the margin of the picture."""
    scale = box.height / DIGIT_ROWS
    width = max(8, round((box.length + 2 * MARGIN * box.height) / scale))
    along = np.array(box.along)
    down = np.array([-along[1], along[0]])
    centre = np.array([box.x, box.y]) + around
    start = centre - along * (width / 2 * scale) - down * (ROWS / 2 * scale)
    return evened(sampled(picture, np.column_stack([along * scale, down * scale, start]), width))


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
    is_bright = np.median(middle) > (low + high) / 2
    ink = (high - grey if is_bright else grey - low) / max(high - low, LEAST_CONTRAST)
    return np.rint(ink.clip(0, 1) * 255).astype(np.uint8)
