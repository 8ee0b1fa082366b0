"""How TensorFlow is started: without a word, and within its share of the cores.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Keep TensorFlow's start-up lines off the terminal; anything else written is passed on.

    Some are written to file descriptor 2 before TensorFlow reads its log level, which it does
    once; the level then silences later ones.
    """
    try:
        saved = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            if level is None:
                del os.environ["TF_CPP_MIN_LOG_LEVEL"]
            caught.seek(0)
            noise = (
                rb"[IWE]\d{4} |[\d-]{10} [\d:.]+: [IWE] |"
                rb"WARNING: All log messages before absl|To enable the following"
            )
            os.write(2, b"".join(line for line in caught if not re.match(noise, line)))


def _cap_threads() -> None:
    """Keep to ``OMP_NUM_THREADS``, which joblib, Dask and Ray set in their worker processes.

    TensorFlow does not read it, so that each of two workers would use all cores.
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    threading = tf.config.threading
    chosen = threading.get_intra_op_parallelism_threads() or "TF_NUM_INTRAOP_THREADS" in os.environ
    if chosen or not share.isdigit() or int(share) < 1:
        return
    # It is too late where somebody else's code has started TensorFlow before.
    with contextlib.suppress(RuntimeError):
        threading.set_intra_op_parallelism_threads(int(share))
        threading.set_inter_op_parallelism_threads(int(share))


with _quiet_start():
    import keras
    import tensorflow as tf

    _cap_threads()
    tf.config.list_logical_devices()  # the last of the start-up lines comes with the devices

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"skdigits needs Keras on TensorFlow, and Keras runs on {keras.backend.backend()!r}: "
        "unset KERAS_BACKEND, or set it to 'tensorflow', before Keras is imported."
    )

__all__ = ["keras", "tf"]
