"""Kaggle's Digit Recognizer: the downloaded zip archive, or its CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skdigits.datasets.csv_files import find_csv, read_csv
from skdigits.datasets.zipped import find_zip, is_zip, read_zip
from skdigits.typing import StrPath


def load_kaggle(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load Kaggle's ``train.csv`` or ``test.csv`` from its zip archive, a folder or a file.

    The files have 42,000 and 28,000 images of 28×28 pixels with values 0–255. They have a header,
    one row per image, and one column per pixel in row-major order. Other CSV files are read as in
    `load_csv`.

    Parameters
    ----------
    path : str or path-like
        The downloaded ``digit-recognizer.zip``; a folder with this archive or with ``train.csv``
        and ``test.csv``; or one of these CSV files. CSV files can be gzipped.
    subset, as_frame, return_X_y
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_csv`, which also lists the errors and warnings.
    """
    source = Path(path)
    if source.is_dir() and not find_csv(source, subset):
        source = find_zip(source) or source
    read = read_zip if is_zip(source) else read_csv
    return read(source, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)
