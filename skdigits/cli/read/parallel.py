"""Many pictures, read by several processes or by a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from skdigits.cli.read.pages import Page, Source, load_stream, read_source

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

FEW = 24  # pictures; reading them takes less time than starting processes


def read_pages(
    sources: list[Source],
    *,
    n_jobs: int | None,
    cluster: bool,
    with_pictures: bool,
    **options: Any,
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
    with_pictures : bool
        Whether the pictures of the pages are needed.
    **options
        As of `read_source`.

    Returns
    -------
    iterator of Page or str
        Pages, and error messages of one line.
    """
    found: Iterable[Iterable[Page | str]]
    loaded = map(load_stream, sources)
    if cluster or (n_jobs != 1 and len(sources) > FEW):
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs or -1, return_as="generator", pre_dispatch="2 * n_jobs")
        found = parallel(delayed(_collect)(source, with_pictures, options) for source in loaded)
    else:
        found = (read_source(source, **options) for source in loaded)
    return _with_progress(found, len(sources))


def _collect(source: Source, with_pictures: bool, options: dict[str, Any]) -> list[Page | str]:
    """Read a source in another process, which sends only the pictures that are needed."""
    pages = read_source(source, **options)
    if with_pictures:
        return list(pages)
    return [page if isinstance(page, str) else page._replace(picture=None) for page in pages]


def _with_progress(found: Iterable[Iterable[Page | str]], total: int) -> Iterator[Page | str]:
    """Yield all pages; on a terminal, show how many sources are read, and the time that is left."""
    if total <= FEW or sys.stdout.isatty() or not sys.stderr.isatty():
        for pages in found:
            yield from pages
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [MofNCompleteColumn(), BarColumn()]
    columns += [TextColumn("{task.fields[speed]:.1f} per second"), TimeRemainingColumn()]
    # What is printed goes to standard output as before.
    errors = Console(stderr=True, highlight=False)
    bar = Progress(*columns, console=errors, transient=True, redirect_stdout=False)
    with bar as progress:
        task = progress.add_task("read", total=total, speed=0.0)
        for pages in found:
            yield from pages
            progress.update(task, advance=1, speed=progress.tasks[0].speed or 0.0)
