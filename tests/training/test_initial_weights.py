import contextlib

import keras
import numpy as np

from skdigits.networks.spec import NetworkSpec
from skdigits.training import initial_weights, plain_keras


def test_weights_that_an_architecture_sets_stay():
    def network(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = keras.layers.Flatten()(inputs)
        mine = keras.layers.Dense(5, name="mine")
        x = mine(x)
        mine.kernel.assign(np.full(mine.kernel.shape, 0.25, np.float32))
        seeded = keras.initializers.GlorotUniform(seed=42)
        x = keras.layers.Dense(4, kernel_initializer=seeded, name="seeded")(x)
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    spec = NetworkSpec(network, (28, 28, 1), 3, (), "float32")
    first, other = (initial_weights.draw(spec, seed) for seed in (1, 2))
    assert (first[0] == 0.25).all()
    np.testing.assert_array_equal(first[2], keras.initializers.GlorotUniform(seed=42)((5, 4)))
    assert [(a != b).any() for a, b in zip(first[::2], other[::2], strict=True)] == [0, 0, 1]


def test_initial_weights_do_not_depend_on_pythons_global_generator(monkeypatch):
    """Which any thread may use in the meantime, as those of Dask's workers do."""
    spec = NetworkSpec.of("lenet", (8, 8, 1), 3, (), "float32")
    monkeypatch.setattr(plain_keras, "_seeded", lambda seed: contextlib.nullcontext())
    first, again, other = (initial_weights.draw(spec, seed) for seed in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sum((a != b).any() for a, b in zip(first, other, strict=True)) == 4 + 1, "and dropout"
    kernel = first[0]
    assert kernel.shape == (5, 5, 1, 8)
    assert np.abs(kernel).max() <= np.sqrt(6 / (25 * (1 + 8))), "Glorot's uniform distribution"
