"""Output files of commands: tables, JSON and figures in a folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.cli.console import print_line

if TYPE_CHECKING:
    import pandas as pd


def check_folder(folder: Path) -> None:
    """Raise an error if the folder is a file; the folder is not created.

    Parameters
    ----------
    folder : Path
        The folder to write into.

    Raises
    ------
    ValueError
        If a file has this name.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected the name of a folder to write into.")


def make_folder(folder: Path) -> None:
    """Create a folder, and check that files can be created in it.

    Parameters
    ----------
    folder : Path
        The folder to write into.

    Raises
    ------
    OSError
        If the folder cannot be created or is not writable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV.

    Parameters
    ----------
    table : pandas.DataFrame
        The table; its index is not written.
    path : Path
        The file.
    """
    from skdigits.files import atomic_write

    with atomic_write(path, "w", newline="", encoding="utf-8") as file:
        table.to_csv(file, index=False, lineterminator="\n")
    print_line(f"Wrote {path}")


def save_json(content: dict[str, Any], path: Path) -> None:
    """Write a dict as JSON, together with the versions of the packages.

    Parameters
    ----------
    content : dict
        The content; NaN is written as null.
    path : Path
        The file.
    """
    import json

    from skdigits.files import atomic_write
    from skdigits.fingerprint import versions

    with atomic_write(path, "w", encoding="utf-8") as file:
        content = _without_nan({**content, "versions": versions()})
        json.dump(content, file, indent=2, allow_nan=False)
        file.write("\n")
    print_line(f"Wrote {path}")


def draw_off_screen() -> None:
    """Make matplotlib draw without a window."""
    import matplotlib

    matplotlib.use("Agg")


def save_figure(display: Any, path: Path) -> None:
    """Write the figure of a display as PNG, and close it.

    Parameters
    ----------
    display : object
        A display with ``figure_``.
    path : Path
        The file.
    """
    from matplotlib import pyplot as plt

    from skdigits.files import atomic_write

    with atomic_write(path) as file:
        display.figure_.savefig(file, format="png", dpi=120)
    plt.close(display.figure_)
    print_line(f"Wrote {path}")


def _without_nan(value: Any) -> Any:
    """Replace NaN, which JSON does not support, by None, also in dicts and lists."""
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value
