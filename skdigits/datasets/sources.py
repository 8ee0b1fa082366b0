"""Loading of images from any source; the format is recognized.

A new format needs ``load_x`` and ``read_x`` in its own module, an entry in `READERS`, a test of its
first bytes in ``recognition.format_of``, and an export in ``__init__.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skdigits.datasets.arff import read_arff
from skdigits.datasets.bunch import Chunk, LoadedImages, without_problems
from skdigits.datasets.bundled import load_digits
from skdigits.datasets.csv_files import iter_csv, read_csv
from skdigits.datasets.idx import iter_idx, read_idx
from skdigits.datasets.input_files import check_subset
from skdigits.datasets.libsvm import read_libsvm
from skdigits.datasets.matlab import read_mat
from skdigits.datasets.numpy_files import read_npz
from skdigits.datasets.openml import fetch_mnist
from skdigits.datasets.parquet import read_parquet
from skdigits.datasets.picture_files import (
    Cleaning,
    NoPicturesError,
    Watch,
    iter_pictures,
    load_pictures,
)
from skdigits.datasets.recognition import nothing_to_read, recognize
from skdigits.datasets.zipped import iter_zip, read_zip
from skdigits.typing import StrPath

# Functions that read whole files, for each format except pictures, and functions that read chunks.
READERS: dict[str, Callable[..., LoadedImages]] = {
    "arff": read_arff,
    "csv": read_csv,
    "idx": read_idx,
    "libsvm": read_libsvm,
    "mat": read_mat,
    "npz": read_npz,
    "parquet": read_parquet,
    "zip": read_zip,
}
READERS_OF_PARTS = {"csv": iter_csv, "idx": iter_idx, "zip": iter_zip}


def load_data(
    source: StrPath | None = None,
    *,
    subset: str = "train",
    as_frame: bool = False,
    return_X_y: bool = False,
) -> Any:
    """Load images from any source.

    Parameters
    ----------
    source : str or path-like, default=None
        None or ``"digits"`` calls `load_digits`, and ``"mnist"`` calls `fetch_mnist`. The format of
        any other file or folder is recognized from its content; `load_csv`, `load_idx`, `load_npz`,
        `load_mat`, `load_arff`, `load_parquet`, `load_libsvm`, `load_zip` or `load_pictures` loads
        it. If a folder has one subfolder per subset, such as ``training`` and ``testing``, the
        subfolder of `subset` is read.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels. The bundled digits are not divided:
        both values return all of them.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        The attributes of the Bunch are:

        - ``data``, uint8 of shape (n, n_pixels);
        - ``target`` of shape (n,): integers if all labels are integers, otherwise strings; None
          without labels;
        - ``images`` of shape (n, height, width); None if rows of pixels are not square images;
        - ``feature_names``, and ``target_names``, the distinct labels;
        - ``frame``, a DataFrame of data and target; None without `as_frame`;
        - ``DESCR``, a description; for pictures also ``filenames``.

    Raises
    ------
    FileNotFoundError
        If the file or folder does not exist, or the folder contains no data.
    ValueError
        If a file is damaged, cannot be read safely (a pickle) or has an unsupported format, or if
        `subset` is unknown.
    ImportError
        If a Parquet or HEIC file needs a library that is not installed.
    OSError
        If MNIST cannot be downloaded.

    Warns
    -----
    UserWarning
        If digits are transposed, or if 10 is a label but 0 is not. The loader of each format
        documents further warnings.
    """
    check_subset(subset)
    form: dict[str, Any] = {"as_frame": as_frame, "return_X_y": return_X_y}
    if source is None or source == "digits":
        return load_digits(**form)
    if source == "mnist":
        return fetch_mnist(subset=subset, **form)
    kind, path = recognize(Path(source), subset)
    if kind in READERS:
        return READERS[kind](path, subset).bunch(**form)
    try:
        return load_pictures(path, subset=subset, **form)
    except NoPicturesError:
        raise nothing_to_read(path, subset) from None


def iter_data(
    source: StrPath | None, *, subset: str = "test", chunk_size: int = 8192, lines: bool = False
) -> Iterator[tuple[Any, np.ndarray | None]]:
    """Read images from any source in chunks, so that memory is bounded.

    Parameters
    ----------
    source : str, path-like or None
        As for `load_data`. CSV files, IDX files and pictures are read in chunks. Other files, the
        bundled digits and MNIST from OpenML are loaded as a whole and then divided.
    subset : {"train", "test"}, default="test"
        As for `load_data`.
    chunk_size : int, default=8192
        Maximum number of images in a chunk.
    lines : bool, default=False
        Whether images show lines of digits instead of single digits; if so, labels are strings.

    Yields
    ------
    data : ndarray of shape (n, n_pixels) or (n, height, width), uint8
        The next images; for pictures of lines, a list of arrays of shape (28, width).
    target : ndarray of shape (n,) or None
        Labels of the images; None without labels.

    Raises
    ------
    FileNotFoundError, ValueError, OSError
        As for `load_data`. The error of a damaged file is raised when the damage is reached.
    """
    chunks = iter_chunks(source, subset=subset, chunk_size=chunk_size, lines=lines)
    return ((chunk.data, chunk.target) for chunk in without_problems(chunks))


def iter_chunks(
    source: StrPath | None,
    *,
    subset: str = "test",
    chunk_size: int = 8192,
    lines: bool = False,
    cleaning: Cleaning | None = None,
    watch: Watch | None = None,
) -> Iterator[Chunk]:
    """Read images from any source as `iter_data` does, with the names of their files.

    A folder is listed once, so that images, labels and names match. If there is no data, the error
    is raised by the call, not by the iterator. `cleaning` and `watch` are parameters of
    `iter_pictures`; they have no effect for other sources.
    """
    check_subset(subset)
    if source is None or source in ("digits", "mnist"):
        data, target = load_data(source, subset=subset, return_X_y=True)
        return LoadedImages(data, target, str(source)).chunks(chunk_size, lines)
    kind, path = recognize(Path(source), subset)
    if kind in READERS_OF_PARTS:
        return READERS_OF_PARTS[kind](path, subset, chunk_size, lines)
    if kind in READERS:
        return READERS[kind](path, subset).chunks(chunk_size, lines)
    form: dict[str, Any] = {"lines": lines, "cleaning": cleaning, "watch": watch}
    try:
        return iter_pictures(path, subset=subset, chunk_size=chunk_size, **form)
    except NoPicturesError:
        raise nothing_to_read(path, subset) from None
