"""Plain Keras models: built, and their variables read and assigned."""

from __future__ import annotations

import contextlib
import inspect
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.networks.architectures import BY_NAME
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import TrainedNetwork, Weights
from skdigits.training.tensorflow import check_process, keras, names_anew, tf

if TYPE_CHECKING:
    from skdigits.typing import KerasModel

LOSS = "sparse_categorical_crossentropy"  # of class probabilities


@names_anew
def build(
    spec: NetworkSpec,
    scale: float = 1.0,
    seed: int = 0,
    replace: Callable[[Any], Any] | None = None,
) -> KerasModel:
    """Build a network, without changing the state of Python's global random generator.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    scale : float, default=1.0
        Factor by which pixels are multiplied first; 1.0 adds no layer.
    seed : int, default=0
        The initial weights depend on it alone.
    replace : callable, optional
        Function from a layer to the layer that replaces it.

    Returns
    -------
    keras.Sequential
        From the user's images to the output of the architecture.

    Raises
    ------
    ValueError
        If the architecture does not fit the images, or does not return the expected model.
    RuntimeError
        In a process that was forked from one in which TensorFlow runs.
    """
    check_process()
    front: list[Any] = [keras.Input(spec.image_shape, dtype=spec.dtype)]
    if scale != 1.0:
        front.append(keras.layers.Rescaling(scale, dtype=spec.dtype))
    if spec.enlarged_shape() != spec.image_shape:
        front.append(_enlargement(spec))
    with _seeded(seed):
        network = _call_architecture(spec)
        if isinstance(network, keras.Sequential):
            inner = [replace(layer) for layer in network.layers] if replace else network.layers
        elif replace and isinstance(spec.architecture, str):

            def renew(layer: Any) -> Any:  # a layer of two networks would be a part of both
                new = replace(layer)
                return new if new is not layer else layer.from_config(layer.get_config())

            inner = [_of_dtype(keras.models.clone_model(network, clone_function=renew), spec.dtype)]
        else:
            inner = [network]  # a user's layers should perhaps not be copied
    return _of_dtype(keras.Sequential([*front, *inner]), spec.dtype)


def build_trained(network: TrainedNetwork) -> KerasModel:
    """Build a model of a trained network, from raw pixels to the output of the architecture.

    Parameters
    ----------
    network : TrainedNetwork
        The network.

    Returns
    -------
    keras.Sequential
        The uncompiled model, ready to be exported.
    """
    spec = network.key.spec
    model = build(spec, network.scale)
    assign(state_variables(model), network.weights)
    height, width, channels = spec.image_shape
    # Keras exports only models that have been called.
    model(np.zeros((1, height, width or height, channels), spec.dtype), training=False)
    return model


def with_probabilities(network: KerasModel) -> KerasModel:
    """Add a softmax to a network.

    Parameters
    ----------
    network : keras.Sequential
        Its output is scores (logits).

    Returns
    -------
    keras.Sequential
        A network that shares the layers.
    """
    image = keras.Input(network.input_shape[1:], dtype=network.inputs[0].dtype)
    softmax = keras.layers.Softmax(dtype=network.dtype_policy.name)
    return _of_dtype(keras.Sequential([image, *network.layers, softmax]), network.dtype_policy)


def to_tflite(network: KerasModel) -> bytes:
    """Convert a network for LiteRT, which was TensorFlow Lite.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    bytes
        The content of a ``.tflite`` file.
    """
    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)  # from_keras_model would print
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


def without_last_layer(network: KerasModel) -> KerasModel:
    """Build the part of a network that is before its last layer.

    Parameters
    ----------
    network : keras.Model
        A sequence of layers. If the last one is a network, the last layer of that is left out.

    Returns
    -------
    keras.Model
        It shares the layers with `network`.

    Raises
    ------
    ValueError
        If the layers are not a graph, or if the last layer has more than one input or does not
        compute the output.
    """
    *front, last = (x for x in network.layers if not isinstance(x, keras.layers.InputLayer))
    if isinstance(last, keras.Model):
        inputs = getattr(last.layers[-1], "input", None) if last.layers else None
        ends_there = inputs is not None and last.outputs[0] is last.layers[-1].output
        if not ends_there or isinstance(inputs, list):
            raise ValueError(
                "There are no features: the architecture should be a Sequential or functional "
                "keras.Model whose last layer has one input."
            )
        front.append(_of_dtype(keras.Model(last.inputs, inputs), last.dtype_policy))
    image = keras.Input(network.input_shape[1:], dtype=network.inputs[0].dtype)
    return _of_dtype(keras.Sequential([image, *front]), network.dtype_policy)


def state_variables(network: KerasModel) -> list[Any]:
    """List all variables of a network: the trainable ones, then the others.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    list of keras.Variable
        The variables.
    """
    return [*network.trainable_variables, *network.non_trainable_variables]


def read(variables: Sequence[Any]) -> Weights:
    """Return copies of the values of variables.

    Parameters
    ----------
    variables : list of keras.Variable
        The variables.

    Returns
    -------
    list of ndarray
        Their values.
    """
    return [np.array(variable.numpy()) for variable in variables]


def assign(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Copy values into variables.

    Parameters
    ----------
    variables : list of keras.Variable
        The variables.
    values : list of ndarray
        One per variable.
    """
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _enlargement(spec: NetworkSpec) -> KerasModel:
    """A model that enlarges small images, and pads them with black.

    Keras's Resizing layer is not used: as the first layer, it would make Keras call all other
    layers as in training.
    """
    size, margins = spec.enlargement()
    images = keras.Input(spec.image_shape, dtype=spec.dtype)
    enlarged = keras.ops.image.resize(
        images, size, interpolation="bilinear", data_format="channels_last"
    )
    padded = keras.ops.pad(enlarged, [[0, 0], *map(list, margins), [0, 0]])
    model = keras.Model(images, padded, name="enlargement")
    return _of_dtype(model, spec.dtype)


def _of_dtype(model: KerasModel, dtype: Any) -> KerasModel:
    """The model with a dtype policy, since a new one has Keras's global policy."""
    model.dtype_policy = dtype
    return model


def _call_architecture(spec: NetworkSpec) -> KerasModel:
    """Call the architecture function, and check the model that it returns."""
    function: Any = BY_NAME.get(spec.architecture, spec.architecture)
    shape = spec.enlarged_shape()
    options = _accepted_options(spec, function)
    try:
        network = function(shape, spec.n_outputs, **options)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The architecture {spec.name!r} could not be built for images of shape "
            f"{shape} and {spec.n_outputs} classes with {dict(spec.options)}: {error}"
        ) from error
    if not isinstance(network, keras.Model):
        raise ValueError(
            f"The architecture {spec.name!r} returned {type(network).__name__}; "
            "it should return a keras.Model."
        )
    frames = (None,) if spec.reads_sequences else ()
    expected = (None, *frames, spec.n_outputs)
    if not network.built or tuple(network.output_shape) != expected:
        raise ValueError(
            f"The architecture {spec.name!r} should map images of shape {shape} to "
            f"outputs of shape {expected}; "
            f"it gave {network.output_shape if network.built else 'a model without an input'}."
        )
    return _of_dtype(network, spec.dtype)


def _accepted_options(spec: NetworkSpec, function: Callable[..., Any]) -> dict[str, Any]:
    """The options of `spec`, and its dtype where the function has a parameter for it."""
    parameters = inspect.signature(function).parameters.values()
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    names = {p.name for p in parameters}
    unknown = [name for name, _ in spec.options if not (takes_all or name in names)]
    if unknown:
        raise ValueError(
            f"The architecture {spec.name!r} takes no {', '.join(unknown)}; "
            "leave it at None, or add the parameter to the function."
        )
    options = dict(spec.options)
    if takes_all or "dtype" in names:
        options["dtype"] = spec.dtype
    return options


_build_lock = threading.Lock()


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Make Keras draw the seeds of initializers and dropout layers from `seed`.

    Keras takes them from Python's global random generator, whose state is restored afterwards.
    """
    with _build_lock:
        before = random.getstate()
        try:
            random.seed(seed)
            yield
        finally:
            random.setstate(before)
