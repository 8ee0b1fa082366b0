"""Files that may be packed with gzip or bzip2, or members of a zip archive."""

from __future__ import annotations

import bz2
import gzip
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skdigits.typing import DataPath, FoundPath

GZIP_MAGIC = b"\x1f\x8b"
BZIP2_MAGIC = b"BZh"


def open_unpacked(path: FoundPath, mode: Any = "rb", **options: Any) -> Any:
    """Open a file for reading, and decompress it if it is packed with gzip or bzip2.

    Parameters
    ----------
    path : Path or zipfile.Path
        The file, or the member of an archive; its name does not matter.
    mode : str, default="rb"
        ``"rb"`` for bytes or ``"rt"`` for text.
    **options
        Further arguments of `open`.

    Returns
    -------
    file object
        A context manager, as `open` returns it. Damaged files raise an error when they are read:
        EOFError, OSError (gzip.BadGzipFile) or zlib.error, and damaged members of an archive
        zipfile.BadZipFile.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(3)
    if not start.startswith((GZIP_MAGIC, BZIP2_MAGIC)):
        return path.open(mode, **options)
    unpack = gzip.open if start.startswith(GZIP_MAGIC) else bz2.open
    return unpack(path if isinstance(path, os.PathLike) else path.open("rb"), mode, **options)


def as_path(path: DataPath) -> Path | zipfile.Path:
    """Return the path of a file, a folder or a member of an archive.

    Parameters
    ----------
    path : str, path-like or zipfile.Path
        What the user or another loader passed.

    Returns
    -------
    Path or zipfile.Path
        A zipfile.Path as it is.
    """
    return path if isinstance(path, zipfile.Path) else Path(path)
