"""Many pictures, read by several processes or by a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from skdigits.cli.read.pages import Page, Source, read_source

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

FEW = 24  # pictures; reading them takes less time than starting processes


def read_pages(
    sources: list[Source], *, n_jobs: int | None, cluster: bool, **options: Any
) -> Iterator[Page | str]:
    """Read the pages of files and streams, in their order.

    Parameters
    ----------
    sources : list of Source
        What to read.
    n_jobs : int or None
        Number of processes; None is one per core.
    cluster : bool
        Whether joblib runs its tasks on a Dask cluster.
    **options
        As of `read_source`.

    Yields
    ------
    Page or str
        A page, or an error message of one line.
    """
    found: Iterator[list[Page | str]]
    if cluster or (n_jobs != 1 and len(sources) > FEW):
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs or -1, return_as="generator", pre_dispatch="2 * n_jobs")
        found = parallel(delayed(read_source)(source, **options) for source in sources)
    else:
        found = (read_source(source, **options) for source in sources)
    for pages in _with_progress(found, len(sources)):
        yield from pages


def _with_progress(found: Iterator[list[Page | str]], total: int) -> Iterator[list[Page | str]]:
    """Show how many pictures are read and the time that is left, where nothing else is shown."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    errors = Console(stderr=True, highlight=False)
    if not errors.is_terminal or sys.stdout.isatty() or total <= FEW:
        yield from found
        return
    columns: list[ProgressColumn] = [MofNCompleteColumn(), BarColumn()]
    columns += [TextColumn("{task.fields[speed]:.1f} per second"), TimeRemainingColumn()]
    # What is printed goes to standard output as before.
    bar = Progress(*columns, console=errors, transient=True, redirect_stdout=False)
    with bar as progress:
        task = progress.add_task("read", total=total, speed=0.0)
        for pages in found:
            progress.update(task, advance=1, speed=progress.tasks[0].speed or 0.0)
            yield pages
