"""Samples on their way into the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skdigits.training.tensorflow import tf

# Training data up to the first size lies on the device whole; more is fetched in parts of the
# second, so that a memory-mapped array is never copied.
RESIDENT_BYTES = 2**28
PART_BYTES = 2**26


@dataclass(frozen=True)
class _Plan:
    """Which samples an epoch takes, in how many steps, and how many of them in one call."""

    samples: np.ndarray
    batch_size: int
    steps: int
    stride: int


class TrainingData:
    """Samples, labels and weights: on the device whole, or fetched from memory in parts."""

    def __init__(self, x, y, loss_weight, pixels, real):
        if loss_weight is None:
            loss_weight = np.ones(len(y))
        self.n_samples, self.n_features = x.shape
        self.labels = y
        self._arrays = x, y, loss_weight
        self._types = pixels, np.int32, real
        row_bytes = self.n_features * pixels.itemsize
        self._resident = None
        self.most_rows = len(x)
        if len(x) * row_bytes <= RESIDENT_BYTES:
            self._resident = self._tensors(slice(None))
        else:
            self.most_rows = PART_BYTES // row_bytes

    def fetch(self, chosen):
        """Tensors of samples, labels and weights, and the indices of `chosen` in them."""
        if self._resident is not None:
            return *self._resident, tf.constant(chosen, tf.int32)
        ascending = np.argsort(chosen)  # a file is read from front to back
        ranks = np.empty_like(ascending)
        ranks[ascending] = np.arange(len(chosen))
        return *self._tensors(chosen[ascending]), tf.constant(ranks, tf.int32)

    def _tensors(self, which):
        return tuple(
            tf.constant(array[which].astype(dtype, copy=False))
            for array, dtype in zip(self._arrays, self._types, strict=True)
        )
