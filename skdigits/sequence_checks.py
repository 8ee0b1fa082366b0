"""Checks of the arguments of DigitSequenceRecognizer's methods."""

from __future__ import annotations

import copy
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import validate_data

from skdigits.checks.image_shapes import warn_if_padded
from skdigits.checks.pixel_ranges import PixelRange, warn_if_other_range
from skdigits.checks.sample_weights import check_weights
from skdigits.estimator import CheckedFit, copied_callbacks, resumes, validation_share
from skdigits.metrics import as_sequences, plain_labels, without_objects
from skdigits.networks.labels import DIGITS
from skdigits.networks.trained import TrainedNetwork
from skdigits.pictures.line_images import LineImages
from skdigits.synthesis.composition import check_digits, check_drawn

if TYPE_CHECKING:
    from skdigits.typing import Estimator

BLANK = PixelRange(0.0, 1.0, 0.0)  # used if all images of fit are blank


def check_fit(
    estimator: Estimator, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any
) -> CheckedFit:
    """Check the arguments of `DigitSequenceRecognizer.fit`, without changing the estimator.

    In the result, ``training`` is images, labels and weights (or None), ``validation`` is images
    and labels. An argument that is not valid raises a ValueError.
    """
    seen = copy.copy(estimator)
    callbacks = copied_callbacks(seen)
    resume, adapts = resumes(seen)
    fraction = validation_share(seen, X_val, y_val)
    lines = check_lines(seen, X, reset=not resume)
    _set_characters(seen, resume)
    labels = check_labels(plain_labels(y), len(lines), seen.characters_)
    if labels.dtype.kind != "U":
        check_drawn(seen.style, seen.signs)
    elif not resume:
        _warn_of_missing_signs(labels, seen.signs)
    training = lines, labels, check_weights(sample_weight, None, labels, None)
    validation = None
    if X_val is not None:
        held_out = check_lines(seen, X_val, reset=False)
        validation = held_out, check_labels(plain_labels(y_val), len(held_out), seen.characters_)
    return CheckedFit(seen, callbacks, resume, adapts, training, validation, fraction)


def check_signs(signs: str) -> None:
    """Raise a ValueError if a character of `signs` is not a sign, or occurs twice."""
    if others := [character for character in signs if not _is_sign(character)]:
        raise ValueError(
            f"signs should consist of signs such as '.,-'; got {others[0]!r} in {signs[:40]!r}. "
            "Digits are always read; letters are not."
        )
    if len(set(signs)) < len(signs):
        raise ValueError(f"signs should contain each sign once; got {signs[:40]!r}.")


def _set_characters(estimator: Estimator, resume: bool) -> None:
    """Set the attribute ``characters_``; a fit that continues cannot change it."""
    characters = DIGITS + estimator.signs
    if resume and characters != estimator.characters_:
        raise ValueError(
            f"warm_start continues with the network of the first fit, which reads the signs "
            f"{estimator.characters_[len(DIGITS) :]!r}; got signs={estimator.signs[:40]!r}. Set "
            "warm_start=False to train a new network."
        )
    estimator.characters_ = characters


def _warn_of_missing_signs(labels: np.ndarray, signs: str) -> None:
    """Warn if the network cannot learn a sign, because no label contains it."""
    if missing := set(signs).difference("".join(labels.tolist())):
        warnings.warn(
            f"No label contains {' or '.join(map(repr, sorted(missing)))}, so the network cannot "
            "learn to read it. Remove it from signs, or add images of it.",
            UserWarning,
            stacklevel=4,
        )


def _is_sign(character: str) -> bool:
    return not character.isalnum() and character.isprintable()


def check_not_one_line(estimator: Estimator, X: Any) -> None:
    """Raise a ValueError if a 2-D array may be a single image of a line.

    A 2-D array may be an image if its rows do not have as many pixels as the rows in fit.
    """
    shape: tuple[int, ...] = getattr(X, "shape", ())
    rows = "no" if estimator.image_shape is None else math.prod(estimator.image_shape)
    expected = getattr(estimator, "n_features_in_", rows)
    if len(shape) == 2 and shape[1] != expected:
        raise ValueError(
            f"X has {shape[1]} features, but {type(estimator).__name__} is expecting {expected} "
            f"features as input. If it is one image of {shape[0]}×{shape[1]} pixels, pass "
            "X[np.newaxis]; if it is rows of pixels, reshape them to (n, height, width)."
        )


def check_lines(estimator: Estimator, X: Any, *, reset: bool) -> LineImages:
    """Check images of lines; for rows of pixels, also check number and names of the features.

    Parameters
    ----------
    estimator : DigitSequenceRecognizer
        The estimator. If `reset` is True, its attributes that describe images are set.
    X : array-like or list of array-like
        The images.
    reset : bool
        Whether `X` is the input of a new fit, not of a continued fit or a prediction.

    Returns
    -------
    LineImages
        The images.

    Raises
    ------
    ValueError
        If the images are not valid.
    """
    if getattr(X, "ndim", None) == 2 or hasattr(X, "columns"):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    elif reset:
        for name in ("n_features_in_", "feature_names_in_"):
            estimator.__dict__.pop(name, None)
    shape = estimator.image_shape
    if not reset and hasattr(estimator, "image_shape_"):
        height, width = estimator.image_shape_
        if height * width == estimator.n_features_in_:  # else, rows are padded to a square
            shape = estimator.image_shape_
    lines = LineImages.check(X, shape)
    if reset:
        estimator.__dict__.pop("image_shape_", None)
        if lines.shape is not None:
            estimator.image_shape_ = lines.shape
            estimator.n_features_in_ = lines.n_features
            warn_if_padded(lines.n_features, (*lines.shape, 1))
    return lines


def as_bytes(lines: LineImages, network: TrainedNetwork) -> LineImages:
    """Convert images to uint8 of the network's height; the pixel range of fit becomes 0–255."""
    seen = network.pixel_range or BLANK
    return lines.as_bytes(seen.low, seen.high)


def warn_if_lines_differ(lines: LineImages, network: TrainedNetwork) -> None:
    """Warn if images have another range of pixel values than the images of the first fit."""
    first = lines[np.arange(min(len(lines), 100))]
    warn_if_other_range(first.pixel_range(), network.pixel_range)


def check_labels(y: Any, n_samples: int, characters: str) -> np.ndarray:
    """Check labels of lines, or of single digits.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Strings, or whole numbers 0–9.
    n_samples : int
        Number of images.
    characters : str
        The characters that strings may contain.

    Returns
    -------
    ndarray of shape (n_samples,), str or int
        The labels.

    Raises
    ------
    ValueError
        If a label is not valid, or the number of labels is not `n_samples`.
    """
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None.")
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y.ravel()
    if y.shape != (n_samples,):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {n_samples} images and "
            f"labels of shape {y.shape}; y should have one label per image."
        )
    y = without_objects(y)
    if y.dtype.kind in "biuf":
        return check_digits(y)
    y = as_sequences(y)
    for i, text in enumerate(y.tolist()):
        if others := set(text).difference(characters):
            signs = f" and {characters[len(DIGITS) :]}" if len(characters) > len(DIGITS) else ""
            advice = [f" To read {c!r} too, add it to signs." for c in others if _is_sign(c)]
            raise ValueError(
                f"Label {i} is {text[:80]!r}; it should consist of the characters 0–9{signs}."
                f"{min(advice, default='')}"
            )
    return y
