"""Files that are refused: those that are never read, and damaged ones."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

PICKLE = (
    "a pickle: reading it can run code, so it is never opened. Convert it: "
    "np.savez('digits.npz', x_train=images, y_train=labels)"
)
EXCEL = "an Excel file; save it as CSV"
HDF5 = "an HDF5 file (also MATLAB 7.3), which is not read; save the arrays as .npz or with -v7"
UNPACK = "packed as {}, which is not opened; unpack it first"
# What is refused: how its content begins, and what to say. The first that fits counts. Of these,
# puremagic and filetype miss pointers of Git LFS, web pages, HDF5 and the oldest pickles.
REFUSED = [
    (rb"version https://git-lfs", "a pointer of Git LFS and not the data; run `git lfs pull`"),
    (
        rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|script)",
        "a web page (HTML) and not the data; download it "
        "again, after logging in if the site asks for it",
    ),
    (
        rb"(?:\xef\xbb\xbf)?\s*<\?xml(?!.*<svg)",
        "an XML document and not the data, perhaps an error of the download",
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
    """Raise a ValueError if content is empty, or of a kind that is never read.

    Parameters
    ----------
    start : bytes
        The first bytes of the content, unpacked.
    file : path-like
        The file, for the message.
    """
    if not start.strip():
        raise ValueError(f"{file}: the file is empty.")
    for pattern, what in REFUSED:
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            raise ValueError(f"{file} is {what}.")


@contextlib.contextmanager
def reading(file: object, what: str) -> Iterator[None]:
    """Raise a ValueError of one line for whatever a library raises for a damaged file.

    Parameters
    ----------
    file : path-like
        The file; errors that begin with its name are not changed.
    what : str
        What is wrong then, such as ``"not a MATLAB file, or damaged"``.
    """
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError):  # of the system
        raise
    except Exception as error:  # libraries raise many types
        if str(error).startswith(str(file)):
            raise
        # The text of a decoding error includes the bytes themselves.
        reason = getattr(error, "reason", None) or " ".join(str(error).split())
        reason = f"{type(error).__name__}: {str(reason)[:100].strip()}".removesuffix(": ")
        raise ValueError(f"{file}: {what} ({reason}).") from error
