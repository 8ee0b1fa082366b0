"""Run trained networks with TensorFlow: user's architectures, and networks in float64."""

from __future__ import annotations

import numpy as np

from skdigits.networks.trained import TrainedNetwork
from skdigits.training.model_cache import cache


def run(network: TrainedNetwork, images: np.ndarray, *, features: bool = False) -> np.ndarray:
    """Compute the output of a network.

    Parameters
    ----------
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
    with cache.borrow(network.key) as model:
        return model.compute(network.weights, images, features=features)
