"""Predict sequences of digits in images of lines, batch by batch."""

from __future__ import annotations

import numpy as np

from skdigits.inference import ctc
from skdigits.inference.batches import Engine, compute, map_batches
from skdigits.networks.labels import PADDING
from skdigits.networks.trained import TrainedNetwork
from skdigits.pictures.line_images import HEIGHT, LineImages

OUTSIDE = -1  # value of the padding to the right of an image
BATCH_PIXELS = 2**18
# Width and slant of the augmented views, besides the unmodified image.
VIEWS = ((0.75, 0.0), (1.0, 0.2), (1.0, -0.2))


def read_sequences(
    network: TrainedNetwork, lines: LineImages, *, top: int = 1, engine: Engine | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences.

    Parameters
    ----------
    network : TrainedNetwork
        A network that reads sequences.
    lines : LineImages
        Images of bytes, of the network's height.
    top : int, default=1
        Number of sequences to find for each image, at most ``ctc.MOST_SEQUENCES``.
    engine : callable, optional
        Function that runs the network; ONNX Runtime by default.

    Returns
    -------
    digits : ndarray of shape (n, top, max_length), int
        The sequences, -1 after the last digit; the most probable first.
    log_probability : ndarray of shape (n, top), float
        Natural logarithms of their probabilities.
    """

    def read_batch(
        batch: tuple[np.ndarray, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen, rows = batch
        scores = _frame_scores(engine, network, rows, lines.widths[chosen])
        return chosen, *ctc.most_probable(scores, top)

    decoded = map_batches(engine, read_batch, list(lines.batches(BATCH_PIXELS)))
    longest = max(digits.shape[2] for _, digits, _ in decoded)
    digits = np.full((len(lines), top, longest), PADDING, np.int32)
    log_probability = np.zeros((len(lines), top))
    for chosen, found, found_log_probability in decoded:
        digits[chosen, :, : found.shape[2]] = found
        log_probability[chosen] = found_log_probability
    return digits, log_probability


def read_views(
    network: TrainedNetwork, lines: LineImages, *, top: int = 1, engine: Engine | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the most probable sequences by test-time augmentation.

    The probability of a sequence is the mean over the unmodified image and its augmented views; the
    candidates are the ten most probable sequences of the unmodified image.

    Parameters
    ----------
    network, lines, top, engine
        As in `read_sequences`.

    Returns
    -------
    digits, log_probability
        As in `read_sequences`.
    """
    views = [lines, *(lines.changed(*view) for view in VIEWS)]
    if top > 1:
        return _by_mean(engine, network, views, top)
    read, log_probability = _read_each(engine, network, views, 1)
    digits, log_mean = read[0], _log(np.exp(log_probability).mean(axis=0))
    # A sequence that is the best of all views is the result if its probability exceeds one half.
    is_sure = (read == digits).all(axis=(0, 2, 3)) & (log_mean[:, 0] > np.log(0.5))
    unsure = np.flatnonzero(~is_sure)
    if len(unsure):
        chosen = [LineImages([view.images[i] for i in unsure]) for view in views]
        better, log_mean[unsure] = _by_mean(engine, network, chosen, 1)
        digits = ctc.with_others(digits, unsure, better)
    return digits, log_mean


def _by_mean(
    engine: Engine | None, network: TrainedNetwork, views: list[LineImages], top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rank the sequences of the first view by their mean probability over all views."""
    read, log_probability = _read_each(engine, network, views, ctc.MOST_SEQUENCES)
    digits, parts = read[0], np.exp(log_probability)
    probability = parts[0]
    for others, part in zip(read[1:], parts[1:], strict=True):
        is_same = (digits[:, :, np.newaxis] == others[:, np.newaxis]).all(axis=3)
        probability += (is_same * part[:, np.newaxis]).sum(axis=2)
    best = np.argsort(-probability, axis=1, kind="stable")[:, :top]
    log_mean = _log(np.take_along_axis(probability, best, axis=1) / len(views))
    return np.take_along_axis(digits, best[..., np.newaxis], axis=1), log_mean


def _log(probability: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(probability)


def _read_each(
    engine: Engine | None, network: TrainedNetwork, views: list[LineImages], top: int
) -> tuple[np.ndarray, np.ndarray]:
    """Call `read_sequences` for all views at once."""
    together = LineImages([image for view in views for image in view.images])
    read, log_probability = read_sequences(network, together, top=top, engine=engine)
    shape = len(views), len(views[0])
    return read.reshape(*shape, *read.shape[1:]), log_probability.reshape(*shape, top)


def score_frames(
    network: TrainedNetwork, lines: LineImages, *, engine: Engine | None = None
) -> list[np.ndarray]:
    """Compute the logarithm of the probability of each label in each frame.

    Parameters
    ----------
    network : TrainedNetwork
        A network that reads sequences.
    lines : LineImages
        Images of bytes, of the network's height.
    engine : callable, optional
        Function that runs the network; ONNX Runtime by default.

    Returns
    -------
    list of ndarray of shape (n_frames, n_digits + 1)
        Log-probabilities of each image; the blank last.
    """
    found = [np.empty(0)] * len(lines)
    n_frames = network.key.spec.n_frames(lines.widths)
    for chosen, rows in lines.batches(BATCH_PIXELS):
        scores = _frame_scores(engine, network, rows, lines.widths[chosen])
        for i, image_scores in zip(chosen, scores, strict=True):
            found[i] = image_scores[: n_frames[i]]
    return found


def _frame_scores(
    engine: Engine | None, network: TrainedNetwork, rows: np.ndarray, widths: np.ndarray
) -> np.ndarray:
    """Compute log-probabilities per frame and label of images, given as rows of pixels."""
    dtype = np.dtype(network.key.spec.dtype)
    images = rows.reshape(len(rows), HEIGHT, -1) * dtype.type(network.scale)
    inside = np.arange(images.shape[2]) < widths[:, np.newaxis]
    images = np.where(inside[:, np.newaxis], images, dtype.type(OUTSIDE))
    logits = compute(engine, network, images[..., np.newaxis])
    scores = ctc.log_softmax(logits.astype(np.float64))
    return ctc.end_after(scores, network.key.spec.n_frames(widths))
