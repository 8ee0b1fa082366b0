"""Pretrained networks; their model cards describe the training data and the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from skdigits.checks.parameters import check_name
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import ProgramKey, TrainedNetwork
from skdigits.persistence import load

if TYPE_CHECKING:
    from skdigits.classifier import DigitClassifier
    from skdigits.sequence import DigitSequenceRecognizer

FOLDER = Path(__file__).parent
NAMES = ("digit", "sequence")
FINDER_OUTPUTS = 6  # no number, a number in each of four directions, its height


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


def load_number_recognizer() -> DigitSequenceRecognizer:
    """Load the recognizer that `skdigits.read` uses for numbers with signs.

    Its model card is ``skdigits/pretrained/number.md``.

    Returns
    -------
    DigitSequenceRecognizer
        A recognizer for images that `skdigits.pictures.number_images.cut_numbers` makes.
    """
    return load(FOLDER / "number.skdigits")


def load_finder() -> TrainedNetwork:
    """Load the network with which `skdigits.read` finds numbers in pictures.

    Returns
    -------
    TrainedNetwork
        A network of the architecture ``finder``.
    """
    spec = NetworkSpec.of("finder", (None, None, 1), FINDER_OUTPUTS, (), "float32")
    with np.load(FOLDER / "finder.npz", allow_pickle=False) as arrays:
        weights = [arrays[name].astype(np.float32) for name in arrays.files]
    return TrainedNetwork(ProgramKey(spec, "adamw"), seed=0, weights=weights)
