"""Crop the lines of digits from a picture, and clean each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skdigits.pictures.cleaning import LineInk, find_line
from skdigits.pictures.grey import to_grey
from skdigits.pictures.ink import InkContrast
from skdigits.pictures.layout import in_picture, line_boxes, without_boxes
from skdigits.pictures.normalization import normalize_line

if TYPE_CHECKING:
    from skdigits.typing import Picture

MARGIN = (0.8, 0.35)  # margins around a line: horizontal and vertical, relative to its height


def cut_lines(picture: Picture, *, height: int = 28) -> tuple[list[np.ndarray], np.ndarray]:
    """Find the lines of digits in a picture, and convert each to an image in MNIST's style.

    A picture with at most one line is cleaned as a whole, as in `clean_line`. On a page, each line
    that `find_lines` finds is cropped and cleaned separately.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The picture, as for `clean_picture`.
    height : int, default=28
        Height of the images in pixels.

    Returns
    -------
    images : list of ndarray of shape (height, width), uint8
        Ink up to 255 on a background of 0, in reading order.
    boxes : ndarray of shape (n_lines, 4), int64
        Left, top, right and bottom of each line in pixels of the upright picture.
    """
    grey = to_grey(picture)
    contrast_of = InkContrast(grey)
    found = line_boxes(grey, contrast_of)
    if len(found) < 2:
        lines = [(find_line(grey, contrast_of=contrast_of), 0, 0)]
    else:
        lines = lines_in(found, grey)
        if not all(line is not None and line.is_alone for line, _, _ in lines):
            # Remnants of frames around a line would be read as digits.
            lines = lines_in(found, without_boxes(grey))
    lines = [(line, left, top) for line, left, top in lines if line is not None]
    images = [as_image(line, height) for line, _, _ in lines]
    boxes = [np.array(line.box) + [left, top] * 2 for line, left, top in lines]
    return images, in_picture(np.array(boxes, np.int64).reshape(-1, 4), picture)


def as_image(line: LineInk, height: int = 28) -> np.ndarray:
    """Convert the ink of a line to an image in MNIST's style.

    Parameters
    ----------
    line : LineInk
        The ink.
    height : int, default=28
        Height of the image in pixels.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Ink up to 255 on a background of 0.
    """
    return normalize_line(line.ink, line.digit_height, line.middle, height)


def lines_in(found: np.ndarray, grey: np.ndarray) -> list[tuple[LineInk | None, int, int]]:
    """Find the ink of each line of a page.

    Parameters
    ----------
    found : ndarray of shape (n_lines, 4), int
        Left, top, right and bottom of each line in pixels.
    grey : ndarray of shape (height, width)
        Grey levels of the page.

    Returns
    -------
    list of (LineInk or None, int, int)
        The ink of each line, None if it has none; then left and top of the part that was cleaned.
    """
    lines = []
    for box in found:
        across, down = (round(margin * (box[3] - box[1])) for margin in MARGIN)
        left, top, bottom = max(0, box[0] - across), max(0, box[1] - down), box[3] + down
        part = grey[top:bottom, left : box[2] + across]
        lines.append((find_line(part, cut=(top > 0, bottom < len(grey))), left, top))
    return lines
