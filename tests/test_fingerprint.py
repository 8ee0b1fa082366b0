import functools
import importlib.metadata
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
from skdigits.fingerprint import PACKAGES, content_hash, fingerprint, versions

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


@pytest.mark.slow
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


@pytest.mark.parametrize("name", ["skdigits", "keras", "tensorflow", "numpy", "pillow", "scipy"])
def test_the_versions_of_libraries_count(name, monkeypatch):
    before, hashed = fingerprint([1]), content_hash([1])
    version = importlib.metadata.version
    changed = {name: "0.0.1"}
    monkeypatch.setattr(importlib.metadata, "version", lambda n: changed.get(n) or version(n))
    assert versions()[name] == "0.0.1"
    assert fingerprint([1]) != before
    assert content_hash([1]) == hashed


def test_a_library_that_is_missing_has_no_version(monkeypatch):
    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert list(versions()) == ["python"]
    assert len(set(PACKAGES)) == len(PACKAGES)


def test_the_version_of_the_package_of_a_class_counts(monkeypatch):
    """A step of a Pipeline can belong to any package."""
    import sklearn

    values = Pipeline([("scale", MinMaxScaler())]), accuracy_score
    before = [content_hash(value) for value in values]
    monkeypatch.setattr(sklearn, "__version__", "0.0.1")
    for value, old in zip(values, before, strict=True):
        assert content_hash(value) != old


@pytest.mark.parametrize(
    "name_it",
    [
        lambda path: [str(path)],
        lambda path: [path],
        lambda path: (str(path), 1),
        lambda path: np.array([str(path)]),
        lambda path: np.array([path, None], object),
        lambda path: pd.Series([str(path)]),
        lambda path: pd.DataFrame({"file": [str(path)], "label": [3]}),
        lambda path: {"front": [str(path)]},
        lambda path: [[], [str(path)]],
        lambda path: str(path),
    ],
)
def test_the_content_of_files_that_data_names_counts(name_it, tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(b"one")
    before = fingerprint(name_it(path))
    assert fingerprint(name_it(path)) == before
    os.utime(path, (1, 1))
    assert fingerprint(name_it(path)) == before, "the modification time does not count"
    path.write_bytes(b"two")
    assert fingerprint(name_it(path)) != before
    path.unlink()
    assert fingerprint(name_it(path)) != before


def test_files_that_an_object_names_do_not_count(tmp_path):
    """A callback may write a log file; this must not change the fingerprint of the fit."""
    path = tmp_path / "log.csv"

    class Logger:
        def __init__(self, file):
            self.file = file

    values = [Logger(str(path))], DigitClassifier(callbacks=[Logger(str(path))])
    before = [fingerprint(value) for value in values]
    path.write_text("epoch,loss")
    assert [fingerprint(value) for value in values] == before
    assert content_hash([str(path)]) == content_hash([str(path)])
    hashed = content_hash([str(path)])
    path.write_text("changed")
    assert content_hash([str(path)]) == hashed


def test_an_unreadable_file_is_named(tmp_path, monkeypatch):
    path = tmp_path / "picture"
    path.write_bytes(b"one")

    def refused(name, *args):
        raise PermissionError(13, "Permission denied", str(name))

    monkeypatch.setattr("builtins.open", refused)
    with pytest.raises(PermissionError) as caught:
        fingerprint([path])
    assert caught.value.filename == str(path)
