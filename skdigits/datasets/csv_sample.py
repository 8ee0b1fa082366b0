"""The first rows of a CSV file: encoding, delimiter and header."""

from __future__ import annotations

import csv
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.foreign import refuse
from skdigits.datasets.unpacking import open_unpacked

if TYPE_CHECKING:
    from skdigits.typing import FoundPath

DELIMITERS = ",;\t"
START = 1 << 12  # bytes that tell a web page or another format from a table
SAMPLE_CHARACTERS = 1 << 16
MOST_SAMPLE_CHARACTERS = 1 << 22
SAMPLE_LINES = 13  # with a header and more labels in a row than there are digits
MOST_LINE_CHARACTERS = 1 << 22  # a line without an end would fill the memory
READING_ERRORS = (
    UnicodeError,
    csv.Error,
    EOFError,
    OSError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # an encrypted archive
)


@dataclass(frozen=True)
class Sample:
    """The first rows of a CSV file.

    Parameters
    ----------
    file : Path or zipfile.Path
        The file.
    encoding : str
        Its encoding.
    delimiter : str
        The character between two cells.
    has_header : bool
        Whether line 1 holds names or numbers of columns.
    names : list of str
        One per column; positions from 1 without a header.
    rows : list of list of str
        The first rows of cells; all rows of a small file.
    """

    file: Path | zipfile.Path
    encoding: str
    delimiter: str
    has_header: bool
    names: list[str]
    rows: list[list[str]]

    def numbers(self, column: int) -> np.ndarray:
        """Convert the cells of a column.

        Parameters
        ----------
        column : int
            Its position.

        Returns
        -------
        ndarray of shape (n_rows,)
            Numbers; NaN for text.
        """
        return np.array([to_number(row[column]) for row in self.rows])

    def counts_from(self, column: int) -> int | None:
        """Check whether a column counts the rows.

        Parameters
        ----------
        column : int
            Its position.

        Returns
        -------
        int or None
            0 or 1 if it counts from there in at least two rows, else None.
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
        The file, gzipped or not.

    Returns
    -------
    Sample
        The rows.

    Raises
    ------
    ValueError
        If the file is empty, of another format or not a text, or its header names a column twice.
    """
    try:
        encoding, delimiter, lines = _recognize(file)
        rows = [_stripped(row) for row in csv.reader(lines, delimiter=delimiter)]
    except READING_ERRORS as error:
        raise unreadable(file, error) from error
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
        The rows, of which the first is the header, without those that are empty: number of the
        line, and cells without blanks around them.

    Raises
    ------
    ValueError
        If the file is empty, of another format or not a text.
    """
    try:
        encoding, delimiter, _ = _recognize(file)
        with open_unpacked(file, "rt", encoding=encoding, newline="") as text:
            lines = bounded_lines(text)
            reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
            rows = [(reader.line_num, _stripped(row)) for row in reader]
    except READING_ERRORS as error:
        raise unreadable(file, error, "a CSV file in UTF-8 or UTF-16") from error
    rows = [(line, cells) for line, cells in rows if any(cells)]
    if not rows:
        raise ValueError(f"{file}: the file is empty; expected a header and rows.")
    return rows


def _recognize(file: FoundPath) -> Any:
    """The encoding and the delimiter of a CSV file, and its first lines."""
    with open_unpacked(file) as opened:
        start = opened.read(START)
    refuse(start, file)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with open_unpacked(file, "rt", encoding=encoding, newline="") as text:
        lines = _first_lines(bounded_lines(text))
    if not lines or not lines[0].strip():
        raise ValueError(f"{file}: the file is empty; expected a header and rows.")
    if "\0" in lines[0]:
        raise ValueError(f"{file}: not a text file; line 1 holds zero bytes.")
    delimiter = max(DELIMITERS, key=lambda d: len(next(csv.reader(lines[:1], delimiter=d), [])))
    return encoding, delimiter, lines


def _stripped(row: Any) -> Any:
    return [cell.strip() for cell in row]


def to_number(text: str) -> float:
    """Convert a cell to a finite number, or to NaN.

    Parameters
    ----------
    text : str
        The cell.

    Returns
    -------
    float
        The number.
    """
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def short(text: str) -> str:
    """Quote a text from a file for a message, and cut a long one.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    str
        At most 40 characters in quotation marks.
    """
    return repr(text) if len(repr(text)) <= 40 else f"{repr(text[:60])[:36]}…'"


def bounded_lines(file: Any) -> Iterator[str]:
    """Iterate over the lines of a text file, of which none may fill the memory.

    Parameters
    ----------
    file : file object
        The text.

    Yields
    ------
    str
        The next line with its end.

    Raises
    ------
    csv.Error
        If a line is longer than any row of pixels.
    """
    while line := file.readline(MOST_LINE_CHARACTERS):
        if len(line) == MOST_LINE_CHARACTERS:
            raise csv.Error(f"a line of more than {MOST_LINE_CHARACTERS} characters")
        yield line


def unreadable(
    file: FoundPath, error: Exception, expected: str = "a CSV file of numbers"
) -> ValueError:
    """Return the error of a file that cannot be read as CSV.

    Parameters
    ----------
    file : Path or zipfile.Path
        The file.
    error : Exception
        Why.
    expected : str, default="a CSV file of numbers"
        What was expected.

    Returns
    -------
    ValueError
        With a message of one line.
    """
    # The text of a decoding error includes the bytes themselves.
    reason = getattr(error, "reason", None) or " ".join(str(error).split())
    return ValueError(
        f"{file}: not {expected}, or damaged ({type(error).__name__}: {str(reason)[:80].strip()})."
    )


def _first_lines(lines: Iterator[str]) -> list[str]:
    first, characters = [], 0
    for line in lines:
        first.append(line)
        characters += len(line)
        enough = characters >= SAMPLE_CHARACTERS and len(first) >= SAMPLE_LINES
        if enough or characters >= MOST_SAMPLE_CHARACTERS:
            break
    return first


def _divide_header(file: FoundPath, encoding: str, delimiter: str, rows: list[list[str]]) -> Sample:
    names, width = rows[0], len(rows[0])
    if not any(names):
        raise ValueError(f"{file}: the file is empty; expected a header and rows of pixels.")
    numbers = [to_number(name) for name in names]
    # pandas writes the numbers of the columns where they have no names.
    is_numbered = width > 2 and numbers in ([*range(width)], [*range(1, width + 1)])
    has_header = is_numbered or any(map(math.isnan, numbers))
    if has_header:
        _check_names(file, names, numbers)
    else:
        names = [str(i + 1) for i in range(width)]
    # Other rows are reported with their line when they are read.
    rows = [row for row in rows[int(has_header) :] if len(row) == width]
    return Sample(file, encoding, delimiter, has_header, names, rows)


def _check_names(file: FoundPath, names: list[str], numbers: list[float]) -> None:
    twice = next((name for name, n in Counter(names).items() if n > 1), None)
    if twice is None:
        return
    words = [name for name, number in zip(names, numbers, strict=True) if math.isnan(number)]
    if len(words) < len(names) / 2:
        raise ValueError(
            f"{file}, line 1: {short(words[0])} among numbers; expected a header such as "
            "label,pixel0,pixel1,…, or numbers only."
        )
    raise ValueError(f"{file}, line 1: there is more than one column {short(twice)}.")
