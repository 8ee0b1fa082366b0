"""CSV files as in Kaggle's Digit Recognizer."""

from __future__ import annotations

import contextlib
import csv
import itertools
import math
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skdigits.datasets.bunch import Chunk, as_labels, check_subset, make_bunch
from skdigits.datasets.unpacking import open_unpacked
from skdigits.validation import infer_image_shape

DESCR = """Images from a CSV file

{name}: {n} rows of {pixels} pixels, {labels}.
"""

NO_ROWS = ": the file has a header and no rows; expected rows of pixels."
READING_ERRORS = (UnicodeDecodeError, csv.Error, EOFError, OSError, zlib.error)


def load_kaggle(path, *, subset="train", as_frame=False, return_X_y=False):
    """Load images from CSV files such as Kaggle's ``train.csv`` and ``test.csv``.

    =================   ==============
    Values                integers 0–255
    Source              e.g. Kaggle "Digit Recognizer": 42,000 and 28,000 images of 28×28
    =================   ==============

    A file has a header, one row per image and one column per pixel, in row-major order from the top
    left. The label column is the only column of ``train.csv`` that ``test.csv`` does not have; in a
    single file it is the column ``label``.

    Parameters
    ----------
    path : str or path-like
        Folder with ``train.csv`` and ``test.csv``, or one file; each may be gzipped.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, n_pixels), uint8; ``target`` of shape (n,), integers or strings,
        or None without labels; ``images`` of shape (n, side, side), None where the number of
        pixels is not a square number; ``feature_names``, ``target_names``, ``frame``, ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has another format; the message names the file, the line and what was expected.
    """
    file, names, label = _find_columns(path, subset)
    data, target = _read_rows(file, names, label)
    return make_bunch(
        data,
        target,
        image_shape=infer_image_shape(data.shape[1])[:2],
        feature_names=[name for name in names if name != label],
        descr=DESCR.format(
            name=file.name,
            n=len(data),
            pixels=data.shape[1],
            labels="no labels" if label is None else f"labels in column {label!r}",
        ),
        as_frame=as_frame,
        return_X_y=return_X_y,
    )


def iter_kaggle(path, *, subset="train", chunk_size=8192, lines=False) -> Iterator[Chunk]:
    """Read the images of `load_kaggle` in chunks, so that memory is bounded.

    Parameters
    ----------
    path : str or path-like
        Folder with ``train.csv`` and ``test.csv``, or one file; each may be gzipped.
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
        As for `load_kaggle`; raised at once for the header, and for other lines when they are
        reached.
    """
    file, names, label = _find_columns(path, subset)
    return _read_chunks(file, names, label, chunk_size, lines)


def _read_chunks(file, names, label, chunk_size, lines):
    first, empty = 2, True
    try:
        with _open(file) as rows:
            next(rows)
            while chunk := list(itertools.islice(rows, chunk_size)):
                if not all(map(str.isspace, chunk)):
                    yield Chunk(*_read_rows(file, names, label, chunk, first, as_text=lines))
                    empty = False
                first += len(chunk)
    except READING_ERRORS as error:
        raise _unreadable(file, error) from error
    if empty:
        raise ValueError(f"{file}{NO_ROWS}")


def find_csv(folder, subset) -> Path | None:
    """Find ``train.csv`` or ``test.csv`` in a folder, gzipped or not.

    Parameters
    ----------
    folder : Path
        Folder to search.
    subset : {"train", "test"}
        The subset.

    Returns
    -------
    Path or None
        The file.
    """
    for name in (f"{subset}.csv", f"{subset}.csv.gz"):
        if (folder / name).is_file():
            return folder / name
    return None


def _find_columns(path, subset):
    """Find the file of a subset, its column names, and the name of the label column or None."""
    check_subset(subset)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    file = find_csv(path, subset) if path.is_dir() else path
    if file is None:
        raise FileNotFoundError(f"{path} holds no {subset}.csv or {subset}.csv.gz.")
    names = _read_header(file)
    label = _label_column(file, names, folder=path if path.is_dir() else None)
    if label is None and subset == "train":
        raise ValueError(
            f"{file}: no column of labels. Expected a column 'label' among "
            f"{', '.join(names[:3])}, …. Images without labels can only be predicted: "
            "`skdigits predict`, or subset='test'."
        )
    if not [name for name in names if name != label]:
        raise ValueError(f"{file}, line 1: expected columns of pixels besides {label!r}.")
    return file, names, label


def _open(file):
    return open_unpacked(file, "rt", encoding="utf-8-sig", newline="")


def _read_header(file) -> list[str]:
    try:
        with _open(file) as lines:
            names = next(csv.reader(lines), [])
    except READING_ERRORS as error:
        raise _unreadable(file, error) from error
    names = [name.strip() for name in names]
    if not any(names):
        raise ValueError(f"{file}: the file is empty; expected a header and rows of pixels.")
    if all(_is_number(name) for name in names):
        raise ValueError(
            f"{file}, line 1: expected a header such as label,pixel0,pixel1,…; "
            f"found the numbers {', '.join(names[:3])}, …"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{file}, line 1: there is more than one column {twice[0]!r}.")
    return names


def _label_column(file, names, folder):
    """Find the column of train.csv that test.csv does not have, else `label`, else None."""
    if folder is not None:
        train, test = find_csv(folder, "train"), find_csv(folder, "test")
        if train and test:
            train_names, test_names = _read_header(train), _read_header(test)
            extra = [name for name in train_names if name not in set(test_names)]
            if len(train_names) - len(extra) != len(test_names) or len(extra) > 1:
                raise ValueError(
                    f"{folder}: {train.name} has {len(train_names)} columns and {test.name} has "
                    f"{len(test_names)}; expected the same pixels, and labels in {train.name}."
                )
            if extra:
                return extra[0] if file == train else None
    return next((name for name in names if name.lower() == "label"), None)


def _read_rows(file, names, label, lines=None, first=2, *, as_text=False):
    """Read a file, or lines of it that begin at line number `first`: pixels, and labels or None."""
    try:
        # The file name is passed if possible, because NumPy reads lines more slowly.
        data, texts = _read_quickly(file if lines is None else lines, names, label, lines is None)
        return data, _labels(texts, as_text)
    except (ValueError, Warning, *READING_ERRORS):
        pass  # it reads only whole numbers; the slower reader reports the fault and its line
    try:
        with _open(file) if lines is None else contextlib.nullcontext(lines) as rows:
            rows = itertools.islice(rows, lines is None, None)
            data, texts = _read_line_by_line(rows, names, label, first)
            return data, _labels(texts, as_text)
    except _Fault as fault:
        raise ValueError(f"{file}{fault}") from None
    except (ValueError, *READING_ERRORS) as error:
        raise _unreadable(file, error) from error


def _read_quickly(source, names, label, has_header):
    """Let NumPy parse whole numbers directly into bytes; raise a ValueError for anything else.

    The labels are returned as strings; None without labels.
    """
    before = len(names) if label is None else names.index(label)
    after = len(names) - before - 1
    columns: list[tuple] = [("left", np.uint8, (before,))]
    if label is not None:
        columns += [("label", object), ("right", np.uint8, (after,))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no rows; or, in NumPy 1, floats and values over 255
        table = np.loadtxt(
            source,
            delimiter=",",
            skiprows=int(has_header),
            dtype=columns,
            comments=None,
            quotechar='"',
            ndmin=1,
            encoding="utf-8-sig",
        )
    if label is None:
        return np.ascontiguousarray(table["left"]), None
    return np.hstack([table["left"], table["right"]]), table["label"]


def _read_line_by_line(lines, names, label, first):
    """Read floats as well, and name the line of the first fault."""
    rows, labels = [], []
    reader = csv.reader(lines)
    for fields in filter(None, reader):
        where = f", line {first - 1 + reader.line_num}: "
        if len(fields) != len(names):
            raise _Fault(f"{where}{len(fields)} values; expected {len(names)}, as in the header.")
        cells = dict(zip(names, fields, strict=True))
        labels.append(cells.pop(label, "").strip())
        if label is not None and not labels[-1]:
            raise _Fault(f"{where}the column {label!r} is empty; expected a label.")
        rows.append(bytes(_byte(text.strip(), name, where) for name, text in cells.items()))
    if not rows:
        raise _Fault(NO_ROWS)
    data = np.frombuffer(bytearray().join(rows), np.uint8).reshape(len(rows), -1)
    return data, None if label is None else labels


class _Fault(Exception):
    """A fault in a file; the message follows the file name."""


def _byte(text, name, where):
    if _is_number(text) and float(text).is_integer() and 0 <= float(text) <= 255:
        return int(float(text))
    found = repr(text) if text else "nothing"
    raise _Fault(f"{where}{found} in the column {name!r}; expected a whole number from 0 to 255.")


def _labels(texts, as_text):
    """Convert texts to labels, integers if all are; raise a ValueError if one is missing."""
    if texts is None:
        return None
    texts = np.char.strip(np.array(texts, dtype=str))
    if (texts == "").any():
        raise ValueError("a label is missing")
    if as_text:
        return texts
    labels = as_labels(texts)
    if labels.dtype.kind == "U" and all(
        _is_number(text) and float(text).is_integer() for text in texts
    ):
        return texts.astype(float).astype(np.int64)
    return labels


def _is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _unreadable(file, error):
    return ValueError(
        f"{file}: not a CSV file of numbers, or damaged "
        f"({type(error).__name__}: {str(error).strip()})."
    )
