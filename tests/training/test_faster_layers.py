import keras
import numpy as np
import pytest

from skdigits.training.faster_layers import faster_layer


def test_dropout_drops_what_keras_drops():
    theirs = keras.layers.Dropout(0.3)
    ours = faster_layer(theirs)
    assert type(ours) is not keras.layers.Dropout
    theirs.seed_generator.state.assign(ours.seed_generator.state)
    x = np.random.default_rng(0).normal(size=(50, 14, 14, 4)).astype("float32")
    for _ in range(2):
        dropped = ours(x, training=True).numpy()
        np.testing.assert_allclose(dropped, theirs(x, training=True).numpy(), rtol=1e-6)
        assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_array_equal(ours(x, training=False), x)


def test_batch_normalisation_normalises_as_keras_does():
    x = np.random.default_rng(0).normal(2, 3, size=(20, 6, 6, 4)).astype("float32")
    theirs = keras.layers.BatchNormalization(momentum=0.9)
    ours = faster_layer(theirs)
    assert type(ours) is not keras.layers.BatchNormalization
    for training in (True, True, False):
        expected = theirs(x, training=training).numpy()
        np.testing.assert_allclose(ours(x, training=training).numpy(), expected, atol=1e-5)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


def test_other_layers_are_left():
    layer = keras.layers.Dense(3)
    assert faster_layer(layer) is layer
