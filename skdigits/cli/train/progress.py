"""The progress of a fit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.cli.console import console, print_line
from skdigits.cli.start_up import start_tensorflow

if TYPE_CHECKING:
    from skdigits.typing import Estimator


def fit_with_progress(
    estimator: Estimator, X: Any, y: Any, folder: Path, held_out: tuple[Any, Any]
) -> float:
    """Fit an estimator, print a line per epoch, and show a progress bar on a terminal.

    Parameters
    ----------
    estimator : DigitClassifier or DigitSequenceRecognizer
        The estimator.
    X, y : array-like
        Training images and labels.
    folder : Path
        Folder of the checkpoint from which an interrupted fit resumes.
    held_out : tuple of (array-like, array-like)
        Test images and labels. If the estimator has no validation samples of its own, each epoch is
        scored on these images, for display only.

    Returns
    -------
    float
        Duration of the fit in seconds, without the start of TensorFlow.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    start_tensorflow()
    from skdigits.training.callbacks import Watch

    has_validation = estimator.early_stopping or estimator.validation_fraction is not None
    X_val, y_val = (None, None) if has_validation or not len(held_out[1]) else held_out
    columns = TextColumn("epoch {task.completed}/{task.total}"), BarColumn(), TimeRemainingColumn()
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar as progress:
        task = progress.add_task("fit", total=estimator.epochs)
        before = getattr(estimator, "n_iter_", 0)

        def begin(epoch: int, logs: dict[str, float]) -> None:
            done = epoch - before
            if done and not progress.tasks[task].completed:
                print_line(f"resuming after epoch {done} of {estimator.epochs}")
                progress.update(task, completed=done)

        def show(epoch: int, logs: dict[str, float]) -> None:
            values = "  ".join(f"{name} {logs[name]:.4f}" for name in sorted(logs))
            print_line(f"epoch {epoch + 1 - before:3d}  {values}")
            progress.advance(task)

        watch = Watch(on_epoch_begin=begin, on_epoch_end=show)
        estimator.set_params(callbacks=[watch], checkpoint=folder)
        start = time.perf_counter()
        estimator.fit(X, y, X_val=X_val, y_val=y_val)
        seconds = time.perf_counter() - start
    estimator.set_params(callbacks=None, checkpoint=None)
    return seconds
