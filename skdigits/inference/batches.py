"""Run networks on batches of images; with ONNX Runtime, several batches run in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from skdigits.cores import available_cores
from skdigits.networks.trained import TrainedNetwork

Engine = Callable[..., np.ndarray]  # called as engine(network, images, features=…)


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
        Whether to return the input of the last layer, flattened to rows, instead of the output.

    Returns
    -------
    ndarray of shape (n, n_outputs), (n, n_features) or (n, n_frames, n_outputs)
        Class probabilities, features, or the scores (logits) of a network that reads sequences.
    """
    if engine is not None:
        return engine(network, images, features=features)
    from skdigits.inference import sessions

    return sessions.run(network, images, features=features)


def map_batches(
    engine: Engine | None, function: Callable[[Any], Any], batches: Sequence[Any]
) -> list[Any]:
    """Call a function for each batch, and return the results in the order of the batches.

    With ONNX Runtime (`engine` is None), several threads compute batches in parallel.
    """
    n_threads = min(available_cores(), len(batches))
    if n_threads < 2 or engine is not None:
        return [function(batch) for batch in batches]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, batches))
