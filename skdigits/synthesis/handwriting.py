"""Draw lines of handwritten or printed digits that look like cleaned pictures.

A new style of lines needs an entry in `KINDS`, in ``composition.STYLES`` and in the signature of
`DigitSequenceRecognizer`. A new source of digit images needs an entry in the collections of
`LineSynthesizer`. The styles of single digits are in ``training/augmentation.py`` and
``training/printed_samples.py``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image
from sklearn.utils import gen_batches

from skdigits.synthesis import pen
from skdigits.synthesis.glyphs import N_DRAWN, centred, drawings, typefaces
from skdigits.synthesis.paper import as_images
from skdigits.synthesis.shapes import Shapes
from skdigits.synthesis.sheet import SIZE, Sheet, Tiles
from skdigits.synthesis.symbols import COMMAS, NONE, SIGN, Symbols
from skdigits.synthesis.tilting import Pictures, tilted
from skdigits.synthesis.writers import STEEPEST, Writers

if TYPE_CHECKING:
    from skdigits.synthesis.composition import TileLayout

AT_A_TIME = 256  # lines drawn at once
MOST_PIXELS = 2**24  # maximum number of pixels of the digits drawn at once, to limit memory
MNIST_SIDE = 28  # pixels; height and width of an image of a single digit
# Shares of the kinds of lines in each style.
KINDS = {
    "handwritten": {"writer": 0.9, "handwritten": 0.1},
    "mixed": {"writer": 0.6, "handwritten": 0.1, "printed": 0.23, "segments": 0.07},
}
RAISED = 0.65  # height of raised digits, relative to the other digits
# Vertical centre of each symbol, as in `Tiles.level`; NaN for digits: it depends on the writer.
LEVELS = np.array(SIGN * [np.nan] + [{"*": 0.4, "x": 0.7}.get(kind, 0.5) for kind in pen.SIGNS])
WRITTEN, DRAWN, SIGNS, TYPE = range(4)  # numbers of the collections of pictures


class Line(NamedTuple):
    """A line of digits.

    Parameters
    ----------
    image : ndarray of shape (28, width), uint8
        Bright on black.
    digits : list of int
        The digits.
    boxes : ndarray of shape (n_digits, 4), float
        Left, top, right and bottom of each digit in pixels.
    text : str
        The digits, and the signs of the line that are in `LineSynthesizer.signs`.
    """

    image: np.ndarray
    digits: list[int]
    boxes: np.ndarray
    text: str


class Typefaces(NamedTuple):
    """Digits of typefaces.

    Parameters
    ----------
    images : ndarray of shape (10 * n_typefaces, height, width), uint8
        The ten digits of each typeface, each in the upper left corner of its image.
    boxes : ndarray of shape (10 * n_typefaces, 4), int
        Left, top, right and bottom of each digit.
    of_kind : dict of str to range
        Indices of the typefaces of each kind.
    """

    images: np.ndarray
    boxes: np.ndarray
    of_kind: dict[str, range]


def handwriting_typefaces() -> Shapes:
    """Make shapes from all handwriting-like typefaces, for use without handwritten digits."""
    images = centred(typefaces()["handwritten"], MNIST_SIDE)
    return Shapes(images.reshape(-1, MNIST_SIDE, MNIST_SIDE), np.tile(np.arange(10), len(images)))


@cache
def _drawn_shapes() -> Shapes:
    return Shapes(*drawings())


@cache
def _drawn_signs() -> Shapes:
    rng, n = np.random.default_rng(0), N_DRAWN // 5
    drawn = [
        pen.draw(pen.sign(kind, rng), rng.uniform(0.05, 0.14), rng)
        for kind in pen.SIGNS
        for _ in range(n)
    ]
    return Shapes(np.stack(drawn), np.repeat(np.arange(len(pen.SIGNS)) + SIGN, n))


@cache
def _type() -> Typefaces:
    digits: list[Image.Image] = []
    of_kind = {}
    for kind, faces in typefaces().items():
        of_kind[kind] = range(len(digits) // 10, len(digits) // 10 + len(faces))
        digits += [digit for face in faces for digit in face]
    widths, heights = np.array([digit.size for digit in digits]).T
    images = np.zeros((len(digits), heights.max(), widths.max()), np.uint8)
    for image, digit in zip(images, digits, strict=True):
        image[: digit.height, : digit.width] = digit
    corners = np.zeros_like(widths)
    return Typefaces(images, np.stack([corners, corners, widths, heights], axis=1), of_kind)


def _benford(digits: np.ndarray) -> np.ndarray:
    """Return the frequencies of first digits (Benford, "The law of anomalous numbers", 1938)."""
    return np.where(digits > 0, np.log10(1 + 1 / np.maximum(digits, 1)), 0)


class LineSynthesizer:
    """Synthesizer of lines of digits.

    Parameters
    ----------
    shapes : Shapes
        Handwritten digits.
    style : {"handwritten", "mixed"}
        Only handwriting, or also printed and seven-segment digits.
    signs : str, default=""
        Signs that the texts contain; other signs occur only in the images.
    """

    def __init__(self, shapes: Shapes, style: str, signs: str = "") -> None:
        self.signs = signs
        self.shapes, self._kinds, self._type = shapes, KINDS[style], _type()
        self._drawn = shapes, _drawn_shapes(), _drawn_signs()
        self._collections = *self._drawn, self._type
        first = shapes.shares * _benford(shapes.digits)
        self._first_shares = first / first.sum() if first.any() else shapes.shares

    def write_many(self, n_lines: int, layout: TileLayout, rng: np.random.Generator) -> list[Line]:
        """Write `n_lines` lines, in parts that limit memory; only the layout's lengths are used."""
        numbers, shares = layout.length_weights()
        lengths = rng.choice(numbers, n_lines, p=shares)
        pixels = self.shapes.images[0].size * max(1, *numbers)
        parts = gen_batches(n_lines, int(np.clip(MOST_PIXELS // pixels, 1, AT_A_TIME)))
        return [line for part in parts for line in self.write(lengths[part], rng)]

    def write(self, lengths: np.ndarray, rng: np.random.Generator) -> list[Line]:
        """Write several lines; `lengths`, of shape (n_lines,), has the number of digits of each."""
        kinds = rng.choice(list(self._kinds), len(lengths), p=list(self._kinds.values()))
        is_print = np.isin(kinds, ("printed", "segments"))
        writers, digits = Writers.of(is_print, rng), self._digits(lengths, rng)
        symbols = Symbols.around(digits, rng)
        collection, index = self._choose(symbols, kinds, writers, rng)
        tiles = self._tiles(symbols, collection, index, writers, rng)
        images, boxes = as_images(Sheet.write(tiles, writers, rng), is_print, rng)
        ends = np.cumsum(lengths)[:-1]
        point = np.where(tiles.has_point, np.where(tiles.is_comma, ",", "."), "")
        texts = symbols.texts(point, self.signs)
        parts = images, np.split(digits[digits != NONE], ends), np.split(boxes, ends), texts
        return [
            Line(image, line.tolist(), its, text)
            for image, line, its, text in zip(*parts, strict=True)
        ]

    def _digits(self, lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Choose digits at random, with the frequencies in `shapes`.

        Some lines look like amounts of money: they end with zeros, and often begin with small
        digits. Each row of the result has the digits of one line, followed by `NONE`.
        """
        shapes, place = self.shapes, np.arange(max(lengths))
        lengths = lengths[:, np.newaxis]
        digits = rng.choice(shapes.digits, (len(lengths), len(place)), p=shapes.shares)
        n_zeros = rng.integers(1, np.clip(lengths, 2, 6))
        is_amount = (lengths > 2) & (0 in shapes.digits) & (rng.random(lengths.shape) < 0.3)
        first = rng.choice(shapes.digits, lengths.shape, p=self._first_shares)
        digits = np.where(is_amount & (place >= lengths - n_zeros), 0, digits)
        digits = np.where(is_amount & (place == 0), first, digits)
        return np.where(place < lengths, digits, NONE)

    def _choose(
        self, symbols: Symbols, kinds: np.ndarray, writers: Writers, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose a picture for each symbol.

        Returns, for each symbol, the index of a collection, and of the picture in this collection.
        """
        line, value = symbols.line, symbols.value
        is_drawn = writers.drawn[line, value % SIGN]
        collection = np.where(is_drawn, DRAWN, WRITTEN)
        collection[kinds[line] != "writer"] = TYPE
        collection[~symbols.is_digit] = SIGNS
        ranks = np.where(symbols.is_digit, writers.thickness[line], rng.random(len(line)))
        faces = np.zeros(len(kinds), int)
        for kind, of_kind in self._type.of_kind.items():
            faces[kinds == kind] = rng.choice(of_kind, (kinds == kind).sum())
        index = 10 * faces[line] + value  # of digits in the collection `TYPE`
        for number, shapes in enumerate(self._drawn):
            chosen = collection == number
            index[chosen] = shapes.choose(value[chosen], ranks[chosen], rng)
        return collection, index

    def _tiles(
        self,
        symbols: Symbols,
        collection: np.ndarray,
        index: np.ndarray,
        writers: Writers,
        rng: np.random.Generator,
    ) -> Tiles:
        """Scale and slant the chosen pictures."""
        n, writer, is_digit = len(index), writers[symbols.line], symbols.is_digit
        pictures, is_raised = (
            Pictures.cut(self._collections, collection, index),
            symbols.raised(rng),
        )
        width, slant, is_written = pictures.width.copy(), writer.slant.copy(), collection == WRITTEN
        is_wide = is_written & (symbols.value == 1) & (width > 0.8 * pictures.height)
        width[is_wide] //= 2  # most ones are narrower
        slant[is_written] -= 0.7 * self.shapes.slants[index[is_written]]
        slant += rng.normal(0, 0.05, n) * (is_digit & np.isnan(writer.cell))
        sign_scales = SIZE / pen.HEIGHT * rng.uniform(0.8, 1.2, (2, n))
        height = SIZE * np.maximum(0.4, rng.normal(1, writer.size_change))
        height = np.where(is_raised, RAISED * height, height)
        height = np.where(is_digit, height, pictures.height * sign_scales[0])
        scale = np.where(is_digit, height / pictures.height * writer.aspect, sign_scales[1])
        return Tiles(
            tilted(pictures, width * scale, height, slant.clip(-STEEPEST, STEEPEST), rng),
            symbols.line,
            height,
            LEVELS[symbols.value],
            is_raised,
            symbols.joined(writer.joins, rng),
            symbols.with_points(rng),
            rng.random(n) < COMMAS,
        )
