"""Decode the output of a network per frame by connectionist temporal classification (CTC).

Graves et al., "Connectionist temporal classification" (2006). For every frame (a few columns of
pixels), the network outputs the probability of each digit and of the blank, which means no digit.
"""

from __future__ import annotations

import numpy as np

COLUMNS_PER_FRAME = 4
PADDING = -1  # fills labels after the last digit
BEAM_WIDTH = 10  # a frame has at most one leaf per digit and one for the blank


def frames(widths):
    """Count the frames of images.

    Parameters
    ----------
    widths : int, or ndarray or tensor of int
        Widths in pixels.

    Returns
    -------
    int, or ndarray or tensor of int
        Number of frames; the last frame may have fewer columns.
    """
    return -(-widths // COLUMNS_PER_FRAME)


def digit_centres(scores, digits) -> np.ndarray:
    """Find the centres of digits by the most probable alignment of a sequence with the frames.

    Parameters
    ----------
    scores : ndarray of shape (n_frames, n_digits + 1)
        Logarithm of the probability of each label in each frame, the blank last.
    digits : list of int
        The sequence; there is at least one way to align it.

    Returns
    -------
    ndarray of shape (len(digits),)
        Middle of the frames of each digit, in pixels from the left.
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
    return (np.array(middles) + 0.5) * COLUMNS_PER_FRAME
