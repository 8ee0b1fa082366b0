"""Make Keras models from the layers of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from skdigits.networks import layers as data
from skdigits.networks.layers import Layer, Shape
from skdigits.training.faster_layers import FASTER
from skdigits.training.tensorflow import keras

if TYPE_CHECKING:
    from skdigits.typing import KerasModel

CHANNELS_LAST = "channels_last"  # regardless of Keras's global setting
Function = Callable[[Any], Any]  # takes and returns a tensor


@dataclass
class _Settings:
    """Settings that the layers of a model share."""

    dtype: str
    l2: float = 0.0
    faster: bool = False
    inside: Any = field(default=None)  # the tensor by which `Mask` multiplies

    def penalty(self) -> Any:
        return keras.regularizers.L2(self.l2) if self.l2 else None

    def make(self, kind: Any, **options: Any) -> Any:
        kind = FASTER.get(kind, kind) if self.faster else kind
        return kind(dtype=self.dtype, **options)


def build(
    layers: Sequence[Layer],
    shape: tuple[int | None, int | None, int],
    name: str,
    *,
    dtype: str,
    l2: float = 0.0,
    faster: bool = False,
) -> KerasModel:
    """Make a Keras model from layers.

    Parameters
    ----------
    layers : sequence of Layer
        The layers.
    shape : tuple of int
        Height and width (None for any) and channels of the images.
    name : str
        Name of the model.
    dtype : str
        Dtype of weights and computations.
    l2 : float, default=0.0
        L2 penalty on all kernels.
    faster : bool, default=False
        Whether to use the layers of `faster_layers`.

    Returns
    -------
    keras.Sequential or keras.Model
        An uncompiled model; it is Sequential if Keras has layers of all these kinds.
    """
    settings = _Settings(dtype, l2, faster)
    inputs = keras.Input(shape, dtype=dtype)
    if not any(isinstance(layer, _OPERATIONS) for layer in layers):
        return keras.Sequential([inputs, *_functions(layers, shape, settings)], name=name)
    return keras.Model(inputs, _apply(layers, inputs, shape, settings), name=name)


def _functions(layers: Sequence[Layer], shape: Shape, settings: _Settings) -> list[Function]:
    made = []
    for layer in layers:
        made.append(MAKERS[type(layer)](layer, shape, settings))
        shape = layer.output_shape(shape)
    return made


def _apply(layers: Sequence[Layer], x: Any, shape: Shape, settings: _Settings) -> Any:
    for layer in layers:
        x = MAKERS[type(layer)](layer, shape, settings)(x)
        shape = layer.output_shape(shape)
    return x


# -- one function per kind of layer; it returns a function that takes and returns a tensor ------


def _convolution(layer: data.Convolution, shape: Shape, settings: _Settings) -> Function:
    return settings.make(
        keras.layers.Conv2D,
        filters=layer.filters,
        kernel_size=layer.size,
        data_format=CHANNELS_LAST,
        padding="same" if layer.same else "valid",
        use_bias=layer.bias,
        activation=layer.activation,
        kernel_regularizer=settings.penalty(),
        name=layer.name,
    )


def _strided(layer: data.StridedConvolution, shape: Shape, settings: _Settings) -> Function:
    return settings.make(
        keras.layers.Conv2D,
        filters=layer.filters,
        kernel_size=layer.size,
        strides=layer.stride,
        data_format=CHANNELS_LAST,
        padding="same",
        use_bias=False,
        kernel_regularizer=settings.penalty(),
        name=layer.name,
    )


def _dilated(layer: data.DilatedConvolution, shape: Shape, settings: _Settings) -> Function:
    return settings.make(
        keras.layers.Conv2D,
        filters=layer.filters,
        kernel_size=layer.size,
        dilation_rate=layer.dilation,
        data_format=CHANNELS_LAST,
        padding="same",
        use_bias=False,
        kernel_regularizer=settings.penalty(),
        name=layer.name,
    )


def _depthwise(layer: data.Depthwise, shape: Shape, settings: _Settings) -> Function:
    return settings.make(
        keras.layers.DepthwiseConv2D,
        kernel_size=layer.window(shape),
        data_format=CHANNELS_LAST,
        use_bias=False,
        depthwise_regularizer=settings.penalty(),
        name=layer.name,
    )


def _normalization(layer: data.Normalization, shape: Shape, settings: _Settings) -> Function:
    return settings.make(keras.layers.BatchNormalization, momentum=0.9, name=layer.name)


def _pooling(layer: data.Pooling, shape: Shape, settings: _Settings) -> Function:
    return settings.make(
        keras.layers.MaxPooling2D,
        pool_size=layer.size,
        data_format=CHANNELS_LAST,
        name=layer.name,
    )


def _relu(layer: data.Relu, shape: Shape, settings: _Settings) -> Function:
    return keras.ops.relu


def _dropout(layer: data.Dropout, shape: Shape, settings: _Settings) -> Function:
    return settings.make(keras.layers.Dropout, rate=layer.rate, name=layer.name)


def _residual(layer: data.Residual, shape: Shape, settings: _Settings) -> Function:
    return lambda x: _apply(layer.layers, x, shape, settings) + x


def _flatten(layer: data.Flatten, shape: Shape, settings: _Settings) -> Function:
    return settings.make(keras.layers.Flatten, data_format=CHANNELS_LAST, name="flatten")


def _dense(layer: data.Dense, shape: Shape, settings: _Settings) -> Function:
    return settings.make(
        keras.layers.Dense,
        units=layer.units,
        activation=layer.activation,
        kernel_regularizer=settings.penalty(),
        name=layer.name,
    )


def _resize(layer: data.Resize, shape: Shape, settings: _Settings) -> Function:
    # Keras's Resizing layer is not used: as the first layer, it makes Keras call all layers in
    # training mode.
    size = layer.height, layer.width
    return lambda x: keras.ops.image.resize(x, size, "bilinear", data_format=CHANNELS_LAST)


def _pad(layer: data.Pad, shape: Shape, settings: _Settings) -> Function:
    top, left, bottom, right = layer.margins
    margins = [[0, 0], [top, bottom], [left, right], [0, 0]]
    value = layer.value or None  # for None, Keras uses its operation that pads with zeros
    return lambda x: keras.ops.pad(x, margins, constant_values=value)


def _start_mask(layer: data.StartMask, shape: Shape, settings: _Settings) -> Function:
    def start(x: Any) -> Any:
        settings.inside = keras.ops.cast(x[:, :1] >= 0, settings.dtype)
        return x

    return start


def _halve_mask(layer: data.HalveMask, shape: Shape, settings: _Settings) -> Function:
    def halve(x: Any) -> Any:
        settings.inside = settings.inside[:, :, :-1:2]
        return x

    return halve


def _mask(layer: data.Mask, shape: Shape, settings: _Settings) -> Function:
    return lambda x: x * settings.inside


def _first_row(layer: data.FirstRow, shape: Shape, settings: _Settings) -> Function:
    return lambda x: x[:, 0]


MAKERS: dict[type[Layer], Callable[[Any, Shape, _Settings], Function]] = {
    data.Convolution: _convolution,
    data.StridedConvolution: _strided,
    data.DilatedConvolution: _dilated,
    data.Depthwise: _depthwise,
    data.Normalization: _normalization,
    data.Pooling: _pooling,
    data.Relu: _relu,
    data.Dropout: _dropout,
    data.Residual: _residual,
    data.Flatten: _flatten,
    data.Dense: _dense,
    data.Resize: _resize,
    data.Pad: _pad,
    data.StartMask: _start_mask,
    data.HalveMask: _halve_mask,
    data.Mask: _mask,
    data.FirstRow: _first_row,
}
_OPERATIONS = (  # kinds without a Keras layer
    *(data.Relu, data.Residual, data.Resize, data.Pad),
    *(data.StartMask, data.HalveMask, data.Mask, data.FirstRow),
)
