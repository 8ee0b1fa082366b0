"""Convert drawn shapes to images in the style of cleaned pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from skdigits.pictures.cleaning import EDGE, find_line, normalize_line

HEIGHT = 28  # pixels; height of the images
BLUR = 6  # pixels; reach of the strongest blur
THINNED = 0.6  # share of handwritten lines with thinned strokes
PHOTOGRAPHED = 0.08  # share of lines that are drawn on paper, photographed and cleaned
LEAST_FOUND = 0.8  # of a line's height and width; if cleaning finds less, the photograph is dropped


def as_image(
    canvas: np.ndarray,
    boxes: list[tuple[int, int, int, int]],
    rng: np.random.Generator,
    is_print: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate ink on a line, and scale it to the height of the images.

    Parameters
    ----------
    canvas : ndarray of shape (height, width), uint8
        Shapes, bright on black.
    boxes : list of tuple of int
        Left, top, right and bottom of the digits on the canvas.
    rng : numpy.random.Generator
        Random generator.
    is_print : bool, default=False
        True if the digits are printed; their strokes nearly keep their thickness.

    Returns
    -------
    image : ndarray of shape (28, width), uint8
        The line; black if there is no ink.
    boxes : ndarray of shape (n_digits, 4), float
        The boxes in pixels of the image.
    """
    used = np.flatnonzero(canvas.any(axis=1))
    above = max(0, used[0] - BLUR) if len(used) else 0
    canvas = canvas[above : used[-1] + BLUR] if len(used) else canvas
    boxes = [(left, top - above, right, bottom - above) for left, top, right, bottom in boxes]
    ink, scale = inked(canvas, rng, is_print)
    there = ink > EDGE
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows) or not boxes:
        return np.zeros((HEIGHT, HEIGHT), np.uint8), np.zeros((len(boxes), 4))
    boxes = np.array(boxes) * scale - [columns[0], rows[0]] * 2
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    usual = np.median(boxes[:, 3] - boxes[:, 1]) * np.exp(rng.normal(0, 0.06))
    image = None
    if rng.random() < PHOTOGRAPHED:
        image = photographed(ink, rng)
    if image is None:
        middle = np.median(boxes[:, 1] + boxes[:, 3]) / 2
        image = normalize_line(ink, min(usual, len(ink)), middle, HEIGHT)
    margin = HEIGHT // 7
    scale = (image.shape[1] - 2 * margin) / ink.shape[1]
    top = np.flatnonzero(image.any(axis=1))[0]
    boxes = (boxes * scale + [margin, top] * 2).clip(0, [image.shape[1], HEIGHT] * 2)
    return developed(image, rng), boxes


def inked(
    canvas: np.ndarray, rng: np.random.Generator, is_print: bool = False
) -> tuple[np.ndarray, float]:
    """Blur shapes, and change the thickness of their strokes and their resolution.

    Parameters
    ----------
    canvas : ndarray of shape (height, width), uint8
        Shapes, bright on black.
    rng : numpy.random.Generator
        Random generator.
    is_print : bool, default=False
        True if strokes nearly keep their thickness.

    Returns
    -------
    ink : ndarray, float32
        From 0 to 1.
    scale : float
        Resolution of the ink, relative to the canvas.
    """
    picture = Image.fromarray(canvas)
    if not is_print and rng.random() < THINNED:
        picture = thinned(picture, rng)
    else:
        threshold = rng.uniform(0.25, 0.45) if is_print else rng.uniform(0.15, 0.55)
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.4)))
        picture = _with_contrast(picture, threshold, rng.uniform(2, 5), 0.3)
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.3)))
    scale = 1.0
    if rng.random() < 0.2:
        scale = rng.uniform(0.4, 0.8)
        size = [max(1, round(n * scale)) for n in picture.size]
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(picture, np.float32) / 255, scale


def thinned(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Thin strokes by a difference of Gaussians, which is highest along their centre lines.

    Parameters
    ----------
    picture : PIL.Image.Image
        Shapes, bright on black.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    PIL.Image.Image
        The thinner shapes.
    """
    near = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.7, 1.1)))
    far = picture.filter(ImageFilter.GaussianBlur(rng.uniform(2.2, 3.5)))
    share = rng.uniform(0.6, 1.0)
    ridge = ImageChops.subtract(near, far.point([int(share * value) for value in range(256)]))
    return _with_contrast(ridge, rng.uniform(0.1, 0.24), rng.uniform(3, 8), 0.3)


def _with_contrast(
    picture: Image.Image, threshold: float, gain: float, level: float
) -> Image.Image:
    """Increase the contrast: map `threshold` to `level`, and the darkest values to black."""
    values = (np.arange(256) / 255 - threshold) * gain + level
    values[:12] = 0
    values = (values.clip(0, 1) * 255).astype(np.uint8)
    return Image.fromarray(values[np.asarray(picture)])


def photographed(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Draw ink on paper, photograph it and clean the picture.

    Parameters
    ----------
    ink : ndarray of shape (height, width), float32
        From 0 to 1.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (28, width), uint8, or None
        The line; None if cleaning does not find all of it.
    """
    margin = rng.integers(3, 20)
    ink = np.pad(ink, margin)
    height, width = ink.shape
    light = np.linspace(0, 1, width)[np.newaxis] * rng.normal(0, 0.15)
    light = light + np.linspace(0, 1, height)[:, np.newaxis] * rng.normal(0, 0.1)
    paper = rng.uniform(150, 240) * (1 + light) * (1 - printed_pattern(height, width, rng))
    picture = paper * (1 - rng.uniform(0.3, 0.85) * ink)
    picture = (picture + rng.normal(0, rng.uniform(0, 7), ink.shape)).clip(0, 255)
    packed = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(
        packed, "JPEG", quality=int(rng.integers(25, 95))
    )
    grey = np.asarray(Image.open(packed), np.float64)
    line = find_line(grey)
    least = LEAST_FOUND * (np.array(ink.shape) - 2 * margin)
    if line is None or (line.ink.shape < least).any():
        return None
    return normalize_line(line.ink, line.digit_height, line.middle, HEIGHT)


def printed_pattern(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the fine wavy lines that are printed on cheques and forms.

    Parameters
    ----------
    height, width : int
        Size in pixels.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (height, width), float32
        Share of the light that the lines absorb; often 0.
    """
    pattern = np.zeros((height, width), np.float32)
    y, x = np.ogrid[:height, :width]
    for _ in range(rng.integers(3) if rng.random() < 0.5 else 0):
        wave = rng.uniform(0, 3) * np.sin(x / rng.uniform(8, 40) + rng.uniform(0, 6))
        phase = (y + rng.normal(0, 0.5) * x + wave) / rng.uniform(3, 9)
        lines = np.maximum(0, np.sin(2 * np.pi * phase)) ** 2
        np.maximum(pattern, rng.uniform(0.05, 0.25) * lines, out=pattern)
    return pattern


def varied(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change the slant, width, height and ink of a line slightly.

    Parameters
    ----------
    image : ndarray of shape (28, width), uint8
        Bright on black.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (28, new_width), uint8
        The line.
    """
    slant, wider, taller = rng.normal(0, [0.12, 0.1, 0.05])
    wider, taller, shift = np.exp(wider), np.exp(taller), rng.uniform(-1.5, 1.5)
    middle = HEIGHT / 2
    width = max(1, round(image.shape[1] * wider + abs(slant) * HEIGHT))
    left = (image.shape[1] - width / wider) / 2 - slant * middle
    data = (1 / wider, slant, left, 0, 1 / taller, middle - (middle - shift) / taller)
    picture = Image.fromarray(image).transform(
        (width, HEIGHT), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
    )
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.7)))
    return developed(np.asarray(picture), rng)


def developed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change the strength of ink, overall and along the line, and add noise to it.

    Parameters
    ----------
    image : ndarray of shape (height, width), uint8
        Bright on black.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (height, width), uint8
        The image.
    """
    values = image * np.float32(rng.uniform(0.8, 1.2))
    if rng.random() < 0.3:
        coarse = rng.standard_normal((5, max(2, image.shape[1] // 6)), np.float32)
        size = image.shape[::-1]
        field = Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR)
        values *= np.clip(1 + 0.35 * np.asarray(field), 0.2, 1.3)
    if rng.random() < 0.5:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(2, 12))
        values += noise * (values > 8)
    return np.clip(values, 0, 255).astype(np.uint8)
