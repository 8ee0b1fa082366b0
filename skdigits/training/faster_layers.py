"""Faster layers for a CPU, with the function and state of Keras's layers."""

from __future__ import annotations

from typing import Any

from skdigits.training.tensorflow import keras, tf


class MaskedDropout(keras.layers.Dropout):
    """Dropout with Keras's random numbers, by multiplication instead of selection.

    On a CPU, TensorFlow's `select` takes several times as long in the forward and backward pass.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Set inputs to zero at random.

        Parameters
        ----------
        inputs : tensor
            A tensor of any shape.
        training : bool, default=False
            Whether to apply dropout.

        Returns
        -------
        tensor
            The result, of the same shape.
        """
        if not training or self.rate == 0 or self.noise_shape is not None:
            return super().call(inputs, training=training)
        seed = self.seed_generator.next()
        draw = tf.random.stateless_uniform(
            tf.shape(inputs), tf.cast(seed, tf.int32), dtype=inputs.dtype
        )
        kept = tf.cast(draw >= self.rate, inputs.dtype)
        return inputs * (kept / (1 - self.rate))


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization of images by one TensorFlow operation."""

    def call(self, inputs: Any, training: bool = False, mask: Any | None = None) -> Any:
        """Normalize images.

        Parameters
        ----------
        inputs : tensor of shape (n, height, width, channels)
            The images.
        training : bool, default=False
            Whether to normalize by the mean and variance of the batch, and to update the moving
            averages.
        mask : tensor, optional
            With a mask, Keras's layer is used.

        Returns
        -------
        tensor
            The normalized images.
        """
        fits = len(inputs.shape) == 4 and inputs.dtype == tf.float32 and self.axis in (3, -1)
        if not (fits and mask is None and self.center and self.scale):
            return super().call(inputs, training=training, mask=mask)
        moving = self.moving_mean, self.moving_variance
        if not training:
            scale = self.gamma.value * tf.math.rsqrt(moving[1].value + self.epsilon)
            return inputs * scale + (self.beta.value - moving[0].value * scale)
        result, *batch, _, _, _ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], tf.float32)
        batch[1] *= (count - 1) / count  # the operation divides by count - 1, Keras by count
        for variable, value in zip(moving, batch, strict=True):
            keep = self.momentum
            variable.assign(variable.value * keep + value * (1 - keep))
        return result


FASTER: dict[type, Any] = {
    keras.layers.Dropout: MaskedDropout,
    keras.layers.BatchNormalization: FusedBatchNormalization,
}


def faster_layer(layer: Any) -> Any:
    """Make a faster layer with the same function and state.

    Parameters
    ----------
    layer : keras.Layer
        Any layer.

    Returns
    -------
    keras.Layer
        The faster layer, or `layer` itself.
    """
    if type(layer) in FASTER:
        return FASTER[type(layer)].from_config(layer.get_config())
    return layer
