import inspect

import keras
import numpy as np
import pytest

from skdigits.inference import graphs
from skdigits.networks.architectures import CLASSIFIERS, FINDERS, READERS, describe
from skdigits.networks.layers import Layer, check_weights, output_shape
from skdigits.networks.spec import NetworkSpec
from skdigits.training import keras_layers, plain_keras

SHAPE = (28, None, 1)


def make(name, options=(), shape=(28, 28, 3), **settings):
    shape = SHAPE if name in READERS else shape
    layers = describe(name, 11 if name in READERS else 7, options)
    return layers, shape, keras_layers.build(layers, shape, name, **settings)


def test_both_sides_know_every_kind_of_layer():
    assert keras_layers.MAKERS.keys() == graphs.MAKERS.keys() == set(Layer.__subclasses__())


@pytest.mark.parametrize("name", [*CLASSIFIERS, *READERS])
def test_keras_has_the_shapes_that_the_layers_say(name):
    layers, shape, network = make(name, dtype="float32")
    assert network.output_shape == (None, *output_shape(layers, shape))
    weights = plain_keras.read(plain_keras.state_variables(network))
    assert check_weights(layers, shape, weights) == len(network.trainable_variables)


@pytest.mark.parametrize("name", [*CLASSIFIERS, *READERS])
def test_settings_reach_the_keras_layers(name):
    options = [("filters", 3), ("dropout", 0.4)]
    _, _, network = make(name, options, dtype="float64", l2=0.01)
    weighted = [layer for layer in network.layers if hasattr(layer, "kernel")]
    assert weighted
    for layer in weighted:
        of_depthwise = getattr(layer, "depthwise_regularizer", None)
        assert (of_depthwise or layer.kernel_regularizer).l2 == pytest.approx(0.01)
        kind = "depthwise_initializer" if of_depthwise else "kernel_initializer"
        assert isinstance(getattr(layer, kind), keras.initializers.GlorotUniform)
    rates = [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.4]
    assert {variable.dtype for variable in network.trainable_variables} == {"float64"}


def test_only_networks_of_keras_layers_are_sequential():
    kinds = {name: type(make(name, dtype="float32")[2]).__name__ for name in CLASSIFIERS}
    assert kinds == {
        "compact": "Sequential",
        "lenet": "Sequential",
        "tiny": "Functional",
        "deep": "Functional",
    }


@pytest.mark.parametrize(("name", "columns"), [("fine_reader", 2), ("reader", 4)])
def test_readers_see_what_their_docstrings_say(name, columns):
    network = make(name, dtype="float64")[2]
    images = np.random.default_rng(0).random((1, 28, 130, 1))
    scores = network(images).numpy()
    assert scores.shape == (1, -(-130 // columns), 11)
    # Columns whose change changes a frame in the middle:
    changed = np.repeat(images, 130, axis=0)
    changed[range(130), :, range(130)] *= 5
    seen = np.flatnonzero((network(changed).numpy() != scores)[:, 64 // columns].any(axis=1))
    np.testing.assert_array_equal(seen, np.arange(seen[0], seen[0] + len(seen)))
    stated = " ".join(inspect.getdoc(READERS[name]).split())
    assert f"of a frame is {len(seen)} columns" in stated


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("width", [1, 50, 51, 96])
def test_padding_never_changes_what_a_reader_sees(name, width):
    network = make(name, dtype="float64")[2]
    for layer in network.layers:  # as after training: blank columns are not mapped to 0
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.beta.assign(np.linspace(-1, 1, layer.beta.shape[0]))
    images = np.random.default_rng(0).random((2, 28, width, 1))
    padded = np.pad(images, [(0, 0), (0, 0), (0, 40), (0, 0)], constant_values=-1)
    scores = network(images).numpy()
    np.testing.assert_allclose(network(padded)[:, : scores.shape[1]], scores, rtol=1e-9)


def test_the_finder_sees_what_its_docstring_says():
    layers = describe("finder", 6, [("filters", 4)])
    network = keras_layers.build(layers, (None, None, 1), "finder", dtype="float64")
    pictures = np.random.default_rng(0).random((1, 8, 400, 1))
    scores = network(pictures).numpy()
    assert scores.shape == (1, 2, 100, 6)
    changed = np.repeat(pictures, 400, axis=0)
    changed[range(400), :, range(400)] *= 5
    seen = np.flatnonzero((network(changed).numpy() != scores)[:, :, 50].any(axis=(1, 2)))
    stated = " ".join(inspect.getdoc(FINDERS["finder"]).split())
    assert f"receptive field is {seen[-1] - seen[0] + 1}×" in stated


def test_a_network_that_does_not_fit_its_images_is_named():
    spec = NetworkSpec.of("lenet", (28, 28, 1), 10, (("kernel_size", 15),), "float32")
    with pytest.raises(ValueError, match="'lenet' could not be built for images of shape"):
        plain_keras.build(spec)
