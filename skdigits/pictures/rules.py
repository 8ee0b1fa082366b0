"""Find and remove rules: the lines of ruled and squared paper, and underlines."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy import ndimage

from skdigits.pictures.morphology import opening

Rule: TypeAlias = tuple[np.ndarray, float]  # row of its centre in each column, and thickness

THICKEST = 0.06  # maximum thickness of a rule, relative to the picture's smaller side
SMALLEST = 60  # pixels; in smaller pictures, strokes and rules look alike
LONG = 0.5  # of the picture's width or height; shorter rules must be unbroken
UNBROKEN = 0.98  # minimum share of an unbroken rule's columns that have ink
SEEN = 0.6  # minimum share of a rule's columns that have ink; elsewhere it is hidden or too faint
STEEPEST = 0.1  # maximum slope of a rule: six degrees
SLOPES = np.linspace(-STEEPEST, STEEPEST, 21)
SHORTEST = 0.3  # minimum length of a rule that cuts off a corner, relative to the picture's width
FAMILIES = 2  # maximum number of sets of parallel rules, such as paper and frame
FAINTER = 0.7  # minimum contrast of a rule, relative to the faintest pixel of a stroke
BLOCK = 2**16  # pixels times slopes that are counted at once
BRIGHTER = 1.5  # minimum contrast of ink on a rule, relative to the rule


def remove_rules(
    mask: np.ndarray, contrast: np.ndarray, *, length: tuple[float, float] = (0.75, 0.75)
) -> np.ndarray:
    """Remove long thin straight lines, and keep the strokes that cross them.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes and rules.
    contrast : ndarray of shape (height, width), float
        Contrast of each pixel with the paper.
    length : tuple of float, default=(0.75, 0.75)
        Minimum length of a horizontal rule relative to the width of the picture, and of a vertical
        rule relative to its height.

    Returns
    -------
    ndarray of shape (height, width), bool
        The mask without rules; a single vertical line is kept if nothing else is left, since it may
        be a 1.
    """
    if not mask.any():
        return mask
    result = mask.copy()
    faint = contrast > FAINTER * contrast[mask].min()
    views = (result, faint, contrast), (result.T, faint.T, contrast.T)
    found = []
    for (view, seen, values), shortest in zip(views, length, strict=True):
        strokes = view.copy()  # without the rules of the other direction
        found.append(find_rules(seen, shortest))
        for centres, thickness in found[-1]:
            erase_rule(view, strokes, values, centres, thickness)
    is_one = not found[0] and len(found[1]) == 1 and not result.any()
    return mask if is_one else result


def find_rules(
    mask: np.ndarray, length: float, thickest: float = THICKEST, families: int = FAMILIES
) -> list[Rule]:
    """Find the horizontal rules of a mask, by a Hough transform of its thin horizontal parts.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes and rules.
    length : float
        Minimum length of a rule, relative to the width.
    thickest : float, default=0.06
        Maximum thickness of a rule, relative to the smaller side of the picture.
    families : int, default=2
        Maximum number of sets of parallel rules.

    Returns
    -------
    list of tuple of (ndarray of shape (width,), float)
        For each rule, the row of its centre in each column, and its thickness in pixels.
    """
    width = mask.shape[1]
    if width < SMALLEST:
        return []
    thickest = max(3, round(thickest * min(mask.shape)))
    rows, columns = np.nonzero(_thin_parts(mask, max(10, width // 16), thickest))
    rules = []
    for _ in range(families):
        slope, levels, reaches = _parallel_levels(rows, columns, mask.shape, length)
        used = np.zeros(len(rows), bool)
        for level, reach in zip(levels, reaches, strict=True):
            near = np.abs(rows - slope * columns - level) <= thickest / 2 + 2
            rule = _fit(rows[near], columns[near], width, length * reach, thickest)
            if rule is not None and (length >= LONG or _is_unbroken(mask, rule, columns[near])):
                rules.append(rule)
                used |= near
        if not used.any():
            break
        rows, columns = rows[~used], columns[~used]
    return rules


def _is_unbroken(mask: np.ndarray, rule: Rule, columns: np.ndarray) -> bool:
    """Check that a rule has ink along its whole length, unlike the bars of adjacent sevens."""
    centres, thickness = rule
    inside = np.arange(columns.min(), columns.max() + 1)
    rows, reach = np.rint(centres[inside]).astype(int), int(thickness / 2 + 1)
    offsets = np.arange(-reach, reach + 1)[:, np.newaxis]
    ink = mask[np.clip(rows + offsets, 0, len(mask) - 1), inside]
    return ink.any(axis=0).mean() >= UNBROKEN


def _thin_parts(mask: np.ndarray, run: int, thickest: int) -> np.ndarray:
    """Find ink that is dense over `run` columns and at most `thickest` pixels high."""
    dense = ndimage.uniform_filter1d(mask.astype(np.float32), run, axis=1, mode="nearest") > 0.55
    return mask & dense & ~opening(mask, (thickest + 1, 1), mode="nearest")


def _parallel_levels(
    rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int], length: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Find the slope at which long lines contain the most pixels.

    Returns the slope, the rows where these lines intersect the left border, and the number of
    columns that each line crosses; lines near a corner are short.
    """
    height, width = shape
    offset = int(np.ceil(STEEPEST * width))
    levels = np.arange(-offset, height + offset)
    at_slopes = _level_counts(rows, columns, offset, len(levels))
    scores = np.square(at_slopes * (at_slopes >= SEEN * length * width)).sum(axis=1)
    best = int(scores.argmax())
    if not scores[best]:
        return 0.0, levels[:0], levels[:0]
    slope, counts = SLOPES[best], at_slopes[best]
    reach = np.full(len(levels), float(width))
    if slope:
        ends = np.sort([-levels / slope, (height - 1 - levels) / slope], axis=0)
        reach = np.minimum(ends[1], width) - np.maximum(ends[0], 0)
    least = SEEN * length * np.maximum(reach, SHORTEST * width)
    peaks = (ndimage.maximum_filter1d(counts, 7) == counts) & (counts >= least)
    found = np.flatnonzero(peaks)
    found = found[np.diff(found, prepend=-7) > 3]  # a thick rule has several equal levels
    return slope, levels[found], reach[found]


def _level_counts(rows: np.ndarray, columns: np.ndarray, offset: int, n_levels: int) -> np.ndarray:
    """Count the pixels on each line; rows are slopes, columns are levels from -`offset`."""
    counts = np.empty((len(SLOPES), n_levels), int)
    together = max(1, BLOCK // max(1, len(rows)))
    for first in range(0, len(SLOPES), together):
        slopes = SLOPES[first : first + together, np.newaxis]
        at = np.rint(rows - slopes * columns).astype(int) + offset
        at += n_levels * np.arange(len(slopes))[:, np.newaxis]
        several = np.bincount(at.ravel(), minlength=n_levels * len(slopes))
        counts[first : first + together] = several.reshape(-1, n_levels)
    return counts


def _fit(
    rows: np.ndarray, columns: np.ndarray, width: int, length: float, thickest: int
) -> Rule | None:
    """Fit a parabola to the pixels of a rule; return None if it is too thick, short or broken."""
    counts = np.bincount(columns, minlength=width)
    seen = np.flatnonzero(counts)
    centres = np.bincount(columns, rows, width)[seen] / counts[seen]
    thickness = float(np.median(counts[seen]))
    if thickness > thickest:
        return None
    for _ in range(3):  # each round drops columns where a digit touches the rule
        if len(seen) < SEEN * length or np.ptp(seen) < length:
            return None
        line = np.polyfit(seen / width, centres, 2)
        near = np.abs(np.polyval(line, seen / width) - centres) <= max(1.5, thickness / 2)
        if near.all():
            break
        seen, centres = seen[near], centres[near]
    if len(seen) < SEEN * length:
        return None
    return np.polyval(line, np.arange(width) / width), thickness


def erase_rule(
    mask: np.ndarray,
    strokes: np.ndarray,
    contrast: np.ndarray,
    centres: np.ndarray,
    thickness: float,
    around: int = 0,
) -> None:
    """Erase a rule where no stroke crosses it and nothing darker lies on it.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes and rules; changed in place.
    strokes : ndarray of shape (height, width), bool
        Pixels that may be strokes across the rule.
    contrast : ndarray of shape (height, width), float
        Contrast of each pixel with the paper.
    centres : ndarray of shape (width,), float
        Row of the rule's centre in each column.
    thickness : float
        Thickness of the rule in pixels.
    around : int, default=0
        Number of rows above and below the centre. The contrast of the rule is the maximum over
        these rows, because the rows of a thin rule may differ.
    """
    height, width = mask.shape
    columns = np.arange(width)
    reach = int(thickness / 2 + 1.5)
    centre = np.rint(centres).astype(int)
    inside = (centre - reach - 1 >= 0) & (centre + reach + 1 < height)
    above = strokes[np.clip(centre - reach - 1, 0, height - 1), columns]
    below = strokes[np.clip(centre + reach + 1, 0, height - 1), columns]
    crossing = inside & _widened(above) & _widened(below)
    core = centre + np.arange(-around, around + 1)[:, np.newaxis]
    level = np.median(contrast[np.clip(core, 0, height - 1), columns].max(axis=0))
    for offset in range(-reach, reach + 1):
        at = centre + offset
        valid = (at >= 0) & (at < height) & ~crossing
        at, here = at[valid], columns[valid]
        erased = contrast[at, here] < BRIGHTER * level
        mask[at[erased], here[erased]] = False


def _widened(row: np.ndarray) -> np.ndarray:
    """Dilate a row of a mask by one pixel to both sides."""
    result = row.copy()
    result[1:] |= row[:-1]
    result[:-1] |= row[1:]
    return result
