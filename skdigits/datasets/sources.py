"""Read any source of images; its format is recognized."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.datasets.arff import iter_arff, load_arff
from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.bundled import load_digits
from skdigits.datasets.contents import Samples
from skdigits.datasets.csv_files import iter_csv, load_csv
from skdigits.datasets.idx import iter_idx, load_idx
from skdigits.datasets.libsvm import iter_libsvm, load_libsvm
from skdigits.datasets.matlab import iter_mat, load_mat
from skdigits.datasets.numpy_files import iter_npz, load_npz
from skdigits.datasets.openml import fetch_mnist
from skdigits.datasets.parquet import iter_parquet, load_parquet
from skdigits.datasets.picture_files import Cleaning, NoPicturesError, iter_pictures, load_pictures
from skdigits.datasets.recognition import nothing_to_read, recognize
from skdigits.datasets.zipped import iter_zip, load_zip

if TYPE_CHECKING:
    import numpy as np

    from skdigits.typing import StrPath

# How a format is loaded as a whole, and how it is read in chunks.
READERS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "arff": (load_arff, iter_arff),
    "csv": (load_csv, iter_csv),
    "idx": (load_idx, iter_idx),
    "libsvm": (load_libsvm, iter_libsvm),
    "mat": (load_mat, iter_mat),
    "npz": (load_npz, iter_npz),
    "parquet": (load_parquet, iter_parquet),
    "pictures": (load_pictures, iter_pictures),
    "zip": (load_zip, iter_zip),
}


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
        None or ``"digits"`` for `load_digits`; ``"mnist"`` for `fetch_mnist`; else a file or
        folder for `load_csv`, `load_idx`, `load_npz`, `load_mat`, `load_arff`, `load_parquet`,
        `load_libsvm`, `load_zip` or `load_pictures`, whose format is recognized from its content.
        Of a folder with a subfolder per part, such as ``training`` and ``testing``, that of the
        subset is read.
    subset : {"train", "test"}, default="train"
        ``"train"`` requires labels. The bundled digits are not divided: both values return all of
        them.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As the loader returns it.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or it contains nothing that can be read.
    ValueError
        If a file is damaged, cannot be read safely (a pickle), is none of these, or `subset` is
        unknown.
    ImportError
        If a Parquet or HEIC file needs a library that is not installed.
    OSError
        If MNIST cannot be downloaded.
    """
    check_subset(subset)
    form: dict[str, Any] = {"as_frame": as_frame, "return_X_y": return_X_y}
    if source is None or source == "digits":
        return load_digits(**form)
    if source == "mnist":
        return fetch_mnist(subset=subset, **form)
    kind, path = recognize(Path(source), subset)
    load, _ = READERS[kind]
    try:
        return load(path, subset=subset, **form)
    except NoPicturesError:
        raise nothing_to_read(path, subset) from None


def iter_data(
    source: StrPath | None, *, subset: str = "test", chunk_size: int = 8192, lines: bool = False
) -> Iterator[tuple[Any, np.ndarray | None]]:
    """Read images from any source in chunks, so that memory is bounded.

    Parameters
    ----------
    source : str, path-like or None
        As for `load_data`. CSV files, IDX files and pictures are read in parts; other files, the
        bundled digits and MNIST from OpenML are loaded as a whole and divided.
    subset : {"train", "test"}, default="test"
        As for `load_data`.
    chunk_size : int, default=8192
        Maximum number of images in a chunk.
    lines : bool, default=False
        Whether an image shows a line of digits instead of a single digit; labels are then
        strings.

    Yields
    ------
    data : ndarray of shape (n, n_pixels) or (n, height, width), uint8
        The next images; a list of arrays of shape (28, width) for pictures of lines.
    target : ndarray of shape (n,) or None
        Labels of the images; None without labels.

    Raises
    ------
    FileNotFoundError, ValueError, OSError
        As for `load_data`; the ValueError of a damaged file is raised when the damaged part is
        reached.
    """
    chunks = iter_chunks(source, subset=subset, chunk_size=chunk_size, lines=lines)
    return _without_problems(chunks)


def _without_problems(chunks: Iterator[Chunk]) -> Iterator[tuple[Any, np.ndarray | None]]:
    for chunk in chunks:
        if chunk.problems:
            raise ValueError(chunk.problems[0].text)
        yield chunk.data, chunk.target


def iter_chunks(
    source: StrPath | None,
    *,
    subset: str = "test",
    chunk_size: int = 8192,
    lines: bool = False,
    cleaning: Cleaning | None = None,
) -> Iterator[Chunk]:
    """Read images from any source in chunks, as `iter_data` does, with the names of their files.

    The source is opened once: images, labels and names come from the same listing of a folder.

    Parameters
    ----------
    source : str, path-like or None
        As for `iter_data`.
    subset : {"train", "test"}, default="test"
        As for `iter_data`.
    chunk_size : int, default=8192
        Maximum number of images in a chunk.
    lines : bool, default=False
        As for `iter_data`.
    cleaning : Cleaning, default=None
        As for `iter_pictures`; sources other than pictures do not use it.

    Returns
    -------
    iterator of Chunk
        Images, labels and names; and what is wrong with pictures that cannot be read.

    Raises
    ------
    FileNotFoundError, ValueError, OSError
        As for `iter_data`; raised at once if there is nothing to read.
    """
    check_subset(subset)
    if source is None or source in ("digits", "mnist"):
        data, target = load_data(source, subset=subset, return_X_y=True)
        return Samples(data, target, str(source)).chunks(chunk_size, lines)
    kind, path = recognize(Path(source), subset)
    _, read = READERS[kind]
    options = {"cleaning": cleaning} if kind == "pictures" else {}
    try:
        return read(path, subset=subset, chunk_size=chunk_size, lines=lines, **options)
    except NoPicturesError:
        raise nothing_to_read(path, subset) from None
