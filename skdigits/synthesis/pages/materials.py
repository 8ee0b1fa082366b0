"""What pages are made of: fonts, handwritten digits, photographs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skdigits.synthesis import pen
from skdigits.synthesis.composition import TileLayout
from skdigits.synthesis.glyphs import typefaces
from skdigits.synthesis.handwriting import Line, LineSynthesizer
from skdigits.synthesis.shapes import Shapes

LINES_AT_A_TIME = 256
WRITTEN_SIGNS = ".,-/:$€# "  # signs that `Materials.written` draws


@dataclass
class Materials:
    """What pages are made of.

    Parameters
    ----------
    fonts : dict of str to list of Path
        Font files: ``"printed"`` and ``"handwritten"``.
    images : ndarray of shape (n, 28, 28), uint8
        Single handwritten digits, bright on black.
    labels : ndarray of shape (n,)
        Their labels, 0–9.
    photographs : list of ndarray of shape (height, width), uint8
        Pictures without numbers, in grey levels.
    """

    fonts: dict[str, list[Path]]
    images: np.ndarray
    labels: np.ndarray
    photographs: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines: list[Line] = []  # drawn, but not yet used
        self._of_label = [np.flatnonzero(self.labels == digit) for digit in range(10)]

    def font(self, rng: np.random.Generator, kind: str = "printed") -> Path:
        """Choose a font."""
        fonts = self.fonts[kind]
        return fonts[rng.integers(len(fonts))]

    def line(self, rng: np.random.Generator) -> Line:
        """Draw a line of digits and signs as `make_digit_sequences` does in the style "mixed"."""
        if not self._lines:
            shapes = Shapes(self.images, self.labels, None)
            synthesizer = LineSynthesizer(shapes, "mixed", WRITTEN_SIGNS.strip())
            self._lines += synthesizer.write_many(LINES_AT_A_TIME, TileLayout(lengths=(1, 8)), rng)
        return self._lines.pop()

    def written(
        self, text: str, height: float, rng: np.random.Generator
    ) -> tuple[list[Image.Image], np.ndarray, np.ndarray]:
        """Draw a number as one writer writes it.

        Parameters
        ----------
        text : str
            Digits, and some of `WRITTEN_SIGNS`.
        height : float
            Height of a digit in pixels.
        rng : numpy.random.Generator
            Random generator.

        Returns
        -------
        pieces : list of PIL.Image.Image
            A mask of ink per character.
        lefts, tops : ndarray of shape (n,)
            Where each belongs, relative to the top left corner of the number.
        """
        slant = rng.normal(0, 0.18)
        wide = rng.uniform(0.8, 1.25)
        thickness = rng.uniform(0.05, 0.16)
        space = rng.normal(0.12, 0.1)
        pieces, lefts, tops = [], [], []
        at = 0.0
        for character in text:
            if character == " ":
                pieces.append(Image.new("L", (1, 1)))
                lefts.append(at)
                tops.append(0.0)
                at += rng.uniform(0.2, 0.5) * height
                continue
            piece, drop = self._character(character, height, wide, slant, thickness, rng)
            pieces.append(piece)
            lefts.append(at)
            tops.append(drop + rng.normal(0, 0.04) * height)
            at += piece.width + max(-0.12, rng.normal(space, 0.07)) * height
        return pieces, np.array(lefts), np.array(tops)

    def _character(
        self,
        character: str,
        height: float,
        wide: float,
        slant: float,
        thickness: float,
        rng: np.random.Generator,
    ) -> tuple[Image.Image, float]:
        """Draw one character; return its mask, and its distance from the top of the line."""
        if character.isdigit():
            chosen = self._of_label[int(character)]
            image = Image.fromarray(self.images[chosen[rng.integers(len(chosen))]])
            tall, below = height * rng.uniform(0.88, 1.12), 0.0
        elif character in ".,:":
            return _point(character, height, rng)
        else:
            strokes = pen.sign(character, rng)
            image = Image.fromarray(pen.draw(strokes, thickness, rng))
            if character == "-":
                image = image.crop(image.getbbox())
                w = max(2, round(height * rng.uniform(0.3, 0.6)))
                h = max(1, round(image.height * w / image.width))
                return image.resize((w, h)), height * rng.uniform(0.4, 0.6)
            tall, below = height * rng.uniform(0.9, 1.3), -0.08 * height
        image = image.crop(image.getbbox() or (0, 0, 1, 1))
        width = max(2, round(tall * wide * image.width / image.height))
        return slanted(image, (width, max(3, round(tall))), slant), below


def slanted(image: Image.Image, size: tuple[int, int], slant: float) -> Image.Image:
    """Scale an image to a width and height, and slant it, which makes it wider."""
    width, height = size
    start = -slant * height if slant > 0 else 0.0
    scale = image.width / width
    matrix = (scale, slant * scale, start * scale, 0.0, image.height / height, 0.0)
    wider = width + round(abs(slant) * height), height
    return image.transform(wider, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _point(character: str, height: float, rng: np.random.Generator) -> tuple[Image.Image, float]:
    side = max(2, round(height * rng.uniform(0.08, 0.2)))
    tall = {".": side, ",": round(side * rng.uniform(1.6, 2.8)), ":": round(height * 0.6)}[
        character
    ]
    piece = np.zeros((tall, side + (2 if character == "," else 0)), np.uint8)
    if character == ",":
        for row in range(tall):
            start = round((piece.shape[1] - side) * (1 - row / tall))
            piece[row, start : start + max(1, round(side * (1 - 0.5 * row / tall)))] = 255
    elif character == ".":
        piece[:] = 255
    else:
        piece[:side] = piece[-side:] = 255
    drop = height - tall + (side if character == "," else 0) if character != ":" else 0.25 * height
    return Image.fromarray(piece), drop


def segment_pieces(
    text: str, height: float, rng: np.random.Generator
) -> tuple[list[Image.Image], np.ndarray, float]:
    """Draw a number as a seven-segment display shows it.

    Returns
    -------
    pieces : list of PIL.Image.Image
        A mask per character.
    lefts : ndarray of shape (n,)
        Where each belongs.
    pitch : float
        Distance between two digits.
    """
    faces: Any = typefaces()["segments"]
    face = faces[rng.integers(len(faces))]
    usual = np.median([digit.height for digit in face])
    scale = height / usual
    widths = [digit.width for digit in face]
    pitch = (np.median(widths) * rng.uniform(1.12, 1.5 if rng.random() < 0.6 else 2.2)) * scale
    at, pieces, lefts = 0.0, [], []
    side = max(2, round(height * rng.uniform(0.08, 0.16)))
    for character in text:
        if character.isdigit():
            digit = face[int(character)]
            size = max(1, round(digit.width * scale)), max(3, round(digit.height * scale))
            pieces.append(digit.resize(size, Image.Resampling.BILINEAR))
            # Narrow digits, as 1, stand at the right of their place.
            lefts.append(at + max(0, (np.median(widths) * scale - size[0])))
            at += pitch
        elif character == "-":
            pieces.append(Image.new("L", (max(2, round(height * 0.4)), max(1, side // 2)), 255))
            lefts.append(at)
            at += pitch
        else:
            piece = Image.new("L", (side, round(height) if character == ":" else side), 0)
            dots = [0.25, 0.65] if character == ":" else [0.0]
            for y in dots:
                top = round(y * height)
                piece.paste(255, (0, top, side, top + side))
            gap = pitch - np.median(widths) * scale
            pieces.append(piece)
            lefts.append(at - gap / 2 - side / 2)
            at += side * rng.uniform(0, 1.5) if character == ":" else rng.uniform(0, 0.6) * side
    return pieces, np.array(lefts), float(pitch)
