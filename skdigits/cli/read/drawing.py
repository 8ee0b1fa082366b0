"""Pages with boxes and texts."""

from __future__ import annotations

import io
import itertools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skdigits.cli.read.pages import Page

INK = "#d62728"  # colour of boxes and texts
SMALLEST_TEXT = 12  # pixels
LONGEST_NAME = 50  # characters of a file name; a character can have four bytes


def draw_boxes(picture: Any, readings: list[Any]) -> bytes:
    """Draw the boxes, texts and confidences of lines.

    Parameters
    ----------
    picture : PIL.Image.Image
        A page.
    readings : list of Reading
        Its lines.

    Returns
    -------
    bytes
        The drawn page as a PNG file.
    """
    from PIL import Image, ImageDraw, ImageFont

    from skdigits.pictures.grey import to_grey, upright
    from skdigits.pictures.opening import REDUCTION

    drawn = upright(picture)
    # Pictures with more than 8 bits or a transparent background are converted.
    if drawn.mode[0] in "IF" or drawn.has_transparency_data:
        drawn = Image.fromarray(to_grey(picture, longest=sys.maxsize).round().astype("uint8"))
    drawn = drawn.convert("RGB")
    pencil, reduction = ImageDraw.Draw(drawn), picture.info.get(REDUCTION, 1)
    for text, confidence, box in readings:
        left, top, right, bottom = (round(edge / reduction) for edge in box)
        size = max(SMALLEST_TEXT, (bottom - top) // 2)
        pencil.rectangle([left, top, right, bottom], outline=INK, width=max(1, size // 12))
        pencil.text(
            (left, max(0, top - size - 2)),
            f"{text}  {confidence:.2f}",
            fill=INK,
            font=ImageFont.load_default(size),
        )
    file = io.BytesIO()
    drawn.save(file, format="PNG")
    return file.getvalue()


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
