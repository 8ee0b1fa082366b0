"""Digits of printed, handwriting-like and seven-segment type; ``GLYPHS.md`` names the fonts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from skdigits.pictures.cleaning import centre

FILE = Path(__file__).with_name("glyphs.npz")


@cache
def faces() -> dict[str, list[list[Image.Image]]]:
    """Load the digits of all faces.

    Returns
    -------
    dict of str to list of list of PIL.Image.Image
        For ``"printed"``, ``"handwritten"`` and ``"segments"`` the ten digits of each face, cut to
        their ink; the digits of a face are about 40 pixels high.
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
    return found


@cache
def type_images(side) -> tuple[np.ndarray, np.ndarray]:
    """Make images of the digits of all faces in the style of MNIST.

    Parameters
    ----------
    side : int
        Height and width in pixels.

    Returns
    -------
    images : ndarray of shape (10 * n_faces, side, side), uint8
        Bright on black, face by face.
    digits : ndarray of shape (10 * n_faces,), int
        The digits.
    """
    of_all = [digits for of_kind in faces().values() for digits in of_kind]
    images = [centre(np.asarray(face[digit]) / 255, side) for face in of_all for digit in range(10)]
    return np.stack(images), np.tile(np.arange(10), len(of_all))
