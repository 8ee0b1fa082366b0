"""IDX files, the format of MNIST, EMNIST and Fashion-MNIST.

A file contains 4 bytes for type and number of dimensions, 4 bytes per length, and the values.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from skdigits.datasets.bunch import Chunk, LoadedImages
from skdigits.datasets.input_files import existing, opened
from skdigits.datasets.names import files_by_prefix
from skdigits.datasets.orientation import TURNED, check_upright, is_emnist, turn_upright
from skdigits.typing import DataPath, FoundPath

UNSIGNED_BYTE = 8
ELEMENT_TYPES = (UNSIGNED_BYTE, 9, 11, 12, 13, 14)  # the third byte of every IDX file
PIECE = 1 << 20  # bytes read at once
DAMAGED = "the zip or gzip file is damaged or truncated"
IMAGE_FILE_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<subset>train|t10k|test)-images[-.]idx[13]-ubyte(\.gz)?"
)
EXAMPLES = {"train": "train-images-idx3-ubyte.gz", "test": "t10k-images-idx3-ubyte.gz"}


def load_idx(
    path: DataPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images and labels from IDX files, gzipped or not.

    Parameters
    ----------
    path : str or path-like
        A folder with files that are named like MNIST's (``train-images-idx3-ubyte.gz``,
        ``train-labels-idx1-ubyte.gz``, ``t10k-…``), or a file of images, whose labels must be in
        the same folder. If a folder contains several data sets, pass the file of images. EMNIST's
        images are transposed; if the name of their file begins with ``emnist``, they are turned
        upright.
    subset, as_frame, return_X_y
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`, which also lists the errors and warnings.
    """
    return read_idx(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_idx(path: DataPath, subset: str) -> LoadedImages:
    """Read the samples of `load_idx`."""
    images, labels = _find_files(path, subset)
    (chunk,) = _read_chunks(images, labels, sys.maxsize, lines=False)
    names = " and ".join(file.name for file in (images, labels) if file)
    note = f"\n{TURNED}\n" if is_emnist(images) else ""
    return LoadedImages(chunk.data, chunk.target, names, note)


def iter_idx(
    path: DataPath, subset: str, chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the samples of `load_idx` in chunks, so that memory is bounded."""
    return _read_chunks(*_find_files(path, subset), chunk_size, lines)


def _read_chunks(images: Any, labels: Any, chunk_size: int, lines: bool) -> Iterator[Chunk]:
    with opened(images, DAMAGED) as file:
        n, height, width = _read_shape(file, images, ndim=3)
    target = None
    if labels is not None:
        with opened(labels, DAMAGED) as file:
            target = _read_values(file, labels, _read_shape(file, labels, ndim=1)).astype(np.int64)
        if len(target) != n:
            raise ValueError(
                f"{images} has {n} images, but {labels.name} has {len(target)} labels; expected "
                "one label per image."
            )
    with opened(images, DAMAGED) as file:
        _read_shape(file, images, ndim=3)
        for start in range(0, n, chunk_size):
            stop = min(start + chunk_size, n)
            part = _read_values(file, images, (stop - start, height, width), ends=stop == n)
            some = None if target is None else target[start:stop]
            if is_emnist(images):
                part = turn_upright(part)
            check_upright(part, None if start else some, images)
            yield Chunk(part, some.astype(str) if lines and some is not None else some)


def _read_shape(file: Any, path: FoundPath, ndim: int) -> tuple[int, ...]:
    magic = file.read(4)
    expected = bytes([0, 0, UNSIGNED_BYTE, ndim])
    if magic != expected:
        raise ValueError(
            f"{path}: the file starts with the bytes {magic.hex(' ') or '(none)'}; an IDX file "
            f"with a {ndim}-dimensional array of bytes starts with {expected.hex(' ')}."
        )
    header = file.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise ValueError(f"{path}: the file ends at byte {4 + len(header)}, inside its header.")
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    if 0 in shape:
        raise ValueError(f"{path}: the file has no values; its header gives the shape {shape}.")
    return shape


def _read_values(
    file: Any, path: FoundPath, shape: tuple[int, ...], ends: bool = True
) -> np.ndarray:
    """Read the next values; with `ends`, check that they are the last values of the file."""
    size = math.prod(shape)
    values = bytearray()
    # Read in parts, so that memory is allocated only for values that the file contains.
    while len(values) < size and (piece := file.read(min(size - len(values), PIECE))):
        values += piece
    more = ends and file.read(1)
    if len(values) != size or more:
        raise ValueError(
            f"{path}: expected {size} {'' if ends else 'more '}values of shape {shape}, as in the "
            f"header; the file has {'more' if more else len(values)}."
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def _find_files(path: DataPath, subset: str) -> tuple[Any, Any]:
    """Return the file of images, and the file of labels or None."""
    file: Any = existing(path, subset)
    if file.is_dir():
        found = list(files_by_prefix(file, IMAGE_FILE_NAME, subset).values())
        if not found:
            raise FileNotFoundError(
                f"{path} has no file of {subset} images, such as {EXAMPLES[subset]}."
            )
        if len(found) > 1:
            names = ", ".join(sorted(other.name for other in found)[:2])
            raise ValueError(
                f"{path} contains several data sets; pass one of the files: {names}, …."
            )
        file = found[0]
    name = file.name.replace("-images", "-labels").replace("idx3", "idx1")
    plain = name.removesuffix(".gz")
    others = [file.parent / other for other in (name, plain, f"{plain}.gz") if other != file.name]
    labels = next((other for other in others if other.is_file()), None)
    if labels is None and subset == "train":
        raise FileNotFoundError(
            f"{file}: there is no file of labels in the same folder; expected {name}."
        )
    return file, labels
