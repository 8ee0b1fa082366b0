"""Opening of files, packed with gzip or bzip2 or not, and of members of a zip archive."""

from __future__ import annotations

import bz2
import gzip
import os
import zipfile
from pathlib import Path
from typing import Any

from skdigits.typing import DataPath, FoundPath

GZIP_MAGIC = b"\x1f\x8b"
BZIP2_MAGIC = b"BZh"
LARGE = 1 << 28  # bytes; larger arrays are refused if their compression ratio exceeds PACKED
PACKED = 200  # compression ratio; that of images of digits is 10


def existing(path: DataPath, subset: str) -> Any:
    """Return a path as Path or zipfile.Path; raise an error if it, or `subset`, does not exist."""
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
    """Open a file as its method `open` does, and unpack gzip and bzip2, whatever its name."""
    with path.open("rb") as file:
        start = file.read(3)
    if not start.startswith((GZIP_MAGIC, BZIP2_MAGIC)):
        return path.open(mode, **options)
    unpack = gzip.open if start.startswith(GZIP_MAGIC) else bz2.open
    return unpack(path if isinstance(path, os.PathLike) else path.open("rb"), mode, **options)
