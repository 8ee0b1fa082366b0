"""Sequences of digits in images of lines, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skdigits.inference import ctc
from skdigits.inference.engines import compute
from skdigits.inference.line_images import LineImages
from skdigits.networks.trained import TrainedNetwork

OUTSIDE = -1  # value of the pixels to the right of an image
BATCH_PIXELS = 2**18


def read_sequences(
    network: TrainedNetwork, lines: LineImages, *, top: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences.

    Parameters
    ----------
    network : TrainedNetwork
        A network that reads sequences.
    lines : LineImages
        Images of bytes and of the network's height.
    top : int, default=1
        Number of sequences to find for each image, at most ``ctc.BEAM_WIDTH``.

    Returns
    -------
    digits : ndarray of shape (n, top, max_length), int
        The sequences, -1 after the last digit; the most probable first.
    log_probability : ndarray of shape (n, top), float
        Natural logarithms of their probabilities.
    """
    decoded = [
        (chosen, *ctc.most_probable(scores, top))
        for chosen, scores in _frame_scores(network, lines)
    ]
    longest = max(digits.shape[2] for _, digits, _ in decoded)
    digits = np.full((len(lines), top, longest), ctc.PADDING, np.int32)
    log_probability = np.zeros((len(lines), top))
    for chosen, found, found_log_probability in decoded:
        digits[chosen, :, : found.shape[2]] = found
        log_probability[chosen] = found_log_probability
    return digits, log_probability


def score_frames(network: TrainedNetwork, lines: LineImages) -> list[np.ndarray]:
    """Compute the logarithm of the probability of each label in each frame.

    Parameters
    ----------
    network : TrainedNetwork
        A network that reads sequences.
    lines : LineImages
        Images of bytes and of the network's height.

    Returns
    -------
    list of ndarray of shape (n_frames, n_digits + 1)
        For each image; the blank last.
    """
    found = [np.empty(0)] * len(lines)
    for chosen, scores in _frame_scores(network, lines):
        for i, image_scores in zip(chosen, scores, strict=True):
            found[i] = image_scores[: ctc.frames(lines.widths[i])]
    return found


def _frame_scores(network, lines) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices of the images of each batch, and their log-probabilities per frame and label."""
    height, _, channels = network.key.spec.image_shape
    dtype = np.dtype(network.key.spec.dtype)
    for chosen, rows in lines.batches(BATCH_PIXELS):
        widths = lines.widths[chosen]
        images = rows.reshape(len(rows), height, -1) * dtype.type(network.scale)
        images[np.broadcast_to(_outside(widths, images.shape[2])[:, None], images.shape)] = OUTSIDE
        logits = compute(network, images[..., None].repeat(channels, axis=3))
        scores = ctc.log_softmax(logits.astype(np.float64))
        yield chosen, ctc.end_after(scores, ctc.frames(widths))


def _outside(widths, width):
    return np.arange(width) >= widths[:, np.newaxis]
