"""MATLAB's files: mnist-original.mat, SVHN, EMNIST, Coursera's ex3data1.mat.

Of 4,000 files of MATLAB 5 with one to four wrong bytes, SciPy 1.17 crashed Python for 63, did not
return for 6 and filled the memory for 1. So SciPy reads only files of MATLAB 4, with Python's code.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.bunch import Samples
from skdigits.datasets.contents import make_samples
from skdigits.datasets.faults import reading
from skdigits.datasets.names import find_arrays
from skdigits.datasets.unpacking import LARGE, PACKED, existing

if TYPE_CHECKING:
    from skdigits.typing import StrPath

COURSERA = 400  # pixels of ex3data1.mat and ex4data1.mat
TURNED = ", turned upright"
HEADER, TAG = 128, 8  # bytes: of the file, and before every element
INT8, INT32, UINT32, MATRIX, COMPRESSED, UTF8 = 1, 5, 6, 14, 15, 16
# NumPy's types of the values in an element.
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TYPES |= {16: "u1", 17: "u2", 18: "u4"}  # of texts
CELL, STRUCTURE, TEXT = 1, 2, 4  # classes of variables
ARRAYS = {TEXT, *range(6, 16)}
NO_ARRAY = "a variable of class {} that is no plain array"
COMPLEX, LOGICAL = 0x0800, 0x0200
PIECE = 1 << 22  # bytes unpacked at once
DEEPEST = 8  # structures in structures; EMNIST has 2
LONGEST_NAME = 64  # bytes, of a field of a structure in MATLAB


def load_mat(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a MATLAB file, as EMNIST, SVHN and older copies of MNIST are published.

    Known are EMNIST's structure ``dataset.train.images`` and Coursera's ``ex3data1.mat`` (rows of
    400 pixels, labels 1 to 10), whose images lie on their side and are turned upright; a table with
    one column per image and 70,000 of them (``mnist-original.mat``), of which the first 60,000 are
    for training; and SVHN's ``X`` of shape (32, 32, 3, n), which becomes grey. Otherwise arrays are
    found by their names, as in `load_npz`, and are not turned. Values are 0–255, or booleans or
    floats 0–1, which become 0–255; the label 10 stays 10.

    Parameters
    ----------
    path : str or path-like
        A ``.mat`` file of MATLAB 4 to 7.2; 7.3 has another format, HDF5.
    subset, as_frame, return_X_y
        As for `load_data`; arrays whose names have no part are returned for both subsets.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As `load_data` returns it; with the errors and warnings of `load_data`.
    """
    return read_mat(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_mat(path: StrPath, subset: str) -> Samples:
    """Read the samples of `load_mat`.

    Parameters
    ----------
    path, subset
        As for `load_mat`.
    """
    path = existing(path, subset)
    with reading(path, "not a MATLAB file, or damaged"):
        variables = read_variables(path)
    if isinstance(variables.get("dataset"), dict):
        images, labels = _emnist(variables["dataset"], subset, path)
        where, lies = f"{path} (dataset.{subset})", True
    else:
        arrays = {name: value for name, value in variables.items() if hasattr(value, "dtype")}
        images, labels, names = _find(arrays, subset, path)
        where, lies = f"{path} ({names})", _is_coursera(arrays, images, labels)
    side = math.isqrt(images.shape[-1])
    if lies and images.ndim == 2 and side**2 == images.shape[1]:
        images = images.reshape(-1, side, side).transpose(0, 2, 1)
    return make_samples(images, labels, where, subset=subset, note=TURNED if lies else "")


def _find(
    arrays: dict[str, np.ndarray], subset: str, path: Path
) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Images, labels or None, and the names of both."""
    found = find_arrays(arrays, subset, path)
    if found is None:
        known = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"{path} holds {known[:100] or 'no arrays'}; expected arrays such as X and y, data and "
            "label, or train_images and train_labels."
        )
    images, labels = found
    return arrays[images], arrays.get(labels or ""), " and ".join(filter(None, found))


def _emnist(dataset: dict[str, Any], subset: str, path: Path) -> tuple[np.ndarray, Any]:
    part = dataset.get(subset)
    part = part if isinstance(part, dict) else {}
    images, labels = part.get("images"), part.get("labels")
    if not isinstance(images, np.ndarray):
        raise ValueError(f"{path}: dataset.{subset}.images is missing; EMNIST's files have it.")
    return images, labels


def _is_coursera(arrays: dict[str, Any], images: np.ndarray, labels: np.ndarray | None) -> bool:
    """Whether X and y are exercises of Coursera's course: columns first, and 10 for 0."""
    is_table = images.ndim == 2 and images.shape[1] == COURSERA and images.dtype.kind == "f"
    has_ten = labels is not None and labels.dtype.kind in "uif" and 10 in labels
    return {"X", "y"} <= set(arrays) and is_table and has_ten


def read_variables(path: Path) -> dict[str, Any]:
    """Read arrays of numbers and texts, and dicts of the fields of structures of one element.

    Parameters
    ----------
    path : Path
        A file of MATLAB 4 to 7.2.
    """
    with path.open("rb") as file:
        header = file.read(HEADER)
        if 0 in header[:4]:
            from scipy.io import loadmat

            return loadmat(path, appendmat=False)
        order = "<" if header[126:] == b"IM" else ">"
        major = header[125:126] if order == "<" else header[124:125]
        if major == b"\2":
            raise ValueError("MATLAB 7.3 (HDF5), which is not read; save it with -v7")
        if major != b"\1":
            raise ValueError("its header is not MATLAB's")
        left = os.fstat(file.fileno()).st_size - HEADER
        variables = {}
        while left > 0:
            kind, size = _tag(file.read(TAG), order)
            left -= TAG + size
            if left < 0:
                raise ValueError("the file ends inside an element")
            content = memoryview(bytearray(file.read(size)))
            if kind == COMPRESSED:
                kind, content = _inflated(content, order)
            name, value = _read_matrix(kind, content, order)
            variables[name] = value
    return {name: value for name, value in variables.items() if value is not None}


def _tag(tag: Any, order: str) -> list[int]:
    """Type and size of an element; a small one has its size in the upper half of its type."""
    if len(tag) < TAG:
        raise ValueError("the file ends inside an element")
    return np.frombuffer(tag, f"{order}u4", 2).tolist()


def _inflated(packed: Any, order: str) -> tuple[int, memoryview]:
    """Type and content of the element that was packed."""
    inflate = zlib.decompressobj()
    kind, size = _tag(inflate.decompress(packed, TAG), order)
    if size > max(LARGE, PACKED * len(packed)):
        raise ValueError(f"a variable that unpacks from {len(packed)} bytes to {size >> 20} MB")
    content, n = memoryview(bytearray(size)), 0
    while n < size and (piece := inflate.decompress(inflate.unconsumed_tail, min(PIECE, size - n))):
        content[n : n + len(piece)] = piece
        n += len(piece)
    if n < size:
        raise ValueError("the file ends inside an element")
    return kind, content


def _elements(content: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Types and contents of the elements of a matrix."""
    while content:
        kind, size = _tag(content[:TAG], order)
        start, step = TAG, TAG + size + -size % TAG
        if kind >> 16:
            kind, size, start, step = kind & 0xFFFF, kind >> 16, 4, TAG
        if start + size > min(step, len(content)):
            raise ValueError(f"an element of type {kind} and {size} bytes; the file ends inside it")
        yield kind, content[start : start + size]
        content = content[step:]


def _read_matrix(kind: int, content: memoryview, order: str, depth: int = 1) -> tuple[str, Any]:
    """The name and the value of a variable; None for a value that is no array or structure."""
    if kind != MATRIX:
        raise ValueError(f"an element of type {kind} instead of a matrix")
    if depth > DEEPEST:
        raise ValueError(f"more than {DEEPEST} structures inside one another")
    if not content:
        return "", None
    elements = list(_elements(content, order))
    if [kind for kind, _ in elements[:3]] != [UINT32, INT32, INT8] or len(elements[1][1]) < 8:
        raise ValueError("a matrix without class, shape and name")
    flags, shape, name = (_values(element, order) for element in elements[:3])
    value, kind, parts = None, int(flags[0]) & 0xFF, elements[3:]
    if kind == STRUCTURE:
        value = _fields(parts, math.prod(shape.tolist()), order, depth)
    elif kind in ARRAYS:
        value = _array(parts, shape.tolist(), order, int(flags[0]))
    elif kind != CELL:
        raise ValueError(NO_ARRAY.format(kind))
    return name.tobytes().decode("latin-1"), value


def _values(element: tuple[int, memoryview], order: str) -> np.ndarray:
    kind, content = element
    if kind not in TYPES:
        raise ValueError(f"an element of type {kind} and {len(content)} bytes")
    return np.frombuffer(content, order + TYPES[kind])


def _array(parts: list[Any], shape: list[int], order: str, flags: int) -> np.ndarray:
    kind = flags & 0xFF
    if len(parts) != 1 or flags & COMPLEX:
        raise ValueError(NO_ARRAY.format(kind))
    values = _values(parts[0], order)
    if kind == TEXT and parts[0][0] == UTF8:  # characters may have several bytes
        values = np.array([ord(character) for character in bytes(values).decode()], np.uint32)
    if values.size != math.prod(shape):
        raise ValueError(NO_ARRAY.format(kind))
    values = values.reshape(shape, order="F")
    if kind == TEXT:
        rows = values.reshape(shape[0], math.prod(shape[1:])).tolist()
        return np.array(["".join(map(chr, row)) for row in rows], str)
    return values.astype(bool) if flags & LOGICAL else values


def _fields(parts: list[Any], n: int, order: str, depth: int) -> dict[str, Any]:
    """The fields of the first element of a structure of `n` elements."""
    if [kind for kind, _ in parts[:2]] != [INT32, INT8] or len(parts[0][1]) != 4:
        raise ValueError(NO_ARRAY.format(STRUCTURE))
    length, names = int(_values(parts[0], order)[0]), bytes(parts[1][1])
    if not 0 < length <= LONGEST_NAME or len(parts) - 2 != len(names) // length * n:
        raise ValueError(NO_ARRAY.format(STRUCTURE))
    starts = range(0, len(names) if n else 0, length)
    fields = [names[start : start + length].split(b"\0")[0].decode("latin-1") for start in starts]
    values = [_read_matrix(kind, part, order, depth + 1)[1] for kind, part in parts[2:]]
    return dict(zip(fields, values, strict=False))
