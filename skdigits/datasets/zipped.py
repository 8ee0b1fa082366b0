"""Zip archives: their members are read in parts, and never unpacked to files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.datasets.array_names import part_of
from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.csv_files import find_csv, iter_csv, load_csv
from skdigits.datasets.idx import find_idx, iter_idx, load_idx

if TYPE_CHECKING:
    from skdigits.typing import StrPath

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # of an archive, and of an empty one
ZIP_SUFFIX = ".zip"
NOT_DATA = ("__MACOSX",)  # a folder that macOS adds
CSV_SUFFIXES = (".csv", ".csv.gz")
CSV = (load_csv, iter_csv)
IDX = (load_idx, iter_idx)


def load_zip(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a zip archive as it was downloaded, such as ``digit-recognizer.zip``.

    =================   ==============
    Values                integers 0–255
    Source              e.g. Kaggle "Digit Recognizer": ``train.csv`` (42,000 images of 28×28) and
                        ``test.csv`` (28,000) in one archive
    =================   ==============

    The archive contains CSV files as `load_csv` reads them from a folder, one CSV file of any name,
    or IDX files as `load_idx` reads them; all may be in one folder of the archive. Members are
    decompressed while they are read, and nothing is written to the disk.

    Parameters
    ----------
    path : str or path-like
        The archive.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As `load_csv` or `load_idx` returns it.

    Raises
    ------
    FileNotFoundError
        If there is no such archive, or it contains no such files.
    ValueError
        If the archive is damaged, or a member has another format.
    """
    (load, _), member = _find_member(path, subset)
    return load(member, subset=subset, as_frame=as_frame, return_X_y=return_X_y)


def iter_zip(
    path: StrPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_zip` in chunks, so that memory is bounded.

    Parameters
    ----------
    path : str or path-like
        The archive.
    subset : {"train", "test"}
        Which images to load; only ``"train"`` requires labels.
    chunk_size : int, default=8192
        Maximum number of images in a chunk.
    lines : bool, default=False
        Whether to return labels as strings of digits.

    Returns
    -------
    iterator of Chunk
        As `iter_csv` or `iter_idx` returns it.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `load_zip`; the ValueError of a damaged row is raised when it is reached.
    """
    (_, read), member = _find_member(path, subset)
    return read(member, subset=subset, chunk_size=chunk_size, lines=lines)


def is_zip(path: Path) -> bool:
    """Check whether a file starts like a zip archive; its name does not matter.

    Parameters
    ----------
    path : Path
        The file. Arrays of NumPy (``.npz``) and tables of Excel (``.xlsx``) start so, too.

    Returns
    -------
    bool
        True for a regular file that starts like an archive.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in ZIP_MAGICS


def find_zip(folder: Path) -> Path | None:
    """Find the only zip archive of a folder.

    Parameters
    ----------
    folder : Path
        Folder to search.

    Returns
    -------
    Path or None
        The archive; None if there is none or more than one.
    """
    found = [
        file for file in folder.iterdir() if file.suffix.lower() == ZIP_SUFFIX and is_zip(file)
    ]
    return found[0] if len(found) == 1 else None


def open_zip(path: StrPath) -> zipfile.Path:
    """Open an archive as a folder.

    Parameters
    ----------
    path : str or path-like
        The archive.

    Returns
    -------
    zipfile.Path
        The archive's top, or the folder that contains all the rest.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no archive, or a damaged one.
    """
    try:
        archive = zipfile.ZipFile(Path(path))
        _check_names(archive)
        folder = zipfile.Path(archive)
        while len(inside := _members(folder)) == 1 and inside[0].is_dir():
            folder = inside[0]
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: there is no such file or folder.") from None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        reason = str(error)[:80]
        raise ValueError(
            f"{path}: the zip archive is damaged, or its download was cut off ({reason})."
        ) from error
    return folder


def _check_names(archive: zipfile.ZipFile) -> None:
    """Refuse names for which older Pythons never finish listing a folder (CVE-2024-8088)."""
    for name in archive.namelist():
        if "" in name.removesuffix("/").split("/"):
            archive.close()
            raise ValueError(f"a member has the name {name[:40]!r}")


def _members(folder: zipfile.Path) -> list[zipfile.Path]:
    return [member for member in folder.iterdir() if member.name not in NOT_DATA]


def _find_member(path: StrPath, subset: str) -> tuple[Any, Any]:
    """Find the functions that read an archive, and the folder or file in it that they read."""
    check_subset(subset)
    folder = open_zip(path)
    if find_csv(folder, subset):
        return CSV, folder
    if find_idx(folder, subset):
        return IDX, folder
    tables = [
        file
        for file in _members(folder)
        if file.name.lower().endswith(CSV_SUFFIXES) and part_of(file.name) in (subset, None)
    ]
    if len(tables) == 1 and tables[0].is_file():
        return CSV, tables[0]
    name = "train" if subset == "train" else "t10k"
    raise FileNotFoundError(
        f"{path} holds no {subset}.csv, no IDX file such as {name}-images-idx3-ubyte.gz, and not "
        "just one CSV file."
    )
