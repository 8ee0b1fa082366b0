"""Reading of the digits in a picture with pretrained networks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from skdigits.inference import ctc
from skdigits.pictures import clean_picture, open_picture
from skdigits.pictures.cutting import cut_lines
from skdigits.pictures.opening import REDUCTION
from skdigits.pretrained import load_pretrained
from skdigits.sequence import DigitSequenceRecognizer

if TYPE_CHECKING:
    from skdigits.classifier import DigitClassifier
    from skdigits.typing import Picture, PictureFile


class Reading(NamedTuple):
    """A line of digits in a picture.

    Parameters
    ----------
    text : str
        The digits from left to right, with the signs that the model reads.
    confidence : float
        The predicted probability of the text, from 0 to 1. A single digit is read by two networks;
        its confidence is the mean of their probabilities.
    box : tuple of int
        Left, top, right and bottom, in pixels of the upright picture at the resolution of its file;
        right and bottom are the first column and row outside of the line.
    """

    text: str
    confidence: float
    box: tuple[int, int, int, int]

    @property
    def digits(self) -> str:
        """The digits of the text, without signs."""
        return "".join(character for character in self.text if character.isdigit())


def read(
    picture: PictureFile | Picture,
    *,
    digits: int | None = None,
    model: DigitSequenceRecognizer | DigitClassifier | None = None,
) -> list[Reading]:
    """Read all lines of digits in a picture.

    Parameters
    ----------
    picture : str, path-like, bytes, binary file object, PIL.Image.Image or array-like of shape \
(height, width, …)
        A picture file of one page, its content, or a picture that
        `skdigits.pictures.clean_picture` accepts: a page, a line or a single digit.
    digits : int, default=None
        The number of digits of each line, if it is known: the most probable of the top-10 texts
        with this length is returned; a line with none is omitted.
    model : DigitSequenceRecognizer or DigitClassifier, default=None
        A fitted estimator. None means ``load_pretrained("sequence")``, together with
        ``load_pretrained("digit")`` if the picture is a single digit. A classifier reads the
        picture as a single digit.

    Returns
    -------
    list of Reading
        In reading order; empty if no digit is found.

    Raises
    ------
    ValueError
        If `picture` is not one picture, `digits` is not a whole number from 1, or `model` is a
        classifier and `digits` is greater than 1.
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
    """
    is_classifier = _check_options(digits, model)
    picture = _opened(picture)
    images, boxes = cut_lines(picture)
    if not images:
        return []
    reduction = getattr(picture, "info", {}).get(REDUCTION, 1)
    scaled = [tuple(round(reduction * edge) for edge in box) for box in boxes.tolist()]
    if is_classifier:
        labels = _digit_labels(model, picture, k=1) or {"": 0.0}
        found, scaled = list(labels.items()), scaled[:1]
    else:
        found = _read_lines(model or _pretrained("sequence"), images, digits)
    if model is None and len(images) == 1 and len(found[0][0]) == 1:
        found = [_read_single(picture, images)]
    return [
        Reading(text, confidence, box)
        for (text, confidence), box in zip(found, scaled, strict=True)
        if text
    ]


def read_many(
    pictures: Iterable[PictureFile | Picture],
    *,
    digits: int | None = None,
    model: DigitSequenceRecognizer | DigitClassifier | None = None,
    n_jobs: int | None = None,
    return_exceptions: bool = False,
) -> Iterator[list[Reading]]:
    """Read all lines of digits in many pictures, in their order.

    Parameters
    ----------
    pictures : iterable of str, path-like, bytes, PIL.Image.Image or array-like
        Pictures as for `read`. They are taken one after the other, so that few are in memory.
    digits, model
        As for `read`.
    n_jobs : int, default=None
        Number of processes; -1 is one per core. None is 1, unless ``joblib.parallel_config`` sets
        another number or a cluster.
    return_exceptions : bool, default=False
        If a picture cannot be read: whether to yield its exception instead of its readings, and
        continue, rather than raise it.

    Yields
    ------
    list of Reading
        The readings of each picture.

    Raises
    ------
    ValueError, OSError
        As by `read`; a wrong `digits` or `model` before any picture is read.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits import read_many
    >>> blank = np.full((60, 60), 255, dtype=np.uint8)
    >>> list(read_many([blank, blank]))
    [[], []]
    """
    _check_options(digits, model)
    parallel = Parallel(n_jobs, return_as="generator", pre_dispatch="2 * n_jobs")
    found = parallel(delayed(_read_or_error)(picture, digits, model) for picture in pictures)
    return found if return_exceptions else map(_raise_error, found)


def _read_or_error(picture: Any, digits: int | None, model: Any) -> list[Reading] | Exception:
    try:
        return read(picture, digits=digits, model=model)
    except (ValueError, OSError) as error:
        return error


def _raise_error(found: Any) -> Any:
    if isinstance(found, Exception):
        raise found
    return found


def _check_options(digits: int | None, model: Any) -> bool:
    """Check the options of `read`; return whether the model is a classifier."""
    if digits is not None and (
        not isinstance(digits, Integral) or isinstance(digits, bool) or digits < 1
    ):
        raise ValueError(f"digits should be a whole number from 1, or None; got {digits!r}.")
    is_classifier = model is not None and not isinstance(model, DigitSequenceRecognizer)
    if is_classifier and digits not in (None, 1):
        raise ValueError(
            f"model is a {type(model).__name__}, which reads single digits; got digits={digits}. "
            "Pass a DigitSequenceRecognizer, or omit digits."
        )
    return is_classifier


def _opened(picture: Any) -> Any:
    """Open a picture file; return pictures unchanged."""
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
            f"picture is a {type(picture).__name__} of {len(picture)}; read() takes one picture. "
            "Call it for each: [read(picture) for picture in pictures]."
        )
    return picture


def _is_picture(part: Any) -> bool:
    """Return True if an element of a list is a picture, False if it is a row of pixels."""
    if isinstance(part, (str, bytes, os.PathLike)) or hasattr(part, "getexif"):
        return True
    shape = np.shape(part)
    return len(shape) == 3 or (len(shape) == 2 and shape[1] > 4)  # a pixel has up to four values


@cache
def _pretrained(name: str) -> DigitClassifier | DigitSequenceRecognizer:
    """Load an estimator once; it is never passed to the user, who could change it."""
    return load_pretrained(name)


def _read_lines(
    recognizer: Any, images: list[np.ndarray], digits: int | None
) -> list[tuple[str, float]]:
    """Return the most probable text of each image, with this number of digits if it is given."""
    if digits is None:
        texts, probabilities = recognizer.predict_top_k(images, k=1)
        return list(zip(texts[:, 0].tolist(), probabilities[:, 0].tolist(), strict=True))
    texts, probabilities = recognizer.predict_top_k(images, k=ctc.MOST_SEQUENCES)
    fits = np.char.str_len(texts) == digits
    best = fits.argmax(axis=1)  # the first is the most probable
    rows = np.arange(len(images))
    found = np.where(fits[rows, best], texts[rows, best], "")
    return list(zip(found.tolist(), probabilities[rows, best].tolist(), strict=True))


def _read_single(picture: Any, images: list[np.ndarray]) -> tuple[str, float]:
    """Return the most probable label of a picture of one digit, by two networks.

    The probability is the mean of both networks. Because the classifier predicts digits only, its
    probabilities are scaled to the recognizer's total probability of one-digit texts.
    """
    texts, probabilities = _pretrained("sequence").predict_top_k(images, k=ctc.MOST_SEQUENCES)
    digits = {t: p for t, p in zip(texts[0], probabilities[0], strict=True) if len(t) == 1}
    if shares := _digit_labels(_pretrained("digit"), picture, k=10):
        one = sum(digits.values())
        digits = {
            label: (digits.get(label, 0) + one * share) / 2 for label, share in shares.items()
        }
    label = max(digits, key=lambda text: digits[text])
    return str(label), float(digits[label])


def _digit_labels(classifier: Any, picture: Any, *, k: int) -> dict[str, float]:
    """Return the most probable labels of a picture of one digit, with their probabilities.

    They are in order of probability; a picture without ink has none.
    """
    image = clean_picture(picture)
    if not image.any():
        return {}
    labels, probabilities = classifier.predict_top_k(image[np.newaxis], k=k)
    return dict(zip(labels[0].astype(str).tolist(), probabilities[0].tolist(), strict=True))
