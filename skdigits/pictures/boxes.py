"""Remove the frames, cells, combs and rings that are printed around digits."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from skdigits.pictures.rules import SEEN, SLOPES, SMALLEST, STEEPEST, Rule, erase_rule, find_rules

SMALLEST_BOX = 12  # pixels; minimum height and width
TILTS = SLOPES[::2]
STRAIGHT = 0.03  # tolerance for straight sides, relative to the size of the box
IN_BOX = 0.25  # minimum height of a digit in a box, relative to the box
IN_RING = 0.4  # minimum total height of the digits in a ring, relative to the ring; dots are lower
THICKEST_OF_BOX = 0.15  # maximum thickness of a rule, relative to the box's smaller side
THROUGH = 0.65  # minimum length of a horizontal rule, relative to the width of the box
BETWEEN = 0.72  # minimum length of a vertical rule, relative to the gap between horizontal rules
AT_END = 0.3  # maximum distance of outer vertical rules from a box's ends, relative to the same gap
ALIKE = 2.2  # maximum thickness of a rule or tick, relative to the thinnest rule of the box
SOFT = 2  # pixels by which the thickness of equal rules differs after downscaling
TICK = 1.3  # maximum height of a tick, relative to the taller outer tick of the comb
MARGIN = 8  # pixels of padding around a box


def remove_boxes(mask: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Remove frames, cells, combs and rings around digits; strokes that touch rules are kept.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes and frames.
    contrast : ndarray of shape (height, width), float
        Contrast of each pixel with the paper.

    Returns
    -------
    ndarray of shape (height, width), bool
        The mask without rings and without the straight lines of boxes. A box or ring is kept if no
        piece inside it is as tall as a digit, because the box may be an angular 0 or 8.
    """
    result = mask.copy()
    if max(mask.shape) < SMALLEST:
        return result
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    for piece, box in enumerate(ndimage.find_objects(labels), start=1):
        frame = labels[box] == piece
        if min(frame.shape) < SMALLEST_BOX:
            continue
        others = mask[box] & ~frame
        if _has_straight_sides(frame):
            rest = _without_rules(frame, contrast[box])
            if _digit_heights(others | rest) > 0:
                result[box][frame & ~rest] = False
        elif others.any():
            inside = others & _filled(frame)
            if inside.any() and _digit_heights(inside) >= IN_RING:
                result[box][frame] = False
    return result


def _filled(piece: np.ndarray) -> np.ndarray:
    """Fill the holes of a piece."""
    labels, n = ndimage.label(~piece)
    is_outside = np.zeros(n + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        is_outside[edge] = True
    is_outside[0] = False  # the piece itself
    return ~is_outside[labels]


def _has_straight_sides(piece: np.ndarray) -> bool:
    """Check that most of a piece's outline is straight on each of its four sides."""
    views = piece, piece[::-1], piece.T, piece.T[::-1]
    return all(_is_straight(view.argmax(axis=0)[view.any(axis=0)], len(view)) for view in views)


def _is_straight(profile: np.ndarray, height: int) -> bool:
    """Check that most values of a profile are near one straight line."""
    levels = profile - TILTS[:, np.newaxis] * (np.arange(len(profile)) - len(profile) / 2)
    bins = np.rint((levels - levels.min()) / max(1.5, STRAIGHT * height)).astype(int)
    n_bins = bins.max() + 2  # the last bin of each tilt is empty and separates it from the next
    bins += n_bins * np.arange(len(TILTS))[:, np.newaxis]
    counts = np.bincount(bins.ravel())
    return (counts[1:] + counts[:-1]).max() >= SEEN * len(profile)


def _digit_heights(inside: np.ndarray) -> float:
    """Return the total height of the pieces that are as tall as digits, relative to the box."""
    labels, _ = ndimage.label(inside, np.ones((3, 3)))
    heights = np.array([rows.stop - rows.start for rows, _ in ndimage.find_objects(labels)])
    return heights[heights >= IN_BOX * len(inside)].sum() / len(inside)


def _without_rules(frame: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Remove the rules of a box; return a copy without changes if `frame` is not a box."""
    scale = -(-SMALLEST // min(frame.shape))
    rest, contrast = (
        np.pad(array.repeat(scale, 0).repeat(scale, 1), MARGIN) for array in (frame, contrast)
    )
    least = THROUGH * scale * frame.shape[1] / rest.shape[1]
    across = find_rules(rest, least, thickest=THICKEST_OF_BOX, families=1)
    if len(across) == 1:
        _erase_comb(rest, contrast, *across[0])
    else:
        _erase_frame(rest, contrast, across, scale)
    return rest[MARGIN:-MARGIN:scale, MARGIN:-MARGIN:scale]


def _erase_frame(mask: np.ndarray, contrast: np.ndarray, across: list[Rule], scale: int) -> None:
    """Erase the rules of a box in place, if it has a vertical rule at each end."""
    distance = np.ptp(_levels(across))
    if distance < SMALLEST_BOX:
        return
    thinnest = min(thickness for _, thickness in across)
    without = mask.copy()
    thickest = max(ALIKE * thinnest, thinnest + SOFT * scale)
    _erase_rules(without, contrast, across, thickest)
    height, width = mask.shape
    # A vertical stroke between two horizontal rules may be a digit that touches them.
    least = BETWEEN * distance / height
    upright = find_rules(without.T, least, thickest=THICKEST_OF_BOX, families=1)
    ends = np.array([_levels(upright).min(), width - _levels(upright).max()])
    if (ends <= MARGIN + AT_END * distance).all():
        _erase_rules(without.T, contrast.T, upright, thickest)
        mask[:] = without


def _erase_comb(
    mask: np.ndarray, contrast: np.ndarray, centres: np.ndarray, thickness: float
) -> None:
    """Erase a comb in place: a horizontal rule with ticks on it, and with a tick at each end."""
    ends = np.flatnonzero(mask.any(axis=0))[[0, -1]]
    without = mask.copy()
    erase_rule(without, mask.copy(), contrast, centres, thickness)
    labels, _ = ndimage.label(without, np.ones((3, 3)))
    ticks = []
    for tick, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        on_rule = abs(rows.stop - centres[columns.start]) <= 2 * thickness + 2
        if on_rule and width <= ALIKE * thickness + STEEPEST * height and height > width:
            ticks.append((columns.start, columns.stop, height, tick))
    if not ticks:
        return
    starts, stops, heights, numbers = np.array(ticks).T
    if min(starts) - ends[0] > 2 * thickness or ends[1] - max(stops) > 2 * thickness:
        return
    usual = max(heights[starts.argmin()], heights[stops.argmax()])
    mask[:] = without & ~np.isin(labels, numbers[heights <= TICK * usual])


def _levels(rules: list[Rule]) -> np.ndarray:
    """Return the median row of each rule, or a single 0 if there are no rules."""
    return np.array([np.median(centres) for centres, _ in rules] or [0])


def _erase_rules(
    mask: np.ndarray, contrast: np.ndarray, rules: list[Rule], thickest: float
) -> None:
    """Erase rules of at most `thickest` pixels; thicker lines are strokes of digits."""
    strokes = mask.copy()
    for centres, thickness in rules:
        if thickness <= thickest:
            erase_rule(mask, strokes, contrast, centres, thickness, around=round(thickness / 2))
