"""Options that several commands share, and conversion of their values to numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="A file or folder: pictures, CSV, Kaggle's zip, IDX, .npz, .mat, ARFF, LIBSVM or "
        "Parquet. The format is recognized from the content. 'mnist' downloads MNIST. By default, "
        "the digits bundled with scikit-learn are used.",
        show_default=False,
    ),
]
Dask = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Address of the scheduler of a Dask cluster.")
]
Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Number of processes; by default one per core."),
]
Seed = Annotated[
    int,
    typer.Option(metavar="N", min=0, max=2**32 - 1, help="Random seed, for reproducible results."),
]
Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A file model.skdigits, written by train or search.")
]


def parse_number(text: str, kind: Callable[[str], Any], option: str, *, auto: bool = False) -> Any:
    """Convert the value of an option to an int or a float; raise a ValueError for other text.

    With `auto`, the value can also be ``"auto"``, which is returned unchanged.
    """
    if auto and text == "auto":
        return text
    try:
        return kind(text)
    except ValueError:
        expected = ("a whole number" if kind is int else "a number") + " or auto" * auto
        raise ValueError(f"{option} should be {expected}; got {text!r}.") from None
