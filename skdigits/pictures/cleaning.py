"""Convert a picture of a digit or a line to an image in MNIST's style.

The steps for a digit are in `find_digit`, and those for a line in `find_line`. The first steps for
a page are in ``layout._strokes``.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage

from skdigits.pictures.boxes import remove_boxes
from skdigits.pictures.grey import to_grey
from skdigits.pictures.ink import (
    TINY,
    InkContrast,
    hysteresis_threshold,
    ink_contrast,
    is_writing,
    remove_border_remnants,
    remove_frames,
    strokes,
)
from skdigits.pictures.layout import (
    TALLEST,
    choose_digits,
    digit_boxes,
    find_pieces,
    group_lines,
    join_strokes,
    on_one_level,
)
from skdigits.pictures.normalization import centre, cut_out, normalize_line, scaled
from skdigits.pictures.rules import remove_rules

if TYPE_CHECKING:
    from skdigits.typing import Picture

SEARCH_SIDE = 100  # pixels; smaller side of the reduced picture in which a digit is searched
WIDEST_STROKE = 0.35  # maximum width of a stroke, relative to the picture's smaller side
WIDEST_IN_TINY = 0.6  # the same in a tiny picture, which is cropped close to its digit
WIDEST_IN_LINE = 0.5  # the same in a picture of a line
SMALL = 0.3  # of the picture's smaller side; a smaller digit is searched again at higher resolution
ZOOM_MARGIN = 0.6  # margin of the second search, relative to the size of the digit
SMALLEST_ZOOMED = 96  # pixels; in a smaller picture, there is no second search
GAP = 0.03  # dilation that joins pieces of a stroke, relative to the picture's smaller side
SPECK = 0.02  # minimum area of a stroke, relative to the main stroke; smaller pieces are specks
REACH = 0.15  # maximum distance of other strokes from the main stroke, relative to its size
UNDERLINE = (0.4, 0.98)  # minimum length of rules, relative to the picture's width and height
BESIDE = 3.0  # maximum horizontal distance of a sign from the digits of its line, in digit heights
ABOVE = 0.1  # maximum vertical distance of a sign's centre from the digits, in digit heights
POINT = 0.004  # minimum area of a decimal point, relative to the squared height of a digit
ALONE = 0.9  # a digit with more than this share of all stroke pixels is the only one
ALIKE = 0.75  # minimum height of a digit that is counted, relative to the tallest
APART = 0.06  # minimum gap between two digits, relative to the tallest; a digit's pieces are closer
AT_BORDER = 0.08  # width of the border in which rules may be missed, relative to the smaller side
SEVERAL = (
    "The picture shows several digits; only the largest is kept. "
    "To read all, pass the result of clean_line() to a DigitSequenceRecognizer."
)
SEVERAL_LINES = (
    "The picture shows several lines; only the largest is kept. skdigits.read() reads all of them."
)


class LineInk(NamedTuple):
    """Ink of a line.

    Parameters
    ----------
    ink : ndarray of shape (height, width), float
        Ink from 0 to 1, cropped.
    digit_height : float
        Median height of its digits in pixels.
    middle : float
        Row of the vertical centre of its digits.
    box : tuple of int
        Left, top, right and bottom of the line in the picture.
    is_alone : bool
        True if no frames or rules were removed, and no stroke is near the border of the picture.
    n_lines : int
        Number of lines in the picture; `ink` shows only the largest line.
    """

    ink: np.ndarray
    digit_height: float
    middle: float
    box: tuple[int, int, int, int]
    is_alone: bool
    n_lines: int


def clean_picture(picture: Picture, *, side: int = 28) -> np.ndarray:
    """Convert a picture of one digit to an image in MNIST's style.

    The picture is turned upright and converted to grey levels. Dark or bright ink is found by its
    contrast with the paper around it; the contrast hardly depends on light and shadows. Frames,
    ruled and squared lines, specks and remnants at the border are removed. Then the digit is
    cropped, scaled so that its larger side has 20 of 28 pixels, and centred by its centre of mass,
    like the images of MNIST (LeCun, Cortes and Burges, "The MNIST database of handwritten digits").

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The picture, of any size; one channel is grey, two are grey and alpha, three are RGB, four
        are RGBA. Values are bool, integers of up to 16 bits, or floats in [0, 1] or [0, 255].
    side : int, default=28
        Height and width of the result in pixels.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Ink up to 255 on a background of 0; all zeros if the picture shows no ink.

    Raises
    ------
    ValueError
        If an array has another shape or other values, or a picture cannot be decoded.

    Warns
    -----
    UserWarning
        If the picture shows several digits side by side; the image shows only the largest.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits.pictures import clean_picture
    >>> white_with_a_bar = np.full((40, 60), 255, dtype=np.uint8)
    >>> white_with_a_bar[10:30, 12:16] = 0
    >>> image = clean_picture(white_with_a_bar)
    >>> image[0, 0].item(), image[14, 14].item()  # the corner is black, the centre is bright
    (0, 255)
    """
    image, n_digits = clean_and_count(picture, "digit", side)
    if n_digits > 1:
        warnings.warn(SEVERAL, UserWarning, stacklevel=2)
    return image


def clean_line(picture: Picture, *, height: int = 28) -> np.ndarray:
    """Convert a picture of a line of digits to an image in MNIST's style.

    The steps are those of `clean_picture`, except for the scale. The digits get a median height of
    20 of 28 pixels, or less if the whole line would be taller than 26 pixels. The width of the
    result depends on the line.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The picture, as for `clean_picture`.
    height : int, default=28
        Height of the result in pixels.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Ink up to 255 on a background of 0; all zeros if the picture shows no ink.

    Raises
    ------
    ValueError
        If an array has another shape or other values, or a picture cannot be decoded.

    Warns
    -----
    UserWarning
        If the picture shows several lines; the image shows only the largest.
    """
    image, n_lines = clean_and_count(picture, "line", height)
    if n_lines > 1:
        warnings.warn(SEVERAL_LINES, UserWarning, stacklevel=2)
    return image


def clean_and_count(picture: Picture, output: str, height: int) -> tuple[np.ndarray, int]:
    """Clean a picture as `clean_picture` or `clean_line` does; count its digits or lines.

    The count replaces the warning of these functions.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The picture, as for `clean_picture`.
    output : {"digit", "line"}
        What the picture shows.
    height : int
        Height of the result in pixels; the image of a digit has the same width.

    Returns
    -------
    image : ndarray of shape (height, width), uint8
        The image; all zeros if the picture shows no ink.
    n : int
        Number of digits, or of lines, in the picture; 0 if it shows no ink.
    """
    grey = to_grey(picture)
    if output == "digit":
        ink, n_digits = find_digit(grey)
        if ink is not None:
            return centre(ink, height), n_digits
    elif (line := find_line(grey)) is not None:
        return normalize_line(line.ink, line.digit_height, line.middle, height), line.n_lines
    return np.zeros((height, height), np.uint8), 0


def find_digit(grey: np.ndarray, *, zoomed: bool = False) -> tuple[np.ndarray | None, int]:
    """Find the ink of the digit in a picture.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        Grey levels from 0 to 255.
    zoomed : bool, default=False
        True in the second search, for a small digit.

    Returns
    -------
    ink : ndarray of shape (digit_height, digit_width), float, or None
        Ink from 0 to 1, cropped; None if there is no digit.
    n_digits : int
        Number of digits in the picture.
    """
    reduced = scaled(grey, min(1, SEARCH_SIDE / min(grey.shape)))
    side = min(reduced.shape)
    widest = WIDEST_STROKE if side > TINY else WIDEST_IN_TINY
    contrast = ink_contrast(reduced, max(3, round(widest * side)))
    mask = remove_rules(remove_boxes(strokes(contrast), contrast), contrast)
    mask = remove_border_remnants(remove_frames(mask))
    digit = main_digit(mask)
    if not is_writing(contrast, mask, digit):
        return None, 0
    n_digits = 1 if digit.sum() > ALONE * mask.sum() else count_digits(mask)
    rows, columns = ndimage.find_objects(digit, 1)[0]
    size = max(rows.stop - rows.start, columns.stop - columns.start)
    if not zoomed and size < SMALL * side and min(grey.shape) > SMALLEST_ZOOMED:
        scale, margin = len(grey) / len(reduced), ZOOM_MARGIN * size
        near = tuple(
            slice(int(max(0, part.start - margin) * scale), int((part.stop + margin) * scale))
            for part in (rows, columns)
        )
        return find_digit(grey[near], zoomed=True)[0], n_digits
    return cut_out(contrast, digit), n_digits


def find_line(
    grey: np.ndarray,
    *,
    cut: tuple[bool, bool] = (False, False),
    contrast_of: InkContrast | None = None,
) -> LineInk | None:
    """Find the ink of the line of digits in a picture.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        Grey levels from 0 to 255.
    cut : tuple of bool, default=(False, False)
        Two values: True if the picture was cropped from a page at the top, and True if it was
        cropped at the bottom. Pieces that touch a cropped border do not belong to the line.
    contrast_of : InkContrast, optional
        Contrast of the ink in `grey`; pass it to avoid computing it twice.

    Returns
    -------
    LineInk or None
        The ink; None if there is no line.
    """
    contrast_of = contrast_of or InkContrast(grey)
    contrast = contrast_of(max(5, round(WIDEST_IN_LINE * min(grey.shape))))
    found = strokes(contrast)
    mask = remove_rules(remove_boxes(found, contrast), contrast, length=UNDERLINE)
    is_alone = np.array_equal(mask, found) and not _reaches_border(mask)
    mask = remove_border_remnants(mask)
    line, n_lines = main_line(_without_cut_pieces(mask, *cut))
    if not is_writing(contrast, mask, line, least_part=0):
        return None
    boxes = digit_boxes(line)
    ink = cut_out(contrast, line)
    rows, columns = ndimage.find_objects(line, 1)[0]
    usual = min(np.median(boxes[:, 3] - boxes[:, 1]), len(ink))
    middle = np.median(boxes[:, 1] + boxes[:, 3]) / 2 - rows.start
    box = columns.start, rows.start, columns.stop, rows.stop
    return LineInk(ink, usual, middle, box, is_alone, n_lines)


def _without_cut_pieces(mask: Any, above: Any, below: Any) -> Any:
    """Remove pieces that touch the top or bottom border, if the picture was cropped there."""
    if not (above or below):
        return mask
    at_border = np.zeros_like(mask)
    at_border[0], at_border[-1] = above, below
    return mask & ~hysteresis_threshold(mask, at_border)


def _reaches_border(mask: np.ndarray) -> bool:
    """Check for strokes near the border, which may continue outside the picture."""
    strip = max(2, round(AT_BORDER * min(mask.shape)))
    return bool(np.count_nonzero(mask) > np.count_nonzero(mask[strip:-strip, strip:-strip]))


def main_digit(mask: np.ndarray) -> np.ndarray:
    """Keep the main stroke, which is large and near the centre, and strokes close to it.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes.

    Returns
    -------
    ndarray of shape (height, width), bool
        Pixels of the digit; all False if there are no strokes.
    """
    gap = max(1, round(GAP * min(mask.shape)))
    joined = ndimage.maximum_filter(mask.astype(np.uint8), 2 * gap + 1)
    labels, n = ndimage.label(joined, np.ones((3, 3)))
    if not n:
        return mask
    labels *= mask
    areas = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    boxes = np.array(
        [(y.start, x.start, y.stop, x.stop) for y, x in ndimage.find_objects(labels, n)]
    )
    middle = np.array(mask.shape) / 2
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    main = np.argmax(areas * (1.2 - (np.abs(centres - middle) / middle).max(axis=1)))
    low, high = boxes[main, :2], boxes[main, 2:]
    distance = np.maximum(boxes[:, :2] - high, low - boxes[:, 2:]).max(axis=1)
    share = areas / areas[main]
    near = distance <= REACH * (high - low).max() * np.minimum(1, 0.3 + 3 * share)
    return np.concatenate([[False], near & (share >= SPECK)])[labels]


def main_line(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Keep the digits of the largest line, and the signs between and beside them.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes.

    Returns
    -------
    line : ndarray of shape (height, width), bool
        Pixels of the line; all False if there is no line.
    n_lines : int
        Number of lines whose digits are nearly as tall as those of the largest line.
    """
    labels, pieces, areas = find_pieces(mask)
    boxes = choose_digits(pieces, areas, mask.shape)
    groups = [boxes[line] for line in group_lines(boxes)]
    if not groups:
        return np.zeros_like(mask), 0
    line, others = _whole_line(groups)
    usual = np.median(line[:, 3] - line[:, 1])
    low = line[:, :2].min(axis=0) - usual * np.array([BESIDE, ABOVE])
    high = line[:, 2:].max(axis=0) + usual * np.array([BESIDE, ABOVE])
    middles = (pieces[:, :2] + pieces[:, 2:]) / 2
    kept = ((low <= middles) & (middles <= high)).all(axis=1) & (areas > POINT * usual**2)
    kept &= pieces[:, 3] - pieces[:, 1] <= TALLEST * usual
    n_others = sum(np.ptp(group[:, [1, 3]], axis=1).max() >= ALIKE * usual for group in others)
    return np.concatenate([[False], kept])[labels], 1 + n_others


def _whole_line(groups: Any) -> Any:
    """Join the largest group of digits with all groups on its line; return the other groups too."""
    line = max(groups, key=lambda boxes: np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).sum())
    others = [group for group in groups if group is not line]
    others.sort(key=lambda group: max(group[0, 0] - line[-1, 2], line[0, 0] - group[-1, 2]))
    elsewhere = []
    for group in others:  # the nearest first, since the line may be tilted
        if group[0, 0] >= line[-1, 2] and on_one_level(line[-1], group[0]):
            line = np.concatenate([line, group])
        elif group[-1, 2] <= line[0, 0] and on_one_level(group[-1], line[0]):
            line = np.concatenate([group, line])
        else:
            elsewhere.append(group)
    return line, elsewhere


def count_digits(mask: np.ndarray) -> int:
    """Count the digits side by side in the largest line of a picture.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes.

    Returns
    -------
    int
        Number of digits; small strokes are not counted, and strokes close to each other are
        counted as one digit.
    """
    boxes = digit_boxes(mask)
    lines = group_lines(boxes)
    if min(mask.shape) <= TINY or not lines:
        return 1
    digits = np.array(join_strokes(boxes[max(lines, key=len)]))
    heights = digits[:, 3] - digits[:, 1]
    digits = digits[heights >= ALIKE * heights.max()]
    gaps = digits[1:, 0] - digits[:-1, 2]
    return 1 + int((gaps >= APART * heights.max()).sum())
