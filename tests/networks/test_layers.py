import numpy as np
import pytest

from skdigits.networks.layers import (
    Convolution,
    Dense,
    Depthwise,
    DilatedConvolution,
    Dropout,
    Flatten,
    Normalization,
    Pad,
    Pooling,
    Relu,
    Residual,
    StridedConvolution,
    check_weights,
    output_shape,
    walk,
)

BLOCK = Convolution("a", 3, (1, 7)), Normalization("b")
LAYERS = (Convolution("first", 3, (3, 3), same=False, bias=True), Residual(BLOCK), Dropout(0.5))
SHAPES = [(3, 3, 1, 3), (3,), (1, 7, 3, 3), (3,), (3,)], [(3,), (3,)]  # trainable, averages


@pytest.mark.parametrize(
    ("layer", "before", "after"),
    [
        (Convolution("x", 5, (3, 4), same=False), (9, 9, 2), (7, 6, 5)),
        (Convolution("x", 5, (3, 4)), (9, None, 2), (9, None, 5)),
        (StridedConvolution("x", 5, (3, 3), 2), (8, None, 2), (4, None, 5)),
        (DilatedConvolution("x", 5, (3, 3), 8), (None, 9, 2), (None, 9, 5)),
        (Depthwise("x"), (7, 6, 4), (1, 1, 4)),
        (Depthwise("x", (None, 7)), (7, None, 4), (1, None, 4)),
        (Pooling("x", (2, 3)), (7, 8, 4), (3, 2, 4)),
        (Pad((1, 2, 3, 4)), (7, 8, 4), (11, 14, 4)),
        (Flatten(), (7, 8, 4), (224,)),
        (Dense("x", 9), (224,), (9,)),
        (Relu(), (1, 2, 3), (1, 2, 3)),
    ],
)
def test_shapes(layer, before, after):
    assert layer.output_shape(before) == after


@pytest.mark.parametrize(
    "layer", [Convolution("x", 1, (9, 9), same=False), Depthwise("x", (9, 1)), Pooling("x", (9, 9))]
)
def test_images_that_are_too_small_are_refused(layer):
    assert layer.output_shape((9, 9, 1))[:2] in ((1, 1), (1, 9))
    with pytest.raises(ValueError, match="too small"):
        layer.output_shape((8, 8, 1))


def test_a_residual_part_keeps_the_shape():
    assert output_shape([Residual(BLOCK)], (5, 6, 3)) == (5, 6, 3)
    with pytest.raises(ValueError, match="changes the shape"):
        output_shape([Residual(BLOCK)], (5, 6, 4))


def test_layers_of_residual_parts_are_gone_through_in_their_place():
    seen = [(type(layer).__name__, shape) for layer, shape in walk(LAYERS, (9, 9, 1))]
    inside = [("Convolution", (7, 7, 3)), ("Normalization", (7, 7, 3))]
    assert seen == [
        ("Convolution", (9, 9, 1)),
        ("Residual", (7, 7, 3)),
        *inside,
        ("Dropout", (7, 7, 3)),
    ]


def test_weights_are_compared_shape_by_shape():
    trainable, averages = ([np.zeros(shape, "f4") for shape in shapes] for shapes in SHAPES)
    seed = np.zeros(2, "u4")
    right = [*trainable, *averages, seed]
    assert check_weights(LAYERS, (9, 9, 1), right) == 5
    for wrong in (
        [*right, seed],
        right[:-1],
        right[1:],
        [*trainable, averages[0], seed],
        [trainable[0].T, *right[1:]],
        [*trainable, *averages, np.zeros(3, "u4")],
    ):
        with pytest.raises(ValueError, match="weights do not match the network"):
            check_weights(LAYERS, (9, 9, 1), wrong)
    without_dropout = *LAYERS[:-1], Dropout(0.0)
    assert check_weights(without_dropout, (9, 9, 1), right[:-1]) == 5
