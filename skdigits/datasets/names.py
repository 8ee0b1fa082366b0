"""Meaning of the names of arrays (``x_train``), columns (``label``) and files (``mnist.t``)."""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Iterable
from typing import Any

IMAGES = ["x", "images?", "imgs?", "data", "fea", "features", "pixels", "patterns"]
LABELS = ["y", "labels?", "targets?", "gnd", "class(?:es)?"]
LABEL_COLUMNS = ("label", "labels", "class", "target", "digit", "y")
# pandas writes an index without a name; if it reads such a file, it gives the index these names.
INDEX_COLUMNS = ("", "unnamed: 0", "unnamed: 0.1", "level_0", "index", "id", "imageid", "image_id")
PANDAS_INDEX = "__index_level_0__"  # name of the index in Parquet files
PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing", "t10k"), "test"),
    **dict.fromkeys(("val", "valid", "validation"), "valid"),
}
_PART = "|".join(sorted(PARTS, key=len, reverse=True))
_ROLE = f"(?:{'|'.join(IMAGES)})|(?:{'|'.join(LABELS)})"
_NAME = re.compile(
    rf"(?P<prefix>(?:.*?[-_. ])??)"
    rf"(?:(?P<part>{_PART})[-_. ]?(?P<role>{_ROLE})|(?P<role2>{_ROLE})[-_. ]?(?P<part2>{_PART})?)",
    re.IGNORECASE,
)
_IS_IMAGES = re.compile("|".join(IMAGES))


def find_arrays(names: Iterable[str], subset: str, where: Any) -> tuple[str, str | None] | None:
    """Find the names of the images and labels of a subset.

    Parameters
    ----------
    names : iterable of str
        Names of arrays, or of files without their ending.
    subset : {"train", "test"}
        The subset; if no names contain it, names without a subset are used.
    where : str
        The file or folder, for messages.

    Returns
    -------
    tuple of (str, str or None), or None
        Names of the images and of the labels or None; None if no name is known. A ValueError is
        raised if several names match, or only names of the other subset exist.
    """
    roles = _roles(names)
    if not any(role == "images" for _, _, role in roles):
        return None
    for part in (subset, None):
        keys = [key for key in roles if key[1:] == (part, "images")]
        if keys:
            labels = roles.get((keys[0][0], part, "labels"), [])
            images = [name for key in keys for name in roles[key]]
            return _only(images, where), _only(labels, where) if labels else None
    known = ", ".join(sorted(itertools.chain(*roles.values())))
    raise ValueError(f"{where} has no {subset} images; it has {known[:100]}.")


def find_labels(images: str, names: Iterable[str]) -> str | None:
    """Find the name of the labels that belong to an array of images; None without labels.

    Parameters
    ----------
    images : str
        Name of the images.
    names : iterable of str
        Names to search; a ValueError is raised if several match.
    """
    parsed, roles = _parse(images), _roles(names)
    if parsed is None:  # digits and digits_labels
        keys = [key for key in roles if key[2] == "labels" and key[0].rstrip("-_. ") == images]
        found = [name for key in keys for name in roles[key]]
    else:
        found = roles.get((*parsed[:2], "labels"), [])
        if found:
            _only(roles[parsed], images)  # labels must not belong to two arrays of images
    return _only(found, images) if found else None


def _only(names: list[str], where: Any) -> str:
    if len(names) > 1:
        raise ValueError(
            f"{where} contains several data sets: {', '.join(names)[:100]}; expected one."
        )
    return names[0]


def _roles(names: Iterable[str]) -> dict[tuple[str, str | None, str], list[str]]:
    """Group known names by prefix, part and role."""
    roles: dict[tuple[str, str | None, str], list[str]] = {}
    for name in names:
        if parsed := _parse(name):
            roles.setdefault(parsed, []).append(name)
    return roles


def _parse(name: str) -> tuple[str, str | None, str] | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    part = match["part"] or match["part2"]
    kind = "images" if is_image_name(match["role"] or match["role2"]) else "labels"
    return match["prefix"].lower(), part and PARTS[part.lower()], kind


def is_image_name(name: str) -> bool:
    """Return True for a usual name of images, such as ``image``, ``data`` or ``x``.

    Parameters
    ----------
    name : str
        Name of an array or a column.
    """
    return _IS_IMAGES.fullmatch(name.lower()) is not None


def part_of(name: str) -> str | None:
    """Find the part of a data set in a file name: ``"train"``, ``"test"``, ``"valid"`` or None.

    Parameters
    ----------
    name : str
        Name of a file or folder, such as ``train-00000-of-00001.parquet``.
    """
    if name.lower().endswith((".t", ".t.bz2", ".t.gz")):  # LIBSVM's name for test sets
        return "test"
    words = [PARTS[word] for word in re.split(r"[^a-z0-9]+|_", name.lower()) if word in PARTS]
    return words[0] if words else None


def files_by_prefix(folder: Any, pattern: re.Pattern[str], subset: str) -> dict[str, Any]:
    """Find the files of a subset in a folder; for each prefix, the file with the shortest name.

    Parameters
    ----------
    folder : Path or zipfile.Path
        Folder to search, without its subfolders.
    pattern : re.Pattern
        Pattern of the names, with the groups ``prefix`` and ``subset``.
    subset : {"train", "test"}
        The subset.
    """
    found: dict[str, Any] = {}
    for file in sorted(folder.iterdir(), key=lambda file: (len(file.name), file.name)):
        match = pattern.fullmatch(file.name)
        if match and PARTS[match["subset"].lower()] == subset and file.is_file():
            found.setdefault((match["prefix"] or "").lower(), file)
    return found


def divide_columns(names: list[str], texts: set[str], where: Any) -> tuple[str | None, list[str]]:
    """Find labels and pixels among the columns of a table.

    Parameters
    ----------
    names : list of str
        All columns.
    texts : set of str
        Columns of texts, which are not pixels.
    where : str or path-like
        The file, for messages.

    Returns
    -------
    label : str or None
        The column with a usual name of labels, otherwise the only column of texts; None without
        labels.
    pixels : list of str
        The columns of pixels in order; columns of row numbers are left out with a warning.
    """
    index = [name for name in names if name.lower() in (*INDEX_COLUMNS, PANDAS_INDEX)]
    rest = [name for name in names if name not in index]
    named = [name for name in rest if name.lower() in LABEL_COLUMNS]
    labels = named or [name for name in rest if name in texts]
    pixels = [name for name in rest if name not in labels]
    strange = texts.intersection(pixels)
    if len(labels) > 1 or strange:
        raise ValueError(
            f"{where}: the columns {', '.join([*labels, *sorted(strange)])[:100]} are not pixels; "
            "expected one column of labels, such as 'label'."
        )
    n = len(pixels)
    side = math.isqrt(max(n - 1, 0))
    if n == 0 or (side > 1 and side * side == n - 1):
        raise ValueError(
            f"{where}: {n} columns of pixels{f', one more than {side}×{side}' if n else ''}. "
            "Expected only pixels, labels in a column 'label' and row numbers in a column 'id'."
        )
    if index:
        warnings.warn(
            f"{where}: the column {', '.join(map(repr, index))[:100]} is left out as an index.",
            UserWarning,
            stacklevel=4,
        )
    # pixel0, pixel1, pixel10, pixel2, … are sorted by their numbers.
    found = [re.fullmatch(r"(\D*)(\d{1,9})", name) for name in pixels]
    if all(found) and len({match[1] for match in found if match}) == 1:
        pixels.sort(key=lambda name: int(re.sub(r"\D", "", name)))
    return labels[0] if labels else None, pixels
