"""MATLAB files, such as mnist-original.mat, SVHN, EMNIST and Coursera's ex3data1.mat.

Of 4,000 MATLAB 5 files with one to four wrong bytes, SciPy 1.17 crashed Python on 63, did not
return on 6, and filled the memory on 1. Therefore SciPy reads only MATLAB 4 files, for which its
code is pure Python.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skdigits.datasets.bunch import LoadedImages
from skdigits.datasets.contents import make_samples
from skdigits.datasets.input_files import LARGE, PACKED, existing, reading
from skdigits.datasets.names import find_arrays
from skdigits.typing import StrPath

COURSERA = 400  # pixels of ex3data1.mat and ex4data1.mat
TURNED = ", turned upright"
HEADER, TAG = 128, 8  # bytes of the file header, and of the tag before every element
INT8, INT32, UINT32, MATRIX, COMPRESSED, UTF8 = 1, 5, 6, 14, 15, 16
# NumPy dtypes of the values in an element
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TYPES |= {14: "u1", 16: "u1", 17: "u2", 18: "u4"}  # of matrices and texts
CELL, STRUCTURE, TEXT = 1, 2, 4  # classes of variables
ARRAYS = {TEXT, *range(6, 16)}
NO_ARRAY = "a variable of class {} is not a plain array"
COMPLEX, LOGICAL = 0x0800, 0x0200
PIECE = 1 << 22  # bytes unpacked at once
DEEPEST = 8  # nested structures; EMNIST has 2
LONGEST_NAME = 64  # bytes of the name of a field in MATLAB


def load_mat(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a MATLAB file, such as those of EMNIST, SVHN and older copies of MNIST.

    Four formats are recognized. EMNIST's structure ``dataset.train.images`` and Coursera's
    ``ex3data1.mat`` (rows of 400 pixels, labels 1 to 10) contain transposed images, which are
    turned upright. ``mnist-original.mat`` has 70,000 images, one per column; the first
    60,000 are for training. SVHN's ``X`` of shape (32, 32, 3, n) is converted to grey. In other
    files, arrays are found by their names, as in `load_npz`, and images are not turned. Values are
    0–255, or booleans or floats 0–1, which become 0–255. The label 10 is not changed.

    Parameters
    ----------
    path : str or path-like
        A ``.mat`` file of MATLAB 4 to 7.2; the format of 7.3, HDF5, is not supported.
    subset, as_frame, return_X_y
        As for `load_data`. Arrays whose names contain no subset are returned for both subsets.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`, which also lists the errors and warnings.
    """
    return read_mat(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_mat(path: StrPath, subset: str) -> LoadedImages:
    """Read the samples of `load_mat`."""
    path = existing(path, subset)
    with reading(path, "not a MATLAB file, or damaged"):
        variables = read_variables(path)
    dataset = variables.get("dataset")
    if isinstance(dataset, dict):  # EMNIST
        part = dataset.get(subset)
        arrays = part if isinstance(part, dict) else {}
        images, labels = arrays.get("images"), arrays.get("labels")
        if not isinstance(images, np.ndarray):
            raise ValueError(
                f"{path}: dataset.{subset}.images is missing; expected EMNIST's arrays."
            )
        where, lies = f"{path} (dataset.{subset})", True
    else:
        arrays = {name: value for name, value in variables.items() if hasattr(value, "dtype")}
        found = find_arrays(arrays, subset, path)
        if found is None:
            known = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise ValueError(
                f"{path} has {known[:100] or 'no arrays'}; expected arrays such as X and y, data "
                "and label, or train_images and train_labels."
            )
        images, labels = arrays[found[0]], arrays.get(found[1] or "")
        where = f"{path} ({' and '.join(filter(None, found))})"
        lies = _is_coursera(arrays, images, labels)
    side = math.isqrt(images.shape[-1])
    if lies and images.ndim == 2 and side**2 == images.shape[1]:
        images = images.reshape(-1, side, side).transpose(0, 2, 1)
    return make_samples(images, labels, where, subset=subset, note=TURNED if lies else "")


def _is_coursera(arrays: dict[str, Any], images: np.ndarray, labels: np.ndarray | None) -> bool:
    """Return True for Coursera's X and y: transposed images, and the label 10 for the digit 0."""
    is_table = images.ndim == 2 and images.shape[1] == COURSERA and images.dtype.kind == "f"
    has_ten = labels is not None and labels.dtype.kind in "uif" and 10 in labels
    return {"X", "y"} <= arrays.keys() and is_table and has_ten


def read_variables(path: Path) -> dict[str, Any]:
    """Read numbers and texts as arrays, and structures as dicts of their first element."""
    with path.open("rb") as file:
        header = file.read(HEADER)
        if 0 in header[:4]:
            from scipy.io import loadmat

            return loadmat(path, appendmat=False)
        order = "<" if header[126:] == b"IM" else ">"
        major = header[125:126] if order == "<" else header[124:125]
        if major == b"\2":
            raise ValueError("MATLAB 7.3 (HDF5) is not supported; save it with -v7")
        if major != b"\1":
            raise ValueError("its header is not that of a MATLAB file")
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
    """Return the type and size of an element; a small one has its size in the type's upper bits."""
    if len(tag) < TAG:
        raise ValueError("the file ends inside an element")
    return np.frombuffer(tag, f"{order}u4", 2).tolist()


def _inflated(packed: Any, order: str) -> tuple[int, memoryview]:
    """Return the type and content of a packed element."""
    inflate = zlib.decompressobj()
    kind, size = _tag(inflate.decompress(packed, TAG), order)
    if size > max(LARGE, PACKED * len(packed)):
        raise ValueError(f"a variable unpacks from {len(packed)} bytes to {size >> 20} MB")
    content, n = memoryview(bytearray(size)), 0
    while n < size and (piece := inflate.decompress(inflate.unconsumed_tail, min(PIECE, size - n))):
        content[n : n + len(piece)] = piece
        n += len(piece)
    if n < size:
        raise ValueError("the file ends inside an element")
    return kind, content


def _elements(content: Any, order: str) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the types and values of the elements of a matrix."""
    while len(content):
        kind, size = _tag(content[:TAG], order)
        start, step = TAG, TAG + size + -size % TAG
        if kind >> 16:
            kind, size, start, step = kind & 0xFFFF, kind >> 16, 4, TAG
        if start + size > min(step, len(content)):
            raise ValueError(f"the file ends inside an element of type {kind} and {size} bytes")
        if kind not in TYPES:
            raise ValueError(f"an element of {size} bytes has the unknown type {kind}")
        yield kind, np.frombuffer(content[start : start + size], order + TYPES[kind])
        content = content[step:]


def _read_matrix(kind: int, content: Any, order: str, depth: int = 1) -> tuple[str, Any]:
    """Return the name and value of a variable; the value of cell arrays and empty data is None."""
    if kind != MATRIX:
        raise ValueError(f"an element has type {kind}; expected a matrix")
    if depth > DEEPEST:
        raise ValueError(f"more than {DEEPEST} nested structures")
    if not len(content):
        return "", None
    elements = list(_elements(content, order))
    if [kind for kind, _ in elements[:3]] != [UINT32, INT32, INT8] or len(elements[1][1]) < 2:
        raise ValueError("a matrix has no class, shape and name")
    flags, shape, name = (values for _, values in elements[:3])
    value, kind, parts = None, int(flags[0]) & 0xFF, elements[3:]
    if kind == STRUCTURE:
        value = _fields(parts, math.prod(shape.tolist()), order, depth)
    elif kind in ARRAYS:
        value = _array(parts, shape.tolist(), int(flags[0]))
    elif kind != CELL:
        raise ValueError(NO_ARRAY.format(kind))
    return name.tobytes().decode("latin-1"), value


def _array(parts: list[Any], shape: list[int], flags: int) -> np.ndarray:
    kind = flags & 0xFF
    stored, values = parts[0] if len(parts) == 1 else (None, np.array([]))
    if kind == TEXT and stored == UTF8:  # a character can have several bytes
        values = np.array([ord(character) for character in bytes(values).decode()], np.uint32)
    if stored is None or flags & COMPLEX or values.size != math.prod(shape):
        raise ValueError(NO_ARRAY.format(kind))
    values = values.reshape(shape, order="F")
    if kind == TEXT:
        rows = values.reshape(shape[0], math.prod(shape[1:])).tolist()
        return np.array(["".join(map(chr, row)) for row in rows], str)
    return values.astype(bool) if flags & LOGICAL else values


def _fields(parts: list[Any], n: int, order: str, depth: int) -> dict[str, Any]:
    """Return the fields of the first element of a structure of `n` elements."""
    if [kind for kind, _ in parts[:2]] != [INT32, INT8] or len(parts[0][1]) != 1:
        raise ValueError(NO_ARRAY.format(STRUCTURE))
    length, names = int(parts[0][1][0]), bytes(parts[1][1])
    if not 0 < length <= LONGEST_NAME or len(parts) - 2 != len(names) // length * n:
        raise ValueError(NO_ARRAY.format(STRUCTURE))
    starts = range(0, len(names) if n else 0, length)
    fields = [names[start : start + length].split(b"\0")[0].decode("latin-1") for start in starts]
    values = [_read_matrix(kind, part, order, depth + 1)[1] for kind, part in parts[2:]]
    return dict(zip(fields, values, strict=False))
