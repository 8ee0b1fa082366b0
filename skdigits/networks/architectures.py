"""Network architectures: plain functions ``(image_shape, n_classes, …) -> keras.Model``.

Every function takes `image_shape` and `n_classes`, and, by keyword, those of `filters`,
`kernel_size`, `dropout`, `l2` and `dtype` that it has as parameters. It returns an uncompiled Keras
model that maps images of shape (n, height, width, channels) to class probabilities of shape
(n, n_classes). A user's function of that form is accepted wherever a name is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skdigits.training.tensorflow import keras

CHANNELS_LAST = "channels_last"  # regardless of Keras's global setting


def compact(
    image_shape: tuple[int, int | None, int],
    n_classes: int,
    *,
    filters: int = 4,
    kernel_size: int = 5,
    dropout: float = 0.1,
    l2: float = 0.0,
    dtype: str = "float32",
) -> Any:
    """Two convolutions of four filters: 4,518 parameters for 28×28 images and ten classes.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width and channels.
    n_classes : int
        Number of classes.
    filters : int, default=4
        Filters of each convolution.
    kernel_size : int, default=5
        Side of the convolution kernels, in pixels.
    dropout : float, default=0.1
        Share of the pooled activations set to zero in training, in [0, 1).
    l2 : float, default=0.0
        L2 penalty on all kernels.
    dtype : str, default="float32"
        Type of weights and arithmetic.

    Returns
    -------
    keras.Sequential
        The uncompiled network.
    """
    conv = _convolution(kernel_size, l2, dtype)
    return _sequential(
        "compact",
        image_shape,
        dtype,
        [
            conv("convolution_1", filters, padding="same"),
            _pooling("pooling", dtype),
            keras.layers.Dropout(dropout, dtype=dtype, name="dropout"),
            conv("convolution_2", filters, padding="valid"),
            _flatten(dtype),
            _dense("output", n_classes, "softmax", l2, dtype),
        ],
    )


def lenet(
    image_shape: tuple[int, int | None, int],
    n_classes: int,
    *,
    filters: int = 8,
    kernel_size: int = 5,
    dropout: float = 0.2,
    l2: float = 0.0,
    dtype: str = "float32",
) -> Any:
    """A modernized LeNet-5: 21,518 parameters for 28×28 images and ten classes.

    Two convolutions, each followed by max pooling, and a hidden layer (LeCun et al.,
    "Gradient-based learning applied to document recognition", 1998), with ReLU and dropout.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width and channels.
    n_classes : int
        Number of classes.
    filters : int, default=8
        Filters of the first convolution; the second has twice as many.
    kernel_size : int, default=5
        Side of the convolution kernels, in pixels.
    dropout : float, default=0.2
        Share of the hidden layer's inputs set to zero in training, in [0, 1).
    l2 : float, default=0.0
        L2 penalty on all kernels.
    dtype : str, default="float32"
        Type of weights and arithmetic.

    Returns
    -------
    keras.Sequential
        The uncompiled network.
    """
    conv = _convolution(kernel_size, l2, dtype)
    return _sequential(
        "lenet",
        image_shape,
        dtype,
        [
            conv("convolution_1", filters, padding="same"),
            _pooling("pooling_1", dtype),
            conv("convolution_2", 2 * filters, padding="valid"),
            _pooling("pooling_2", dtype),
            _flatten(dtype),
            keras.layers.Dropout(dropout, dtype=dtype, name="dropout"),
            _dense("hidden", 44, "relu", l2, dtype),
            _dense("output", n_classes, "softmax", l2, dtype),
        ],
    )


def tiny(
    image_shape: tuple[int, int | None, int],
    n_classes: int,
    *,
    filters: int = 4,
    dropout: float = 0.0,
    l2: float = 0.0,
    dtype: str = "float32",
) -> Any:
    """Five normalised convolutions: 4,738 parameters for 28×28 images and ten classes.

    The network ends in a depthwise layer with one weight per filter and position, which has a tenth
    of the weights of a dense layer.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width and channels.
    n_classes : int
        Number of classes.
    filters : int, default=4
        Filters of the first convolution; later ones have up to three times as many.
    dropout : float, default=0.0
        Share of the last activations set to zero in training, in [0, 1).
    l2 : float, default=0.0
        L2 penalty on all kernels.
    dtype : str, default="float32"
        Type of weights and arithmetic.

    Returns
    -------
    keras.Model
        The uncompiled network.
    """
    convolution = _normalized(l2, dtype)
    x = inputs = keras.Input(image_shape, dtype=dtype)
    x = convolution(x, "convolution_1", filters)
    x = convolution(x, "convolution_2", 2 * filters, pool=(2, 2))
    x = convolution(x, "convolution_3", 3 * filters)
    x = convolution(x, "convolution_4", 3 * filters, pool=(2, 2))
    x = convolution(x, "convolution_5", 3 * filters)
    return keras.Model(inputs, _classify(x, n_classes, dropout, l2, dtype), name="tiny")


def deep(
    image_shape: tuple[int, int | None, int],
    n_classes: int,
    *,
    filters: int = 16,
    dropout: float = 0.3,
    l2: float = 0.0,
    dtype: str = "float32",
) -> Any:
    """Six normalised convolutions, two of them residual: 111,258 parameters for 28×28 images.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width and channels.
    n_classes : int
        Number of classes.
    filters : int, default=16
        Filters of the first convolution; later ones have up to four times as many.
    dropout : float, default=0.3
        Share of the last activations set to zero in training, in [0, 1).
    l2 : float, default=0.0
        L2 penalty on all kernels.
    dtype : str, default="float32"
        Type of weights and arithmetic.

    Returns
    -------
    keras.Model
        The uncompiled network.
    """
    inputs = keras.Input(image_shape, dtype=dtype)
    x = _residual_trunk(inputs, filters, _normalized(l2, dtype))
    return keras.Model(inputs, _classify(x, n_classes, dropout, l2, dtype), name="deep")


def reader(
    image_shape: tuple[int, int | None, int],
    n_classes: int,
    *,
    filters: int = 16,
    dropout: float = 0.2,
    l2: float = 0.0,
    dtype: str = "float32",
) -> Any:
    """Network that reads lines of any width: 120,731 parameters, and scores per four columns.

    It is that of earlier files. It has the convolutions of ``deep``; the receptive field of a frame
    is 62 columns. Pixels below 0 are padding to the right of the image: they, and all values
    computed from them, are set to 0 in every layer, so that the width of the padding does not
    matter.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width (None for any width) and channels.
    n_classes : int
        Number of scores per frame.
    filters : int, default=16
        Filters of the first convolution; later ones have up to eight times as many.
    dropout : float, default=0.2
        Share of the last activations set to zero in training, in [0, 1).
    l2 : float, default=0.0
        L2 penalty on all kernels.
    dtype : str, default="float32"
        Type of weights and arithmetic.

    Returns
    -------
    keras.Model
        The uncompiled network; its outputs are scores (logits) of shape (n, n_frames, n_classes).
    """
    inputs = keras.Input(image_shape, dtype=dtype)
    x, _ = _frames(inputs, filters, 4, l2, dtype)
    return keras.Model(inputs, _scores(x, n_classes, dropout, l2, dtype), name="reader")


def fine_reader(
    image_shape: tuple[int, int | None, int],
    n_classes: int,
    *,
    filters: int = 16,
    dropout: float = 0.2,
    l2: float = 0.0,
    dtype: str = "float32",
) -> Any:
    """Network that reads lines of any width: 351,131 parameters, and scores per two columns.

    It is ``reader`` with frames of two columns, since handwritten digits may be four columns wide.
    Two residual convolutions along the line follow; the receptive field of a frame is 60 columns.

    Parameters
    ----------
    image_shape : tuple of int
        Height, width (None for any width) and channels.
    n_classes : int
        Number of scores per frame.
    filters : int, default=16
        Filters of the first convolution; later ones have up to eight times as many.
    dropout : float, default=0.2
        Share of the last activations set to zero in training, in [0, 1).
    l2 : float, default=0.0
        L2 penalty on all kernels.
    dtype : str, default="float32"
        Type of weights and arithmetic.

    Returns
    -------
    keras.Model
        The uncompiled network; its outputs are scores (logits) of shape (n, n_frames, n_classes).
    """
    inputs = keras.Input(image_shape, dtype=dtype)
    x, convolution = _frames(inputs, filters, 2, l2, dtype)
    x = convolution(x, "context_1", 8 * filters, (1, 7), skip=x)
    x = convolution(x, "context_2", 8 * filters, (1, 7), skip=x)
    return keras.Model(inputs, _scores(x, n_classes, dropout, l2, dtype), name="fine_reader")


def _frames(
    inputs: Any, filters: int, columns: int, l2: float, dtype: str
) -> tuple[Any, Callable[..., Any]]:
    """One column of features per frame, and a function for convolutions of these."""
    # The padding completes the last frame if the width is not a multiple of `columns`.
    after = [[0, 0], [0, 0], [0, columns - 1], [0, 0]]
    x = keras.ops.pad(inputs, after, constant_values=-1)
    inside = keras.ops.cast(x[:, :1] >= 0, dtype)
    normalized = _normalized(l2, dtype)

    def convolution(
        x: Any,
        name: str,
        filters: int,
        *args: Any,
        pool: tuple[int, int] | None = None,
        **options: Any,
    ) -> Any:
        nonlocal inside
        if pool and pool[1] == 2:
            inside = inside[:, :, :-1:2]
        return normalized(x, name, filters, *args, pool=pool, **options) * inside

    x = _residual_trunk(keras.ops.relu(x), filters, convolution, (2, columns // 2))
    x = keras.ops.pad(x, [[0, 0], [0, 0], [3, 3], [0, 0]])
    x = keras.ops.relu(_depthwise(x, (x.shape[1], 7), l2, dtype)) * inside
    return convolution(x, "mixture", 8 * filters, 1), convolution


def _scores(x: Any, n_classes: int, dropout: float, l2: float, dtype: str) -> Any:
    """Scores (logits) of classes, from one column of features per frame."""
    x = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")(x)
    # A convolution, since a dense layer crashes on images of unknown width in TensorFlow 2.18.
    output = keras.layers.Conv2D(
        n_classes,
        1,
        data_format=CHANNELS_LAST,
        kernel_regularizer=_penalty(l2),
        dtype=dtype,
        name="output",
    )
    return output(x)[:, 0]


BY_NAME: dict[str | Callable[..., Any], Callable[..., Any]] = {
    "compact": compact,
    "tiny": tiny,
    "lenet": lenet,
    "deep": deep,
    "reader": reader,
    "fine_reader": fine_reader,
}


def _sequential(
    name: str, image_shape: tuple[int, int | None, int], dtype: str, layers: list[Any]
) -> Any:
    return keras.Sequential([keras.Input(image_shape, dtype=dtype), *layers], name=name)


def _convolution(kernel_size: int, l2: float, dtype: str) -> Callable[..., Any]:
    def layer(name: str, filters: int, padding: str) -> Any:
        return keras.layers.Conv2D(
            filters,
            kernel_size,
            data_format=CHANNELS_LAST,
            padding=padding,
            activation="relu",
            kernel_initializer="glorot_uniform",
            kernel_regularizer=_penalty(l2),
            dtype=dtype,
            name=name,
        )

    return layer


def _normalized(l2: float, dtype: str) -> Callable[..., Any]:
    """Return a function: convolution, optional pooling, batch normalisation and ReLU."""

    def convolution(
        x: Any,
        name: str,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        pool: tuple[int, int] | None = None,
        skip: Any = None,
    ) -> Any:
        x = keras.layers.Conv2D(
            filters,
            kernel_size,
            data_format=CHANNELS_LAST,
            padding="same",
            use_bias=False,
            kernel_regularizer=_penalty(l2),
            dtype=dtype,
            name=name,
        )(x)
        if pool:  # pooling first leaves a quarter of the work to the next operations
            x = _pooling(f"{name}_pooling", dtype, pool)(x)
        x = _batch_normalization(name, dtype)(x)
        return keras.ops.relu(x if skip is None else x + skip)

    return convolution


def _residual_trunk(
    x: Any, filters: int, convolution: Callable[..., Any], second_pool: tuple[int, int] = (2, 2)
) -> Any:
    """Convolutions to a quarter of the height, the last two residual.

    He et al., "Deep residual learning for image recognition" (2016).
    """
    x = convolution(x, "convolution_1", filters, pool=(2, 2))
    x = convolution(x, "convolution_2", 2 * filters)
    x = convolution(x, "convolution_3", 2 * filters, pool=second_pool)
    x = convolution(x, "convolution_4", 4 * filters)
    x = convolution(x, "residual_1", 4 * filters, skip=x)
    return convolution(x, "residual_2", 4 * filters, skip=x)


def _depthwise(x: Any, size: tuple[int, int], l2: float, dtype: str) -> Any:
    """One weight per filter and position of a window, normalised."""
    x = keras.layers.DepthwiseConv2D(
        size,
        data_format=CHANNELS_LAST,
        use_bias=False,
        depthwise_regularizer=_penalty(l2),
        dtype=dtype,
        name="depthwise",
    )(x)
    return _batch_normalization("depthwise", dtype)(x)


def _batch_normalization(name: str, dtype: str) -> Any:
    return keras.layers.BatchNormalization(momentum=0.9, dtype=dtype, name=f"{name}_normalization")


def _classify(x: Any, n_classes: int, dropout: float, l2: float, dtype: str) -> Any:
    """Class probabilities, from one weighted sum over all positions per filter."""
    x = _depthwise(x, x.shape[1:3], l2, dtype)
    x = _flatten(dtype)(x)
    x = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")(x)
    return _dense("output", n_classes, "softmax", l2, dtype)(x)


def _dense(name: str, units: int, activation: str, l2: float, dtype: str) -> Any:
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=_penalty(l2),
        dtype=dtype,
        name=name,
    )


def _pooling(name: str, dtype: str, size: tuple[int, int] = (2, 2)) -> Any:
    return keras.layers.MaxPooling2D(size, data_format=CHANNELS_LAST, dtype=dtype, name=name)


def _flatten(dtype: str) -> Any:
    return keras.layers.Flatten(data_format=CHANNELS_LAST, dtype=dtype, name="flatten")


def _penalty(l2: float) -> Any:
    return keras.regularizers.L2(l2) if l2 else None
