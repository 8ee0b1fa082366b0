"""Drawings of pages with the boxes and labels of their lines."""

from __future__ import annotations

import functools
import io
import itertools
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skdigits.cli.read.labels import place_labels

if TYPE_CHECKING:
    from skdigits.cli.read.pages import Page


class Paint(NamedTuple):
    """Colours of a box and its label."""

    outline: str
    background: str


# Blue and orange of Okabe and Ito's palette, which colour-blind people can distinguish.
CERTAIN, DOUBTFUL = Paint("#0072b2", "#ffffff"), Paint("#d55e00", "#ffdca8")
HALO = "#ffffff"  # around an outline, which stays visible on dark pictures
TEXT = "#000000"  # has a contrast of more than 15:1 to both backgrounds
DOUBTFUL_BELOW = 0.9  # confidence
LONGEST_TEXT = 24  # characters of a label
SMALLEST_NUMBER = 24  # pixels; pictures whose numbers have a smaller median height are enlarged
SMALLEST_PICTURE = 500  # pixels; pictures whose longer side is shorter are enlarged
LARGEST_PICTURE = 12_000_000  # maximum number of pixels of an enlarged picture
N_SIZES = 5  # number of letter sizes that are tried, from the preferred to the smallest
SMALLEST_LETTERS = 11  # pixels
OF_NUMBER = 0.6  # preferred size of letters, relative to the median height of numbers
OF_PICTURE = (1 / 110, 1 / 28)  # limits of the preferred size, relative to the longer side
PADDING = (0.4, 0.2)  # horizontal and vertical margin of a text, relative to the letter size
EDGE_OF_NUMBER = 0.1  # width of the soft edge around a number, relative to its height
EDGE = 24  # grey levels; ink has a larger contrast
UNITS = 1800  # grid units of boxes and labels per longer side; a unit is at least one pixel
STROKE = 2  # units; width of outlines
OUTWARDS = np.array([-1, -1, 1, 1])
LONGEST_NAME = 50  # characters of a file name; a character can have up to four bytes


def draw_boxes(picture: Any, readings: list[Any], *, reject_below: float = 0.0) -> bytes:
    """Draw the boxes of lines, and labels with their texts and confidences.

    Labels are placed where they cover no number and no other label. If no place is free, a box has
    no label. A small picture is enlarged by an integer factor.

    Parameters
    ----------
    picture : PIL.Image.Image
        A page.
    readings : list of Reading
        The lines of the page.
    reject_below : float, default=0.0
        Lines with a lower confidence are drawn as doubtful, and their labels have no text. With 0,
        lines with a confidence below `DOUBTFUL_BELOW` are drawn as doubtful, with their text.

    Returns
    -------
    bytes
        The drawn page as a PNG file.
    """
    from skdigits.pictures.opening import REDUCTION

    drawn = _in_colour(picture)
    if readings:
        readings = sorted(
            readings, key=lambda reading: -reading[1]
        )  # the best places for the first
        boxes = np.array([box for *_, box in readings]) / picture.info.get(REDUCTION, 1)
        drawn = _labelled(drawn, boxes, _labels(readings, reject_below))
    file = io.BytesIO()
    drawn.save(file, format="PNG", compress_level=2)  # the default takes three times as long
    return file.getvalue()


def _in_colour(picture: Any) -> Any:
    """Return an upright copy in RGB; a picture with 16 bits or transparency becomes grey."""
    from PIL import Image

    from skdigits.pictures.grey import to_grey, upright

    drawn = upright(picture)
    if drawn.mode[0] in "IF" or drawn.has_transparency_data:
        drawn = Image.fromarray(to_grey(picture, longest=sys.maxsize).round().astype("uint8"))
    return drawn.convert("RGB")


def _labels(readings: list[Any], reject_below: float) -> list[tuple[str, Paint]]:
    """Return the label of each reading, and its colours."""
    labels = []
    for text, confidence, _ in readings:
        shown = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
        if confidence < reject_below:
            shown = ""
        is_doubtful = confidence < (reject_below or DOUBTFUL_BELOW)
        label = f"{shown}  {confidence:.2f}".lstrip()
        labels.append((label, DOUBTFUL if is_doubtful else CERTAIN))
    return labels


def _labelled(drawn: Any, boxes: np.ndarray, labels: list[tuple[str, Paint]]) -> Any:
    """Draw boxes and labels on a copy of a picture; labels outside the picture enlarge the copy."""
    from PIL import Image, ImageDraw

    height = np.median(boxes[:, 3] - boxes[:, 1])
    factor = _enlargement(drawn.size, height)
    longest = factor * max(drawn.size)
    unit = max(1, round(longest / UNITS))
    size = [max(1, factor * side // unit) for side in drawn.size]
    in_units = factor / unit * boxes
    ink = _ink(drawn.convert("L").resize(size, Image.Resampling.BOX), in_units)
    corners = np.concatenate([np.floor(in_units[:, :2]), np.ceil(in_units[:, 2:])], axis=1)
    frames = (corners + STROKE * OUTWARDS).clip(0, 2 * size).astype(np.int64)
    sizes = _letter_sizes(longest, factor * height)
    extents = _extents([label for label, _ in labels], sizes, unit)
    margin = min(int(extents.max()), UNITS // 2)
    places, chosen = place_labels(frames, extents, ink, margin=margin, stroke=STROKE)
    page, origin = _enlarged(drawn, factor, unit * places[chosen >= 0])
    pencil = ImageDraw.Draw(page)
    for frame, (_, paint) in zip(frames, labels, strict=True):
        _draw_frame(pencil, unit * (frame + OUTWARDS) + origin, HALO, unit)
        _draw_frame(pencil, unit * frame + origin, paint.outline, STROKE * unit)
    for place, number, (label, paint) in zip(unit * places + origin, chosen, labels, strict=True):
        if number >= 0:
            _draw_frame(pencil, place, paint.outline, STROKE * unit, paint.background)
            _draw_text(pencil, place, label, sizes[number])
    return page


def _enlarged(drawn: Any, factor: int, places: np.ndarray) -> tuple[Any, np.ndarray]:
    """Enlarge a picture by a factor, and add margins for the labels outside it.

    Returns
    -------
    page : PIL.Image.Image
        The enlarged copy with its margins.
    origin : ndarray of shape (4,), int
        Left, top, left and top of the picture on the page, to be added to the sides of boxes.
    """
    from PIL import Image

    size = [factor * side for side in drawn.size]
    if factor > 1:
        drawn = drawn.resize(size, Image.Resampling.BICUBIC)
    start = places[:, :2].min(axis=0, initial=0)
    end = np.maximum(size, places[:, 2:].max(axis=0, initial=0))
    page = Image.new("RGB", tuple((end - start).tolist()), "white")
    page.paste(drawn, tuple((-start).tolist()))
    return page, np.tile(-start, 2)


def _draw_frame(
    pencil: Any, frame: np.ndarray, outline: str, width: int, inside: str | None = None
) -> None:
    left, top, right, bottom = frame.tolist()
    pencil.rectangle([left, top, right - 1, bottom - 1], inside, outline=outline, width=width)


def _draw_text(pencil: Any, place: np.ndarray, text: str, size: int) -> None:
    font = _font(size)
    left, top, right, bottom = place.tolist()
    middle = (left + right) / 2, (top + bottom - font.getbbox("0", anchor="ls")[1]) / 2
    pencil.text(middle, text, fill=TEXT, font=font, anchor="ms")


def _ink(grey: Any, boxes: np.ndarray) -> np.ndarray:
    """Find the ink outside the numbers. Ink is where the grey level changes."""
    grey = np.asarray(grey, np.int16)
    step = max(1, max(grey.shape) // 1000)
    ink = np.zeros(grey.shape, bool)
    ink[step:] = abs(grey[step:] - grey[:-step]) > EDGE
    ink[:, step:] |= abs(grey[:, step:] - grey[:, :-step]) > EDGE
    for box in boxes:
        around = max(2, EDGE_OF_NUMBER * (box[3] - box[1]))
        left, top, right, bottom = np.rint(box + around * OUTWARDS).clip(0).astype(int).tolist()
        ink[top:bottom, left:right] = False
    return ink


def _enlargement(size: tuple[int, int], height: float) -> int:
    """Return the factor by which a picture with numbers of this height is enlarged."""
    wanted = max(SMALLEST_NUMBER / max(1, height), SMALLEST_PICTURE / max(size))
    return max(1, min(math.ceil(wanted), math.isqrt(LARGEST_PICTURE // math.prod(size))))


def _letter_sizes(longest: int, height: float) -> list[int]:
    """Return the sizes of letters in pixels, from the preferred one to the smallest."""
    preferred = min(max(OF_NUMBER * height, OF_PICTURE[0] * longest), OF_PICTURE[1] * longest)
    sizes = np.geomspace(max(preferred, SMALLEST_LETTERS), SMALLEST_LETTERS, N_SIZES)
    return np.unique(np.rint(sizes).astype(int))[::-1].tolist()


def _extents(labels: list[str], sizes: list[int], unit: int) -> np.ndarray:
    """Return the width and height of each label at each size, of shape (n_sizes, n_labels, 2)."""
    font = _font(sizes[0])
    lengths = np.array([font.getlength(label) for label in labels]) / sizes[0]
    heights = np.full(len(labels), -font.getbbox("0", anchor="ls")[1] / sizes[0])
    extents = np.stack([lengths + 2 * PADDING[0], heights + 2 * PADDING[1]], axis=-1)
    in_pixels = np.array(sizes)[:, np.newaxis, np.newaxis] * extents
    return np.ceil(in_pixels / unit).astype(np.int64) + 2 * STROKE


@functools.cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def write_drawing(page: Page, folder: Path, written: set[str]) -> None:
    """Write a drawn page to a file that is named after the page.

    `written` has the names of the files that are already written. If the name of the page is among
    them, a number is appended. The new name is added to `written`.
    """
    from skdigits.files import atomic_write

    name = re.sub(r"[^\w.#-]+", "_", page.name).lstrip("._")[-LONGEST_NAME:]
    numbers = ("" if n == 1 else f"-{n}" for n in itertools.count(1))
    name = next(full for n in numbers if (full := f"{name}{n}.boxes.png") not in written)
    written.add(name)
    with atomic_write(folder / name) as file:
        file.write(page.drawing)
