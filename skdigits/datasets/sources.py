"""Read any source of images; its format is recognized."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sklearn.utils import gen_batches

from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.bundled import load_digits
from skdigits.datasets.idx import find_idx, is_idx, iter_idx, load_idx
from skdigits.datasets.kaggle import find_csv, iter_kaggle, load_kaggle
from skdigits.datasets.openml import fetch_mnist
from skdigits.datasets.picture_files import (
    SUFFIXES,
    NoPicturesError,
    iter_pictures,
    load_pictures,
)

# How a format is loaded as a whole, and how it is read in chunks.
KAGGLE = (load_kaggle, iter_kaggle)
IDX = (load_idx, iter_idx)
PICTURES = (load_pictures, iter_pictures)


def load_data(source=None, *, subset="train", as_frame=False, return_X_y=False):
    """Load images from any source.

    Parameters
    ----------
    source : str or path-like, default=None
        None or ``"digits"`` for `load_digits`; ``"mnist"`` for `fetch_mnist`; else a file or
        folder for `load_idx`, `load_kaggle` or `load_pictures`, whose format is recognized from
        its content.
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
        If a file is damaged, or `subset` is unknown.
    OSError
        If MNIST cannot be downloaded.
    """
    check_subset(subset)
    form = {"as_frame": as_frame, "return_X_y": return_X_y}
    if source is None or source == "digits":
        return load_digits(**form)
    if source == "mnist":
        return fetch_mnist(subset=subset, **form)
    load, _ = _recognize(Path(source), subset)
    try:
        return load(source, subset=subset, **form)
    except NoPicturesError:
        raise _nothing_to_read(source, subset) from None


def iter_data(source, *, subset="test", chunk_size=8192, lines=False):
    """Read images from any source in chunks, so that memory is bounded.

    Parameters
    ----------
    source : str, path-like or None
        As for `load_data`. Files are read in parts; the bundled digits and MNIST from OpenML are
        loaded as a whole and divided.
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
    return ((chunk.data, chunk.target) for chunk in chunks)


def iter_chunks(source, *, subset="test", chunk_size=8192, lines=False) -> Iterator[Chunk]:
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

    Returns
    -------
    iterator of Chunk
        Images, labels and names.

    Raises
    ------
    FileNotFoundError, ValueError, OSError
        As for `iter_data`; raised at once if there is nothing to read.
    """
    check_subset(subset)
    if source is None or source in ("digits", "mnist"):
        data, target = load_data(source, subset=subset, return_X_y=True)
        return _divide(data, target, chunk_size, lines)
    _, read = _recognize(Path(source), subset)
    try:
        return read(source, subset=subset, chunk_size=chunk_size, lines=lines)
    except NoPicturesError:
        raise _nothing_to_read(source, subset) from None


def _divide(data, target, chunk_size, lines):
    target = target.astype(str) if lines else target
    for chosen in gen_batches(len(data), chunk_size):
        yield Chunk(data[chosen], target[chosen])


def _recognize(path, subset):
    """Functions that load and read a source; a folder without CSV or IDX files has pictures."""
    if path.is_dir():
        if find_csv(path, subset):
            return KAGGLE
        return IDX if find_idx(path, subset) else PICTURES
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: there is no such file or folder. Expected IDX files, CSV files or "
            "pictures, 'digits' for the bundled digits, or 'mnist' to download MNIST."
        )
    if path.suffix.lower() in SUFFIXES:
        return PICTURES
    return IDX if is_idx(path) else KAGGLE


def _nothing_to_read(folder, subset):
    name = "train" if subset == "train" else "t10k"
    return FileNotFoundError(
        f"{folder} holds nothing to read; expected {subset}.csv, {subset}.csv.gz, IDX files "
        f"such as {name}-images-idx3-ubyte.gz, or pictures."
    )
