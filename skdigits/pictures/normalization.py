"""Convert the ink of a digit or a line to an image of the size that a network takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from skdigits.pictures.ink import dilated

FULL = 80  # percentile of the ink's contrast that is mapped to white
LOW = 0.2  # relative contrast that is mapped to black
EDGE = 0.12  # ink from 0 to 1; fainter pixels at the edges of a picture are cropped


def cut_out(contrast: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Crop a picture to its ink, and normalize the contrast.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), float
        Contrast with the paper.
    mask : ndarray of shape (height, width), bool
        Pixels of the strokes; at least one is True.

    Returns
    -------
    ndarray of shape (ink_height, ink_width), float
        Ink from 0 to 1.
    """
    full = np.percentile(contrast[mask], FULL)
    ink = np.clip((contrast / full - LOW) / (1 - LOW), 0, 1) * dilated(mask)
    return ink[ndimage.find_objects(ink > EDGE, 1)[0]]


def centre(ink: np.ndarray, side: int) -> np.ndarray:
    """Scale the ink of a digit to 20 of 28 pixels, and centre it by its centre of mass.

    Parameters
    ----------
    ink : ndarray of shape (ink_height, ink_width), float
        Ink from 0 to 1, cropped.
    side : int
        Height and width of the result.

    Returns
    -------
    ndarray of shape (side, side), uint8
        The image.
    """
    small = _brightened(scaled(ink, side * 20 / 28 / max(ink.shape)))
    height, width = small.shape
    mass = small.sum()
    top = round((side - 1) / 2 - (small.sum(axis=1) @ np.arange(height)) / mass)
    left = round((side - 1) / 2 - (small.sum(axis=0) @ np.arange(width)) / mass)
    top, left = np.clip(top, 0, side - height), np.clip(left, 0, side - width)
    image = np.zeros((side, side), np.uint8)
    image[top : top + height, left : left + width] = np.rint(small * 255)
    return image


def normalize_line(ink: np.ndarray, digit_height: float, middle: float, height: int) -> np.ndarray:
    """Scale the digits of a line to 20 of 28 pixels, and centre them vertically.

    Parameters
    ----------
    ink : ndarray of shape (ink_height, ink_width), float
        Ink of a line from 0 to 1, cropped.
    digit_height, middle : float
        Median height of its digits, and row of their vertical centre, in pixels.
    height : int
        Height of the result.

    Returns
    -------
    ndarray of shape (height, width), uint8
        The image, with margins of a seventh of its height at both ends.
    """
    scale, top = place_line(len(ink), digit_height, middle, height)
    small = _brightened(scaled(ink, scale))
    margins = [(top, height - len(small) - top), (height // 7, height // 7)]
    return np.pad(np.rint(small * 255).astype(np.uint8), margins)


def place_line(rows: Any, digit_height: Any, middle: Any, height: int) -> tuple[Any, Any]:
    """Compute the scale of a line's ink, and its top row in the image.

    Parameters
    ----------
    rows : int or ndarray of shape (n_lines,)
        Height of the ink of one line, or of several.
    digit_height, middle : float or ndarray of shape (n_lines,)
        As in `normalize_line`.
    height : int
        Height of the image.

    Returns
    -------
    scale : float or ndarray of shape (n_lines,)
        Pixels of the image per pixel of the ink.
    top : int or ndarray of shape (n_lines,)
        Row of the image in which the ink begins.
    """
    scale = height / 28 * np.minimum(20 / digit_height, 26 / rows)
    n_rows = np.maximum(1, np.rint(rows * scale))
    top = np.rint(height / 2 - middle * n_rows / rows)
    return scale, np.clip(top, 0, height - n_rows).astype(int)


def scaled(image: np.ndarray, scale: float) -> np.ndarray:
    """Scale an image of floats with Lanczos filtering, which averages small details."""
    from PIL import Image

    if scale == 1:
        return image
    height, width = (max(1, round(n * scale)) for n in image.shape)
    picture = Image.fromarray(image.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def _brightened(ink: np.ndarray) -> np.ndarray:
    """Raise the maximum of the ink to 1, because reducing an image makes thin strokes fainter."""
    return np.clip(ink / min(1, ink.max()), 0, 1)
