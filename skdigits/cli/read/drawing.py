"""Pages with boxes and texts."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

from skdigits.cli.read.pages import Page

INK = "#d62728"  # colour of boxes and texts
SMALLEST_TEXT = 12  # pixels
LONGEST_NAME = 50  # characters of a file name; a character can have four bytes


def draw_page(page: Page, folder: Path, drawn: set[str]) -> None:
    """Write a page with the boxes, texts and confidences of its lines.

    Parameters
    ----------
    page : Page
        The page; the file is named after it.
    folder : Path
        Folder to write to.
    drawn : set of str
        Names of the files that are already written; the new name is added. If it is already among
        them, it gets a number.
    """
    from PIL import Image, ImageDraw, ImageFont

    from skdigits.files import atomic_write
    from skdigits.pictures.grey import to_grey, upright
    from skdigits.pictures.opening import REDUCTION

    picture = upright(page.picture)
    # Pictures with more than 8 bits or a transparent background are converted.
    if picture.mode[0] in "IF" or picture.has_transparency_data:
        grey = to_grey(page.picture, longest=sys.maxsize)
        picture = Image.fromarray(grey.round().astype("uint8"))
    picture = picture.convert("RGB")
    pencil, reduction = ImageDraw.Draw(picture), page.picture.info.get(REDUCTION, 1)
    for text, confidence, box in page.readings:
        left, top, right, bottom = (round(edge / reduction) for edge in box)
        size = max(SMALLEST_TEXT, (bottom - top) // 2)
        pencil.rectangle([left, top, right, bottom], outline=INK, width=max(1, size // 12))
        pencil.text(
            (left, max(0, top - size - 2)),
            f"{text}  {confidence:.2f}",
            fill=INK,
            font=ImageFont.load_default(size),
        )
    name = re.sub(r"[^\w.#-]+", "_", page.name).lstrip("._")[-LONGEST_NAME:]
    numbers = ("" if n == 1 else f"-{n}" for n in itertools.count(1))
    name = next(full for n in numbers if (full := f"{name}{n}.boxes.png") not in drawn)
    drawn.add(name)
    with atomic_write(folder / name) as file:
        picture.save(file, format="PNG")
