"""Kinds of layers, as data; ``training`` converts them to Keras, ``inference`` to ONNX.

A network is a tuple of layers; the input of each layer is the output of the previous layer. For a
new kind of layer, add a class here, a function in ``training/keras_layers.py`` and a function in
``inference/graphs.py``. If Keras has no such layer, also add the class to
``keras_layers._OPERATIONS``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Shape = tuple[int | None, ...]  # (height, width, channels), None for any size; or (n_features,)
Margins = tuple[int, int, int, int]  # top, left, bottom, right


@dataclass(frozen=True)
class Layer:
    """Base class of layers; by default, a layer has no weights and keeps the shape of its input."""

    def output_shape(self, shape: Shape) -> Shape:
        """Compute the output shape from the input shape, both without the axis of images."""
        return shape

    def trainable(self, shape: Shape) -> list[tuple[int | None, ...]]:
        """List the shapes of the trainable variables, in Keras's order; none by default.

        `shape` is the shape of one input, without the axis of images.
        """
        return []

    def averages(self, shape: Shape) -> list[tuple[int | None, ...]]:
        """List the shapes of the moving averages, in Keras's order; none by default.

        `shape` is the shape of one input, without the axis of images.
        """
        return []


@dataclass(frozen=True)
class Convolution(Layer):
    """Convolution with a stride of one pixel.

    Parameters
    ----------
    name : str
        Name of the layer.
    filters : int
        Number of filters.
    size : tuple of int
        Height and width of the kernel.
    same : bool, default=True
        Whether to pad the input with zeros, so that the output has the same height and width.
    bias : bool, default=False
        Whether to add a bias per filter.
    activation : {"relu", None}, default=None
        Activation function.
    """

    name: str
    filters: int
    size: tuple[int, int]
    same: bool = True
    bias: bool = False
    activation: str | None = None

    def output_shape(self, shape: Shape) -> Shape:
        height, width, _ = shape if self.same else _window(shape, self.size)
        return height, width, self.filters

    def trainable(self, shape: Shape) -> list[tuple[int | None, ...]]:
        kernel = (*self.size, shape[-1], self.filters)
        return [kernel, (self.filters,)] if self.bias else [kernel]


@dataclass(frozen=True)
class StridedConvolution(Layer):
    """Convolution that moves in steps, padded with zeros, without bias.

    Height and width of the input must be divisible by the stride.

    Parameters
    ----------
    name : str
        Name of the layer.
    filters : int
        Number of filters.
    size : tuple of int
        Height and width of the kernel.
    stride : int
        Pixels per step, down and to the right; height and width are divided by it.
    """

    name: str
    filters: int
    size: tuple[int, int]
    stride: int

    def output_shape(self, shape: Shape) -> Shape:
        sides = (None if n is None else n // self.stride for n in shape[:2])
        return _at_least_one(*sides, self.filters)

    def trainable(self, shape: Shape) -> list[tuple[int | None, ...]]:
        return [(*self.size, shape[-1], self.filters)]


@dataclass(frozen=True)
class DilatedConvolution(Layer):
    """Convolution whose kernel skips pixels, padded with zeros to the input's size, without bias.

    Parameters
    ----------
    name : str
        Name of the layer.
    filters : int
        Number of filters.
    size : tuple of int
        Height and width of the kernel; both are odd.
    dilation : int
        Distance between the pixels of two neighbouring weights.
    """

    name: str
    filters: int
    size: tuple[int, int]
    dilation: int

    def output_shape(self, shape: Shape) -> Shape:
        return *shape[:2], self.filters

    def trainable(self, shape: Shape) -> list[tuple[int | None, ...]]:
        return [(*self.size, shape[-1], self.filters)]


@dataclass(frozen=True)
class Depthwise(Layer):
    """Depthwise convolution, without padding.

    Parameters
    ----------
    name : str
        Name of the layer.
    size : tuple of (int or None), default=(None, None)
        Height and width of the window; None means the height or width of the input.
    """

    name: str
    size: tuple[int | None, int | None] = (None, None)

    def window(self, shape: Shape) -> tuple[int | None, ...]:
        """Return height and width of the window for an input of this shape."""
        return tuple(size or seen for size, seen in zip(self.size, shape[:2], strict=True))

    def output_shape(self, shape: Shape) -> Shape:
        return _window(shape, self.window(shape))

    def trainable(self, shape: Shape) -> list[tuple[int | None, ...]]:
        return [(*self.window(shape), shape[-1], 1)]


@dataclass(frozen=True)
class Normalization(Layer):
    """Batch normalization per channel.

    Parameters
    ----------
    name : str
        Name of the layer.
    """

    name: str

    def trainable(self, shape: Shape) -> list[tuple[int | None, ...]]:
        return [(shape[-1],)] * 2  # scale and offset

    def averages(self, shape: Shape) -> list[tuple[int | None, ...]]:
        return [(shape[-1],)] * 2  # mean and variance


@dataclass(frozen=True)
class Pooling(Layer):
    """Max pooling; incomplete windows at the right and bottom are dropped.

    Parameters
    ----------
    name : str
        Name of the layer.
    size : tuple of int, default=(2, 2)
        Height and width of the window; also its strides.
    """

    name: str
    size: tuple[int, int] = (2, 2)

    def output_shape(self, shape: Shape) -> Shape:
        return _at_least_one(
            *(None if n is None else n // k for n, k in zip(shape[:2], self.size, strict=True)),
            shape[-1],
        )


@dataclass(frozen=True)
class Relu(Layer):
    """Rectified linear unit: negative values become 0."""


@dataclass(frozen=True)
class Dropout(Layer):
    """Dropout: in training, random values become 0.

    Parameters
    ----------
    rate : float
        Share of the values that become 0, in [0, 1).
    name : str, default="dropout"
        Name of the layer.
    """

    rate: float
    name: str = "dropout"


@dataclass(frozen=True)
class Residual(Layer):
    """Residual block: add the output of some layers to their input.

    He et al., "Deep residual learning for image recognition" (2016).

    Parameters
    ----------
    layers : tuple of Layer
        Layers that keep the shape.
    """

    layers: tuple[Layer, ...]

    def output_shape(self, shape: Shape) -> Shape:
        if output_shape(self.layers, shape) != shape:
            raise ValueError(f"a residual block changes the shape of its input, {shape}")
        return shape


@dataclass(frozen=True)
class Flatten(Layer):
    """Flatten images to vectors, in the order of rows, columns, channels."""

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(n or 0 for n in shape),)


@dataclass(frozen=True)
class Dense(Layer):
    """Dense layer: weighted sums of all features.

    Parameters
    ----------
    name : str
        Name of the layer.
    units : int
        Number of weighted sums.
    activation : {"relu", "softmax", None}, default=None
        Activation function.
    """

    name: str
    units: int
    activation: str | None = None

    def output_shape(self, shape: Shape) -> Shape:
        return (self.units,)

    def trainable(self, shape: Shape) -> list[tuple[int | None, ...]]:
        return [(shape[-1], self.units), (self.units,)]


@dataclass(frozen=True)
class Resize(Layer):
    """Bilinear resizing of images.

    Parameters
    ----------
    height, width : int
        The new size.
    """

    height: int
    width: int

    def output_shape(self, shape: Shape) -> Shape:
        return self.height, self.width, shape[-1]


@dataclass(frozen=True)
class Pad(Layer):
    """Add a margin of constant value around images.

    Parameters
    ----------
    margins : tuple of int
        Number of rows and columns to add: top, left, bottom, right.
    value : float, default=0.0
        Value of the added pixels.
    """

    margins: Margins
    value: float = 0.0

    def output_shape(self, shape: Shape) -> Shape:
        top, left, bottom, right = self.margins
        height, width, channels = shape
        return (
            (height or 0) + top + bottom,
            None if width is None else width + left + right,
            channels,
        )


@dataclass(frozen=True)
class StartMask(Layer):
    """Compute the mask for later layers: 0 in columns whose first pixel is negative, else 1."""


@dataclass(frozen=True)
class HalveMask(Layer):
    """Keep every second column of the mask, before a pooling layer that halves the width."""


@dataclass(frozen=True)
class Mask(Layer):
    """Multiply by the mask: padding becomes 0, so its width does not change the output."""


@dataclass(frozen=True)
class FirstRow(Layer):
    """Remove the height axis from images with one row."""

    def output_shape(self, shape: Shape) -> Shape:
        return shape[1:]


def output_shape(layers: Iterable[Layer], shape: Shape) -> Shape:
    """Compute the output shape of a sequence of layers.

    `shape` is the shape of one input, without the axis of images. An input that is too small for a
    layer raises a ValueError.
    """
    for layer in layers:
        shape = layer.output_shape(shape)
    return shape


def walk(layers: Iterable[Layer], shape: Shape) -> Iterator[tuple[Layer, Shape]]:
    """Yield each layer with the shape of its input, in the order of the weights.

    After a residual block, its inner layers follow.
    """
    for layer in layers:
        yield layer, shape
        if isinstance(layer, Residual):
            yield from walk(layer.layers, shape)
        shape = layer.output_shape(shape)


def check_weights(layers: Sequence[Layer], shape: Shape, weights: Sequence[np.ndarray]) -> int:
    """Check that weights match layers.

    Parameters
    ----------
    layers : sequence of Layer
        The layers of a network.
    shape : tuple
        Shape of one input, without the axis of images.
    weights : sequence of ndarray
        The trainable variables in the order of the layers, then the non-trainable ones.

    Returns
    -------
    int
        Number of trainable variables.

    Raises
    ------
    ValueError
        If the number of weights or one of their shapes is wrong.
    """
    steps = list(walk(layers, shape))
    trainable = [size for layer, seen in steps for size in layer.trainable(seen)]
    averages = [size for layer, seen in steps for size in layer.averages(seen)]
    seeds = [(2,) for layer, _ in steps if isinstance(layer, Dropout) and layer.rate]
    others = weights[len(trainable) :]
    found = [
        [w.shape for w in weights[: len(trainable)]],
        [w.shape for w in others if w.dtype.kind == "f"],
        [w.shape for w in others if w.dtype.kind != "f"],
    ]
    for expected, shapes in zip([trainable, averages, seeds], found, strict=True):
        if expected != shapes:
            raise ValueError(
                f"the weights do not match the network: they have the shapes {shapes!s:.80}, "
                f"expected {expected!s:.80}"
            )
    return len(trainable)


def _window(shape: Shape, size: Sequence[int | None]) -> Shape:
    """Compute the output shape of a window that moves over an image in steps of one pixel."""
    sides = zip(shape[:2], size, strict=True)
    return _at_least_one(*(None if n is None else n - (k or 0) + 1 for n, k in sides), shape[-1])


def _at_least_one(*shape: int | None) -> Shape:
    if any(n is not None and n < 1 for n in shape):
        raise ValueError(
            f"the images are too small: the output of a layer would have the shape {shape}"
        )
    return shape
