"""Add printed, seven-segment, handwriting-like and drawn digits to training samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skdigits.checks.pixel_ranges import PixelRange
from skdigits.training.task import Samples

DIGITS = tuple(map(str, range(10)))
SHARE = 1 / 3  # share of added digits in the samples of an epoch
BLACK_TO_WHITE = PixelRange(0, 1, 0)  # used if all of the user's images are blank


def with_printed_digits(
    samples: Samples,
    classes: np.ndarray,
    image_shape: tuple[int, int, int],
    pixel_range: PixelRange | None,
    share: float = SHARE,
) -> Samples:
    """Add digits of typefaces and drawn digits to training samples.

    Parameters
    ----------
    samples : Samples
        Training samples.
    classes : ndarray of shape (n_classes,)
        The labels. Only digits among these labels are added.
    image_shape : tuple of int
        Height, width and channels of the images.
    pixel_range : PixelRange or None
        Range of the user's pixels; the background gets its lowest value, ink its highest value.
    share : float, default=1/3
        Share of added digits in an epoch.

    Returns
    -------
    Samples
        A copy of the samples. Every epoch draws `share` of its samples from the added digits; all
        kinds of digits are equally frequent. Added digits have weight 1.

    Raises
    ------
    ValueError
        If no label is a digit, or if the images are not square and grey.
    """
    from skdigits.synthesis.glyphs import drawn_images, typeface_images

    height, width, channels = image_shape
    if channels != 1 or height != width:
        raise ValueError(
            "style='mixed' adds printed digits to square grey images; X has images of "
            f"{height}×{width} pixels with {channels} channels. Use style='handwritten'."
        )
    indices = digit_classes(classes)
    if not indices:
        raise ValueError(
            "style='mixed' adds printed digits, but no label is a digit from 0 to 9; "
            f"the labels are {classes[:5].tolist()}. Use style='handwritten'."
        )
    kinds = [
        (typefaces.reshape(-1, height, width), np.tile(np.arange(10), len(typefaces)))
        for typefaces in typeface_images(height).values()
    ]
    kinds.append(drawn_images(height))
    kinds = [
        (images[known], digits[known])
        for images, digits in kinds
        if (known := np.isin(digits, list(indices))).any()
    ]
    rows = np.concatenate([images for images, _ in kinds]).reshape(-1, height * width)
    rows = rows[:, : samples.x.shape[1]]  # the user's rows may be shorter, and padded later
    y = np.array([indices[int(digit)] for _, digits in kinds for digit in digits])
    ends = np.cumsum([len(digits) for _, digits in kinds])
    of_kinds = np.split(len(samples.y) + np.arange(len(rows)), ends[:-1])
    most = max(map(len, of_kinds))
    weight = samples.weight
    return replace(
        samples,
        x=np.concatenate([samples.x, _in_range(rows, pixel_range, samples.x.dtype)]),
        y=np.concatenate([samples.y, y]),
        weight=None if weight is None else np.concatenate([weight, np.ones(len(rows))]),
        indices=samples.used(),
        others=np.concatenate([np.resize(kind, most) for kind in of_kinds]),
        n_others=round(len(samples.used()) * share / (1 - share)),
    )


def takes_printed_digits(classes: np.ndarray, image_shape: tuple[int, int, int]) -> bool:
    """Return True if a label is a digit and the images are square and grey."""
    height, width, channels = image_shape
    return channels == 1 and height == width and bool(digit_classes(classes))


def digit_classes(classes: np.ndarray) -> dict[int, int]:
    """Return the index of the class for each digit among the labels (numbers or strings)."""
    texts = [str(label).removesuffix(".0") for label in classes.tolist()]
    return {int(text): index for index, text in enumerate(texts) if text in DIGITS}


def _in_range(rows: np.ndarray, pixel_range: PixelRange | None, dtype: np.dtype) -> np.ndarray:
    """Convert pixels of dtype uint8 to another range and dtype."""
    low, high = (pixel_range or BLACK_TO_WHITE).low, (pixel_range or BLACK_TO_WHITE).high
    pixels = low + rows * ((high - low) / 255)
    return (np.rint(pixels) if dtype.kind in "biu" else pixels).astype(dtype)
