"""Read picture files: a row per line of digits, and pictures with boxes."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from skdigits.cli.output import message, print_error

COLUMNS = ("file", "text", "confidence", "left", "top", "right", "bottom")
INK = "#d62728"  # of boxes and texts that are drawn
STDIN = "standard input"
SMALLEST_TEXT = 12  # pixels
LONGEST_NAME = 50  # characters of the name of a file with boxes; a character may have four bytes


class Page(NamedTuple):
    """A page of a picture file, and what was read on it.

    Parameters
    ----------
    name : str
        Name of the file, with ``#2`` and so on for further pages.
    picture : PIL.Image.Image
        The page.
    readings : list of Reading
        The lines.
    """

    name: str
    picture: object
    readings: list


def read_pages(sources, *, digits, model) -> Iterator[Page | str]:
    """Read the pages of files and folders.

    Parameters
    ----------
    sources : list of str
        Files, folders, or ``"-"`` for standard input.
    digits : int or None
        Number of digits of each line.
    model : estimator or None
        As for `skdigits.read`.

    Yields
    ------
    Page or str
        A page; or what is wrong with a file.
    """
    from skdigits import read
    from skdigits.datasets.picture_files import find_pictures
    from skdigits.pictures import open_pictures

    for source in sources:
        path = Path(source)
        if source != "-" and not path.exists():
            yield f"{source}: there is no such file or folder."
            continue
        files = [path] if source == "-" else find_pictures(path)
        if not files:
            yield f"{source} holds no pictures."
        for file in files:
            try:
                with _standard_input() if source == "-" else contextlib.nullcontext(file) as at:
                    for i, picture in enumerate(open_pictures(at)):
                        with warnings.catch_warnings():
                            warnings.simplefilter("ignore", UserWarning)  # of several digits
                            found = read(picture, digits=digits, model=model)
                        yield Page(f"{file}#{i + 1}" if i else str(file), picture, found)
            except (ValueError, OSError, ImportError) as error:
                _, is_of_file, reason = message(error).partition(STDIN)
                yield f"-{reason}" if is_of_file else message(error)


@contextlib.contextmanager
def _standard_input():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / STDIN
        path.write_bytes(sys.stdin.buffer.read())
        yield path


def print_pages(pages, *, form, reject_below, draw) -> int:
    """Print what was read, as soon as a page is read.

    Parameters
    ----------
    pages : iterator of Page or str
        As `read_pages` yields them.
    form : {"text", "csv", "json"}
        Lines separated by tabs, CSV with boxes, or a JSON object per line with boxes.
    reject_below : float
        A text with a lower confidence is printed as empty.
    draw : Path or None
        Folder for the pictures with boxes.

    Returns
    -------
    int
        Number of files that could not be read.
    """
    n_failed = 0
    drawn: set[str] = set()
    if form == "csv":
        print(_csv_row(COLUMNS))
    for page in pages:
        if isinstance(page, str):
            print_error(page)
            n_failed += 1
            continue
        rows = [
            (page.name, text if confidence >= reject_below else "", round(confidence, 4), *box)
            for text, confidence, box in page.readings
        ]
        for row in rows or [(page.name, "", "", "", "", "", "")]:
            print(_formatted(row, form), flush=True)
        if draw is not None:
            try:
                _draw(page, draw, drawn)
            except OSError as error:
                print_error(error)
                n_failed += 1
    return n_failed


def _formatted(row, form):
    if form == "csv":
        return _csv_row(row)
    if form == "json":
        values = [None if value == "" else value for value in row[2:]]
        return json.dumps(dict(zip(COLUMNS, [*row[:2], *values], strict=True)))
    name, text, confidence, *_ = row
    return f"{name}\t{text}\t{confidence if confidence == '' else f'{confidence:.2f}'}"


def _csv_row(row):
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue()


def _draw(page, folder, drawn):
    """Write a page with the boxes, texts and confidences of its lines.

    The file is named after the picture, and gets a number if `drawn` holds that name already.
    """
    from PIL import Image, ImageDraw, ImageFont

    from skdigits.files import atomic_write
    from skdigits.pictures.grey import to_grey, upright
    from skdigits.pictures.opening import REDUCTION

    picture = upright(page.picture)
    if picture.mode[0] in "IF" or picture.has_transparency_data:  # more than 8 bits; no paper
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
