"""``skdigits read``: read the numbers in pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from skdigits.cli.options import Dask, Jobs
from skdigits.cli.output import check_folder, make_folder

Pictures = Annotated[
    list[str],
    typer.Argument(
        metavar="PICTURE",
        help="Picture files, folders with all their subfolders, or - for standard input.",
    ),
]
Digits = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Number of digits of each number, if it is known."),
]
Patterns = Annotated[
    list[str] | None,
    typer.Option(
        "--pattern",
        metavar="P",
        help="Pattern of each number, such as ddddd.ddd: d stands for a digit, d+ for one or more "
        "digits, and every digit or sign for itself. Repeat the option to allow several patterns.",
    ),
]
RejectBelow = Annotated[
    float,
    typer.Option(
        metavar="P", min=0, max=1, help="Print an empty text for lines with a confidence below P."
    ),
]
AsCsv = Annotated[
    bool, typer.Option("--csv", help="Print CSV, with the box of each number in pixels.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object per line, with its box.")]
Lines = Annotated[
    bool,
    typer.Option(
        "--lines",
        help="Join the numbers on one line of the picture with spaces, and print them with their "
        "lowest confidence.",
    ),
]
Table = Annotated[
    bool,
    typer.Option(
        "--table",
        help="Print the numbers of each page as rows and columns of CSV; with several files or "
        "pages, the first column is the name of the file.",
    ),
]
Draw = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder for copies of the pictures with boxes and labels. Boxes are orange if the "
        "confidence is below --reject-below, or below 0.9 by default.",
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        metavar="MODEL", help="A model.skdigits to use instead of the pretrained networks."
    ),
]


def read(
    pictures: Pictures,
    digits: Digits = None,
    patterns: Patterns = None,
    reject_below: RejectBelow = 0.0,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    lines: Lines = False,
    table: Table = False,
    draw: Draw = None,
    model: Model = None,
    jobs: Jobs = None,
    dask: Dask = None,
) -> None:
    """Read all numbers in pictures.

    The file, text and confidence of each number are printed, separated by tabs. The package
    contains trained networks, so no training is needed. The numbers of a page are printed from top
    to bottom. For a picture without numbers, an empty text is printed.
    """
    from skdigits import load
    from skdigits.cli.progress import progress_line
    from skdigits.cli.read.pages import read_pages
    from skdigits.cli.read.rows import print_pages
    from skdigits.cli.workers import workers
    from skdigits.reading import check_pattern
    from skdigits.wrappers import network_estimator

    form = _form(as_csv=as_csv, as_json=as_json, lines=lines, table=table)
    estimator = None if model is None else network_estimator(load(model))
    pattern = check_pattern(digits, patterns or None, estimator)
    if draw is not None:
        check_folder(draw)
        make_folder(draw)
    options = {
        "pattern": pattern,
        "model": estimator,
        "drawn": draw is not None,
        "reject_below": reject_below,
    }
    with workers(dask, n_jobs=jobs, quiet=True), progress_line() as watch:
        # On a terminal, the printed lines show the progress.
        pages = read_pages(pictures, options, None if sys.stdout.isatty() else watch)
        n_failed = print_pages(pages, form=form, reject_below=reject_below, draw=draw, lines=lines)
    if n_failed:
        raise typer.Exit(1)


def _form(*, as_csv: bool, as_json: bool, lines: bool, table: bool) -> str:
    """Return the name of the output format; raise a ValueError if two formats are selected."""
    options = {"--csv": as_csv, "--json": as_json, "--table": table, "--lines": table and lines}
    chosen = [option for option, is_chosen in options.items() if is_chosen]
    if len(chosen) > 1:
        raise ValueError(
            f"{chosen[0]} and {chosen[1]} select different output formats; omit one of them."
        )
    return chosen[0].removeprefix("--") if chosen else "text"
