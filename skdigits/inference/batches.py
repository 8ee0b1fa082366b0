"""Compute batches of images; ONNX Runtime computes several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skdigits.cores import available_cores
from skdigits.networks.trained import TrainedNetwork

Engine = Callable[..., np.ndarray]  # function of a network, images and the keyword features


def compute(
    engine: Engine | None, network: TrainedNetwork, images: np.ndarray, *, features: bool = False
) -> np.ndarray:
    """Compute the output of a network.

    Parameters
    ----------
    engine : callable or None
        Function that runs the network; None means ONNX Runtime.
    network : TrainedNetwork
        The network.
    images : ndarray of shape (n, height, width, channels)
        Pixels in the dtype of the network, multiplied by its scale.
    features : bool, default=False
        Whether to return the input of the last layer, as rows.

    Returns
    -------
    ndarray of shape (n, n_outputs), (n, n_features) or (n, n_frames, n_outputs)
        Class probabilities; features; or, if the network reads sequences, scores (logits).
    """
    if engine is not None:
        return engine(network, images, features=features)
    from skdigits.inference import sessions

    return sessions.run(network, images, features=features)


def map_batches(
    engine: Engine | None, function: Callable[[Any], Any], batches: Sequence[Any]
) -> list[Any]:
    """Call a function for each batch; ONNX Runtime computes several at once.

    Parameters
    ----------
    engine : callable or None
        Function that runs the network; None means ONNX Runtime.
    function : callable
        Function of a batch.
    batches : sequence
        The batches.

    Returns
    -------
    list
        The results, in the order of the batches.
    """
    n_threads = min(available_cores(), len(batches))
    if n_threads < 2 or engine is not None:
        return [function(batch) for batch in batches]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, batches))
