"""Grey closing and opening: SciPy's exact results in a fraction of the time."""

from __future__ import annotations

from typing import Any

import numpy as np

BLOCK = 2**16  # pixels that fit into the cache of a core


def closing(
    grey: np.ndarray, window: int | tuple[int, int], *, mode: str = "reflect"
) -> np.ndarray:
    """Compute the grey closing: dark parts that are narrower than the window get brighter.

    Parameters
    ----------
    grey : ndarray of shape (height, width)
        Grey levels, or a mask.
    window : int or tuple of (int, int)
        Side of a square, or height and width of a rectangle, in pixels.
    mode : {"reflect", "nearest"}, default="reflect"
        How the picture continues beyond its border: mirrored, or with the pixels of the border.

    Returns
    -------
    ndarray of shape (height, width)
        The result of `scipy.ndimage.grey_closing`, in the dtype of `grey`.
    """
    return _eroded(_dilated(grey, window, mode), window, mode)


def opening(
    grey: np.ndarray, window: int | tuple[int, int], *, mode: str = "reflect"
) -> np.ndarray:
    """Compute the grey opening: bright parts that are narrower than the window get darker.

    Parameters
    ----------
    grey, window, mode
        As for `closing`.

    Returns
    -------
    ndarray of shape (height, width)
        The result of `scipy.ndimage.grey_opening`, in the dtype of `grey`.
    """
    return _dilated(_eroded(grey, window, mode), window, mode)


def _dilated(grey: np.ndarray, window: Any, mode: str) -> np.ndarray:
    for size in np.broadcast_to(window, 2).tolist():
        grey = _extremes(np.maximum, grey, size, (size - 1) // 2, mode).T
    return grey


def _eroded(grey: np.ndarray, window: Any, mode: str) -> np.ndarray:
    for size in np.broadcast_to(window, 2).tolist():
        grey = _extremes(np.minimum, grey, size, size // 2, mode).T
    return grey


def _extremes(extreme: Any, grey: np.ndarray, size: int, before: int, mode: str) -> np.ndarray:
    """Compute the maximum or minimum of `size` rows around each row; `before` rows are above it.

    The window doubles in each step, so that eight rows take three comparisons per pixel.
    """
    if size == 1:
        return grey
    height, width = grey.shape
    rows = np.arange(-before, height + size - 1 - before)
    if mode == "nearest":
        rows = np.clip(rows, 0, height - 1)
    else:
        rows %= 2 * height
        rows = np.minimum(rows, 2 * height - 1 - rows)
    result = np.empty_like(grey, order="C")
    step = max(1, BLOCK // len(rows))
    for left in range(0, width, step):
        part = grey[:, left : left + step].take(rows, axis=0)
        reach = 1
        while 2 * reach < size:
            part = extreme(part[:-reach], part[reach:])
            reach *= 2
        extreme(part[:height], part[size - reach :], out=result[:, left : left + step])
    return result
