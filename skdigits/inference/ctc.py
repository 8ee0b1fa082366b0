"""Decode the output of a network with connectionist temporal classification (CTC).

Graves et al., "Connectionist temporal classification" (2006). For each frame (a few columns of
pixels), the network computes the probability of each label. The last label, the blank, means that
the frame adds no character.
"""

from __future__ import annotations

import numpy as np

from skdigits.inference.beam import beam_search
from skdigits.inference.patterns import Automaton
from skdigits.networks.labels import PADDING, moved_left

MOST_SEQUENCES = 10  # maximum of `top`; with one frame, only eleven sequences are possible
UNDERFLOW = -300  # minimum logarithm of a product; float64 numbers can be as small as exp(-708)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Compute natural logarithms of probabilities from scores (logits) along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def end_after(scores: np.ndarray, n_frames: np.ndarray) -> np.ndarray:
    """Set the probability of the blank to 1 in all frames after the end of an image.

    CTC then ignores these frames.

    Parameters
    ----------
    scores : ndarray of shape (n, max_frames, n_digits + 1)
        Logarithms of probabilities, the blank last.
    n_frames : ndarray of shape (n,), int
        Number of frames of each image.

    Returns
    -------
    ndarray of the same shape
        Logarithms of probabilities.
    """
    after = np.arange(scores.shape[1]) >= n_frames[:, np.newaxis]
    certain = np.full(scores.shape[2], -np.inf)
    certain[-1] = 0
    return np.where(after[..., np.newaxis], certain, scores)


def most_probable(
    scores: np.ndarray, top: int, automaton: Automaton | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1) or (n_views, n, n_frames, n_digits + 1)
        Logarithms of the probability of each label in each frame, the blank last. With several
        views, the probability of a sequence is the mean over the views of an image. The candidates
        are the ``MOST_SEQUENCES`` most probable sequences of the first view.
    top : int
        Number of sequences per image, at most ``MOST_SEQUENCES``.
    automaton : Automaton, optional
        Pattern that the sequences must match; by default, all sequences are allowed.

    Returns
    -------
    digits : ndarray of shape (n, top, max_length), int
        The sequences, padded with -1; the most probable first. If fewer than `top` sequences match,
        the last ones are empty.
    log_probability : ndarray of shape (n, top)
        Natural logarithms of the probabilities; all sequences of an image, matching or not, have a
        total probability of 1. The value is -inf for missing sequences, and NaN if a score is NaN.
    """
    views = scores.reshape(-1, *scores.shape[-3:])
    if top > 1:
        return _search(views, top, automaton)
    known = np.where(np.isnan(views), 0, views)
    best = best_path(known.reshape(-1, *known.shape[2:])).reshape(*known.shape[:2], 1, -1)
    log_probability = np.full((len(best[0]), 1), -np.inf)
    is_alike = (best == best[0]).all(axis=(0, 2, 3))
    log_probability[is_alike] = _log_mean(_in_views(views[:, is_alike], best[:, is_alike]))
    # If a sequence has a probability above 0.5, no other sequence is more probable.
    is_sure = log_probability[:, 0] > np.log(0.5)
    if automaton is not None:
        is_sure &= automaton.matches(best[0][:, 0])
    unsure = np.flatnonzero(~is_sure)
    if not len(unsure):
        return best[0], log_probability
    better, log_probability[unsure] = _search(views[:, unsure], 1, automaton)
    return with_others(best[0], unsure, better), log_probability


def _search(
    views: np.ndarray, top: int, automaton: Automaton | None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences by a beam search."""
    return _by_beam(views, top) if automaton is None else _by_automaton(views, top, automaton)


def _by_automaton(
    views: np.ndarray, top: int, automaton: Automaton
) -> tuple[np.ndarray, np.ndarray]:
    """Rank the most probable matching sequences of the first view by their mean probability."""
    first = views[0]
    digits, found = beam_search(np.where(np.isnan(first), 0, first), automaton=automaton)
    in_views = _in_views(views, np.broadcast_to(digits, (len(views), *digits.shape)))
    return _ranked(digits, np.where(found, _log_mean(in_views), -np.inf), top)


def _by_beam(views: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Rank the most probable sequences of the first view by their mean probability.

    If a sequence is not among the ten most probable sequences of a view, its probability in this
    view counts as 0.
    """
    flat = views.reshape(-1, *views.shape[2:])
    digits, found = beam_search(np.where(np.isnan(flat), 0, flat))
    log_probability = np.where(found, log_probability_of(flat, digits), -np.inf)
    digits, log_probability = _ranked(digits, log_probability, MOST_SEQUENCES)
    shape = *views.shape[:2], MOST_SEQUENCES
    digits, log_probability = digits.reshape(*shape, -1), log_probability.reshape(shape)
    is_same = (digits[0][:, :, np.newaxis] == digits[:, :, np.newaxis]).all(axis=-1)
    in_views = np.where(is_same, log_probability[:, :, np.newaxis], -np.inf).max(axis=-1)
    log_mean = np.where(np.isneginf(log_probability[0]), -np.inf, _log_mean(in_views))
    log_mean[np.isnan(log_probability).any(axis=(0, 2))] = np.nan
    return _ranked(digits[0], log_mean, top)


def _ranked(
    digits: np.ndarray, log_probability: np.ndarray, top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the `top` most probable sequences of each image, and their log-probabilities."""
    order = np.argsort(-log_probability, axis=1, kind="stable")[:, :top]
    digits = np.take_along_axis(digits, order[..., np.newaxis], axis=1)
    return digits, np.take_along_axis(log_probability, order, axis=1)


def _in_views(views: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Compute the log-probability of each sequence in each view."""
    flat = log_probability_of(
        views.reshape(-1, *views.shape[2:]), digits.reshape(-1, *digits.shape[2:])
    )
    return flat.reshape(digits.shape[:-1])


def _log_mean(log_probability: np.ndarray) -> np.ndarray:
    """Compute the logarithm of the mean probability over the views (first axis)."""
    with np.errstate(invalid="ignore"):  # NaN
        return np.logaddexp.reduce(log_probability, axis=0) - np.log(len(log_probability))


def best_path(scores: np.ndarray) -> np.ndarray:
    """Take the most probable label of each frame, merge repeated labels, and remove blanks.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1)
        Score of each label in each frame, the blank last.

    Returns
    -------
    ndarray of shape (n, max_length), int
        The sequences, padded with -1; at least one column.
    """
    best = scores.argmax(axis=2)
    read = best != scores.shape[2] - 1
    read[:, 1:] &= best[:, 1:] != best[:, :-1]
    return moved_left(best, read)


def log_probability_of(scores: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Compute the probability of sequences, summed over all alignments with the frames.

    Parameters
    ----------
    scores : ndarray of shape (n, n_frames, n_digits + 1)
        Logarithms of the probability of each label in each frame, the blank last.
    digits : ndarray of shape (n, max_length) or (n, n_sequences, max_length), int
        One or several sequences for each image, padded with -1.

    Returns
    -------
    ndarray of shape (n,) or (n, n_sequences)
        Natural logarithms of the probabilities; -inf if there are too few frames.
    """
    several = digits if digits.ndim == 3 else digits[:, np.newaxis]
    states, length = _states(several, scores.shape[2])
    n_states, n_sequences = states.shape
    skips = np.zeros(states.shape)  # 1 if the blank between two different digits can be skipped
    skips[3::2] = states[3::2] != states[1:-2:2]
    reached = np.zeros((2 + n_states, n_sequences))  # with two rows of zeros at the top
    reached[2] = 1  # all alignments start here, before the first frame
    one_before, two_before, here = reached[1:-1], reached[:-2], reached[2:]
    moved, skipped, emitted = np.empty((3, *states.shape))
    logarithm = np.zeros(n_sequences)
    every = _frames_without_underflow(scores)
    for t, probability in enumerate(_with_impossible(scores)):
        np.add(here, one_before, moved)
        np.multiply(two_before, skips, skipped)
        np.add(moved, skipped, moved)
        probability.take(states, out=emitted, mode="clip")  # faster; no index is out of range
        np.multiply(moved, emitted, here)
        if t % every == 0:
            largest = reached.max(axis=0)
            largest[largest == 0] = 1
            reached /= largest
            logarithm += np.log(largest)
    sequences = np.arange(n_sequences)
    ends = reached[2 + 2 * length, sequences] + reached[1 + 2 * length, sequences]
    with np.errstate(divide="ignore"):
        logarithm += np.log(ends)
    return np.minimum(logarithm, 0).reshape(digits.shape[:-1])  # rounded sums may exceed 1


def _states(digits: np.ndarray, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    """List the label of each state of the alignments: blank, digit, blank, …, digit, blank.

    Parameters
    ----------
    digits : ndarray of shape (n, n_sequences, max_length), int
        The sequences, padded with -1.
    n_labels : int
        Number of labels.

    Returns
    -------
    states : ndarray of shape (1 + 2 * max_length, n * n_sequences), int
        Indices into the rows of `_with_impossible`.
    length : ndarray of shape (n * n_sequences,), int
        Number of digits of each sequence.
    """
    n, n_sequences, longest = digits.shape
    digits = np.moveaxis(digits, 2, 0)
    is_digit = digits != PADDING
    states = np.full((1 + 2 * longest, n, n_sequences), n_labels - 1)
    states[1::2] = np.where(is_digit, digits, n_labels)
    states += (n_labels + 1) * np.arange(n)[:, np.newaxis]
    return states.reshape(len(states), -1), is_digit.sum(axis=0).ravel()


def _with_impossible(scores: np.ndarray) -> np.ndarray:
    """Convert log-probabilities to probabilities, and add a label with probability 0.

    The result has shape (n_frames, n * (n_labels + 1)).
    """
    n, n_frames, n_labels = scores.shape
    probability = np.zeros((n_frames, n, n_labels + 1))
    np.exp(scores.swapaxes(0, 1), out=probability[..., :-1])
    return probability.reshape(n_frames, -1)


def _frames_without_underflow(scores: np.ndarray) -> int:
    """Return the number of frames whose probabilities can be multiplied without underflow."""
    least = scores.min(where=np.isfinite(scores), initial=-1)
    return max(1, int(UNDERFLOW / least))


def with_others(digits: np.ndarray, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Replace the sequences in some rows.

    Parameters
    ----------
    digits : ndarray of shape (n, top, max_length), int
        Sequences, padded with -1.
    rows : ndarray of shape (n_others,), int
        Indices of the rows to replace.
    others : ndarray of shape (n_others, top, other_length), int
        The new sequences of these rows.

    Returns
    -------
    ndarray of shape (n, top, longest), int
        All sequences, padded to the length of the longest sequence.
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
    """Find the centres of digits from the most probable alignment of a sequence with the frames.

    Parameters
    ----------
    scores : ndarray of shape (n_frames, n_digits + 1)
        Logarithm of the probability of each label in each frame, the blank last.
    digits : list of int
        The sequence; at least one alignment must be possible.

    Returns
    -------
    ndarray of shape (len(digits),)
        Mean position of the frames of each digit, in frames from the left edge of the image.
    """
    if not digits:
        return np.zeros(0)
    blank = scores.shape[1] - 1
    states = np.full(2 * len(digits) + 1, blank)
    states[1::2] = digits
    skips = np.zeros(len(states), bool)  # the blank between two different digits can be skipped
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
