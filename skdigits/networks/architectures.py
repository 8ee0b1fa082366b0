"""Network architectures: functions that return the layers of a network, as data.

Each function takes the number of outputs; `filters`, `kernel_size` and `dropout` are optional
keywords of some functions. The network's input is images of shape (height, width, channels).

A new network for single digits needs a function here, an entry in `CLASSIFIERS`, and a learning
rate in ``training.schedules.ADAM_RATES``; one that reads sequences needs them in `READERS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from skdigits.networks.layers import (
    Convolution,
    Dense,
    Depthwise,
    Dropout,
    FirstRow,
    Flatten,
    HalveMask,
    Layer,
    Mask,
    Normalization,
    Pad,
    Pooling,
    Relu,
    Residual,
    StartMask,
)

Layers = tuple[Layer, ...]


def compact(
    n_classes: int, *, filters: int = 4, kernel_size: int = 5, dropout: float = 0.1
) -> Layers:
    """Describe two convolutions of four filters: 4,518 parameters for 28×28 images, ten classes.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=4
        Filters of each convolution.
    kernel_size : int, default=5
        Side of the convolution kernels, in pixels.
    dropout : float, default=0.1
        Share of the pooled activations set to zero in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last gives class probabilities.
    """
    size = kernel_size, kernel_size
    return (
        Convolution("convolution_1", filters, size, bias=True, activation="relu"),
        Pooling("pooling"),
        Dropout(dropout),
        Convolution("convolution_2", filters, size, same=False, bias=True, activation="relu"),
        Flatten(),
        Dense("output", n_classes, "softmax"),
    )


def lenet(
    n_classes: int, *, filters: int = 8, kernel_size: int = 5, dropout: float = 0.2
) -> Layers:
    """Describe a modernized LeNet-5: 21,518 parameters for 28×28 images and ten classes.

    Two convolutions, each followed by max pooling, and a hidden layer (LeCun et al.,
    "Gradient-based learning applied to document recognition", 1998), with ReLU and dropout.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=8
        Filters of the first convolution; the second has twice as many.
    kernel_size : int, default=5
        Side of the convolution kernels, in pixels.
    dropout : float, default=0.2
        Share of the hidden layer's inputs set to zero in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last gives class probabilities.
    """
    size = kernel_size, kernel_size
    return (
        Convolution("convolution_1", filters, size, bias=True, activation="relu"),
        Pooling("pooling_1"),
        Convolution("convolution_2", 2 * filters, size, same=False, bias=True, activation="relu"),
        Pooling("pooling_2"),
        Flatten(),
        Dropout(dropout),
        Dense("hidden", 44, "relu"),
        Dense("output", n_classes, "softmax"),
    )


def tiny(n_classes: int, *, filters: int = 4, dropout: float = 0.0) -> Layers:
    """Describe five normalized convolutions: 4,738 parameters for 28×28 images and ten classes.

    The last convolution is a depthwise layer with one weight per filter and position; a dense layer
    would have ten times as many weights.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=4
        Filters of the first convolution; later ones have up to three times as many.
    dropout : float, default=0.0
        Share of the last activations set to zero in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last gives class probabilities.
    """
    return (
        *_normalized("convolution_1", filters),
        *_normalized("convolution_2", 2 * filters, pool=(2, 2)),
        *_normalized("convolution_3", 3 * filters),
        *_normalized("convolution_4", 3 * filters, pool=(2, 2)),
        *_normalized("convolution_5", 3 * filters),
        *_classify(n_classes, dropout),
    )


def deep(n_classes: int, *, filters: int = 16, dropout: float = 0.3) -> Layers:
    """Describe six normalized convolutions, two residual: 111,258 parameters for 28×28 images.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=16
        Filters of the first convolution; later ones have up to four times as many.
    dropout : float, default=0.3
        Share of the last activations set to zero in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last gives class probabilities.
    """
    return *_residual_trunk(filters), *_classify(n_classes, dropout)


def reader(n_labels: int, *, filters: int = 16, dropout: float = 0.2) -> Layers:
    """Describe a network for lines of any width: 120,731 parameters, frames of four columns.

    It is the network of files of earlier versions. It has the convolutions of ``deep``; the
    receptive field of a frame is 62 columns. Pixels below 0 are padding to the right of the image.
    Every layer sets the padding to 0, so that its width has no effect.

    Parameters
    ----------
    n_labels : int
        Number of scores per frame.
    filters : int, default=16
        Filters of the first convolution; later ones have up to eight times as many.
    dropout : float, default=0.2
        Share of the last activations set to zero in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last gives scores (logits) of shape (n_frames, n_labels).
    """
    return *_frames(filters, 4), *_scores(n_labels, dropout)


def fine_reader(n_labels: int, *, filters: int = 16, dropout: float = 0.2) -> Layers:
    """Describe a network for lines of any width: 351,131 parameters, frames of two columns.

    It is ``reader`` with frames of two columns, since handwritten digits may be only four columns
    wide, and with two more residual convolutions along the line. The receptive field of a frame is
    60 columns.

    Parameters
    ----------
    n_labels : int
        Number of scores per frame.
    filters : int, default=16
        Filters of the first convolution; later ones have up to eight times as many.
    dropout : float, default=0.2
        Share of the last activations set to zero in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last gives scores (logits) of shape (n_frames, n_labels).
    """
    return (
        *_frames(filters, 2),
        *_normalized("context_1", 8 * filters, (1, 7), residual=True, masked=True),
        *_normalized("context_2", 8 * filters, (1, 7), residual=True, masked=True),
        *_scores(n_labels, dropout),
    )


# Networks for single digits, and for sequences. "reader" is used by files of earlier versions.
CLASSIFIERS: dict[str, Callable[..., Layers]] = {
    "compact": compact,
    "tiny": tiny,
    "lenet": lenet,
    "deep": deep,
}
READERS: dict[str, Callable[..., Layers]] = {"fine_reader": fine_reader, "reader": reader}
ARCHITECTURES = tuple(CLASSIFIERS)
READER = "fine_reader"


def describe(name: str, n_outputs: int, options: Sequence[tuple[str, Hashable]] = ()) -> Layers:
    """Describe the layers of a network of this package.

    Parameters
    ----------
    name : str
        Name of the architecture.
    n_outputs : int
        Number of classes or labels.
    options : sequence of (str, value), default=()
        Keyword arguments of the function; ``l2`` is ignored, since layers do not contain it.

    Returns
    -------
    tuple of Layer
        The layers.

    Raises
    ------
    ValueError
        If the function lacks a parameter.
    """
    function = CLASSIFIERS.get(name) or READERS[name]
    given: dict[str, Any] = {option: value for option, value in options if option != "l2"}
    check_options(name, function, given)
    return function(n_outputs, **given)


def check_options(name: str, function: Callable[..., Any], options: dict[str, Any]) -> None:
    """Check that an architecture function has the parameters for some options.

    Parameters
    ----------
    name : str
        Name of the architecture, for the message.
    function : callable
        The function.
    options : dict of str to object
        Keyword arguments.

    Raises
    ------
    ValueError
        If the function lacks a parameter.
    """
    parameters = inspect.signature(function).parameters.values()
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unknown = options.keys() - {p.name for p in parameters}
    if unknown and not takes_all:
        raise ValueError(
            f"The architecture {name!r} takes no {', '.join(n for n in options if n in unknown)}; "
            "leave it at None, or add the parameter to the function."
        )


def _normalized(
    name: str,
    filters: int,
    size: tuple[int, int] = (3, 3),
    *,
    pool: tuple[int, int] | None = None,
    residual: bool = False,
    masked: bool = False,
) -> Layers:
    """Describe a convolution, pooling, batch normalization and ReLU."""
    # Pooling comes first, since it saves three quarters of the work of the next operations.
    pooling = (Pooling(f"{name}_pooling", pool),) if pool else ()
    layers = Convolution(name, filters, size), *pooling, Normalization(f"{name}_normalization")
    before = (HalveMask(),) if masked and pool and pool[1] == 2 else ()
    after = (Relu(), Mask()) if masked else (Relu(),)
    return *before, *((Residual(layers),) if residual else layers), *after


def _residual_trunk(
    filters: int, second_pool: tuple[int, int] = (2, 2), *, masked: bool = False
) -> Layers:
    """Describe convolutions that reduce the height to a quarter; the last two are residual."""
    return (
        *_normalized("convolution_1", filters, pool=(2, 2), masked=masked),
        *_normalized("convolution_2", 2 * filters, masked=masked),
        *_normalized("convolution_3", 2 * filters, pool=second_pool, masked=masked),
        *_normalized("convolution_4", 4 * filters, masked=masked),
        *_normalized("residual_1", 4 * filters, residual=True, masked=masked),
        *_normalized("residual_2", 4 * filters, residual=True, masked=masked),
    )


def _classify(n_classes: int, dropout: float) -> Layers:
    """Describe the last layers: one weighted sum over all positions per filter, then classes."""
    return (
        Depthwise("depthwise"),
        Normalization("depthwise_normalization"),
        Flatten(),
        Dropout(dropout),
        Dense("output", n_classes, "softmax"),
    )


def _frames(filters: int, columns: int) -> Layers:
    """Describe the trunk of a reader; `columns` is the number of pixel columns per frame."""
    return (
        Pad((0, 0, 0, columns - 1), -1.0),  # completes the last frame
        StartMask(),
        Relu(),
        *_residual_trunk(filters, (2, columns // 2), masked=True),
        Pad((0, 3, 0, 3)),
        Depthwise("depthwise", (None, 7)),
        Normalization("depthwise_normalization"),
        Relu(),
        Mask(),
        *_normalized("mixture", 8 * filters, (1, 1), masked=True),
    )


def _scores(n_labels: int, dropout: float) -> Layers:
    """Describe the last layers of a reader: scores (logits) of labels for each frame."""
    # A convolution, since a dense layer crashes on images of unknown width in TensorFlow 2.18.
    return Dropout(dropout), Convolution("output", n_labels, (1, 1), bias=True), FirstRow()
