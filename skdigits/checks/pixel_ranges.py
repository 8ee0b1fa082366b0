"""Checks of the values of pixels."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

# If the means and also the largest values differ by more than this factor, a warning is issued.
OTHER_RANGE = 10
# If the mean is less than this share of the pixel range away from one end, this end is the value of
# the background.
EXTREME = 0.35


@dataclass(frozen=True)
class PixelRange:
    """Pixel values of the images that a network was trained on.

    Parameters
    ----------
    low, high : float
        The lowest value (at most 0) and the highest value (at least 0); they differ.
    mean : float
        The mean value.
    """

    low: float
    high: float
    mean: float

    @property
    def largest(self) -> float:
        """Largest absolute value."""
        return max(-self.low, self.high)


def pixel_dtype(X: np.ndarray, dtype: str) -> np.dtype:
    """Return the dtype for pixels: uint8 for integer arrays with values 0–255, else `dtype`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite real numbers; they are not copied.
    dtype : str
        Float dtype for all other arrays.

    Returns
    -------
    dtype
        uint8, or `dtype`.

    Raises
    ------
    ValueError
        If a value is too large for `dtype`.
    """
    if X.dtype == np.uint8:
        return X.dtype
    low, high = X.min(), X.max()
    if X.dtype.kind in "biu" and low >= 0 and high <= 255:
        return np.dtype(np.uint8)
    largest = max(abs(float(low)), abs(float(high)))
    if largest > float(np.finfo(dtype).max):
        raise ValueError(
            f"X has values up to {largest:.3g}, too large for {dtype}; "
            "rescale the pixels, or set dtype='float64'."
        )
    return np.dtype(dtype)


def pixel_range(X: np.ndarray, used: np.ndarray | bool = True) -> PixelRange | None:
    """Compute the lowest, highest and mean value of pixels.

    Parameters
    ----------
    X : ndarray
        Pixels.
    used : ndarray of bool or True, default=True
        Mask of the values to use, in a shape that broadcasts to the shape of `X`.

    Returns
    -------
    PixelRange or None
        None if all used values are 0.
    """
    selection: dict[str, Any] = {} if used is True else {"where": used}  # `where` slows NumPy down
    low, high = float(X.min(initial=0, **selection)), float(X.max(initial=0, **selection))
    if low == high:
        return None
    return PixelRange(low, high, float(X.mean(dtype=np.float64, **selection)))


def warn_if_other_range(seen: PixelRange | None, fitted: PixelRange | None) -> None:
    """Warn if pixel values have another range than in fit, or if images seem to be inverted.

    Parameters
    ----------
    seen : PixelRange or None
        Pixel values of the new images; None if they are blank.
    fitted : PixelRange or None
        Pixel values of the training images; the mean is NaN if it is unknown.
    """
    if seen is None or fitted is None or math.isnan(fitted.mean):
        return
    span = fitted.high - fitted.low
    seen_mean, fitted_mean = ((r.mean - fitted.low) / span for r in (seen, fitted))
    on_black = fitted_mean < EXTREME and seen_mean > 1 - EXTREME
    on_white = fitted_mean > 1 - EXTREME and seen_mean < EXTREME
    if _far_apart(seen.mean, fitted.mean) and _far_apart(seen.largest, fitted.largest):
        advice = "Scale them to the same range."
    elif on_black or on_white:
        advice = f"They seem to be inverted: pass {fitted.low + fitted.high:g} - X."
    else:
        return
    warnings.warn(
        f"X has values from {seen.low:g} to {seen.high:g}, mean {seen.mean:.3g}; the training "
        f"images had {fitted.low:g} to {fitted.high:g}, mean {fitted.mean:.3g}. {advice}",
        stacklevel=4,
    )


def _far_apart(a: float, b: float) -> bool:
    return abs(a) > OTHER_RANGE * abs(b) or abs(b) > OTHER_RANGE * abs(a)
