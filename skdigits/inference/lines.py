"""Predict sequences of digits in images of lines, group by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skdigits.inference import ctc
from skdigits.inference.batches import Engine, compute, map_batches
from skdigits.inference.patterns import Automaton
from skdigits.networks.labels import PADDING
from skdigits.networks.trained import TrainedNetwork
from skdigits.pictures.line_images import HEIGHT, LineImages

OUTSIDE = -1  # value of the padding to the right of an image
BATCH_PIXELS = 2**15  # per batch of images of one width, in a thread with ONNX Runtime
PADDED_PIXELS = 2**18  # per batch of padded images, with another engine
GROUP_PIXELS = 2**21  # per group of images that are decoded together
# Width factor and slant of each augmented view; the unmodified image is read too.
VIEWS = ((0.75, 0.0), (1.0, 0.2), (1.0, -0.2))


def read_sequences(
    network: TrainedNetwork,
    lines: LineImages,
    *,
    top: int = 1,
    engine: Engine | None = None,
    automaton: Automaton | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences.

    Parameters
    ----------
    network : TrainedNetwork
        A network that reads sequences.
    lines : LineImages
        Images of dtype uint8, with the height of the network's input.
    top : int, default=1
        Number of sequences to find for each image, at most ``ctc.MOST_SEQUENCES``.
    engine : callable, optional
        Function that runs the network; ONNX Runtime by default.
    automaton : Automaton, optional
        Pattern that the sequences must match; by default, all sequences are allowed.

    Returns
    -------
    digits : ndarray of shape (n, top, max_length), int
        The sequences, padded with -1; the most probable first. If an image has
        fewer than `top` possible sequences, the last ones are empty.
    log_probability : ndarray of shape (n, top), float
        Natural logarithms of their probabilities.
    """
    return _read(engine, network, lines, (), top, automaton)


def read_views(
    network: TrainedNetwork,
    lines: LineImages,
    *,
    top: int = 1,
    engine: Engine | None = None,
    automaton: Automaton | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences with test-time augmentation.

    The candidates are the ten most probable sequences of the unmodified image. The probability of a
    sequence is the mean over the unmodified image and its augmented views. Parameters and results
    are those of `read_sequences`.
    """
    return _read(engine, network, lines, VIEWS, top, automaton)


def _read(
    engine: Engine | None,
    network: TrainedNetwork,
    lines: LineImages,
    views: Sequence[tuple[float, float]],
    top: int,
    automaton: Automaton | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences of the unmodified images and their augmented views."""
    decoded = []
    n_beams = 1 if automaton is None else len(automaton.steps)
    for chosen in lines.groups(GROUP_PIXELS // (1 + len(views)) // n_beams):
        group = lines[chosen].with_views(views)
        scores = _score_frames(engine, network, group)
        in_views = scores.reshape(1 + len(views), len(chosen), *scores.shape[1:])
        decoded.append((chosen, *ctc.most_probable(in_views, top, automaton)))
    longest = max(found.shape[2] for _, found, _ in decoded)
    digits = np.full((len(lines), top, longest), PADDING, np.int32)
    log_probability = np.zeros((len(lines), top))
    for chosen, found, found_log_probability in decoded:
        digits[chosen, :, : found.shape[2]] = found
        log_probability[chosen] = found_log_probability
    return digits, log_probability


def score_frames(
    network: TrainedNetwork, lines: LineImages, *, engine: Engine | None = None
) -> list[np.ndarray]:
    """Compute the log-probability of each label in each frame.

    Parameters
    ----------
    network : TrainedNetwork
        A network that reads sequences.
    lines : LineImages
        Images of dtype uint8, with the height of the network's input.
    engine : callable, optional
        Function that runs the network; ONNX Runtime by default.

    Returns
    -------
    list of ndarray of shape (n_frames, n_digits + 1)
        Natural logarithms of the probabilities in each image; the blank is last.
    """
    found = [np.empty(0)] * len(lines)
    n_frames = network.key.spec.n_frames(lines.widths)
    for chosen in lines.groups(GROUP_PIXELS):
        scores = _score_frames(engine, network, lines[chosen])
        for i, image_scores in zip(chosen, scores, strict=True):
            found[i] = image_scores[: n_frames[i]]
    return found


def _score_frames(engine: Engine | None, network: TrainedNetwork, lines: LineImages) -> np.ndarray:
    """Compute log-probabilities of images, of shape (n, max_frames, n_digits + 1)."""
    spec = network.key.spec
    dtype = np.dtype(spec.dtype)
    n_frames = spec.n_frames(lines.widths)
    scores = np.empty((len(lines), n_frames.max(), spec.n_outputs))

    def score_batch(batch: tuple[np.ndarray, np.ndarray]) -> None:
        chosen, rows = batch
        images = rows.reshape(len(rows), HEIGHT, -1) * dtype.type(network.scale)
        inside = np.arange(images.shape[2]) < lines.widths[chosen, np.newaxis]
        images = np.where(inside[:, np.newaxis], images, dtype.type(OUTSIDE))
        logits = compute(engine, network, images[..., np.newaxis])
        scores[chosen, : logits.shape[1]] = ctc.log_softmax(logits.astype(np.float64))

    if engine is None:  # widest images first, so that all threads end at about the same time
        batches = [*lines.batches(BATCH_PIXELS, padded=False)][::-1]
    else:
        batches = [*lines.batches(PADDED_PIXELS)]
    if HEIGHT * lines.widths.sum() <= BATCH_PIXELS:  # threads would save no time
        for batch in batches:
            score_batch(batch)
    else:
        map_batches(engine, score_batch, batches)
    return ctc.end_after(scores, n_frames)
