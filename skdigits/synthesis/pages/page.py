"""A page that is drawn: its grey levels, and where its numbers stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from skdigits.synthesis.pages.spellings import numbers_in


@dataclass
class Run:
    """Characters side by side.

    Parameters
    ----------
    text : str
        The characters.
    edges : ndarray of shape (n, 2)
        Left and right of each character, in pixels from the start of the run.
    left, top, bottom : float
        Where the run starts, and the top and bottom of its digits.
    is_joined : bool, default=False
        Whether gaps between the characters have no meaning, as between the wheels of a meter.
    turn : int, default=0
        Quarters by which the run is turned anticlockwise.
    """

    text: str
    edges: np.ndarray
    left: float
    top: float
    bottom: float
    is_joined: bool = False
    turn: int = 0

    @property
    def right(self) -> float:
        """The right end of a run that is not turned."""
        return self.left + (float(self.edges[-1, 1]) if len(self.edges) else 0.0)

    def numbers(self) -> list[tuple[int, int]]:
        """Find the numbers: start and stop of each in `text`."""
        if self.is_joined:
            return [(0, len(self.text))] if any(map(str.isdigit, self.text)) else []
        return numbers_in(self.text)


@lru_cache(maxsize=4096)
def font_of(path: Path, size: int) -> Any:
    """Open a font."""
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def digit_bounds(path: Path, size: int) -> tuple[int, int]:
    """Return top and bottom of a font's digits, below the origin of its text."""
    _, top, _, bottom = font_of(path, size).getbbox("0")
    return top, bottom


@lru_cache(maxsize=1024)
def relative_height(path: Path) -> float:
    """Return the height of a font's digits, relative to its size."""
    top, bottom = digit_bounds(path, 100)
    return max(0.2, (bottom - top) / 100)


@dataclass
class Page:
    """Grey levels, and runs of characters on them.

    Parameters
    ----------
    width, height : int
        Size in pixels.
    paper : int
        Grey level of the background.
    runs : list of Run
        What was written.
    unknown : list of list of float
        Left, top, right and bottom of parts whose numbers are not known.
    """

    width: int
    height: int
    paper: int = 255
    runs: list[Run] = field(default_factory=list)
    unknown: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.picture = Image.new("L", (self.width, self.height), self.paper)
        self.pen = ImageDraw.Draw(self.picture)

    def write(
        self,
        text: str,
        left: float,
        top: float,
        digit_height: float,
        path: Path,
        ink: int,
        *,
        spacing: float = 0.0,
        right: bool = False,
        turn: int = 0,
    ) -> float:
        """Write text in a typeface; return its width.

        Parameters
        ----------
        text : str
            The text.
        left, top : float
            Left of the text (right of it with `right`), and top of its digits.
        digit_height : float
            Height of its digits.
        path : Path
            File of the font.
        ink : int
            Grey level.
        spacing : float, default=0.0
            Pixels added between two characters.
        right : bool, default=False
            Whether `left` is the right end.
        turn : int, default=0
            Quarters by which the text is turned anticlockwise.
        """
        size = max(4, round(digit_height / relative_height(path)))
        font = font_of(path, size)
        above, below = digit_bounds(path, size)
        ends = np.array([font.getlength(text[: i + 1]) for i in range(len(text))])
        starts = np.concatenate([[0.0], ends])[:-1]
        if spacing:
            shift = spacing * np.arange(len(text))
            starts, ends = starts + shift, ends + shift
        width = float(ends[-1]) if len(ends) else 0.0
        if right:
            left -= width
        run = Run(text, np.stack([starts, ends], 1), left, top, top + below - above, turn=turn)
        if turn:
            self._turned(run, width, above, font, ink)
        elif spacing:
            for character, start in zip(text, starts, strict=True):
                self.pen.text((left + start, top - above), character, fill=ink, font=font)
        else:
            self.pen.text((left, top - above), text, fill=ink, font=font)
        self.runs.append(run)
        return width

    def _turned(self, run: Run, width: float, above: int, font: Any, ink: int) -> None:
        """Write a run that is turned; `left` and `top` are those of the turned text."""
        height = round(run.bottom - run.top)
        side = (round(width) + 4, round(2 * height) + 4)
        mask = Image.new("L", side)
        ImageDraw.Draw(mask).text((2, 2 + height // 2 - above), run.text, fill=255, font=font)
        mask = mask.rotate(90 * run.turn, expand=True)
        self.picture.paste(ink, (round(run.left), round(run.top)), mask)

    def digits(
        self,
        text: str,
        pieces: list[Image.Image],
        lefts: np.ndarray,
        tops: np.ndarray,
        top: float,
        height: float,
        ink: int,
        *,
        is_joined: bool = False,
    ) -> None:
        """Paste characters: masks of their ink, each with its left and top, in a line at `top`."""
        edges = np.array(
            [(left, left + piece.width) for left, piece in zip(lefts, pieces, strict=True)]
        )
        for piece, x, y in zip(pieces, lefts, tops, strict=True):
            self.picture.paste(ink, (round(x), round(y)), piece)
        left = float(edges[0, 0])
        self.runs.append(Run(text, edges - left, left, top, top + height, is_joined))
