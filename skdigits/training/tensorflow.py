"""TensorFlow and Keras, within this process's share of the cores.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import os

import keras
import tensorflow as tf


def _cap_threads() -> None:
    """Limit the threads to ``OMP_NUM_THREADS``, which joblib, Dask and Ray set for their workers.

    TensorFlow does not read this variable, so that each of two workers would use all cores.
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    threading = tf.config.threading
    chosen = threading.get_intra_op_parallelism_threads() or "TF_NUM_INTRAOP_THREADS" in os.environ
    if chosen or not share.isdigit() or int(share) < 1:
        return
    # This has no effect if the user's code has already started TensorFlow.
    with contextlib.suppress(RuntimeError):
        threading.set_intra_op_parallelism_threads(int(share))
        threading.set_inter_op_parallelism_threads(int(share))


if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"skdigits needs Keras on TensorFlow, and Keras runs on {keras.backend.backend()!r}. "
        "Unset KERAS_BACKEND, or set it to 'tensorflow', before Keras is imported."
    )

_cap_threads()

__all__ = ["keras", "tf"]
