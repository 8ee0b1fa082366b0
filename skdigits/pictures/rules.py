"""Printed lines: ruled and squared paper, frames, underlines."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

THICKEST = 0.06  # of the picture's side
SMALLEST = 60  # pixels; in a smaller picture a stroke cannot be told from a rule
LONG = 0.5  # of the picture's width or height; digits side by side are not so long
UNBROKEN = 0.98  # of the columns of a shorter rule have ink
SEEN = 0.6  # of a rule's columns; the others may be hidden or too faint
STEEPEST = 0.1  # rise of a rule per pixel: six degrees
SLOPES = np.linspace(-STEEPEST, STEEPEST, 21)
SHORTEST = 0.3  # of the picture's width: a rule that crosses a corner
FAMILIES = 2  # of parallel rules: those of the paper, and a frame
FAINTER = 0.7  # of the faintest pixel of a stroke: a rule may fade in places
BRIGHTER = 1.5  # ink on a rule has this many times its contrast
SMALLEST_BOX = 12  # pixels
TILTS = SLOPES[::2]
STRAIGHT = 0.03  # of a side: how far a straight side may be from a line
IN_BOX = 0.25  # of the height of a box: a digit in it
IN_RING = 0.4  # of the height of a ring: digits in it together; the dot in a zero is lower
THICKEST_OF_BOX = 0.15  # of the box's smaller side
THROUGH = 0.65  # of the width of a box: a horizontal rule
BETWEEN = 0.72  # of the distance of two horizontal rules: a vertical one
AT_END = 0.3  # of that distance: how far from the ends of a box its outer vertical rules are
ALIKE = 2.2  # times as thick as the thinnest rule of a box
TICK = 1.3  # times as high as the outer ticks of a comb: another one
MARGIN = 8  # pixels around a box


def remove_rules(mask, contrast, *, length=(0.75, 0.75)):
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
        The mask without rules; a single vertical line and nothing else may be a 1, and is kept.
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
            _erase(view, strokes, values, centres, thickness)
    is_one = not found[0] and len(found[1]) == 1 and not result.any()
    return mask if is_one else result


def remove_boxes(mask, contrast):
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
        The mask without the straight lines of pieces with straight sides, and without rings, where
        something as tall as a digit is left within them: an angular 0 or 8 is kept.
    """
    result = mask.copy()
    if min(mask.shape) < SMALLEST:
        return result
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    for piece, place in enumerate(ndimage.find_objects(labels), start=1):
        frame = labels[place] == piece
        if min(frame.shape) < SMALLEST_BOX:
            continue
        others = mask[place] & ~frame
        if _has_straight_sides(frame):
            rest = _without_rules(frame, contrast[place])
            if _digit_heights(others | rest) > 0:
                result[place][frame & ~rest] = False
        elif others.any():
            inside = others & ndimage.binary_fill_holes(frame)
            if _digit_heights(inside) >= IN_RING:
                result[place][frame] = False
    return result


def _has_straight_sides(piece):
    """Whether most of the outline of a piece, seen from each of four directions, is straight."""
    views = piece, piece[::-1], piece.T, piece.T[::-1]
    return all(_is_straight(view.argmax(axis=0)[view.any(axis=0)], len(view)) for view in views)


def _is_straight(profile, height):
    """Whether most values of a profile are near one line."""
    levels = profile - TILTS[:, np.newaxis] * (np.arange(len(profile)) - len(profile) / 2)
    bins = np.rint((levels - levels.min()) / max(1.5, STRAIGHT * height)).astype(int)
    n_bins = bins.max() + 2  # the last is empty, so that tilts are apart
    bins += n_bins * np.arange(len(TILTS))[:, np.newaxis]
    counts = np.bincount(bins.ravel(), minlength=n_bins * len(TILTS) + 1)
    return (counts[1:] + counts[:-1]).max() >= SEEN * len(profile)


def _digit_heights(inside):
    """Sum of the heights of what is tall enough for a digit, relative to the height of its box."""
    labels, _ = ndimage.label(inside, np.ones((3, 3)))
    heights = np.array([rows.stop - rows.start for rows, _ in ndimage.find_objects(labels)])
    return heights[heights >= IN_BOX * len(inside)].sum() / len(inside)


def _without_rules(frame, contrast):
    """The strokes of a box that are none of its rules; the whole piece if it is no box."""
    scale = -(-SMALLEST // min(frame.shape))
    rest, contrast = (
        np.pad(array.repeat(scale, 0).repeat(scale, 1), MARGIN) for array in (frame, contrast)
    )
    height, width = rest.shape
    least = THROUGH * scale * frame.shape[1] / width
    across = find_rules(rest, least, thickest=THICKEST_OF_BOX, families=1)
    distance = np.ptp(_levels(across))
    if len(across) == 1:
        _erase_comb(rest, contrast, *across[0])
        return rest[MARGIN:-MARGIN:scale, MARGIN:-MARGIN:scale]
    if distance < SMALLEST_BOX:
        return frame
    thinnest = min(thickness for _, thickness in across)
    _erase_alike(rest, contrast, across, thinnest)
    # What is between two horizontal rules may be a digit that touches them.
    least = BETWEEN * distance / height
    upright = find_rules(rest.T, least, thickest=THICKEST_OF_BOX, families=1)
    ends = np.array([_levels(upright).min(), width - _levels(upright).max()])
    if (ends > MARGIN + AT_END * distance).any():
        return frame
    _erase_alike(rest.T, contrast.T, upright, thinnest)
    return rest[MARGIN:-MARGIN:scale, MARGIN:-MARGIN:scale]


def _erase_comb(mask, contrast, centres, thickness):
    """Erase a rule with ticks, which are thin, upright and on it, one at each of its ends."""
    ends = np.flatnonzero(mask.any(axis=0))[[0, -1]]
    without = mask.copy()
    _erase(without, mask.copy(), contrast, centres, thickness)
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


def _levels(rules):
    """The middle row of each rule; 0 without rules."""
    return np.array([np.median(centres) for centres, _ in rules] or [0])


def _erase_alike(mask, contrast, rules, thinnest):
    """Erase the rules that are not much thicker than the thinnest."""
    strokes = mask.copy()
    for centres, thickness in rules:
        if thickness <= ALIKE * thinnest:
            _erase(mask, strokes, contrast, centres, thickness)


def find_rules(mask, length, thickest=THICKEST, families=FAMILIES):
    """Find the horizontal rules of a mask by a Hough transform of its thin horizontal parts.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes and rules.
    length : float
        Minimum length of a rule, relative to the width.
    thickest : float, default=0.06
        Maximum thickness of a rule, relative to the smaller side of the picture.
    families : int, default=2
        Number of sets of parallel rules that may be found in each direction.

    Returns
    -------
    list of tuple of (ndarray of shape (width,), float)
        Of each rule the row of its centre in each column, and its thickness in pixels.
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


def _is_unbroken(mask, rule, columns):
    """Whether there is ink all along a rule, unlike the bars of sevens side by side."""
    centres, thickness = rule
    inside = np.arange(columns.min(), columns.max() + 1)
    rows, reach = np.rint(centres[inside]).astype(int), int(thickness / 2 + 1)
    offsets = np.arange(-reach, reach + 1)[:, np.newaxis]
    ink = mask[np.clip(rows + offsets, 0, len(mask) - 1), inside]
    return ink.any(axis=0).mean() >= UNBROKEN


def _thin_parts(mask, run, thickest):
    """Pixels in horizontal runs that are not higher than `thickest`."""
    pixels = mask.astype(np.float32)
    dense = ndimage.uniform_filter1d(pixels, run, axis=1, mode="nearest") > 0.55
    high = ndimage.minimum_filter1d(pixels, thickest + 1, axis=0, mode="nearest")
    high = ndimage.maximum_filter1d(high, thickest + 1, axis=0, origin=-((thickest + 1) % 2 == 0))
    return mask & dense & (high == 0)


def _parallel_levels(rows, columns, shape, length):
    """Find the slope at which most pixels lie on long lines.

    Returns it, the rows where these lines cut the left border, and how many columns of the picture
    each of them crosses: a line near a corner is short.
    """
    height, width = shape
    offset = int(np.ceil(STEEPEST * width))
    levels = np.arange(-offset, height + offset)
    best: tuple = (0, 0.0, [], [])
    for slope in SLOPES if len(rows) else ():
        at = np.rint(rows - slope * columns).astype(int) + offset
        counts = np.bincount(at, minlength=len(levels))[: len(levels)]
        score = np.square(counts[counts >= SEEN * length * width].astype(float)).sum()
        if score > best[0]:
            reach = np.full(len(levels), float(width))
            if slope:
                ends = np.sort([-levels / slope, (height - 1 - levels) / slope], axis=0)
                reach = np.minimum(ends[1], width) - np.maximum(ends[0], 0)
            least = SEEN * length * np.maximum(reach, SHORTEST * width)
            peaks = (ndimage.maximum_filter1d(counts, 7) == counts) & (counts >= least)
            found = np.flatnonzero(peaks)
            found = found[np.diff(found, prepend=-7) > 3]  # a thick rule has several equal levels
            best = score, slope, levels[found], reach[found]
    return best[1:]


def _fit(rows, columns, width, length, thickest):
    """Fit a parabola to the pixels of a rule; None if they are too few or too thick."""
    counts = np.bincount(columns, minlength=width)
    seen = np.flatnonzero(counts)
    centres = np.bincount(columns, rows, width)[seen] / counts[seen]
    thickness = float(np.median(counts[seen]))
    for _ in range(3):  # columns where a digit touches the rule are left out step by step
        if len(seen) < SEEN * length or np.ptp(seen) < length:
            return None
        line = np.polyfit(seen / width, centres, 2)
        near = np.abs(np.polyval(line, seen / width) - centres) <= max(1.5, thickness / 2)
        seen, centres = seen[near], centres[near]
    if len(seen) < SEEN * length or thickness > thickest:
        return None
    return np.polyval(line, np.arange(width) / width), thickness


def _erase(mask, strokes, contrast, centres, thickness):
    """Erase a rule where no stroke crosses it and nothing darker lies on it."""
    height, width = mask.shape
    columns = np.arange(width)
    reach = int(thickness / 2 + 1.5)
    centre = np.rint(centres).astype(int)
    inside = (centre - reach - 1 >= 0) & (centre + reach + 1 < height)
    above = strokes[np.clip(centre - reach - 1, 0, height - 1), columns]
    below = strokes[np.clip(centre + reach + 1, 0, height - 1), columns]
    crossing = inside & _wider(above) & _wider(below)
    level = np.median(contrast[np.clip(centre, 0, height - 1), columns])
    for offset in range(-reach, reach + 1):
        at = centre + offset
        valid = (at >= 0) & (at < height) & ~crossing
        at, here = at[valid], columns[valid]
        erased = contrast[at, here] < BRIGHTER * level
        mask[at[erased], here[erased]] = False


def _wider(flags):
    return ndimage.maximum_filter1d(flags.astype(np.uint8), 3) > 0
