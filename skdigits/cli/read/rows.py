"""Printing of readings as text, CSV, JSON or tables."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skdigits.cli.console import escape_controls, print_error
from skdigits.cli.read.drawing import write_drawing
from skdigits.cli.read.pages import Page
from skdigits.pictures.tables import find_cells, find_rows

COLUMNS = ("file", "text", "confidence", "left", "top", "right", "bottom")


def print_pages(
    pages: Iterator[Page | str],
    *,
    form: str,
    reject_below: float,
    draw: Path | None,
    lines: bool = False,
) -> int:
    """Print the readings of each page as soon as it is read.

    Parameters
    ----------
    pages : iterator of Page or str
        As `read_pages` yields them.
    form : {"text", "csv", "json", "table"}
        ``"text"`` prints name, text and confidence of each reading, separated by tabs; control
        characters of the name are escaped. ``"csv"`` and ``"json"`` print each reading with its box
        as a row of CSV or as a JSON object. ``"table"`` prints the rows and columns of each page as
        CSV; if there are several files or pages, the first column is the name of the page.
    reject_below : float
        Texts with a lower confidence are printed as empty.
    draw : Path or None
        Folder for the pictures with boxes; None draws nothing.
    lines : bool, default=False
        Whether the numbers on one line of a picture are joined to one reading.

    Returns
    -------
    int
        Number of files that could not be read or drawn.
    """
    n_failed = 0
    written: set[str] = set()
    if form == "csv":
        print(_csv_row(COLUMNS))
    is_named = False
    if form == "table":
        first = list(itertools.islice(pages, 2))
        pages, is_named = itertools.chain(first, pages), len(first) > 1
    for page in pages:
        if isinstance(page, str):
            print_error(page)
            n_failed += 1
            continue
        if form == "table":
            printed = _table(page, reject_below, is_named=is_named)
        else:
            readings = _join_lines(page.readings) if lines else page.readings
            printed = _list(page.name, readings, reject_below, form)
        for line in printed:
            print(line, flush=True)
        if draw is not None:
            try:
                write_drawing(page, draw, written)
            except OSError as error:
                print_error(error)
                n_failed += 1
    return n_failed


def _list(name: str, readings: list[Any], reject_below: float, form: str) -> Iterator[str]:
    """Yield a row per reading; for a page without readings, yield one row with an empty text."""
    rows = [
        (name, text if confidence >= reject_below else "", round(confidence, 4), *box)
        for text, confidence, box in readings
    ]
    for row in rows or [(name, "", "", "", "", "", "")]:
        yield _formatted(row, form)


def _join_lines(readings: list[Any]) -> list[Any]:
    """Join the texts on each line of a picture with spaces, and keep the lowest confidence."""
    joined = []
    boxes = np.array([box for *_, box in readings], np.int64).reshape(-1, 4)
    for members in _in_rows(find_rows(boxes), boxes):
        texts, confidences, _ = zip(*(readings[i] for i in members), strict=True)
        corners = [*boxes[members, :2].min(axis=0), *boxes[members, 2:].max(axis=0)]
        joined.append((" ".join(texts), min(confidences), [int(edge) for edge in corners]))
    return joined


def _table(page: Page, reject_below: float, *, is_named: bool) -> Iterator[str]:
    """Yield the rows of a table; numbers with a confidence below `reject_below` are omitted."""
    names = [page.name] if is_named else []
    boxes = np.array([box for *_, box in page.readings], np.int64).reshape(-1, 4)
    rows, columns = find_cells(boxes)
    if names and not len(boxes):
        yield _csv_row(names)
    for members in _in_rows(rows, boxes):
        cells: list[list[str]] = [[] for _ in range(1 + columns.max())]
        for i in members:
            text, confidence, _ = page.readings[i]
            if confidence >= reject_below:
                cells[columns[i]].append(text)
        yield _csv_row([*names, *map(" ".join, cells)])


def _in_rows(rows: np.ndarray, boxes: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the indices of the boxes in each row, from left to right."""
    order = np.lexsort([boxes[:, 0], rows])
    yield from np.split(order, 1 + np.flatnonzero(np.diff(rows[order]))) if len(order) else ()


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
    csv.writer(line, lineterminator="\r\n").writerow(row)  # makes csv quote cells with line breaks
    return line.getvalue().removesuffix("\r\n")
