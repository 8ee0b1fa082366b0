"""A check of MATLAB files, since SciPy's reader crashes where a type in them is not a known one."""

from __future__ import annotations

import io
import math
import zlib
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

HEADER = 128  # bytes
TAG = 8  # bytes before every element: its type and the number of its bytes
INT8, INT32, UINT32, MATRIX, COMPRESSED, UTF8 = 1, 5, 6, 14, 15, 16
# Bytes of a value of each type of numbers or texts.
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
PLAIN = frozenset(WIDTHS)
CELL, STRUCTURE = 1, 2
ARRAYS = frozenset({4, *range(6, 16)})  # classes of arrays of characters and numbers
COMPLEX = 0x0800
DEEPEST = 8  # structures in structures; EMNIST has 2
LONGEST_NAME = 64  # bytes, of a field of a structure in MATLAB
KEPT = 128  # bytes of an element; a shape of 32 dimensions
PIECE = 1 << 20  # bytes


def check_tags(path: Path) -> None:
    """Check the types and lengths of all elements of a file of MATLAB 5 to 7.2.

    Parameters
    ----------
    path : Path
        The file. One of MATLAB 4 or 7.3 is not checked.

    Raises
    ------
    ValueError
        If an element is not one that SciPy reads safely, or does not fit into the file.
    zlib.error
        If a compressed element is damaged.
    """
    with path.open("rb") as file:
        header = file.read(HEADER)
        is_little = header[126:127] == b"I"  # of "IM", as SciPy decides
        major = header[125:126] if is_little else header[124:125]
        if major != b"\1" or 0 in header[:4]:
            return
        order: Literal["little", "big"] = "little" if header[126:] == b"IM" else "big"
        while tag := file.read(TAG):
            stream: Any = file
            kind, size, _ = _parse(tag, order)
            end = file.tell() + size
            if kind == COMPRESSED:
                stream = io.BufferedReader(_Inflated(file, size))
                kind, size, _ = _parse(stream.read(TAG), order)
            if kind != MATRIX:
                raise ValueError(f"an element of type {kind} instead of a matrix")
            _check_matrix(stream, size, order, 1)
            file.seek(end)


class _Inflated(io.RawIOBase):
    """The decompressed content of the next bytes of a file."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size
        self._inflate = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = b""
        while not content and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(min(self._left, PIECE))
            if not self._inflate.unconsumed_tail:
                self._left -= len(packed)
            content = self._inflate.decompress(packed, len(buffer))
            if not packed and not content:
                break
        buffer[: len(content)] = content
        return len(content)


def _parse(tag: bytes, order: Literal["little", "big"]) -> tuple[int, int, bool]:
    """Type and number of bytes of an element, and whether these bytes are inside the tag."""
    if len(tag) < TAG:
        raise ValueError("the file ends inside an element")
    first = int.from_bytes(tag[:4], order)
    if first >> 16:
        return first & 0xFFFF, first >> 16, True
    return first, int.from_bytes(tag[4:], order), False


def _check_matrix(stream: Any, size: int, order: Literal["little", "big"], depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"more than {DEEPEST} structures inside one another")
    elements = []
    while size > 0:
        tag = stream.read(TAG)
        kind, count, is_small = _parse(tag, order)
        n_bytes = 0 if is_small else count + -count % TAG
        size -= TAG + n_bytes
        if size < 0 or (is_small and count > 4) or (kind not in PLAIN and kind != MATRIX):
            raise ValueError(f"an element of type {kind} and {count} bytes")
        content = b""
        if kind == MATRIX:
            _check_matrix(stream, 0 if is_small else count, order, depth + 1)
            n_bytes -= count
        elif is_small:
            content = tag[4:]
        else:
            content = stream.read(min(n_bytes, KEPT))
            n_bytes -= len(content)
        _skip(stream, n_bytes)
        elements.append(_Element(kind, count, content[:count]))
    if elements:
        _check_elements(elements, order)


class _Element(NamedTuple):
    """An element of a matrix."""

    kind: int
    n_bytes: int
    content: bytes  # the first of them

    def integers(self, order: Literal["little", "big"]) -> list[int]:
        """The numbers in an element of integers of 4 bytes."""
        if len(self.content) != self.n_bytes or self.n_bytes % 4:
            raise ValueError("a matrix without class and shape")
        starts = range(0, self.n_bytes, 4)
        return [int.from_bytes(self.content[i : i + 4], order) for i in starts]


def _check_elements(elements: list[_Element], order: Literal["little", "big"]) -> None:
    """Check that a matrix has the elements that its class needs, and as many as its shape says."""
    kinds = [element.kind for element in elements]
    if kinds[:3] != [UINT32, INT32, INT8] or elements[0].n_bytes != 8 or elements[1].n_bytes < 8:
        raise ValueError("a matrix without class, shape and name")
    flags = elements[0].integers(order)[0]
    n_expected = math.prod(elements[1].integers(order))
    kind, rest = flags & 0xFF, elements[3:]
    if kind in ARRAYS:
        fits = len(rest) == 1 and _is_array(rest[0], n_expected) and not flags & COMPLEX
    elif kind == STRUCTURE:
        fits = kinds[3:5] == [INT32, INT8] and _is_structure(rest, n_expected, order)
    else:
        fits = kind == CELL and kinds[3:] == [MATRIX] * len(rest) and len(rest) == n_expected
    if not fits:
        raise ValueError(f"a variable of class {kind} that is no plain array")


def _is_array(values: _Element, n_expected: int) -> bool:
    if values.kind == UTF8:  # characters may have several bytes
        return values.n_bytes >= n_expected
    return values.kind in PLAIN and values.n_bytes == n_expected * WIDTHS[values.kind]


def _is_structure(rest: list[_Element], n_expected: int, order: Literal["little", "big"]) -> bool:
    """Whether a structure has the length of its names, the names, and a matrix for each of them."""
    length, *more = rest[0].integers(order)
    if more or not 0 < length <= LONGEST_NAME or rest[1].n_bytes % length:
        return False
    n_matrices = rest[1].n_bytes // length * n_expected
    return len(rest) - 2 == n_matrices and all(element.kind == MATRIX for element in rest[2:])


def _skip(stream: Any, n_bytes: int) -> None:
    """Read over bytes; a file that ends there is reported by SciPy."""
    while n_bytes > 0:
        piece = stream.read(min(n_bytes, PIECE))
        if not piece:
            raise ValueError("the file ends inside an element")
        n_bytes -= len(piece)
