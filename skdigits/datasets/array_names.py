"""Names that people give to arrays of images and of labels: ``x_train``, ``test_labels``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from typing import Any

IMAGES = ["x", "images?", "imgs?", "data", "fea", "features", "pixels", "patterns"]
LABELS = ["y", "labels?", "targets?", "gnd", "class(?:es)?"]
PARTS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "t10k": "test",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
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
        The subset; without names for its part, names without a part are used.
    where : str
        The file or folder, for messages.

    Returns
    -------
    images : str
        Name of the images.
    labels : str or None
        Name of the labels, None if there are none. Instead of both, None if no name is known.

    Raises
    ------
    ValueError
        If several names fit, or there are only names of the other part.
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
    raise ValueError(f"{where} has no {subset} images; it holds {known[:100]}.")


def _only(names: list[str], where: Any) -> str:
    if len(names) > 1:
        raise ValueError(
            f"{where} holds several collections: {', '.join(names)[:100]}; expected one."
        )
    return names[0]


def find_labels(images: str, names: Iterable[str]) -> str | None:
    """Find the name of the labels that belong to the images of a name.

    Parameters
    ----------
    images : str
        Name of the images.
    names : iterable of str
        Names among which to search.

    Returns
    -------
    str or None
        Name of the labels; None if there are none.

    Raises
    ------
    ValueError
        If several names fit.
    """
    parsed, roles = _parse(images), _roles(names)
    if parsed is None:  # digits and digits_labels
        keys = [key for key in roles if key[2] == "labels" and key[0].rstrip("-_. ") == images]
        found = [name for key in keys for name in roles[key]]
    else:
        found = roles.get((*parsed[:2], "labels"), [])
        if found:
            _only(roles[parsed], images)  # labels beside two arrays of images belong to one
    return _only(found, images) if found else None


def is_image_name(name: str) -> bool:
    """Whether a name is one of images.

    Parameters
    ----------
    name : str
        Name of a column.

    Returns
    -------
    bool
        True for ``image``, ``data``, ``x``, …
    """
    return _IS_IMAGES.fullmatch(name.lower()) is not None


def part_of(name: str) -> str | None:
    """Find the part of a data set in a file name.

    Parameters
    ----------
    name : str
        Name of a file or folder, such as ``train-00000-of-00001.parquet``.

    Returns
    -------
    {"train", "test", "valid"} or None
        The part; None if the name has none.
    """
    if name.lower().endswith((".t", ".t.bz2", ".t.gz")):  # LIBSVM's name for test sets
        return "test"
    words = [PARTS[word] for word in re.split(r"[^a-z0-9]+|_", name.lower()) if word in PARTS]
    return words[0] if words else None


def _roles(names: Iterable[str]) -> dict[tuple[str, str | None, str], list[str]]:
    """Known names by prefix, part and role."""
    roles: dict[tuple[str, str | None, str], list[str]] = {}
    for name in names:
        if parsed := _parse(name):
            roles.setdefault(parsed, []).append(name)
    return roles


def _parse(name: str) -> tuple[str, str | None, str] | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    role = (match["role"] or match["role2"]).lower()
    part = match["part"] or match["part2"]
    kind = "images" if _IS_IMAGES.fullmatch(role) else "labels"
    return match["prefix"].lower(), part and PARTS[part.lower()], kind
