"""Files that are never read: what they are, and what to do instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skdigits.typing import FoundPath

PICKLE = (
    "a pickle: reading it can run code, so it is never opened. Convert it: "
    "np.savez('digits.npz', x_train=images, y_train=labels)"
)
EXCEL = "an Excel file; save it as CSV"
HDF5 = "an HDF5 file (also MATLAB 7.3), which is not read; save the arrays as .npz or with -v7"
UNPACK = "packed as {}, which is not opened; unpack it first"
# What is refused: how its content begins, and what to say. The first that fits counts.
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


def refuse(start: bytes, file: FoundPath) -> None:
    """Raise a ValueError if content is of a kind that is never read.

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
