"""A line on the terminal that shows the progress of a command."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

FEW = 24  # items; for at most this number, no progress is shown


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[int, int], None]]:
    """Show the number of finished items, the speed and the remaining time.

    Nothing is shown for few items, or if standard error is not a terminal.

    Yields
    ------
    callable
        Function to call with the number of finished items and the number of all items.
    """
    with contextlib.ExitStack() as stack:
        update: Callable[[int, int], None] | None = None

        def watch(n_finished: int, n_items: int) -> None:
            nonlocal update
            if n_items > FEW and sys.stderr.isatty():
                if update is None:
                    update = stack.enter_context(_bar())
                update(n_finished, n_items)

        yield watch


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
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
    errors = Console(stderr=True, highlight=False)
    # Printed lines still go to standard output.
    with Progress(*columns, console=errors, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task("", speed=0.0)

        def update(n_finished: int, n_items: int) -> None:
            speed = progress.tasks[0].speed or 0.0
            progress.update(task, completed=n_finished, total=n_items, speed=speed)

        yield update
