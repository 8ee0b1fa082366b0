"""Find lines and digits on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from scipy import ndimage

from skdigits.pictures.boxes import remove_boxes
from skdigits.pictures.grey import LONGEST, ORIENTATION, to_grey
from skdigits.pictures.ink import TINY, InkContrast, ink_contrast, remove_border_remnants, strokes
from skdigits.pictures.rules import remove_rules

if TYPE_CHECKING:
    from skdigits.typing import Picture

WIDEST_STROKE = 0.2  # maximum width of a stroke, relative to the page's smaller side
WIDEST_IN_DIGIT = 0.5  # the same, relative to the height of the digits
RULE = (0.5, 0.5)  # minimum length of rules, relative to the page's width and height
LARGEST = 0.9  # of the page's width and height; larger pieces are frames
SMALLEST = 0.45  # minimum height of a digit, relative to the median; signs and specks are lower
TALLEST = 2.5  # maximum height of a digit, relative to the median
WORD_GAP = 1.5  # maximum gap between digits of a line, in median heights of a digit
TALL = 1.3  # a piece that is taller than others by this factor may be a bracket beside two lines
THIN = 0.35  # maximum width of a bracket, a brace or a rule, relative to its height
BLOCK = 256  # digits that are compared with the others at once
OVERLAP = 0.4  # minimum vertical overlap of neighbours in a line, relative to the smaller height
EDGE = 2  # pixels beside a stroke that are still darker than the paper
LEAST_PIXELS = 8  # pixels; minimum height of a digit
DISTINCT = 20  # pixels; the boxes of smaller digits are found at full resolution
LEAST_SLOPE = 0.01  # rows per column, about half a degree; smaller slopes are ignored
LEAST_SPAN = 4  # minimum length of a line whose slope is measured, in heights of a digit


def find_lines(picture: Picture) -> np.ndarray:
    """Find the lines of digits on a page, a form or a score sheet.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The page, as for `clean_picture`; it may be rotated by a few degrees.

    Returns
    -------
    ndarray of shape (n_lines, 4), int64
        Bounding box of each line in pixels of the upright picture: left, top, right and bottom,
        where right and bottom are exclusive. The lines are sorted from top to bottom, and from left
        to right within a row.
    """
    return in_picture(line_boxes(to_grey(picture)), picture)


def line_boxes(grey: np.ndarray, contrast_of: InkContrast | None = None) -> np.ndarray:
    """Find the lines of digits in grey levels.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        Grey levels of a page from 0 to 255.
    contrast_of : InkContrast, optional
        Contrast of the ink in `grey`; pass it to avoid computing it twice.

    Returns
    -------
    ndarray of shape (n_lines, 4), int64
        As for `find_lines`, in pixels of `grey`.
    """
    boxes = _page_boxes(grey, contrast_of)
    return _as_array([_union(boxes[line]) for line in group_lines(boxes)])


def find_digits(picture: Picture) -> np.ndarray:
    """Find the digits on a page, a form or a score sheet.

    Digits that touch each other have one common box.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The page, as for `find_lines`.

    Returns
    -------
    ndarray of shape (n_digits, 4), int64
        Bounding box of each digit in reading order; the columns are those of `find_lines`.
    """
    boxes = _page_boxes(to_grey(picture))
    joined = [box for line in group_lines(boxes) for box in join_strokes(boxes[line])]
    return in_picture(_as_array(joined), picture)


def straighten(picture: Picture) -> np.ndarray:
    """Rotate a page so that its lines are horizontal.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The page, as for `find_lines`.

    Returns
    -------
    ndarray of shape (height, width), uint8
        The page in grey levels. It is not rotated if no line is long enough to estimate the slope.
    """
    grey = to_grey(picture)
    boxes = _page_boxes(grey)
    slope = line_slope(boxes, group_lines(boxes))
    return np.rint(turn(grey, slope)).astype(np.uint8)


def in_picture(boxes: np.ndarray, picture: Any, longest: int = LONGEST) -> np.ndarray:
    """Convert boxes from pixels of the grey image to pixels of the original picture.

    Parameters
    ----------
    boxes : ndarray of shape (n, 4), int64
        Left, top, right and bottom in the result of `to_grey`.
    picture : PIL.Image.Image or array-like of shape (height, width, …)
        The picture.
    longest : int, default=1600
        As it was passed to `to_grey`.

    Returns
    -------
    ndarray of shape (n, 4), int64
        Left, top, right and bottom in the upright picture.
    """
    if hasattr(picture, "getexif"):
        turned = picture.getexif().get(ORIENTATION, 1) >= 5  # width and height are exchanged
        size = picture.size[::-1] if turned else picture.size
    else:
        size = np.shape(picture)[1::-1]
    return np.minimum(boxes * -(-max(size) // longest), [*size, *size])


def _page_boxes(grey: np.ndarray, contrast_of: InkContrast | None = None) -> np.ndarray:
    """Find the boxes of digits, in two searches if necessary.

    The median height of the digits from the first search sets the maximum width of strokes and the
    resolution of the second search.
    """
    contrast_of = contrast_of or InkContrast(grey)
    widest, boxes = WIDEST_STROKE * min(grey.shape), _as_array([])
    if min(grey.shape) > 2 * TINY:
        page, factor = InkContrast(np.asarray(Image.fromarray(grey).reduce(2))), 2
        boxes = digit_boxes(_strokes(page, widest / 2), least=LEAST_PIXELS // 2)
    if not len(boxes):
        page, factor = contrast_of, 1
        boxes = digit_boxes(_strokes(page, widest))
    if not len(boxes):
        return boxes
    height = np.median(boxes[:, 3] - boxes[:, 1])
    closer = WIDEST_IN_DIGIT * height * factor
    if height < DISTINCT and factor > 1:
        return digit_boxes(_strokes(contrast_of, min(widest, closer)))
    if closer < widest:
        boxes = digit_boxes(_strokes(page, closer / factor))
    return np.minimum(boxes * factor, grey.shape[::-1] * 2)


def without_boxes(grey: np.ndarray) -> np.ndarray:
    """Inpaint frames and cells, so that crops of single lines contain no remnants of them.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        Grey levels from 0 to 255.

    Returns
    -------
    ndarray of shape (height, width), float
        The page; each pixel of a frame or cell has the value of the nearest pixel outside them.
    """
    contrast = ink_contrast(grey, max(9, round(WIDEST_STROKE * min(grey.shape))))
    mask = strokes(contrast)
    boxes = ndimage.binary_dilation(mask & ~remove_boxes(mask, contrast), iterations=EDGE)
    if not boxes.any():
        return grey
    nearest = ndimage.distance_transform_edt(boxes, return_distances=False, return_indices=True)
    return grey[tuple(nearest)]


def _strokes(contrast_of: InkContrast, widest: float) -> np.ndarray:
    contrast = contrast_of(max(9, round(widest)))
    mask = remove_rules(remove_boxes(strokes(contrast), contrast), contrast, length=RULE)
    return remove_border_remnants(mask)


def digit_boxes(mask: np.ndarray, *, least: int = LEAST_PIXELS) -> np.ndarray:
    """Find the strokes that are as tall as a digit.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes.
    least : int, default=8
        Minimum height in pixels.

    Returns
    -------
    ndarray of shape (n, 4), int64
        Bounding boxes: left, top, right and bottom.
    """
    _, boxes, areas = find_pieces(mask)
    return choose_digits(boxes, areas, mask.shape, least=least)


def find_pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the 8-connected components of a mask.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes.

    Returns
    -------
    labels : ndarray of shape (height, width), int
        Number of the piece of each pixel, from 1; 0 outside strokes.
    boxes : ndarray of shape (n, 4), int64
        Bounding boxes: left, top, right and bottom.
    areas : ndarray of shape (n,), int64
        Number of pixels of each piece.
    """
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    boxes = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(labels, n)]
    return labels, _as_array(boxes), np.bincount(labels.ravel(), minlength=n + 1)[1:]


def choose_digits(
    boxes: np.ndarray, areas: np.ndarray, shape: tuple[int, ...], *, least: int = LEAST_PIXELS
) -> np.ndarray:
    """Choose the pieces that are as tall as a digit.

    Parameters
    ----------
    boxes, areas
        Pieces, as `find_pieces` returns them.
    shape : tuple of int
        Height and width of the picture.
    least : int, default=8
        Minimum height in pixels.

    Returns
    -------
    ndarray of shape (n_digits, 4), int64
        The boxes of these pieces.
    """
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    solid = (heights < LARGEST * shape[0]) | (widths < LARGEST * shape[1])
    solid &= heights >= least
    if not solid.any():
        return boxes[:0]
    usual = _weighted_median(heights[solid], areas[solid])
    return boxes[solid & (heights >= SMALLEST * usual) & (heights <= TALLEST * usual)]


def group_lines(boxes: np.ndarray) -> list[np.ndarray]:
    """Group digits into lines: neighbours that overlap vertically and are near each other.

    A tall piece beside two lines does not join them. If it is thin, it is a bracket, a brace or a
    rule, and belongs to no line.

    Parameters
    ----------
    boxes : ndarray of shape (n, 4)
        Bounding boxes of digits.

    Returns
    -------
    list of ndarray of int
        Indices of the digits of each line from left to right; the lines in reading order.
    """
    if not len(boxes):
        return []
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    taller, other = _neighbours(boxes)
    is_shorter = height[other] < height[taller] / TALL
    joins_lines = _joins_lines(boxes, taller[is_shorter], other[is_shorter])
    kept = ~(joins_lines[taller] & is_shorter)
    group = _connected(len(boxes), taller[kept], other[kept])
    n = 1 + group.max()
    group[joins_lines & (width < THIN * height)] = n
    order = np.lexsort([boxes[:, 0], group])
    lines = np.split(order, np.searchsorted(group[order], np.arange(1, n + 1)))[:n]
    return _in_reading_order([line for line in lines if len(line)], boxes)


def _connected(n: int, ends: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Number the connected components of a graph, in the order of their first nodes.

    In each round, a node takes the lowest number k among its neighbours, and then the number of
    node k (pointer jumping). For a few digits, SciPy's sparse graphs take several times as long.
    """
    first = np.arange(n)
    while True:
        lower = first.copy()
        np.minimum.at(lower, ends, first[others])
        np.minimum.at(lower, others, first[ends])
        lower = lower[lower]
        if np.array_equal(lower, first):
            return np.unique(first, return_inverse=True)[1]
        first = lower


def _neighbours(boxes: Any) -> Any:
    """Find pairs of neighbouring digits that overlap vertically, the taller digit of a pair first.

    Digits are compared in blocks from left to right, so that memory is proportional to the number
    of pairs, not to the squared number of digits.
    """
    left, top, right, bottom = boxes.T
    height = bottom - top
    reach = WORD_GAP * np.median(height)
    order = np.argsort(left, kind="stable")
    pairs = []
    for start in range(0, len(boxes), BLOCK):
        i = order[start : start + BLOCK, np.newaxis]
        stop = np.searchsorted(left[order], right[i].max() + reach, side="right")
        j = order[start:stop]
        gap = np.maximum(left[i], left[j]) - np.minimum(right[i], right[j])
        same = on_one_level(boxes[i], boxes[j]) & (gap <= reach)
        at, other = np.nonzero(same)
        pairs.append((i[at, 0], j[other]))
    one, another = (np.concatenate(part) for part in zip(*pairs, strict=True))
    is_taller = height[one] >= height[another]
    return np.where(is_taller, one, another), np.where(is_taller, another, one)


def on_one_level(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Check which digits overlap vertically, as neighbours in a line do.

    Parameters
    ----------
    boxes, others : ndarray of shape (…, 4)
        Bounding boxes; the shapes are broadcast.

    Returns
    -------
    ndarray of shape (…), bool
        True for boxes that overlap enough.
    """
    top, bottom = boxes[..., 1], boxes[..., 3]
    other_top, other_bottom = others[..., 1], others[..., 3]
    overlap = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    return overlap >= OVERLAP * np.minimum(bottom - top, other_bottom - other_top)


def _joins_lines(boxes: Any, tall: Any, shorter: Any) -> Any:
    """Find tall pieces that span two shorter neighbours in different lines."""
    top, bottom = boxes[:, 1], boxes[:, 3]
    height = bottom - top
    lowest_top, highest_bottom = np.full(len(boxes), -np.inf), np.full(len(boxes), np.inf)
    least_height = np.full(len(boxes), np.inf)
    np.maximum.at(lowest_top, tall, top[shorter])
    np.minimum.at(highest_bottom, tall, bottom[shorter])
    np.minimum.at(least_height, tall, height[shorter])
    are_apart = highest_bottom - lowest_top < OVERLAP * least_height
    return are_apart & (height > TALL * np.median(height))


def _in_reading_order(lines: list[np.ndarray], boxes: np.ndarray) -> list[np.ndarray]:
    """Sort lines from top to bottom, and from left to right within a row."""
    middle = [np.mean(boxes[line][:, [1, 3]]) for line in lines]
    height = [np.median(boxes[line, 3] - boxes[line, 1]) for line in lines]
    levels: list[list[int]] = []
    for i in np.argsort(middle):
        if levels and middle[i] - middle[levels[-1][0]] < height[i] / 2:
            levels[-1].append(i)
        else:
            levels.append([i])
    return [
        lines[i] for level in levels for i in sorted(level, key=lambda i: boxes[lines[i][0], 0])
    ]


def join_strokes(boxes: np.ndarray) -> list[np.ndarray]:
    """Join strokes of one digit, which overlap by at least half the width of the narrower one.

    Parameters
    ----------
    boxes : ndarray of shape (n, 4)
        Bounding boxes of the strokes of a line, from left to right.

    Returns
    -------
    list of ndarray of shape (4,)
        Bounding boxes of digits.
    """
    joined: list[Any] = []
    for box in boxes:
        last = joined[-1] if joined else None
        if last is not None:
            common = min(last[2], box[2]) - max(last[0], box[0])
            if common >= min(last[2] - last[0], box[2] - box[0]) / 2:
                joined[-1] = _union(np.stack([last, box]))
                continue
        joined.append(box)
    return joined


def line_slope(boxes: np.ndarray, lines: list[np.ndarray]) -> float:
    """Estimate the slope of a page: the median slope of its long lines, weighted by their lengths.

    Parameters
    ----------
    boxes : ndarray of shape (n, 4)
        Bounding boxes of digits.
    lines : list of ndarray of int
        Indices of the digits of each line.

    Returns
    -------
    float
        Rows per column; positive if the lines fall to the right, 0.0 if it is small or unknown.
    """
    slopes, spans = [], []
    for line in lines:
        x = boxes[line][:, [0, 2]].mean(axis=1)
        y = boxes[line][:, [1, 3]].mean(axis=1)
        if len(line) > 2 and np.ptp(x) >= LEAST_SPAN * np.median(boxes[line, 3] - boxes[line, 1]):
            slopes.append(np.polyfit(x, y, 1)[0])
            spans.append(np.ptp(x))
    slope = _weighted_median(np.array(slopes), np.array(spans)) if slopes else 0.0
    return float(slope) if abs(slope) >= LEAST_SLOPE else 0.0


def turn(grey: np.ndarray, slope: float) -> np.ndarray:
    """Rotate a picture so that its lines are horizontal; new pixels get the values of the border.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        The picture.
    slope : float
        Slope of its lines, as `line_slope` returns it.

    Returns
    -------
    ndarray of shape (height, width), float
        The rotated picture.
    """
    if not slope:
        return grey
    angle = np.degrees(np.arctan(slope))
    return ndimage.rotate(grey, angle, reshape=False, order=1, mode="nearest")


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return values[order][np.searchsorted(total, total[-1] / 2)]


def _union(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _as_array(boxes: Sequence[Any]) -> np.ndarray:
    return np.array(boxes, np.int64).reshape(-1, 4)
