"""Labels of pictures, from the names of their folders or from a file ``labels.csv``."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from skdigits.datasets.contents import as_labels, read_labels
from skdigits.datasets.csv_layout import read_texts, short
from skdigits.files import printable
from skdigits.pictures.opening import count_pages, page_name

LABELS = "labels.csv"
COLUMNS = ("ImageId", "Label")
SHOWN = 3  # names in a message
MOST_CHARACTERS = 1000  # of a label; a longer label would widen the array of all labels
LETTERS = re.compile(r"[^\W0-9]|\s")  # letters and spaces, which no label of a line has


class Page(NamedTuple):
    """A page of a picture file."""

    file: str  # name of the file, relative to the folder
    number: int  # from 0

    @property
    def name(self) -> str:
        """Name of the page, such as ``scan.tif#2`` for the second."""
        return page_name(self.file, self.number)

    def spellings(self) -> set[tuple[str, str]]:
        """Return the names by which a row can refer to the page, each with its kind of match."""
        plain = _plain(self.file)
        stem = str(PurePosixPath(plain).with_suffix(""))
        loose = {page_name(name.casefold(), self.number) for name in (plain, stem)}
        return {
            ("exact", printable(self.name)),
            ("plain", page_name(plain, self.number)),
            *(("loose", name) for name in loose),
        }


class PictureLabels(NamedTuple):
    """Labels of picture files or of their pages."""

    target: np.ndarray  # integers if all labels are integers, otherwise strings
    positions: dict[str | Page, int]  # index in `target` of a page, or of a file with one label
    left_out: frozenset[Page] = frozenset()  # pages with an empty label, which are skipped

    def position(self, page: Page) -> int | None:
        """Return the index of the label of a page, or None if it has no label."""
        return self.positions.get(page, self.positions.get(page.file))

    def of(self, files: list[Path], folder: Path) -> list[Path]:
        """Select the files in a folder with at least one labelled page."""
        names = {page if isinstance(page, str) else page.file for page in self.positions}
        return [file for file in files if file.relative_to(folder).as_posix() in names]


class Row(NamedTuple):
    """A row of ``labels.csv``."""

    where: str  # the file and the line, for messages
    line: int
    name: str
    label: str


def find_labels(
    folder: Path, files: list[Path], subset: str, *, lines: bool = False
) -> PictureLabels | None:
    """Find the labels of the pictures in a folder, or of one picture; return None without labels.

    A missing or ambiguous label raises a ValueError for ``"train"``, and a warning for ``"test"``.
    With `lines`, labels are sequences of digits, and therefore strings.
    """
    path = folder / LABELS
    if not path.is_file():
        return _labels_of_folders(folder, files, subset, lines)
    try:
        rows = _read_rows(path, no_letters=lines and subset == "train")
        return _labels_of_rows(rows, path, files, subset, lines)
    except ValueError as error:
        if subset == "train":
            raise
        _warn(f"{error} The labels of {LABELS} are not used.")
        return None


def _labels_of_folders(
    folder: Path, files: list[Path], subset: Any, lines: bool
) -> PictureLabels | None:
    unlabelled = [file for file in files if folder in (file, file.parent)]
    if not unlabelled:
        labels = [file.parent.name for file in files]
        names = [file.relative_to(folder).as_posix() for file in files]
        target = np.array(labels) if lines else as_labels(labels)
        return PictureLabels(target, {name: i for i, name in enumerate(names)})
    if subset == "train":
        raise ValueError(_without_label(folder, unlabelled[0].name))
    return None


def _without_label(folder: Path, name: str) -> str:
    return (
        f"{folder}: {printable(name)} has no label. Put training pictures into subfolders named "
        f"after their labels, or list them in {LABELS} with the columns ImageId and Label."
    )


def _read_rows(path: Path, no_letters: bool) -> list[Row]:
    """Read the rows of ``labels.csv``, and check them."""
    (_, header), *rows = read_texts(path)
    names = [name.casefold() for name in header]
    if any(names.count(column.casefold()) != 1 for column in COLUMNS):
        raise ValueError(
            f"{path} should have the columns ImageId (the file's name) and Label; found "
            f"{', '.join(map(short, header[:SHOWN]))}."
        )
    picture, label = (names.index(column.casefold()) for column in COLUMNS)
    found = []
    for line, cells in rows:
        where = f"{path}, line {line}"
        if len(cells) <= max(picture, label) or any(cells[len(names) :]):
            raise ValueError(f"{where}: {len(cells)} values; expected {len(names)}, as in line 1.")
        row = Row(where, line, cells[picture], cells[label])
        if not row.name:
            raise ValueError(f"{where}: the name of the picture is missing.")
        if len(row.label) > MOST_CHARACTERS:
            raise ValueError(
                f"{where}: the label has {len(row.label)} characters; expected at most "
                f"{MOST_CHARACTERS}."
            )
        if no_letters and LETTERS.search(row.label):
            raise ValueError(
                f"{where}: the label of {short(row.name)} is {short(row.label)}; expected the "
                "digits and signs of the line, such as '0123' or '12.50'."
            )
        found.append(row)
    return found


def _labels_of_rows(
    rows: list[Row], path: Path, files: list[Path], subset: Any, lines: bool
) -> PictureLabels | None:
    """Match the rows of a file to the pages of pictures."""
    pages = [
        Page(file.relative_to(path.parent).as_posix(), number)
        for file in files
        for number in range(count_pages(file))
    ]
    found, missing = _match(rows, pages, path.parent)
    empty = [row for row in found.values() if not row.label]
    if len(empty) == len(found):
        raise ValueError(f"{path}: all labels are empty; expected the labels of pictures.")
    if empty and subset == "test":
        raise ValueError(f"{_shown(empty)} has an empty label.")
    if empty:
        _warn(f"{_shown(empty)} has an empty label, and is left out.")
    if missing:
        _warn(f"{_shown(missing)} is not the name of a picture.")
    if spaced := [row for row in found.values() if len(row.label.split()) > 1]:
        _warn(f"{_shown(spaced)} has the label {short(spaced[0].label)}, which contains a space.")
    kept = [page for page in pages if found[page].label]
    labels = np.array([found[page].label for page in kept])
    return PictureLabels(
        labels if lines else read_labels(labels, str(path)),
        {page: i for i, page in enumerate(kept)},
        frozenset(pages).difference(kept),
    )


def _shown(rows: list[Row]) -> str:
    """Return the first row for a message, with the number of further rows."""
    more = f" (as in {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"{rows[0].where}{more}: {short(rows[0].name)}"


def _match(rows: list[Row], pages: list[Page], folder: Path) -> tuple[dict[Page, Row], list[Row]]:
    """Find the row of each page, and the rows without a page; each page must have a row."""
    found: dict[Page, Row] = {}
    missing: list[Row] = []
    known = defaultdict(list)
    for page in pages:
        for spelling in page.spellings():
            known[spelling].append(page)
    for row in rows:
        plain = _plain(row.name)
        loose = plain.casefold()
        spellings = [("exact", row.name), ("plain", plain)]  # the strictest first
        spellings += [("loose", loose), ("loose", loose.removesuffix("#1"))]
        meant = next((known[name] for name in spellings if name in known), None)
        if meant is None:
            missing.append(row)
            continue
        if len(meant) > 1:
            raise ValueError(
                f"{row.where}: {short(row.name)} can be {short(meant[0].name)} or "
                f"{short(meant[1].name)}; write the full name."
            )
        other = found.setdefault(meant[0], row)
        if other.label != row.label:
            raise ValueError(
                f"{row.where}: the label of {short(row.name)} is {short(row.label)}, but it is "
                f"{short(other.label)} in line {other.line}; remove one of the rows."
            )
    for page in pages:
        first = found.get(page._replace(number=0))
        if page not in found and first is None:
            raise ValueError(_without_label(folder, page.name))
        if page not in found and first:
            raise ValueError(
                f"{first.where}: {short(page.file)} has several pages, and {short(page.name)} is "
                "not listed. List each page with its label."
            )
    return found, missing


def _plain(name: str) -> str:
    """Normalize a file name, because operating systems and spreadsheets write it differently."""
    name = unicodedata.normalize("NFC", name.strip().replace("\\", "/"))
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=5)
