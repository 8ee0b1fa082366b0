"""Beam search for the most probable sequences of an output per frame."""

from __future__ import annotations

import numpy as np

from skdigits.networks.labels import moved_left

BEAM_WIDTH = 20  # with 10, one image in seven lacks one of its three most probable sequences
FACTOR = np.uint64(6364136223846793005)  # of the hash of prefixes
RESCALED = 32  # frames after which probabilities are scaled; in one, they shrink 22-fold at most


def beam_search(scores: np.ndarray, width: int = BEAM_WIDTH) -> tuple[np.ndarray, np.ndarray]:
    """Search probable sequences: extend the most probable prefixes frame by frame.

    Graves, "Sequence transduction with recurrent neural networks" (2012), section 2.5, for CTC.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1)
        Logarithms of the probability of each label in each frame, the blank last.
    width : int, default=BEAM_WIDTH
        Number of prefixes that are kept.

    Returns
    -------
    digits : ndarray of shape (n, width, max_length), int
        Different sequences, -1 after the last digit; at least one column.
    found : ndarray of shape (n, width), bool
        False for missing sequences, if there are fewer than `width`.
    """
    n, n_frames, n_labels = scores.shape
    beam = _Beam(n, width, n_labels)
    steps = np.empty((n_frames, n, width), np.intp)
    for t, probability in enumerate(np.exp(scores.swapaxes(0, 1))):
        if t % RESCALED == 0:
            beam.rescale()
        steps[t] = beam.extend(probability)
    labels = _labels(steps, n_labels)
    digits = moved_left(labels, labels != n_labels - 1).reshape(n, width, -1)
    return digits, beam.ends_blank + beam.ends_digit > 0


class _Beam:
    """Prefixes of sequences, for several images at once.

    Each prefix has two probabilities: of its alignments that end in a blank, and of those that end
    in its last digit. The candidates of a frame are each prefix with each label: with a digit, it
    becomes longer; with the blank, the candidate is the prefix itself. Their arrays are allocated
    once, and all indices count from the first image.
    """

    def __init__(self, n: int, width: int, n_labels: int) -> None:
        candidates = n, width, n_labels
        self.ends_blank, self.ends_digit = np.zeros((2, n, width))
        self.ends_blank[:, 0] = 1
        self.last = np.full((n, width), n_labels - 1, np.int64)  # digit; the blank if it has none
        self.code = np.ones((n, width), np.uint64)  # hash of all digits, to find equal prefixes
        self._blank_ends = np.zeros(candidates)  # a longer prefix ends in a digit
        self._digit_ends = np.empty(candidates)
        self._last = np.tile(np.arange(n_labels, dtype=np.int64), (n, width, 1))
        self._code = np.empty(candidates, np.uint64)
        self._digits = np.arange(n_labels, dtype=np.uint64)
        self._images = np.arange(n)[:, np.newaxis]
        self._prefixes = np.arange(n * width).reshape(n, width)

    def extend(self, probability: np.ndarray) -> np.ndarray:
        """Extend prefixes by one frame.

        Parameters
        ----------
        probability : ndarray of shape (n, n_labels)
            Probability of each label.

        Returns
        -------
        ndarray of shape (n, width), int
            Index of each chosen candidate.
        """
        n, width, n_labels = self._digit_ends.shape
        total = self.ends_blank + self.ends_digit
        self.code *= total > 0  # no prefix is equal to one without probability
        candidates = self._digit_ends
        np.multiply(total[..., np.newaxis], probability[:, np.newaxis], out=candidates)
        repeated = probability.take(self._images * n_labels + self.last)
        stays = self.ends_digit * repeated
        # Two equal digits need a blank between them.
        candidates.reshape(-1)[self._prefixes * n_labels + self.last] = self.ends_blank * repeated
        longer = self.code * FACTOR
        self._merge(longer, stays)

        self._blank_ends[..., -1] = candidates[..., -1]
        candidates[..., -1] += stays
        best = np.argpartition(candidates.reshape(n, -1), -width, axis=1)[:, -width:]
        best += self._images * (width * n_labels)
        candidates[..., -1] = stays
        np.add(longer[..., np.newaxis], self._digits, out=self._code)
        self._code[..., -1], self._last[..., -1] = self.code, self.last
        self.ends_blank, self.ends_digit = self._blank_ends.take(best), candidates.take(best)
        self.code, self.last = self._code.take(best), self._last.take(best)
        return best

    def _merge(self, longer: np.ndarray, stays: np.ndarray) -> None:
        """Add the probability of longer prefixes that are already in the beam to those."""
        width, n_labels = self._digit_ends.shape[1:]
        shorter = self.code - self.last.view(np.uint64)
        equal = np.flatnonzero(longer[:, :, np.newaxis] == shorter[:, np.newaxis])
        source, target = np.divmod(equal, width)
        target += source // width * width
        candidate = source * n_labels + self.last.take(target)
        candidates = self._digit_ends.reshape(-1)
        stays.reshape(-1)[target] += candidates[candidate]
        candidates[candidate] = 0

    def rescale(self) -> None:
        """Divide probabilities by the largest of each image, against underflow."""
        largest = (self.ends_blank + self.ends_digit).max(axis=1, keepdims=True)
        largest[largest == 0] = 1
        self.ends_blank /= largest
        self.ends_digit /= largest


def _labels(steps: np.ndarray, n_labels: int) -> np.ndarray:
    """Collect the label of each prefix in each frame, backwards from the last frame.

    The label is the digit by which a prefix became longer, or the blank.
    """
    n_frames, n, width = steps.shape
    labels = np.empty((n * width, n_frames), np.intp)
    prefix = np.arange(n * width)
    for t in reversed(range(n_frames)):
        prefix, labels[:, t] = np.divmod(steps[t].take(prefix), n_labels)
    return labels
