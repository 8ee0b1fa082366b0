"""Digits of printed, handwriting-like and seven-segment type; ``GLYPHS.md`` names the fonts.

And digits that are drawn, since MNIST lacks shapes of other hands.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skdigits.pictures.cleaning import centre
from skdigits.synthesis.pen import drawn_digits, seven_segment_digits

FILE = Path(__file__).with_name("glyphs.npz")
N_DRAWN = 400  # shapes of each digit that are drawn
CUT_OFF = (0.05, 0.3)  # of a digit's height or width, in pictures that do not show all of it
# Of a box around a digit, in heights of the digit.
BOX_MARGIN = (0.06, 0.4)
BOX_THICKNESS = (0.03, 0.15)


@cache
def faces() -> dict[str, list[list[Image.Image]]]:
    """Load the digits of all faces.

    Returns
    -------
    dict of str to list of list of PIL.Image.Image
        For ``"printed"``, ``"handwritten"`` and ``"segments"`` the ten digits of each face, cut to
        their ink; the digits of a face are about 40 pixels high. Half of the faces of segments are
        drawn, since fonts do not have all forms of 6, 7 and 9.
    """
    with np.load(FILE) as archive:
        images, sizes, kinds = archive["images"], archive["sizes"], archive["kinds"]
    found: dict[str, list[list[Image.Image]]] = {}
    for face, face_sizes, kind in zip(images, sizes, kinds.tolist(), strict=True):
        digits = [
            Image.fromarray(np.ascontiguousarray(image[:height, :width]))
            for image, (height, width) in zip(face, face_sizes, strict=True)
        ]
        found.setdefault(kind, []).append(digits)
    rng = np.random.default_rng(0)
    for _ in range(len(found["segments"])):
        drawn = map(Image.fromarray, seven_segment_digits(rng))
        found["segments"].append([digit.crop(digit.getbbox()) for digit in drawn])
    return found


@cache
def type_images(side: int) -> dict[str, np.ndarray]:
    """Make images of all digits of type in MNIST's style.

    Parameters
    ----------
    side : int
        Height and width of the images.

    Returns
    -------
    dict of str to ndarray of shape (n_faces, 10, side, side), uint8
        For each kind of `faces` the ten digits of each face, bright on black. For ``"cut"``,
        printed digits whose upper, right, lower or left side is missing, and for ``"boxed"`` ones
        with parts of a box around them; four for each face.
    """
    rng = np.random.default_rng(0)
    kinds = faces()
    changed: dict[str, list[list[Any]]] = {
        kind: [
            [change(digit, i, rng) for digit in face] for face in kinds["printed"] for i in range(4)
        ]
        for kind, change in (("cut", _cut_off), ("boxed", _boxed))
    }
    return {kind: centred(of_kind, side) for kind, of_kind in {**kinds, **changed}.items()}


def centred(of_kind: list[list[Image.Image]], side: int) -> np.ndarray:
    """Make images of the digits of faces in MNIST's style.

    Parameters
    ----------
    of_kind : list of list of PIL.Image.Image
        The digits of each face, as `faces` returns them.
    side : int
        Height and width of the images.

    Returns
    -------
    ndarray of shape (n_faces, 10, side, side), uint8
        Bright on black.
    """
    return np.array([[centre(np.asarray(d) / 255, side) for d in face] for face in of_kind])


def _cut_off(digit: Image.Image, turns: int, rng: np.random.Generator) -> np.ndarray:
    """A digit without a part at its top, or at the side that so many quarter turns bring there."""
    turned = np.rot90(np.asarray(digit), turns)
    return np.rot90(turned[round(len(turned) * rng.uniform(*CUT_OFF)) :], -turns)


def _boxed(digit: Image.Image, n_missing: int, rng: np.random.Generator) -> Image.Image:
    """A digit with what cleaning leaves of the cell of a form or the window of a meter.

    The box lacks so many of its sides, and parts of the others.
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


@cache  # since drawing takes a second
def drawings() -> tuple[np.ndarray, np.ndarray]:
    """Draw digits that are written as MNIST's are not.

    Returns
    -------
    images, labels : ndarray
        As of `pen.drawn_digits`; always the same.
    """
    return drawn_digits(N_DRAWN, np.random.default_rng(0))


@cache
def drawn_images(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Make images of digits that are written as MNIST's are not, in MNIST's style.

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
