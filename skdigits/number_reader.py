"""Find the numbers of a picture among words and other marks, and read them with their signs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skdigits.estimator import network_of
from skdigits.inference import ctc
from skdigits.inference.finding import best_boxes, find_numbers
from skdigits.inference.lines import score_frames
from skdigits.inference.number_texts import NumberText, split_numbers, word_confidence
from skdigits.networks.labels import DIGITS, as_strings
from skdigits.pictures.cutting import as_image, lines_in
from skdigits.pictures.grey import to_grey
from skdigits.pictures.layout import in_picture
from skdigits.pictures.line_images import LineImages
from skdigits.pictures.number_images import DIGIT_ROWS, MARGIN, NumberBox, cut_numbers
from skdigits.pictures.tables import find_rows
from skdigits.pretrained import load_finder, load_number_recognizer, load_pretrained

if TYPE_CHECKING:
    from skdigits.inference.patterns import Automaton
    from skdigits.networks.trained import TrainedNetwork
    from skdigits.sequence import DigitSequenceRecognizer
    from skdigits.typing import Picture

LONGEST = 4000  # pixels; larger pictures are reduced
WORD = NumberText("", 0.0, 0, 0)  # a place that shows no number
OVERLAP = 0.35  # largest common part of two numbers, relative to the smaller box
SURE = 0.9  # confidence from which numbers are not read again
UPRIGHT = 0.95  # cosine of the largest tilt of numbers that are read again
PREFERENCE = 1.5  # ratio of confidences from which numbers are preferred to digits alone
AROUND = 0.4, 0.25  # parts of digits before and after their frames, in heights
SLACK = 0.5  # distance from its box, in heights, that the middle of a number can have


class Number(NamedTuple):
    """A number in a picture.

    Parameters
    ----------
    text : str
        Its digits and signs.
    confidence : float
        Probability of the text, from 0 to 1.
    box : tuple of int
        Left, top, right and bottom in pixels of the upright picture.
    """

    text: str
    confidence: float
    box: tuple[int, int, int, int]


def read_numbers(
    picture: Picture, automaton: Automaton | None = None
) -> tuple[list[Number], float]:
    """Find and read the numbers of a picture.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width) or (height, width, channels)
        The picture, as for `skdigits.pictures.clean_picture`.
    automaton : Automaton, optional
        Pattern that the numbers must match; other numbers are left out. By default, all numbers
        are read.

    Returns
    -------
    numbers : list of Number
        The numbers in reading order; those with a low confidence are often words.
    share : float
        Share of the places found that show words instead of numbers, from 0 to 1; 0 if nothing
        was found.
    """
    grey = to_grey(picture, longest=LONGEST)
    boxes = find_numbers(_finder(), grey)
    if not boxes:
        return [], 0.0
    recognizer = number_recognizer()
    scores = score_frames(network_of(recognizer), LineImages(cut_numbers(grey, boxes)))
    found: list[tuple[NumberText, NumberBox]] = []
    for box, frames in zip(boxes, scores, strict=True):
        found += _numbers_in(box, frames, automaton)
        if confidence := word_confidence(frames, recognizer.characters_):
            found.append((WORD._replace(confidence=confidence), box))
    ranks = [number.confidence * (1 + 0.1 * len(number.text)) for number, _ in found]
    chosen = best_boxes([box for _, box in found], ranks, OVERLAP)
    numbers = [found[i] for i in chosen if found[i][0].text]
    share = 1 - len(numbers) / max(1, len(chosen))
    return _in_order(numbers, grey, picture), share


def _in_order(
    found: list[tuple[NumberText, NumberBox]], grey: np.ndarray, picture: Picture
) -> list[Number]:
    """Read doubtful numbers again, and return all in reading order."""
    if not found:
        return []
    bounds = np.array([box.bounds for _, box in found]).clip(0)
    found = _read_again(found, bounds, grey)
    order = np.lexsort([bounds[:, 0], find_rows(bounds)])
    edges = np.column_stack([np.floor(bounds[:, :2]), np.ceil(bounds[:, 2:])]).astype(np.int64)
    edges = in_picture(edges, picture, LONGEST)
    return [
        Number(found[i][0].text, found[i][0].confidence, tuple(edges[i].tolist())) for i in order
    ]


def _numbers_in(
    box: NumberBox, scores: np.ndarray, automaton: Automaton | None
) -> list[tuple[NumberText, NumberBox]]:
    """Return the numbers of a cut-out whose middle is in the box, not in its margins."""
    recognizer = number_recognizer()
    pixels = network_of(recognizer).key.spec.columns_per_frame * box.height / DIGIT_ROWS
    found = []
    for number in split_numbers(scores, recognizer.characters_):
        if automaton is not None:
            number = _matching(number, scores, automaton)
        start, stop = (at * pixels - MARGIN * box.height for at in (number.start, number.stop))
        slack = SLACK * box.height
        inside = -slack <= (start + stop) / 2 <= box.length + slack
        if inside and number.text:
            # The frames of a digit are in its middle.
            before, after = (part * box.height for part in AROUND)
            found.append((number, box.part(start - before, stop + after)))
    return found


def _matching(number: NumberText, scores: np.ndarray, automaton: Automaton) -> NumberText:
    """Return the most probable text for the frames of a number that matches a pattern."""
    frames = scores[np.newaxis, max(0, number.start - 1) : number.stop + 1]
    labels, log_probability = ctc.most_probable(frames, 1, automaton)
    (sequence,) = as_strings(labels[0], number_recognizer().characters_)
    confidence = float(np.exp(log_probability[0, 0]))
    return number._replace(text=automaton.text(str(sequence)), confidence=confidence)


def _read_again(
    found: list[tuple[NumberText, NumberBox]], bounds: np.ndarray, grey: np.ndarray
) -> list[tuple[NumberText, NumberBox]]:
    """Read doubtful numbers without signs again, with the network for lines of digits.

    It knows handwriting better. Its text is preferred if it has as many digits and is more certain.
    """
    doubtful = [i for i, (number, box) in enumerate(found) if _is_doubtful(number, box)]
    lines = lines_in(np.rint(bounds[doubtful]).astype(int), grey)
    images = {i: as_image(line) for i, (line, _, _) in zip(doubtful, lines, strict=True) if line}
    if not images:
        return found
    texts, confidences = sequence_recognizer().predict_top_k([*images.values()], k=1)
    result = [*found]
    for i, text, confidence in zip(images, texts[:, 0], confidences[:, 0], strict=True):
        number, box = found[i]
        if len(text) == len(number.text) and PREFERENCE * confidence >= number.confidence:
            result[i] = number._replace(text=str(text), confidence=float(confidence)), box
    return result


def _is_doubtful(number: NumberText, box: NumberBox) -> bool:
    upright = box.along[0] > UPRIGHT
    return upright and number.confidence < SURE and all(c in DIGITS for c in number.text)


@cache
def _finder() -> TrainedNetwork:
    return load_finder()


@cache
def number_recognizer() -> DigitSequenceRecognizer:
    """Load the network that reads numbers once; nothing may change it."""
    return load_number_recognizer()


@cache
def sequence_recognizer() -> DigitSequenceRecognizer:
    """Load the network that reads lines of digits once; nothing may change it."""
    return load_pretrained("sequence")
