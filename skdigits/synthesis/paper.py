"""From drawn ink to an image in the style that cleaning gives to pictures of lines and digits."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from skdigits.pictures.cleaning import EDGE, LineInk, find_line, level

HEIGHT = 28  # pixels, of the images
BLUR = 6  # pixels, the reach of the strongest blur
PHOTOGRAPHED = 0.02  # share of lines that are drawn on paper, photographed and cleaned
LEAST_FOUND = 0.8  # of the width of a line that cleaning should find, else it is not photographed


def as_image(canvas, boxes, rng, is_print=False):
    """Write a line with ink, and bring it to the height of the images.

    Parameters
    ----------
    canvas : ndarray of shape (height, width), uint8
        Shapes, bright on black.
    boxes : list of tuple of int
        Left, top, right and bottom of the digits on the canvas.
    rng : numpy.random.Generator
        Random generator.
    is_print : bool, default=False
        Whether digits are printed, so that strokes keep their thickness.

    Returns
    -------
    image : ndarray of shape (28, width), uint8
        The line; black if there is no ink.
    boxes : ndarray of shape (n_digits, 4), float
        The boxes in the image.
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
    line = LineInk(ink, min(usual, len(ink)), np.median(boxes[:, 1] + boxes[:, 3]) / 2)
    image = None
    if rng.random() < PHOTOGRAPHED:
        image = photographed(ink, rng)
    if image is None:
        image = level(line, HEIGHT)
    margin = HEIGHT // 7
    scale = (image.shape[1] - 2 * margin) / ink.shape[1]
    top = np.flatnonzero(image.any(axis=1))[0]
    boxes = (boxes * scale + [margin, top] * 2).clip(0, [image.shape[1], HEIGHT] * 2)
    return developed(image, rng), boxes


def inked(canvas, rng, is_print=False):
    """Blur shapes, change the thickness of their strokes, and their resolution.

    Parameters
    ----------
    canvas : ndarray of shape (height, width), uint8
        Shapes, bright on black.
    rng : numpy.random.Generator
        Random generator.
    is_print : bool, default=False
        Whether strokes nearly keep their thickness.

    Returns
    -------
    ink : ndarray, float32
        From 0 to 1.
    scale : float
        Its size divided by that of the canvas.
    """
    picture = Image.fromarray(canvas)
    threshold = rng.uniform(0.25, 0.45) if is_print else rng.uniform(0.1, 0.55)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.4)))
    levels = (np.arange(256) / 255 - threshold) * rng.uniform(2, 5) + 0.3
    levels[:12] = 0
    levels = (levels.clip(0, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(levels[np.asarray(picture)])
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.8)))
    scale = 1.0
    if rng.random() < 0.25:
        scale = rng.uniform(0.3, 0.8)
        size = [max(1, round(n * scale)) for n in picture.size]
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(picture, np.float32) / 255, scale


def photographed(ink, rng):
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
    picture = rng.uniform(150, 240) * (1 + light) * (1 - rng.uniform(0.3, 0.85) * ink)
    picture = (picture + rng.normal(0, rng.uniform(0, 7), ink.shape)).clip(0, 255)
    packed = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(
        packed, "JPEG", quality=int(rng.integers(25, 95))
    )
    grey = np.asarray(Image.open(packed), np.float64)
    line = find_line(grey)
    if line is None or line.ink.shape[1] < LEAST_FOUND * (width - 2 * margin):
        return None
    return level(line, HEIGHT)


def developed(image, rng):
    """Change the strength of ink, along the line too, and add noise to it.

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
    values = image * np.float32(rng.uniform(0.7, 1.15))
    if rng.random() < 0.4:
        coarse = rng.standard_normal((5, max(2, image.shape[1] // 6)), np.float32)
        size = image.shape[::-1]
        field = Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR)
        values *= np.clip(1 + 0.35 * np.asarray(field), 0.2, 1.3)
    if rng.random() < 0.5:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(2, 12))
        values += noise * (values > 8)
    return np.clip(values, 0, 255).astype(np.uint8)
