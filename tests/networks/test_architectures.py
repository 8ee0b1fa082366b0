import keras
import numpy as np
import pytest

from skdigits import DigitClassifier
from skdigits.networks.architectures import BY_NAME
from skdigits.networks.spec import ARCHITECTURES, READERS, NetworkSpec
from skdigits.training import plain_keras


def test_compact_is_the_reference_network():
    network = BY_NAME["compact"]((28, 28, 1), 10)
    table = [
        (type(layer).__name__, layer.output.shape[1:], layer.count_params())
        for layer in network.layers
    ]
    assert table == [
        ("Conv2D", (28, 28, 4), 104),
        ("MaxPooling2D", (14, 14, 4), 0),
        ("Dropout", (14, 14, 4), 0),
        ("Conv2D", (10, 10, 4), 404),
        ("Flatten", (400,), 0),
        ("Dense", (10,), 4010),
    ]
    assert network.count_params() == 4518
    first, _, dropout, second, _, last = network.layers
    assert (first.kernel_size, first.padding) == ((5, 5), "same")
    assert (second.kernel_size, second.padding) == ((5, 5), "valid")
    assert dropout.rate == 0.1
    assert [layer.activation.__name__ for layer in (first, second, last)] == [
        "relu",
        "relu",
        "softmax",
    ]
    for layer in (first, second, last):
        assert isinstance(layer.kernel_initializer, keras.initializers.GlorotUniform)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_a_network_has_the_parameters_it_says(name):
    network = BY_NAME[name]((28, 28, 1), 10)
    for text in (BY_NAME[name].__doc__, DigitClassifier.__doc__):
        assert f"{network.count_params():,}" in text
    assert network.count_params() <= {"tiny": 5000, "deep": 150_000}.get(name, 25_000)


@pytest.mark.parametrize(("name", "columns"), READERS.items())
def test_readers_are_as_their_docstrings_say(name, columns):
    network = BY_NAME[name]((28, None, 1), 11, dtype="float64")
    assert f"{network.count_params():,} parameters" in BY_NAME[name].__doc__
    images = np.random.default_rng(0).random((1, 28, 130, 1))
    scores = network(images).numpy()
    assert scores.shape == (1, -(-130 // columns), 11)
    # Columns whose change changes a frame in the middle:
    changed = np.repeat(images, 130, axis=0)
    changed[range(130), :, range(130)] *= 5
    seen = np.flatnonzero((network(changed).numpy() != scores)[:, 64 // columns].any(axis=1))
    np.testing.assert_array_equal(seen, np.arange(seen[0], seen[0] + len(seen)))
    assert f"of a frame is {len(seen)} columns" in " ".join(BY_NAME[name].__doc__.split())


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("width", [1, 50, 51, 96])
def test_padding_never_changes_what_a_reader_sees(name, width):
    network = BY_NAME[name]((28, None, 1), 11, dtype="float64")
    for layer in network.layers:  # as after training: blank columns are not mapped to 0
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.beta.assign(np.linspace(-1, 1, layer.beta.shape[0]))
    images = np.random.default_rng(0).random((2, 28, width, 1))
    padded = np.pad(images, [(0, 0), (0, 0), (0, 40), (0, 0)], constant_values=-1)
    scores = network(images).numpy()
    np.testing.assert_allclose(network(padded)[:, : scores.shape[1]], scores, rtol=1e-9)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_options_reach_the_layers(name):
    options = {"filters": 5, "dropout": 0.4, "l2": 0.01, "dtype": "float64"}
    if name in ("compact", "lenet"):
        options["kernel_size"] = 3
    network = BY_NAME[name]((28, 28, 3), 7, **options)
    weighted = [layer for layer in network.layers if hasattr(layer, "kernel")]
    assert weighted[0].filters == 5
    assert weighted[0].kernel_size == (3, 3)
    for layer in weighted:
        of_depthwise = getattr(layer, "depthwise_regularizer", None)
        assert (of_depthwise or layer.kernel_regularizer).l2 == pytest.approx(0.01)
    rates = [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.4]
    assert {variable.dtype for variable in network.trainable_variables} == {"float64"}
    assert network.output_shape == (None, 7)


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
    network = plain_keras.build(NetworkSpec(ones, (*shape, 1), 10, (), "float32"))
    images = np.ones((1, *shape, 1), "float32")
    for layer in network.layers[:-1]:
        images = layer(images)
    expected = np.zeros(seen[0][:2])
    expected[ink] = 1
    np.testing.assert_allclose(np.array(images)[0, :, :, 0], expected)


def test_equal_specs_are_equal_keys():
    specs = {NetworkSpec("compact", (8, 8, 1), 10, (("filters", 4),), "float32") for _ in range(2)}
    assert len(specs) == 1


def test_the_defaults_are_those_known_without_keras():
    import inspect

    from skdigits.networks.spec import DROPOUT, FILTERS, KERNEL_SIZE

    assert BY_NAME.keys() == FILTERS.keys() == DROPOUT.keys()
    for name, function in BY_NAME.items():
        parameters = inspect.signature(function).parameters
        assert parameters["filters"].default == FILTERS[name]
        assert parameters["dropout"].default == DROPOUT[name]
        if "kernel_size" in parameters:
            assert parameters["kernel_size"].default == KERNEL_SIZE
