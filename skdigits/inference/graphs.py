"""Convert trained networks to ONNX models, from their layers and weights, without Keras.

The models are for predictions: dropout is omitted, and batch normalization uses the moving
averages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from skdigits.networks import layers as data
from skdigits.networks.layers import Layer, Shape, check_weights
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import TrainedNetwork, Weights

OPSET = 18
IR_VERSION = 8  # supported by ONNX Runtime since 1.14
INPUT, OUTPUT = "images", "output"
EPSILON = 1e-3  # default of Keras's batch normalization


class _Graph:
    """Builder of the nodes of a graph.

    Parameters
    ----------
    trainable : list of ndarray
        The trainable variables, in the order of the layers.
    averages : list of ndarray
        The moving averages, in the order of the layers.
    masked : bool, default=True
        Whether `Mask` layers set the padding of images to 0.
    """

    def __init__(self, trainable: Weights, averages: Weights, masked: bool = True) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._trainable, self._averages = iter(trainable), iter(averages)
        self._later: list[tuple[str, np.ndarray]] = []
        self.masked = masked
        self.inside = ""  # the tensor by which `Mask` multiplies

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: Any, name: str | None = None) -> str:
        name = name or f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def number(self, value: float) -> str:
        if abs(value) > float(np.finfo(np.float32).max):
            raise ValueError(
                f"the network needs the number {value}, which is too large for float32"
            )
        return self.constant(np.float32(value), f"number_{len(self.initializers)}")

    def take(self) -> np.ndarray:
        """Take the next trainable variable."""
        return next(self._trainable).astype(np.float32, copy=False)

    def average(self, name: str) -> str:
        """Take the next moving average, and return its name.

        `add_averages` adds the moving averages to the graph, after all other initializers.
        """
        name = f"{name}_{len(self._later)}"
        self._later.append((name, next(self._averages).astype(np.float32, copy=False)))
        return name

    def slice(self, x: str, axis: int, start: int, stop: int, step: int = 1) -> str:
        limits = (self.constant(np.array([n])) for n in (start, stop, axis, step))
        return self.add("Slice", x, *limits)

    def add_layers(self, layers: Sequence[Layer], x: str, shape: Shape) -> str:
        """Add the nodes of layers; return the name of their output."""
        for layer in layers:
            x = MAKERS[type(layer)](self, layer, x, shape)
            shape = layer.output_shape(shape)
        return x

    def add_averages(self) -> None:
        for name, values in self._later:
            self.constant(values, name)


# -- one function per kind of layer -------------------------------------------------------------
#    It adds the nodes of a layer with the input `x`, and returns the name of their output. `shape`
#    is the shape of one input. In the graph, images have the shape (n, channels, height, width).


def _activated(graph: _Graph, x: str, activation: str | None) -> str:
    return graph.add(activation.capitalize(), x) if activation else x


def _convolution(graph: _Graph, layer: data.Convolution, x: str, shape: Shape) -> str:
    rows, columns = layer.size
    inputs = [x, graph.constant(graph.take().transpose(3, 2, 0, 1))]
    if layer.bias:
        inputs.append(graph.constant(graph.take()))
    margins = [(rows - 1) // 2, (columns - 1) // 2, rows // 2, columns // 2]
    attributes: dict[str, Any] = {"pads": margins} if layer.same else {}
    x = graph.add("Conv", *inputs, **attributes)
    return _activated(graph, x, layer.activation)


def _strided(graph: _Graph, layer: data.StridedConvolution, x: str, shape: Shape) -> str:
    kernel = graph.constant(graph.take().transpose(3, 2, 0, 1))
    missing = [max(0, side - layer.stride) for side in layer.size]
    margins = [n // 2 for n in missing] + [n - n // 2 for n in missing]
    return graph.add("Conv", x, kernel, pads=margins, strides=[layer.stride] * 2)


def _dilated(graph: _Graph, layer: data.DilatedConvolution, x: str, shape: Shape) -> str:
    kernel = graph.constant(graph.take().transpose(3, 2, 0, 1))
    margins = [layer.dilation * (side // 2) for side in layer.size] * 2
    return graph.add("Conv", x, kernel, pads=margins, dilations=[layer.dilation] * 2)


def _depthwise(graph: _Graph, layer: data.Depthwise, x: str, shape: Shape) -> str:
    kernel = graph.constant(graph.take().transpose(2, 3, 0, 1))
    return graph.add("Conv", x, kernel, group=shape[-1])


def _normalization(graph: _Graph, layer: data.Normalization, x: str, shape: Shape) -> str:
    weights = [graph.constant(graph.take()) for _ in ("scale", "offset")]
    weights += [graph.average(kind) for kind in ("mean", "variance")]
    return graph.add("BatchNormalization", x, *weights, epsilon=EPSILON)


def _pooling(graph: _Graph, layer: data.Pooling, x: str, shape: Shape) -> str:
    size = list(layer.size)
    return graph.add("MaxPool", x, kernel_shape=size, strides=size)


def _relu(graph: _Graph, layer: data.Relu, x: str, shape: Shape) -> str:
    return graph.add("Relu", x)


def _dropout(graph: _Graph, layer: data.Dropout, x: str, shape: Shape) -> str:
    return x


def _residual(graph: _Graph, layer: data.Residual, x: str, shape: Shape) -> str:
    return graph.add("Add", graph.add_layers(layer.layers, x, shape), x)


def _flatten(graph: _Graph, layer: data.Flatten, x: str, shape: Shape) -> str:
    return graph.add("Flatten", graph.add("Transpose", x, perm=[0, 2, 3, 1]))


def _dense(graph: _Graph, layer: data.Dense, x: str, shape: Shape) -> str:
    weights = [graph.constant(graph.take()) for _ in ("kernel", "bias")]
    return _activated(graph, graph.add("Gemm", x, *weights), layer.activation)


def _resize(graph: _Graph, layer: data.Resize, x: str, shape: Shape) -> str:
    sizes = graph.constant(np.array([layer.height, layer.width]))
    return graph.add("Resize", x, "", "", sizes, mode="linear", axes=[2, 3])


def _pad(graph: _Graph, layer: data.Pad, x: str, shape: Shape) -> str:
    top, left, bottom, right = layer.margins
    margins = graph.constant(np.array([0, 0, top, left, 0, 0, bottom, right]))
    return graph.add("Pad", x, margins, graph.constant(np.float32(layer.value)))


def _start_mask(graph: _Graph, layer: data.StartMask, x: str, shape: Shape) -> str:
    if not graph.masked:
        return x
    first_row = graph.slice(x, 2, 0, 1)
    inside = graph.add("GreaterOrEqual", first_row, graph.constant(np.float32(0)))
    graph.inside = graph.add("Cast", inside, to=TensorProto.FLOAT)
    return x


def _halve_mask(graph: _Graph, layer: data.HalveMask, x: str, shape: Shape) -> str:
    if graph.masked:
        graph.inside = graph.slice(graph.inside, 3, 0, -1, 2)
    return x


def _mask(graph: _Graph, layer: data.Mask, x: str, shape: Shape) -> str:
    return graph.add("Mul", x, graph.inside) if graph.masked else x


def _first_row(graph: _Graph, layer: data.FirstRow, x: str, shape: Shape) -> str:
    rows = graph.add("Transpose", x, perm=[0, 2, 3, 1])
    return graph.add("Squeeze", rows, graph.constant(np.array([1])))


MAKERS: dict[type[Layer], Callable[[_Graph, Any, str, Shape], str]] = {
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


# -- whole models ----------------------------------------------------------------------------------


def build(
    spec: NetworkSpec, weights: Weights, *, features: bool = False, padded: bool = True
) -> onnx.ModelProto:
    """Make the ONNX model of a network.

    Parameters
    ----------
    spec : NetworkSpec
        A network of this package, not a user's architecture function.
    weights : list of ndarray
        The weights, as in `TrainedNetwork`.
    features : bool, default=False
        Whether the model returns the input of the last layer instead of the output.
    padded : bool, default=True
        Whether images of lines may have padding; without padding, the model takes less time.

    Returns
    -------
    onnx.ModelProto
        The model. The input ``images`` is float32 of shape (n, height, width, channels); its pixels
        must already be multiplied by the scale of the network. If the width is free, pixels of -1
        are padding. The output is class probabilities of shape (n, n_classes) or features of shape
        (n, n_features). For sequences, it is scores (logits) of shape (n, n_frames, n_outputs); for
        pictures of any height, scores of shape (n, n_rows, n_columns, n_outputs).

    Raises
    ------
    ValueError
        If the weights do not match the network.
    """
    # With more than two columns per frame, the columns that complete the last frame need a mask.
    masked = padded or (spec.reads_sequences and spec.columns_per_frame > 2)
    graph, output = _build(spec, weights, features, masked)
    return _model(graph, spec, output, features)


def _build(spec: NetworkSpec, weights: Weights, features: bool, masked: bool) -> tuple[_Graph, str]:
    """Make the nodes of a network, and return the graph and the name of its output."""
    layers = *spec.enlargement(), *spec.layers
    n_trainable = check_weights(layers, spec.image_shape, weights)
    averages = [w for w in weights[n_trainable:] if w.dtype.kind == "f"]  # dropout seeds are ints
    graph = _Graph(weights[:n_trainable], averages, masked)
    x = graph.add("Transpose", INPUT, perm=[0, 3, 1, 2])
    output = graph.add_layers(layers[:-1] if features else layers, x, spec.image_shape)
    graph.add_averages()
    if spec.image_shape[0] is None and not features:
        output = graph.add("Transpose", output, perm=[0, 2, 3, 1])
    return graph, output


def build_from_pixels(network: TrainedNetwork, pixels: str, probabilities: str) -> onnx.ModelProto:
    """Make an ONNX model that programs without skdigits can run on the user's images.

    Parameters
    ----------
    network : TrainedNetwork
        A network of this package.
    pixels : str
        Name of the input. It takes images as passed to fit: uint8 if `pixel_dtype` is uint8,
        otherwise float32.
    probabilities : str
        Name of the output: the probability of each class, or of each label in each frame.

    Returns
    -------
    onnx.ModelProto
        The model.
    """
    spec = network.key.spec
    model = build(spec, network.weights)
    graph = _Graph([], [])
    x = graph.add("Cast", pixels, to=TensorProto.FLOAT)
    found = network.pixel_range
    if spec.reads_sequences and found is not None and (found.low, found.high) != (0, 255):
        low, high = graph.number(found.low), graph.number(found.high)
        x = graph.add("Sub", graph.add("Clip", x, low, high), low)
        x = graph.add("Round", graph.add("Mul", x, graph.number(255 / (found.high - found.low))))
    x = graph.add("Mul", x, graph.number(network.scale), output=INPUT)
    last = "Softmax" if spec.reads_sequences else "Identity"
    after = helper.make_node(last, [OUTPUT], [probabilities], name=probabilities)
    shape = model.graph.input[0].type.tensor_type.shape
    shapes = [d.dim_param or d.dim_value for d in shape.dim]
    dtype = TensorProto.UINT8 if network.pixel_dtype == "uint8" else TensorProto.FLOAT
    nodes = [*graph.nodes, *model.graph.node, after]
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend(nodes)
    model.graph.input.append(helper.make_tensor_value_info(pixels, dtype, shapes))
    model.graph.initializer.extend(graph.initializers)
    model.graph.output[0].name = probabilities
    return model


def _model(graph: _Graph, spec: NetworkSpec, output: str, features: bool) -> onnx.ModelProto:
    height, width, channels = spec.image_shape
    shape: list[Any] = ["n", height or "height", width or "width", channels]
    sizes: list[Any] = ["n", spec.n_outputs]
    if spec.reads_sequences:
        sizes = ["n", "n_frames", spec.n_outputs]
    elif height is None:
        sizes = ["n", "n_rows", "n_columns", spec.n_outputs]
    if features:
        sizes = ["n", "n_features"]
    nodes = [*graph.nodes, helper.make_node("Identity", [output], [OUTPUT], name=OUTPUT)]
    proto = helper.make_graph(
        nodes,
        f"{spec.architecture}-features" if features else str(spec.architecture),
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, sizes)],
        graph.initializers,
    )
    return helper.make_model(
        proto,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="skdigits",
    )
