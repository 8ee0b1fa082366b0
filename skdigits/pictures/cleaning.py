"""From a picture to an image in MNIST's style."""

from __future__ import annotations

import numpy as np


def clean_picture(picture, *, side=28):
    """Bring a picture of one digit into MNIST's style.

    Transparency is laid on white, colour made grey, and the ink made bright on black, whichever
    was brighter before. The ink is cut out, scaled to fit 20 of 28 pixels and placed with its
    centre of mass in the middle, as MNIST was made (LeCun, Cortes and Burges, "The MNIST
    database of handwritten digits").

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width), (height, width, 3) or \
(height, width, 4)
        The picture, of any size. Arrays are taken as grey, RGB or RGBA in 0–255.
    side : int, default=28
        Side of the result, in pixels.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Ink 255 on 0. A picture without contrast gives zeros.

    Raises
    ------
    ValueError
        If an array is no picture.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits.preprocessing import clean_picture
    >>> white_with_a_bar = np.full((40, 60), 255, dtype=np.uint8)
    >>> white_with_a_bar[10:30, 12:16] = 0
    >>> clean_picture(white_with_a_bar).max()
    np.uint8(255)
    """
    cut = _cut_out(_ink(picture))
    if cut is None:
        return np.zeros((side, side), np.uint8)
    small = _resized(cut, side * 20 / 28 / max(cut.shape))
    height, width = small.shape
    mass = small.sum()
    top = round((side - 1) / 2 - (small.sum(axis=1) @ np.arange(height)) / mass)
    left = round((side - 1) / 2 - (small.sum(axis=0) @ np.arange(width)) / mass)
    top, left = np.clip(top, 0, side - height), np.clip(left, 0, side - width)
    result = np.zeros((side, side), np.uint8)
    result[top : top + height, left : left + width] = np.rint(small * 255)
    return result


def clean_line(picture, *, height=28):
    """Bring a picture of a line of digits into MNIST's style.

    As `clean_picture` does, but the ink is scaled to be 20 of 28 pixels high, however wide it is
    then.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width), (height, width, 3) or \
(height, width, 4)
        The picture, of any size. Arrays are taken as grey, RGB or RGBA in 0–255.
    height : int, default=28
        Height of the result, in pixels.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Ink 255 on 0. A picture without contrast gives zeros.

    Raises
    ------
    ValueError
        If an array is no picture.
    """
    cut = _cut_out(_ink(picture))
    if cut is None:
        return np.zeros((height, height), np.uint8)
    small = _resized(cut, height * 20 / 28 / cut.shape[0])
    above = (height - small.shape[0]) // 2
    margins = [(above, height - small.shape[0] - above), (above, above)]
    return np.pad(np.rint(small * 255).astype(np.uint8), margins)


def _cut_out(ink):
    """The part of a picture that has ink; None where there is none."""
    rows, columns = np.nonzero(ink > 0.2)
    if not len(rows):
        return None
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _resized(ink, scale):
    """Ink of another size, from 0 to 1."""
    from PIL import Image

    height, width = (max(1, round(n * scale)) for n in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    small = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    return np.clip(small / small.max(), 0, 1)


def _with_bytes(picture):
    """A picture whose grey has 16 bits or more, with 8; Pillow would clip it."""
    from PIL import Image

    if picture.mode[0] not in "IF":
        return picture
    grey = np.asarray(picture, float)
    largest = next((n for n in (1, 255, 65535) if grey.max() <= n), grey.max())
    return Image.fromarray((grey.clip(0) * (255 / largest)).astype(np.uint8))


def _ink(picture):
    """Darkness or brightness against the background, in 0–1; zeros without contrast."""
    from PIL import Image, ImageOps

    if not isinstance(picture, Image.Image):
        pixels = np.asarray(picture)
        depth = pixels.shape[2:]
        if pixels.ndim not in (2, 3) or depth not in ((), (3,), (4,)) or not pixels.size:
            raise ValueError(
                "picture should be an array of shape (height, width), (height, width, 3) or "
                f"(height, width, 4); got {pixels.shape}."
            )
        if pixels.dtype.kind not in "iuf" or not (pixels.min() >= 0 and pixels.max() <= 255):
            raise ValueError("picture should hold numbers from 0 to 255.")
        picture = Image.fromarray(pixels.astype(np.uint8))
    picture = _with_bytes(ImageOps.exif_transpose(picture)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    grey = np.asarray(Image.alpha_composite(white, picture).convert("L"), float)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    away = np.abs(grey - np.median(edge))
    # Less contrast than this is paper and light, not ink.
    return away / away.max() if away.max() > 32 else np.zeros_like(grey)
