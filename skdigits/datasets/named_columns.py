"""What the named columns of a table hold: labels, pixels or numbers of rows."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any, NamedTuple

from skdigits.datasets.csv_layout import INDEX_NAMES, LABEL_NAMES

PANDAS_INDEX = "__index_level_0__"  # its name in Parquet files


class Columns(NamedTuple):
    """Names of the columns of a table, divided.

    Parameters
    ----------
    label : str or None
        The column of labels; None without labels.
    pixels : list of str
        The columns of pixels, in the order of the pixels.
    """

    label: str | None
    pixels: list[str]


def divide_columns(names: list[str], texts: set[str], where: Any) -> Columns:
    """Find labels and pixels among the columns of a table.

    Parameters
    ----------
    names : list of str
        All columns.
    texts : set of str
        Those that hold texts, which are no pixels.
    where : str or path-like
        The file, for messages.

    Returns
    -------
    Columns
        The label is the column with a name of labels, or else the only one of texts; all others
        but the numbers of rows are pixels.

    Raises
    ------
    ValueError
        If several columns can be labels, or the number of pixels is one more than a square.

    Warns
    -----
    UserWarning
        If a column is left out, because its name is that of numbers of rows.
    """
    index = [name for name in names if name.lower() in (*INDEX_NAMES, PANDAS_INDEX)]
    rest = [name for name in names if name not in index]
    named = [name for name in rest if name.lower() in LABEL_NAMES]
    labels = named or [name for name in rest if name in texts]
    pixels = [name for name in rest if name not in labels]
    strange = texts.intersection(pixels)
    if len(labels) > 1 or strange:
        raise ValueError(
            f"{where}: the columns {', '.join([*labels, *sorted(strange)])[:100]} are no pixels; "
            "expected one column of labels, such as 'label'."
        )
    _check_number(pixels, where)
    if index:
        warnings.warn(
            f"{where}: the column {', '.join(map(repr, index))[:100]} is left out as an index.",
            UserWarning,
            stacklevel=4,
        )
    return Columns(labels[0] if labels else None, _in_order(pixels))


def _check_number(pixels: list[str], where: Any) -> None:
    n = len(pixels)
    side = math.isqrt(max(n - 1, 0))
    if n == 0 or (side > 1 and side * side == n - 1):
        raise ValueError(
            f"{where}: {n} columns of pixels{f', one more than {side}×{side}' if n else ''}. "
            "Expected pixels, labels in a column 'label' and row numbers in a column 'id' only."
        )


def _in_order(pixels: list[str]) -> list[str]:
    """Order pixel0, pixel1, pixel10, pixel2, … by their numbers."""
    found = [re.fullmatch(r"(\D*)(\d{1,9})", name) for name in pixels]
    if not all(found) or len({match[1] for match in found if match}) > 1:
        return pixels
    return sorted(pixels, key=lambda name: int(re.sub(r"\D", "", name)))
