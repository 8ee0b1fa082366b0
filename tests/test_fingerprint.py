import functools
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, get_scorer, make_scorer, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skdigits import DigitClassifier
from skdigits.fingerprint import fingerprint

WIDTH = 8


def make(width, depth=1):
    def network(image_shape, n_classes, filters=depth):
        return width, filters

    return network


def add(number):
    return lambda X: X + number


class Callable:
    def __init__(self, width):
        self.width = width

    def __call__(self, image_shape, n_classes):
        return self.width


def make_class(width):
    class Local:
        def __call__(self):
            return width

    return Local


def uses_width(image_shape, n_classes):
    return WIDTH


def is_known(name):
    return name in {"compact", "tiny", "lenet", "deep"}


def recursive(step):
    def even(n):
        return n == 0 or odd(n - step)

    def odd(n):
        return even(n - step)

    return even


def long_array(value):
    array = np.zeros(5000)
    array[2500] = value
    return array


PAIRS = {
    "closures of one factory": (make(1), make(2)),
    "closures with other defaults": (make(1, 1), make(1, 2)),
    "closures of closures": (add(add(1)), add(add(2))),
    "lambdas": (lambda X: X + 1, lambda X: X + 2),
    "lambdas of other code": (lambda X: X + 1, lambda X: X - 1),
    "recursive functions": (recursive(1), recursive(2)),
    "partial": (functools.partial(make(1), 2), functools.partial(make(1), 3)),
    "keywords of partial": (functools.partial(make(1), a=2), functools.partial(make(1), a=3)),
    "cached": (functools.lru_cache(make(1)), functools.lru_cache(make(2))),
    "callable objects": (Callable(1), Callable(2)),
    "classes of one factory": (make_class(1), make_class(2)),
    "objects of such classes": (make_class(1)(), make_class(2)()),
    "methods": (Callable(1).__call__, Callable(2).__call__),
    "built-in methods": (np.random.RandomState(1).rand, np.random.RandomState(2).rand),
    "built-in functions": (len, sum),
    "array functions": (np.add, np.subtract),
    "generators": (np.random.RandomState(1), np.random.RandomState(2)),
    "new generators": (np.random.default_rng(1), np.random.default_rng(2)),
    "long arrays": (long_array(1), long_array(2)),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "types of arrays": (np.zeros(2, "i4"), np.zeros(2, "f4")),
    "dates": (np.array(["2020"], "M8[D]"), np.array(["2021"], "M8[D]")),
    "arrays of objects": (np.array(["a", None], object), np.array(["b", None], object)),
    "frames": (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]})),
    "numbers and texts": (1, "1"),
    "numbers and truth": (1, True),
    "whole numbers": (1, 1.0),
    "bytes": (b"a", b"b"),
    "order in lists": ([1, 2], [2, 1]),
    "nesting": ([[1], 2], [1, [2]]),
    "keys": ({"a": 1}, {"b": 1}),
    "sets": ({1, "x"}, {1, "y"}),
    "paths": (Path("/a"), Path("/b")),
    "scorers": (make_scorer(roc_auc_score), make_scorer(roc_auc_score, multi_class="ovr")),
    "named scorers": (get_scorer("accuracy"), get_scorer("neg_log_loss")),
    "functions of scikit-learn": (accuracy_score, roc_auc_score),
    "splitters": (StratifiedKFold(2), StratifiedKFold(3)),
    "estimators": (DigitClassifier(make(1)), DigitClassifier(make(2))),
    "pipelines": tuple(
        Pipeline([("scale", MinMaxScaler()), ("cnn", DigitClassifier(l2=l2))]) for l2 in (0.0, 0.1)
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_different_values_have_different_fingerprints(name):
    first, second = PAIRS[name]
    assert fingerprint(first) != fingerprint(second)


@pytest.mark.parametrize(
    "make_value",
    [
        lambda: make(1),
        lambda: recursive(1),
        lambda: functools.partial(make(1), [2], k=make(3)),
        lambda: make_class(1)(),
        lambda: Callable(long_array(3)),
        lambda: np.random.RandomState(3),
        lambda: {"b": 1, "a": {2, "x"}},
        lambda: Pipeline(
            [("cnn", DigitClassifier(make(1), random_state=np.random.RandomState(0)))]
        ),
    ],
)
def test_equal_values_have_equal_fingerprints(make_value):
    first, second = make_value(), make_value()
    assert first is not second
    assert fingerprint([first, second]) == fingerprint([second, second])


def test_the_order_of_a_dict_does_not_matter():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_a_global_number_is_a_part_of_the_function_that_uses_it(monkeypatch):
    before = fingerprint(uses_width)
    monkeypatch.setitem(globals(), "WIDTH", 16)
    assert fingerprint(uses_width) != before
    assert fingerprint(make(1)) == PRINT_OF_MAKE


PRINT_OF_MAKE = fingerprint(make(1))

SCRIPT = """
from test_fingerprint import PAIRS, is_known, fingerprint
for value in (*PAIRS.values(), is_known):
    print(fingerprint(value))
"""


def test_fingerprints_are_the_same_in_every_process():
    found = []
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(run.stdout.split())
    assert found[0] == found[1]
    assert len(set(found[0])) == len(PAIRS) + 1


def test_keras_objects_are_their_configuration():
    import keras

    def prints(rate):
        schedule = keras.optimizers.schedules.CosineDecay(rate, 10)
        callback = keras.callbacks.EarlyStopping(patience=round(10 * rate))
        return (
            fingerprint(keras.optimizers.Adam(rate)),
            fingerprint(schedule),
            fingerprint(callback),
        )

    assert prints(0.1) == prints(0.1)
    assert set(prints(0.1)).isdisjoint(prints(0.2))


def test_weights_are_a_part_of_a_layer():
    import keras

    def layer(value):
        dense = keras.layers.Dense(1)
        dense.build((None, 1))
        dense.set_weights([np.full((1, 1), value), np.zeros(1)])
        return dense

    assert fingerprint(layer(1)) == fingerprint(layer(1)) != fingerprint(layer(2))


@pytest.mark.parametrize("value", [threading.Lock(), (number for number in [1])])
def test_what_cannot_be_pickled_is_refused(value):
    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        fingerprint({"callback": [value]})
    assert len(str(caught.value)) <= 300
