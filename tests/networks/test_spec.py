import keras
import numpy as np
import pytest

from skdigits.networks.architectures import READERS
from skdigits.networks.spec import NetworkSpec
from skdigits.training import plain_keras


@pytest.mark.parametrize(
    ("shape", "ink"),
    [
        ((8, 8), (slice(4, 24), slice(4, 24))),
        ((8, 40), (slice(4, 24), slice(0, 40))),
        ((25, 25), (slice(1, 26), slice(1, 26))),
        ((30, 40), (slice(0, 30), slice(0, 40))),
    ],
)
def test_small_images_are_enlarged_with_a_margin_and_large_ones_left(shape, ink):
    def ones(image_shape, n_classes):
        seen.append(image_shape)
        inputs = keras.Input(image_shape)
        x = keras.layers.Flatten()(inputs)
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    seen = []
    network = plain_keras.build(NetworkSpec.of(ones, (*shape, 1), 10, (), "float32"))
    images = np.ones((1, *shape, 1), "float32")
    for layer in network.layers[:-1]:
        images = layer(images)
    expected = np.zeros(seen[0][:2])
    expected[ink] = 1
    np.testing.assert_allclose(np.array(images)[0, :, :, 0], expected)


def test_equal_specs_are_equal_keys():
    options = (("filters", 4),)
    specs = {NetworkSpec.of("compact", (8, 8, 1), 10, options, "float32") for _ in range(2)}
    assert len(specs) == 1


@pytest.mark.parametrize(("name", "columns"), [("fine_reader", 2), ("reader", 4)])
def test_frames_have_the_columns_that_the_network_pools(name, columns):
    spec = NetworkSpec.of(name, (28, None, 1), 11, (), "float32")
    assert spec.columns_per_frame == columns
    assert spec.reads_sequences
    assert name in READERS


def test_a_function_of_the_users_has_no_layers():
    spec = NetworkSpec.of(keras.Sequential, (28, 28, 1), 10, (), "float32")
    assert spec.layers == ()
    assert not spec.reads_sequences


def test_onnx_runtime_runs_networks_of_the_package_in_float32():
    options = ("compact", (28, 28, 1), 10, ())
    assert NetworkSpec.of(*options, "float32").has_onnx_model
    assert not NetworkSpec.of(*options, "float64").has_onnx_model
    assert not NetworkSpec.of(keras.Sequential, *options[1:], "float32").has_onnx_model


def test_the_last_frame_may_have_fewer_columns():
    spec = NetworkSpec.of("reader", (28, None, 1), 11, (), "float32")
    np.testing.assert_array_equal(spec.n_frames(np.array([1, 4, 5, 8])), [1, 1, 2, 2])
