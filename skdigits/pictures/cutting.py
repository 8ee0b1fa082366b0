"""Cut the lines of digits out of a picture, and clean each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skdigits.pictures.cleaning import LineInk, find_line, level
from skdigits.pictures.grey import to_grey
from skdigits.pictures.layout import in_picture, line_boxes, without_boxes

if TYPE_CHECKING:
    from skdigits.typing import Picture

MARGIN = (0.8, 0.35)  # heights of a line: what is cut out beside it, and above and below


def cut_lines(picture: Picture, *, height: int = 28) -> tuple[list[np.ndarray], np.ndarray]:
    """Find the lines of digits in a picture, and convert each to an image in MNIST's style.

    A picture with one line is cleaned as a whole, as `clean_line` does it; of a page, each line
    that `find_lines` finds is cleaned by itself.

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
    places = line_boxes(grey)
    if len(places) < 2:
        lines = [(find_line(grey), 0, 0)]
    else:
        lines = _lines_at(places, grey)
        if not all(line is not None and line.is_alone for line, _, _ in lines):
            # Rests of frames that reach beyond a line would be read as digits.
            lines = _lines_at(places, without_boxes(grey))
    lines = [(line, left, top) for line, left, top in lines if line is not None]
    images = [level(line.ink, line.digit_height, line.middle, height) for line, _, _ in lines]
    boxes = [np.array(line.box) + [left, top] * 2 for line, left, top in lines]
    return images, in_picture(np.array(boxes, np.int64).reshape(-1, 4), picture)


def _lines_at(places: np.ndarray, grey: np.ndarray) -> list[tuple[LineInk | None, int, int]]:
    """The ink of each line of a page, and where its part of the page begins."""
    lines = []
    for place in places:
        across, down = (round(margin * (place[3] - place[1])) for margin in MARGIN)
        left, top, bottom = max(0, place[0] - across), max(0, place[1] - down), place[3] + down
        part = grey[top:bottom, left : place[2] + across]
        lines.append((find_line(part, cut=(top > 0, bottom < len(grey))), left, top))
    return lines
