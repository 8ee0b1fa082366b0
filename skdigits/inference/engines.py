"""Which engine computes the output of a trained network.

ONNX Runtime runs the networks of this package in float32. TensorFlow runs all others: those that
are functions of the user's, and those in float64, for which ONNX Runtime has no convolutions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import TrainedNetwork


def has_onnx_model(spec: NetworkSpec) -> bool:
    """Whether ONNX Runtime can run a network.

    Parameters
    ----------
    spec : NetworkSpec
        The network.

    Returns
    -------
    bool
        False if TensorFlow has to run it.
    """
    return isinstance(spec.architecture, str) and spec.dtype == "float32"


def compute(network: TrainedNetwork, images: np.ndarray, *, features: bool = False) -> np.ndarray:
    """Compute the output of a network.

    Parameters
    ----------
    network : TrainedNetwork
        The network.
    images : ndarray of shape (n, height, width, channels)
        Pixels in the dtype of the network, multiplied by its scale.
    features : bool, default=False
        Whether the output is the input of the last layer, as rows.

    Returns
    -------
    ndarray of shape (n, n_outputs), (n, n_features) or (n, n_frames, n_outputs)
        Class probabilities; features; or, if the network reads sequences, scores (logits).
    """
    if has_onnx_model(network.key.spec):
        from skdigits.inference import sessions

        return sessions.run(network, images, features=features)
    from skdigits.training.model_cache import cache

    with cache.borrow(network.key) as model:
        return model.compute(network.weights, images, features=features)


def map_batches(
    network: TrainedNetwork, function: Callable[[Any], Any], batches: Sequence[Any]
) -> list[Any]:
    """Call a function for each batch; ONNX Runtime computes several at once.

    Parameters
    ----------
    network : TrainedNetwork
        The network that computes.
    function : callable
        Function of a batch.
    batches : sequence
        The batches.

    Returns
    -------
    list
        Its results, in the order of the batches.
    """
    n_threads = min(_n_threads(), len(batches))
    if n_threads < 2 or not has_onnx_model(network.key.spec):
        return [function(batch) for batch in batches]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, batches))


def worker_threads() -> int:
    """Number of threads in ``OMP_NUM_THREADS``, which joblib, Dask and Ray set for their workers.

    Returns
    -------
    int
        0 if it is not set, or not a number.
    """
    share = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(share) if share.isdecimal() else 0


def _n_threads() -> int:
    """Number of cores to use."""
    if share := worker_threads():
        return share
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
