"""Build plain Keras models, and read and assign their variables."""

from __future__ import annotations

import contextlib
import inspect
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.networks.architectures import check_options
from skdigits.networks.layers import output_shape
from skdigits.networks.spec import MINIMUM_SIDE, NetworkSpec
from skdigits.networks.trained import TrainedNetwork, Weights
from skdigits.training import keras_layers
from skdigits.training.faster_layers import faster_layer
from skdigits.training.tensorflow import check_process, keras, restart_names, tf

if TYPE_CHECKING:
    from skdigits.typing import KerasModel

LOSS = "sparse_categorical_crossentropy"  # of class probabilities


@restart_names
def build(
    spec: NetworkSpec, scale: float = 1.0, seed: int = 0, *, faster: bool = False
) -> KerasModel:
    """Build a Keras model without changing the state of Python's global random generator.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    scale : float, default=1.0
        Factor by which the first layer multiplies pixels; with 1.0, there is no such layer.
    seed : int, default=0
        Seed of the initial weights.
    faster : bool, default=False
        Whether to use the layers of `faster_layers`.

    Returns
    -------
    keras.Sequential
        A model that maps images to the output of the architecture.

    Raises
    ------
    ValueError
        If the architecture cannot be built for these images, or returns an unsuitable model.
    RuntimeError
        If this process was forked from a process in which TensorFlow runs.
    """
    check_process()
    front: list[Any] = [keras.Input(spec.image_shape, dtype=spec.dtype)]
    if scale != 1.0:
        front.append(keras.layers.Rescaling(scale, dtype=spec.dtype))
    if enlargement := spec.enlargement():
        model = keras_layers.build(enlargement, spec.image_shape, "enlargement", dtype=spec.dtype)
        front.append(_of_dtype(model, spec.dtype))
    with _seeded(seed):
        network = _build_architecture(spec, faster)
        inner = [network]
        if isinstance(network, keras.Sequential):
            inner = [faster_layer(layer) if faster else layer for layer in network.layers]
    return _of_dtype(keras.Sequential([*front, *inner]), spec.dtype)


def build_trained(network: TrainedNetwork) -> KerasModel:
    """Build an uncompiled model of a trained network, ready to be exported.

    Its input is images with pixel values as in fit. Its output is the output of the architecture.
    """
    spec = network.key.spec
    model = build(spec, network.scale)
    assign(state_variables(model), network.weights)
    height, width, channels = spec.image_shape
    # Keras can export a model only after a call.
    sides = height or MINIMUM_SIDE, width or height or MINIMUM_SIDE
    model(np.zeros((1, *sides, channels), spec.dtype), training=False)
    return model


def with_probabilities(network: KerasModel) -> KerasModel:
    """Add a softmax to a network whose output is scores (logits); the layers are shared."""
    image = keras.Input(network.input_shape[1:], dtype=network.inputs[0].dtype)
    softmax = keras.layers.Softmax(dtype=network.dtype_policy.name)
    return _of_dtype(keras.Sequential([image, *network.layers, softmax]), network.dtype_policy)


def to_tflite(network: KerasModel) -> bytes:
    """Convert a network to a ``.tflite`` file for LiteRT (formerly TensorFlow Lite), as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)  # the alternative, from_keras_model, prints
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


def without_last_layer(network: KerasModel) -> KerasModel:
    """Build a network without its last layer.

    Parameters
    ----------
    network : keras.Model
        A model whose layers follow one another. If the last layer is itself a model, the last layer
        of that model is removed.

    Returns
    -------
    keras.Model
        A model that shares the layers with `network`.

    Raises
    ------
    ValueError
        If the last layer has more than one input or does not compute the output, or if the model is
        not a graph of layers.
    """
    *front, last = (x for x in network.layers if not isinstance(x, keras.layers.InputLayer))
    if isinstance(last, keras.Model):
        inputs = getattr(last.layers[-1], "input", None) if last.layers else None
        ends_there = inputs is not None and last.outputs[0] is last.layers[-1].output
        if not ends_there or isinstance(inputs, list):
            raise ValueError(
                "Features cannot be computed: the architecture should be a Sequential or "
                "functional keras.Model whose last layer has one input."
            )
        front.append(_of_dtype(keras.Model(last.inputs, inputs), last.dtype_policy))
    image = keras.Input(network.input_shape[1:], dtype=network.inputs[0].dtype)
    return _of_dtype(keras.Sequential([image, *front]), network.dtype_policy)


def state_variables(network: KerasModel) -> list[Any]:
    """List all variables of a network: the trainable ones, then the non-trainable ones."""
    return [*network.trainable_variables, *network.non_trainable_variables]


def read(variables: Sequence[Any]) -> Weights:
    """Return copies of the values of variables."""
    return [np.array(variable.numpy()) for variable in variables]


def assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Copy arrays into variables, one array per variable."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _of_dtype(model: KerasModel, dtype: Any) -> KerasModel:
    """Set the dtype policy of a new model, in place of Keras's global policy."""
    model.dtype_policy = dtype
    return model


def _build_architecture(spec: NetworkSpec, faster: bool) -> KerasModel:
    """Build a network from its layers or with the user's function, and check the model."""
    shape, options = spec.enlarged_shape(), dict[str, Any](spec.options)
    if callable(spec.architecture):
        check_options(spec.name, spec.architecture, options)
    try:
        if callable(spec.architecture):
            network = _call(spec.architecture, shape, spec.n_outputs, options, spec.dtype)
        else:
            l2 = options.get("l2", 0.0)
            network = keras_layers.build(
                spec.layers, shape, spec.name, dtype=spec.dtype, l2=l2, faster=faster
            )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The architecture {spec.name!r} could not be built for images of shape "
            f"{shape} and {spec.n_outputs} classes with {options}: {error}"
        ) from error
    if not isinstance(network, keras.Model):
        raise ValueError(
            f"The architecture {spec.name!r} returned {type(network).__name__}; "
            "it should return a keras.Model."
        )
    expected = (None, *(output_shape(spec.layers, shape) if spec.layers else (spec.n_outputs,)))
    if not network.built or tuple(network.output_shape) != expected:
        raise ValueError(
            f"The architecture {spec.name!r} should map images of shape {shape} to "
            f"outputs of shape {expected}; "
            f"it gave {network.output_shape if network.built else 'a model without an input'}."
        )
    return _of_dtype(network, spec.dtype)


def _call(
    function: Callable[..., Any],
    shape: tuple[int | None, int | None, int],
    n_classes: int,
    options: dict[str, Any],
    dtype: str,
) -> Any:
    """Call a user's architecture function, with `dtype` if it has this parameter."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.name == "dtype" or p.kind is p.VAR_KEYWORD for p in parameters):
        options = options | {"dtype": dtype}
    return function(shape, n_classes, **options)


_build_lock = threading.Lock()


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Make Keras draw the seeds of initializers and dropout layers from `seed`.

    Keras draws them with Python's global random generator; its state is restored afterwards.
    """
    with _build_lock:
        before = random.getstate()
        try:
            random.seed(seed)
            yield
        finally:
            random.setstate(before)
