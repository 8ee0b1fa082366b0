"""Class probabilities and features of images, batch by batch."""

from __future__ import annotations

import numpy as np

from skdigits.inference.engines import compute, map_batches
from skdigits.networks.trained import TrainedNetwork

BATCH = 192  # images; larger batches are slower, since their activations leave the cache


def classify(network: TrainedNetwork, rows: np.ndarray, *, features: bool = False) -> np.ndarray:
    """Compute class probabilities, or features.

    Parameters
    ----------
    network : TrainedNetwork
        The network.
    rows : ndarray of shape (n_samples, n_features)
        Rows of pixels, as given to fit.
    features : bool, default=False
        Whether to compute the input of the last layer instead.

    Returns
    -------
    ndarray of shape (n_samples, n_classes) or (n_samples, n_features_out)
        Probabilities, or features, in the dtype of the network.
    """

    def classify_batch(first: int) -> np.ndarray:
        images = as_images(network, rows[first : first + BATCH])
        return compute(network, images, features=features)

    parts = map_batches(network, classify_batch, range(0, len(rows), BATCH))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def as_images(network: TrainedNetwork, rows: np.ndarray) -> np.ndarray:
    """Convert rows of pixels to the input of a network.

    Parameters
    ----------
    network : TrainedNetwork
        The network.
    rows : ndarray of shape (n_samples, n_features)
        Rows of pixels; they are padded with zeros if the images have more pixels.

    Returns
    -------
    ndarray of shape (n_samples, height, width, channels)
        Pixels in the dtype of the network, multiplied by its scale.
    """
    height, width, channels = network.key.spec.image_shape
    dtype = np.dtype(network.key.spec.dtype)
    missing = height * (width or 1) * channels - rows.shape[1]
    if missing:
        rows = np.pad(rows, [(0, 0), (0, missing)])
    scaled = np.multiply(rows, dtype.type(network.scale), dtype=dtype, casting="unsafe")
    return scaled.reshape(-1, height, width, channels)
