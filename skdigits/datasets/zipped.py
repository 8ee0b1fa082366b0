"""Zip archives, whose members are read in chunks and never unpacked to files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skdigits.datasets.bunch import Chunk, LoadedImages
from skdigits.datasets.csv_files import find_csv, iter_csv, read_csv
from skdigits.datasets.idx import EXAMPLES, IMAGE_FILE_NAME, iter_idx, read_idx
from skdigits.datasets.input_files import existing, reading
from skdigits.datasets.names import files_by_prefix, part_of
from skdigits.typing import StrPath

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # first bytes; the second are of an empty archive
NOT_DATA = ("__MACOSX",)  # a folder that macOS adds
CSV_SUFFIXES = (".csv", ".csv.gz")
DAMAGED = "the zip archive is damaged, or its download was interrupted"


def load_zip(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a downloaded zip archive, such as ``digit-recognizer.zip``.

    The archive contains CSV files that `load_csv` can read from a folder, or a single CSV file of
    any name, or IDX files that `load_idx` can read. These files can be in a folder of the archive.
    They are decompressed while they are read; nothing is written to the disk.

    Parameters
    ----------
    path : str or path-like
        The archive.
    subset, as_frame, return_X_y
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_csv` or `load_idx`, with the errors and warnings of `load_data`.
    """
    return read_zip(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_zip(path: StrPath, subset: str) -> LoadedImages:
    """Read the samples of `load_zip`."""
    kind, member = _find_member(path, subset)
    return (read_csv if kind == "csv" else read_idx)(member, subset)


def iter_zip(
    path: StrPath, subset: str, chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the samples of `load_zip` in chunks, so that memory is bounded."""
    kind, member = _find_member(path, subset)
    return (iter_csv if kind == "csv" else iter_idx)(member, subset, chunk_size, lines)


def is_zip(path: Path) -> bool:
    """Return True if a file starts like a zip archive, as ``.npz`` and ``.xlsx`` files do."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in ZIP_MAGICS


def find_zip(folder: Path) -> Path | None:
    """Find the only zip archive in a folder; None if there is none or more than one."""
    found = [file for file in folder.iterdir() if file.suffix.lower() == ".zip" and is_zip(file)]
    return found[0] if len(found) == 1 else None


def _open_zip(path: Path) -> zipfile.Path:
    """Return the root of an archive, or the innermost folder that contains all its files."""
    with reading(path, DAMAGED):
        archive = zipfile.ZipFile(path)
        for name in archive.namelist():
            if "" in name.removesuffix("/").split("/"):
                archive.close()
                # Older Python versions list such a folder in an endless loop (CVE-2024-8088).
                raise ValueError(f"a member has the invalid name {name[:40]!r}")
        folder = zipfile.Path(archive)
        while len(inside := _members(folder)) == 1 and inside[0].is_dir():
            folder = inside[0]
    return folder


def _members(folder: zipfile.Path) -> list[zipfile.Path]:
    return [member for member in folder.iterdir() if member.name not in NOT_DATA]


def _find_member(path: StrPath, subset: str) -> tuple[str, zipfile.Path]:
    """Return the format of the data in an archive, and the folder or file that contains them."""
    folder = _open_zip(existing(path, subset))
    if find_csv(folder, subset):
        return "csv", folder
    if files_by_prefix(folder, IMAGE_FILE_NAME, subset):
        return "idx", folder
    tables = [
        file
        for file in _members(folder)
        if file.name.lower().endswith(CSV_SUFFIXES) and part_of(file.name) in (subset, None)
    ]
    if len(tables) == 1 and tables[0].is_file():
        return "csv", tables[0]
    raise FileNotFoundError(
        f"{path} contains neither {subset}.csv nor an IDX file such as {EXAMPLES[subset]}, nor a "
        "single CSV file."
    )
