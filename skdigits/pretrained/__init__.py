"""Pretrained networks; their model cards describe the training data and the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from skdigits.checks.parameters import check_name
from skdigits.persistence import load

if TYPE_CHECKING:
    from skdigits.classifier import DigitClassifier
    from skdigits.sequence import DigitSequenceRecognizer

FOLDER = Path(__file__).parent
NAMES = ("digit", "sequence")


@overload
def load_pretrained(name: Literal["digit"]) -> DigitClassifier: ...


@overload
def load_pretrained(name: Literal["sequence"]) -> DigitSequenceRecognizer: ...


@overload
def load_pretrained(name: str) -> DigitClassifier | DigitSequenceRecognizer: ...


def load_pretrained(name: str) -> DigitClassifier | DigitSequenceRecognizer:
    """Load a pretrained estimator.

    It was trained on MNIST, on rendered typefaces and on digits that the package draws. Its model
    card, ``skdigits/pretrained/NAME.md``, describes data, recipe and results. It expects images in
    MNIST's style, such as those that `PictureCleaner` returns.

    Parameters
    ----------
    name : {"digit", "sequence"}
        ``"digit"`` is a `DigitClassifier` for single digits: handwritten, printed or on meters.
        ``"sequence"`` is a `DigitSequenceRecognizer` for lines of digits.

    Returns
    -------
    DigitClassifier or DigitSequenceRecognizer
        A new fitted estimator with ``warm_start="adapt"``: its `fit` adapts it to the user's data.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from skdigits import load_pretrained
    >>> classifier = load_pretrained("digit")
    >>> classifier.image_shape_
    (28, 28, 1)
    """
    check_name("name", name, NAMES)
    return load(FOLDER / f"{name}.skdigits")
