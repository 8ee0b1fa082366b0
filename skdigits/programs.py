"""Fresh weights, and the cache of compiled programs that fits reuse."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np

from skdigits import training
from skdigits.architectures import NetworkSpec


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
    network = spec.build(seed=seed)
    _draw(network, np.random.default_rng(seed))
    weights = training.read(training.state_variables(network))
    return {"weights": weights, "raw": weights, "optimizer": []}


def _draw(network, rng):
    """Draw again what Keras drew with Python's global generator, which any thread may use.

    Weights that an architecture function set, and those of an initializer with a seed, stay.
    """
    for layer in network.layers:
        if hasattr(layer, "layers"):
            _draw(layer, rng)
            continue
        for variable in layer.weights:
            initializer: Any = getattr(layer, f"{variable.name}_initializer", None)
            if not hasattr(initializer, "seed") or initializer.get_config()["seed"] is not None:
                continue
            config = {**initializer.get_config(), "seed": int(rng.integers(2**31))}
            drawn, again = (
                draw(variable.shape, variable.dtype)
                for draw in (initializer, type(initializer).from_config(config))
            )
            if np.array_equal(variable, drawn):
                variable.assign(again)
        if getattr(layer, "seed_generator", None) is not None:
            layer.seed_generator.state.assign([int(rng.integers(2**31)), 0])


def _build(spec, optimizer, augment):
    if spec.image_shape[1] is not None:
        return training.EpochModel.from_spec(spec, optimizer, augment)
    from skdigits import ctc

    return ctc.SequenceModel.from_spec(spec, optimizer, augment)


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
            yield _build(*key)
            return
        with self._lock:
            models = self._idle.pop(key, [])
            model = models.pop() if models else None
            if models:
                self._idle[key] = models
        if model is None:
            model = _build(*key)
        yield model
        with self._lock:
            self._idle.setdefault(key, []).append(model)
            self._idle.move_to_end(key)
            while sum(map(len, self._idle.values())) > self.size:
                self._idle.popitem(last=False)


cache = ProgramCache(size=16)
