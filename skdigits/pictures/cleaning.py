"""From a picture of a digit or a line to an image in MNIST's style."""

from __future__ import annotations

import numpy as np

INK = 0.2  # minimum darkness of a pixel of a digit, relative to the darkest pixel
LEAST_CONTRAST = 32  # grey levels (0–255); less contrast is paper and light, not ink


def clean_picture(picture, *, side=28):
    """Convert a picture of one digit to an image in MNIST's style.

    Transparent pixels become white; the picture is converted to grey, and inverted if its
    background is bright. Then the digit is cut out, scaled to fit into 20 of 28 pixels, and centred
    by its centre of mass, as the images of MNIST were (LeCun, Cortes and Burges, "The MNIST
    database of handwritten digits").

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width), (height, width, 3) or \
(height, width, 4)
        The picture, of any size. Arrays are grey, RGB or RGBA; their values are from 0 to 255, or
        from 0 to 1 if they are floats that do not exceed 1.
    side : int, default=28
        Height and width of the result in pixels.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Ink up to 255 on a background of 0; all zeros if the picture has no contrast.

    Raises
    ------
    ValueError
        If an array has another shape or other values.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits.preprocessing import clean_picture
    >>> white_with_a_bar = np.full((40, 60), 255, dtype=np.uint8)
    >>> white_with_a_bar[10:30, 12:16] = 0
    >>> clean_picture(white_with_a_bar).max()
    np.uint8(255)
    """
    digit = _cut_out(_ink(picture))
    if digit is None:
        return np.zeros((side, side), np.uint8)
    small = _resized(digit, side * 20 / 28 / max(digit.shape))
    height, width = small.shape
    mass = small.sum()
    top = round((side - 1) / 2 - (small.sum(axis=1) @ np.arange(height)) / mass)
    left = round((side - 1) / 2 - (small.sum(axis=0) @ np.arange(width)) / mass)
    top, left = np.clip(top, 0, side - height), np.clip(left, 0, side - width)
    result = np.zeros((side, side), np.uint8)
    result[top : top + height, left : left + width] = np.rint(small * 255)
    return result


def clean_line(picture, *, height=28):
    """Convert a picture of a line of digits to an image in MNIST's style.

    It works like `clean_picture`, but the digits are scaled to a height of 20 of 28 pixels; the
    width of the result follows from that.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width), (height, width, 3) or \
(height, width, 4)
        The picture, as for `clean_picture`.
    height : int, default=28
        Height of the result in pixels.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Ink up to 255 on a background of 0; all zeros if the picture has no contrast.

    Raises
    ------
    ValueError
        If an array has another shape or other values.
    """
    line = _cut_out(_ink(picture))
    if line is None:
        return np.zeros((height, height), np.uint8)
    small = _resized(line, height * 20 / 28 / line.shape[0])
    above = (height - small.shape[0]) // 2
    margins = [(above, height - small.shape[0] - above), (above, above)]
    return np.pad(np.rint(small * 255).astype(np.uint8), margins)


def _cut_out(ink):
    """Cut out the part of a picture that has ink; None without ink."""
    rows, columns = np.nonzero(ink > INK)
    if not len(rows):
        return None
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _resized(ink, scale):
    """Resize ink; its maximum is 1 again."""
    from PIL import Image

    height, width = (max(1, round(n * scale)) for n in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    small = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    return np.clip(small / small.max(), 0, 1)


def _ink(picture):
    """Contrast of each pixel with the background, from 0 to 1; zeros without contrast."""
    grey = _grey(picture)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    contrast = np.abs(grey - np.median(edge))
    if contrast.max() <= LEAST_CONTRAST:
        return np.zeros_like(grey)
    return contrast / contrast.max()


def _grey(picture):
    """Grey levels from 0 to 255 of a picture laid on white, of shape (height, width), float."""
    from PIL import Image, ImageOps

    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(_as_bytes(np.asarray(picture)))
    picture = _with_8_bits(ImageOps.exif_transpose(picture)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("L"), float)


def _as_bytes(pixels):
    """Check the pixels of an array, and convert them to bytes."""
    depth = pixels.shape[2:]
    if pixels.ndim not in (2, 3) or depth not in ((), (3,), (4,)) or not pixels.size:
        raise ValueError(
            "picture should be an array of shape (height, width), (height, width, 3) or "
            f"(height, width, 4); got {pixels.shape}."
        )
    if pixels.dtype.kind not in "iuf":
        raise ValueError(f"picture should hold numbers from 0 to 255; got dtype {pixels.dtype}.")
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high <= 255):
        raise ValueError(
            "picture should hold numbers from 0 to 255, or floats from 0 to 1; got values from "
            f"{low:g} to {high:g}."
        )
    if pixels.dtype.kind == "f" and high <= 1:
        pixels = np.rint(pixels * 255)
    return pixels.astype(np.uint8)


def _with_8_bits(picture):
    """Convert a grey picture of 16 or 32 bits, whose values Pillow would clip at 255, to 8 bits."""
    from PIL import Image

    if picture.mode[0] not in "IF":
        return picture
    grey = np.asarray(picture, float)
    largest = next((n for n in (1, 255, 65535) if grey.max() <= n), grey.max())
    return Image.fromarray((grey.clip(0) * (255 / largest)).astype(np.uint8))
