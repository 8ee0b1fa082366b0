"""Read picture files: a row per line of digits, and pictures with boxes."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from skdigits.cli.output import escape_controls, message, print_error

COLUMNS = ("file", "text", "confidence", "left", "top", "right", "bottom")
INK = "#d62728"  # of boxes and texts that are drawn
MISSING = "there is no such file or folder."
MAXIMUM_STREAM = 1 << 30  # bytes of standard input or a pipe
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
    picture: Any
    readings: list[Any]


def read_pages(sources: list[str], *, digits: int | None, model: Any) -> Iterator[Page | str]:
    """Read the pages of files and folders.

    Parameters
    ----------
    sources : list of str
        Files, folders, named pipes, or ``"-"`` for standard input.
    digits : int or None
        Number of digits of each line.
    model : estimator or None
        As for `skdigits.read`.

    Yields
    ------
    Page or str
        A page; or what is wrong with a file, on one line.
    """
    for source in sources:
        path = Path(source)
        try:
            if source == "-" or (path.exists() and not path.is_file() and not path.is_dir()):
                yield from _read_file(_stream(source), source, digits, model)
                continue
            files = _pictures_in(path) if path.is_dir() else [path]
        except (ValueError, OSError) as error:
            yield _problem(source, error)
            continue
        if not files:
            yield escape_controls(f"{source} holds no pictures.")
        for file in files:
            yield from _read_file(file, str(file), digits, model)


def _read_file(
    file: Path | io.BytesIO, name: str, digits: int | None, model: Any
) -> Iterator[Page | str]:
    """The pages of a file, or of what a stream held, under the name by which the user knows it."""
    from skdigits import read
    from skdigits.pictures import open_pictures
    from skdigits.pictures.opening import page_name

    try:
        if isinstance(file, Path) and not file.exists():
            what = "a link to a file that does not exist." if file.is_symlink() else MISSING
            raise ValueError(f"{file}: {what}")
        for number, picture in enumerate(open_pictures(file)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of several digits
                found = read(picture, digits=digits, model=model)
            yield Page(page_name(name, number), picture, found)
    except Exception as error:  # whatever it is, it costs one picture and not the others
        yield _problem(name, error)


def _problem(name: str, error: Exception) -> str:
    """What is wrong with a source or file, in one line that begins with its name."""
    text = message(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    is_named = text.startswith((f"{name}:", f"{name}#", f"{name} is "))
    return escape_controls(text if is_named else f"{name}: {text}")


def _pictures_in(folder: Path) -> list[Path]:
    """Files with the ending of a picture, or with the content of one and without ending."""
    from skdigits.datasets.folders import files_in
    from skdigits.datasets.recognition import format_of
    from skdigits.pictures.opening import SUFFIXES

    def is_picture(file: Path) -> bool:
        if file.suffix or not file.is_file():
            return file.suffix.lower() in SUFFIXES or file.is_dir()  # which may not be read
        with contextlib.suppress(ValueError, OSError):
            return format_of(file) == "pictures"
        return False

    return [file for file in files_in(folder) if is_picture(file)]


def _stream(source: str) -> io.BytesIO:
    """Read what standard input or a pipe holds, since a picture needs seeking.

    Raises
    ------
    ValueError
        If it is closed, empty, or endless.
    """
    if source == "-" and sys.stdin is None:
        raise ValueError("standard input is closed; expected a picture.")
    name = "standard input" if source == "-" else "the pipe"
    with contextlib.nullcontext(sys.stdin.buffer) if source == "-" else open(source, "rb") as file:
        content = file.read(MAXIMUM_STREAM + 1)
    if not content:
        raise ValueError(f"{name} is empty; expected a picture.")
    if len(content) > MAXIMUM_STREAM:
        raise ValueError(f"{name} holds over {MAXIMUM_STREAM >> 20} MB; expected a picture.")
    stream = io.BytesIO(content)
    stream.name = source  # for messages, as of a file
    return stream


def print_pages(
    pages: Iterator[Page | str], *, form: str, reject_below: float, draw: Path | None
) -> int:
    """Print what was read, as soon as a page is read.

    Parameters
    ----------
    pages : iterator of Page or str
        As `read_pages` yields them.
    form : {"text", "csv", "json"}
        A line per number with tabs between name, text and confidence, where the name has escapes
        for tabs and line breaks; CSV with boxes; or a JSON object per line with boxes.
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


def _formatted(row: Any, form: str) -> str:
    if form == "csv":
        return _csv_row(row)
    if form == "json":
        values = [None if value == "" else value for value in row[2:]]
        return json.dumps(dict(zip(COLUMNS, [*row[:2], *values], strict=True)))
    name, text, confidence, *_ = row
    confidence = confidence if confidence == "" else f"{confidence:.2f}"
    return f"{escape_controls(name)}\t{text}\t{confidence}"


def _csv_row(row: Any) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(row)  # so that line breaks are quoted
    return line.getvalue().removesuffix("\r\n")


def _draw(page: Page, folder: Path, drawn: Any) -> None:
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
