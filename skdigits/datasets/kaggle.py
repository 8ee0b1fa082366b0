"""Kaggle's Digit Recognizer as it is downloaded: a zip archive of CSV files, or these files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.datasets.bunch import Chunk
from skdigits.datasets.csv_files import find_csv, iter_csv, load_csv
from skdigits.datasets.zipped import find_zip, is_zip, iter_zip, load_zip

if TYPE_CHECKING:
    from skdigits.typing import StrPath

__all__ = ["find_csv", "iter_kaggle", "load_kaggle"]


def load_kaggle(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load Kaggle's ``train.csv`` or ``test.csv``, from its zip archive, a folder or a file.

    =================   ==============
    Values                integers 0–255
    Source              Kaggle "Digit Recognizer": 42,000 and 28,000 images of 28×28
    =================   ==============

    A file has a header, one row per image and one column per pixel, in row-major order from the top
    left. Other CSV files are read, too, as by `load_csv`.

    Parameters
    ----------
    path : str or path-like
        ``digit-recognizer.zip`` as it was downloaded; a folder with this archive or with
        ``train.csv`` and ``test.csv``; or one of these files; each may be gzipped.
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
    archive = _find_archive(path, subset)
    load = load_csv if archive is None else load_zip
    return load(archive or path, subset=subset, as_frame=as_frame, return_X_y=return_X_y)


def iter_kaggle(
    path: StrPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_kaggle` in chunks, so that memory is bounded.

    Parameters
    ----------
    path : str or path-like
        As for `load_kaggle`.
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
    archive = _find_archive(path, subset)
    read = iter_csv if archive is None else iter_zip
    return read(archive or path, subset=subset, chunk_size=chunk_size, lines=lines)


def _find_archive(path: StrPath, subset: str) -> Path | None:
    """Find the archive that `path` is, or that it holds instead of the file of a subset."""
    path = Path(path)
    if path.is_dir():
        return None if find_csv(path, subset) else find_zip(path)
    return path if is_zip(path) else None
