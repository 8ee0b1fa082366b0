"""Find the numbers of a picture with a network that marks the pixels of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from skdigits.inference.sessions import run
from skdigits.networks.trained import TrainedNetwork
from skdigits.pictures.number_images import NumberBox

MARGIN = 24  # pixels added around a picture, as a multiple of STRIDE
STRIDE = 4  # pixels per output of the network, in both directions
N_TURNS = 4  # outputs: no number; a number turned by 0–3 quarters anticlockwise; its height
DIRECTIONS = ((1, 0), (0, -1), (-1, 0), (0, 1))  # of reading, for each turn
USUAL_HEIGHT = 16.0  # pixels; the network computes the binary logarithm of height / usual height
HEIGHTS = (8.0, 50.0)  # heights that the network has learnt, in pixels
LONGEST = 1600  # height and width of the largest picture that the network is given
SMALLEST = 48  # height or width of the smallest one
STEP = 2.6  # factor between the sizes at which a picture is searched; it is below 50 / 8
MOST_SIZES = 4
LEAST_FACTOR = 0.5  # of a picture that is enlarged, because it has small digits or none
SMALL = 16.0  # pixels; height of small digits
LEAST_PROBABILITY = 0.4  # of a pixel that is marked
LEAST_PEAK = 0.7  # largest probability of the marked pixels of a number
OTHER_HEIGHT = 0.6  # rank of a box whose height the network has not learnt
DUPLICATE = 0.6  # common part of two boxes of one number, relative to the larger box
STRAIGHT = 6  # pixels, and ratio of variances, from which the direction of a box is measured


def find_numbers(network: TrainedNetwork, grey: np.ndarray) -> list[NumberBox]:
    """Find the numbers of a picture.

    The picture is searched at several sizes, because the network knows digits of 8 to 50 pixels.

    Parameters
    ----------
    network : TrainedNetwork
        A network of the architecture ``finder``.
    grey : ndarray of shape (height, width), float32
        Grey levels from 0 to 255.

    Returns
    -------
    list of NumberBox
        A box around each number, in any order. A box may be somewhat too short, and may contain
        several numbers of a line. Boxes that were found at different sizes can overlap.
    """
    longest = max(grey.shape)
    factor = max(1.0, longest / LONGEST)
    found = []
    for _ in range(MOST_SIZES):
        found += _boxes_at(network, grey, factor)
        factor *= STEP
        if longest / factor < SMALLEST:
            break
    enlarged = max(LEAST_FACTOR, longest / LONGEST)
    if enlarged < 1 and (not found or min(box.height for _, box in found) < SMALL):
        found += _boxes_at(network, grey, enlarged)
    boxes = [box for _, box in found]
    return [boxes[i] for i in best_boxes(boxes, [rank for rank, _ in found], DUPLICATE, np.maximum)]


def _boxes_at(
    network: TrainedNetwork, grey: np.ndarray, factor: float
) -> list[tuple[float, NumberBox]]:
    """Search a picture that is reduced by a factor; return boxes with their ranks."""
    height, width = grey.shape
    size = max(8, round(width / factor)), max(8, round(height / factor))
    resized = grey
    if size != (width, height):
        picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
        method = Image.Resampling.BOX if factor > 1 else Image.Resampling.BICUBIC
        resized = np.asarray(picture.resize(size, method), np.float32)
    found = []
    for box in _boxes(*_marks(network, resized)):
        known = HEIGHTS[0] <= box.height <= HEIGHTS[1]
        rank = box.score * (1 if known else OTHER_HEIGHT)
        found.append((rank, box.scaled(width / size[0], height / size[1])))
    return found


def _marks(network: TrainedNetwork, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of each turn (first: no number) and the height for each output."""
    margins = [(MARGIN, MARGIN + -side % STRIDE) for side in grey.shape]
    images = np.pad(grey, margins, mode="edge")[np.newaxis, ..., np.newaxis] / 127.5 - 1
    outputs = run(network, images.astype(np.float32))[0]
    rows, columns = (slice(MARGIN // STRIDE, -(MARGIN // STRIDE)) for _ in grey.shape)
    outputs = outputs[rows, columns]
    turns, levels = outputs[..., : N_TURNS + 1], outputs[..., N_TURNS + 1]
    shares = np.exp(turns - turns.max(axis=-1, keepdims=True))
    heights = USUAL_HEIGHT * 2.0 ** levels.clip(-2, 3)
    return shares / shares.sum(axis=-1, keepdims=True), heights


def _boxes(shares: np.ndarray, heights: np.ndarray) -> list[NumberBox]:
    """Return a box for each connected group of marked outputs."""
    marked = 1 - shares[..., 0]
    labels, _ = ndimage.label(marked > LEAST_PROBABILITY)
    boxes = []
    on_page = (shares * (labels > 0)[..., np.newaxis]).sum(axis=(0, 1))[1:]
    for label, part in enumerate(ndimage.find_objects(labels), 1):
        inside = labels[part] == label
        rows, columns = np.nonzero(inside)
        if len(rows) < 2 or marked[part][inside].max() < LEAST_PEAK:
            continue
        turn = int(shares[part][inside][:, 1:].sum(axis=0).argmax())
        if on_page[(turn + 2) % N_TURNS] > on_page[turn]:  # no page has numbers upside down
            turn = (turn + 2) % N_TURNS
        height = float(np.median(heights[part][inside]))
        points = np.column_stack([columns + part[1].start, rows + part[0].start])
        points = (points + 0.5) * STRIDE
        boxes.append(_box(points, turn, height, float(marked[part][inside].mean())))
    return boxes


def _box(points: np.ndarray, turn: int, height: float, score: float) -> NumberBox:
    """Return the box around the centres of marked outputs."""
    centre = points.mean(axis=0)
    along = np.array(DIRECTIONS[turn], np.float64)
    if len(points) >= STRAIGHT:
        variances, axes = np.linalg.eigh(np.cov((points - centre).T))
        axis = axes[:, 1]
        if variances[1] > STRAIGHT * variances[0] and abs(axis @ along) > 0.85:
            along = axis * np.sign(axis @ along)
    down = np.array([-along[1], along[0]])
    places, levels = (points - centre) @ along, (points - centre) @ down
    edge = STRIDE / 2 + 0.08 * height
    start, stop = places.min() - edge, places.max() + edge
    middle = (levels.min() + levels.max()) / 2 if len(points) < 2 * STRAIGHT else 0.0
    x, y = centre + along * (start + stop) / 2 + down * middle
    return NumberBox(float(x), float(y), (along[0], along[1]), stop - start, height, score)


def best_boxes(
    boxes: Sequence[NumberBox], ranks: Sequence[float], overlap: float, of: Any = np.minimum
) -> list[int]:
    """Choose boxes that do not overlap, the best first.

    Parameters
    ----------
    boxes : sequence of NumberBox
        The boxes.
    ranks : sequence of float
        How good each is; of equally good ones, the larger is better.
    overlap : float
        Largest common part of two boxes, relative to the area of one.
    of : {numpy.minimum, numpy.maximum}, default=numpy.minimum
        Whether this is the smaller or the larger one.

    Returns
    -------
    list of int
        Indices of the chosen boxes.
    """
    bounds = np.array([box.bounds for box in boxes]).reshape(-1, 4)
    areas = (bounds[:, 2:] - bounds[:, :2]).prod(axis=1)
    kept: list[int] = []
    for i in np.argsort(-np.array(ranks) * (1 + 0.05 * np.log(areas.clip(1))), kind="stable"):
        low = np.maximum(bounds[kept, :2], bounds[i, :2])
        high = np.minimum(bounds[kept, 2:], bounds[i, 2:])
        shared = (high - low).clip(0).prod(axis=1)
        if (shared <= overlap * of(areas[kept], areas[i])).all():
            kept.append(int(i))
    return kept
