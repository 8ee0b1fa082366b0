"""The format of a CSV file and the content of its columns.

The encoding and the delimiter are found without a library, because a line of code is enough for
each. `csv.Sniffer` finds no delimiter in rows of different lengths. clevercsv is not pure Python,
and needs three more libraries. charset-normalizer decodes Latin-1 as cp1250 instead of raising an
error.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from skdigits.datasets.contents import to_number
from skdigits.datasets.input_files import open_unpacked, reading, refuse
from skdigits.datasets.names import check_pixel_count, is_index, is_label, pixel_order
from skdigits.typing import FoundPath

NO_CSV = "not a CSV file of numbers, or damaged"
DELIMITERS = ",;\t"
WRITE_HEADER = "Write a header such as label,pixel0,pixel1,… into line 1."
START = 1 << 12  # first bytes, from which a web page or another format is recognized
SAMPLE_CHARACTERS = 1 << 16
MOST_SAMPLE_CHARACTERS = 1 << 22
SAMPLE_LINES = 13  # a header and 12 rows, which are more than MOST_LABELS_IN_ORDER
MOST_LINE_CHARACTERS = 1 << 22  # a line without an end would fill the memory
MOST_LABELS_IN_ORDER = 10  # rows; labels can be 0, 1, …, 9 in order, but 0, 1, …, 10 is an index
USUAL_SIDE = 8  # pixels; smaller images of side² - 1 pixels can be complete, such as 5×7
SMALLEST_SIDE = 2  # pixels; in smaller images, an additional column cannot be recognized
CLEAR_DIFFERENCE = 0.2  # minimum difference of the shares of two columns' most frequent values
MOST_LABEL = 99  # largest label in a file without a header; EMNIST's labels are 0–61


class Layout(NamedTuple):
    """The format of a CSV file and the content of its columns."""

    file: FoundPath
    encoding: str
    delimiter: str
    has_header: bool  # whether line 1 contains names or numbers of columns
    names: list[str]  # one per column; without a header, the positions from 1
    rows: list[list[str]]  # the first rows of cells; all rows of a small file
    label: int | None = None  # position of the column of labels
    # Positions of the columns that are left out, with their first row number. The number is None if
    # the column was recognized by its name.
    indexes: Mapping[int, int | None] = {}
    is_named: bool = True  # whether the pixels have names
    # Format of pixels: whole numbers 0–255, such numbers with decimal points, or numbers 0–1.
    values: Literal["bytes", "decimals", "shares"] = "bytes"
    notes: tuple[str, ...] = ()  # warnings for the user

    @property
    def pixels(self) -> list[int]:
        """Positions of the columns of pixels."""
        others = {self.label, *self.indexes}
        return [i for i in range(len(self.names)) if i not in others]

    @property
    def order(self) -> list[int] | None:
        """Indices that sort the pixels by their numbers; None if they are sorted."""
        return pixel_order([self.names[i] for i in self.pixels]) if self.is_named else None

    @property
    def pixel_names(self) -> list[str]:
        """Sorted names of the pixels; positions if they have no names."""
        names = [self.names[i] for i in self.pixels]
        return names if self.order is None else [names[i] for i in self.order]


def read_texts(file: FoundPath) -> list[tuple[int, list[str]]]:
    """Read a CSV file as text; return the line number and the cells of each row with content."""
    with reading(file, "not a CSV file in UTF-8 or UTF-16, or damaged"):
        encoding, delimiter, _ = _recognize(file)
        with open_unpacked(file, "rt", encoding=encoding, newline="") as text:
            reader = csv.reader(bounded_lines(text), delimiter=delimiter, skipinitialspace=True)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    rows = [(line, cells) for line, cells in rows if any(cells)]
    if not rows:
        raise ValueError(f"{file}: the file is empty; expected a header and rows.")
    return rows


def _recognize(file: FoundPath) -> tuple[str, str, list[str]]:
    """Return the encoding, the delimiter and the first lines of a CSV file."""
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
        raise ValueError(f"{file}: not a text file, because line 1 contains zero bytes.")
    delimiter = max(DELIMITERS, key=lambda d: len(next(csv.reader(lines[:1], delimiter=d), [])))
    return encoding, delimiter, lines


def short(text: str) -> str:
    """Quote a text from a file for a message, with at most 40 characters."""
    return repr(text) if len(repr(text)) <= 40 else f"{repr(text[:60])[:36]}…'"


def bounded_lines(file: Any) -> Iterator[str]:
    """Iterate over the lines of a text file; raise a `csv.Error` if a line is too long."""
    while line := file.readline(MOST_LINE_CHARACTERS):
        if len(line) == MOST_LINE_CHARACTERS:
            raise csv.Error(f"a line of more than {MOST_LINE_CHARACTERS} characters")
        yield line


def _read_first_rows(file: FoundPath) -> Layout:
    """Read the first rows of a CSV file, and recognize its format and its header."""
    with reading(file, NO_CSV):
        encoding, delimiter, lines = _recognize(file)
        reader = csv.reader(lines, delimiter=delimiter)
        rows = [[cell.strip() for cell in row] for row in reader]
    names, width = rows[0], len(rows[0])
    if not any(names):
        raise ValueError(f"{file}: the file is empty; expected a header and rows of pixels.")
    numbers = [to_number(name) for name in names]
    # pandas writes column numbers if columns have no names.
    is_numbered = width > 2 and numbers in ([*range(width)], [*range(1, width + 1)])
    has_header = is_numbered or any(map(math.isnan, numbers))
    if not has_header:
        names = [str(i + 1) for i in range(width)]
    twice = next((name for name, n in Counter(names).items() if n > 1), None)
    words = [name for name, number in zip(names, numbers, strict=True) if math.isnan(number)]
    if twice is not None and len(words) < width / 2:
        raise ValueError(
            f"{file}, line 1: found {short(words[0])} among numbers; expected a header such as "
            "label,pixel0,pixel1,…, or numbers only."
        )
    if twice is not None:
        raise ValueError(f"{file}, line 1: there is more than one column {short(twice)}.")
    # Rows of a different length are reported with their line when all rows are read.
    rows = [row for row in rows[int(has_header) :] if len(row) == width]
    return Layout(file, encoding, delimiter, has_header, names, rows)


def find_layout(file: FoundPath, sibling: FoundPath | None = None) -> Layout:
    """Recognize the columns of a CSV file from its first rows.

    A ValueError is raised if the columns are ambiguous. `sibling` is the file of the other subset,
    or None; both files must have the same pixels.
    """
    rows = _read_first_rows(file)
    if sibling is None:
        return _complete(_find_labels(rows))
    other_rows = _read_first_rows(sibling)
    layout, other = _find_labels(rows, other_rows), _find_labels(other_rows, rows)
    n_pixels, n_others = len(layout.pixels), len(other.pixels)
    layout, other = _complete(layout, n_others), _complete(other, n_pixels)
    _check_same_pixels(layout, other)
    return layout


def _find_labels(layout: Layout, sibling: Layout | None = None) -> Layout:
    """Find the columns of labels and row numbers by name or, without names, by position."""
    names = layout.names
    indexes: dict[int, int | None] = {}
    if layout.has_header:
        indexes = {i: None for i, name in enumerate(names) if is_index(name)}
    rest = [i for i in range(len(names)) if i not in indexes]
    if not rest or any(math.isnan(to_number(names[i])) for i in rest):
        return layout._replace(label=_label_by_name(layout, rest, sibling), indexes=indexes)
    label, counting = _label_by_position(layout, rest)
    return layout._replace(label=label, indexes={**indexes, **counting}, is_named=False)


def _label_by_name(layout: Layout, rest: list[int], sibling: Layout | None) -> int | None:
    """Find the labels by the name of the column, else by its absence in the other file."""
    named = [i for i in rest if is_label(layout.names[i])]
    if len(named) > 1:
        names = " and ".join(repr(layout.names[i]) for i in named[:2])
        raise ValueError(
            f"{layout.file}, line 1: the columns {names} can both be labels; remove one of them."
        )
    if named or sibling is None or not sibling.has_header:
        return named[0] if named else None
    others = {name for name in sibling.names if not is_index(name)}
    extra = [i for i in rest if layout.names[i] not in others]
    return extra[0] if len(extra) == 1 and len(rest) == len(others) + 1 else None


def _label_by_position(layout: Layout, rest: list[int]) -> tuple[int | None, dict[int, int | None]]:
    """Find the columns of labels and row numbers, so that a square number of pixels remains."""
    n = len(rest)
    if _is_square(n):
        return None, {}
    counting = _counting_edge(layout, rest)
    if n - 2 >= SMALLEST_SIDE**2 and _is_square(n - 2) and counting:
        return _label_at_edge(layout, [i for i in rest if i not in counting]), counting
    if _is_square(n - 1) and counting and len(layout.rows) > MOST_LABELS_IN_ORDER:
        return None, counting
    if _is_square(n - 1):
        return _label_at_edge(layout, rest), {}
    raise ValueError(
        f"{layout.file}: {n} columns without names; neither {n} nor {n - 1} is the number of "
        f"pixels of a square image. {WRITE_HEADER}"
    )


def _label_at_edge(layout: Layout, rest: list[int]) -> int:
    """Choose the first or last column as labels: a corner pixel varies less than labels."""
    if not layout.rows:
        return rest[0]  # the fault is reported with its line when all rows are read
    edges = {}
    for i in (rest[0], rest[-1]):
        numbers = _numbers(layout, i)
        if ((numbers >= 0) & (numbers <= MOST_LABEL) & (numbers == np.floor(numbers))).all():
            values, counts = np.unique(numbers, return_counts=True)
            edges[i] = counts.max() / len(numbers), values[counts.argmax()]
    if len(edges) == 1:
        return next(iter(edges))
    if edges:
        (first, (share, most)), (last, (last_share, last_most)) = edges.items()
        if abs(share - last_share) > CLEAR_DIFFERENCE:
            return first if share < last_share else last
        if share == last_share == 1 and (most == 0) != (last_most == 0):
            return first if last_most == 0 else last
    raise ValueError(
        f"{layout.file}: {len(rest)} columns without names; labels could be in the first or in the "
        f"last column. {WRITE_HEADER}"
    )


def _numbers(layout: Layout, column: int) -> np.ndarray:
    """Return the cells of a column as numbers; text becomes NaN."""
    return np.array([to_number(row[column]) for row in layout.rows])


def _counting_edge(layout: Layout, columns: list[int]) -> dict[int, int | None]:
    """Return {column: first number} if the first or last column numbers the rows from 0 or 1."""
    for i in (columns[0], columns[-1]):
        numbers = _numbers(layout, i)
        if len(numbers) > 1 and numbers[0] in (0, 1) and (np.diff(numbers) == 1).all():
            return {i: int(numbers[0])}
    return {}


def _complete(layout: Layout, n_expected: int | None = None) -> Layout:
    """Leave out a column of row numbers, refuse other extra columns, and examine the pixels."""
    layout = layout._replace(indexes={**layout.indexes, **_index_among(layout, n_expected)})
    names, pixels = layout.names, layout.pixels
    if not pixels:
        label = "" if layout.label is None else f" besides {short(names[layout.label])}"
        raise ValueError(f"{layout.file}, line 1: there are no columns of pixels{label}.")
    nameless = [i for i in layout.indexes if not names[i]]
    if nameless and not _is_square(len(pixels)) and _is_square(len(pixels) + len(nameless)):
        # The column is probably a pixel, not the index of pandas.
        raise ValueError(
            f"{layout.file}, line 1: column {nameless[0] + 1} has no name; expected the name of a "
            "pixel, or 'id' if it numbers the rows."
        )
    return layout._replace(values=_how_written(layout), notes=tuple(_notes(layout, len(pixels))))


def _index_among(layout: Layout, n_expected: int | None) -> dict[int, int | None]:
    """Return {column: first number} if an additional column numbers the rows, otherwise {}."""
    n = len(layout.pixels)
    if n <= SMALLEST_SIDE**2 or _is_square(n):
        return {}
    counting = _counting_edge(layout, layout.pixels)
    explains = _is_square(n - 1) or n - 1 == n_expected
    if counting and (explains or (len(layout.rows) > MOST_LABELS_IN_ORDER and n != n_expected)):
        return counting
    check_pixel_count(n, layout.file)
    return {}


def _notes(layout: Layout, n_pixels: int) -> Iterator[str]:
    names, label, file = layout.names, layout.label, layout.file
    for i, start in layout.indexes.items():
        reason = (
            f", because it contains {start}, {start + 1}, {start + 2}, …" if start in (0, 1) else ""
        )
        name = f"column {short(names[i])}" if names[i] else f"column {i + 1} (without a name)"
        yield f"{file}: the {name} is treated as an index and left out{reason}."
    if not layout.is_named and label is not None and _counting_edge(layout, [label]):
        yield (
            f"{file}: column {label + 1} is read as labels, although it numbers the rows; if it is "
            "an index, write a header such as id,pixel0,pixel1,… into line 1."
        )
    counting = n_pixels > SMALLEST_SIDE**2 and _counting_edge(layout, layout.pixels)
    if counting and len(layout.rows) > MOST_LABELS_IN_ORDER:
        name = short(names[next(iter(counting))])
        yield (
            f"{file}: the column {name} numbers the rows, but is read as one of {n_pixels} pixels; "
            "if it is an index, name it 'id'."
        )
    if layout.order is not None:
        yield f"{file}: the columns of pixels were sorted by their numbers."
    side = math.isqrt(n_pixels) + 1
    if side >= USUAL_SIDE and side**2 == n_pixels + 1:
        yield (
            f"{file}: {n_pixels} columns of pixels, one less than {side}×{side}; a column may be "
            "missing."
        )


def _how_written(layout: Layout) -> Literal["bytes", "decimals", "shares"]:
    cells = [row[i] for row in layout.rows for i in layout.pixels]
    if not any("." in cell or "e" in cell.lower() for cell in cells):
        return "bytes"
    numbers = np.array([to_number(cell) for cell in cells])
    numbers = numbers[~np.isnan(numbers)]  # NaN is reported with its line when all rows are read
    is_share = len(numbers) and numbers.min() >= 0 and 0 < numbers.max() <= 1
    return "shares" if is_share else "decimals"


def _check_same_pixels(layout: Layout, other: Layout) -> None:
    """Raise a ValueError unless both files have the same pixels in the same order."""
    is_train = re.search(r"train\.csv(\.gz)?$", layout.file.name, re.IGNORECASE)
    train, test = (layout, other) if is_train else (other, layout)
    folder, name, other_name = train.file.parent, train.file.name, test.file.name
    if len(train.pixels) != len(test.pixels):
        raise ValueError(
            f"{folder}: {name} has {len(train.names)} columns and {other_name} has "
            f"{len(test.names)}; expected the same pixels, and labels only in {name}."
        )
    pairs = zip(train.pixel_names, test.pixel_names, strict=True)
    differing = next(((a, b) for a, b in pairs if a != b), None)
    if differing and train.is_named and test.is_named:
        raise ValueError(
            f"{folder}: the column {short(differing[0])} of {name} is {short(differing[1])} in "
            f"{other_name}; expected the same pixels in the same order."
        )


def _is_square(n: int) -> bool:
    return n > 0 and math.isqrt(n) ** 2 == n
