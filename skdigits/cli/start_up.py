"""Start of TensorFlow without its messages."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator

from skdigits.cli.console import console

START_UP_LINE = re.compile(
    rb"[IWE]\d{4} |[\d-]{10} [\d:.]+: [IWE] |"
    rb"WARNING: All log messages before absl|To enable the following"
)


def start_tensorflow() -> None:
    """Import TensorFlow without its start-up messages, and show a status while it loads."""
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
    """Remove TensorFlow's start-up messages from standard error, and keep all other lines.

    File descriptor 2 is captured, because TensorFlow writes its first messages there before it
    reads its log level.
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
