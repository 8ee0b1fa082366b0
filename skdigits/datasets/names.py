"""Recognition of names of arrays (``x_train``), columns (``label``) and files (``mnist.t``)."""

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
# pandas writes an index to CSV without a name, and reads it as "Unnamed: 0". To Parquet, it writes
# "__index_level_0__". Its method reset_index makes columns "index" and "level_0".
INDEX_COLUMNS = (
    *("", "unnamed: 0", "unnamed: 0.1", "level_0", "index", "id", "imageid", "image_id"),
    "__index_level_0__",
)
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
    """Find the names of the images and of their labels.

    Returns None if there are no images; the second name is None if there are no labels.

    Names without a subset are used if no name contains `subset`. A ValueError is raised if several
    names match, or if only names of the other subset exist. `where` names the file in messages.
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
    """Find the name of the labels that belong to an array of images, or None.

    A ValueError is raised if several names match.
    """
    parsed, roles = _parse(images), _roles(names)
    if parsed is None:  # digits, whose labels are digits_labels
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
    """Return True for a usual name of images, such as ``image``, ``data`` or ``x``."""
    return _IS_IMAGES.fullmatch(name.lower()) is not None


def part_of(name: str) -> str | None:
    """Find the part of a data set in a file name: ``"train"``, ``"test"``, ``"valid"`` or None."""
    if name.lower().endswith((".t", ".t.bz2", ".t.gz")):  # LIBSVM's name for test sets
        return "test"
    words = [PARTS[word] for word in re.split(r"[^a-z0-9]+|_", name.lower()) if word in PARTS]
    return words[0] if words else None


def files_by_prefix(folder: Any, pattern: re.Pattern[str], subset: str) -> dict[str, Any]:
    """Find the files of a subset in a folder: for each prefix, the file with the shortest name.

    `pattern` matches the names of files, and has the groups ``prefix`` and ``subset``.
    """
    found: dict[str, Any] = {}
    for file in sorted(folder.iterdir(), key=lambda file: (len(file.name), file.name)):
        match = pattern.fullmatch(file.name)
        if match and PARTS[match["subset"].lower()] == subset and file.is_file():
            found.setdefault((match["prefix"] or "").lower(), file)
    return found


def is_index(name: str) -> bool:
    """Return True if a column with this name usually contains row numbers, such as ``id``."""
    return name.lower() in INDEX_COLUMNS


def is_label(name: str) -> bool:
    """Return True if a column with this name usually contains labels, such as ``label``."""
    return name.lower() in LABEL_COLUMNS


def pixel_order(names: list[str]) -> list[int] | None:
    """Find the indices that sort columns of pixels by their numbers; None to keep the order.

    Some tools sort columns by name, and write ``pixel1``, ``pixel10``, ``pixel2``.
    """
    found = [re.fullmatch(r"(\D*)([0-9]{1,9})", name) for name in names]
    numbers = [int(match[2]) for match in found if match]
    if numbers == sorted(numbers) or len({match and match[1] for match in found}) > 1:
        return None
    is_complete = max(numbers) - min(numbers) + 1 == len(set(numbers)) == len(numbers)
    if not is_complete and names != sorted(names):
        return None
    return sorted(range(len(names)), key=numbers.__getitem__)


def check_pixel_count(n: int, where: Any) -> None:
    """Raise a ValueError if there is no pixel, or one pixel more than in a square image."""
    side = math.isqrt(max(n - 1, 0))
    if n == 0 or (side > 1 and side * side == n - 1):
        raise ValueError(
            f"{where}: {n} columns of pixels{f', one more than {side}×{side}' if n else ''}. "
            "Expected labels in a column 'label', row numbers in 'id', and otherwise only pixels."
        )


def divide_columns(names: list[str], texts: set[str], where: Any) -> tuple[str | None, list[str]]:
    """Find the column of labels, or None, and the columns of pixels in order.

    The column of labels has a usual name, or is the only column in `texts`. `texts` has the names
    of the columns that are not numeric. Columns of row numbers are left out with a warning.
    `where` names the file in messages.
    """
    index = [name for name in names if is_index(name)]
    rest = [name for name in names if name not in index]
    labels = [*filter(is_label, rest)] or [name for name in rest if name in texts]
    pixels = [name for name in rest if name not in labels]
    strange = texts.intersection(pixels)
    if len(labels) > 1 or strange:
        raise ValueError(
            f"{where}: the columns {', '.join([*labels, *sorted(strange)])[:100]} are not pixels; "
            "expected one column of labels, such as 'label'."
        )
    check_pixel_count(len(pixels), where)
    if index:
        warnings.warn(
            f"{where}: the column {', '.join(map(repr, index))[:100]} is treated as an index and "
            "left out.",
            stacklevel=4,
        )
    order = pixel_order(pixels)
    return labels[0] if labels else None, [pixels[i] for i in order] if order else pixels
