"""Decode the output of a network per frame by connectionist temporal classification (CTC).

Graves et al., "Connectionist temporal classification" (2006). For every frame (a few columns of
pixels), the network outputs the probability of each digit and of the blank, which means no digit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skdigits.networks.labels import PADDING

MOST_SEQUENCES = 10  # maximum `top`; an image of one frame has only eleven sequences
BEAM_WIDTH = 20  # with 10, one image in seven lacks one of its three most probable sequences


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Compute log-probabilities from scores (logits).

    Parameters
    ----------
    logits : ndarray of shape (…, n_digits + 1), float64
        Scores.

    Returns
    -------
    ndarray of the same shape
        Natural logarithms of probabilities; those of each row sum to 1.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def end_after(scores: np.ndarray, n_frames: np.ndarray) -> np.ndarray:
    """Give the frames after the end of each image a blank with probability 1: no effect on CTC.

    Parameters
    ----------
    scores : ndarray of shape (n, max_frames, n_digits + 1)
        Logarithms of probabilities, the blank last.
    n_frames : ndarray of shape (n,), int
        Number of frames of each image.

    Returns
    -------
    ndarray of the same shape
        The scores.
    """
    after = np.arange(scores.shape[1]) >= n_frames[:, np.newaxis]
    certain = np.full(scores.shape[2], -np.inf)
    certain[-1] = 0
    return np.where(after[..., np.newaxis], certain, scores)


def most_probable(scores: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1)
        Logarithms of the probability of each label in each frame, the blank last.
    top : int
        Number of sequences per image, at most ``MOST_SEQUENCES``.

    Returns
    -------
    digits : ndarray of shape (n, top, max_length), int
        The sequences, -1 after the last digit; the most probable first.
    log_probability : ndarray of shape (n, top)
        Logarithms of their probabilities; NaN if scores are NaN.
    """
    known = np.where(np.isnan(scores), 0, scores)
    if top > 1:
        return _by_beam(scores, known, top)
    best = best_path(known)
    digits, log_probability = (a[:, np.newaxis] for a in (best, log_probability_of(scores, best)))
    # A sequence with a probability above one half is the most probable one.
    unsure = np.flatnonzero(~(log_probability[:, 0] > np.log(0.5)))
    if len(unsure):
        better, better_log_probability = _by_beam(scores[unsure], known[unsure], 1)
        digits = with_others(digits, unsure, better)
        log_probability[unsure] = better_log_probability
    return digits, log_probability


def _by_beam(scores: np.ndarray, known: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Search the best sequences by beam search, and rank them by their exact probabilities."""
    digits, found = beam_search(known)
    n, width, longest = digits.shape
    repeated = np.repeat(scores, width, axis=0)
    log_probability = log_probability_of(repeated, digits.reshape(-1, longest)).reshape(n, width)
    log_probability[~found] = -np.inf
    order = np.argsort(-log_probability, axis=1, kind="stable")[:, :top]
    digits = np.take_along_axis(digits, order[..., np.newaxis], axis=1)
    return digits, np.take_along_axis(log_probability, order, axis=1)


def best_path(scores: np.ndarray) -> np.ndarray:
    """Decode each frame separately, merge repeated labels, and remove blanks.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1)
        Scores of each label in each frame, the blank last.

    Returns
    -------
    ndarray of shape (n, max_length), int
        The sequences, -1 after the last digit; at least one column.
    """
    best = scores.argmax(axis=2)
    read = best != scores.shape[2] - 1
    read[:, 1:] &= best[:, 1:] != best[:, :-1]
    return _moved_left(best, read)


def _moved_left(labels: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Move the used labels to the left of each row, and fill the row with -1."""
    counts = used.sum(axis=1)
    digits = np.full((len(labels), max(1, counts.max(initial=0))), PADDING, np.int32)
    digits[np.arange(digits.shape[1]) < counts[:, np.newaxis]] = labels[used]
    return digits


def log_probability_of(scores: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Compute the probability of sequences, over all alignments with the frames.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1)
        Logarithms of the probability of each label in each frame, the blank last.
    digits : ndarray of shape (n, max_length), int
        The sequences, -1 after the last digit.

    Returns
    -------
    ndarray of shape (n,)
        Natural logarithms of the probabilities; -inf if there are too few frames.
    """
    n, n_frames, n_labels = scores.shape
    states = np.full((n, 2 * digits.shape[1] + 1), n_labels - 1)
    states[:, 1::2] = np.where(digits == PADDING, n_labels - 1, digits)
    skips = np.zeros(states.shape)  # from a digit to a different digit, without a blank
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    length = (digits != PADDING).sum(axis=1)
    exists = np.arange(states.shape[1]) <= 2 * length[:, np.newaxis]  # not the padding
    probability = np.exp(scores)
    reached = np.zeros(states.shape)
    reached[:, 0] = 1  # before the first frame
    logarithm = np.zeros(n)
    for t in range(n_frames):
        moved = reached.copy()
        moved[:, 1:] += reached[:, :-1]
        moved[:, 2:] += skips[:, 2:] * reached[:, :-2]
        reached = moved * exists * np.take_along_axis(probability[:, t], states, axis=1)
        total = reached.max(axis=1)
        total[total == 0] = 1
        reached /= total[:, np.newaxis]  # against underflow
        logarithm += np.log(total)
    rows = np.arange(n)
    ends = reached[rows, 2 * length] + np.where(length, reached[rows, 2 * length - 1], 0)
    with np.errstate(divide="ignore"):
        return np.minimum(logarithm + np.log(ends), 0)  # rounded, a sum may exceed 1


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
    beam = _Beam(len(scores), width)
    for probability in np.exp(scores).swapaxes(0, 1):
        beam.extend(probability)
    return beam.sequences(), beam.ends_blank + beam.ends_digit > 0


class _Beam:
    """Prefixes of sequences, for several images at once.

    Each prefix has two probabilities: of its alignments that end in a blank, and of those that end
    in its last digit. They are scaled in each frame, against underflow.
    """

    def __init__(self, n: int, width: int) -> None:
        self.ends_blank = np.zeros((n, width))
        self.ends_blank[:, 0] = 1
        self.ends_digit = np.zeros((n, width))
        self.last = np.full((n, width), PADDING)
        self.code = np.zeros((n, width), np.uint64)  # hash of all digits, to find equal prefixes
        self.steps: list[tuple[np.ndarray, np.ndarray]] = []

    def extend(self, probability: np.ndarray) -> None:
        """Extend prefixes by one frame; `probability` has shape (n, n_digits + 1)."""
        n, width = self.last.shape
        digits, blank = probability[:, np.newaxis, :-1], probability[:, -1:]
        n_digits = digits.shape[2]
        total = self.ends_blank + self.ends_digit
        repeated = np.where(self.last < 0, 0, self.last)
        stays_blank = total * blank
        stays_digit = self.ends_digit * np.take_along_axis(probability, repeated, axis=1)
        longer = total[..., np.newaxis] * digits
        # Two equal digits need a blank between them.
        again = np.take_along_axis(digits[:, 0], repeated, axis=1) * self.ends_blank
        same = np.arange(n_digits) == self.last[..., np.newaxis]
        longer = np.where(same, again[..., np.newaxis], longer)
        self._merge(longer, stays_digit)

        candidates = np.concatenate([stays_blank + stays_digit, longer.reshape(n, -1)], axis=1)
        best = np.argpartition(-candidates, width - 1, axis=1)[:, :width]
        is_longer = best >= width
        source = np.where(is_longer, (best - width) // n_digits, best)
        digit = np.where(is_longer, (best - width) % n_digits, PADDING)
        chosen = np.take_along_axis(candidates, best, axis=1)
        scale = chosen.max(axis=1, keepdims=True)

        def kept(values: Any, otherwise: Any) -> np.ndarray:
            return np.where(is_longer, otherwise, np.take_along_axis(values, source, axis=1))

        self.ends_blank = kept(stays_blank, 0) / scale
        self.ends_digit = kept(stays_digit, chosen) / scale
        code = np.take_along_axis(self.code, source, axis=1)
        self.code = np.where(is_longer, _longer_code(code, digit), code)
        self.last = kept(self.last, digit)
        self.steps.append((source, digit))

    def _merge(self, longer: np.ndarray, stays_digit: np.ndarray) -> None:
        """Add the probability of longer prefixes that are already in the beam to those."""
        codes = _longer_code(self.code[:, :, np.newaxis], self.last[:, np.newaxis])
        possible = (self.last >= 0) & (self.ends_blank + self.ends_digit > 0)
        equal = (codes == self.code[:, np.newaxis]) & possible[:, np.newaxis]
        image, source, target = np.nonzero(equal)
        digit = self.last[image, target]
        np.add.at(stays_digit, (image, target), longer[image, source, digit])
        longer[image, source, digit] = 0

    def sequences(self) -> np.ndarray:
        """Collect the digits of all prefixes, backwards from the last frame."""
        n, width = self.last.shape
        labels = np.empty((len(self.steps), n, width), int)
        position = np.tile(np.arange(width), (n, 1))
        for t, (source, digit) in reversed([*enumerate(self.steps)]):
            labels[t] = np.take_along_axis(digit, position, axis=1)
            position = np.take_along_axis(source, position, axis=1)
        flat = labels.reshape(len(self.steps), n * width).T
        return _moved_left(flat, flat != PADDING).reshape(n, width, -1)


def _longer_code(code: np.ndarray, digit: np.ndarray) -> np.ndarray:
    """Compute the hash of a prefix with one more digit; it has 64 bits."""
    return code * np.uint64(6364136223846793005) + (digit + 2).astype(np.uint64)


def with_others(digits: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Replace some of the sequences.

    Parameters
    ----------
    digits : ndarray of shape (n, top, max_length), int
        Sequences, -1 after the last digit.
    rows : ndarray of shape (n_others,), int
        Indices of the rows to replace.
    others : ndarray of shape (n_others, top, other_length), int
        The other sequences.

    Returns
    -------
    ndarray of shape (n, top, longest), int
        The sequences, with the columns of the wider array.
    """
    longest = max(digits.shape[2], others.shape[2])
    result = _as_long(digits, longest)
    result[rows] = _as_long(others, longest)
    return result


def _as_long(digits: np.ndarray, length: int) -> np.ndarray:
    """Pad sequences with -1 to a length."""
    missing = length - digits.shape[2]
    return np.pad(digits, [(0, 0), (0, 0), (0, missing)], constant_values=PADDING)


def digit_centres(scores: np.ndarray, digits: list[int]) -> np.ndarray:
    """Find the centres of digits, by the most probable alignment of a sequence with the frames.

    Parameters
    ----------
    scores : ndarray of shape (n_frames, n_digits + 1)
        Logarithm of the probability of each label in each frame, the blank last.
    digits : list of int
        The sequence; it must have at least one alignment.

    Returns
    -------
    ndarray of shape (len(digits),)
        Mean position of the frames of each digit, in frames from the left edge of the first.
    """
    if not digits:
        return np.zeros(0)
    blank = scores.shape[1] - 1
    states = np.full(2 * len(digits) + 1, blank)
    states[1::2] = digits
    skips = np.zeros(len(states), bool)  # from a digit to a different digit, without a blank
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, states[:2]]
    came = np.zeros((len(scores), len(states)), int)
    for t in range(1, len(scores)):
        steps = np.full((3, len(states)), -np.inf)
        steps[0], steps[1, 1:] = best, best[:-1]
        steps[2, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        came[t] = steps.argmax(axis=0)
        best = steps.max(axis=0) + scores[t, states]
    state = len(states) - 1 - int(best[-1] < best[-2])
    path_back = [state]
    for t in range(len(scores) - 1, 0, -1):
        state -= came[t, state]
        path_back.append(state)
    path = np.array(path_back[::-1])
    middles = [np.flatnonzero(path == 2 * k + 1).mean() for k in range(len(digits))]
    return np.array(middles) + 0.5
