"""Training samples as tensors: kept on the device, or fetched in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.training.task import Samples
from skdigits.training.tensorflow import tf

if TYPE_CHECKING:
    from skdigits.typing import Tensor

# Training data of up to RESIDENT_BYTES is kept on the device. Larger data is fetched in parts, so
# that a memory-mapped array is never copied as a whole.
RESIDENT_BYTES = 2**28
PART_BYTES = 2**26


class TrainingData:
    """Samples, labels and weights: kept on the device, or fetched from memory in parts.

    Parameters
    ----------
    samples : Samples
        The samples.
    pixel_dtype, float_dtype : dtype
        Dtypes of pixels and of weights on the device.
    """

    def __init__(self, samples: Samples, pixel_dtype: np.dtype, float_dtype: np.dtype) -> None:
        weight = np.ones(len(samples.y)) if samples.weight is None else samples.weight
        self.samples = samples
        self.n_features = samples.x.shape[1]
        self._arrays = samples.x, samples.y, weight
        self._dtypes: tuple[Any, ...] = pixel_dtype, np.int32, float_dtype
        row_bytes = self.n_features * pixel_dtype.itemsize
        resident = len(samples.x) * row_bytes <= RESIDENT_BYTES
        self._resident = self._tensors(slice(None)) if resident else None
        self._part_rows = None if resident else PART_BYTES // row_bytes

    def steps_per_call(self, n_steps: int, batch_size: int) -> int:
        """Return the number of steps that one call of the compiled program can take.

        Unless the samples are fetched in parts, this is `n_steps`, the number of steps per epoch.
        """
        if self._part_rows is None:
            return n_steps
        return min(n_steps, max(1, self._part_rows // batch_size))

    def fetch(self, chosen: np.ndarray) -> tuple[Tensor, ...]:
        """Fetch the samples with the indices `chosen`.

        The result is tensors of samples, labels and weights, and the positions of `chosen` in these
        tensors.
        """
        if self._resident is not None:
            return *self._resident, tf.constant(chosen, tf.int32)
        ascending = np.argsort(chosen)  # so that a file is read from front to back
        ranks = np.empty_like(ascending)
        ranks[ascending] = np.arange(len(chosen))
        return *self._tensors(chosen[ascending]), tf.constant(ranks, tf.int32)

    def _tensors(self, which: np.ndarray | slice) -> tuple[Tensor, ...]:
        return tuple(
            tf.constant(array[which].astype(dtype, copy=False))
            for array, dtype in zip(self._arrays, self._dtypes, strict=True)
        )
