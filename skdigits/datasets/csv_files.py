"""CSV files: one row per image and one column per pixel."""

from __future__ import annotations

import contextlib
import csv
import itertools
import math
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.checks.image_shapes import infer_image_shape
from skdigits.datasets.bunch import Chunk, as_labels, check_subset, make_bunch, pixel_names
from skdigits.datasets.csv_layout import Layout, find_layout
from skdigits.datasets.csv_sample import (
    READING_ERRORS,
    bounded_lines,
    short,
    to_number,
    unreadable,
)
from skdigits.datasets.emnist import TURNED, is_emnist, turn_upright
from skdigits.datasets.orientation import check_upright
from skdigits.datasets.unpacking import as_path

if TYPE_CHECKING:
    from skdigits.typing import DataPath, FoundPath

DESCR = """Images from a CSV file

{name}: {n} rows of {pixels} pixels, {labels}.{remarks}
"""

NO_ROWS = ": the file has a header and no rows; expected rows of pixels."
FILE_NAME = re.compile(r"(?P<prefix>.*[-_. ])?(?P<subset>train|test)\.csv(\.gz)?", re.IGNORECASE)
PART_ROWS = 8192
MOST_LABEL_CHARACTERS = 100  # one longer label would widen an array of all labels
LEADING_ZERO = re.compile(r"[+-]?0\d")
LARGEST_INTEGER = 2**53  # of those that a float holds exactly


def load_csv(
    path: DataPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from CSV files, such as Kaggle's, pjreddie's, OpenML's or EMNIST's.

    =================   ==============
    Size                one row per image, one column per pixel, in row-major order
    Values                integers 0–255, or numbers 0–1, which are multiplied by 255 and rounded
    Source              e.g. ``mnist_train.csv`` and ``mnist_test.csv``; ``mnist_784.csv``;
                        ``emnist-digits-train.csv``, whose images are turned upright
    =================   ==============

    The delimiter is a comma, a semicolon or a tab, and the encoding UTF-8 or, with a byte order
    mark, UTF-16. In a file with a header, labels are in a column named ``label``, ``class``,
    ``target``, ``digit`` or ``y``, else in the only column of ``train.csv`` that ``test.csv`` does
    not have. In a file without, they are in the first or last column, beside a square number of
    pixels. A column of row numbers is left out, and columns of pixels that are not in the order of
    their numbers are put into it, with a warning.

    Parameters
    ----------
    path : str or path-like
        Folder with ``train.csv`` and ``test.csv``, or with files whose names end so
        (``mnist_train.csv``), or one file; each may be gzipped.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, n_pixels), uint8; ``target`` of shape (n,), integers or strings
        (integers with leading zeros are strings), or None without labels; ``images`` of shape
        (n, side, side), None where the number of pixels is not a square number;
        ``feature_names``, ``target_names``, ``frame``, ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has another format; the message names the file, the line and what was expected.

    Warns
    -----
    UserWarning
        If columns are left out or put into another order, or if what a column holds is in doubt.
    """
    layout = _find_layout(path, subset)
    data, texts = _read_whole(layout)
    _warn(layout)
    data, target = _finish(layout, data, texts, is_first=True)
    return make_bunch(
        data,
        target,
        image_shape=infer_image_shape(data.shape[1])[:2],
        feature_names=layout.pixel_names if layout.is_named else pixel_names(data.shape[1]),
        descr=_describe(layout, data.shape),
        as_frame=as_frame,
        return_X_y=return_X_y,
    )


def iter_csv(
    path: DataPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_csv` in chunks, so that memory is bounded.

    Parameters
    ----------
    path : str or path-like
        As for `load_csv`.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels.
    chunk_size : int, default=8192
        Maximum number of rows in a chunk.
    lines : bool, default=False
        Whether to return labels as strings of digits, which keep leading zeros.

    Returns
    -------
    iterator of Chunk
        ``data`` of shape (n, n_pixels), uint8; ``target`` of shape (n,) or None.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As for `load_csv`; raised at once for the first rows, and for other lines when they are
        reached.

    Warns
    -----
    UserWarning
        As for `load_csv`.
    """
    layout = _find_layout(path, subset)
    _warn(layout)
    return _read_chunks(layout, chunk_size, lines)


def _read_chunks(layout: Layout, chunk_size: int, lines: bool) -> Iterator[Chunk]:
    for i, (data, texts) in enumerate(_read_parts(layout, chunk_size)):
        yield Chunk(*_finish(layout, data, texts, is_first=i == 0, as_text=lines))


def find_csv(folder: FoundPath, subset: str) -> Path | zipfile.Path | None:
    """Find ``train.csv`` or ``test.csv`` in a folder, with any prefix, gzipped or not.

    Parameters
    ----------
    folder : Path or zipfile.Path
        Folder to search.
    subset : {"train", "test"}
        The subset.

    Returns
    -------
    Path, zipfile.Path or None
        The file; the one without a prefix, and the unpacked one, if there are both.

    Raises
    ------
    ValueError
        If there are files with different prefixes and none without.
    """
    found = _list_csv(folder, subset)
    if len(found) > 1 and "" not in found:
        names = ", ".join(short(file.name) for file in list(found.values())[:2])
        raise ValueError(
            f"{folder} holds {len(found)} collections; pass one of the files, such as {names}."
        )
    return found.get("") or next(iter(found.values()), None)


def _list_csv(folder: FoundPath, subset: str) -> dict[str, Path | zipfile.Path]:
    """Find the files of a subset by prefix."""
    found: dict[str, Path | zipfile.Path] = {}
    files: Any = folder.iterdir()
    for file in sorted(files, key=lambda file: (len(file.name), file.name)):
        match = FILE_NAME.fullmatch(file.name)
        if match and match["subset"].lower() == subset and file.is_file():
            found.setdefault((match["prefix"] or "").lower(), file)
    return found


def _find_layout(path: DataPath, subset: str) -> Layout:
    """Find the file of a subset and what its columns hold."""
    check_subset(subset)
    path = as_path(path)
    is_folder = path.is_dir()
    if not is_folder and not path.exists():  # the top of an archive is a folder that is not listed
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    file, sibling = _find_files(path, subset) if is_folder else (path, None)
    layout = find_layout(file, sibling)
    if layout.label is None and subset == "train":
        names = ", ".join(name[:20] for name in layout.sample.names[:3])
        among = f" among {names}, …" if layout.is_named else " in a header"
        raise ValueError(
            f"{file}: no column of labels. Expected a column 'label'{among}. Without labels, "
            "use `skdigits predict` or subset='test'."
        )
    return layout


def _warn(layout: Layout) -> None:
    for note in layout.notes:
        warnings.warn(note, UserWarning, stacklevel=3)


def _find_files(folder: FoundPath, subset: str) -> tuple[FoundPath, FoundPath | None]:
    """Find the file of a subset, and that of the other subset with the same prefix or None."""
    file = find_csv(folder, subset)
    if file is None:
        raise FileNotFoundError(f"{folder} holds no {subset}.csv or {subset}.csv.gz.")
    prefix = FILE_NAME.fullmatch(file.name)["prefix"] or ""  # type: ignore[index]
    others = _list_csv(folder, "test" if subset == "train" else "train")
    return file, others.get(prefix.lower())


def _read_whole(layout: Layout) -> tuple[np.ndarray, Any]:
    """Read all rows: pixels, and labels as strings or None."""
    # NumPy opens files of these forms by name, and then reads faster than from lines.
    if isinstance(layout.file, Path) and layout.values == "bytes":
        # It reads only whole numbers; the slower reader reports the fault and its line.
        with contextlib.suppress(ValueError, Warning, *READING_ERRORS):
            return _read_quickly(layout, layout.file, 0, int(layout.sample.has_header))
    parts, labels = zip(*_read_parts(layout, PART_ROWS), strict=True)
    texts = None if layout.label is None else np.concatenate(labels)
    return np.concatenate(parts), texts


def _read_parts(layout: Layout, n_lines: int) -> Iterator[tuple[np.ndarray, Any]]:
    """Read some lines at a time; the pixels of a part, and its labels as strings or None."""
    first, n_rows = 1, 0
    try:
        with layout.open() as file:
            lines = bounded_lines(file)
            if layout.sample.has_header:
                first += len(list(itertools.islice(lines, 1)))
            while part := list(itertools.islice(lines, n_lines)):
                if not all(map(str.isspace, part)):
                    data, texts = _read_lines(layout, part, first, n_rows)
                    n_rows += len(data)
                    yield data, texts
                first += len(part)
    except _Fault as fault:
        raise ValueError(f"{layout.file}{fault}") from None
    except READING_ERRORS as error:
        raise unreadable(layout.file, error) from error
    if not n_rows:
        raise ValueError(f"{layout.file}{NO_ROWS}")


def _read_lines(
    layout: Layout, lines: list[str], first: int, n_before: int
) -> tuple[np.ndarray, Any]:
    with contextlib.suppress(ValueError, Warning, csv.Error):
        return _read_quickly(layout, lines, n_before)
    return _read_line_by_line(layout, lines, first, n_before)


def _read_quickly(layout: Layout, source: Any, n_before: int, n_skipped: int = 0) -> Any:
    """Let NumPy parse whole numbers directly into bytes; raise a ValueError for any fault."""
    number = np.uint8 if layout.values == "bytes" else float
    pixels = set(layout.pixels)
    fields: list[tuple[Any, ...]] = []
    for is_pixel, run in itertools.groupby(range(len(layout.sample.names)), pixels.__contains__):
        columns = list(run)
        if is_pixel:
            fields.append((f"pixels{columns[0]}", number, (len(columns),)))
        else:
            fields += [(str(i), object) for i in columns]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no rows; or, in NumPy 1, floats and values over 255
        table = np.loadtxt(
            source,
            delimiter=layout.sample.delimiter,
            skiprows=n_skipped,
            dtype=fields,
            comments=None,
            quotechar='"',
            ndmin=1,
            encoding=layout.sample.encoding,
        )
    _check_counting(layout, table, n_before)
    parts = [table[name] for name, *_ in fields if name.startswith("pixels")]
    values = np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.hstack(parts)
    texts = None if layout.label is None else _check_labels(table[str(layout.label)])
    return values if number is np.uint8 else _bytes(values, layout.values), texts


def _check_counting(layout: Layout, table: np.ndarray, n_before: int) -> None:
    for i, start in layout.indexes.items():
        if start is not None:
            expected = start + n_before + np.arange(len(table))
            if (table[str(i)].astype(float) != expected).any():
                raise ValueError("a column that counted counts no more")


def _check_labels(texts: np.ndarray) -> np.ndarray:
    """Return texts as an array of str; raise a ValueError if one cannot be a label."""
    texts = [text.strip() for text in texts]
    if not all(map(_is_label, texts)):
        raise ValueError("a label is missing or too long")
    return np.array(texts, dtype=str)


def _is_label(text: str) -> bool:
    return 0 < len(text) <= MOST_LABEL_CHARACTERS and "\0" not in text


def _bytes(numbers: np.ndarray, how_written: str) -> np.ndarray:
    """Convert floats to bytes; raise a ValueError if one is out of range."""
    if how_written == "shares":
        if not ((numbers >= 0) & (numbers <= 1)).all():
            raise ValueError("a number is not from 0 to 1")
        return np.rint(numbers * 255).astype(np.uint8)
    if not ((numbers >= 0) & (numbers <= 255) & (numbers == np.floor(numbers))).all():
        raise ValueError("a number is not whole or not from 0 to 255")
    return numbers.astype(np.uint8)


def _read_line_by_line(layout: Layout, lines: list[str], first: int, n_before: int) -> Any:
    """Read floats as well, and name the line of the first fault."""
    names, pixels = layout.sample.names, layout.pixels
    rows: list[bytes] = []
    labels: list[str] = []
    reader = csv.reader(lines, delimiter=layout.sample.delimiter)
    for cells in filter(None, reader):
        where = f", line {first - 1 + reader.line_num}: "
        if len(cells) != len(names):
            line = "the header" if layout.sample.has_header else "line 1"
            raise _Fault(f"{where}{len(cells)} values; expected {len(names)}, as in {line}.")
        cells = [cell.strip() for cell in cells]
        _check_index(layout, cells, n_before + len(rows), where)
        if layout.label is not None:
            labels.append(_label(cells[layout.label], names[layout.label], where))
        rows.append(bytes(_byte(cells[i], names[i], where, layout.values) for i in pixels))
    data = np.frombuffer(bytearray().join(rows), np.uint8).reshape(len(rows), len(pixels))
    return data, None if layout.label is None else np.array(labels, dtype=str)


class _Fault(Exception):
    """A fault in a file; the message follows the file name."""


def _check_index(layout: Layout, cells: list[str], n_before: int, where: str) -> None:
    for i, start in layout.indexes.items():
        if start is not None and to_number(cells[i]) != start + n_before:
            raise _Fault(
                f"{where}{_quoted(cells[i])} in the column {short(layout.sample.names[i])}, which "
                f"counts the rows above; expected {start + n_before}."
            )


def _label(text: str, name: str, where: str) -> str:
    if not text:
        raise _Fault(f"{where}the column {short(name)} is empty; expected a label.")
    if not _is_label(text):
        raise _Fault(f"{where}{short(text)} in the column {short(name)}; expected a label.")
    return text


def _byte(text: str, name: str, where: str, how_written: str) -> int:
    number = to_number(text)
    is_share = how_written == "shares"
    if is_share and 0 <= number <= 1:
        return round(number * 255)
    if not is_share and number.is_integer() and 0 <= number <= 255:
        return int(number)
    expected = "a number from 0 to 1, as above" if is_share else "a whole number from 0 to 255"
    raise _Fault(f"{where}{_quoted(text)} in the column {short(name)}; expected {expected}.")


def _quoted(text: str) -> str:
    return short(text) if text else "nothing"


def _finish(
    layout: Layout, data: np.ndarray, texts: np.ndarray, *, is_first: bool, as_text: bool = False
) -> tuple[np.ndarray, Any]:
    """Put pixels into their order, and convert labels; check the first images."""
    side: Any = _side(layout)
    if layout.order is not None:
        data = data[:, layout.order]
    if _is_turned(layout):
        data = turn_upright(data.reshape(-1, side, side)).reshape(len(data), -1)
    target = _labels(texts, as_text)
    if is_first and side:
        check_upright(data.reshape(-1, side, side), target, layout.file)
    return data, target


def _is_turned(layout: Layout) -> bool:
    return is_emnist(layout.file) and _side(layout) is not None


def _side(layout: Layout) -> int | None:
    """Height and width of the images; None where the number of pixels is not a square number."""
    n = len(layout.pixels)
    return math.isqrt(n) if math.isqrt(n) ** 2 == n else None


def _labels(texts: np.ndarray | None, as_text: bool) -> Any:
    """Convert texts to labels, integers if all are, written without leading zeros."""
    if texts is None or as_text or any(map(LEADING_ZERO.match, texts)):
        return texts
    labels = as_labels(texts)
    if labels.dtype.kind != "U":
        return labels
    numbers = np.array([to_number(text) for text in texts])
    if (numbers == np.floor(numbers)).all() and (np.abs(numbers) <= LARGEST_INTEGER).all():
        return numbers.astype(np.int64)
    return labels


def _describe(layout: Layout, shape: tuple[int, int]) -> str:
    n, pixels = shape
    label = layout.label
    labels = "no labels" if label is None else f"labels in column {layout.sample.names[label]!r}"
    remarks = [TURNED] if _is_turned(layout) else []
    if layout.values == "shares":
        remarks.append("Numbers 0–1 were multiplied by 255.")
    if layout.indexes:
        names = ", ".join(repr(layout.sample.names[i]) for i in layout.indexes)
        remarks.append(f"Left out as an index: {names}.")
    return DESCR.format(
        name=layout.file.name,
        n=n,
        pixels=pixels,
        labels=labels,
        remarks="".join(f" {remark}" for remark in remarks),
    )
