"""Pages with boxes and labels."""

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


# Blue and orange of Okabe and Ito's palette, which colour-blind people can tell apart.
CERTAIN, DOUBTFUL = Paint("#0072b2", "#ffffff"), Paint("#d55e00", "#ffdca8")
HALO = "#ffffff"  # around an outline, for dark pictures
TEXT = "#000000"  # on both backgrounds, a contrast of more than 15:1
DOUBTFUL_BELOW = 0.9  # confidence
LONGEST_TEXT = 24  # characters of a label
SMALLEST_NUMBER = 24  # pixels: the median height of numbers, for which small pictures are enlarged
SMALLEST_PICTURE = 500  # pixels of the longer side of a drawing
LARGEST_PICTURE = 12_000_000  # pixels of an enlarged picture
SIZES = (1.0, 0.8, 0.64, 0.5)  # of letters, relative to the preferred size
SMALLEST_LETTERS = 11  # pixels
OF_NUMBER = 0.6  # size of letters, relative to the median height of numbers
OF_PICTURE = (1 / 110, 1 / 28)  # smallest and largest size of letters, relative to the longer side
EDGE_OF_NUMBER = 0.1  # of its height: its soft edge
OUTWARDS = np.array([-1, -1, 1, 1])
EDGE = 24  # grey levels: minimum contrast of ink
STROKE = 1 / 900  # width of lines, relative to the longer side
LONGEST_NAME = 50  # characters of a file name; a character can have four bytes


def draw_boxes(picture: Any, readings: list[Any], *, reject_below: float = 0.0) -> bytes:
    """Draw the boxes, texts and confidences of lines.

    Labels are placed where they cover no number and no other label; if no place is free, a box has
    no label. A small picture is enlarged by a whole factor.

    Parameters
    ----------
    picture : PIL.Image.Image
        A page.
    readings : list of Reading
        Its lines.
    reject_below : float, default=0.0
        Labels of lines with a lower confidence have no text; these lines are drawn as doubtful.
        By default, lines with a confidence below `DOUBTFUL_BELOW` are.

    Returns
    -------
    bytes
        The drawn page as a PNG file.
    """
    from skdigits.pictures.opening import REDUCTION

    drawn = _in_colour(picture)
    if readings:
        readings = sorted(readings, key=lambda reading: -reading[1])  # the first have a free choice
        boxes = np.array([box for *_, box in readings]) / picture.info.get(REDUCTION, 1)
        drawn = _labelled(drawn, boxes, _labels(readings, reject_below))
    file = io.BytesIO()
    drawn.save(file, format="PNG", compress_level=2)  # three times as fast
    return file.getvalue()


def _in_colour(picture: Any) -> Any:
    """Return an upright picture in RGB; 16 bits and transparency are converted."""
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
    """Draw boxes and labels on a copy of a picture, which is larger if a label is beside it."""
    from PIL import Image, ImageDraw

    ink = _ink(drawn)
    for box in boxes:
        _erase(ink, box)
    factor = _enlargement(drawn.size, np.median(boxes[:, 3] - boxes[:, 1]))
    drawn = drawn.resize([factor * side for side in drawn.size], Image.Resampling.BICUBIC)
    ink = ink.repeat(factor, axis=0).repeat(factor, axis=1)
    longest = max(drawn.size)
    stroke = max(2, round(STROKE * longest))
    halo = stroke // 2
    sizes = _letter_sizes(longest, factor * np.median(boxes[:, 3] - boxes[:, 1]))
    frames = np.rint(factor * boxes).astype(int) + stroke * OUTWARDS
    extents = _extents([label for label, _ in labels], sizes, stroke)
    margin = int(extents[0].max()) + 2 * stroke
    places, chosen = place_labels(frames, extents, ink, margin=margin, stroke=stroke)
    shown = places[chosen >= 0]
    left, top = np.minimum(0, shown[:, :2].min(axis=0, initial=0))
    right, bottom = np.maximum(drawn.size, shown[:, 2:].max(axis=0, initial=0))
    page = Image.new("RGB", (right - left, bottom - top), "white")
    page.paste(drawn, (-left, -top))
    pencil = ImageDraw.Draw(page)
    shift = np.array([left, top] * 2)
    for frame, (_, paint) in zip(frames - shift, labels, strict=True):
        _draw_frame(pencil, frame + halo * OUTWARDS, HALO, halo)
        _draw_frame(pencil, frame, paint.outline, stroke)
    for place, size, (label, paint) in zip(places - shift, chosen, labels, strict=True):
        if size >= 0:
            _draw_label(pencil, place, label, paint, sizes[size], stroke)
    return page


def _draw_frame(pencil: Any, frame: np.ndarray, colour: str, width: int) -> None:
    left, top, right, bottom = frame.tolist()
    pencil.rectangle([left, top, right - 1, bottom - 1], outline=colour, width=width)


def _draw_label(
    pencil: Any, place: np.ndarray, label: str, paint: Paint, size: int, stroke: int
) -> None:
    left, top, right, bottom = place.tolist()
    corners = [left, top, right - 1, bottom - 1]
    pencil.rectangle(corners, paint.background, outline=paint.outline, width=stroke)
    position = ((left + right) / 2, bottom - stroke - _padding(size))
    pencil.text(position, label, fill=TEXT, font=_font(size), anchor="ms")


def _ink(picture: Any) -> np.ndarray:
    """Find the pixels of a picture where its grey level changes: writing and drawings."""
    grey = np.asarray(picture.convert("L"), np.int16)
    step = max(1, max(grey.shape) // 1000)
    ink = np.zeros(grey.shape, bool)
    ink[step:] = abs(grey[step:] - grey[:-step]) > EDGE
    ink[:, step:] |= abs(grey[:, step:] - grey[:, :-step]) > EDGE
    return ink


def _erase(ink: np.ndarray, box: np.ndarray) -> None:
    """Erase a number, with its soft edges, from the ink that labels should not cover."""
    around = max(2, round(EDGE_OF_NUMBER * (box[3] - box[1])))
    left, top, right, bottom = np.maximum(0, np.rint(box).astype(int) + around * OUTWARDS)
    ink[top:bottom, left:right] = False


def _enlargement(size: tuple[int, int], height: float) -> int:
    """Return the factor by which a picture with numbers of this height is enlarged."""
    wanted = max(SMALLEST_NUMBER / max(1, height), SMALLEST_PICTURE / max(size))
    return max(1, min(math.ceil(wanted), math.isqrt(LARGEST_PICTURE // math.prod(size))))


def _letter_sizes(longest: int, height: float) -> list[int]:
    """Return the sizes of letters in pixels, from the preferred one to the smallest."""
    preferred = np.clip(OF_NUMBER * height, *(share * longest for share in OF_PICTURE))
    sizes = {max(SMALLEST_LETTERS, round(share * preferred)) for share in SIZES}
    return sorted(sizes, reverse=True)


def _extents(labels: list[str], sizes: list[int], stroke: int) -> np.ndarray:
    """Return the width and height of each label at each size, of shape (n_sizes, n_labels, 2)."""
    font = _font(sizes[0])
    lengths = np.array([font.getlength(label) for label in labels]) / sizes[0]
    height = -font.getbbox("0", anchor="ls")[1] / sizes[0]
    extents = np.empty((len(sizes), len(labels), 2), int)
    for size, extent in zip(sizes, extents, strict=True):
        extent[:, 0] = np.ceil(size * lengths) + 2 * (stroke + 2 * _padding(size))
        extent[:, 1] = math.ceil(size * height) + 2 * (stroke + _padding(size))
    return extents


def _padding(size: int) -> int:
    return max(1, round(0.2 * size))


@functools.cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def write_drawing(page: Page, folder: Path, written: set[str]) -> None:
    """Write a drawn page.

    Parameters
    ----------
    page : Page
        The page; the file is named after it.
    folder : Path
        Folder to write to.
    written : set of str
        Names of the files that are already written; the new name is added. If it is already among
        them, it gets a number.
    """
    from skdigits.files import atomic_write

    name = re.sub(r"[^\w.#-]+", "_", page.name).lstrip("._")[-LONGEST_NAME:]
    numbers = ("" if n == 1 else f"-{n}" for n in itertools.count(1))
    name = next(full for n in numbers if (full := f"{name}{n}.boxes.png") not in written)
    written.add(name)
    with atomic_write(folder / name) as file:
        file.write(page.drawing)
