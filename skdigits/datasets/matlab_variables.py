"""The variables of MATLAB files.

Of 4,000 files of MATLAB 5 with one to four wrong bytes, SciPy 1.17 crashed Python for 63, did not
return for 6 and filled the memory for 1. So SciPy reads only files of MATLAB 4, with Python's code.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

HEADER, TAG = 128, 8  # bytes: of the file, and before every element
INT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 5, 6, 14, 15
# NumPy's types of the values in an element.
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TYPES |= {16: "u1", 17: "u2", 18: "u4"}  # of texts
CELL, STRUCTURE, TEXT = 1, 2, 4  # classes of variables
ARRAYS = {TEXT, *range(6, 16)}
NO_ARRAY = "a variable of class {} that is no plain array"
COMPLEX, LOGICAL = 0x0800, 0x0200
DEEPEST = 8  # structures in structures; EMNIST has 2
LONGEST_NAME = 64  # bytes, of a field of a structure in MATLAB
LARGE = 1 << 28  # bytes, from which a variable is refused that was packed suspiciously well
PACKED = 200  # times smaller than unpacked; images of digits are packed 10 times


def read_variables(path: Path) -> dict[str, Any]:
    """Read the variables of a file of MATLAB 4 to 7.2.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to (ndarray or dict)
        Arrays of numbers or texts, and of a structure's first element the fields. Other variables
        are left out.

    Raises
    ------
    ValueError, zlib.error
        If the file is of another format, or damaged.
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
                kind, content = next(_elements(_inflated(content), order))
            name, value = _read_matrix(kind, content, order)
            variables[name] = value
    return {name: value for name, value in variables.items() if value is not None}


def _tag(tag: Any, order: str) -> list[int]:
    """Type and size of an element; a small one has its size in the upper half of its type."""
    if len(tag) < TAG:
        raise ValueError("the file ends inside an element")
    return np.frombuffer(tag, f"{order}u4", 2).tolist()


def _inflated(packed: Any) -> memoryview:
    inflate, most = zlib.decompressobj(), max(LARGE, PACKED * len(packed))
    content = inflate.decompress(packed, most)
    if inflate.unconsumed_tail:
        raise ValueError(f"a variable that unpacks to over {most >> 20} MB")
    if not inflate.eof:
        raise ValueError("the file ends inside an element")
    return memoryview(bytearray(content))


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
    if values.size != math.prod(shape):
        raise ValueError(NO_ARRAY.format(kind))
    values = values.reshape(shape, order="F")
    if kind == TEXT:
        rows = values.reshape(shape[0], -1).tolist()
        return np.array(["".join(map(chr, row)) for row in rows])
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
