"""Free places for labels beside boxes."""

from __future__ import annotations

import numpy as np

# Positions of a label at its box, in order of preference: above, right, below, left. Each position
# is a point of the box and the point of the label that lies on it, relative to width and height.
ALONG, BESIDE = (0, 1, 0.5), (0.5, 0, 1)
POSITIONS = np.array(
    [
        *[[[x, 0], [x, 1]] for x in ALONG],
        *[[[1, y], [0, y]] for y in BESIDE],
        *[[[x, 1], [x, 0]] for x in ALONG],
        *[[[0, y], [1, y]] for y in BESIDE],
    ]
)
SIDE_COST = 0.06  # of each further side; a label that covers only ink costs 1
ALONG_COST = 0.005  # of each further position along a side
SIZE_COST = 0.04  # of each smaller size; a small label is better than one that covers a letter
OUTSIDE_COST = 10.0  # of a place outside the picture; the smallest size inside is better


def place_labels(
    boxes: np.ndarray, extents: np.ndarray, ink: np.ndarray, *, margin: int, stroke: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find a free place for each label at its box: above, on the right, below or on the left.

    Labels are placed one after the other. Each gets the free place with the lowest cost, which
    increases with covered ink, less preferred sides and smaller sizes. Time and memory are linear
    in the number of labels and in the number of pixels.

    Parameters
    ----------
    boxes : ndarray of shape (n, 4), int
        Left, top, right and bottom of each box, in pixels of the picture.
    extents : ndarray of shape (n_sizes, n, 2), int
        Width and height of each label, from the largest size to the smallest.
    ink : ndarray of shape (height, width), bool
        Pixels of the picture that labels should not cover.
    margin : int
        Width of the margin around the picture, in pixels. A label is placed there if no place in
        the picture is free.
    stroke : int
        Width of the outlines, which are inside the boxes and labels. The outlines of a label and
        its box share a side. The distance to other boxes and labels is at least this width.

    Returns
    -------
    places : ndarray of shape (n, 4), int
        Left, top, right and bottom of each label, in pixels of the picture. Labels in the margin
        have coordinates outside the picture.
    sizes : ndarray of shape (n,), int
        Index of the size of each label; -1 if no place is free, even at the smallest size.
    """
    size, position = np.indices((len(extents), len(POSITIONS))).reshape(2, -1)
    side, along = np.divmod(position, len(ALONG))
    places = _candidates(boxes, extents, stroke)
    start, end = places[..., :2], places[..., 2:]
    corner = np.array(ink.shape[::-1])
    is_outside = (start < 0).any(axis=-1) | (end > corner).any(axis=-1)
    costs = _sums(ink, places) / np.prod(end - start, axis=-1) + OUTSIDE_COST * is_outside
    costs += SIZE_COST * size + SIDE_COST * side + ALONG_COST * along
    reserved = places + stroke * np.array([-1, -1, 1, 1])
    is_free = (reserved[..., :2] >= -margin).all(axis=-1)
    is_free &= (reserved[..., 2:] <= corner + margin).all(axis=-1)
    is_free &= _other_boxes(boxes, reserved, ink.shape) == 0
    costs[~is_free] = np.inf
    taken = np.zeros(np.add(ink.shape, 2 * margin), bool)
    chosen = _choose(costs, places + margin, reserved + margin, taken)
    return places[np.arange(len(boxes)), chosen], np.where(chosen < 0, -1, size[chosen])


def _candidates(boxes: np.ndarray, extents: np.ndarray, stroke: int) -> np.ndarray:
    """Return left, top, right, bottom of all places, of shape (n, n_sizes × n_positions, 4)."""
    at_box, at_label = POSITIONS[:, 0], POSITIONS[:, 1]
    corner, size = boxes[:, np.newaxis, :2], (boxes[:, 2:] - boxes[:, :2])[:, np.newaxis]
    extents = extents.swapaxes(0, 1)[:, :, np.newaxis]  # of shape (n, n_sizes, 1, 2)
    side = at_box - at_label  # direction from the box to the label, such as (0, -1) for above
    start = (corner + at_box * size)[:, np.newaxis] - at_label * extents - stroke * side
    start = np.rint(start).astype(np.int64)
    return np.concatenate([start, start + extents], axis=-1).reshape(len(boxes), -1, 4)


def _other_boxes(boxes: np.ndarray, places: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Count the pixels of each place that are in boxes other than the label's own box."""
    boxes = boxes.clip(0, [*shape[::-1]] * 2)
    is_box = np.zeros(shape, bool)
    for left, top, right, bottom in boxes.tolist():
        is_box[top:bottom, left:right] = True
    start = np.maximum(boxes[:, np.newaxis, :2], places[..., :2])
    end = np.minimum(boxes[:, np.newaxis, 2:], places[..., 2:])
    return _sums(is_box, places) - (end - start).clip(0).prod(axis=-1)


def _choose(
    costs: np.ndarray, places: np.ndarray, reserved: np.ndarray, taken: np.ndarray
) -> np.ndarray:
    """Choose, for each label, the cheapest place without an earlier label; -1 if there is none."""
    chosen = np.full(len(costs), -1)
    n_free = np.isfinite(costs).sum(axis=1).tolist()
    for i, order in enumerate(np.argsort(costs, axis=1, kind="stable")):
        for k in order[: n_free[i]].tolist():
            left, top, right, bottom = reserved[i, k].tolist()
            if not taken[top:bottom, left:right].any():
                left, top, right, bottom = places[i, k].tolist()
                taken[top:bottom, left:right] = True
                chosen[i] = k
                break
    return chosen


def _sums(raster: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Count the true pixels of a raster in each box; pixels outside the raster count as false."""
    total = np.zeros(np.add(raster.shape, 1), np.int32)
    np.cumsum(raster, axis=0, dtype=np.int32, out=total[1:, 1:])
    np.cumsum(total, axis=1, out=total)
    left, right = np.moveaxis(np.clip(boxes[..., ::2], 0, raster.shape[1]), -1, 0)
    top, bottom = np.moveaxis(np.clip(boxes[..., 1::2], 0, raster.shape[0]), -1, 0)
    return total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
