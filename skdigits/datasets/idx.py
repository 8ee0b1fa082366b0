"""IDX files: the format in which MNIST, EMNIST and Fashion-MNIST are published."""

from __future__ import annotations

import contextlib
import gzip
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.bunch import Chunk, check_subset, make_bunch, pixel_names
from skdigits.datasets.emnist import TURNED, is_emnist, turn_upright
from skdigits.datasets.orientation import check_upright
from skdigits.datasets.unpacking import as_path, open_unpacked

if TYPE_CHECKING:
    from skdigits.typing import DataPath, FoundPath

DESCR = """Images from IDX files

{images} and {labels}: {n} images of {height}×{width} bytes.{remark}
"""
UNSIGNED_BYTE = 8
ELEMENT_TYPES = (UNSIGNED_BYTE, 9, 11, 12, 13, 14)  # the third byte of every IDX file
IMAGE_FILE_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<subset>train|t10k|test)-images[-.]idx[13]-ubyte(\.gz)?"
)


def load_idx(
    path: DataPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images and labels from IDX files, gzipped or not.

    =================   ==============
    Values                integers 0–255
    Source              e.g. MNIST: 60,000 training and 10,000 test images of 28×28
    =================   ==============

    Parameters
    ----------
    path : str or path-like
        Folder with files named like MNIST's (``train-images-idx3-ubyte.gz``,
        ``train-labels-idx1-ubyte.gz``, ``t10k-…``), or an image file; its label file is expected in
        the same folder. EMNIST's files have a prefix, ``emnist-``, and their images, which lie on
        their side, are turned upright. If a folder contains several collections, pass an image
        file.
    subset : {"train", "test"}, default="train"
        Which images of a folder to load; only ``"train"`` requires labels.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, height * width), uint8; ``target`` of shape (n,), integers, or
        None without labels; ``images`` of shape (n, height, width); ``feature_names``,
        ``target_names``, ``frame``, ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file is not an IDX file of bytes, is damaged, or images and labels differ in number.
    """
    image_file, label_file = _find_files(path, subset)
    images = read_idx(image_file, ndim=3)
    labels = _read_labels(label_file, len(images), image_file)
    images = _upright(images, labels, image_file)
    n, height, width = images.shape
    return make_bunch(
        images.reshape(n, height * width),
        labels,
        image_shape=(height, width),
        feature_names=pixel_names(height * width),
        descr=DESCR.format(
            images=image_file.name,
            labels="no labels" if label_file is None else label_file.name,
            n=n,
            height=height,
            width=width,
            remark=f" {TURNED}" if is_emnist(image_file) else "",
        ),
        as_frame=as_frame,
        return_X_y=return_X_y,
    )


def iter_idx(
    path: DataPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_idx` in chunks, so that memory is bounded.

    Parameters
    ----------
    path : str or path-like
        Folder with files named like MNIST's, or an image file.
    subset : {"train", "test"}, default="train"
        Which images of a folder to load; only ``"train"`` requires labels.
    chunk_size : int, default=8192
        Maximum number of images in a chunk.
    lines : bool, default=False
        Whether to return labels as strings of digits.

    Returns
    -------
    iterator of Chunk
        ``data`` of shape (n, height, width), uint8; ``target`` of shape (n,) or None.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        As for `load_idx`; raised when the damaged part is reached.
    """
    image_file, label_file = _find_files(path, subset)
    return _read_chunks(image_file, label_file, chunk_size, lines)


def _read_chunks(
    image_file: FoundPath, label_file: FoundPath | None, chunk_size: int, lines: bool
) -> Iterator[Chunk]:
    with _unpacked(image_file) as file:
        n, height, width = _read_shape(file, image_file, ndim=3)
        labels = _read_labels(label_file, n, image_file)
        for start in range(0, n, chunk_size):
            chosen = slice(start, min(start + chunk_size, n))
            shape = chosen.stop - start, height, width
            images = _read_values(file, image_file, shape, ends=chosen.stop == n)
            target = None if labels is None else labels[chosen]
            images = _upright(images, None if start else target, image_file)
            yield Chunk(images, target.astype(str) if lines and target is not None else target)


def _upright(images: np.ndarray, labels: np.ndarray | None, image_file: FoundPath) -> np.ndarray:
    """Turn EMNIST's images, which are stored column by column; check images with labels."""
    if is_emnist(image_file):
        images = turn_upright(images)
    check_upright(images, labels, image_file)
    return images


def is_idx(path: FoundPath) -> bool:
    """Check whether a file starts like an IDX file, gzipped or not; its name does not matter.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        True for a regular file that starts like an IDX file.
    """
    if not path.is_file():
        return False
    try:
        with open_unpacked(path) as file:
            start = file.read(3)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return len(start) == 3 and start[:2] == b"\0\0" and start[2] in ELEMENT_TYPES


def read_idx(path: DataPath, *, ndim: int) -> np.ndarray:
    """Read one IDX file of bytes.

    Parameters
    ----------
    path : str or path-like
        The file, gzipped or not.
    ndim : int
        Number of dimensions expected.

    Returns
    -------
    ndarray of uint8
        The values.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has another format or number of dimensions, or is truncated or too long.
    """
    path = as_path(path)
    with _unpacked(path) as file:
        return _read_values(file, path, _read_shape(file, path, ndim), ends=True)


@contextlib.contextmanager
def _unpacked(path: FoundPath) -> Iterator[Any]:
    """Open a file, gzipped or not; raise a ValueError if it is damaged."""
    try:
        with open_unpacked(path) as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: the gzip file is damaged or truncated ({error}).") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path}: the archive is damaged or encrypted.") from error


def _read_shape(file: Any, path: FoundPath, ndim: int) -> tuple[int, ...]:
    magic = file.read(4)
    expected = bytes([0, 0, UNSIGNED_BYTE, ndim])
    if magic != expected:
        raise ValueError(
            f"{path}: the file starts with the bytes {magic.hex(' ') or '(none)'}; an IDX file "
            f"of bytes with {ndim} dimension{'s' * (ndim > 1)} starts with {expected.hex(' ')}."
        )
    header = file.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise ValueError(f"{path}: the file ends at byte {4 + len(header)}, inside its header.")
    shape = tuple(int.from_bytes(header[4 * i : 4 * i + 4], "big") for i in range(ndim))
    if 0 in shape:
        raise ValueError(f"{path}: the file is empty; its header gives the shape {shape}.")
    return shape


def _read_values(file: Any, path: FoundPath, shape: tuple[int, ...], ends: bool) -> np.ndarray:
    """Read the next values; with `ends` they are the last values, and nothing may follow."""
    size = math.prod(shape)
    values = bytearray()
    # Read in parts, so that memory is not allocated for more values than the file contains.
    while len(values) < size and (piece := file.read(min(size - len(values), 1 << 20))):
        values += piece
    more = ends and file.read(1)
    if len(values) != size or more:
        raise ValueError(
            f"{path}: the header says that {size} {'' if ends else 'more '}values of shape {shape} "
            f"follow; the file holds {'more' if more else len(values)}."
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def find_idx(folder: FoundPath, subset: str) -> list[Path | zipfile.Path]:
    """List the image files of one subset in a folder; folders of such names are ignored.

    Parameters
    ----------
    folder : Path or zipfile.Path
        Folder to search.
    subset : {"train", "test"}
        The subset.

    Returns
    -------
    list of Path or zipfile.Path
        One file per collection; the unpacked file if there is a gzipped one, too.
    """
    wanted = ("train",) if subset == "train" else ("t10k", "test")
    found: dict[str, Path | zipfile.Path] = {}
    files: Any = folder.iterdir()
    for file in sorted(files, key=lambda file: len(file.name)):
        match = IMAGE_FILE_NAME.fullmatch(file.name)
        if match and match["subset"] in wanted and file.is_file():
            found.setdefault(match["prefix"], file)
    return list(found.values())


def _find_files(path: DataPath, subset: str) -> tuple[FoundPath, FoundPath | None]:
    """Find the file of images and the file of labels; None without labels."""
    check_subset(subset)
    path = as_path(path)
    image_file = _images_in(path, subset) if path.is_dir() else path
    return image_file, _labels_of(image_file, needed=subset == "train")


def _read_labels(
    label_file: FoundPath | None, n_images: int, image_file: FoundPath
) -> np.ndarray | None:
    if label_file is None:
        return None
    labels = read_idx(label_file, ndim=1)
    if n_images != len(labels):
        raise ValueError(
            f"{image_file.name} holds {n_images} images and {label_file.name} holds "
            f"{len(labels)} labels; expected as many labels as images."
        )
    return labels.astype(np.int64)


def _images_in(folder: FoundPath, subset: str) -> FoundPath:
    files = find_idx(folder, subset)
    name = "train" if subset == "train" else "t10k"
    if not files:
        raise FileNotFoundError(
            f"{folder} holds no file of {subset} images such as {name}-images-idx3-ubyte.gz."
        )
    if len(files) > 1:
        names = ", ".join(sorted(file.name for file in files)[:2])
        raise ValueError(f"{folder} holds several collections; pass one of the files: {names}, ….")
    return files[0]


def _labels_of(image_file: FoundPath, needed: bool) -> FoundPath | None:
    name = image_file.name.replace("-images", "-labels").replace("idx3", "idx1")
    plain = name.removesuffix(".gz")
    folder: Any = image_file.parent
    for candidate in (name, plain, f"{plain}.gz"):
        file = folder / candidate
        if file.is_file() and candidate != image_file.name:
            return file
    if not image_file.exists():
        raise FileNotFoundError(f"{image_file}: there is no such file or folder.")
    if needed:
        raise FileNotFoundError(
            f"{image_file}: there is no file of labels in the same folder; expected {name}."
        )
    return None
