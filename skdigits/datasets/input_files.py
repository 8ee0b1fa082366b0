"""Opening of plain and packed files, and errors for damaged files and unsupported formats."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skdigits.typing import DataPath, FoundPath

GZIP_MAGIC = b"\x1f\x8b"
BZIP2_MAGIC = b"BZh"
LARGE = 1 << 28  # bytes; larger arrays are refused if their compression ratio exceeds PACKED
PACKED = 200  # compression ratio; images of digits have a ratio of about 10
PICKLE = (
    "a pickle: reading it can run code, so it is never opened. Convert it: "
    "np.savez('digits.npz', x_train=images, y_train=labels)"
)
EXCEL = "an Excel file; save it as CSV"
HDF5 = "an HDF5 file (or MATLAB 7.3), which is not supported; save it as .npz (or with -v7)"
UNPACK = "packed as {}, which is not supported; unpack it first"
# Patterns of the first bytes of refused files, with messages; the first match counts. The packages
# puremagic and filetype do not recognize Git LFS pointers, web pages, HDF5 and the oldest pickles.
REFUSED = [
    (rb"version https://git-lfs", "a pointer of Git LFS, not the data; run `git lfs pull`"),
    (
        rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|script)",
        "a web page (HTML), not the data; download the file "
        "again, after logging in if the site requires it",
    ),
    (
        rb"(?:\xef\xbb\xbf)?\s*<\?xml(?!.*<svg)",
        "an XML document, not the data; download the file again",
    ),
    (rb"\x80[\x02-\x05]|\(+(?:cnumpy|[ld]p\d)|c(?:numpy|__builtin__|copy_reg)\b", PICKLE),
    (rb"\xd0\xcf\x11\xe0", EXCEL),
    (rb"\x89HDF|MATLAB 7\.3", HDF5),
    (rb"7z\xbc\xaf", UNPACK.format("7z")),
    (rb"Rar!", UNPACK.format("RAR")),
    (rb"\xfd7zXZ", UNPACK.format("xz")),
    (rb"\x28\xb5\x2f\xfd", UNPACK.format("zstd")),
    (rb".{257}ustar", UNPACK.format("tar")),
]


def existing(path: DataPath, subset: str) -> Any:
    """Return a path as Path or zipfile.Path; check that it exists, and check the subset."""
    check_subset(subset)
    path = path if isinstance(path, zipfile.Path) else Path(path)
    if not path.is_dir() and not path.exists():  # exists() is False for the root of an archive
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    return path


def check_subset(subset: str) -> None:
    """Raise a ValueError if `subset` is neither ``"train"`` nor ``"test"``."""
    if subset not in ("train", "test"):
        raise ValueError(f"subset should be 'train' or 'test'; got {subset!r}.")


def open_unpacked(path: FoundPath, mode: Any = "rb", **options: Any) -> Any:
    """Open a file with its method `open`; unpack gzip and bzip2, recognized from the content."""
    with path.open("rb") as file:
        start = file.read(3)
    if not start.startswith((GZIP_MAGIC, BZIP2_MAGIC)):
        return path.open(mode, **options)
    unpack = gzip.open if start.startswith(GZIP_MAGIC) else bz2.open
    return unpack(path if isinstance(path, os.PathLike) else path.open("rb"), mode, **options)


@contextlib.contextmanager
def opened(path: FoundPath, what: str, mode: Any = "rb", **options: Any) -> Iterator[Any]:
    """Open a file with `open_unpacked`, and convert errors as `reading` does."""
    with reading(path, what), open_unpacked(path, mode, **options) as file:
        yield file


def refuse(start: bytes, file: object) -> None:
    """Raise a ValueError if the first bytes of a file are empty or of an unsupported format."""
    if not start.strip():
        raise ValueError(f"{file}: the file is empty.")
    for pattern, what in REFUSED:
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            raise ValueError(f"{file} is {what}.")


@contextlib.contextmanager
def reading(file: object, what: str) -> Iterator[None]:
    """Convert any error that a library raises for a damaged file to a ValueError of one line.

    The message is the name of the file, `what`, such as ``"not a MATLAB file, or damaged"``, and
    the reason. Errors that already begin with the name of the file are not changed.
    """
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError):  # the file was not opened
        raise
    except Exception as error:  # libraries raise many types
        if str(error).startswith(str(file)):
            raise
        # str() of a decoding error includes all bytes; its reason does not.
        reason = getattr(error, "reason", None) or " ".join(str(error).split())
        reason = f"{type(error).__name__}: {str(reason)[:100].strip()}".removesuffix(": ")
        raise ValueError(f"{file}: {what} ({reason}).") from error
