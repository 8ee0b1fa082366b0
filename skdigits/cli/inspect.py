"""``skdigits inspect``: describe and draw images and labels."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from skdigits.cli.console import PLAIN, console, print_error, print_line
from skdigits.cli.options import Data
from skdigits.cli.output import check_folder, draw_off_screen, make_folder, save_figure
from skdigits.cli.packages import check_packages
from skdigits.cli.samples import find_picture_source

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table
    from sklearn.utils import Bunch

ENOUGH_TO_JUDGE = 20  # pictures; in a larger folder, only 20 to 39 are examined
NONE_READABLE = "None of the pictures can be read."

Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder for the figures.")
]
Sequences = Annotated[
    bool,
    typer.Option(
        "--sequences",
        help="Treat pictures as lines of digits. This is the default if most pictures show several "
        "lines.",
    ),
]


def inspect(
    data: Data = None, output: Output = Path("skdigits-inspect"), sequences: Sequences = False
) -> None:
    """Describe images and labels, and draw them.

    Picture files are drawn before and after cleaning.
    """
    from skdigits.datasets import load_data
    from skdigits.datasets.picture_files import find_pictures

    check_packages("matplotlib")
    check_folder(output)
    source = find_picture_source(data)
    pictures = [] if source is None else find_pictures(source)
    if sequences and not pictures:
        raise ValueError("--sequences needs pictures, but DATA contains none; omit --sequences.")
    sequences = sequences or _hold_pages(pictures)
    bunch, n_unreadable = None, 0
    if sequences:
        pictures, n_unreadable = _without_damaged(pictures)
    elif source is not None:
        bunch, pictures, n_unreadable = _read_pictures(source, pictures)
    else:
        bunch = load_data(data)
    make_folder(output)
    if bunch is not None:
        _describe(bunch, output)
    if pictures:
        _draw_cleaning(pictures, "line" if sequences else "digit", output)
    if n_unreadable:
        raise typer.Exit(1)


# -- pictures --------------------------------------------------------------------------------------


def _hold_pages(pictures: list[Path]) -> bool:
    """Return True if most examined pictures are pages with several lines of digits."""
    from skdigits.pictures import find_lines, open_pictures

    some = pictures[:: len(pictures) // ENOUGH_TO_JUDGE or 1]
    n_pages = 0
    for path in some:
        # The loader reports unreadable files.
        with contextlib.suppress(ValueError, OSError, ImportError):
            n_pages += len(find_lines(next(open_pictures(path)))) > 1
    return n_pages > len(some) / 2


def _without_damaged(files: list[Path]) -> tuple[list[Path], int]:
    """Return the readable files and the number of unreadable files; report the unreadable ones."""
    from skdigits.pictures import open_pictures

    readable = []
    for file in files:
        try:
            next(open_pictures(file))
        except (ValueError, OSError, ImportError) as error:
            print_error(error)
        else:
            readable.append(file)
    if not readable:
        raise ValueError(NONE_READABLE)
    return readable, len(files) - len(readable)


def _read_pictures(path: Path, files: list[Path]) -> tuple[Bunch, list[Path], int]:
    """Return the readable pictures as a bunch, their files, and the number of unreadable pictures.

    The unreadable pictures are reported. Without labels, ``target`` of the bunch is None.
    """
    import numpy as np

    from skdigits.datasets.bunch import LoadedImages
    from skdigits.datasets.picture_files import SIDE

    chunks = _chunks(path)
    problems = [problem for chunk in chunks for problem in chunk.problems]
    for problem in problems:
        print_error(problem.text)
    names = np.concatenate([chunk.names for chunk in chunks])
    readable = ~np.isin(names, [problem.name for problem in problems])
    if not readable.any():
        raise ValueError(NONE_READABLE)
    images = np.concatenate([chunk.data for chunk in chunks]).reshape(-1, SIDE, SIDE)[readable]
    target = None
    if chunks[0].target is not None:
        target = np.concatenate([chunk.target for chunk in chunks])[readable]
    folder, found = path if path.is_dir() else path.parent, set(names[readable].tolist())
    files = [file for file in files if file.relative_to(folder).as_posix() in found]
    bunch = LoadedImages(images, target, str(path)).bunch(as_frame=False, return_X_y=False)
    return bunch, files, len(problems)


def _chunks(path: Path) -> list[Any]:
    """Return chunks of pictures, with labels if every picture has a label."""
    from skdigits.datasets.picture_files import iter_pictures

    try:
        return list(iter_pictures(path, subset="train"))
    except ValueError:  # a picture has no label
        return list(iter_pictures(path, subset="test"))


def _draw_cleaning(pictures: list[Path], output: Literal["digit", "line"], folder: Path) -> None:
    """Draw pictures before and after cleaning."""
    from skdigits.inspection import CleaningDisplay

    draw_off_screen()
    display = CleaningDisplay.from_pictures(pictures, output=output)
    save_figure(display, folder / "cleaning.png")


# -- images and labels -----------------------------------------------------------------------------


def _describe(bunch: Bunch, folder: Path) -> None:
    """Print a description of images and labels, and draw them."""
    from skdigits.inspection import ImageGridDisplay, LabelCountDisplay

    images = bunch.data if bunch.images is None else bunch.images
    console.print(_facts_table(bunch))
    if bunch.target is not None:
        print_line("\nLabels, most frequent first")
        console.print(_labels_table(bunch.target))
    print_line("\nAll pixels")
    console.print(_pixels_table(bunch.data))
    draw_off_screen()
    save_figure(ImageGridDisplay.from_samples(images, bunch.target), folder / "samples.png")
    if bunch.target is not None:
        save_figure(LabelCountDisplay.from_labels(bunch.target), folder / "labels.png")
        save_figure(ImageGridDisplay.from_means(images, bunch.target), folder / "means.png")


def _facts_table(bunch: Any) -> Table:
    import numpy as np
    import pandas as pd
    from rich.table import Table

    from skdigits.checks.image_shapes import infer_image_shape

    n_pixels = bunch.data.shape[1]
    if bunch.images is None:
        height, width, _ = infer_image_shape(n_pixels)
        size = f"{height}×{width}, padded"
    else:
        size = "{}×{}".format(*bunch.images.shape[1:])
    facts = Table(show_header=False, **PLAIN)
    facts.add_row("samples", f"{len(bunch.data)}")
    facts.add_row("pixels per image", f"{n_pixels}")
    facts.add_row("image size", size)
    facts.add_row("pixel range", f"{bunch.data.min()} to {bunch.data.max()}")
    facts.add_row("missing values", f"{int(np.sum(pd.isna(bunch.data)))}")
    return facts


def _labels_table(y: np.ndarray) -> Table:
    import pandas as pd
    from rich.table import Table

    table = Table("label", "samples", "share", **PLAIN)
    for label, count in pd.Series(y).value_counts().items():
        table.add_row(str(label), str(count), f"{count / len(y):.1%}")
    return table


def _pixels_table(data: np.ndarray) -> Table:
    import pandas as pd
    from rich.table import Table

    table = Table("statistic", "pixels", **PLAIN)
    for name, value in pd.Series(data.ravel()).describe().items():
        table.add_row(str(name), f"{value:.10g}" if name == "count" else f"{value:.2f}")
    return table
