"""Simulate the ink of lines: thickness of strokes, softness, resolution and unevenness."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from PIL import Image

from skdigits.synthesis.strips import Strip

THINNED = 0.6  # share of handwritten lines with thinned strokes
LEVEL = 0.3  # grey level, from 0 to 1, to which the threshold of a pen is mapped
FAINTEST = 12  # grey level; fainter pixels become black
REACH = 2.6  # radius of a blur, in standard deviations


@dataclass(frozen=True)
class Pens:
    """Appearance of the ink of each line; lengths are in pixels of the sheet.

    Parameters
    ----------
    blur : ndarray of shape (n_lines,), float
        Standard deviation of the blur.
    wide_blur : ndarray of shape (n_lines,), float
        Standard deviation of a wider blur. The result of this blur is subtracted to make strokes
        thinner, because a difference of Gaussians is highest along the centre lines of strokes.
    thinning : ndarray of shape (n_lines,), float
        Factor of the wider blur when it is subtracted; with 0, strokes are not thinned.
    threshold, gain : ndarray of shape (n_lines,), float
        Grey level, from 0 to 1, that is mapped to `LEVEL`, and factor of the contrast.
    softness : ndarray of shape (n_lines,), float
        Standard deviation of the last blur; 0 for no blur.
    scale : ndarray of shape (n_lines,), float
        Resolution, relative to the sheet.
    """

    blur: np.ndarray
    wide_blur: np.ndarray
    thinning: np.ndarray
    threshold: np.ndarray
    gain: np.ndarray
    softness: np.ndarray
    scale: np.ndarray

    @classmethod
    def draw(cls, is_print: np.ndarray, rng: np.random.Generator) -> Pens:
        """Choose pens at random; pens of printed lines do not make strokes thinner.

        `is_print` has the shape (n_lines,) and is True for printed lines.
        """
        n = len(is_print)
        thins = ~is_print & (rng.random(n) < THINNED)
        threshold = np.where(is_print, rng.uniform(0.25, 0.45, n), rng.uniform(0.15, 0.55, n))
        return cls(
            blur=np.where(thins, rng.uniform(0.7, 1.1, n), rng.uniform(0.5, 1.4, n)),
            wide_blur=rng.uniform(2.2, 3.5, n),
            thinning=np.where(thins, rng.uniform(0.6, 1.0, n), 0),
            threshold=np.where(thins, rng.uniform(0.1, 0.24, n), threshold),
            gain=np.where(thins, rng.uniform(3, 8, n), rng.uniform(2, 5, n)),
            softness=np.where(rng.random(n) < 0.3, rng.uniform(0.3, 1.3, n), 0),
            scale=np.where(rng.random(n) < 0.2, rng.uniform(0.4, 0.8, n), 1),
        )

    def __getitem__(self, lines: Any) -> Pens:
        """Return the pens of these lines."""
        return Pens(*(getattr(self, field.name)[lines] for field in fields(self)))


def inked(strip: Strip, pens: Pens) -> Strip:
    """Blur shapes, and change the thickness of their strokes.

    Parameters
    ----------
    strip : Strip
        Shapes of lines, with black margins as wide as the blur.
    pens : Pens
        The pen of each line; its resolution is ignored.

    Returns
    -------
    Strip
        The lines.
    """
    ink = blurred(strip.pixels, strip.spread(pens.blur))
    if pens.thinning.any():
        around = blurred(ink, strip.spread(pens.wide_blur))
        around *= np.rint(256 * strip.spread(pens.thinning)).astype(np.uint16)
        around >>= 8
        ink = np.maximum(ink, around) - around
    gain = strip.spread(pens.gain)
    values = ink * gain
    values += 255 * (LEVEL - strip.spread(pens.threshold) * gain)
    values *= ink >= FAINTEST
    ink = values.clip(0, 255, out=values).astype(np.uint8)
    if pens.softness.any():
        ink = blurred(ink, strip.spread(pens.softness)).astype(np.uint8)
    return Strip(ink, strip.starts)


def blurred(pixels: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Blur a strip with Gaussians, in integer arithmetic.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), uint8 or uint16
        Grey levels from 0 to 255.
    deviation : ndarray of shape (width,), float
        Standard deviation in each column, in pixels; 0 for no blur.

    Returns
    -------
    ndarray of shape (height, width), uint16
        Blurred grey levels from 0 to 255.
    """
    deviation = np.maximum(deviation, 0.01)
    reach = int(np.ceil(REACH * deviation.max()))
    weights = np.exp(-0.5 * (np.arange(reach + 1)[:, np.newaxis] / deviation) ** 2)
    weights *= 256 / (2 * weights.sum(axis=0) - 1)
    weights = np.rint(weights).astype(np.uint16)
    weights[0] = 256 - 2 * weights[1:].sum(axis=0)  # so that products fit into 16 bits
    height, width = pixels.shape
    for down, across in ((reach, 0), (0, reach)):
        padded = np.zeros((height + 2 * down, width + 2 * across), np.uint16)
        padded[down : down + height, across : across + width] = pixels
        total = pixels * weights[0]
        total += 128
        pair = np.empty_like(total)
        for k in range(1, reach + 1):
            y, x = (k, 0) if down else (0, k)
            low = padded[down - y : down - y + height, across - x : across - x + width]
            high = padded[down + y : down + y + height, across + x : across + x + width]
            np.add(low, high, out=pair)
            pair *= weights[k]
            total += pair
        total >>= 8
        pixels = total
    return pixels


def developed(strip: Strip, rng: np.random.Generator) -> Strip:
    """Change the strength of each line's ink, make some lines uneven, and add noise to some."""
    n = len(strip.starts) - 1
    values = strip.pixels * strip.spread(rng.uniform(0.8, 1.2, n))
    for i in np.flatnonzero(rng.random(n) < 0.3):
        part = values[:, strip.starts[i] : strip.starts[i + 1]]
        coarse = rng.standard_normal((5, max(2, part.shape[1] // 6)), np.float32)
        field = Image.fromarray(coarse).resize(part.shape[::-1], Image.Resampling.BILINEAR)
        part *= np.clip(1 + 0.35 * np.asarray(field), 0.2, 1.3)
    noise = strip.spread(np.where(rng.random(n) < 0.5, rng.uniform(2, 12, n), 0))
    noisy = np.nonzero((values > 8) & (noise > 0))
    values[noisy] += rng.standard_normal(len(noisy[0]), np.float32) * noise[noisy[1]]
    return Strip(np.clip(values, 0, 255).astype(np.uint8), strip.starts)
