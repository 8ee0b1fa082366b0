"""CSV files: one row per image and one column per pixel.

NumPy reads Kaggle's train.csv in half the time and a ninth of the memory of pandas. If NumPy fails,
the rows are read one by one, so that the error message names the line.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skdigits.datasets.bunch import Chunk, LoadedImages
from skdigits.datasets.contents import read_labels, to_number
from skdigits.datasets.csv_layout import NO_CSV, Layout, bounded_lines, find_layout, short
from skdigits.datasets.input_files import existing, opened
from skdigits.datasets.names import files_by_prefix
from skdigits.datasets.orientation import TURNED, check_upright, is_emnist, turn_upright
from skdigits.typing import DataPath, FoundPath

FILE_NAME = re.compile(r"(?P<prefix>.*[-_. ])?(?P<subset>train|test)\.csv(\.gz)?", re.IGNORECASE)
PART_ROWS = 8192
MOST_LABEL_CHARACTERS = 100  # a longer label would widen the array of all labels


def load_csv(
    path: DataPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from CSV files, such as Kaggle's, pjreddie's, OpenML's or EMNIST's.

    A file has one row per image and one column per pixel, in row-major order. Pixels are integers
    0–255, or numbers 0–1, which are multiplied by 255 and rounded. The delimiter is a comma, a
    semicolon or a tab. The encoding is UTF-8 or, with a byte order mark, UTF-16.

    The column of labels is named ``label``, ``labels``, ``class``, ``target``, ``digit`` or ``y``;
    otherwise it is the only column of ``train.csv`` that ``test.csv`` lacks. Without a header, the
    labels are the first or the last column, and the other columns are a square number of pixels.

    A column of row numbers is left out with a warning. If the pixels are not in the order of their
    numbers, they are sorted with a warning. If the name of a file begins with ``emnist``, its
    images are turned upright.

    Parameters
    ----------
    path : str or path-like
        A file; or a folder with ``train.csv`` and ``test.csv``, or with files whose names end with
        these, such as ``mnist_train.csv``. Files can be gzipped.
    subset, as_frame, return_X_y
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`. Labels with leading zeros are strings.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `load_data`. If a value is wrong, the message names the line and the expected value.

    Warns
    -----
    UserWarning
        If columns are left out or sorted, or if the content of a column is ambiguous.
    """
    return read_csv(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_csv(path: DataPath, subset: str) -> LoadedImages:
    """Read the samples of `load_csv`."""
    layout = _find_layout(path, subset)
    chunk = _finish(layout, *_read_whole(layout), is_first=True)
    _warn(layout)
    note = f"\n{TURNED}\n" if _is_turned(layout) else ""
    if layout.values == "shares":
        note += "\nNumbers 0–1 were multiplied by 255.\n"
    names = layout.pixel_names if layout.is_named else None
    return LoadedImages(chunk.data, chunk.target, layout.file.name, note, names)


def iter_csv(
    path: DataPath, subset: str, chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the samples of `load_csv` in chunks, so that memory is bounded.

    With `lines`, labels are strings, which keep leading zeros.
    """
    layout = _find_layout(path, subset)
    _warn(layout)
    return (
        _finish(layout, data, texts, is_first=i == 0, as_text=lines)
        for i, (data, texts) in enumerate(_read_parts(layout, chunk_size))
    )


def _find_layout(path: DataPath, subset: str) -> Layout:
    """Find the file of a subset, and determine the content of its columns."""
    file: Any = existing(path, subset)
    sibling = None
    if file.is_dir():
        folder, file = file, find_csv(file, subset)
        if file is None:
            raise FileNotFoundError(f"{path} has no {subset}.csv or {subset}.csv.gz.")
        others = files_by_prefix(folder, FILE_NAME, "test" if subset == "train" else "train")
        sibling = others.get((FILE_NAME.fullmatch(file.name)["prefix"] or "").lower())  # type: ignore[index]
    layout = find_layout(file, sibling)
    if layout.label is None and subset == "train":
        names = ", ".join(name[:20] for name in layout.names[:3])
        found = f"; the columns are {names}, …" if layout.is_named else " in a header"
        raise ValueError(
            f"{file}: there is no column of labels. Expected a column 'label'{found}. For images "
            "without labels, use `skdigits predict` or subset='test'."
        )
    return layout


def _warn(layout: Layout) -> None:
    for note in layout.notes:
        warnings.warn(note, stacklevel=4)


def find_csv(folder: FoundPath, subset: str) -> Any:
    """Find ``train.csv`` or ``test.csv`` in a folder; return None if there is no such file.

    The name can have a prefix, and the file can be gzipped. A name without a prefix takes
    precedence, and then a file that is not gzipped. If all names have prefixes, and these differ, a
    ValueError is raised.
    """
    found = files_by_prefix(folder, FILE_NAME, subset)
    if len(found) > 1 and "" not in found:
        names = ", ".join(short(file.name) for file in list(found.values())[:2])
        raise ValueError(
            f"{folder} contains {len(found)} data sets; pass one of the files, such as {names}."
        )
    return found.get("") or next(iter(found.values()), None)


def _read_whole(layout: Layout) -> tuple[np.ndarray, Any]:
    """Read the pixels of all rows, and their labels as strings or None."""
    # NumPy reads faster if it opens the file itself.
    if isinstance(layout.file, Path) and layout.values == "bytes":
        # On any error, the slower reader below reports the fault and its line.
        with contextlib.suppress(Exception):
            return _read_quickly(layout, layout.file, 0, int(layout.has_header))
    parts, labels = zip(*_read_parts(layout, PART_ROWS), strict=True)
    return np.concatenate(parts), None if layout.label is None else np.concatenate(labels)


def _read_parts(layout: Layout, n_lines: int) -> Iterator[tuple[np.ndarray, Any]]:
    """Read `n_lines` lines at a time; yield their pixels, and their labels as strings or None."""
    first, n_rows = 1, 0
    with opened(layout.file, NO_CSV, "rt", encoding=layout.encoding, newline="") as file:
        lines = bounded_lines(file)
        if layout.has_header:
            first += len(list(itertools.islice(lines, 1)))
        while part := list(itertools.islice(lines, n_lines)):
            if not all(map(str.isspace, part)):
                try:
                    data, texts = _read_quickly(layout, part, n_rows)
                except (ValueError, Warning, csv.Error):
                    data, texts = _read_line_by_line(layout, part, first, n_rows)
                n_rows += len(data)
                yield data, texts
            first += len(part)
        if not n_rows:
            raise ValueError(
                f"{layout.file}: the file has a header but no rows; expected rows of pixels."
            )


def _read_quickly(layout: Layout, source: Any, n_before: int, n_skipped: int = 0) -> Any:
    """Parse lines with NumPy; raise a ValueError for any fault."""
    number = np.uint8 if layout.values == "bytes" else float
    pixels = set(layout.pixels)
    fields: list[tuple[Any, ...]] = []
    for is_pixel, run in itertools.groupby(range(len(layout.names)), pixels.__contains__):
        columns = list(run)
        if is_pixel:
            fields.append((f"pixels{columns[0]}", number, (len(columns),)))
        else:
            fields += [(str(i), object) for i in columns]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # for no rows; in NumPy 1 also for floats or values over 255
        table = np.loadtxt(
            source,
            delimiter=layout.delimiter,
            skiprows=n_skipped,
            dtype=fields,
            comments=None,
            quotechar='"',
            ndmin=1,
            encoding=layout.encoding,
        )
    parts = [table[name] for name, *_ in fields if name.startswith("pixels")]
    values = np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.hstack(parts)
    if number is float:
        values, is_wrong = _as_bytes(values, layout)
        if is_wrong.any():
            raise ValueError("a number is out of range")
    others = {i: map(str.strip, table[str(i)]) for i in range(len(layout.names)) if i not in pixels}
    rows = (dict(zip(others, cells, strict=True)) for cells in zip(*others.values(), strict=True))
    labels = [_check_row(layout, row, n) for n, row in enumerate(rows, n_before)]
    return values, None if layout.label is None else np.array(labels, dtype=str)


def _check_row(layout: Layout, cells: Any, n_above: int) -> str:
    """Check the row number and the label of a row; return the label, or ``""`` without labels."""
    for i, start in layout.indexes.items():
        if start is not None and to_number(cells[i]) != start + n_above:
            column = f"{short(layout.names[i])} of row numbers"
            raise ValueError(
                f"{_shown(cells[i])} in the column {column}; expected {start + n_above}"
            )
    if layout.label is None:
        return ""
    label, name = cells[layout.label], layout.names[layout.label]
    if not label:
        raise ValueError(f"the column {short(name)} is empty; expected a label")
    if len(label) > MOST_LABEL_CHARACTERS or "\0" in label:
        raise ValueError(f"{short(label)} in the column {short(name)}; expected a label")
    return label


def _read_line_by_line(layout: Layout, lines: list[str], first: int, n_before: int) -> Any:
    """Parse lines that NumPy cannot parse, such as those with spaces; report the first fault."""
    rows: list[bytes] = []
    labels: list[str] = []
    reader = csv.reader(lines, delimiter=layout.delimiter)
    for cells in filter(None, reader):
        try:
            row, label = _read_row(layout, [cell.strip() for cell in cells], n_before + len(rows))
        except ValueError as fault:
            line = first - 1 + reader.line_num
            raise ValueError(f"{layout.file}, line {line}: {fault}.") from None
        rows.append(row)
        labels.append(label)
    data = np.frombuffer(bytearray().join(rows), np.uint8).reshape(len(rows), -1)
    return data, None if layout.label is None else np.array(labels, dtype=str)


def _read_row(layout: Layout, cells: list[str], n_above: int) -> tuple[bytes, str]:
    """Check each value of a row; return its pixels and its label, or ``""`` without labels."""
    names = layout.names
    if len(cells) != len(names):
        line = "the header" if layout.has_header else "line 1"
        raise ValueError(f"{len(cells)} values; expected {len(names)}, as in {line}")
    label = _check_row(layout, cells, n_above)
    numbers = np.array([to_number(cells[i]) for i in layout.pixels])
    values, is_wrong = _as_bytes(numbers, layout)
    if is_wrong.any():
        i = layout.pixels[is_wrong.argmax()]
        whole, shares = "a whole number from 0 to 255", "a number from 0 to 1, as in the rows above"
        raise ValueError(
            f"{_shown(cells[i])} in the column {short(names[i])}; expected "
            f"{shares if layout.values == 'shares' else whole}"
        )
    return values.tobytes(), label


def _as_bytes(numbers: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Convert numbers to pixels; also return a mask of the numbers that are not valid pixels."""
    largest = 1 if layout.values == "shares" else 255
    is_right = (numbers >= 0) & (numbers <= largest)
    is_right &= (largest == 1) | (numbers == np.rint(numbers))
    return np.rint(np.where(is_right, numbers, 0) * (255 // largest)).astype(np.uint8), ~is_right


def _shown(text: str) -> str:
    return short(text) if text else "nothing"


def _finish(
    layout: Layout, data: np.ndarray, texts: Any, *, is_first: bool, as_text: bool = False
) -> Chunk:
    """Sort the columns of pixels, and convert labels; check that the first images are upright."""
    if layout.order is not None:
        data = data[:, layout.order]
    if _is_turned(layout):
        side = math.isqrt(data.shape[1])
        data = turn_upright(data.reshape(-1, side, side)).reshape(len(data), -1)
    target = texts if texts is None or as_text else read_labels(texts, layout.file)
    if is_first:
        check_upright(data, target, layout.file)
    return Chunk(data, target)


def _is_turned(layout: Layout) -> bool:
    return is_emnist(layout.file) and math.isqrt(len(layout.pixels)) ** 2 == len(layout.pixels)
