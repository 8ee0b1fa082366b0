"""Fresh weights, and the cache of compiled programs that fits reuse."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np

from skdigits import training
from skdigits.architectures import NetworkSpec

_build_lock = threading.Lock()


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Make Keras draw the seeds of initializers and dropout layers from `seed`.

    Keras takes them from Python's global generator, which is put back afterwards.
    """
    with _build_lock:
        before = random.getstate()
        try:
            random.seed(seed)
            yield
        finally:
            random.setstate(before)


def fresh_state(spec: NetworkSpec, seed: int) -> training.TrainingState:
    """Draw initial weights.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    seed : int
        The weights depend on it alone.

    Returns
    -------
    TrainingState
        The state before the first step.
    """
    with _seeded(seed):
        network = spec.build()
    weights = training.read(training.state_variables(network))
    return {"weights": weights, "raw": weights, "optimizer": []}


def build_keras(spec: NetworkSpec, scale: float, weights: list[np.ndarray]):
    """Build a plain Keras model of trained weights, from raw pixels to probabilities.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    scale : float
        Factor by which pixels are multiplied.
    weights : list of ndarray
        As in a `TrainingState`.

    Returns
    -------
    keras.Sequential
        The uncompiled model.
    """
    with _seeded(0):
        network = spec.build(scale)
    training.assign(training.state_variables(network), weights)
    return network


def new_model(*key) -> training.EpochModel:
    """Build a model without a trace in Python's global generator.

    Parameters
    ----------
    *key
        The arguments of `EpochModel.from_spec`.

    Returns
    -------
    EpochModel
        The model; its weights are to be loaded.
    """
    with _seeded(0):
        return training.EpochModel.from_spec(*key)


class ProgramCache:
    """Idle models with their compiled programs, least recently used first.

    A model is lent to one caller at a time, who loads the state to start from and copies the
    state reached, so that no two estimators ever share one.

    Parameters
    ----------
    size : int
        Models kept at most.
    """

    def __init__(self, size: int):
        self.size = size
        self._idle: OrderedDict[Any, list[training.EpochModel]] = OrderedDict()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def borrow(self, *key, private: bool = False) -> Iterator[training.EpochModel]:
        """Lend a model for the time of a ``with`` block; after an error it is not kept.

        Parameters
        ----------
        *key
            The arguments of `EpochModel.from_spec`.
        private : bool, default=False
            Whether the model is a new one that nobody else gets, before or after.

        Yields
        ------
        EpochModel
            In whatever state its last user left it.
        """
        if private:
            yield new_model(*key)
            return
        with self._lock:
            models = self._idle.pop(key, [])
            model = models.pop() if models else None
            if models:
                self._idle[key] = models
        if model is None:
            model = new_model(*key)
        yield model
        with self._lock:
            self._idle.setdefault(key, []).append(model)
            self._idle.move_to_end(key)
            while sum(map(len, self._idle.values())) > self.size:
                self._idle.popitem(last=False)


cache = ProgramCache(size=16)
