import inspect
import math
import re

import pytest

from skdigits import DigitClassifier
from skdigits.networks.architectures import (
    ARCHITECTURES,
    CLASSIFIERS,
    FINDERS,
    READERS,
    describe,
)
from skdigits.networks.layers import (
    Convolution,
    Dense,
    Depthwise,
    Dropout,
    Flatten,
    Pooling,
    output_shape,
    walk,
)

FUNCTIONS = CLASSIFIERS | READERS


def layers_of(name, options=()):
    return describe(name, 11 if name in READERS else 10, options)


def shape_of(name):
    return (28, None, 1) if name in READERS else (28, 28, 1)


def count_parameters(name):
    steps = walk(layers_of(name), shape_of(name))
    sizes = [size for layer, seen in steps for size in layer.trainable(seen) + layer.averages(seen)]
    return sum(map(math.prod, sizes))


def test_compact_is_the_reference_network():
    assert layers_of("compact") == (
        Convolution("convolution_1", 4, (5, 5), bias=True, activation="relu"),
        Pooling("pooling", (2, 2)),
        Dropout(0.1),
        Convolution("convolution_2", 4, (5, 5), same=False, bias=True, activation="relu"),
        Flatten(),
        Dense("output", 10, "softmax"),
    )
    assert count_parameters("compact") == 4518


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_network_has_the_parameters_it_says(name):
    stated = f"{count_parameters(name):,} parameters"
    assert stated in FUNCTIONS[name].__doc__
    assert name in READERS or f"{count_parameters(name):,}" in DigitClassifier.__doc__
    most = {"tiny": 5000, "deep": 150_000, "reader": 150_000, "fine_reader": 400_000}
    assert count_parameters(name) <= most.get(name, 25_000)


def test_the_finder_has_the_parameters_it_says():
    steps = [*walk(describe("finder", 6), (None, None, 1))]
    sizes = [size for layer, seen in steps for size in layer.trainable(seen) + layer.averages(seen)]
    assert f"{sum(map(math.prod, sizes)):,} parameters" in FINDERS["finder"].__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_output_is_one_number_per_class_and_frame(name):
    shape = output_shape(layers_of(name), shape_of(name))
    assert shape == ((None, 11) if name in READERS else (10,))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_names_of_layers_are_unique(name):
    names = [
        layer.name for layer, _ in walk(layers_of(name), shape_of(name)) if "name" in vars(layer)
    ]
    assert len(set(names)) == len(names) > 3


@pytest.mark.parametrize("name", FUNCTIONS)
def test_options_reach_the_layers(name):
    options = {"filters": 5, "dropout": 0.4, "l2": 0.01}
    if "kernel_size" in inspect.signature(FUNCTIONS[name]).parameters:
        options["kernel_size"] = 3
    layers = [layer for layer, _ in walk(layers_of(name, options.items()), shape_of(name))]
    first = next(layer for layer in layers if isinstance(layer, Convolution))
    assert (first.filters, first.size) == (5, (3, 3))
    assert [layer.rate for layer in layers if isinstance(layer, Dropout)] == [0.4]


@pytest.mark.parametrize("name", ["tiny", "deep", "fine_reader"])
def test_an_option_that_a_network_lacks_is_named(name):
    message = f"The architecture '{name}' takes no kernel_size; leave it at its default"
    with pytest.raises(ValueError, match=re.escape(message)):
        layers_of(name, [("kernel_size", 3)])


def test_classifiers_end_in_weights_for_each_class():
    for name in ARCHITECTURES:
        assert isinstance(layers_of(name)[-1], Dense)
    assert {type(layer) for layer in layers_of("tiny")} >= {Depthwise, Convolution}
