"""Readings as rows: one row per line of digits."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skdigits.cli.console import escape_controls, print_error
from skdigits.cli.read.drawing import write_drawing
from skdigits.cli.read.pages import Page

COLUMNS = ("file", "text", "confidence", "left", "top", "right", "bottom")


def print_pages(
    pages: Iterator[Page | str], *, form: str, reject_below: float, draw: Path | None
) -> int:
    """Print the readings of each page as soon as it is read.

    Parameters
    ----------
    pages : iterator of Page or str
        As `read_pages` yields them.
    form : {"text", "csv", "json"}
        Name, text and confidence of each reading, separated by tabs, with control characters of the
        name escaped; CSV with boxes; or one JSON object per line with boxes.
    reject_below : float
        Texts with a lower confidence are printed as empty.
    draw : Path or None
        Folder for the pictures with boxes.

    Returns
    -------
    int
        Number of files that could not be read or drawn.
    """
    n_failed = 0
    written: set[str] = set()
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
                write_drawing(page, draw, written)
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
    csv.writer(line, lineterminator="\r\n").writerow(row)  # this terminator quotes line breaks
    return line.getvalue().removesuffix("\r\n")
