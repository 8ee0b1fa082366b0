"""Networks that read sequences: trained with CTC, decoded with a beam."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdigits.inference.ctc import BEAM_WIDTH, COLUMNS_PER_FRAME, PADDING, frames
from skdigits.inference.line_images import HEIGHT, LineImages
from skdigits.training.epoch_model import EpochModel
from skdigits.training.tensorflow import tf

BUCKET = 16  # widths inside the network are multiples of it, so that TensorFlow sees few shapes
EDGE = COLUMNS_PER_FRAME - 1  # columns that the network itself adds
READ_PIXELS = 2**20  # of one batch


class SequenceModel(EpochModel):
    """An `EpochModel` of a network from images of any width to a label per frame.

    Its rows of pixels are images of the same height, side by side in an array as wide as the
    widest. Its labels are rows of numbers: the width of the image, then its digits, then -1.
    """

    _label_spec = tf.TensorSpec([None, None], tf.int32)

    def _order(self, data, plan, rng):
        """Batches of similar widths in random order; the last, shorter one is drawn from all."""
        order = super()._order(data, plan, rng)
        whole = len(order) // plan.batch_size * plan.batch_size
        by_width = order[np.argsort(data.samples.y[order[:whole], 0], kind="stable")]
        batches = by_width.reshape(-1, plan.batch_size)
        return np.concatenate([batches[rng.permutation(len(batches))].ravel(), order[whole:]])

    def _network_input(self, rows, y, scale):
        """Images as wide as the widest of them, rounded up, with -1 right of each."""
        widths = y[:, 0]
        width = -(-(tf.reduce_max(widths) + EDGE) // BUCKET) * BUCKET - EDGE
        images = tf.reshape(rows, [tf.shape(rows)[0], HEIGHT, -1])
        missing = tf.maximum(0, width - tf.shape(images)[2])
        images = tf.pad(images[:, :, :width], [[0, 0], [0, 0], [0, missing]])
        images = tf.cast(images, self._float_dtype) * scale
        inside = tf.range(width)[None, None, :] < widths[:, None, None]
        return tf.where(inside, images, tf.cast(PADDING, self._float_dtype))[..., None]

    def _sample_losses(self, y, outputs):
        return ctc_loss(outputs, y[:, 1:], frames(y[:, 0]))

    def _is_correct(self, y, outputs):
        """Which sequences are correct if every frame is decoded by itself."""
        best = tf.argmax(outputs, axis=2, output_type=tf.int32)
        before = tf.pad(best, [[0, 0], [1, 0]], constant_values=-1)[:, :-1]
        inside = tf.range(tf.shape(best)[1])[None] < frames(y[:, 0])[:, None]
        read = inside & (best != before) & (best != outputs.shape[2] - 1)
        labels = y[:, 1:]
        positions = tf.cumsum(tf.cast(read, tf.int32), axis=1) - 1
        within = tf.clip_by_value(positions, 0, tf.shape(labels)[1] - 1)
        expected = tf.gather(labels, within, batch_dims=1)
        n_read = positions[:, -1] + 1
        n_digits = tf.reduce_sum(tf.cast(labels != PADDING, tf.int32), axis=1)
        correct = tf.reduce_all(~read | (best == expected), axis=1)
        return correct & (n_read == n_digits)

    # -- reading -----------------------------------------------------------------------------

    def read_sequences(self, weights, lines, scale, *, top=1):
        """Find the most probable sequences.

        Parameters
        ----------
        weights : list of ndarray
            As for `predict_rows`.
        lines : LineImages
            Images of bytes and of the network's height.
        scale : float
            Factor of the pixels.
        top : int, default=1
            Number of sequences to find for each image, at most ``BEAM_WIDTH``.

        Returns
        -------
        digits : ndarray of shape (n, top, max_length), int
            The sequences, -1 after the last digit; the most probable first.
        log_probability : ndarray of shape (n, top), float
            Logarithm of their probability.
        """
        self._load(weights)
        if top > 1:
            digits, log_probability = self._decode(lines, scale, BEAM_WIDTH)
            return digits[:, :top], log_probability[:, :top]
        digits, log_probability = self._decode(lines, scale, 1)
        # The beam search ranks by probabilities that are not quite exact. A sequence of more than
        # half of all probability is the most probable one in any case.
        unsure = np.flatnonzero(log_probability[:, 0] <= np.log(0.5))
        if len(unsure):
            better, better_log_probability = self._decode(lines[unsure], scale, BEAM_WIDTH)
            longest = max(digits.shape[2], better.shape[2])
            digits = _as_long(digits, longest)
            digits[unsure] = _as_long(better, longest)[:, :1]
            log_probability[unsure] = better_log_probability[:, :1]
        return digits, log_probability

    def _decode(self, lines, scale, top):
        """The sequences that the beam search finds, most probable first, and log-probabilities."""
        found = self._in_batches(("decode", top), lines, lines.widths[:, None], scale)
        longest = max(digits.shape[2] for _, (digits, _) in found)
        digits = np.full((len(lines), top, longest), PADDING, np.int32)
        log_probability = np.zeros((len(lines), top))
        for chosen, (batch, scores) in found:
            digits[chosen, :, : batch.shape[2]] = batch
            log_probability[chosen] = scores
        order = np.argsort(-log_probability, axis=1, kind="stable")
        digits = np.take_along_axis(digits, order[..., np.newaxis], axis=1)
        return digits, np.take_along_axis(log_probability, order, axis=1)

    def score_frames(self, weights, lines, scale):
        """Compute the logarithm of the probability of each label in each frame.

        Parameters
        ----------
        weights, lines, scale
            As for `read_sequences`.

        Returns
        -------
        list of ndarray of shape (n_frames, n_digits + 1)
            For each image; the blank last.
        """
        self._load(weights)
        found = self._in_batches(("frames",), lines, lines.widths[:, None], scale)
        scores = [np.empty(0)] * len(lines)
        for chosen, (batch,) in found:
            for i, frame_scores in zip(chosen, batch, strict=True):
                scores[i] = frame_scores[: frames(lines.widths[i])]
        return scores

    def _losses_and_correct(self, samples):
        indices = samples.used()
        x, y = samples.x[indices].reshape(len(indices), HEIGHT, -1), samples.y[indices]
        lines = LineImages([image[:, :width] for image, width in zip(x, y[:, 0], strict=True)])
        found = self._in_batches(("evaluate",), lines, y, self._task.start.scale)
        losses, correct = np.empty(len(indices)), np.empty(len(indices), bool)
        for chosen, (batch_losses, batch_correct) in found:
            losses[chosen], correct[chosen] = batch_losses, batch_correct
        return losses, correct

    def _in_batches(self, kind, lines, labels, scale):
        """Run a program on images of similar width at a time: (indices, results) of each batch."""
        program = self._reading_program(kind)
        scale = tf.constant(scale, self._float_dtype)
        found = []
        for chosen, rows in lines.batches(READ_PIXELS):
            results = program(tf.constant(rows), tf.constant(labels[chosen], tf.int32), scale)
            found.append((chosen, [result.numpy() for result in results]))
        return found

    def _reading_program(self, kind):
        if kind not in self._programs:
            make: dict[str, Any] = {
                "decode": self._decoding_program,
                "frames": self._frames_program,
                "evaluate": self._evaluation_program,
            }
            signature = [
                tf.TensorSpec([None, None], tf.uint8),
                self._label_spec,
                tf.TensorSpec([], self._float_dtype),
            ]
            function = make[kind[0]](*kind[1:])
            program = tf.function(function, input_signature=signature, autograph=False)
            self._programs[kind] = program.get_concrete_function()
        return self._programs[kind]

    def _frame_logits(self, rows, labels, scale):
        return self(self._network_input(rows, labels, scale), training=False)

    def _frames_program(self):
        return lambda *batch: [tf.nn.log_softmax(self._frame_logits(*batch))]

    def _evaluation_program(self):
        def evaluate(rows, labels, scale):
            outputs = self._frame_logits(rows, labels, scale)
            return [self._sample_losses(labels, outputs), self._is_correct(labels, outputs)]

        return evaluate

    def _decoding_program(self, top):
        """A function from rows and widths to sequences and the logarithms of their probability."""

        def read(rows, widths, scale):
            outputs = self._frame_logits(rows, widths, scale)
            n_frames = frames(widths[:, 0])
            known = tf.where(tf.math.is_finite(outputs), outputs, 0)  # the beam fails on NaN
            paths, _ = tf.nn.ctc_beam_search_decoder(
                tf.transpose(known, [1, 0, 2]),
                n_frames,
                beam_width=BEAM_WIDTH,
                top_paths=top,
            )
            shape = tf.reduce_max([path.dense_shape for path in paths], axis=0)
            shape = tf.maximum(shape, 1)
            digits = tf.stack(
                [tf.sparse.to_dense(tf.sparse.reset_shape(p, shape), PADDING) for p in paths], 1
            )
            digits = tf.cast(digits, tf.int32)
            alone = tf.reshape(digits, [-1, tf.shape(digits)[2]])
            losses = ctc_loss(tf.repeat(outputs, top, axis=0), alone, tf.repeat(n_frames, top))
            return [digits, -tf.reshape(losses, [-1, top])]

        return read


def _as_long(digits, length):
    """Sequences padded with -1 to a length."""
    missing = length - digits.shape[2]
    return np.pad(digits, [(0, 0), (0, 0), (0, missing)], constant_values=PADDING)


def ctc_loss(logits, labels, n_frames):
    """Negative logarithm of the probability of sequences.

    Parameters
    ----------
    logits : tensor of shape (n, n_frames, n_digits + 1)
        Logits of each frame, the blank last; they need not be normalised.
    labels : tensor of shape (n, max_length), int
        Digits, then -1.
    n_frames : tensor of shape (n,), int
        Number of frames of each image that count.

    Returns
    -------
    tensor of shape (n,)
        The losses.
    """
    # TensorFlow's kernel takes no empty sequence; the probability of one is that of blanks only.
    empty = tf.reduce_all(labels == PADDING, axis=1)
    first = tf.where(empty[:, None], 0, labels[:, :1])
    labels = tf.concat([first, labels[:, 1:]], axis=1)
    there = tf.where(labels != PADDING)
    sparse = tf.SparseTensor(
        there, tf.gather_nd(labels, there), tf.shape(labels, out_type=tf.int64)
    )
    losses = tf.nn.ctc_loss(sparse, logits, None, n_frames, logits_time_major=False, blank_index=-1)
    blanks = tf.nn.log_softmax(logits)[..., -1]
    counts = tf.sequence_mask(n_frames, tf.shape(logits)[1], logits.dtype)
    return tf.where(empty, -tf.reduce_sum(blanks * counts, axis=1), losses)
