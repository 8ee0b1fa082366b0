"""Split the characters that a network reads in a part of a picture into numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdigits.networks.labels import DIGITS
from skdigits.pictures.number_images import OTHER

FIRST_SIGNS = "+-$€£#"  # signs with which a number can begin
WIDEST_BLANK = 14  # frames between two characters of a number, of which a digit has about six
LAST_SIGNS = "%"  # signs with which a number can end


class NumberText(NamedTuple):
    """A number in a part of a picture.

    Parameters
    ----------
    text : str
        Its digits and signs.
    confidence : float
        Product of the probabilities of its characters.
    start, stop : int
        First frame of its first character, and first frame after its last character.
    """

    text: str
    confidence: float
    start: int
    stop: int


class _Character(NamedTuple):
    character: str
    probability: float
    start: int
    stop: int


def split_numbers(scores: np.ndarray, characters: str) -> list[NumberText]:
    """Find the numbers in the most probable characters of a part of a picture.

    Parameters
    ----------
    scores : ndarray of shape (n_frames, n_characters + 1)
        Logarithms of the probability of each character in each frame, the blank last.
    characters : str
        The characters; `OTHER` ends a number, and so does a blank that is wider than a digit.

    Returns
    -------
    list of NumberText
        The numbers from left to right.
    """
    path = _best_path(scores, characters)
    found: list[list[_Character]] = [[]]
    for before, character, after in zip(path[:1] + path, path, path[1:] + path[-1:], strict=False):
        is_wide = character.character == " " and after.start - before.stop > WIDEST_BLANK
        if character.character == OTHER or is_wide:
            found.append([])
        else:
            found[-1].append(character)
    return [_joined(number) for part in found if (number := _trimmed(part))]


def word_confidence(scores: np.ndarray, characters: str) -> float:
    """Return the probability that a part of a picture shows letters or other marks alone.

    The parameters are those of `split_numbers`. The result is 0 if the most probable characters
    contain a digit, or nothing but signs.
    """
    path = _best_path(scores, characters)
    seen = {found.character for found in path}
    if OTHER not in seen or seen.intersection(DIGITS):
        return 0.0
    return float(np.prod([found.probability for found in path]))


def _best_path(scores: np.ndarray, characters: str) -> list[_Character]:
    """Return the characters of the most probable label of each frame."""
    best = scores.argmax(axis=1)
    changes = np.flatnonzero(np.diff(best)) + 1
    starts, stops = np.append(0, changes), np.append(changes, len(best))
    return [
        _Character(
            characters[best[start]],
            float(np.exp(scores[start:stop, best[start]].max())),
            int(start),
            int(stop),
        )
        for start, stop in zip(starts, stops, strict=True)
        if best[start] < len(characters)
    ]


def _trimmed(part: list[_Character]) -> list[_Character]:
    """Leave out signs and blanks with which a number cannot begin or end."""
    start, stop = 0, len(part)
    while start < stop and part[start].character not in DIGITS + FIRST_SIGNS:
        start += 1
    while stop > start and part[stop - 1].character not in DIGITS + LAST_SIGNS:
        stop -= 1
    has_digits = any(character.character in DIGITS for character in part[start:stop])
    return part[start:stop] if has_digits else []


def _joined(number: list[_Character]) -> NumberText:
    text = "".join(character.character for character in number)
    confidence = float(np.prod([character.probability for character in number]))
    return NumberText(text, confidence, number[0].start, number[-1].stop)
