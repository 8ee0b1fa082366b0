"""Network architectures: plain functions ``(image_shape, n_classes, …) -> keras.Model``.

Every function takes `image_shape` and `n_classes`, and by keyword those of `filters`,
`kernel_size`, `dropout`, `l2` and `dtype` that it understands. It returns an uncompiled
Keras model from images of shape (n, height, width, channels) to class probabilities of
shape (n, n_classes). A user's own function of that form is accepted wherever a name is.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import random
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

# Smaller images get the size that the networks were designed for, MNIST's, and a margin as there:
# a convolution without padding sees little of what is at the edge.
MINIMUM_SIDE = 28
MARGIN = 4


def compact(
    image_shape, n_classes, *, filters=4, kernel_size=5, dropout=0.1, l2=0.0, dtype="float32"
):
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
    from skdigits.startup import keras

    conv = _convolution(kernel_size, l2, dtype)
    return _sequential(
        "compact",
        image_shape,
        [
            conv("convolution_1", filters, padding="same"),
            keras.layers.MaxPooling2D(2, dtype=dtype, name="pooling"),
            keras.layers.Dropout(dropout, dtype=dtype, name="dropout"),
            conv("convolution_2", filters, padding="valid"),
            keras.layers.Flatten(dtype=dtype, name="flatten"),
            _dense("output", n_classes, "softmax", l2, dtype),
        ],
    )


def lenet(
    image_shape, n_classes, *, filters=8, kernel_size=5, dropout=0.2, l2=0.0, dtype="float32"
):
    """A LeNet-5 of today: 21,518 parameters for 28×28 images and ten classes.

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
    from skdigits.startup import keras

    conv = _convolution(kernel_size, l2, dtype)
    return _sequential(
        "lenet",
        image_shape,
        [
            conv("convolution_1", filters, padding="same"),
            keras.layers.MaxPooling2D(2, dtype=dtype, name="pooling_1"),
            conv("convolution_2", 2 * filters, padding="valid"),
            keras.layers.MaxPooling2D(2, dtype=dtype, name="pooling_2"),
            keras.layers.Flatten(dtype=dtype, name="flatten"),
            keras.layers.Dropout(dropout, dtype=dtype, name="dropout"),
            _dense("hidden", 44, "relu", l2, dtype),
            _dense("output", n_classes, "softmax", l2, dtype),
        ],
    )


def tiny(image_shape, n_classes, *, filters=4, dropout=0.0, l2=0.0, dtype="float32"):
    """Five normalised convolutions: 4,738 parameters for 28×28 images and ten classes.

    At the end every filter has weights of its own for the places of the image: a tenth of what
    a dense layer needs.

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
    from skdigits.startup import keras

    convolution = _normalized(l2, dtype)
    x = inputs = keras.Input(image_shape, dtype=dtype)
    x = convolution(x, "convolution_1", filters)
    x = convolution(x, "convolution_2", 2 * filters, pool=True)
    x = convolution(x, "convolution_3", 3 * filters)
    x = convolution(x, "convolution_4", 3 * filters, pool=True)
    x = convolution(x, "convolution_5", 3 * filters)
    return keras.Model(inputs, _by_place(x, n_classes, dropout, l2, dtype), name="tiny")


def deep(image_shape, n_classes, *, filters=16, dropout=0.3, l2=0.0, dtype="float32"):
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
    from skdigits.startup import keras

    inputs = keras.Input(image_shape, dtype=dtype)
    x = _residual_trunk(inputs, filters, _normalized(l2, dtype))
    return keras.Model(inputs, _by_place(x, n_classes, dropout, l2, dtype), name="deep")


def reader(image_shape, n_classes, *, filters=16, dropout=0.2, l2=0.0, dtype="float32"):
    """Read a line: 120,731 parameters, from images of any width to scores per four columns.

    The convolutions of ``deep``; a frame sees 62 columns. Pixels below 0 are right of the image:
    they and what is computed of them are set to 0 in every layer, so that it does not matter how
    many there are.

    Parameters
    ----------
    image_shape : tuple of int
        Height, any width as None, and channels.
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
        The uncompiled network, to scores (logits) of shape (n, n_frames, n_classes).
    """
    from skdigits.startup import keras

    inputs = keras.Input(image_shape, dtype=dtype)
    # A width that is no multiple of four still fills its last frame.
    x = keras.ops.pad(inputs, [[0, 0], [0, 0], [0, 3], [0, 0]], constant_values=-1)
    inside = keras.ops.cast(x[:, :1] >= 0, dtype)
    normalized = _normalized(l2, dtype)

    def convolution(x, name, filters, *args, pool=False, **options):
        nonlocal inside
        if pool:
            inside = inside[:, :, :-1:2]
        return normalized(x, name, filters, *args, pool=pool, **options) * inside

    x = _residual_trunk(keras.ops.relu(x), filters, convolution)
    x = keras.ops.pad(x, [[0, 0], [0, 0], [3, 3], [0, 0]])
    x = keras.ops.relu(_weighted_places(x, (x.shape[1], 7), l2, dtype)) * inside
    x = convolution(x, "mixture", 8 * filters, 1)
    x = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")(x)
    # A convolution, since a dense layer crashes on images of unknown width in TensorFlow 2.18.
    output = keras.layers.Conv2D(
        n_classes, 1, kernel_regularizer=_penalty(l2), dtype=dtype, name="output"
    )
    return keras.Model(inputs, output(x)[:, 0], name="reader")


ARCHITECTURES: dict[str, Callable[..., Any]] = {
    "compact": compact,
    "tiny": tiny,
    "lenet": lenet,
    "deep": deep,
}
NETWORKS = {**ARCHITECTURES, "reader": reader}  # all that a model can be made of


def find_architecture(architecture: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return the function behind a name; a callable is returned as it is.

    Parameters
    ----------
    architecture : str or callable
        A name in ``NETWORKS``, or an architecture function.

    Returns
    -------
    callable
        The architecture function.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if callable(architecture):
        return architecture
    if architecture not in NETWORKS:
        check_name("architecture", architecture, ARCHITECTURES)
    return NETWORKS[architecture]


def check_name(parameter: str, name: str, known) -> None:
    """Raise a ``ValueError`` that suggests the nearest known name.

    Parameters
    ----------
    parameter : str
        The parameter that took the name.
    name : str
        The name given.
    known : iterable of str
        The names accepted.
    """
    known = sorted(known)
    if name in known:
        return
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=2)
    hint = f" Did you mean {' or '.join(repr(lowered[word]) for word in near)}?" if near else ""
    raise ValueError(f"Unknown {parameter} {name!r}.{hint} Known names: {', '.join(known)}.")


@dataclass(frozen=True)
class NetworkSpec:
    """Everything that determines a network, so that equal specs mean equal programs.

    Parameters
    ----------
    architecture : str or callable
        Name or function.
    image_shape : tuple of int
        Height, width and channels of the images given; a width of None is any, and the network
        then gives scores per frame.
    n_classes : int
        Number of classes.
    options : tuple of (str, value)
        Keyword arguments for the architecture function, `dtype` apart.
    dtype : str
        Type of weights and arithmetic.
    """

    architecture: str | Callable[..., Any]
    image_shape: tuple[int, int | None, int]
    n_classes: int
    options: tuple[tuple[str, Hashable], ...]
    dtype: str

    def build(self, scale: float = 1.0, seed: int = 0, replace=None):
        """Build the network, without a trace in Python's global generator.

        Parameters
        ----------
        scale : float, default=1.0
            Factor by which pixels are multiplied first; 1.0 adds no layer.
        seed : int, default=0
            The initial weights depend on it alone.
        replace : callable, optional
            From a layer to the layer to take in its place.

        Returns
        -------
        keras.Sequential
            From images as the user has them to class probabilities.

        Raises
        ------
        ValueError
            If the architecture does not fit the images, or is not what was asked for.
        """
        from skdigits.startup import keras

        front: list[Any] = [keras.Input(self.image_shape, dtype=self.dtype)]
        if scale != 1.0:
            front.append(keras.layers.Rescaling(scale, dtype=self.dtype))
        front += self._enlarge()
        with _seeded(seed):
            network = self._build_inner(self._inner_shape())
            if isinstance(network, keras.Sequential):
                inner = [replace(layer) for layer in network.layers] if replace else network.layers
            elif replace and isinstance(self.architecture, str):

                def renew(layer):  # a layer of two networks would be a part of both
                    new = replace(layer)
                    return new if new is not layer else layer.from_config(layer.get_config())

                inner = [keras.models.clone_model(network, clone_function=renew)]
            else:
                inner = [network]  # a user's layers may not be meant to be made again
        return keras.Sequential([*front, *inner])

    def _enlarge(self):
        """Layers that make small images larger, and put black around them."""
        from skdigits.startup import keras

        height, width, _ = self.image_shape
        inner_height, inner_width, _ = self._inner_shape()
        if width is None or (height, width) == (inner_height, inner_width):
            return []
        enlarged = [max(side, MINIMUM_SIDE - 2 * MARGIN) for side in (height, width)]
        missing = inner_height - enlarged[0], inner_width - enlarged[1]
        return [
            keras.layers.Resizing(*enlarged, interpolation="bilinear", dtype=self.dtype),
            keras.layers.ZeroPadding2D([(n // 2, n - n // 2) for n in missing], dtype=self.dtype),
        ]

    def _name(self):
        return getattr(self.architecture, "__qualname__", self.architecture)

    def _inner_shape(self):
        height, width, channels = self.image_shape
        if width is None:
            return self.image_shape
        return max(height, MINIMUM_SIDE), max(width, MINIMUM_SIDE), channels

    def _build_inner(self, shape):
        from skdigits.startup import keras

        function = find_architecture(self.architecture)
        options = self._accepted(function)
        try:
            network = function(shape, self.n_classes, **options)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"The architecture {self._name()!r} could not be built for images of shape "
                f"{shape} and {self.n_classes} classes with {dict(self.options)}: {error}"
            ) from error
        if not isinstance(network, keras.Model):
            raise ValueError(
                f"The architecture {self._name()!r} returned {type(network).__name__}; "
                "it should return a keras.Model."
            )
        frames = (None,) if shape[1] is None else ()
        expected = (None, *frames, self.n_classes)
        if not network.built or tuple(network.output_shape) != expected:
            raise ValueError(
                f"The architecture {self._name()!r} should map images of shape {shape} to "
                f"outputs of shape {expected}; "
                f"it gave {network.output_shape if network.built else 'a model without an input'}."
            )
        return network

    def _accepted(self, function):
        """`options`, and dtype where the function has a parameter for it."""
        parameters = inspect.signature(function).parameters.values()
        takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
        names = {p.name for p in parameters}
        unknown = [name for name, _ in self.options if not (takes_all or name in names)]
        if unknown:
            raise ValueError(
                f"The architecture {self._name()!r} takes no {', '.join(unknown)}; "
                "leave it at None, or add the parameter to the function."
            )
        given = dict(self.options)
        if takes_all or "dtype" in names:
            given["dtype"] = self.dtype
        return given


_build_lock = threading.Lock()


@contextlib.contextmanager
def _seeded(seed):
    """Make Keras draw the seeds of initializers and dropout layers from `seed`.

    Keras takes them from Python's global generator, which is put back afterwards.
    """
    with _build_lock:
        before = random.getstate()
        try:
            random.seed(seed)
            yield
        finally:
            random.setstate(before)


# Networks and layers have names, since TensorFlow keeps 30 kB for every new name of a variable.


def _sequential(name, image_shape, layers):
    from skdigits.startup import keras

    return keras.Sequential([keras.Input(image_shape), *layers], name=name)


def _convolution(kernel_size, l2, dtype):
    def layer(name, filters, padding):
        from skdigits.startup import keras

        return keras.layers.Conv2D(
            filters,
            kernel_size,
            padding=padding,
            activation="relu",
            kernel_initializer="glorot_uniform",
            kernel_regularizer=_penalty(l2),
            dtype=dtype,
            name=name,
        )

    return layer


def _normalized(l2, dtype):
    """A convolution followed by pooling if wanted, batch normalisation and ReLU, as a function."""

    def convolution(x, name, filters, kernel_size=3, *, pool=False, skip=None):
        from skdigits.startup import keras

        x = keras.layers.Conv2D(
            filters,
            kernel_size,
            padding="same",
            use_bias=False,
            kernel_regularizer=_penalty(l2),
            dtype=dtype,
            name=name,
        )(x)
        if pool:  # before what follows, which then has a quarter of the work
            x = keras.layers.MaxPooling2D(2, dtype=dtype, name=f"{name}_pooling")(x)
        x = _batch_normalization(name, dtype)(x)
        return keras.ops.relu(x if skip is None else x + skip)

    return convolution


def _residual_trunk(x, filters, convolution):
    """Convolutions to a quarter of height and width, the last two residual.

    He et al., "Deep residual learning for image recognition" (2016).
    """
    x = convolution(x, "convolution_1", filters, pool=True)
    x = convolution(x, "convolution_2", 2 * filters)
    x = convolution(x, "convolution_3", 2 * filters, pool=True)
    x = convolution(x, "convolution_4", 4 * filters)
    x = convolution(x, "residual_1", 4 * filters, skip=x)
    return convolution(x, "residual_2", 4 * filters, skip=x)


def _weighted_places(x, size, l2, dtype):
    """One weighted sum per filter, over the places in a window, normalised."""
    from skdigits.startup import keras

    x = keras.layers.DepthwiseConv2D(
        size,
        use_bias=False,
        depthwise_regularizer=_penalty(l2),
        dtype=dtype,
        name="places",
    )(x)
    return _batch_normalization("places", dtype)(x)


def _batch_normalization(name, dtype):
    from skdigits.startup import keras

    return keras.layers.BatchNormalization(momentum=0.9, dtype=dtype, name=f"{name}_normalization")


def _by_place(x, n_classes, dropout, l2, dtype):
    """Class probabilities, from one weighted sum over all places per filter."""
    from skdigits.startup import keras

    x = _weighted_places(x, x.shape[1:3], l2, dtype)
    x = keras.layers.Flatten(dtype=dtype, name="flatten")(x)
    x = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")(x)
    return _dense("output", n_classes, "softmax", l2, dtype)(x)


def _dense(name, units, activation, l2, dtype):
    from skdigits.startup import keras

    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=_penalty(l2),
        dtype=dtype,
        name=name,
    )


def _penalty(l2):
    from skdigits.startup import keras

    return keras.regularizers.L2(l2) if l2 else None
