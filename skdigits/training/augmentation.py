"""Random changes of images, inside the compiled epoch."""

from __future__ import annotations

import numpy as np

from skdigits.training.tensorflow import keras, tf


def jitter(images, seed, strength=1.0):
    """Rotate by up to 5°, zoom by up to 5 %, shift by up to 4 % of the side, all at random.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        The images.
    seed : tensor of shape (2,), int
        The changes depend on it alone.
    strength : float, default=1.0
        Factor of these limits, in [0, 10].

    Returns
    -------
    tensor of shape (n, height, width, channels)
        The images, changed.
    """
    n, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    limits = tf.constant([np.pi / 36, 0.05, 0.04 * width, 0.04 * height], tf.float32)
    draw = tf.random.stateless_uniform([n, 4], seed, -1.0, 1.0) * (strength * limits)
    angle, zoom, dx, dy = tf.unstack(draw, axis=1)
    cos, sin = tf.cos(angle) / (1 + zoom), tf.sin(angle) / (1 + zoom)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    zero = tf.zeros_like(angle)
    transform = tf.stack(
        [
            *(cos, -sin, cx - cos * cx + sin * cy + dx),
            *(sin, cos, cy - sin * cx - cos * cy + dy),
            *(zero, zero),
        ],
        axis=1,
    )
    return keras.ops.image.affine_transform(images, transform, data_format="channels_last")
