"""Layers with the results and state of Keras's layers, but faster on a CPU."""

from __future__ import annotations

from typing import Any

from skdigits.training.tensorflow import keras, tf


class MaskedDropout(keras.layers.Dropout):
    """Dropout that multiplies by a mask, with Keras's random numbers.

    Keras uses TensorFlow's `select`. On a CPU, this takes several times as long, in the forward and
    the backward pass.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Set random inputs to 0, if `training` is True."""
        if not training or self.rate == 0 or self.noise_shape is not None:
            return super().call(inputs, training=training)
        seed = self.seed_generator.next()
        draw = tf.random.stateless_uniform(
            tf.shape(inputs), tf.cast(seed, tf.int32), dtype=inputs.dtype
        )
        kept = tf.cast(draw >= self.rate, inputs.dtype)
        return inputs * (kept / (1 - self.rate))


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization that uses a single TensorFlow operation for images."""

    def call(self, inputs: Any, training: bool = False, mask: Any | None = None) -> Any:
        """Normalize images of shape (n, height, width, channels).

        In training, the mean and variance of the batch are used, and the moving averages are
        updated. With a mask, the call is passed to Keras's layer.
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
        batch[1] *= (count - 1) / count  # Keras divides by count, this operation by count - 1
        for variable, value in zip(moving, batch, strict=True):
            keep = self.momentum
            variable.assign(variable.value * keep + value * (1 - keep))
        return result


FASTER: dict[type, Any] = {
    keras.layers.Dropout: MaskedDropout,
    keras.layers.BatchNormalization: FusedBatchNormalization,
}


def faster_layer(layer: Any) -> Any:
    """Make a faster layer with the same results and state, or return `layer` itself."""
    if type(layer) in FASTER:
        return FASTER[type(layer)].from_config(layer.get_config())
    return layer
