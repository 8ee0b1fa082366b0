"""Recognition of the format of a file or folder from its content."""

from __future__ import annotations

import itertools
import re
import zipfile
from pathlib import Path
from typing import Any

from skdigits.datasets.csv_files import find_csv
from skdigits.datasets.idx import ELEMENT_TYPES, EXAMPLES, IMAGE_FILE_NAME
from skdigits.datasets.input_files import EXCEL, PICKLE, opened, reading, refuse
from skdigits.datasets.names import PARTS, files_by_prefix, part_of
from skdigits.datasets.numpy_files import find_npy
from skdigits.datasets.parquet import find_parquet
from skdigits.datasets.picture_files import SUFFIXES
from skdigits.datasets.zipped import DAMAGED, ZIP_MAGICS
from skdigits.files import printable
from skdigits.typing import FoundPath

START = 1 << 14  # bytes that are examined
MOST_FILES = 100  # files of a folder that are examined
SHOWN = 3  # names of files or folders in a message
LONGEST_NAME = 30  # characters of the name of a folder in a message
# Endings that are ignored in folders; `find_csv` has already looked for tables.
TEXTS = {".md", ".txt", ".json", ".html", ".py", ".yml", ".yaml", ".rst", ".csv"}
NPY, PARQUET = b"\x93NUMPY", b"PAR1"
PICTURES = re.compile(
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF....WEBP|P[1-7][ \r\n]"
    rb"|.{4}ftyp(?:avi|hei|hev|mif|msf)|%PDF|\s*<svg",
    re.DOTALL,
)
LIBSVM_ROWS = re.compile(rb"(?:[-+.\deE]+[ \t]*\r?\n)*[-+.\deE]+[ \t]+\d+:[-+.\deE]+[ \t\r\n]")
ARFF_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:%|@relation)", re.IGNORECASE)
CSV_LINE = re.compile(rb"(?:\xef\xbb\xbf)?[ -~\t]*[,;\t][ -~\t]*\r?\n")


def recognize(path: Path, subset: str) -> tuple[str, Any]:
    """Find the format of a source, and the file or folder for its loader.

    The format is ``"csv"``, ``"idx"``, ``"npz"``, ``"mat"``, ``"arff"``, ``"parquet"``,
    ``"libsvm"``, ``"zip"`` or ``"pictures"``.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: there is no such file or folder. Expected IDX files, CSV files or "
            "pictures, 'digits' for the bundled digits, or 'mnist' to download MNIST."
        )
    return _look_into_folder(path, subset) if path.is_dir() else (format_of(path), path)


def format_of(file: Any) -> str:
    """Find the format of a plain or packed file from its content.

    The formats are those of `recognize`. The format of unknown content is ``"csv"``, because
    the CSV reader checks all of it. A ValueError is raised if the file is empty, damaged or in an
    unsupported format.
    """
    with opened(file, "the packed file is damaged or truncated") as content:
        start = content.read(START)
    refuse(start, file)
    if start[:4] in ZIP_MAGICS:
        with reading(file, DAMAGED), zipfile.ZipFile(file) as archive:
            names = archive.namelist()
        if any(name.endswith("data.pkl") for name in names):  # a PyTorch file
            raise ValueError(f"{file} is {PICKLE}.")
        if any(name.startswith("xl/") for name in names):
            raise ValueError(f"{file} is {EXCEL}.")
        return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"
    if start[:2] == b"\0\0" and start[2:3] and start[2] in ELEMENT_TYPES and len(start) > 3:
        return "idx"
    if PICTURES.match(start):
        return "pictures"
    suffix = file.suffix.lower()
    for kind, found in (
        ("npz", start.startswith(NPY)),
        ("parquet", start.startswith(PARQUET)),
        ("mat", start.startswith(b"MATLAB 5.0") or (suffix == ".mat" and b"\0" in start[:20])),
        ("arff", ARFF_START.match(start)),
        ("libsvm", LIBSVM_ROWS.match(start)),
        ("pictures", suffix in SUFFIXES and not CSV_LINE.match(start)),
    ):
        if found:
            return kind
    return "csv"


def nothing_to_read(folder: FoundPath, subset: str) -> Exception:
    """Return the error for a folder without data, or the error of its first unreadable file."""
    for file in _files(folder):
        try:
            format_of(file)
        except ValueError as error:
            return error
    folders = (inner.name for inner in folder.iterdir() if inner.name[0] != "." and inner.is_dir())
    found = sorted(itertools.islice(folders, MOST_FILES))
    names = [f"{printable(name)[:LONGEST_NAME]}/" for name in found[:SHOWN]]
    names += ["…"] * (len(found) > SHOWN)
    return FileNotFoundError(
        f"{folder} contains no data; expected {subset}.csv, {subset}.csv.gz, IDX files such as "
        f"{EXAMPLES[subset]}, a file such as .npz, .mat or .parquet, or pictures."
        + (f" It has the folders {', '.join(names)}; pass one of them." if names else "")
    )


def _look_into_folder(folder: Any, subset: str) -> tuple[str, Any]:
    """Recognize a folder; tables take precedence, because pictures may only illustrate them."""
    if table := find_csv(folder, subset):
        kind = format_of(table)
        return kind, folder if kind == "csv" else table
    if files_by_prefix(folder, IMAGE_FILE_NAME, subset):
        return "idx", folder
    if pictures := _find_part(folder, subset):
        return "pictures", pictures
    files = _files(folder)
    if any(file.suffix.lower() in SUFFIXES for file in files):
        return "pictures", folder
    if find_parquet(folder, subset):
        return "parquet", folder
    if any(file.suffix == ".npy" for file in files) and find_npy(folder, subset):
        return "npz", folder
    return _find_file(files, folder, subset) or ("pictures", folder)


def _find_part(folder: Any, subset: str) -> Any:
    """Return the folder of a subset, such as training/ in mnist_png, or None."""
    named = (inner for inner in folder.iterdir() if inner.name.lower() in PARTS)
    parts = {PARTS[inner.name.lower()]: inner for inner in named if inner.is_dir()}
    return parts.get(subset, parts.get("valid") if subset == "test" else None)


def _files(folder: Any) -> list[Any]:
    found = (file for file in folder.iterdir() if file.is_file() and file.name[0] != ".")
    return sorted(itertools.islice(found, MOST_FILES))


def _find_file(files: list[Any], folder: Any, subset: str) -> Any:
    """Return the format and path of the only readable file of a subset; None if there is none."""
    found: dict[str | None, list[Any]] = {}
    for file in files:
        if file.suffix.lower() in TEXTS:
            continue
        try:
            kind = format_of(file)
        except ValueError:
            continue  # reported by `nothing_to_read` if there is no other file
        if kind not in ("csv", "idx", "pictures"):
            found.setdefault(part_of(file.name), []).append((kind, file))
    fitting = found.get(subset) or found.get(None, [])
    if len(fitting) > 1:
        names = ", ".join(file.name for _, file in fitting[:SHOWN])
        raise ValueError(
            f"{folder} contains several files with images; pass one of them: {names[:100]}, …"
        )
    return fitting[0] if fitting else None
