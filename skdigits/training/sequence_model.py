"""Networks that read sequences, trained with CTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.networks.labels import PADDING
from skdigits.pictures.line_images import HEIGHT, LineImages
from skdigits.training.epoch_model import EpochModel, _EpochPlan
from skdigits.training.tensorflow import tf

if TYPE_CHECKING:
    from skdigits.training.data import TrainingData
    from skdigits.training.task import Samples
    from skdigits.typing import Tensor

BUCKET = 16  # all widths in the network are multiples of this, so that there are few shapes
BATCH_PIXELS = 2**20  # maximum number in a batch of validation images


class SequenceModel(EpochModel):
    """An `EpochModel` for networks that compute scores per frame of images of any width.

    Rows of pixels are images of one height, padded to the width of the widest image. Labels are
    rows of integers: the width of the image, then its digits, then -1.
    """

    _label_spec = tf.TensorSpec([None, None], tf.int32)

    def _order(self, data: TrainingData, plan: _EpochPlan, rng: np.random.Generator) -> np.ndarray:
        """Return indices of samples, so that each batch has images of similar width.

        The order of batches is random. An incomplete last batch has images of random widths.
        """
        order = super()._order(data, plan, rng)
        whole = len(order) // plan.batch_size * plan.batch_size
        by_width = order[np.argsort(data.samples.y[order[:whole], 0], kind="stable")]
        batches = by_width.reshape(-1, plan.batch_size)
        return np.concatenate([batches[rng.permutation(len(batches))].ravel(), order[whole:]])

    def _network_input(self, rows: Tensor, y: Tensor, scale: Tensor) -> Tensor:
        """Convert rows to images, padded with -1 to one width.

        This is the width of the widest image, rounded up so that few different widths occur.
        """
        widths = y[:, 0]
        edge = self._key.spec.columns_per_frame - 1  # columns that the network adds
        width = -(-(tf.reduce_max(widths) + edge) // BUCKET) * BUCKET - edge
        images = tf.reshape(rows, [tf.shape(rows)[0], HEIGHT, -1])
        missing = tf.maximum(0, width - tf.shape(images)[2])
        images = tf.pad(images[:, :, :width], [[0, 0], [0, 0], [0, missing]])
        images = tf.cast(images, self._float_dtype) * scale
        inside = tf.range(width)[None, None, :] < widths[:, None, None]
        return tf.where(inside, images, tf.cast(PADDING, self._float_dtype))[..., None]

    def _sample_losses(self, y: Tensor, outputs: Tensor) -> Tensor:
        return ctc_loss(outputs, y[:, 1:], self._frames(y))

    def _frames(self, y: Tensor) -> Tensor:
        return self._key.spec.n_frames(y[:, 0])

    def _is_correct(self, y: Tensor, outputs: Tensor) -> Tensor:
        """Return a mask of the sequences that best-path decoding reads without a mistake."""
        best = tf.argmax(outputs, axis=2, output_type=tf.int32)
        before = tf.pad(best, [[0, 0], [1, 0]], constant_values=-1)[:, :-1]
        inside = tf.range(tf.shape(best)[1])[None] < self._frames(y)[:, None]
        read = inside & (best != before) & (best != outputs.shape[2] - 1)
        labels = y[:, 1:]
        positions = tf.cumsum(tf.cast(read, tf.int32), axis=1) - 1
        within = tf.clip_by_value(positions, 0, tf.shape(labels)[1] - 1)
        expected = tf.gather(labels, within, batch_dims=1)
        n_read = positions[:, -1] + 1
        n_digits = tf.reduce_sum(tf.cast(labels != PADDING, tf.int32), axis=1)
        correct = tf.reduce_all(~read | (best == expected), axis=1)
        return correct & (n_read == n_digits)

    def _losses_and_correct(self, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
        indices = samples.used()
        x, y = samples.x[indices].reshape(len(indices), HEIGHT, -1), samples.y[indices]
        lines = LineImages([image[:, :width] for image, width in zip(x, y[:, 0], strict=True)])
        program, scale = self._evaluation_program(), self._task.start.scale
        scale = tf.constant(scale, self._float_dtype)
        losses, correct = np.empty(len(indices)), np.empty(len(indices), bool)
        for chosen, rows in lines.batches(BATCH_PIXELS):
            found = program(tf.constant(rows), tf.constant(y[chosen], tf.int32), scale)
            losses[chosen], correct[chosen] = (result.numpy() for result in found)
        return losses, correct

    def _evaluation_program(self) -> Callable[..., Any]:
        """Return the compiled function from rows and labels to losses and correctness."""

        def evaluate(rows: Tensor, labels: Tensor, scale: Tensor) -> list[Tensor]:
            outputs = self(self._network_input(rows, labels, scale), training=False)
            return [self._sample_losses(labels, outputs), self._is_correct(labels, outputs)]

        signature = [
            tf.TensorSpec([None, None], tf.uint8),
            self._label_spec,
            tf.TensorSpec([], self._float_dtype),
        ]
        return self._program("evaluate", lambda: evaluate, signature)


def ctc_loss(logits: Tensor, labels: Tensor, n_frames: Tensor) -> Tensor:
    """Compute the CTC loss, the negative log-probability of sequences.

    Parameters
    ----------
    logits : tensor of shape (n, n_frames, n_digits + 1)
        Scores of the labels in each frame, the blank last; they need not be normalized.
    labels : tensor of shape (n, max_length), int
        Labels, padded with -1.
    n_frames : tensor of shape (n,), int
        Number of frames of each image, without the padding.

    Returns
    -------
    tensor of shape (n,)
        The losses.
    """
    # TensorFlow's loss does not accept empty sequences. Their only alignment is all blanks.
    empty = tf.reduce_all(labels == PADDING, axis=1)
    first = tf.where(empty[:, None], 0, labels[:, :1])
    labels = tf.concat([first, labels[:, 1:]], axis=1)
    there = tf.where(labels != PADDING)
    sparse = tf.SparseTensor(
        there, tf.gather_nd(labels, there), tf.shape(labels, out_type=tf.int64)
    )
    # TensorFlow computes this loss only in float32.
    losses = tf.nn.ctc_loss(
        sparse, tf.cast(logits, tf.float32), None, n_frames, logits_time_major=False, blank_index=-1
    )
    blanks = tf.nn.log_softmax(logits)[..., -1]
    counts = tf.sequence_mask(n_frames, tf.shape(logits)[1], logits.dtype)
    of_blanks = -tf.reduce_sum(blanks * counts, axis=1)
    return tf.where(empty, of_blanks, tf.cast(losses, logits.dtype))
