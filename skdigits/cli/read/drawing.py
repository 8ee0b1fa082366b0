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
N_SIZES = 5  # of letters, from the preferred size to the smallest
SMALLEST_LETTERS = 11  # pixels
OF_NUMBER = 0.6  # size of letters, relative to the median height of numbers
OF_PICTURE = (1 / 110, 1 / 28)  # smallest and largest size of letters, relative to the longer side
PADDING = (0.4, 0.2)  # horizontally and vertically around a text, relative to the size of letters
EDGE_OF_NUMBER = 0.1  # of its height: its soft edge
EDGE = 24  # grey levels: minimum contrast of ink
UNITS = 1800  # per longer side; a unit has at least a pixel, boxes and labels are multiples of it
STROKE = 2  # units: width of lines
OUTWARDS = np.array([-1, -1, 1, 1])
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
    drawn.save(file, format="PNG", compress_level=2)  # the default takes three times as long
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
    """Enlarge a picture by a factor, and add margins for the labels beside it.

    Returns
    -------
    page : PIL.Image.Image
        A copy.
    origin : ndarray of shape (4,), int
        Where the picture is on the page: left, top, and both once more.
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
    """Find writing and drawings apart from the numbers: where the grey level changes."""
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
