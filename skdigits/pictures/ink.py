"""Compute the contrast of ink with the paper, and find the pixels of strokes."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import ndimage

from skdigits.pictures.morphology import closing, opening

NORMAL_QUARTILE = 0.3186  # a quarter of normal noise is within this many standard deviations of 0
LEAST_IN_TINY = 0.1  # minimum contrast of ink in a tiny picture, whose noise is unknown
LEAST_CONTRAST = 0.02  # minimum contrast of ink, relative to the paper's brightness
NOISE = 4.5  # minimum contrast of ink, in standard deviations of the noise
NOISE_BESIDE_INK = 3.0  # the same if the ink stands out from the noise
STANDS_OUT = 1.6  # minimum of Otsu's threshold if there is ink, in the unit of NOISE
LEAST_SIZE = 0.06  # minimum size of a digit, relative to the picture's smaller side
LEAST_SHARE = 0.4  # minimum share of the kept strokes in all strokes
LEAST_PART = 0.15  # minimum share of the largest piece in the strokes; pieces of grain are small
SOFTEST = 0.12  # maximum width of an edge of ink, relative to the picture's smaller side
LAG = 4  # pixels between the terms of second differences; more than the width of the blur
FAINT = 0.35  # minimum contrast of a stroke's pixels, relative to the median of the ink
N_BINS = 128  # bins of Otsu's histogram; a power of two, so that their edges are exact
TINY = 48  # pixels; a picture of up to this size is tiny: it is cropped close to its digit
MARGIN = 0.14  # width of the border that may have remnants, relative to the smaller side
WIDTHS = (0.07, 0.15)  # windows for narrow and wide strokes, relative to the smaller side
THIN = 0.25  # window in a tiny picture, where strokes are relatively wide
AROUND = 0.2  # width of a tiny picture's border, which may show frames and other digits
CLEAR = 0.3  # minimum difference of thin bright and thin dark parts, relative to their sum
COARSE = 60  # pixels; smaller side of the reduced picture in which bright ink is detected
MEDIAN_SIDE = 20  # pixels; smaller side of the reduced picture in which medians are computed
NEIGHBOURHOOD = 0.33  # window of the median, relative to the smaller side; most of it is paper
WIDER = 2  # minimum aspect ratio of a line; a tiny picture of a line shows enough paper
ALONG_SIDE = 0.62  # share of a side that paper covers; a digit that touches the side covers less
SHORTEST_DIGIT = 0.35  # minimum height of a digit, relative to a tiny picture
THROUGH = 0.9  # minimum height or width of a frame, relative to a tiny picture
DARKEST_PAPER = 64  # grey level; on darker paper, the contrast is computed for this level


class InkContrast:
    """The contrast of ink, dark or bright, with the paper around it.

    Shadows and vignetting are wider than a window, and strokes are narrower. Therefore the paper is
    estimated by the grey closing of the picture. The contrast is the black top-hat (Meyer,
    "Iterative image transformations for an automatic screening of cervical smears", 1979) divided
    by the paper, because light multiplies the brightness of ink and paper by the same factor.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        Grey levels from 0 to 255.
    is_dark : bool, default=False
        Whether the ink is known to be dark; if not, `has_bright_ink` decides.
    """

    def __init__(self, grey: np.ndarray, is_dark: bool = False) -> None:
        self._grey, self._is_dark = grey, is_dark

    @cached_property
    def _smooth(self) -> np.ndarray:
        """The picture without noise, inverted if its ink is bright."""
        is_bright = not self._is_dark and has_bright_ink(self._grey)
        dark = 255 - self._grey if is_bright else self._grey
        return ndimage.gaussian_filter(dark, _blur_of(dark.shape))

    def __call__(self, window: int) -> np.ndarray:
        """Compute the contrast of each pixel.

        Parameters
        ----------
        window : int
            Side in pixels of a square that is wider than any stroke.

        Returns
        -------
        ndarray of shape (height, width), float32
            Contrast from about 0 (paper) to 1 (ink that reflects no light).
        """
        smooth = self._smooth
        paper = _paper(smooth, window)
        contrast = (paper - smooth) / np.maximum(paper, DARKEST_PAPER)
        if min(smooth.shape) > TINY:
            return contrast - np.median(contrast[::2, ::2])
        # Only the median of the paper, since a tiny picture may be mostly ink.
        return contrast - np.median(contrast[contrast <= otsu(contrast)])


def ink_contrast(grey: np.ndarray, window: int) -> np.ndarray:
    """Compute the contrast of ink with the paper around it, with `InkContrast`.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        Grey levels from 0 to 255.
    window : int
        Side in pixels of a square that is wider than any stroke.

    Returns
    -------
    ndarray of shape (height, width), float32
        Contrast from about 0 (paper) to 1 (ink that reflects no light).
    """
    return InkContrast(grey)(window)


def _paper(grey: np.ndarray, window: int) -> np.ndarray:
    """Compute the grey closing; with edge padding, vignetting is not mistaken for ink."""
    if min(grey.shape) <= TINY:  # without edge padding: strokes may run along the border
        return closing(grey, window)
    pad = window // 2 + 1
    wide = closing(np.pad(grey, pad, mode="edge"), window, mode="nearest")
    return wide[pad:-pad, pad:-pad]


def _blur_of(shape: tuple[int, int]) -> float:
    """Return the standard deviation, in pixels, of the blur that removes noise."""
    return min(1.0, min(shape) / 200)


def has_bright_ink(grey: np.ndarray) -> bool:
    """Return True if the ink is brighter than the paper; thin parts of a picture count as ink.

    Parameters
    ----------
    grey : ndarray of shape (height, width), float
        Grey levels.

    Returns
    -------
    bool
        True for bright ink on a dark background.
    """
    if min(grey.shape) <= TINY and max(grey.shape) < WIDER * min(grey.shape):
        thin = _thin_and_bright(grey)
        if abs(thin) > CLEAR:
            return thin > 0
        bright = grey > (grey.min() + grey.max()) / 2
        is_bright = _covers_more_than_half(~bright)
        return is_bright ^ _is_around_digit(bright == is_bright)
    step = -(-min(grey.shape) // COARSE)
    coarse = ndimage.uniform_filter(grey, step)[step // 2 :: step, step // 2 :: step] + 1
    usual = _large_median(coarse)
    dark = bright = 0.0
    for width in WIDTHS:
        window = max(3, round(width * min(coarse.shape)))
        closed, opened = closing(coarse, window), opening(coarse, window)
        dark += (1 - np.maximum(coarse / closed, coarse / usual)).clip(0).sum()
        bright += (1 - np.maximum(opened / coarse, usual / coarse)).clip(0).sum()
    return bool(bright > dark)


def _thin_and_bright(grey: np.ndarray) -> float:
    """Compare dark and bright thin parts in the centre: -1 if all are dark, 1 if all are bright."""
    window = max(3, round(THIN * min(grey.shape)))
    top, left = (int(AROUND * side) for side in grey.shape)
    middle = slice(top, grey.shape[0] - top), slice(left, grey.shape[1] - left)
    bright = (grey - opening(grey, window))[middle].sum()
    dark = (closing(grey, window) - grey)[middle].sum()
    return float((bright - dark) / max(bright + dark, 1))


def _large_median(grey: np.ndarray) -> np.ndarray:
    """Compute the median of a large neighbourhood of each pixel, at a low resolution."""
    step = max(1, min(grey.shape) // MEDIAN_SIDE)
    few = grey[::step, ::step]
    size = max(3, round(NEIGHBOURHOOD * min(few.shape)))
    # NumPy's partition takes a sixth of the time of SciPy's filter, if it sorts integers. The bits
    # of positive floats, read as integers, have the same order as the floats.
    padded = np.pad(few, [(size // 2, (size - 1) // 2)] * 2, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    values, middle = windows.copy().reshape(*few.shape, -1), size**2 // 2
    values.view(f"i{values.itemsize}").partition(middle, axis=2)
    median = values[..., middle]
    return median.repeat(step, axis=0).repeat(step, axis=1)[: grey.shape[0], : grey.shape[1]]


def _covers_more_than_half(paper: np.ndarray) -> bool:
    """Return True if paper covers more than half of the image; border and centre count extra."""
    height, width = paper.shape
    edge = np.concatenate([paper[0], paper[-1], paper[:, 0], paper[:, -1]])
    middle = paper[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return bool(paper.mean() + edge.mean() + middle.mean() / 2 > 1.25)


def _is_around_digit(ink: np.ndarray) -> bool:
    """Return True if the presumed ink is background: it covers a side, and a digit is inside it.

    For example, a wheel of a meter is dark between bright margins.
    """
    sides = (ink[0], ink[-1], ink[:, 0], ink[:, -1])
    return max(side.mean() for side in sides) > ALONG_SIDE and _is_inside(~ink) > _is_inside(ink)


def _is_inside(ink: np.ndarray) -> bool:
    """Check for a stroke as tall as a digit that does not touch the border."""
    labels, n = ndimage.label(ink, np.ones((3, 3)))
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    heights = [rows.stop - rows.start for rows, _ in ndimage.find_objects(labels, n)]
    inside = ~np.isin(np.arange(1, n + 1), edge)
    return max(np.array(heights)[inside], default=0) >= SHORTEST_DIGIT * len(ink)


def strokes(contrast: np.ndarray) -> np.ndarray:
    """Find the pixels of strokes.

    The threshold is Otsu's ("A threshold selection method from gray-level histograms", 1979), with
    hysteresis: a fainter pixel belongs to a stroke if it is connected to a pixel above the
    threshold.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), float
        Result of `ink_contrast`.

    Returns
    -------
    ndarray of shape (height, width), bool
        True in strokes; all False if there is no ink.
    """
    least = LEAST_CONTRAST if min(contrast.shape) > TINY else LEAST_IN_TINY
    level = otsu(contrast)
    noise = noise_of(contrast, level)
    times = NOISE if level < STANDS_OUT * noise else NOISE_BESIDE_INK
    floor = max(least, times * noise)
    visible = contrast > floor
    if not visible.any():
        return visible
    ink = np.median(contrast[contrast > level])
    faint = contrast > max(floor, FAINT * ink)
    return hysteresis_threshold(faint, contrast > max(floor, min(level, 0.6 * ink)))


def noise_of(contrast: np.ndarray, level: float) -> float:
    """Estimate the standard deviation of noise from second differences of pixels.

    If ink stands out from the noise, only the paper between the strokes is used, so that edges
    of strokes do not count as noise. In a picture that is cropped close to a line, most pixels are
    near an edge.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), float
        Result of `ink_contrast`.
    level : float
        Otsu's threshold of the contrast.

    Returns
    -------
    float
        The standard deviation; 0.0 for a tiny picture, where it cannot be estimated.
    """
    if min(contrast.shape) <= TINY:
        return 0.0  # most pixels are near an edge
    rows = contrast[::2]
    parts = rows[:, : -2 * LAG], rows[:, LAG:-LAG], rows[:, 2 * LAG :]
    across = np.abs(parts[0] - 2 * parts[1] + parts[2])
    paper = across[np.maximum(np.maximum(*parts[:2]), parts[2]) <= level]
    noise = _deviation(paper) if paper.size else np.inf
    return noise if level > STANDS_OUT * noise else _deviation(across)


def _deviation(differences: np.ndarray) -> float:
    """Compute the standard deviation of noise from its absolute second differences."""
    return float(np.percentile(differences, 25)) / NORMAL_QUARTILE / 6**0.5


def is_writing(
    contrast: np.ndarray, mask: np.ndarray, kept: np.ndarray, *, least_part: float = LEAST_PART
) -> bool:
    """Check that strokes are writing: sharper than shadows, and a large share of all strokes.

    Parameters
    ----------
    contrast : ndarray of shape (height, width), float
        Result of `ink_contrast`.
    mask : ndarray of shape (height, width), bool
        All strokes found, without rules and remnants at the border.
    kept : ndarray of shape (height, width), bool
        The strokes to check.
    least_part : float, default=0.15
        Minimum share of the largest connected piece in the pixels of `kept`; 0 for no check.

    Returns
    -------
    bool
        False for specks, the grain of paper, noise and the edges of shadows.
    """
    side = min(mask.shape)
    rows, columns = np.nonzero(kept)
    if not len(rows) or max(np.ptp(rows), np.ptp(columns)) + 1 < LEAST_SIZE * side:
        return False
    if side > TINY and len(rows) < LEAST_SHARE * np.count_nonzero(mask):
        return False
    near = tuple(slice(max(0, i.min() - 1), i.max() + 2) for i in (rows, columns))
    kept, contrast = kept[near], contrast[near]
    if least_part:
        labels, _ = ndimage.label(kept, np.ones((3, 3)))
        if np.bincount(labels[kept]).max() < least_part * len(rows):
            return False
    if side <= TINY:
        return True
    edge = dilated(kept) & ~kept
    slope = np.hypot(*(part[edge] for part in np.gradient(contrast)))
    return bool(np.median(slope) * SOFTEST * side > np.median(contrast[kept]))


def dilated(mask: np.ndarray) -> np.ndarray:
    """Dilate a mask by one pixel in all eight directions.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        The mask.

    Returns
    -------
    ndarray of shape (height, width), bool
        The dilated mask.
    """
    result = mask.copy()
    result[1:] |= mask[:-1]
    result[:-1] |= mask[1:]
    tall = result.copy()
    result[:, 1:] |= tall[:, :-1]
    result[:, :-1] |= tall[:, 1:]
    return result


def otsu(values: np.ndarray) -> float:
    """Compute Otsu's threshold of values from 0 to 1.

    Parameters
    ----------
    values : ndarray, float
        The values.

    Returns
    -------
    float
        The threshold that separates two classes best.
    """
    # `bincount`, since NumPy's histogram takes several times as long.
    bins = (np.clip(values, 0, 1).ravel() * N_BINS).astype(np.intp)
    counts = np.bincount(np.minimum(bins, N_BINS - 1), minlength=N_BINS)
    edges = np.linspace(0, 1, N_BINS + 1)
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * (edges[:-1] + edges[1:]) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1:][np.argmax(np.nan_to_num(between))])


def hysteresis_threshold(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Keep the 8-connected components of a mask that contain a seed.

    Parameters
    ----------
    mask, seeds : ndarray of shape (height, width), bool
        The mask (pixels above the low threshold), and the seeds (above the high one).

    Returns
    -------
    ndarray of shape (height, width), bool
        The mask without the other components.
    """
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    kept = np.bincount(labels[seeds & mask], minlength=n + 1) > 0
    return kept[labels]


def remove_frames(mask: np.ndarray) -> np.ndarray:
    """Remove frames from a tiny picture: pieces that span its width or height.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes.

    Returns
    -------
    ndarray of shape (height, width), bool
        The mask without these pieces; unchanged if the picture is not tiny, or no other piece is as
        tall as a digit.
    """
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    if n < 2 or min(mask.shape) > TINY:
        return mask
    shares = _shares(labels, n)
    is_frame = (shares >= THROUGH).any(axis=1)
    if not (shares[~is_frame, 0] >= SHORTEST_DIGIT).any():
        return mask
    return np.concatenate([[False], ~is_frame])[labels]


def _shares(labels: np.ndarray, n: int) -> np.ndarray:
    """Return height and width of each labelled piece, relative to those of the picture."""
    sizes = [[part.stop - part.start for part in box] for box in ndimage.find_objects(labels, n)]
    return np.array(sizes) / labels.shape


def remove_border_remnants(mask: np.ndarray) -> np.ndarray:
    """Remove strokes that touch the border: remnants of frames and of neighbouring digits.

    Parameters
    ----------
    mask : ndarray of shape (height, width), bool
        Pixels of strokes.

    Returns
    -------
    ndarray of shape (height, width), bool
        The mask without remnants: strokes that touch the border and are mostly near it. If all
        strokes are remnants, those around the centre are kept, because a digit may fill the
        picture. If no stroke is around the centre, the largest stroke of a tiny picture is kept,
        unless it is shorter than a digit or spans the picture.
    """
    height, width = mask.shape
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    strip = int(MARGIN * min(height, width) + 0.5)
    middle = labels[strip : height - strip, strip : width - strip]
    inner = np.bincount(middle.ravel(), minlength=n + 1)
    total = np.bincount(labels.ravel(), minlength=n + 1)
    touching = np.zeros(n + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching[edge] = True
    is_remnant = touching & (inner < 0.5 * total)
    is_remnant[0] = True
    if is_remnant.all():  # a digit may fill the picture: keep strokes around the centre
        for i, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
            is_remnant[i] = not (
                rows.start < height / 2 < rows.stop and columns.start < width / 2 < columns.stop
            )
    if is_remnant.all() and n and min(mask.shape) <= TINY:  # the border may cut off a digit
        largest = int(np.argmax(total[1:]))
        share = _shares(labels, n)[largest]
        is_remnant[1 + largest] = share[0] < SHORTEST_DIGIT or share.max() >= THROUGH
    return ~is_remnant[labels]
