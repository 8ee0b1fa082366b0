"""Beam search for the most probable sequences, from label probabilities per frame."""

from __future__ import annotations

import numpy as np

from skdigits.inference.patterns import Automaton
from skdigits.networks.labels import moved_left

BEAM_WIDTH = 20  # with 10, one image in seven lacks one of its three most probable sequences
FACTOR = np.uint64(6364136223846793005)  # multiplier of the hash of prefixes
# Number of frames between two rescalings. With ten digits, the largest probability shrinks at most
# 22-fold per frame, so 32 frames cause no underflow.
RESCALED = 32


def beam_search(
    scores: np.ndarray, width: int = BEAM_WIDTH, automaton: Automaton | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find probable sequences by extending the most probable prefixes frame by frame.

    The method is that of Graves, "Sequence transduction with recurrent neural networks" (2012),
    section 2.5, changed for CTC.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1)
        Logarithms of the probability of each label in each frame, the blank last.
    width : int, default=BEAM_WIDTH
        Number of prefixes kept per image. With an automaton, `width` prefixes are kept per state,
        so that prefixes compete only with prefixes in the same state.
    automaton : Automaton, optional
        Pattern that the sequences must match; by default, all sequences are allowed.

    Returns
    -------
    digits : ndarray of shape (n, width, max_length), int
        Distinct sequences, padded with -1; `max_length` is at least 1.
    found : ndarray of shape (n, width), bool
        True for each sequence that was found. If fewer than `width` sequences are possible, the
        others are False; with an automaton, these sequences are empty.
    """
    n, n_frames, n_labels = scores.shape
    beam = _Beam(n, width, n_labels) if automaton is None else _StateBeam(n, width, automaton)
    steps = np.empty((n_frames, *beam.last.shape), np.intp)
    for t, probability in enumerate(np.exp(scores.swapaxes(0, 1))):
        if t % beam.rescaled == 0:
            beam.rescale()
        steps[t] = beam.extend(probability)
    last, found = beam.complete()
    labels = _labels(steps, last.ravel(), n_labels)
    digits = moved_left(labels, labels != n_labels - 1).reshape(n, width, -1)
    return digits, found


class _Beam:
    """Prefixes of sequences, for several images at once.

    A prefix has two probabilities: the sum over its alignments that end in a blank, and the sum
    over those that end in its last digit. In each frame, every prefix is combined with every label;
    the results are the candidates. A digit makes the prefix longer, the blank leaves it unchanged.
    The arrays of candidates are allocated once. Indices are those of the flattened arrays.
    """

    rescaled = RESCALED

    def __init__(self, n: int, width: int, n_labels: int) -> None:
        candidates = n, width, n_labels
        self.ends_blank, self.ends_digit = np.zeros((2, n, width))
        self.ends_blank[:, 0] = 1
        self.last = np.full((n, width), n_labels - 1, np.int64)  # digit; blank if prefix is empty
        self.code = np.ones((n, width), np.uint64)  # hash of all digits, to find equal prefixes
        self._blank_ends = np.zeros(candidates)  # stays 0 for longer prefixes
        self._digit_ends = np.empty(candidates)
        self._last = np.tile(np.arange(n_labels, dtype=np.int64), (n, width, 1))
        self._code = np.empty(candidates, np.uint64)
        self._digits = np.arange(n_labels, dtype=np.uint64)
        self._images = np.arange(n)[:, np.newaxis]
        self._prefixes = np.arange(n * width).reshape(n, width)

    def extend(self, probability: np.ndarray) -> np.ndarray:
        """Extend all prefixes by one frame, and keep the most probable candidates.

        `probability` has shape (n, n_labels). The result has shape (n, width): the indices of the
        kept candidates.
        """
        n_labels = self._digit_ends.shape[2]
        total = self.ends_blank + self.ends_digit
        self.code *= total > 0  # code 0: a prefix without probability equals no possible prefix
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
        best = self._best(candidates)
        candidates[..., -1] = stays
        np.add(longer[..., np.newaxis], self._digits, out=self._code)
        self._code[..., -1], self._last[..., -1] = self.code, self.last
        self.ends_blank, self.ends_digit = self._blank_ends.take(best), candidates.take(best)
        self.code, self.last = self._code.take(best), self._last.take(best)
        return best

    def _best(self, candidates: np.ndarray) -> np.ndarray:
        """Return the indices of the most probable candidates."""
        n, width, n_labels = candidates.shape
        best = np.argpartition(candidates.reshape(n, -1), -width, axis=1)[:, -width:]
        return best + self._images * (width * n_labels)

    def _merge(self, longer: np.ndarray, stays: np.ndarray) -> None:
        """Merge an extended prefix with an equal prefix in the beam: add their probabilities."""
        source, target = self._equal(longer, self.code - self.last.view(np.uint64))
        candidate = source * self._digit_ends.shape[2] + self.last.take(target)
        candidates = self._digit_ends.reshape(-1)
        stays.reshape(-1)[target] += candidates[candidate]
        candidates[candidate] = 0

    def _equal(self, longer: np.ndarray, shorter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find pairs of prefixes in the beam that differ by one digit at the end.

        The result is the indices of the shorter prefixes, and the indices of the longer prefixes.
        """
        width = longer.shape[1]
        equal = np.flatnonzero(longer[:, :, np.newaxis] == shorter[:, np.newaxis])
        source, target = np.divmod(equal, width)
        return source, target + source // width * width

    def rescale(self) -> None:
        """Divide the probabilities of each image by the largest one, to avoid underflow."""
        largest = (self.ends_blank + self.ends_digit).max(axis=1, keepdims=True)
        largest[largest == 0] = 1
        self.ends_blank /= largest
        self.ends_digit /= largest

    def complete(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the indices of all prefixes, and a mask of the possible ones."""
        return self._prefixes, self.ends_blank + self.ends_digit > 0


class _StateBeam(_Beam):
    """Prefixes that an automaton can still accept: `width` for each image and state.

    Each row of the arrays is a state of an image. A candidate belongs to the state that its label
    leads to.
    """

    rescaled = 1  # probabilities shrink fast if no probable sequence matches

    def __init__(self, n: int, width: int, automaton: Automaton) -> None:
        n_states, n_labels = automaton.steps.shape
        super().__init__(n * n_states, width, n_labels)
        self._shape = n, n_states, width
        self._in_images(self.ends_blank)[:, width:] = 0  # only the first state has a prefix yet
        self._accepts = automaton.accepts
        # Row of each prefix without its last digit.
        self._before = np.zeros((n * n_states, width), np.intp)
        self._sources = _sources(automaton.steps, width)
        self._offsets = np.arange(n)[:, np.newaxis, np.newaxis] * (n_states * width * n_labels)

    def extend(self, probability: np.ndarray) -> np.ndarray:
        """Extend all prefixes by one frame, as in `_Beam.extend`."""
        best = super().extend(probability.repeat(self._shape[1], axis=0))
        width, n_labels = self._digit_ends.shape[1:]
        prefix, label = np.divmod(best, n_labels)
        is_longer = label != n_labels - 1
        self._before = np.where(is_longer, prefix // width, self._before.take(prefix))
        return best

    def _best(self, candidates: np.ndarray) -> np.ndarray:
        n, _, width = self._shape
        reaching = candidates.reshape(n, -1).take(self._sources, axis=1)
        chosen = np.argpartition(reaching, -width, axis=2)[..., -width:]
        best = np.take_along_axis(self._sources[np.newaxis], chosen, axis=2) + self._offsets
        return best.reshape(-1, width)

    def _equal(self, longer: np.ndarray, shorter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        width = longer.shape[1]
        equal = np.flatnonzero(longer[self._before] == shorter[..., np.newaxis])
        target, source = np.divmod(equal, width)
        return source + self._before.take(target) * width, target

    def rescale(self) -> None:
        """Divide the probabilities of each image by the largest one of all its states."""
        largest = self._in_images(self.ends_blank + self.ends_digit).max(axis=1, keepdims=True)
        largest[largest == 0] = 1
        for ends in (self.ends_blank, self.ends_digit):
            in_images = self._in_images(ends)
            in_images /= largest

    def complete(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the indices of the most probable accepted prefixes, and a mask of those found.

        If fewer than `width` prefixes are accepted, empty prefixes of the first state follow. These
        are never accepted, because every pattern has at least one digit.
        """
        total = (self.ends_blank + self.ends_digit).reshape(self._shape)
        total = self._in_images(total * self._accepts[:, np.newaxis])
        best = np.argsort(-total, axis=1, kind="stable")[:, : self._shape[2]]
        found = np.take_along_axis(total, best, axis=1) > 0
        return best + np.arange(len(total))[:, np.newaxis] * total.shape[1], found

    def _in_images(self, prefixes: np.ndarray) -> np.ndarray:
        """Return a view with one row per image."""
        return prefixes.reshape(self._shape[0], -1)


def _sources(steps: np.ndarray, width: int) -> np.ndarray:
    """Find the candidates that lead to each state.

    Parameters
    ----------
    steps : ndarray of shape (n_states, n_labels), int
        State after each label. -1 is the last state, which is never left.
    width : int
        Number of prefixes per state.

    Returns
    -------
    ndarray of shape (n_states, n_candidates), int
        Indices of the candidates of an image. Rows are padded with blanks of the last state, whose
        prefixes have probability 0.
    """
    n_states, n_labels = steps.shape
    reaching = [np.argwhere(steps[:-1] == state) for state in range(n_states - 1)]
    sources = np.full((n_states, max(map(len, reaching)), 2), (n_states - 1, n_labels - 1))
    for state, pairs in enumerate(reaching):
        sources[state, : len(pairs)] = pairs
    state, label = sources[..., 0, np.newaxis], sources[..., 1, np.newaxis]
    return ((state * width + np.arange(width)) * n_labels + label).reshape(n_states, -1)


def _labels(steps: np.ndarray, prefix: np.ndarray, n_labels: int) -> np.ndarray:
    """Collect the label of each frame for all prefixes, from the last frame to the first.

    The label is the digit that the frame added to the prefix, or the blank.
    """
    n_frames = len(steps)
    labels = np.empty((len(prefix), n_frames), np.intp)
    for t in reversed(range(n_frames)):
        prefix, labels[:, t] = np.divmod(steps[t].take(prefix), n_labels)
    return labels
