"""What a command shows while it works: TensorFlow's start, and the progress of a fit or search."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.cli.output import console, print_line

if TYPE_CHECKING:
    from skdigits.model_selection.search import EpochSearchCV
    from skdigits.typing import Estimator

START_UP_LINE = re.compile(
    rb"[IWE]\d{4} |[\d-]{10} [\d:.]+: [IWE] |"
    rb"WARNING: All log messages before absl|To enable the following"
)


def start_tensorflow() -> None:
    """Import TensorFlow, which takes seconds, without its start-up messages."""
    with console.status("Starting TensorFlow …"):
        import_tensorflow_quietly()


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without its start-up messages.

    The log level remains in the environment, so that worker processes inherit it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_start_up_lines():
        from skdigits.training.tensorflow import tf

        tf.config.list_logical_devices()  # TensorFlow writes its last start-up messages here


@contextlib.contextmanager
def without_start_up_lines() -> Iterator[None]:
    """Remove TensorFlow's messages from standard error; all other lines are kept.

    The first messages are written to file descriptor 2 before TensorFlow reads its log level.
    """
    try:
        saved = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            captured.seek(0)
            os.write(2, b"".join(line for line in captured if not START_UP_LINE.match(line)))


def quiet_workers() -> Any:
    """Make joblib's worker processes on this machine start TensorFlow without messages.

    Returns
    -------
    context manager
        Within its block, joblib starts such workers.
    """
    import joblib

    return joblib.parallel_config("loky", initializer=import_tensorflow_quietly)


def fit_with_progress(
    estimator: Estimator, X: Any, y: Any, folder: Path, held_out: tuple[Any, Any]
) -> float:
    """Fit and print one line per epoch; a terminal also has a bar with the remaining time.

    Parameters
    ----------
    estimator : DigitClassifier or DigitSequenceRecognizer
        The estimator.
    X, y : array-like
        Training images and labels.
    folder : Path
        Folder of the checkpoint, from which an interrupted fit resumes.
    held_out : tuple of (array-like, array-like)
        Test images and labels, on which each epoch is scored: they change nothing, since training
        that stops early holds out images of its own.

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


def show_search_progress(search: EpochSearchCV) -> None:
    """Show progress bars in a terminal if scikit-learn supports them, else print a line per fit.

    Parameters
    ----------
    search : EpochSearchCV
        The search, before it is fitted.
    """
    try:
        from sklearn.callback import ProgressBar
    except ImportError:
        ProgressBar = None
    if ProgressBar is None or not console.is_terminal:
        search.set_params(verbose=2)
    else:
        search.set_callbacks(ProgressBar())


def report_classifier(name: str, row: dict[str, Any]) -> None:
    """Print the accuracy of a classifier that was compared.

    Parameters
    ----------
    name : str
        Name of the classifier.
    row : dict
        Row of the classifier in the table.
    """
    print_line(f"{name:22s} {row['accuracy']:.4f} after {row['fit_seconds']:6.1f} s")


def report_size(name: str, size: int, accuracy: float) -> None:
    """Print a point of a learning curve.

    Parameters
    ----------
    name : str
        Name of the classifier.
    size : int
        Number of training images.
    accuracy : float
        Accuracy after training on this number of images.
    """
    print_line(f"{name:22s} {accuracy:.4f} after training on {size} images")
