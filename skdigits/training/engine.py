"""Run networks with TensorFlow: users' architectures, and networks in float64."""

from __future__ import annotations

import numpy as np

from skdigits.networks.trained import TrainedNetwork
from skdigits.training.model_cache import cache


def run(network: TrainedNetwork, images: np.ndarray, *, features: bool = False) -> np.ndarray:
    """Run a network with TensorFlow.

    Parameters
    ----------
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
    with cache.borrow(network.key) as model:
        return model.compute(network.weights, images, features=features)
