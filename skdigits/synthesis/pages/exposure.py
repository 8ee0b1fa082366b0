"""What happens between a page and its picture: light, blur, noise, scanners, compression."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from skdigits.synthesis.paper import as_jpeg


def expose(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Photograph or scan a page.

    Parameters
    ----------
    page : PIL.Image.Image
        Grey levels.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    PIL.Image.Image
        Grey levels of the same size.
    """
    kind = rng.random()
    if kind < 0.25:
        return page
    if kind < 0.6:
        return _scan(page, rng)
    return _photograph(page, rng)


def smooth_noise(shape: tuple[int, int], cells: int, rng: np.random.Generator) -> np.ndarray:
    """Draw noise that changes slowly: `cells` × `cells` random values, enlarged to `shape`."""
    small = rng.normal(size=(cells, cells)).astype(np.float32)
    image = Image.fromarray(small).resize(shape[::-1], Image.Resampling.BICUBIC)
    return np.asarray(image)


def _scan(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Blur, noise and a threshold, as of a scanner or a fax."""
    page = _blurred(page, rng.uniform(0, 1.1))
    grey = np.asarray(page, np.float32)
    if rng.random() < 0.3:  # pale strips of a thermal printer
        strip = smooth_noise(grey.shape, int(rng.integers(2, 30)), rng)
        paper = 255 if grey.mean() > 127 else 0
        grey = grey + (paper - grey) * np.clip(strip, 0, 1) * rng.uniform(0.2, 0.7)
    if rng.random() < 0.5:
        grey = grey + rng.normal(0, rng.uniform(2, 22), grey.shape)
    if rng.random() < 0.45:
        low, high = np.percentile(grey, [0.5, 99.5])
        grey = np.where(grey > low + (high - low) * rng.uniform(0.3, 0.75), 255, 0)
        grey = _specks(grey, rng)
        return _blurred(_as_image(grey), rng.uniform(0, 0.8))
    return _compressed(_as_image(grey), rng)


def _specks(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = int(grey.size * 10 ** rng.uniform(-5, -2.2))
    rows, columns = (rng.integers(side, size=n) for side in grey.shape)
    grey[rows, columns] = 255 - grey[rows, columns]
    return grey


def _photograph(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Light, contrast, blur, noise and compression, as of a phone."""
    if rng.random() < 0.35:  # a small picture
        factor = rng.uniform(1.1, 2.2)
        size = page.size
        small = [max(8, round(side / factor)) for side in size]
        page = page.resize(small, Image.Resampling.BOX).resize(size, Image.Resampling.BICUBIC)
    page = _moved(page, rng) if rng.random() < 0.12 else _blurred(page, rng.uniform(0, 1.4))
    grey = np.asarray(page, np.float32)
    low, high = rng.uniform(0, 80), rng.uniform(140, 255)
    grey = low + grey * (high - low) / 255
    if rng.random() < 0.6:
        light = smooth_noise(grey.shape, int(rng.integers(2, 5)), rng)
        grey = grey * np.exp(light * rng.uniform(0, 0.35))
    if rng.random() < 0.2:
        grey = _shadow(grey, rng)
    if rng.random() < 0.2:
        grey = _glare(grey, rng)
    if rng.random() < 0.12:
        grey = _moire(grey, rng)
    if rng.random() < 0.3:
        grey = grey + smooth_noise(grey.shape, int(rng.integers(20, 120)), rng) * rng.uniform(1, 12)
    grey = grey + rng.normal(0, rng.uniform(0, 10), grey.shape)
    return _compressed(_as_image(grey), rng)


def _shadow(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    edge = rng.uniform(along.min(), along.max())
    soft = rng.uniform(1, 30)
    depth = rng.uniform(0.3, 0.75)
    return grey * (1 - depth / (1 + np.exp(-np.clip((along - edge) / soft, -30, 30))))


def _glare(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    cx, cy = rng.uniform(0, grey.shape[1]), rng.uniform(0, grey.shape[0])
    size, stretch = rng.uniform(15, 90), rng.uniform(0.3, 3)
    spot = np.exp(-(((x - cx) / size) ** 2 + ((y - cy) / size / stretch) ** 2))
    return grey + (255 - grey) * spot * rng.uniform(0.2, 0.9)


def _moire(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]]
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.5, 12)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return grey * (1 + wave * rng.uniform(0.02, 0.15))


def _moved(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Blur along a line, as of a camera that moves."""
    kernel = np.zeros((5, 5))
    line = {0: [(2, i) for i in range(5)], 1: [(i, 2) for i in range(5)]}
    line |= {2: [(i, i) for i in range(5)], 3: [(i, 4 - i) for i in range(5)]}
    for at in line[int(rng.integers(4))]:
        kernel[at] = 1
    return page.filter(ImageFilter.Kernel((5, 5), kernel.ravel().tolist()))


def _blurred(page: Image.Image, radius: float) -> Image.Image:
    return page.filter(ImageFilter.GaussianBlur(radius)) if radius > 0.3 else page


def _compressed(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    if rng.random() < 0.4:
        return page
    return as_jpeg(page, int(rng.integers(25, 92)))


def _as_image(grey: Any) -> Image.Image:
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8))
