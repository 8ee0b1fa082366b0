"""The cache of models, with their compiled programs, that fits reuse."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from skdigits.training.epoch_model import EpochModel
from skdigits.training.sequence_model import SequenceModel


def _build(spec, optimizer, augment):
    model = SequenceModel if spec.reads_sequences else EpochModel
    return model.from_spec(spec, optimizer, augment)


class ModelCache:
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
        self._idle: OrderedDict[Any, list[EpochModel]] = OrderedDict()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def borrow(self, *key, private: bool = False) -> Iterator[EpochModel]:
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


cache = ModelCache(size=16)
