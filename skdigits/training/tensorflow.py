"""Import TensorFlow and Keras, and limit their threads to the cores of this process.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from skdigits.cores import worker_threads

try:
    import keras
    import tensorflow as tf
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"This needs TensorFlow, but {error.name} is not installed. Run: pip install tensorflow "
        "scikeras. Predictions need neither of them."
    ) from error

P = ParamSpec("P")
T = TypeVar("T")


def _cap_threads() -> None:
    """Limit threads to ``OMP_NUM_THREADS``, which joblib, Dask and Ray set for workers.

    TensorFlow ignores this variable: without a limit, each worker would use all cores.
    """
    share = worker_threads()
    threading = tf.config.threading
    chosen = threading.get_intra_op_parallelism_threads() or "TF_NUM_INTRAOP_THREADS" in os.environ
    if chosen or not share:
        return
    # This has no effect if the user's code has already started TensorFlow.
    with contextlib.suppress(RuntimeError):
        threading.set_intra_op_parallelism_threads(share)
        threading.set_inter_op_parallelism_threads(share)


_process: int | None = None  # ID of the process in which TensorFlow runs


def check_process() -> None:
    """Raise a RuntimeError if this process was forked from a process in which TensorFlow runs.

    TensorFlow's threads do not exist in a forked process, so TensorFlow would hang.
    """
    global _process
    _process = _process or os.getpid()
    if _process != os.getpid():
        raise RuntimeError(
            "TensorFlow cannot run in this process, because it was forked from a process in which "
            'TensorFlow runs. Start processes with the method "spawn" or "forkserver", or use '
            "TensorFlow in one process only. The networks of skdigits predict without TensorFlow."
        )


def restart_names(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function, so that Keras gives variables the same names in each call.

    TensorFlow keeps 30 kB forever for each new name of a variable. Keras counts names per thread,
    so the function is called in a new thread.
    """

    @functools.wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> T:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(function, *args, **options).result()

    return call


if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"skdigits needs Keras on TensorFlow, but Keras runs on {keras.backend.backend()!r}. "
        "Unset KERAS_BACKEND, or set it to 'tensorflow', before Keras is imported."
    )

_cap_threads()

__all__ = ["check_process", "keras", "restart_names", "tf"]
