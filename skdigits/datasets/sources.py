"""Any source of images, found out by looking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.utils import gen_batches

from skdigits.datasets.bundled import load_digits
from skdigits.datasets.idx import find_idx, iter_idx, load_idx
from skdigits.datasets.kaggle import find_csv, iter_kaggle, load_kaggle
from skdigits.datasets.openml import fetch_mnist
from skdigits.datasets.picture_files import SUFFIXES, find_pictures, iter_pictures, load_pictures

IN_CHUNKS = {load_idx: iter_idx, load_kaggle: iter_kaggle, load_pictures: iter_pictures}


def load_data(source=None, *, subset="train", as_frame=False, return_X_y=False):
    """Load images from whatever `source` is.

    Parameters
    ----------
    source : str or path-like, default=None
        None or ``"digits"`` for `load_digits`; ``"mnist"`` for `fetch_mnist`; else a file or
        folder for `load_idx`, `load_kaggle` or `load_pictures`, told apart by what is in it.
    subset : {"train", "test"}, default="train"
        ``"train"`` needs labels. The bundled digits are one set: both give all of them.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As the loader gives it.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or nothing in it that can be read.
    ValueError
        If a file is damaged.
    OSError
        If MNIST cannot be downloaded.
    """
    form = {"as_frame": as_frame, "return_X_y": return_X_y}
    if source is None or source == "digits":
        return load_digits(**form)
    if source == "mnist":
        return fetch_mnist(subset=subset, **form)
    return _loader(source, subset)(source, subset=subset, **form)


def iter_data(source, *, subset="test", chunk_size=8192, lines=False):
    """Read images from whatever `source` is in chunks, so that memory is bounded.

    Parameters
    ----------
    source : str, path-like or None
        As for `load_data`. Files are read bit by bit; the bundled digits and MNIST's download
        are loaded and divided.
    subset : {"train", "test"}, default="test"
        As for `load_data`.
    chunk_size : int, default=8192
        Images in a chunk at most.
    lines : bool, default=False
        Whether images show lines of digits rather than single ones, and labels are strings.

    Yields
    ------
    data : ndarray of shape (n, n_pixels) or (n, height, width), uint8
        The next images; a list of arrays of shape (28, width) for pictures of lines.
    target : ndarray of shape (n,) or None
        Their labels; None without labels.

    See Also
    --------
    skdigits.datasets.sources.picture_names : The files, where they are pictures.

    Raises
    ------
    FileNotFoundError, ValueError, OSError
        As `load_data`, a ValueError when the damaged part is reached.
    """
    if source is None or source in ("digits", "mnist"):
        data, target = load_data(source, subset=subset, return_X_y=True)
        for chosen in gen_batches(len(data), chunk_size):
            yield data[chosen], target[chosen]
        return
    read = IN_CHUNKS[_loader(source, subset)]
    options = {"lines": True} if lines and read is not iter_idx else {}
    yield from read(source, subset=subset, chunk_size=chunk_size, **options)


def picture_names(source, subset="test"):
    """List the pictures that `iter_data` reads, in its order.

    Parameters
    ----------
    source : str, path-like or None
        As for `iter_data`.
    subset : {"train", "test"}, default="test"
        As for `iter_data`.

    Returns
    -------
    ndarray of str or None
        Names below `source`, with ``/`` between folders; None if `source` is something else.
    """
    if source is None or source in ("digits", "mnist"):
        return None
    if _loader(source, subset) is not load_pictures:
        return None
    path = Path(source)
    folder = path if path.is_dir() else path.parent
    return np.array([file.relative_to(folder).as_posix() for file in find_pictures(path)])


def _loader(source, subset):
    """The function that loads this file or folder, found out by looking."""
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"{source}: there is no such file or folder. Expected IDX files, CSV files or "
            "pictures, 'digits' for the bundled digits, or 'mnist' to download MNIST."
        )
    if path.is_dir():
        if find_csv(path, subset):
            return load_kaggle
        if find_idx(path, subset):
            return load_idx
        if find_pictures(path):
            return load_pictures
        name = "train" if subset == "train" else "t10k"
        raise FileNotFoundError(
            f"{path} holds nothing to read; expected {subset}.csv, {subset}.csv.gz, IDX files "
            f"such as {name}-images-idx3-ubyte.gz, or pictures."
        )
    if path.suffix.lower() in SUFFIXES:
        return load_pictures
    if "idx" in path.name:
        return load_idx
    return load_kaggle
