import dataclasses
import gc
import weakref

import pytest

from skdigits import DigitClassifier, DigitSequenceRecognizer
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import ProgramKey
from skdigits.training import model_cache
from skdigits.training.epoch_model import EpochModel
from skdigits.training.schedules import describe_optimizer
from skdigits.training.tensorflow import keras


def key_of(filters):
    options = (("filters", filters),)
    return ProgramKey(NetworkSpec.of("compact", (28, 28, 1), 10, options, "float32"), "adam")


@pytest.fixture
def built(monkeypatch):
    """Number of filters of every model that is built."""
    filters = []
    build = model_cache._build

    def counting(key):
        filters.append(dict(key.spec.options).get("filters"))
        return build(key)

    monkeypatch.setattr(model_cache, "_build", counting)
    return filters


def test_fits_of_one_network_reuse_its_model(digits, monkeypatch, built):
    monkeypatch.setattr(model_cache, "cache", model_cache.ModelCache(size=4))
    monkeypatch.setattr("skdigits.training.trainer.model_cache.cache", model_cache.cache)
    X, y = digits
    for seed in range(3):
        classifier = DigitClassifier(epochs=1, batch_size=20 + seed, random_state=seed)
        classifier.fit(X[: 200 + seed], y[: 200 + seed]).predict(X)
    assert len(built) == 1


def test_the_least_recently_used_model_is_dropped_alone(built):
    cache = model_cache.ModelCache(size=3)
    with cache.borrow(key_of(2)), cache.borrow(key_of(1)), cache.borrow(key_of(1)):
        pass
    assert built == [2, 1, 1]
    with cache.borrow(key_of(3)):  # the fourth, so that one of the two first goes
        pass
    with cache.borrow(key_of(1)), cache.borrow(key_of(2)), cache.borrow(key_of(3)):
        pass
    assert built == [2, 1, 1, 3]
    with cache.borrow(key_of(1)), cache.borrow(key_of(1)):
        pass
    assert built == [2, 1, 1, 3, 1]


def test_a_model_is_lent_to_one_at_a_time_and_dropped_after_an_error():
    cache = model_cache.ModelCache(size=4)
    with cache.borrow(key_of(1)) as first, cache.borrow(key_of(1)) as second:
        assert first is not second
    with pytest.raises(KeyError), cache.borrow(key_of(1)) as broken:
        raise KeyError
    with cache.borrow(key_of(1)) as next_one, cache.borrow(key_of(1)) as newest:
        assert next_one is not broken
        assert newest is not broken


def test_a_private_model_is_nobody_elses():
    cache = model_cache.ModelCache(size=4)
    with cache.borrow(key_of(1), private=True) as mine:
        pass
    with cache.borrow(key_of(1)) as other:
        assert other is not mine


@pytest.mark.slow
def test_a_dropped_model_leaves_no_program_behind(digits, monkeypatch):
    """With its graphs, a program has several megabytes; a service may fit for days."""
    cache = model_cache.ModelCache(size=1)
    monkeypatch.setattr("skdigits.training.trainer.model_cache.cache", cache)
    graphs = []
    make_program = EpochModel._program

    def watched(self, *args):
        program = make_program(self, *args)
        graphs.append(weakref.ref(program.graph))
        return program

    monkeypatch.setattr(EpochModel, "_program", watched)
    X, y = digits
    DigitClassifier(epochs=1, early_stopping=True).fit(X[:100], y[:100])
    lines = {"style": "tiles", "sequences_per_epoch": 20, "random_state": 0}
    for filters in (2, 3):
        recognizer = DigitSequenceRecognizer(epochs=1, filters=filters, **lines)
        recognizer.fit(X[:100].reshape(-1, 8, 8), y[:100])
    gc.collect()
    assert [graph() is None for graph in graphs] == [True, True, True, False]


def test_models_have_the_same_names_of_variables():
    """TensorFlow keeps 30 kB for every new name, for ever."""
    optimizer = describe_optimizer(keras.optimizers.SGD(0.1, momentum=0.9))
    key = dataclasses.replace(key_of(4), optimizer=optimizer)
    first, second = (
        [v.path for v in (*model.variables, *model.optimizer.variables)]
        for model in (EpochModel.from_key(key), EpochModel.from_key(key))
    )
    assert first == second
    assert any("seed" in name for name in first), first  # of dropout
