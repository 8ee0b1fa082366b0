"""Options of several commands, and conversion of their values to numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="A folder or file, whose format is recognized from its content: pictures, CSV, "
        "Kaggle's zip, IDX, .npz, .mat, ARFF, LIBSVM, Parquet; 'mnist' downloads MNIST. The "
        "default is the digits bundled with scikit-learn.",
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
    Path, typer.Argument(metavar="MODEL", help="A model.skdigits written by train or search.")
]


def parse_number(text: str, kind: Callable[[str], Any], option: str, *, auto: bool = False) -> Any:
    """Convert the value of an option to a number.

    Parameters
    ----------
    text : str
        The value.
    kind : {int, float}
        Type of the number.
    option : str
        Name of the option, for a message.
    auto : bool, default=False
        Whether the value can be ``"auto"``, which is not converted.

    Returns
    -------
    int, float or str
        The number, or ``"auto"``.

    Raises
    ------
    ValueError
        If the text is not such a value.
    """
    if auto and text == "auto":
        return text
    try:
        return kind(text)
    except ValueError:
        expected = "a number or auto" if auto else "a number"
        raise ValueError(f"{option} should be {expected}; got {text!r}.") from None
