"""Output files of commands: tables, JSON and figures in a folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.cli.console import print_line

if TYPE_CHECKING:
    import pandas as pd


def check_folder(folder: Path) -> None:
    """Raise a ValueError if a file has the name of the folder; create nothing."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected the name of a folder to write into.")


def make_folder(folder: Path) -> None:
    """Create a folder, and raise an OSError if files cannot be created in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV without its index."""
    from skdigits.files import atomic_write

    with atomic_write(path, "w", newline="", encoding="utf-8") as file:
        table.to_csv(file, index=False, lineterminator="\n")
    print_line(f"Wrote {path}")


def save_json(content: dict[str, Any], path: Path) -> None:
    """Write a dict as JSON, with NaN as null, and add the versions of the packages."""
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
    """Write the ``figure_`` of a display as PNG, and close it."""
    from matplotlib import pyplot as plt

    from skdigits.files import atomic_write

    with atomic_write(path) as file:
        display.figure_.savefig(file, format="png", dpi=120)
    plt.close(display.figure_)
    print_line(f"Wrote {path}")


def _without_nan(value: Any) -> Any:
    """Replace NaN, which JSON does not support, by None, also inside dicts and lists."""
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value
