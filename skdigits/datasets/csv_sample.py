"""The first rows of a CSV file: encoding, delimiter and header.

Both are found in one line each. `csv.Sniffer` finds no delimiter in rows of different lengths;
clevercsv is no pure Python and needs three more libraries; charset-normalizer takes Latin-1 for
cp1250, where an error is wanted.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.contents import to_number
from skdigits.datasets.faults import reading, refuse
from skdigits.datasets.unpacking import open_unpacked

if TYPE_CHECKING:
    from skdigits.typing import FoundPath

NO_CSV = "not a CSV file of numbers, or damaged"
DELIMITERS = ",;\t"
START = 1 << 12  # bytes that tell a web page or another format from a table
SAMPLE_CHARACTERS = 1 << 16
MOST_SAMPLE_CHARACTERS = 1 << 22
SAMPLE_LINES = 13  # with a header and more labels in a row than there are digits
MOST_LINE_CHARACTERS = 1 << 22  # a line without an end would fill the memory


@dataclass(frozen=True)
class Sample:
    """The first rows of a CSV file."""

    file: FoundPath
    encoding: str
    delimiter: str
    has_header: bool  # whether line 1 holds names or numbers of columns
    names: list[str]  # one per column; positions from 1 without a header
    rows: list[list[str]]  # cells; all rows of a small file

    def numbers(self, column: int) -> np.ndarray:
        """Convert the cells of a column to numbers; NaN for text.

        Parameters
        ----------
        column : int
            Its position.
        """
        return np.array([to_number(row[column]) for row in self.rows])

    def counts_from(self, column: int) -> int | None:
        """Return 0 or 1 if a column counts the rows from there in at least two rows, else None.

        Parameters
        ----------
        column : int
            Its position.
        """
        numbers = self.numbers(column)
        if len(numbers) < 2 or numbers[0] not in (0, 1):
            return None
        return int(numbers[0]) if (np.diff(numbers) == 1).all() else None


def read_sample(file: FoundPath) -> Sample:
    """Read the first rows of a CSV file, and recognize how it is written.

    Parameters
    ----------
    file : Path or zipfile.Path
        The file, gzipped or not. A ValueError is raised if it is empty, of another format or not a
        text, or if its header names a column twice.
    """
    with reading(file, NO_CSV):
        encoding, delimiter, lines = _recognize(file)
        rows = [_stripped(row) for row in csv.reader(lines, delimiter=delimiter)]
    return _divide_header(file, encoding, delimiter, rows)


def read_texts(file: FoundPath) -> list[tuple[int, list[str]]]:
    """Read a CSV file of texts as a whole.

    Parameters
    ----------
    file : Path or zipfile.Path
        The file, gzipped or not, written as for `read_sample`.

    Returns
    -------
    list of (int, list of str)
        Line number and cells of the header and of the rows that are not empty.
    """
    with reading(file, "not a CSV file in UTF-8 or UTF-16, or damaged"):
        encoding, delimiter, _ = _recognize(file)
        with open_unpacked(file, "rt", encoding=encoding, newline="") as text:
            reader = csv.reader(bounded_lines(text), delimiter=delimiter, skipinitialspace=True)
            rows = [(reader.line_num, _stripped(row)) for row in reader]
    rows = [(line, cells) for line, cells in rows if any(cells)]
    if not rows:
        raise ValueError(f"{file}: the file is empty; expected a header and rows.")
    return rows


def _recognize(file: FoundPath) -> tuple[str, str, list[str]]:
    """The encoding and the delimiter of a CSV file, and its first lines."""
    with open_unpacked(file) as opened:
        start = opened.read(START)
    refuse(start, file)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines, characters = [], 0
    with open_unpacked(file, "rt", encoding=encoding, newline="") as text:
        for line in bounded_lines(text):
            lines.append(line)
            characters += len(line)
            enough = characters >= SAMPLE_CHARACTERS and len(lines) >= SAMPLE_LINES
            if enough or characters >= MOST_SAMPLE_CHARACTERS:
                break
    if not lines or not lines[0].strip():
        raise ValueError(f"{file}: the file is empty; expected a header and rows.")
    if "\0" in lines[0]:
        raise ValueError(f"{file}: not a text file; line 1 holds zero bytes.")
    delimiter = max(DELIMITERS, key=lambda d: len(next(csv.reader(lines[:1], delimiter=d), [])))
    return encoding, delimiter, lines


def _stripped(row: Any) -> Any:
    return [cell.strip() for cell in row]


def short(text: str) -> str:
    """Quote a text from a file for a message, with at most 40 characters.

    Parameters
    ----------
    text : str
        The text.
    """
    return repr(text) if len(repr(text)) <= 40 else f"{repr(text[:60])[:36]}…'"


def bounded_lines(file: Any) -> Iterator[str]:
    """Iterate over the lines of a text file; one that would fill the memory is a `csv.Error`.

    Parameters
    ----------
    file : file object
        The text.
    """
    while line := file.readline(MOST_LINE_CHARACTERS):
        if len(line) == MOST_LINE_CHARACTERS:
            raise csv.Error(f"a line of more than {MOST_LINE_CHARACTERS} characters")
        yield line


def _divide_header(file: FoundPath, encoding: str, delimiter: str, rows: list[list[str]]) -> Sample:
    names, width = rows[0], len(rows[0])
    if not any(names):
        raise ValueError(f"{file}: the file is empty; expected a header and rows of pixels.")
    numbers = [to_number(name) for name in names]
    # pandas writes the numbers of the columns where they have no names.
    is_numbered = width > 2 and numbers in ([*range(width)], [*range(1, width + 1)])
    has_header = is_numbered or any(map(math.isnan, numbers))
    if not has_header:
        names = [str(i + 1) for i in range(width)]
    twice = next((name for name, n in Counter(names).items() if n > 1), None)
    words = [name for name, number in zip(names, numbers, strict=True) if math.isnan(number)]
    if twice is not None and len(words) < width / 2:
        raise ValueError(
            f"{file}, line 1: {short(words[0])} among numbers; expected a header such as "
            "label,pixel0,pixel1,…, or numbers only."
        )
    if twice is not None:
        raise ValueError(f"{file}, line 1: there is more than one column {short(twice)}.")
    # Other rows are reported with their line when they are read.
    rows = [row for row in rows[int(has_header) :] if len(row) == width]
    return Sample(file, encoding, delimiter, has_header, names, rows)
