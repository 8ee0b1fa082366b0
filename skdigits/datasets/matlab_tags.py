"""A check of MATLAB files, since SciPy's reader crashes where a type in them is not a known one."""

from __future__ import annotations

import io
import zlib

HEADER = 128  # bytes
TAG = 8  # bytes before every element: its type and the number of its bytes
MATRIX, COMPRESSED, UINT32, INT8, INT32 = 14, 15, 6, 1, 5
PLAIN = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17, 18})  # types of numbers and of texts
CELL, STRUCTURE = 1, 2
ARRAYS = frozenset({4, *range(6, 16)})  # classes of arrays of characters and numbers
COMPLEX = 0x0800
N_FIXED = 3  # elements that every matrix has: its class, shape and name
DEEPEST = 8  # structures in structures; EMNIST has 2
PIECE = 1 << 20  # bytes


def check_tags(path) -> None:
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
        order = "little" if header[126:] == b"IM" else "big"
        while tag := file.read(TAG):
            kind, size, _ = _parse(tag, order)
            end = file.tell() + size
            if kind == COMPRESSED:
                stream = io.BufferedReader(_Inflated(file, size))
                kind, size, _ = _parse(stream.read(TAG), order)
            else:
                stream = file
            if kind != MATRIX:
                raise ValueError(f"an element of type {kind} instead of a matrix")
            _check_matrix(stream, size, order, 1)
            file.seek(end)


class _Inflated(io.RawIOBase):
    """The decompressed content of the next bytes of a file."""

    def __init__(self, file, size):
        self._file = file
        self._left = size
        self._inflate = zlib.decompressobj()

    def readable(self):
        return True

    def readinto(self, buffer):
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


def _parse(tag, order):
    """Type and number of bytes of an element, and whether these bytes are inside the tag."""
    if len(tag) < TAG:
        raise ValueError("the file ends inside an element")
    first = int.from_bytes(tag[:4], order)
    if first >> 16:
        return first & 0xFFFF, first >> 16, True
    return first, int.from_bytes(tag[4:], order), False


def _check_matrix(stream, size, order, depth):
    if depth > DEEPEST:
        raise ValueError(f"more than {DEEPEST} structures inside one another")
    if size == 0:
        return
    kinds: list[int] = []
    flags = 0
    while size > 0:
        kind, count, is_small = _parse(stream.read(TAG), order)
        size -= TAG
        n_bytes = 0 if is_small else count + -count % TAG
        if n_bytes > size or (is_small and count > 4):
            raise ValueError(f"an element of {count} bytes in a matrix of {size}")
        size -= n_bytes
        if not kinds:
            flags = _read_flags(stream, kind, count, order)
        elif kind == MATRIX and not is_small:
            _check_matrix(stream, count, order, depth + 1)
            _skip(stream, n_bytes - count)
        elif kind in PLAIN:
            _skip(stream, n_bytes)
        else:
            raise ValueError(f"an element of the unknown type {kind}")
        kinds.append(kind)
    _check_kinds(kinds, flags)


def _read_flags(stream, kind, count, order):
    if (kind, count) != (UINT32, 8):
        raise ValueError("a matrix without a class")
    return int.from_bytes(stream.read(8)[:4], order)


def _check_kinds(kinds, flags):
    """Check that a matrix has the elements that its class needs."""
    kind, rest = flags & 0xFF, kinds[N_FIXED:]
    is_plain = all(kind in PLAIN for kind in kinds[:N_FIXED]) and len(kinds) >= N_FIXED
    if kind in ARRAYS:
        fits = len(rest) == 1 and rest[0] in PLAIN and not flags & COMPLEX
    elif kind == STRUCTURE:
        fits = rest[:2] == [INT32, INT8] and set(rest[2:]) <= {MATRIX}
    else:
        fits = kind == CELL and set(rest) <= {MATRIX}
    if not (is_plain and fits):
        raise ValueError(f"a variable of class {kind} that is no plain array")


def _skip(stream, n_bytes):
    """Read over bytes; a file that ends there is reported by SciPy."""
    while n_bytes > 0:
        piece = stream.read(min(n_bytes, PIECE))
        if not piece:
            raise ValueError("the file ends inside an element")
        n_bytes -= len(piece)
