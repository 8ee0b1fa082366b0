"""Draw handwritten and printed lines of digits, in the style of cleaned pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from skdigits.synthesis.glyphs import N_DRAWN, centred, drawings, typefaces
from skdigits.synthesis.paper import as_image
from skdigits.synthesis.pen import SIGNS, draw, sign
from skdigits.synthesis.shapes import Shapes

if TYPE_CHECKING:
    from skdigits.synthesis.composition import TileLayout

SIZE = 32  # height of a digit in pixels while a line is composed
MARGIN = SIZE  # pixels around a line
MNIST_SIDE = 28  # pixels of images of single digits
STEEPEST = 0.9  # slant, in columns per row
# Shares of the kinds of lines in each style.
KINDS = {
    "handwritten": {"writer": 0.9, "handwritten": 0.1},
    "mixed": {"writer": 0.6, "handwritten": 0.1, "printed": 0.23, "segments": 0.07},
}
# Share of writers that write each digit with a shape that MNIST lacks.
DRAWN = {0: 0.2, 1: 0.45, 2: 0.2, 4: 0.2, 5: 0.25, 7: 0.45, 8: 0.15, 9: 0.4}
ITALIC = 0.12  # share of writers with a large slant
JOINED = (0, 2, 3, 5, 6, 8)  # digits that may be joined to the next one
BEFORE = ("$", "=", "#", "-", "*", "€")  # signs before the digits; "/" and "(" look like a 1
AFTER = ("-", "-", "=", "=", "/", "#", "*", "x")


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
    """

    image: np.ndarray
    digits: list[int]
    boxes: np.ndarray

    @property
    def text(self) -> str:
        """The digits as a string."""
        return "".join(map(str, self.digits))


@dataclass(frozen=True)
class Writer:
    """Properties of a writer, or of a printed line; lengths are in heights of a digit.

    Parameters
    ----------
    slant, aspect, gap, gap_change, size_change, slope, wobble : float
        Slant in columns to the right per row upwards; factor of the width; gap between two digits,
        and its standard deviation; relative standard deviation of heights; slope of the baseline in
        rows down per column, and the standard deviation of its position.
    thickness : float
        Rank of the thickness of strokes, from 0 to 1.
    is_level : bool
        True if the digits stand on a baseline; False if they are centred vertically.
    cell : float or None
        Width of the cells of a monospaced typeface.
    joins : float
        Share of neighbouring digits that are joined by a stroke.
    drawn : frozenset of int
        Digits for which drawn shapes are used.
    """

    slant: float
    aspect: float
    gap: float
    gap_change: float
    size_change: float
    slope: float
    wobble: float
    thickness: float = 0.5
    is_level: bool = True
    cell: float | None = None
    joins: float = 0.0
    drawn: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def writing(cls, rng: np.random.Generator) -> Writer:
        """Draw a random writer."""
        slant, aspect, gap, slope = rng.normal(size=4)
        return cls(
            slant=rng.uniform(0.3, STEEPEST) if rng.random() < ITALIC else 0.12 + 0.22 * slant,
            aspect=np.exp(0.05 + 0.22 * aspect),
            gap=0.12 + 0.14 * gap,
            gap_change=rng.uniform(0.02, 0.12),
            size_change=rng.uniform(0.02, 0.14),
            slope=0.04 * slope,
            wobble=rng.uniform(0, 0.06),
            thickness=rng.random(),
            is_level=rng.random() < 0.6,
            joins=rng.uniform(0.2, 0.8) if rng.random() < 0.15 else 0.0,
            drawn=frozenset(digit for digit, share in DRAWN.items() if rng.random() < share),
        )

    @classmethod
    def printing(cls, rng: np.random.Generator) -> Writer:
        """Draw the properties of a printed line at random."""
        slant, aspect, slope = rng.normal(size=3)
        is_rolling = rng.random() < 0.15  # the wheels of a meter
        return cls(
            slant=0.04 * slant,
            aspect=np.exp(0.12 * aspect),
            gap=rng.uniform(0.05, 0.4),
            gap_change=0.0,
            size_change=0.0,
            slope=0.015 * slope,
            wobble=0.12 if is_rolling else 0.0,
            cell=rng.uniform(0.65, 1.2) if is_rolling or rng.random() < 0.6 else None,
        )


def handwriting_typefaces() -> Shapes:
    """Make shapes from handwriting-like typefaces, to use without handwritten digits.

    Returns
    -------
    Shapes
        The digits of all typefaces of this kind.
    """
    images = centred(typefaces()["handwritten"], MNIST_SIDE)
    return Shapes(images.reshape(-1, MNIST_SIDE, MNIST_SIDE), np.tile(np.arange(10), len(images)))


@cache
def _drawn_shapes() -> Shapes:
    return Shapes(*drawings())


@cache
def _drawn_signs() -> dict[str, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return {
        kind: [draw(sign(kind, rng), rng.uniform(0.05, 0.14), rng) for _ in range(N_DRAWN // 5)]
        for kind in SIGNS
    }


def _benford(digits: np.ndarray) -> np.ndarray:
    """Return the frequency of first digits (Benford, "The law of anomalous numbers", 1938)."""
    return np.where(digits > 0, np.log10(1 + 1 / np.maximum(digits, 1)), 0)


class LineSynthesizer:
    """Synthesizer of lines of digits.

    Parameters
    ----------
    shapes : Shapes
        Handwritten digits.
    style : {"handwritten", "mixed"}
        Handwriting only, or also printed and seven-segment digits.
    """

    def __init__(self, shapes: Shapes, style: str) -> None:
        self.shapes = shapes
        self._kinds = list(KINDS[style])
        self._shares = list(KINDS[style].values())
        self._drawn, self._signs, self._typefaces = _drawn_shapes(), _drawn_signs(), typefaces()
        first = shapes.shares * _benford(shapes.digits)
        self._first_shares = first / first.sum() if first.any() else shapes.shares

    def write_many(self, n_lines: int, layout: TileLayout, rng: np.random.Generator) -> list[Line]:
        """Write lines.

        Parameters
        ----------
        n_lines : int
            Number of lines.
        layout : TileLayout
            Layout whose lengths are used.
        rng : numpy.random.Generator
            Random generator.

        Returns
        -------
        list of Line
            The lines.
        """
        numbers, shares = layout.length_weights()
        return [self.write(int(n), rng) for n in rng.choice(numbers, n_lines, p=shares)]

    def write(self, n_digits: int, rng: np.random.Generator) -> Line:
        """Write a line.

        Parameters
        ----------
        n_digits : int
            Number of digits.
        rng : numpy.random.Generator
            Random generator.

        Returns
        -------
        Line
            Its image, digits and boxes.
        """
        kind = self._kinds[rng.choice(len(self._kinds), p=self._shares)]
        digits = self._digits(n_digits, rng)
        is_print = kind in ("printed", "segments")
        writer = Writer.printing(rng) if is_print else Writer.writing(rng)
        typeface = None
        if kind != "writer":
            of_kind = self._typefaces[kind]
            typeface = of_kind[rng.integers(len(of_kind))]
        line = Sheet(n_digits, writer, rng)
        if rng.random() < 0.12:
            self._sign(line, BEFORE)
        for i, digit in enumerate(digits):
            left = n_digits - i - 1
            self._put(line, digit, typeface, is_raised=left < 2 and line.has_raised_end)
            if i and digits[i - 1] in JOINED and rng.random() < writer.joins:
                line.join()
            if left and rng.random() < (0.3 if left % 3 == 0 or left == 2 else 0.02):
                line.point()
        self._end(line)
        image, boxes = as_image(line.canvas[:, : int(line.x + MARGIN)], line.boxes, rng, is_print)
        return Line(image, digits, boxes)

    def _digits(self, n: int, rng: np.random.Generator) -> list[int]:
        """Draw digits with the frequencies of the handwritten ones; some lines look like amounts.

        Amounts end with zeros, and often begin with small digits.
        """
        shapes = self.shapes
        digits = rng.choice(shapes.digits, n, p=shapes.shares).tolist()
        if n > 2 and 0 in shapes.digits and rng.random() < 0.3:
            n_zeros = int(rng.integers(1, min(n, 6)))
            digits[-n_zeros:] = [0] * n_zeros
            digits[0] = int(rng.choice(shapes.digits, p=self._first_shares))
        return digits

    def _put(
        self, line: Sheet, digit: int, typeface: Sequence[Image.Image] | None, is_raised: bool
    ) -> None:
        if typeface is not None:
            line.put(typeface[digit], 0.0, is_raised)
        elif digit in line.writer.drawn:
            index = self._drawn.choose(digit, line.writer.thickness, line.rng)
            line.put(self._drawn.cut(index), 0.0, is_raised)
        else:
            index = self.shapes.choose(digit, line.writer.thickness, line.rng)
            picture, slant = self.shapes.cut(index), self.shapes.slants[index]
            if digit == 1 and picture.width > 0.8 * picture.height:  # wider than a one usually is
                picture = picture.resize((picture.width // 2, picture.height))
            line.put(picture, slant, is_raised)

    def _sign(self, line: Sheet, kinds: tuple[str, ...]) -> None:
        kind = kinds[line.rng.integers(len(kinds))]
        picture = Image.fromarray(self._signs[kind][line.rng.integers(N_DRAWN // 5)])
        line.put_sign(picture.crop(picture.getbbox()), at={"*": 0.4, "x": 0.7}.get(kind, 0.5))

    def _end(self, line: Sheet) -> None:
        rng = line.rng
        if rng.random() < 0.16:
            self._sign(line, AFTER)
            if rng.random() < 0.25:
                self._sign(line, AFTER[:2])
        elif line.boxes and rng.random() < 0.08:
            line.point()
        if line.boxes and rng.random() < 0.12:
            line.underline()
        line.specks()


class Sheet:
    """The sheet on which a line is written.

    Parameters
    ----------
    n_digits : int
        Number of digits.
    writer : Writer
        Properties of the line.
    rng : numpy.random.Generator
        Random generator.

    Attributes
    ----------
    canvas : ndarray of shape (height, width), uint8
        Ink, bright on black.
    x : float
        Left of the next digit.
    boxes : list of tuple of int
        Left, top, right and bottom of the digits.
    has_raised_end : bool
        True if the last two digits are small and raised, as cents often are.
    """

    def __init__(self, n_digits: int, writer: Writer, rng: np.random.Generator) -> None:
        self.writer, self.rng = writer, rng
        self.canvas = np.zeros((3 * SIZE, int((2.6 * n_digits + 8) * SIZE)), np.uint8)
        self.x = float(MARGIN)
        self.boxes: list[tuple[int, int, int, int]] = []
        self.has_raised_end = n_digits > 2 and rng.random() < 0.04

    def put(self, picture: Image.Image, picture_slant: float, is_raised: bool = False) -> None:
        """Append a digit.

        Parameters
        ----------
        picture : PIL.Image.Image
            The digit, cropped to its ink.
        picture_slant : float
            Slant of the picture, in columns to the right per row upwards.
        is_raised : bool, default=False
            True if the digit is small and raised.
        """
        writer, rng = self.writer, self.rng
        height = SIZE * max(0.4, 1 + rng.normal(0, writer.size_change)) * (0.65 if is_raised else 1)
        width = picture.width * height / picture.height * writer.aspect
        slant = writer.slant - 0.7 * picture_slant
        if writer.cell is None:
            slant += rng.normal(0, 0.05)
        tile = tilted(picture, width, height, np.clip(slant, -STEEPEST, STEEPEST), rng)
        middle = self._middle() + rng.normal(0, writer.wobble * SIZE)
        if is_raised:
            top = middle - 0.6 * SIZE
        else:
            top = middle + SIZE / 2 - height if writer.is_level else middle - height / 2
        x, step = self.x, tile.shape[1] + SIZE * (writer.gap + rng.normal(0, writer.gap_change))
        if writer.cell is not None:
            step = SIZE * writer.cell * writer.aspect
            x += max(0, (step - tile.shape[1]) / 2)
            step = max(step, tile.shape[1] + 1)
        self.boxes.append(self._paste(tile, x, top))
        self.x += step

    def put_sign(self, picture: Image.Image, at: float) -> None:
        """Append a sign.

        Parameters
        ----------
        picture : PIL.Image.Image
            The sign, cropped to its ink.
        at : float
            Vertical centre of the sign, from the top of the digits (0) to their baseline (1).
        """
        rng = self.rng
        height, width = (
            n * SIZE / 40 * rng.uniform(0.8, 1.2) for n in (picture.height, picture.width)
        )
        tile = tilted(picture, width, height, self.writer.slant, rng)
        if self.boxes:
            self.x += SIZE * rng.uniform(0, 0.25)
        self._paste(tile, self.x, self._middle() + (at - 0.5) * SIZE - height / 2)
        self.x += tile.shape[1] + SIZE * rng.uniform(0.05, 0.3)

    def point(self) -> None:
        """Append a point or a comma."""
        rng = self.rng
        size = max(2, round(rng.uniform(0.06, 0.14) * SIZE))
        bottom = self.boxes[-1][3] + round(SIZE * rng.normal(0, 0.05))
        x = round(self.x + SIZE * rng.uniform(-0.06, 0.08))
        n_rows = size if rng.random() < 0.6 else round(SIZE * rng.uniform(0.2, 0.45))
        slope = 0 if n_rows == size else 0.35
        for row in range(min(n_rows, len(self.canvas) - bottom + size)):
            left = round(x - slope * row)
            self.canvas[bottom - size + row, left : left + size] = 255
        self.x = max(self.x, x + size + SIZE * rng.uniform(0.02, 0.3))

    def join(self) -> None:
        """Join the last two digits by a stroke near their tops or bottoms."""
        rng, (before, after) = self.rng, self.boxes[-2:]
        side, inward = (1, 1) if rng.random() < 0.7 else (3, -1)
        ends = [box[side] + inward * SIZE * rng.uniform(0.05, 0.3) for box in (before, after)]
        reach = SIZE * rng.uniform(0.1, 0.4, 2)
        columns = np.arange(round(before[2] - reach[0]), round(after[0] + reach[1]))
        across = np.linspace(0, 1, len(columns))
        sag = SIZE * rng.normal(0, 0.15)
        rows = ends[0] + across * (ends[1] - ends[0]) + 4 * sag * across * (1 - across)
        thickness = int(rng.integers(2, 5))
        for column, row in zip(columns, rows.round().astype(int), strict=True):
            self.canvas[max(0, row) : max(0, row + thickness), column] = 255

    def underline(self) -> None:
        """Draw a line below some of the digits."""
        rng = self.rng
        top = round(max(box[3] for box in self.boxes) + SIZE * rng.uniform(-0.05, 0.2))
        first = round(rng.uniform(0.3, 1) * MARGIN + rng.uniform(0, 0.4) * (self.x - MARGIN))
        last = round(rng.uniform(first + SIZE / 3, self.x + SIZE / 2))
        self.canvas[top : top + rng.integers(1, 4), first:last] = rng.integers(120, 256)

    def specks(self) -> None:
        """Add specks at random positions."""
        rng = self.rng
        for _ in range(rng.poisson(0.5)):
            y, x = rng.integers(SIZE // 2, 5 * SIZE // 2), rng.integers(0, int(self.x + MARGIN / 2))
            height, width = rng.integers(1, 4), rng.integers(2, 7)
            self.canvas[y : y + height, x : x + width] = 255

    def _middle(self) -> float:
        return 1.5 * SIZE + self.writer.slope * (self.x - MARGIN)

    def _paste(self, tile: np.ndarray, x: float, top: float) -> tuple[int, int, int, int]:
        height, width = tile.shape
        left = int(min(max(x, 0), self.canvas.shape[1] - width))
        top = int(min(max(top, 0), len(self.canvas) - height))
        part = self.canvas[top : top + height, left : left + width]
        np.maximum(part, tile, out=part)
        return left, top, left + width, top + height


def tilted(
    picture: Image.Image, width: float, height: float, slant: float, rng: np.random.Generator
) -> np.ndarray:
    """Scale and slant a picture, and move its corners slightly.

    Parameters
    ----------
    picture : PIL.Image.Image
        A digit, cropped to its ink.
    width, height : float
        Size before the slant is applied, in pixels.
    slant : float
        Columns to the right per row upwards.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (tile_height, tile_width), uint8
        The digit, cropped to the columns of its ink.
    """
    lean = abs(slant) * height
    size = max(2, round(width + lean) + 2), max(2, round(height))
    scale = picture.width / max(width, 1)
    # Corners of the tile in the picture, counterclockwise from the upper left one.
    above, below = -scale * max(slant, 0) * height, -scale * max(-slant, 0) * height
    across, down = scale * size[0], picture.height
    corners = np.array([(above, 0), (below, down), (below + across, down), (above + across, 0)])
    corners += rng.normal(0, 0.04, (4, 2)) * [picture.width, down]
    tile = picture.transform(
        size, Image.Transform.QUAD, corners.ravel().tolist(), Image.Resampling.BILINEAR
    )
    box = tile.getbbox()
    return np.asarray(tile if box is None else tile.crop((box[0], 0, box[2], tile.height)))
