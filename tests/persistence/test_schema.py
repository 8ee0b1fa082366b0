"""Values of records at their limits, and just beyond."""

from dataclasses import replace

import numpy as np
import pytest

from skdigits import load_pretrained
from skdigits.checks.pixel_ranges import PixelRange
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import FitCall, ProgramKey
from skdigits.persistence.schema import STATE_ARRAYS, checked

SPEC = NetworkSpec.of("compact", (8, 8, 1), 10, (), "float32")
KEY = ProgramKey(SPEC, "adam")


@pytest.fixture(scope="module")
def network():
    """A trained network of 20 epochs or more."""
    return load_pretrained("digit")._network


RECORDS = [
    (FitCall(0, False), {"first": [0, 7]}, {"first": [-1, 0.5], "early_stopping": [1]}),
    (
        PixelRange(0.0, 1.0, 0.1),
        {"low": [-3.0, 0, -1e300], "high": [1e-9, 1e300], "mean": [np.nan]},
        {"low": [0.5, 1.5, -2e300], "high": [0, 2e300], "mean": [np.inf, "0"]},
    ),
    (PixelRange(-2.0, 1.0, 0.1), {"high": [0]}, {"high": [-1, -0.5]}),
    (
        KEY,
        {"optimizer": ["sgd", "nadam"], "augment": [0, 10.0], "restyle": [True]},
        {
            "optimizer": ["lion", "{}", "[]"],
            "augment": [-0.1, 10.5, "handwritten"],
            "restyle": ["mixed"],
            "spec": [None],
        },
    ),
    (
        SPEC,
        {
            "n_outputs": [2, 500],
            "image_shape": [(1, 1, 1), (28, 14, 3)],
            "options": [(), (("filters", 1), ("kernel_size", 1), ("dropout", 0.0), ("l2", 1e-9))],
            "dtype": ["float64"],
            "architecture": ["lenet", "deep", "tiny"],
        },
        {
            "n_outputs": [1, 2.5],
            "image_shape": [(8, 8), (0, 8, 1), (8, None, 1), (8, 8, 1, 1), [8, 8, 1]],
            "options": [
                *((("filters", 0),), (("kernel_size", 0),), (("dropout", 1.0),), (("l2", 0.0),)),
                *((("filters", 1), ("filters", 2)), (("depth", 3),), ("filters",)),
            ],
            "dtype": ["float16"],
            "architecture": ["vgg", "reader"],
            "reads_sequences": [True, 0],
        },
    ),
]
CASES = [
    (record, {name: value}, is_valid)
    for record, valid, invalid in RECORDS
    for values, is_valid in ((valid, True), (invalid, False))
    for name, several in values.items()
    for value in several
]


@pytest.mark.parametrize(("record", "change", "is_valid"), CASES)
def test_limits_of_records(record, change, is_valid):
    altered = replace(record, **change)
    if is_valid:
        assert checked(altered) is altered
    else:
        with pytest.raises((ValueError, TypeError)):
            checked(altered)


def test_a_recognizer_reads_lines_of_one_height_and_at_least_eleven_outputs():
    spec = load_pretrained("sequence")._network.key.spec
    checked(spec)
    wrong = ({"image_shape": (28, 28, 1)}, {"image_shape": (27, None, 1)}, {"n_outputs": 10})
    for change in (*wrong, {"reads_sequences": False}):
        with pytest.raises(ValueError, match="reads_sequences|image shape|10 outputs"):
            checked(replace(spec, **change))


def valid_changes(network):
    n_epochs, history = network.n_epochs, network.history
    return [
        {"seed": 0},
        {"seed": 2**31 - 1},
        {"scale": 1e-299},
        {"learning_rate": 0.0},
        {"pixel_range": None},
        {"calls": (FitCall(0, False), FitCall(1, False))},
        {"calls": (FitCall(0, False), FitCall(n_epochs - 1, False))},
        {"calls": (FitCall(0, True),), "history": history | {"val_loss": history["loss"]}},
        {"kept": {1: network.weights, n_epochs: network.weights}},
        {"optimizer_state": []},
    ]


def invalid_changes(network):
    n_epochs, weights = network.n_epochs, network.weights
    first = weights[0]
    return [
        {"seed": -1},
        {"seed": 2**31},
        {"scale": 0.0},
        {"scale": 1e-301},
        {"scale": 1e301},
        {"learning_rate": 1e301},
        {"learning_rate": -1e-9},
        {"weights": [], "raw_weights": []},
        {"weights": weights[:-1], "raw_weights": weights[:-1]},
        {"raw_weights": [first.astype("f8"), *weights[1:]]},
        {"raw_weights": [first.tolist(), *weights[1:]]},
        {"calls": ()},
        {"calls": (FitCall(1, False),)},
        {"calls": (FitCall(0, False), FitCall(0, False))},
        {"calls": (FitCall(0, False), FitCall(n_epochs, False))},
        {"calls": (FitCall(0, True),), "history": {"loss": network.history["loss"]}},
        {"kept": {0: weights}},
        {"kept": {n_epochs + 1: weights}},
        {"kept": {1: weights[:-1]}},
        {"kept": {1: tuple(weights)}},
        {"history": {}},
        {"history": {"loss": []}},
        {"history": {"loss": [1] * n_epochs}},
        {"history": {"accuracy": [0.5] * n_epochs}},
        {"history": {"loss": [0.5] * n_epochs, "accuracy": [0.5] * (n_epochs - 1)}},
        {"optimizer_state": ["x"]},
        {"optimizer_state": [0.0]},
    ]


def test_limits_of_networks(network):
    plain = replace(network, calls=(FitCall(0, False),))
    for change in valid_changes(plain):
        altered = replace(plain, **change)
        assert checked(altered) is altered, change
    for change in invalid_changes(plain):
        try:
            checked(replace(plain, **change))
        except ValueError:
            continue
        pytest.fail(f"{change!r:.200} was taken")


def test_the_state_of_an_optimizer_is_that_of_keras():
    import keras

    from skdigits.training.task import OPTIMIZERS

    assert set(STATE_ARRAYS) == set(OPTIMIZERS)
    for name, n_arrays in STATE_ARRAYS.items():
        optimizer = keras.optimizers.get(name)
        optimizer.build([keras.Variable(np.zeros(7))])
        assert sum(variable.shape == (7,) for variable in optimizer.variables) == n_arrays, name
