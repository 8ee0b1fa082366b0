"""Network architectures: functions that return the layers of a network, as data.

Each function takes the number of outputs; some also take the keywords `filters`, `kernel_size` and
`dropout`. The input of a network is images of shape (height, width, channels).

A new network for single digits needs a function here, an entry in `CLASSIFIERS`, and a learning
rate in ``training.schedules.ADAM_RATES``. A new network for sequences needs a function here and an
entry in `READERS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from skdigits.networks.layers import (
    Convolution,
    Dense,
    Depthwise,
    DilatedConvolution,
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
    StridedConvolution,
)

Layers = tuple[Layer, ...]


def compact(
    n_classes: int, *, filters: int = 4, kernel_size: int = 5, dropout: float = 0.1
) -> Layers:
    """Describe a network of two convolutions with four filters each.

    It has 4,518 parameters for 28×28 images and ten classes.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=4
        Number of filters of each convolution.
    kernel_size : int, default=5
        Side of the convolution kernels, in pixels.
    dropout : float, default=0.1
        Share of the pooled activations that are set to 0 in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last one computes class probabilities.
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
    """Describe a network like LeNet-5, with ReLU, max pooling and dropout.

    It has two convolutions and a hidden layer of 44 units. It has 21,518 parameters for 28×28
    images and ten classes. LeNet-5: LeCun et al., "Gradient-based learning applied to document
    recognition" (1998).

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=8
        Number of filters of the first convolution; the second convolution has twice as many.
    kernel_size : int, default=5
        Side of the convolution kernels, in pixels.
    dropout : float, default=0.2
        Share of the hidden layer's inputs that are set to 0 in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last one computes class probabilities.
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
    """Describe a network of five convolutions with batch normalization.

    It has 4,738 parameters for 28×28 images and ten classes. After the convolutions, a depthwise
    layer has one weight per filter and position; a dense layer would have ten times as many
    weights.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=4
        Number of filters of the first convolution; later convolutions have up to three times as
        many.
    dropout : float, default=0.0
        Share of the output layer's inputs that are set to 0 in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last one computes class probabilities.
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
    """Describe a network of six convolutions with batch normalization; two are residual.

    It has 111,258 parameters for 28×28 images and ten classes.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    filters : int, default=16
        Number of filters of the first convolution; later convolutions have up to four times as
        many.
    dropout : float, default=0.3
        Share of the output layer's inputs that are set to 0 in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last one computes class probabilities.
    """
    return *_residual_trunk(filters), *_classify(n_classes, dropout)


def reader(n_labels: int, *, filters: int = 16, dropout: float = 0.2) -> Layers:
    """Describe the old network for lines, which files of earlier versions contain.

    It has 120,731 parameters for 11 labels, and accepts images of any width. It begins with the
    convolutions of ``deep``. A frame is four columns wide; the receptive field of a frame is 62
    columns. Pixels below 0 are padding to the right of an image. The padding is set to 0 after each
    convolution, so its width does not change the output.

    Parameters
    ----------
    n_labels : int
        Number of labels, including the blank; a frame has one score per label.
    filters : int, default=16
        Number of filters of the first convolution; later convolutions have up to eight times as
        many.
    dropout : float, default=0.2
        Share of the output layer's inputs that are set to 0 in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last one computes scores (logits) of shape (n_frames, n_labels).
    """
    return *_frames(filters, 4), *_scores(n_labels, dropout)


def fine_reader(n_labels: int, *, filters: int = 16, dropout: float = 0.2) -> Layers:
    """Describe the network that new recognizers use for lines.

    It has 351,131 parameters for 11 labels, and accepts images of any width. It differs from
    ``reader`` in two points. A frame is two columns wide, because handwritten digits may be only
    four columns wide. Two residual convolutions along the line are added. The receptive field of a
    frame is 60 columns.

    Parameters
    ----------
    n_labels : int
        Number of labels, including the blank; a frame has one score per label.
    filters : int, default=16
        Number of filters of the first convolution; later convolutions have up to eight times as
        many.
    dropout : float, default=0.2
        Share of the output layer's inputs that are set to 0 in training, in [0, 1).

    Returns
    -------
    tuple of Layer
        The layers; the last one computes scores (logits) of shape (n_frames, n_labels).
    """
    return (
        *_frames(filters, 2),
        *_normalized("context_1", 8 * filters, (1, 7), residual=True, masked=True),
        *_normalized("context_2", 8 * filters, (1, 7), residual=True, masked=True),
        *_scores(n_labels, dropout),
    )


def finder(n_outputs: int, *, filters: int = 32) -> Layers:
    """Describe the network that finds numbers in pictures.

    It has 107,926 parameters for six outputs, and accepts pictures whose height and width are
    multiples of 4. An output belongs to 4×4 pixels; its receptive field is 279×279 pixels.
    Dilations: Yu and Koltun, "Multi-scale context aggregation by dilated convolutions" (2016).

    Parameters
    ----------
    n_outputs : int
        Number of outputs.
    filters : int, default=32
        Number of filters of most convolutions; the first has half as many.

    Returns
    -------
    tuple of Layer
        The layers; the last one computes scores of shape (height / 4, width / 4, n_outputs).
    """
    layers: list[Layer] = []
    for number, width in enumerate((filters // 2, filters), 1):
        name = f"stride_{number}"
        layers += [
            StridedConvolution(name, width, (3, 3), 2),
            Normalization(f"{name}_norm"),
            Relu(),
        ]
    for number, dilation in enumerate((1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 1), 1):
        name = f"residual_{number}"
        convolution = DilatedConvolution(name, filters, (3, 3), dilation)
        layers += [Residual((convolution, Normalization(f"{name}_norm"))), Relu()]
    return *layers, Convolution("output", n_outputs, (1, 1), bias=True)


# Networks for single digits, for sequences, and for finding numbers. Only files of earlier versions
# use "reader".
CLASSIFIERS: dict[str, Callable[..., Layers]] = {
    "compact": compact,
    "tiny": tiny,
    "lenet": lenet,
    "deep": deep,
}
READERS: dict[str, Callable[..., Layers]] = {"fine_reader": fine_reader, "reader": reader}
ARCHITECTURES = tuple(CLASSIFIERS)
FINDERS: dict[str, Callable[..., Layers]] = {"finder": finder}
READER = "fine_reader"


def describe(name: str, n_outputs: int, options: Sequence[tuple[str, Hashable]] = ()) -> Layers:
    """Return the layers of an architecture with `n_outputs` classes or labels.

    `options` are pairs of keyword and value. ``l2`` is ignored, since layers do not contain it. An
    option that the architecture lacks raises a ValueError.
    """
    function = (CLASSIFIERS | READERS | FINDERS)[name]
    given: dict[str, Any] = {option: value for option, value in options if option != "l2"}
    check_options(name, function, given)
    return function(n_outputs, **given)


def check_options(name: str, function: Callable[..., Any], options: dict[str, Any]) -> None:
    """Raise a ValueError if an architecture function lacks a parameter for an option."""
    parameters = inspect.signature(function).parameters.values()
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unknown = options.keys() - {p.name for p in parameters}
    if unknown and not takes_all:
        raise ValueError(
            f"The architecture {name!r} takes no {', '.join(n for n in options if n in unknown)}; "
            "leave it at its default, or add the parameter to the function."
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
    """Describe a convolution, optional pooling, batch normalization and ReLU."""
    # Pooling comes first, so that normalization and ReLU have fewer pixels to compute.
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
    """Describe the last layers: per filter, a weighted sum of positions; then a dense layer."""
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
        Pad((0, 0, 0, columns - 1), -1.0),  # so that the last frame is complete
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
    # Not a dense layer, because TensorFlow 2.18 crashes with it on images of unknown width.
    return Dropout(dropout), Convolution("output", n_labels, (1, 1), bias=True), FirstRow()
