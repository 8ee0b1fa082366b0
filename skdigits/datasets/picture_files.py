"""Picture files: PNG, JPEG and other formats that Pillow reads."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.utils import gen_batches

from skdigits.datasets.bunch import Chunk, as_labels, check_subset, make_bunch, pixel_names
from skdigits.pictures import clean_line, clean_picture

DESCR = """Images from picture files

{folder}: {n} pictures, each cleaned to {side}×{side} pixels in MNIST's style, {labels}.
"""
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
SIDE = 28


class NoPicturesError(FileNotFoundError):
    """There is no picture in a folder."""


def load_pictures(path, *, subset="train", as_frame=False, return_X_y=False):
    """Load picture files of single digits, cleaned to MNIST's style.

    =================   ==============
    Features                       784
    Values                integers 0–255
    Source              a folder of the user
    =================   ==============

    Parameters
    ----------
    path : str or path-like
        A folder of pictures or one picture; for pictures with labels, a folder with one
        subfolder per label, named after the label.
    subset : {"train", "test"}, default="train"
        Which pictures to load; only ``"train"`` requires labels.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, 784), uint8; ``target`` of shape (n,), integers if all names of
        subfolders are integers, else strings, or None without labels; ``images`` of shape
        (n, 28, 28); ``filenames``, sorted; ``feature_names``, ``target_names``, ``frame``,
        ``DESCR``.

    See Also
    --------
    skdigits.pictures.clean_picture : How each picture is cleaned.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or it contains no picture.
    ValueError
        If a file is not a picture, or if labels are required and there are no subfolders.
    """
    files, target = _find_labelled(Path(path), subset)
    data = _read_all(files)
    result = make_bunch(
        data,
        target,
        image_shape=(SIDE, SIDE),
        feature_names=pixel_names(SIDE * SIDE),
        descr=DESCR.format(
            folder=path,
            n=len(files),
            side=SIDE,
            labels="without labels" if target is None else "labelled by folder",
        ),
        as_frame=as_frame,
        return_X_y=return_X_y,
    )
    if not return_X_y:
        result.filenames = [str(file) for file in files]
    return result


def iter_pictures(path, *, subset="train", chunk_size=8192, lines=False) -> Iterator[Chunk]:
    """Read the pictures of `load_pictures` in chunks, so that memory is bounded.

    Parameters
    ----------
    path : str or path-like
        A folder, or one picture.
    subset : {"train", "test"}, default="train"
        Which pictures to load; only ``"train"`` requires labels.
    chunk_size : int, default=8192
        Maximum number of pictures in a chunk.
    lines : bool, default=False
        Whether a picture shows a line of digits; labels are then strings.

    Returns
    -------
    iterator of Chunk
        ``data`` of shape (n, 784), uint8, or for lines a list of ndarray of shape (28, width);
        ``target`` of shape (n,) or None; ``names`` of shape (n,), paths relative to `path` with
        ``/`` between folders.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or it contains no picture; raised at once.
    ValueError
        If labels are required and missing, raised at once; or if a file is not a picture, raised
        when the file is reached.
    """
    path = Path(path)
    files, target = _find_labelled(path, subset, as_labels=np.array if lines else as_labels)
    folder = path if path.is_dir() else path.parent
    names = np.array([file.relative_to(folder).as_posix() for file in files])
    return _read_chunks(files, target, names, chunk_size, lines)


def _read_chunks(files, target, names, chunk_size, lines):
    for chosen in gen_batches(len(files), chunk_size):
        if lines:
            data = [clean_line(_read(file), height=SIDE) for file in files[chosen]]
        else:
            data = _read_all(files[chosen])
        yield Chunk(data, None if target is None else target[chosen], names[chosen])


def find_pictures(path) -> list[Path]:
    """List picture files in a folder and its subfolders.

    Parameters
    ----------
    path : Path
        A folder, or one file.

    Returns
    -------
    list of Path
        The files in natural order (2 before 10), without hidden files and folders.
    """
    if path.is_file():
        return [path]
    found = [
        file
        for pattern in ("[!.]*", "[!.]*/[!.]*")
        for file in path.glob(pattern)
        if file.suffix.lower() in SUFFIXES and file.is_file()
    ]
    return sorted(found, key=lambda file: [_natural(n) for n in file.relative_to(path).parts])


def _natural(name):
    """Key for the natural order of names: numbers in them are compared as numbers."""
    parts = re.split(r"(\d+)", name)
    return [(n.isdecimal(), int(n) if n.isdecimal() else n) for n in parts], name


def _find_labelled(path, subset, as_labels=as_labels):
    """Find picture files, and their labels or None."""
    check_subset(subset)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    files = find_pictures(path)
    if not files:
        raise NoPicturesError(f"{path} holds no pictures ({', '.join(sorted(SUFFIXES))}).")
    labelled = path.is_dir() and all(file.parent != path for file in files)
    if subset == "train" and not labelled:
        stray = next(file.name for file in files if path in (file, file.parent))
        raise ValueError(
            f"{path}: {stray} has no label. Put the pictures to train on into one subfolder per "
            "label, named after the label."
        )
    return files, as_labels([file.parent.name for file in files]) if labelled else None


def _read_all(files):
    return np.stack([clean_picture(_read(file), side=SIDE).ravel() for file in files])


def _read(file):
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings(), Image.open(file) as picture:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, ValueError, Warning, Image.DecompressionBombError) as error:
        raise ValueError(f"{file}: not a picture, or damaged ({error}).") from error
