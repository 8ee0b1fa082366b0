"""Predict class probabilities or features of images, batch by batch."""

from __future__ import annotations

import numpy as np

from skdigits.inference.batches import Engine, compute, map_batches
from skdigits.networks.trained import TrainedNetwork

BATCH = 192  # images; activations of larger batches do not fit into the processor's cache


def classify(
    network: TrainedNetwork,
    rows: np.ndarray,
    *,
    features: bool = False,
    engine: Engine | None = None,
) -> np.ndarray:
    """Compute class probabilities or features of rows of pixels.

    Parameters
    ----------
    network : TrainedNetwork
        The network.
    rows : ndarray of shape (n_samples, n_features)
        Rows of pixels, as passed to fit.
    features : bool, default=False
        Whether to return the input of the last layer instead of probabilities.
    engine : callable, optional
        Function that runs the network; ONNX Runtime by default.

    Returns
    -------
    ndarray of shape (n_samples, n_classes) or (n_samples, n_features_out)
        Probabilities or features, in the dtype of the network.
    """

    def classify_batch(first: int) -> np.ndarray:
        images = network.as_images(rows[first : first + BATCH])
        return compute(engine, network, images, features=features)

    parts = map_batches(engine, classify_batch, range(0, len(rows), BATCH))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
