"""Read the numbers in a picture with pretrained networks."""

from __future__ import annotations

import math
import os
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from skdigits.inference import ctc
from skdigits.inference.patterns import MOST_STATES, Automaton
from skdigits.networks.labels import DIGITS
from skdigits.number_reader import (
    PREFERENCE,
    SURE,
    number_recognizer,
    read_numbers,
    sequence_recognizer,
)
from skdigits.pictures import clean_picture, open_picture
from skdigits.pictures.cutting import cut_lines
from skdigits.pictures.opening import REDUCTION
from skdigits.pictures.tables import find_rows
from skdigits.pretrained import load_pretrained
from skdigits.sequence import DigitSequenceRecognizer

if TYPE_CHECKING:
    from skdigits.classifier import DigitClassifier
    from skdigits.typing import Picture, PictureFile

MOST_WORDS = 0.2  # share of the places with letters in a picture that shows digits alone
WHOLE_LINE = 0.66  # least part of a line of digits that is covered by its numbers
FEW, MOST_SIGNS = 3, 0.3  # numbers; share of more numbers that have signs by mistake
LEAST_LIKELY = 0.5  # confidence of numbers beside words; less probable ones are mostly words
UNFOUND = 0.5  # least confidence of a line in a picture where no number was found
LEAST = 0.001  # probability of a text that matches a pattern; less probable texts are guesses


class Reading(NamedTuple):
    """A number in a picture.

    Parameters
    ----------
    text : str
        The digits and signs, as they are written: ``"12.50"``, ``"2026-11-30"``, ``"45%"``. With a
        model of your own, only the signs that it reads or that `pattern` contains.
    confidence : float
        The predicted probability of the text, from 0 to 1. If the picture shows a single digit, two
        pretrained networks read it; the confidence is then the mean of their probabilities.
    box : tuple of int
        Left, top, right and bottom of the number, in pixels of the full-size picture after its EXIF
        rotation. Right and bottom are the first column and row outside the number.
    """

    text: str
    confidence: float
    box: tuple[int, int, int, int]

    @property
    def digits(self) -> str:
        """The text without signs and spaces."""
        return "".join(character for character in self.text if character.isdigit())


def read(
    picture: PictureFile | Picture,
    *,
    digits: int | None = None,
    pattern: str | Sequence[str] | None = None,
    model: DigitSequenceRecognizer | DigitClassifier | None = None,
) -> list[Reading]:
    """Read all numbers in a picture.

    A network finds the numbers among words, another one reads them with their signs. If the picture
    shows digits alone, the networks of `load_pretrained` read them too, and the more certain text
    is returned.

    Parameters
    ----------
    picture : str, path-like, bytes, binary file object, PIL.Image.Image or array-like of shape \
(height, width, …)
        A picture file with one page, the content of such a file, or a picture that
        `skdigits.pictures.clean_picture` accepts. The picture can show a page, a line or a single
        digit.
    digits : int, default=None
        Number of digits in each number, if it is known; ``digits=3`` means ``pattern="ddd"``.
    pattern : str or list of str, default=None
        Pattern that the text of each number must match. ``d`` stands for a digit, and ``d+`` for
        one or more digits. Digits and signs (``. , - + / : % $ € £ # * ( ) =`` and the space) stand
        for themselves; a ``+`` directly after ``d`` is always a repetition. With a list, the text
        must match at least one pattern; if it matches several patterns, the first determines the
        signs. The most probable matching text is returned. If a number does not look like the
        pattern, its confidence is low; numbers with a confidence below 0.001 are omitted. Signs
        that no network reads are inserted at their positions in the pattern.
    model : DigitSequenceRecognizer or DigitClassifier, default=None
        A fitted estimator that reads the picture instead of the pretrained networks. A recognizer
        reads lines of digits; a classifier reads the whole picture as a single digit.

    Returns
    -------
    list of Reading
        The numbers in reading order; an empty list if no number is found.

    Raises
    ------
    ValueError
        If `picture` is not one picture, or an option is not valid. `digits` must be a whole number
        from 1 to 59, and cannot be combined with `pattern`. `pattern` must fix the positions of
        signs that the model does not read. If `model` is a classifier, `digits` or `pattern` must
        allow a single digit.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits import read
    >>> white_with_a_bar = np.full((60, 60), 255, dtype=np.uint8)
    >>> white_with_a_bar[10:50, 28:33] = 0
    >>> [reading.text for reading in read(white_with_a_bar)]
    ['1']
    >>> [reading.text for reading in read(white_with_a_bar, pattern="d %")]
    ['1 %']
    """
    pattern = check_pattern(digits, pattern, model)
    picture = _opened(picture)
    if model is None:
        found = _read_numbers(picture, pattern)
    elif _is_classifier(model):
        found = _read_whole(model, picture, pattern)
    else:
        found = _read_lines(model, *cut_lines(picture), pattern)
    reduction = getattr(picture, "info", {}).get(REDUCTION, 1)
    return [
        reading._replace(box=tuple(round(reduction * edge) for edge in reading.box))
        for reading in found
        if reading.text
    ]


def read_many(
    pictures: Iterable[PictureFile | Picture],
    *,
    digits: int | None = None,
    pattern: str | Sequence[str] | None = None,
    model: DigitSequenceRecognizer | DigitClassifier | None = None,
    n_jobs: int | None = None,
    return_exceptions: bool = False,
) -> Iterator[list[Reading]]:
    """Read all numbers in many pictures, in the order of the pictures.

    Parameters
    ----------
    pictures : iterable of str, path-like, bytes, PIL.Image.Image or array-like
        Pictures, as for `read`; only a few of them are in memory at a time.
    digits, pattern, model
        As for `read`.
    n_jobs : int, default=None
        Number of processes; -1 means one per core. None means 1, unless ``joblib.parallel_config``
        sets another number or a cluster.
    return_exceptions : bool, default=False
        Whether a picture that cannot be read yields its exception instead of a list. If False, the
        exception is raised.

    Yields
    ------
    list of Reading
        The readings of each picture.

    Raises
    ------
    ValueError, OSError
        As for `read`. An error in `digits`, `pattern` or `model` is raised before any picture is
        read.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits import read_many
    >>> blank = np.full((60, 60), 255, dtype=np.uint8)
    >>> list(read_many([blank, blank]))
    [[], []]
    """
    pattern = check_pattern(digits, pattern, model)
    parallel = Parallel(n_jobs, return_as="generator", pre_dispatch="2 * n_jobs")
    found = parallel(delayed(_read_or_error)(picture, pattern, model) for picture in pictures)
    return found if return_exceptions else map(_raise_error, found)


def _read_or_error(picture: Any, pattern: Any, model: Any) -> list[Reading] | Exception:
    try:
        return read(picture, pattern=pattern, model=model)
    except (ValueError, OSError) as error:
        return error


def _raise_error(found: Any) -> Any:
    if isinstance(found, Exception):
        raise found
    return found


def check_pattern(digits: Any, pattern: Any, model: Any) -> Any:
    """Check the options of `read`, and return the pattern; `digits` is converted to a pattern.

    An option that is not valid raises a ValueError.
    """
    if digits is not None:
        is_number = isinstance(digits, Integral) and not isinstance(digits, bool)
        if not is_number or not 1 <= digits < MOST_STATES:
            raise ValueError(
                f"digits should be a whole number from 1 to {MOST_STATES - 1}, or None; got "
                f"{digits!r}."
            )
        if pattern is not None:
            raise ValueError(
                f"digits={digits} means pattern={reprlib.repr('d' * digits)}, but pattern="
                f"{reprlib.repr(pattern)} was also passed. Omit one of them."
            )
        pattern = "d" * int(digits)
    automaton = _automaton(pattern, model)
    if _is_classifier(model) and automaton is not None and not automaton.allows_one_digit:
        raise ValueError(
            f"model is a {type(model).__name__}, which reads single digits; got "
            + (f"pattern={reprlib.repr(pattern)}" if digits is None else f"digits={digits}")
            + ". Pass a DigitSequenceRecognizer, or omit model."
        )
    return pattern


def _automaton(pattern: Any, model: Any) -> Automaton | None:
    """Compile a pattern for the characters that the model reads; a classifier reads only digits."""
    if pattern is None:
        return None
    reader = number_recognizer() if model is None else model
    return Automaton(pattern, getattr(reader, "characters_", DIGITS))


def _is_classifier(model: Any) -> bool:
    return model is not None and not isinstance(model, DigitSequenceRecognizer)


def _opened(picture: Any) -> Any:
    """Open a picture file; return an opened picture unchanged."""
    is_path = isinstance(picture, (str, os.PathLike))
    if is_path and (path := Path(os.fsdecode(picture))).is_dir():
        raise ValueError(
            f"{path} is a folder; read() takes one picture. Call it for each file, or pass the "
            "folder to the command `skdigits read`."
        )
    if is_path or isinstance(picture, (bytes, bytearray, memoryview)) or hasattr(picture, "read"):
        return open_picture(picture)
    if isinstance(picture, (list, tuple, set)) and any(map(_is_picture, picture)):
        raise ValueError(
            f"picture is a {type(picture).__name__} of {len(picture)} elements; read() takes one "
            "picture. Call it for each: [read(picture) for picture in pictures]."
        )
    return picture


def _is_picture(part: Any) -> bool:
    """Return True if an element of a list is a picture, False if it is a row of pixels."""
    if isinstance(part, (str, bytes, os.PathLike)) or hasattr(part, "getexif"):
        return True
    shape = np.shape(part)
    return len(shape) == 3 or (len(shape) == 2 and shape[1] > 4)  # a pixel has up to four values


@cache
def _digit_classifier() -> DigitClassifier:
    """Load the network for single digits once; nothing may change it."""
    return load_pretrained("digit")


def _read_numbers(picture: Any, pattern: Any) -> list[Reading]:
    """Read the numbers of a picture; if it shows digits alone, they are read by more networks."""
    found, share = read_numbers(picture, _automaton(pattern, None))
    numbers = [Reading(*number) for number in found if number.confidence >= LEAST]
    is_text = bool(numbers) and (share > MOST_WORDS or _have_signs(numbers))
    if is_text or not _fits_digits(pattern):
        return _likely(numbers)
    images, boxes = cut_lines(picture)
    lines = _read_lines(sequence_recognizer(), images, boxes, pattern)
    lines = [line for line in lines if line.text]
    if len(lines) == 1 and _is_single(lines[0].text):
        text, confidence = _read_single(picture, images, pattern)
        lines = [Reading(text, confidence, lines[0].box)]
    if pattern is not None and len(numbers) < len(lines):
        return lines  # what is expected there is known
    if not numbers:
        return [line for line in lines if len(lines) == 1 and _is_likely(line, is_word=share > 0)]
    return _merged(numbers, lines)


def _have_signs(numbers: list[Reading]) -> bool:
    """Return True if many of several numbers have signs; such a page does not show digits alone."""
    with_signs = sum(number.text != number.digits for number in numbers)
    return len(numbers) > FEW and with_signs > MOST_SIGNS * len(numbers)


def _is_likely(line: Reading, *, is_word: bool) -> bool:
    """Return True if a line is likely to show digits, although no number was found there."""
    if is_word:  # a letter O or I cannot be distinguished from a digit
        return line.digits in "01" and line.confidence > SURE
    return line.confidence > UNFOUND


def _likely(numbers: list[Reading]) -> list[Reading]:
    return [number for number in numbers if number.confidence >= LEAST_LIKELY]


def _fits_digits(pattern: Any) -> bool:
    """Return True if a network that reads no signs can match a pattern."""
    try:
        _automaton(pattern, sequence_recognizer())
    except ValueError:  # the positions of its signs are not fixed
        return False
    return True


def _merged(numbers: list[Reading], lines: list[Reading]) -> list[Reading]:
    """Choose the better reading of each line, if the lines are where the numbers are."""
    readings: list[Reading] = []
    for line in lines:
        on_it = [number for number in numbers if _is_on(number, line)]
        if not on_it:
            return _likely(numbers)
        n_digits = sum(len(number.digits) for number in on_it)
        if len(lines) > 1 and not _likely(on_it) and n_digits < len(line.digits) / 2:
            continue  # a line of words
        readings += _better(on_it, line)
    others = [number for number in numbers if not any(_is_on(number, line) for line in lines)]
    readings += _likely(others)
    boxes = np.array([reading.box for reading in readings]).reshape(-1, 4)
    order = np.lexsort([boxes[:, 0], find_rows(boxes)])
    return [readings[i] for i in order]


def _is_on(number: Reading, line: Reading) -> bool:
    """Return True if the middle of a number is in the box of a line."""
    x, y = ((number.box[edge] + number.box[edge + 2]) / 2 for edge in (0, 1))
    return line.box[0] <= x <= line.box[2] and line.box[1] <= y <= line.box[3]


def _better(numbers: list[Reading], line: Reading) -> list[Reading]:
    """Choose between two readings of a line: as numbers with signs, or as digits alone."""
    if "".join(number.text for number in numbers) == line.text:
        return [line]
    certain = math.prod(number.confidence for number in numbers)
    is_same = "".join(number.digits for number in numbers) == line.digits
    if is_same or certain > PREFERENCE * line.confidence:
        return numbers
    covered = max(number.box[2] for number in numbers) - min(number.box[0] for number in numbers)
    is_part = covered < WHOLE_LINE * (line.box[2] - line.box[0])  # the rest may be words
    return _likely(numbers) if is_part and line.confidence < SURE else [line]


def _read_whole(classifier: Any, picture: Any, pattern: Any) -> list[Reading]:
    """Read a picture as a single digit."""
    _, boxes = cut_lines(picture)
    labels = _read_digit(classifier, picture, _automaton(pattern, classifier))
    return [
        Reading(text, confidence, tuple(box))
        for (text, confidence), box in zip(labels.items(), boxes[:1].tolist(), strict=False)
    ]


def _read_lines(
    recognizer: Any, images: list[np.ndarray], boxes: np.ndarray, pattern: Any
) -> list[Reading]:
    """Return the most probable text of each image."""
    if not images:
        return []
    texts, probabilities = recognizer.predict_top_k(images, k=1, pattern=pattern)
    if pattern is not None:
        texts[probabilities < LEAST] = ""
    rows = zip(texts[:, 0].tolist(), probabilities[:, 0].tolist(), boxes.tolist(), strict=True)
    return [Reading(text, confidence, tuple(box)) for text, confidence, box in rows]


def _is_single(text: str) -> bool:
    """Return True if the recognizer reads exactly one character of a text, and it is a digit."""
    read = [character for character in text if character in sequence_recognizer().characters_]
    return len(read) == 1 and read[0] in DIGITS


def _read_single(picture: Any, images: list[np.ndarray], pattern: Any) -> tuple[str, float]:
    """Return the most probable text of a picture of one digit, read by two networks.

    The probability of a text is the mean of both networks. The classifier predicts digits only; its
    probabilities are therefore multiplied by the recognizer's total probability of one-digit texts.
    """
    recognizer: Any = sequence_recognizer()
    texts, probabilities = recognizer.predict_top_k(images, k=ctc.MOST_SEQUENCES, pattern=pattern)
    found = zip(texts[0].tolist(), probabilities[0].tolist(), strict=True)
    digits = {text: probability for text, probability in found if _is_single(text)}
    if shares := _read_digit(_digit_classifier(), picture, _automaton(pattern, recognizer)):
        one = sum(digits.values())
        digits = {text: (digits.get(text, 0) + one * share) / 2 for text, share in shares.items()}
    text = max(digits, key=lambda text: digits[text])
    return text, float(digits[text])


def _read_digit(classifier: Any, picture: Any, automaton: Automaton | None) -> dict[str, float]:
    """Return the texts of a picture of one digit that match the automaton, and their probabilities.

    The most probable text is first. If the picture has no ink, the dict is empty.
    """
    image = clean_picture(picture)
    if not image.any():
        return {}
    n_labels = len(classifier.classes_)
    labels, probabilities = classifier.predict_top_k(image[np.newaxis], k=n_labels)
    texts = labels[0].astype(str).tolist()
    if automaton is not None:
        texts = map(automaton.text, texts)
    found = zip(texts, probabilities[0].tolist(), strict=True)
    return {text: probability for text, probability in found if text}
