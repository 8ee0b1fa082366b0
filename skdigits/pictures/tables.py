"""Find the rows and columns of the numbers on a page."""

from __future__ import annotations

import bisect

import numpy as np

TILTS = np.linspace(-0.06, 0.06, 97)  # slopes of rows that are tried: up to 3.4 degrees
TILT_COST = 1.0  # cost of the largest tilt, in number heights: one pair of numbers tilts no page
APART = 0.6  # minimum vertical distance of numbers in different rows, relative to their mean height
SAME_COLUMN = 0.25  # minimum overlap of a number with its column, relative to the smaller width
WHOLE_COLUMN = 0.75  # overlap, relative to the smaller width, that counts like a complete overlap


def find_rows(boxes: np.ndarray) -> np.ndarray:
    """Find the row of each number.

    The tilt of the page is corrected first. Then, from left to right, each number is added to the
    row whose last numbers are about as high on the page, so that rows can be curved. Memory is
    proportional to n, time to n log n.

    Parameters
    ----------
    boxes : array-like of shape (n, 4)
        Left, top, right and bottom of each number, in pixels. The page can be rotated by up to 3
        degrees.

    Returns
    -------
    ndarray of shape (n,), int64
        Row of each number, from 0 at the top.
    """
    return _rows(_upright(boxes))


def find_cells(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the row and the column of each number in a table.

    Columns are separated where more rows have a gap than a number. Therefore numbers can be aligned
    on either side, cells can be empty, and a number can be as wide as two columns. Memory is
    proportional to n, time to n log n.

    Parameters
    ----------
    boxes : array-like of shape (n, 4)
        As for `find_rows`.

    Returns
    -------
    rows, columns : ndarray of shape (n,), int64
        Row and column of each number, counted from 0 at the top and on the left. No row or column
        is empty; a cell can have several numbers.
    """
    boxes = _upright(boxes)
    rows = _rows(boxes)
    left, right = boxes[:, 0], boxes[:, 2]
    starts, ends = _columns(left, right, rows)
    columns = _best_overlap(left, right, starts, ends)
    others = np.flatnonzero(columns < 0)  # in columns with more empty cells than numbers
    if len(others):
        more_starts, more_ends = _unions(left[others], right[others])
        columns[others] = len(starts) + np.searchsorted(more_starts, left[others], "right") - 1
        starts = np.append(starts, more_starts)
        ends = np.append(ends, more_ends)
    rank = np.argsort(np.argsort(starts + ends, kind="stable"))
    return rows, np.unique(rank[columns], return_inverse=True)[1]


def _upright(boxes: np.ndarray) -> np.ndarray:
    """Rotate the boxes of a tilted page about the origin, without changing their sizes."""
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    if not len(boxes):
        return boxes
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    tilt = _tilt(centres, np.median(boxes[:, 3] - boxes[:, 1]))
    shift = tilt * centres[:, ::-1] * [1, -1]
    return boxes + np.concatenate([shift, shift], axis=1)


def _tilt(centres: np.ndarray, height: float) -> float:
    """Estimate the slope of rows: the slope at which most numbers are on equal levels."""
    levels = np.sort(centres[:, 1] - TILTS[:, np.newaxis] * centres[:, 0], axis=1)
    distances = np.minimum(np.diff(levels, axis=1), APART * height).sum(axis=1)
    costs = distances + TILT_COST * height * abs(TILTS) / TILTS.max()
    return float(TILTS[costs.argmin()])


def _rows(boxes: np.ndarray) -> np.ndarray:
    left, top, right, bottom = boxes.T
    middle, height = (top + bottom) / 2, bottom - top
    levels: list[float] = []  # of the rows at the current column, from the top
    members: list[list[int]] = []
    for i in np.argsort(left + right, kind="stable").tolist():
        level = float(middle[i])
        below = bisect.bisect(levels, level)
        near = [row for row in (below - 1, below) if 0 <= row < len(levels)]
        row = min(near, key=lambda row: abs(level - levels[row]), default=-1)
        apart = APART * (height[i] + height[members[row][-1]]) / 2 if near else 0
        if near and abs(level - levels[row]) < apart:
            levels[row] = (levels[row] + level) / 2  # a moving average follows a curved row
            members[row].append(i)
        else:
            levels.insert(below, level)
            members.insert(below, [i])
    rows = np.empty(len(boxes), np.int64)
    for number, row_members in enumerate(members):
        rows[row_members] = number
    return rows


def _columns(
    left: np.ndarray, right: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and ends of columns: where more rows have a number than a gap."""
    edges = np.unique([left, right])
    order = np.lexsort([left, rows])
    is_pair = np.diff(rows[order]) == 0
    gap_start, gap_end = right[order][:-1][is_pair], left[order][1:][is_pair]
    is_gap = gap_start < gap_end

    def coverage(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        changes = np.zeros(len(edges), np.int64)
        np.add.at(changes, np.searchsorted(edges, starts), 1)
        np.add.at(changes, np.searchsorted(edges, ends), -1)
        return changes.cumsum()

    is_column = coverage(left, right) > coverage(gap_start[is_gap], gap_end[is_gap])
    changes = np.diff(is_column.astype(np.int8), prepend=0)
    return edges[changes == 1], edges[changes == -1]


def _best_overlap(
    left: np.ndarray, right: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Return the column that each number overlaps most; -1 if all its overlaps are too small."""
    first = np.searchsorted(ends, left, "right")
    n_columns = np.searchsorted(starts, right) - first
    best, overlap = np.full(len(left), -1), np.full(len(left), SAME_COLUMN)
    for step in range(n_columns.max(initial=0)):
        i = np.flatnonzero(n_columns > step)
        column = first[i] + step
        common = np.minimum(right[i], ends[column]) - np.maximum(left[i], starts[column])
        common /= np.minimum(right[i] - left[i], ends[column] - starts[column])
        common = np.minimum(common, WHOLE_COLUMN)
        i, column, common = (part[common > overlap[i]] for part in (i, column, common))
        best[i], overlap[i] = column, common
    return best


def _unions(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join overlapping intervals; return the starts and ends, from left to right."""
    order = np.argsort(left)
    left, reached = left[order], np.maximum.accumulate(right[order])
    is_start = np.append(True, left[1:] >= reached[:-1])
    return left[is_start], reached[np.append(is_start[1:], True)]
