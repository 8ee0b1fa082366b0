"""Write many lines side by side on one sheet: digits, signs, joins, underlines and specks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdigits.synthesis.strips import Strip
from skdigits.synthesis.writers import Writers

SIZE = 32  # height of a digit in pixels while a line is composed
MARGIN = SIZE  # pixels at both ends of a line
HEIGHT = 3 * SIZE  # pixels; height of the sheet


@dataclass(frozen=True)
class Tiles:
    """Digits and signs of all lines, in the order in which they are written.

    Parameters
    ----------
    images : list of ndarray of shape (height, width), uint8
        Image of each tile, scaled and slanted.
    line : ndarray of shape (n_tiles,), int
        Index of the line of each tile, ascending.
    height : ndarray of shape (n_tiles,), float
        Height of each tile before rounding, in pixels.
    level : ndarray of shape (n_tiles,), float
        Vertical centre of a sign, from the top of the digits (0) to their baseline (1); NaN for a
        digit.
    is_raised : ndarray of shape (n_tiles,), bool
        True for small raised digits, like those of cents.
    is_joined : ndarray of shape (n_tiles,), bool
        True for digits that are joined to the digit before.
    has_point : ndarray of shape (n_tiles,), bool
        True for digits with a point or a comma after them.
    is_comma : ndarray of shape (n_tiles,), bool
        True if the mark after a digit is a comma.
    """

    images: list[np.ndarray]
    line: np.ndarray
    height: np.ndarray
    level: np.ndarray
    is_raised: np.ndarray
    is_joined: np.ndarray
    has_point: np.ndarray
    is_comma: np.ndarray

    @property
    def is_digit(self) -> np.ndarray:
        """True for digits, False for signs."""
        return np.isnan(self.level)


@dataclass(frozen=True)
class Bars:
    """Rectangles of ink.

    Parameters
    ----------
    line, left, top, width, height : ndarray of shape (n_bars,), int
        For each bar: the index of its line, its position on this line, and its size, in pixels.
    ink : ndarray of shape (n_bars,), uint8, or int, default=255
        Grey level of each bar.
    """

    line: np.ndarray
    left: np.ndarray
    top: np.ndarray
    width: np.ndarray
    height: np.ndarray
    ink: np.ndarray | int = 255

    def paint(self, canvas: np.ndarray, starts: np.ndarray) -> None:
        """Paint the rectangles on a sheet.

        Parameters
        ----------
        canvas : ndarray of shape (height, width), uint8
            The sheet; changed in place.
        starts : ndarray of shape (n_lines + 1,), int
            Left column of each line, and end of the last line; bars are clipped to their lines.
        """
        first, last = starts[self.line], starts[self.line + 1]
        left = np.clip(first + self.left, first, last)
        right = np.clip(first + self.left + self.width, first, last)
        top, bottom = np.maximum([self.top, self.top + self.height], 0)
        ink = np.broadcast_to(self.ink, left.shape)
        sides = (values.tolist() for values in (left, top, right, bottom, ink))
        for x, y, end, below, value in zip(*sides, strict=True):
            canvas[y:below, x:end] = value


@dataclass(frozen=True)
class Sheet:
    """A sheet with lines side by side.

    Parameters
    ----------
    lines : Strip
        Ink, bright on black.
    boxes : ndarray of shape (n_digits, 4), int
        Left, top, right and bottom of each digit, in pixels of its line.
    line : ndarray of shape (n_digits,), int
        Index of the line of each digit.
    """

    lines: Strip
    boxes: np.ndarray
    line: np.ndarray

    @classmethod
    def write(cls, tiles: Tiles, writers: Writers, rng: np.random.Generator) -> Sheet:
        """Write the lines of `tiles`; `writers` has the properties of each line."""
        line, is_digit, writer = tiles.line, tiles.is_digit, writers[tiles.line]
        size = np.array([image.shape[::-1] for image in tiles.images], int).reshape(-1, 2).T
        with_point = np.flatnonzero(tiles.has_point)
        points = Points.draw(with_point, tiles.is_comma[with_point], rng)
        before, inset, step = _steps(tiles, size[0], writer, rng)
        advance = before + step
        advance[points.tile] += points.room()
        lengths = np.bincount(line, advance, len(writers))
        starts = np.concatenate([[0], np.cumsum((lengths + 2 * MARGIN).astype(int))])
        along = before + np.cumsum(advance) - advance - (np.cumsum(lengths) - lengths)[line]
        most = np.diff(starts)[line] - size[0], HEIGHT - size[1]
        corners = [MARGIN + along + inset, _tops(tiles, along, writer, rng)]
        corners = np.clip(corners, 0, most).astype(int)
        boxes = np.concatenate([corners, corners + size]).T
        canvas = np.zeros((HEIGHT, starts[-1]), np.uint8)
        places = boxes + starts[line, np.newaxis] * [1, 0, 1, 0]
        for image, (x, y, right, bottom) in zip(tiles.images, places.tolist(), strict=True):
            part = canvas[y:bottom, x:right]
            np.maximum(part, image, out=part)
        ends = MARGIN + lengths
        for bars in (
            joins(boxes, line, np.flatnonzero(tiles.is_joined), rng),
            points.bars(boxes[points.tile, 3], line, MARGIN + along + step, rng),
            underlines(boxes[is_digit, 3], line[is_digit], ends, rng),
            specks(ends, rng),
        ):
            bars.paint(canvas, starts)
        return cls(Strip(canvas, starts), boxes[is_digit], line[is_digit])


def _steps(
    tiles: Tiles, widths: np.ndarray, writer: Writers, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the horizontal distances of tiles.

    For each tile: the space before it, its inset in its cell, and the step to the next tile.
    """
    n, is_digit = len(widths), tiles.is_digit
    is_first = np.diff(tiles.line, prepend=-1) > 0
    before = np.where(is_digit | is_first, 0, SIZE * rng.uniform(0, 0.25, n))
    gap = SIZE * rng.normal(writer.gap, writer.gap_change)
    after = np.where(is_digit, gap, SIZE * rng.uniform(0.05, 0.3, n))
    cell = np.where(is_digit, SIZE * writer.cell * writer.aspect, np.nan)  # NaN without cells
    step = np.where(np.isnan(cell), widths + after, np.maximum(cell, widths + 1))
    return before, np.fmax(0, (cell - widths) / 2), step


def _tops(tiles: Tiles, along: np.ndarray, writer: Writers, rng: np.random.Generator) -> np.ndarray:
    """Return the row of the top of each tile."""
    middle = HEIGHT / 2 + writer.slope * along
    sign = middle + (tiles.level - 0.5) * SIZE - tiles.height / 2
    middle += rng.normal(0, writer.wobble * SIZE)
    level = middle + np.where(writer.is_level, SIZE / 2 - tiles.height, -tiles.height / 2)
    digit = np.where(tiles.is_raised, middle - 0.6 * SIZE, level)
    return np.where(tiles.is_digit, digit, sign)


@dataclass(frozen=True)
class Points:
    """Points and commas after digits; lengths are in pixels.

    Parameters
    ----------
    tile : ndarray of shape (n_points,), int
        Index of the tile before each point.
    is_comma : ndarray of shape (n_points,), bool
        True for commas.
    size : ndarray of shape (n_points,), int
        Width of each point.
    shift, space : ndarray of shape (n_points,), float
        Distance of each point from the end of its tile's step, and space after the point.
    """

    tile: np.ndarray
    is_comma: np.ndarray
    size: np.ndarray
    shift: np.ndarray
    space: np.ndarray

    @classmethod
    def draw(cls, tile: np.ndarray, is_comma: np.ndarray, rng: np.random.Generator) -> Points:
        """Choose the sizes and positions of points at random."""
        n = len(tile)
        size = np.rint(SIZE * rng.uniform(0.06, 0.14, n)).astype(int)
        shift, space = SIZE * rng.uniform([[-0.06], [0.02]], [[0.08], [0.3]], (2, n))
        return cls(tile, is_comma, np.maximum(2, size), shift, space)

    def room(self) -> np.ndarray:
        """Return the number of pixels by which each point moves the next tile to the right."""
        return np.maximum(0, self.shift + self.size + self.space)

    def bars(
        self, bottoms: np.ndarray, line: np.ndarray, ends: np.ndarray, rng: np.random.Generator
    ) -> Bars:
        """Return the ink of the points.

        Parameters
        ----------
        bottoms : ndarray of shape (n_points,), int
            Bottom of the digit before each point.
        line : ndarray of shape (n_tiles,), int
            Index of the line of each tile.
        ends : ndarray of shape (n_tiles,), float
            Column at which the step of each tile ends.
        rng : numpy.random.Generator
            Random generator.

        Returns
        -------
        Bars
            One bar for each row of a point.
        """
        n, size, is_comma = len(self.tile), self.size, self.is_comma
        n_rows = np.where(is_comma, SIZE * rng.uniform(0.2, 0.45, n), size)
        left, top = ends[self.tile] + self.shift, bottoms + SIZE * rng.normal(0, 0.05, n) - size
        point, row = enumerated(np.rint(n_rows).astype(int))
        left = np.rint(left[point] - 0.35 * is_comma[point] * row).astype(int)
        top = np.rint(top).astype(int)[point] + row
        return Bars(line[self.tile[point]], left, top, size[point], np.ones_like(row))


def joins(
    boxes: np.ndarray, line: np.ndarray, joined: np.ndarray, rng: np.random.Generator
) -> Bars:
    """Join tiles to the tiles before them, by strokes near their tops or bottoms.

    Parameters
    ----------
    boxes : ndarray of shape (n_tiles, 4), int
        Left, top, right and bottom of each tile.
    line : ndarray of shape (n_tiles,), int
        Index of the line of each tile.
    joined : ndarray of shape (n_joins,), int
        Indices of the tiles that are joined to the tile before.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    Bars
        One bar for each column of a stroke.
    """
    n, pair = len(joined), np.array([joined - 1, joined])
    is_above = rng.random(n) < 0.7
    inward = SIZE * rng.uniform(0.05, 0.3, (2, n))
    start, end = np.where(is_above, boxes[pair, 1] + inward, boxes[pair, 3] - inward)
    reach, sag = SIZE * rng.uniform(0.1, 0.4, (2, n)), SIZE * rng.normal(0, 0.15, n)
    first = np.rint(boxes[pair[0], 2] - reach[0]).astype(int)
    last = np.rint(boxes[pair[1], 0] + reach[1]).astype(int)
    join, column = enumerated(np.maximum(last - first, 0))
    across = column / np.maximum(last - first - 1, 1)[join]
    top = start[join] + across * (end - start)[join] + 4 * sag[join] * across * (1 - across)
    thickness = rng.integers(2, 5, n)[join]
    top = np.rint(top).astype(int)
    return Bars(line[joined[join]], first[join] + column, top, np.ones_like(column), thickness)


def underlines(
    bottoms: np.ndarray, line: np.ndarray, ends: np.ndarray, rng: np.random.Generator
) -> Bars:
    """Underline some digits of some lines.

    Parameters
    ----------
    bottoms : ndarray of shape (n_digits,), int
        Bottom of each digit.
    line : ndarray of shape (n_digits,), int
        Index of the line of each digit.
    ends : ndarray of shape (n_lines,), float
        Column at which each line ends.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    Bars
        The underlines.
    """
    lowest = np.zeros(len(ends), int)
    np.maximum.at(lowest, line, bottoms)
    lines = np.flatnonzero((rng.random(len(ends)) < 0.12) & (lowest > 0))
    n, end = len(lines), ends[lines]
    top = np.rint(lowest[lines] + SIZE * rng.uniform(-0.05, 0.2, n)).astype(int)
    first = rng.uniform(0.3, 1, n) * MARGIN + rng.uniform(0, 0.4, n) * (end - MARGIN)
    left = np.rint(first).astype(int)
    right = np.rint(rng.uniform(left + SIZE / 3, end + SIZE / 2)).astype(int)
    return Bars(lines, left, top, right - left, rng.integers(1, 4, n), rng.integers(120, 256, n))


def specks(ends: np.ndarray, rng: np.random.Generator) -> Bars:
    """Make specks at random positions; `ends` are the columns at which the lines end."""
    line, _ = enumerated(rng.poisson(0.5, len(ends)))
    n = len(line)
    left = rng.integers(0, (ends + MARGIN / 2).astype(int)[line])
    top = rng.integers(SIZE // 2, 5 * SIZE // 2, n)
    return Bars(line, left, top, rng.integers(2, 7, n), rng.integers(1, 4, n))


def enumerated(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Enumerate the elements of consecutive groups.

    Parameters
    ----------
    counts : ndarray of shape (n,), int
        Number of elements of each group.

    Returns
    -------
    which, position : ndarray of shape (counts.sum(),), int
        Index of the group of each element, and position of the element in its group.
    """
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - (np.cumsum(counts) - counts)[which]
