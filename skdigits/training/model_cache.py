"""Cache of models with their compiled programs, which later fits reuse."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from skdigits.networks.trained import ProgramKey
from skdigits.training.epoch_model import EpochModel
from skdigits.training.sequence_model import SequenceModel
from skdigits.training.tensorflow import check_process


class ModelCache:
    """Cache of idle models with their compiled programs.

    A model is lent to one caller at a time. The caller loads the initial state and copies the final
    state, so that estimators never share a model.

    Parameters
    ----------
    size : int
        Maximum number of idle models; the least recently used model is dropped first.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._idle: list[tuple[ProgramKey, EpochModel]] = []  # in the order of their last use
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def borrow(self, key: ProgramKey, *, private: bool = False) -> Iterator[EpochModel]:
        """Lend a model for a ``with`` block; after an error, the model is dropped.

        Parameters
        ----------
        key : ProgramKey
            Key of the model's programs.
        private : bool, default=False
            Whether to build a new model that is never lent again.

        Yields
        ------
        EpochModel
            The model, in the state of its previous use.

        Raises
        ------
        RuntimeError
            If this process was forked from a process in which TensorFlow runs.
        """
        check_process()
        model = None if private else self._take(key)
        yield (model := model or _build(key))
        if not private:
            self._put_back(key, model)

    def _take(self, key: ProgramKey) -> EpochModel | None:
        with self._lock:
            for i in reversed(range(len(self._idle))):
                if self._idle[i][0] == key:
                    return self._idle.pop(i)[1]
        return None

    def _put_back(self, key: ProgramKey, model: EpochModel) -> None:
        with self._lock:
            self._idle.append((key, model))
            del self._idle[: -self.size]


def _build(key: ProgramKey) -> EpochModel:
    model = SequenceModel if key.spec.reads_sequences else EpochModel
    return model.from_key(key)


cache = ModelCache(size=16)
