"""Errors for damaged files and for formats that are never read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

PICKLE = (
    "a pickle: reading it can run code, so it is never opened. Convert it: "
    "np.savez('digits.npz', x_train=images, y_train=labels)"
)
EXCEL = "an Excel file; save it as CSV"
HDF5 = "an HDF5 file (or MATLAB 7.3), which is not supported; save the arrays as .npz or with -v7"
UNPACK = "packed as {}, which is not supported; unpack it first"
# Patterns of the first bytes of refused files, with messages; the first match counts. puremagic and
# filetype do not recognize pointers of Git LFS, web pages, HDF5 and the oldest pickles.
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


def refuse(start: bytes, file: object) -> None:
    """Raise a ValueError if content, by its first bytes, is empty or of a format never read."""
    if not start.strip():
        raise ValueError(f"{file}: the file is empty.")
    for pattern, what in REFUSED:
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            raise ValueError(f"{file} is {what}.")


@contextlib.contextmanager
def reading(file: object, what: str) -> Iterator[None]:
    """Convert any error that a library raises for a damaged file to a ValueError of one line.

    `what` is its text, such as ``"not a MATLAB file, or damaged"``. Errors that begin with the name
    of the file are not changed.
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
