"""Conversion of stored arrays of images to bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

AT_ONCE = 4096  # images per step, so that no second array of all images as floats is needed
CHANNELS = (1, 3)
GREY = np.array([19595, 38470, 7471], np.uint32)  # Pillow's weights for grey, in 1/65536
TALLEST = 4  # maximum height of an image, relative to its width; lines of digits can be wider
OVERSHOOT = 0.25  # maximum by which values of interpolated images exceed 0–1
NEAR = 0.05  # tolerance for -1, the background of images scaled to -1–1
COARSE = 16  # fractions with a maximum of up to 16 are standardized pixels, not pixels 0–255
KINDS = {"O": "Python objects", "U": "texts", "S": "texts", "c": "complex numbers"}


def as_pixels(values: np.ndarray, where: Any, *, n_labels: int | None = None) -> np.ndarray:
    """Convert an array of images to uint8, of shape (n, n_pixels) or (n, height, width).

    Booleans and floats from 0 to 1 are multiplied by 255. Floats from -1 to 1 are shifted to 0–1
    first. Numbers from 0 to 255 are rounded. Colours become grey with Pillow's weights. Images can
    have 1 or 3 channels as last or second axis. The axis of the samples is the first or, as in
    MATLAB, the last; if `n_labels` is given, its length must be `n_labels`. A ValueError is raised
    for other shapes or values. `where` names the file and the array in messages.
    """
    if values.dtype.kind not in "buif":
        what = KINDS.get(values.dtype.kind, f"values of type {values.dtype}"[:60])
        raise ValueError(f"{where} contains {what}; expected numbers: pixels from 0 to 255.")
    if values.ndim < 2 or 0 in values.shape:
        raise ValueError(
            f"{where} has the shape {values.shape}; expected rows of pixels (n, n_pixels) or "
            "images (n, height, width)."
        )
    height, width = values.shape[:2]
    is_flat = values.ndim == 2 or values.shape[2:] == (1,)
    # One square image has the same shape as n rows of n pixels.
    if n_labels is None and is_flat and height == width and math.isqrt(width) ** 2 != width:
        raise ValueError(
            f"{where} has the shape {values.shape} of one image; expected an array of images. To "
            "use one image, save array[np.newaxis]."
        )
    return _to_bytes(_samples_first(values, where, n_labels), where)


def _samples_first(values: np.ndarray, where: Any, n_labels: int | None) -> np.ndarray:
    """Move the axis of the samples to the front, and the axis of colours to the end."""
    first, last = values.shape[0], values.shape[-1]
    if n_labels is None:
        # n square images (side, side, n) are much more likely than images of side×n pixels.
        is_last = values.ndim > 2 and first == values.shape[1] and last not in (first, *CHANNELS)
    else:
        is_last = last == n_labels != first
        if n_labels not in (first, last):
            raise ValueError(
                f"{where} has the shape {values.shape}, but there are {n_labels} labels; expected "
                "one label per image."
            )
    values = np.moveaxis(values, -1, 0) if is_last else values
    if values.ndim == 4 and values.shape[-1] not in CHANNELS:
        values = np.moveaxis(values, 1, -1)
    height, width = values.shape[1], values.shape[-1 if values.ndim == 3 else 2 % values.ndim]
    is_odd = values.ndim > 4 or (values.ndim == 4 and values.shape[-1] not in CHANNELS)
    if is_odd or (values.ndim > 2 and height > TALLEST * width and width != 1):
        raise ValueError(
            f"{where} has the shape {values.shape}; expected rows of pixels (n, n_pixels), images "
            "(n, height, width), or images with 1 or 3 channels."
        )
    return values


def _to_bytes(values: np.ndarray, where: Any) -> np.ndarray:
    low, factor = _scale(values, where)
    is_colour = values.ndim == 4
    shape = values.shape[:3] if is_colour else values.shape
    if values.ndim == 3 and values.shape[2] == 1:
        shape = shape[:2]  # rows with an axis for one channel
    if values.dtype == np.uint8 and not is_colour:
        return np.ascontiguousarray(values.reshape(shape))
    pixels = np.empty(shape, np.uint8)
    for chosen in gen_batches(len(values), AT_ONCE):
        part = values[chosen]
        if part.dtype.kind not in "ui":
            part = np.clip(np.rint((part.astype(np.float32) - low) * factor), 0, 255)
        part = part.astype(np.uint8)
        pixels[chosen] = as_grey(part) if is_colour else part.reshape(len(part), *shape[1:])
    return pixels


def as_grey(colours: np.ndarray) -> np.ndarray:
    """Convert colours (..., 1) or (..., 3) of uint8 to grey, as Pillow does."""
    if colours.shape[-1] == 1:
        return colours[..., 0]
    return ((colours @ GREY + 0x8000) >> 16).astype(np.uint8)


def compact(values: np.ndarray) -> np.ndarray:
    """Convert numbers to bytes if this is lossless, so that parts of a file need less memory."""
    if values.dtype.kind not in "uif" or not values.size:
        return values
    if not (values.min() >= 0 and values.max() <= 255):  # also true for NaN
        return values
    as_bytes = values.astype(np.uint8)
    return as_bytes if (as_bytes == values).all() else values


def _scale(values: np.ndarray, where: Any) -> tuple[float, float]:
    """Check the range of values; return the value that becomes 0, and the factor to scale by."""
    if values.dtype.kind == "b":
        return 0.0, 255.0
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{where} contains missing or infinite values; expected pixels.")
    if values.dtype.kind == "f":
        if low >= -OVERSHOOT and high <= 1 + OVERSHOOT and (high <= 1 or _has_fractions(values)):
            return 0.0, 255.0
        if -1 - NEAR <= low <= -1 + NEAR and high <= 1 + NEAR:
            return -1.0, 127.5
    if low >= 0 and high <= 255 and (high > COARSE or not _has_fractions(values)):
        return 0.0, 1.0
    raise ValueError(
        f"{where} has values from {low:.6g} to {high:.6g}; expected pixels: whole numbers from 0 "
        "to 255, or floats from 0 to 1 or from -1 to 1."
    )


def _has_fractions(values: np.ndarray) -> bool:
    if values.dtype.kind != "f":
        return False
    parts = (values[chosen] for chosen in gen_batches(len(values), AT_ONCE))
    return any((part != np.rint(part)).any() for part in parts)
