"""Trained networks as ONNX models, made from their specification and weights; without Keras.

Every function here makes the nodes of the network of the same name in ``networks.architectures``,
for predictions: without dropout, and with the moving averages of batch normalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from skdigits.networks.spec import DROPOUT, FILTERS, KERNEL_SIZE, READER, NetworkSpec
from skdigits.networks.trained import TrainedNetwork, Weights

OPSET = 18
IR_VERSION = 8  # which ONNX Runtime reads since 1.14
INPUT, OUTPUT = "images", "output"
EPSILON = 1e-3  # of Keras's batch normalisation


@dataclass(frozen=True)
class _Maps:
    """A tensor of shape (n, channels, height, width)."""

    name: str
    channels: int
    height: int
    width: int | None


class _Graph:
    """The nodes of a graph, made one after the other.

    Parameters
    ----------
    weights : list of ndarray
        The trainable variables in the order of the layers, then the others.
    """

    def __init__(self, weights: Weights) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._weights = list(weights)
        self.n_trainable = 0
        self._averages: list[tuple[str, int]] = []

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
            raise ValueError(f"the network needs the number {value}, too large for float32")
        return self.constant(np.float32(value), f"number_{len(self.initializers)}")

    def next_shape(self) -> tuple[int, ...]:
        """Shape of the next trainable variable."""
        if self.n_trainable == len(self._weights):
            raise ValueError("there are too few weights for the network")
        return self._weights[self.n_trainable].shape

    def take(self, *shape: int) -> np.ndarray:
        """Take the next trainable variable."""
        if self.next_shape() != shape:
            raise ValueError(
                f"the network has weights of shape {shape} where there are some of shape "
                f"{self.next_shape()}"
            )
        self.n_trainable += 1
        return self._weights[self.n_trainable - 1].astype(np.float32, copy=False)

    def add_averages(self, dropout: float) -> None:
        """Add the moving averages, which come after all trainable variables."""
        others = self._weights[self.n_trainable :]
        averages = [w.astype(np.float32, copy=False) for w in others if w.dtype.kind == "f"]
        shapes = [(size,) for _, size in self._averages]
        seeds = [w.shape for w in others if w.dtype.kind != "f"]  # of the layer dropout
        if [w.shape for w in averages] != shapes or seeds != [(2,)] * bool(dropout):
            raise ValueError("the weights are not those of the network")
        for (name, _), values in zip(self._averages, averages, strict=True):
            self.constant(values, name)

    # -- layers ----------------------------------------------------------------------------

    def relu(self, x: _Maps) -> _Maps:
        return replace(x, name=self.add("Relu", x.name))

    def plus(self, x: _Maps, y: _Maps) -> _Maps:
        return replace(x, name=self.add("Add", x.name, y.name))

    def convolution(
        self,
        x: _Maps,
        filters: int,
        size: int | tuple[int, int],
        *,
        bias: bool = False,
        same: bool = True,
    ) -> _Maps:
        rows, columns = size if isinstance(size, tuple) else (size, size)
        kernel = self.take(rows, columns, x.channels, filters).transpose(3, 2, 0, 1)
        inputs = [x.name, self.constant(kernel)]
        if bias:
            inputs.append(self.constant(self.take(filters)))
        if same:
            pads = [(rows - 1) // 2, (columns - 1) // 2, rows // 2, columns // 2]
            return _Maps(self.add("Conv", *inputs, pads=pads), filters, x.height, x.width)
        width = None if x.width is None else x.width - columns + 1
        return _Maps(self.add("Conv", *inputs), filters, x.height - rows + 1, width)

    def depthwise(self, x: _Maps, height: int, width: Any) -> _Maps:
        """One weight per filter and position of a window, normalised."""
        kernel = self.take(height, width, x.channels, 1).transpose(2, 3, 0, 1)
        name = self.add("Conv", x.name, self.constant(kernel), group=x.channels)
        columns = None if x.width is None else x.width - width + 1
        return self.normalized(_Maps(name, x.channels, x.height - height + 1, columns))

    def pooling(self, x: _Maps, rows: int = 2, columns: int = 2) -> _Maps:
        name = self.add("MaxPool", x.name, kernel_shape=[rows, columns], strides=[rows, columns])
        width = None if x.width is None else x.width // columns
        return _Maps(name, x.channels, x.height // rows, width)

    def normalized(self, x: _Maps) -> _Maps:
        """Batch normalisation with the moving averages."""
        weights = [self.constant(self.take(x.channels)) for _ in ("scale", "offset")]
        for kind in ("mean", "variance"):
            weights.append(f"{kind}_{len(self._averages)}")
            self._averages.append((weights[-1], x.channels))
        name = self.add("BatchNormalization", x.name, *weights, epsilon=EPSILON)
        return replace(x, name=name)

    def normalized_convolution(
        self,
        x: _Maps,
        filters: int,
        size: int | tuple[int, int] = 3,
        *,
        pool: tuple[int, int] | None = None,
        skip: _Maps | None = None,
    ) -> _Maps:
        x = self.convolution(x, filters, size)
        x = self.normalized(self.pooling(x, *pool) if pool else x)
        return self.relu(x if skip is None else self.plus(x, skip))

    def padded(self, x: _Maps, margins: tuple[int, int, int, int], value: float = 0.0) -> _Maps:
        """Add margins: top, left, bottom, right."""
        top, left, bottom, right = margins
        pads = self.constant(np.array([0, 0, top, left, 0, 0, bottom, right]))
        name = self.add("Pad", x.name, pads, self.constant(np.float32(value)))
        width = None if x.width is None else x.width + left + right
        return _Maps(name, x.channels, x.height + top + bottom, width)

    def resized(self, x: _Maps, height: int, width: int) -> _Maps:
        sizes = self.constant(np.array([height, width]))
        name = self.add("Resize", x.name, "", "", sizes, mode="linear", axes=[2, 3])
        return _Maps(name, x.channels, height, width)

    def flat(self, x: _Maps) -> tuple[str, int]:
        """A row of numbers per image, in the order of Keras: rows, columns, channels."""
        name = self.add("Transpose", x.name, perm=[0, 2, 3, 1])
        return self.add("Flatten", name), x.channels * x.height * (x.width or 0)

    def dense(self, x: str, n_features: int, n_units: int) -> str:
        kernel = self.constant(self.take(n_features, n_units))
        return self.add("Gemm", x, kernel, self.constant(self.take(n_units)))

    def classes(self, features: tuple[str, int], n_classes: int) -> str:
        """Probabilities of classes."""
        return self.add("Softmax", self.dense(*features, n_classes))


# -- networks for single digits: from images to the input of the last layer -----------------------


def _compact(graph: _Graph, x: _Maps, filters: int, size: int) -> tuple[str, int]:
    x = graph.relu(graph.convolution(x, filters, size, bias=True))
    x = graph.pooling(x)
    x = graph.relu(graph.convolution(x, filters, size, bias=True, same=False))
    return graph.flat(x)


def _lenet(graph: _Graph, x: _Maps, filters: int, size: int) -> tuple[str, int]:
    x = graph.pooling(graph.relu(graph.convolution(x, filters, size, bias=True)))
    x = graph.relu(graph.convolution(x, 2 * filters, size, bias=True, same=False))
    hidden = graph.dense(*graph.flat(graph.pooling(x)), 44)
    return graph.add("Relu", hidden), 44


def _tiny(graph: _Graph, x: _Maps, filters: int, size: int) -> tuple[str, int]:
    x = graph.normalized_convolution(x, filters)
    x = graph.normalized_convolution(x, 2 * filters, pool=(2, 2))
    x = graph.normalized_convolution(x, 3 * filters)
    x = graph.normalized_convolution(x, 3 * filters, pool=(2, 2))
    x = graph.normalized_convolution(x, 3 * filters)
    return graph.flat(graph.depthwise(x, x.height, x.width))


def _deep(graph: _Graph, x: _Maps, filters: int, size: int) -> tuple[str, int]:
    x = _residual_trunk(x, filters, graph.normalized_convolution)
    return graph.flat(graph.depthwise(x, x.height, x.width))


def _residual_trunk(
    x: _Maps, filters: int, convolution: Callable[..., _Maps], second_pool: tuple[int, int] = (2, 2)
) -> _Maps:
    x = convolution(x, filters, pool=(2, 2))
    x = convolution(x, 2 * filters)
    x = convolution(x, 2 * filters, pool=second_pool)
    x = convolution(x, 4 * filters)
    x = convolution(x, 4 * filters, skip=x)
    return convolution(x, 4 * filters, skip=x)


FEATURES: dict[str, Callable[[_Graph, _Maps, int, int], tuple[str, int]]] = {
    "compact": _compact,
    "tiny": _tiny,
    "lenet": _lenet,
    "deep": _deep,
}


# -- the network for sequences ---------------------------------------------------------------------


def _reader(graph: _Graph, x: _Maps, filters: int, spec: NetworkSpec) -> str:
    """Scores of shape (n, n_frames, n_outputs); pixels below 0 are outside of the image."""
    x = graph.padded(x, (0, 0, 0, spec.columns_per_frame - 1), -1.0)
    first_row = _columns(graph, x.name, 2, 0, 1)
    zero = graph.constant(np.float32(0))
    inside = graph.add("GreaterOrEqual", first_row, zero)
    inside = graph.add("Cast", inside, to=TensorProto.FLOAT)

    def masked(x: _Maps) -> _Maps:
        return replace(x, name=graph.add("Mul", x.name, inside))

    def convolution(
        x: _Maps,
        filters: int,
        *size: Any,
        pool: tuple[int, int] | None = None,
        skip: _Maps | None = None,
    ) -> _Maps:
        nonlocal inside
        if pool and pool[1] == 2:
            inside = _columns(graph, inside, 3, 0, -1, 2)
        return masked(graph.normalized_convolution(x, filters, *size, pool=pool, skip=skip))

    second_pool = (2, spec.columns_per_frame // 2)
    x = _residual_trunk(graph.relu(x), filters, convolution, second_pool)
    x = graph.depthwise(graph.padded(x, (0, 3, 0, 3)), x.height, 7)
    x = convolution(masked(graph.relu(x)), 8 * filters, 1)
    if spec.architecture == READER:
        x = convolution(x, 8 * filters, (1, 7), skip=x)
        x = convolution(x, 8 * filters, (1, 7), skip=x)
    x = graph.convolution(x, spec.n_outputs, 1, bias=True)
    rows = graph.add("Transpose", x.name, perm=[0, 2, 3, 1])
    return graph.add("Squeeze", rows, graph.constant(np.array([1])))


def _columns(graph: _Graph, x: str, axis: int, start: int, stop: int, step: int = 1) -> str:
    """A slice of a tensor."""
    return graph.add(
        "Slice", x, *(graph.constant(np.array([n])) for n in (start, stop, axis, step))
    )


# -- whole models ----------------------------------------------------------------------------------


def build(spec: NetworkSpec, weights: Weights, *, features: bool = False) -> onnx.ModelProto:
    """Make the ONNX model of a network.

    Parameters
    ----------
    spec : NetworkSpec
        A network of this package, not a function of the user's.
    weights : list of ndarray
        The weights of `TrainedNetwork`.
    features : bool, default=False
        Whether the output is the input of the last layer.

    Returns
    -------
    onnx.ModelProto
        Its input ``images`` is float32 of shape (n, height, width, channels), with pixels already
        multiplied by the scale of the network; where the width is free, pixels of -1 are outside
        of an image. Its output is class probabilities of shape (n, n_classes), features of shape
        (n, n_features), or for sequences scores of shape (n, n_frames, n_outputs).

    Raises
    ------
    ValueError
        If the weights are not those of such a network.
    """
    graph, output = _build(spec, weights, features)
    return _model(graph, spec, output, features)


def check_weights(spec: NetworkSpec, weights: Weights) -> int:
    """Check that weights are those of a network.

    Parameters
    ----------
    spec : NetworkSpec
        A network of this package.
    weights : list of ndarray
        The weights of `TrainedNetwork`.

    Returns
    -------
    int
        How many of them are trainable; they come first.

    Raises
    ------
    ValueError
        If they are not.
    """
    return _build(spec, weights, features=False)[0].n_trainable


def _build(spec: NetworkSpec, weights: Weights, features: bool) -> tuple[_Graph, str]:
    """The nodes of a network, and the name of the output."""
    graph = _Graph(weights)
    height, width, channels = spec.image_shape
    name = graph.add("Transpose", INPUT, perm=[0, 3, 1, 2])
    x = _enlarged(graph, _Maps(name, channels, height, width), spec)
    options: dict[str, Any] = dict(spec.options)
    architecture = str(spec.architecture)
    filters = options.get("filters", FILTERS[architecture])
    if spec.reads_sequences:
        output = _reader(graph, x, filters, spec)
    else:
        size = options.get("kernel_size", KERNEL_SIZE)
        found = FEATURES[architecture](graph, x, filters, size)
        classes = graph.classes(found, spec.n_outputs)  # with features, too, to check all weights
        output = found[0] if features else classes
    graph.add_averages(options.get("dropout", DROPOUT[architecture]))
    return graph, output


def build_from_pixels(network: TrainedNetwork, pixels: str, probabilities: str) -> onnx.ModelProto:
    """Make the ONNX model of a network for programs without skdigits.

    Parameters
    ----------
    network : TrainedNetwork
        A network of this package.
    pixels : str
        Name of the input: images as given to fit, of bytes if `pixel_dtype` is uint8, else float32.
    probabilities : str
        Name of the output: probabilities of each class, or of each label in each frame.

    Returns
    -------
    onnx.ModelProto
        The model.
    """
    spec = network.key.spec
    model = build(spec, network.weights)
    graph = _Graph([])
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


def _enlarged(graph: _Graph, x: _Maps, spec: NetworkSpec) -> _Maps:
    """Small images are enlarged, and padded with black."""
    if spec.enlarged_shape() == spec.image_shape:
        return x
    size, margins = spec.enlargement()
    if size != (x.height, x.width):
        x = graph.resized(x, *size)
    (top, bottom), (left, right) = margins
    return graph.padded(x, (top, left, bottom, right))


def _model(graph: _Graph, spec: NetworkSpec, output: str, features: bool) -> onnx.ModelProto:
    height, width, channels = spec.image_shape
    shape: list[Any] = ["n", height, width or "width", channels]
    sizes: list[Any] = (
        ["n", "n_frames", spec.n_outputs] if spec.reads_sequences else ["n", spec.n_outputs]
    )
    if features:
        sizes = ["n", "n_features"]
    nodes = [node for node in graph.nodes if not (features and node.op_type == "Softmax")]
    nodes.append(helper.make_node("Identity", [output], [OUTPUT], name=OUTPUT))
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
