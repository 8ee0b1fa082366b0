"""Digits of printed, handwriting-like and seven-segment typefaces; ``GLYPHS.md`` lists the fonts.

The module also makes images of drawn digits, in shapes that MNIST lacks.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skdigits.pictures.normalization import centre
from skdigits.synthesis.pen import drawn_digits, seven_segment_digits

FILE = Path(__file__).with_name("glyphs.npz")
N_DRAWN = 400  # number of drawn shapes of each digit
CUT_OFF = (0.05, 0.3)  # share of a digit's height or width that is cut off
# Margin inside a box and thickness of its sides, in heights of the digit.
BOX_MARGIN = (0.06, 0.4)
BOX_THICKNESS = (0.03, 0.15)


@cache
def typefaces() -> dict[str, list[list[Image.Image]]]:
    """Load the digits of all typefaces.

    Returns
    -------
    dict of str to list of list of PIL.Image.Image
        For each of the kinds ``"printed"``, ``"handwritten"`` and ``"segments"``, the ten digits of
        each typeface, cropped to their ink and about 40 pixels high. Half of the seven-segment
        typefaces are drawn by `pen`, because fonts lack some forms of 6, 7 and 9.
    """
    with np.load(FILE) as archive:
        images, sizes, kinds = archive["images"], archive["sizes"], archive["kinds"]
    found: dict[str, list[list[Image.Image]]] = {}
    for typeface, typeface_sizes, kind in zip(images, sizes, kinds.tolist(), strict=True):
        digits = [
            Image.fromarray(np.ascontiguousarray(image[:height, :width]))
            for image, (height, width) in zip(typeface, typeface_sizes, strict=True)
        ]
        found.setdefault(kind, []).append(digits)
    rng = np.random.default_rng(0)
    for _ in range(len(found["segments"])):
        drawn = map(Image.fromarray, seven_segment_digits(rng))
        found["segments"].append([digit.crop(digit.getbbox()) for digit in drawn])
    return found


@cache
def typeface_images(side: int) -> dict[str, np.ndarray]:
    """Make images of the digits of all typefaces in MNIST's style.

    Parameters
    ----------
    side : int
        Height and width of the images.

    Returns
    -------
    dict of str to ndarray of shape (n_typefaces, 10, side, side), uint8
        For each kind of `typefaces`, the ten digits of each typeface, bright on black. There are
        two more kinds with four versions of each printed typeface: ``"cut"`` has digits without
        their upper, right, lower or left part, ``"boxed"`` digits with parts of a box around them.
    """
    rng = np.random.default_rng(0)
    kinds = typefaces()
    changed: dict[str, list[list[Any]]] = {
        kind: [
            [change(digit, i, rng) for digit in typeface]
            for typeface in kinds["printed"]
            for i in range(4)
        ]
        for kind, change in (("cut", _cut_off), ("boxed", _boxed))
    }
    return {kind: centred(of_kind, side) for kind, of_kind in {**kinds, **changed}.items()}


def centred(of_kind: list[list[Image.Image]], side: int) -> np.ndarray:
    """Make images of the digits of typefaces in MNIST's style.

    Parameters
    ----------
    of_kind : list of list of PIL.Image.Image
        The digits of each typeface, as `typefaces` returns them.
    side : int
        Height and width of the images.

    Returns
    -------
    ndarray of shape (n_typefaces, 10, side, side), uint8
        Bright on black.
    """
    return np.array([[centre(np.asarray(d) / 255, side) for d in typeface] for typeface in of_kind])


def _cut_off(digit: Image.Image, turns: int, rng: np.random.Generator) -> np.ndarray:
    """Turn a digit by `turns` quarter turns, cut off its top, and turn it back."""
    turned = np.rot90(np.asarray(digit), turns)
    return np.rot90(turned[round(len(turned) * rng.uniform(*CUT_OFF)) :], -turns)


def _boxed(digit: Image.Image, n_missing: int, rng: np.random.Generator) -> Image.Image:
    """Draw parts of a box around a digit, like remnants in cleaned pictures of forms and meters.

    `n_missing` sides of the box are not drawn; the other sides are drawn in part.
    """
    thickness = max(1, round(digit.height * rng.uniform(*BOX_THICKNESS)))
    margins = thickness + (digit.height * rng.uniform(*BOX_MARGIN, (2, 2))).astype(int)
    canvas = np.pad(np.asarray(digit), margins)
    for turns in rng.permutation(4)[n_missing:]:
        bar = np.rot90(canvas, turns)[:thickness]  # a view
        start, end = np.sort(rng.uniform(-0.3, 1.3, 2)).clip(0, 1) * bar.shape[1]
        bar[:, int(start) : int(end)] = rng.integers(100, 256)
    picture = Image.fromarray(canvas)
    return picture.crop(picture.getbbox())


@cache  # drawing takes a second
def drawings() -> tuple[np.ndarray, np.ndarray]:
    """Draw digits with shapes that MNIST lacks.

    Returns
    -------
    images, labels : ndarray
        The result of `pen.drawn_digits` with a fixed seed.
    """
    return drawn_digits(N_DRAWN, np.random.default_rng(0))


@cache
def drawn_images(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Make images of digits with shapes that MNIST lacks, in MNIST's style.

    Parameters
    ----------
    side : int
        Height and width of the images.

    Returns
    -------
    images : ndarray of shape (n_images, side, side), uint8
        The digits of `drawings`, bright on black.
    labels : ndarray of shape (n_images,), int
        The digits.
    """
    drawn, labels = drawings()
    pictures = map(Image.fromarray, drawn)
    cut = [np.asarray(picture.crop(picture.getbbox())) for picture in pictures]
    return np.array([centre(image / 255, side) for image in cut]), labels
