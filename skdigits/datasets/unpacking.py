"""Files that may be gzipped."""

from __future__ import annotations

import gzip

GZIP_MAGIC = b"\x1f\x8b"


def open_unpacked(path, mode="rb", **options):
    """Open a file for reading, and decompress it if its first bytes are those of gzip.

    Parameters
    ----------
    path : Path
        The file; its name does not matter.
    mode : str, default="rb"
        ``"rb"`` for bytes or ``"rt"`` for text.
    **options
        Further arguments of `open`.

    Returns
    -------
    file object
        A context manager, as `open` returns it. Damaged gzip files raise EOFError,
        gzip.BadGzipFile or zlib.error when they are read.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    with path.open("rb") as file:
        is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return gzip.open(path, mode, **options) if is_packed else path.open(mode, **options)
