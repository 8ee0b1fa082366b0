"""Checks of the user's input: shapes, pixels, labels, weights, names."""

from __future__ import annotations

import difflib
import math
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import check_array

if TYPE_CHECKING:
    from skdigits.typing import Estimator, ImageShape

OTHER_RANGE = 10  # factor between largest values, or between means, from which a warning is issued
EXTREME = 0.35  # share of the pixel range; a mean nearer to its ends tells the background's colour


@dataclass(frozen=True)
class PixelRange:
    """Pixel values of the images that a network was trained on.

    Parameters
    ----------
    low, high : float
        The lowest value, at most 0, and the highest; they differ.
    mean : float
        The mean value.
    """

    low: float
    high: float
    mean: float

    @property
    def largest(self) -> float:
        """The largest absolute value."""
        return max(-self.low, self.high)


def check_no_files(X: object) -> None:
    """Refuse pictures and names of files where arrays of pixels are expected.

    Parameters
    ----------
    X : object
        What the user gave as images.

    Raises
    ------
    ValueError
        If it is a file, its name or content, a picture of Pillow, or a list of names.
    """
    first = X[0] if isinstance(X, (list, tuple)) and X else X
    if isinstance(X, np.ndarray) and X.ndim == 1 and len(X):
        first = X[0]
    is_file = isinstance(first, (str, bytes, os.PathLike)) or hasattr(first, "read")
    if is_file or hasattr(X, "getexif"):
        raise ValueError(
            f"X should hold pixels; got a picture or its file: {type(first).__name__}. "
            "skdigits.read(picture) reads one; in a Pipeline, PictureCleaner() takes pictures and "
            "their files."
        )


def split_images(X: Any) -> tuple[Any, tuple[int, int, int] | None]:
    """Flatten images to rows.

    Parameters
    ----------
    X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
        Rows or images.

    Returns
    -------
    rows : array-like of shape (n, n_features)
        `X` itself where it has no more than two dimensions, else a view if possible.
    image_shape : tuple of int or None
        Height, width and channels; None for rows.

    Raises
    ------
    ValueError
        If `X` has more than four dimensions, or names files.
    """
    check_no_files(X)
    if not hasattr(X, "ndim"):
        X = np.asarray(X)
    if X.ndim <= 2:
        return X, None
    X = np.asarray(X)
    if X.ndim > 4:
        raise ValueError(
            f"Found array with dim {X.ndim}; expected rows (n, n_features), images "
            "(n, height, width) or images (n, height, width, channels)."
        )
    height, width, *channels = X.shape[1:]
    shape = (height, width, *(channels or [1]))
    return X.reshape(len(X), math.prod(shape)), shape


def infer_image_shape(
    n_features: int, seen: tuple[int, int, int] | None = None, asked: ImageShape | None = None
) -> tuple[int, int, int]:
    """Find the shape of images in rows of pixels.

    Parameters
    ----------
    n_features : int
        Number of values per row.
    seen : tuple of int, optional
        Shape of the images that the user gave.
    asked : tuple of int, optional
        Height, width and optionally channels that the user gave.

    Returns
    -------
    tuple of int
        Height, width and channels: `asked`, else `seen`, else one channel and a side of the
        ceiling of the square root of `n_features`.

    Raises
    ------
    ValueError
        If `asked` is not two or three positive whole numbers, or does not fit.
    """
    if asked is None:
        if seen is not None:
            return seen
        side = math.isqrt(n_features - 1) + 1
        return side, side, 1
    shape = check_image_shape(asked)
    if math.prod(shape) != n_features or seen not in (None, shape):
        given = f"images of shape {seen}" if seen else f"rows of {n_features} pixels"
        raise ValueError(
            f"image_shape={asked!r} means images of shape {shape}, {math.prod(shape)} numbers "
            f"each; X has {given}."
        )
    return shape


def check_image_shape(asked: ImageShape) -> tuple[int, int, int]:
    """Check a shape of images, whatever images there are.

    Parameters
    ----------
    asked : tuple of int
        Height, width and optionally channels.

    Returns
    -------
    tuple of int
        Height, width and channels.

    Raises
    ------
    ValueError
        If it is not two or three positive whole numbers.
    """
    numbers = np.asarray(asked)
    if numbers.shape not in ((2,), (3,)) or numbers.dtype.kind not in "iu" or (numbers < 1).any():
        raise ValueError(
            "image_shape should be (height, width) or (height, width, channels), all positive "
            f"whole numbers; got {asked!r:.60}."
        )
    height, width, *channels = numbers.tolist()
    return height, width, channels[0] if channels else 1


def pixel_dtype(X: np.ndarray, dtype: str) -> np.dtype:
    """Find the smallest type that holds pixels without loss: bytes for whole numbers 0–255.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite real numbers; they are not copied.
    dtype : str
        Float type for anything but bytes.

    Returns
    -------
    dtype
        uint8, or `dtype`.

    Raises
    ------
    ValueError
        If a value is too large for `dtype`.
    """
    if X.dtype == np.uint8:
        return X.dtype
    low, high = X.min(), X.max()
    if X.dtype.kind in "biu" and low >= 0 and high <= 255:
        return np.dtype(np.uint8)
    largest = max(abs(float(low)), abs(float(high)))
    if largest > float(np.finfo(dtype).max):
        raise ValueError(
            f"X has values up to {largest:.3g}, too large for {dtype}; "
            "rescale the pixels, or set dtype='float64'."
        )
    return np.dtype(dtype)


def warn_if_padded(n_features: int, image_shape: tuple[int, int, int]) -> None:
    """Warn where flat rows are padded with zeros to make an image.

    Parameters
    ----------
    n_features : int
        Pixels per row.
    image_shape : tuple of int
        Height, width and channels of the images made.
    """
    height, width, _ = image_shape
    if math.prod(image_shape) != n_features:
        warnings.warn(
            f"Rows of {n_features} pixels are not square images; they are padded with zeros to "
            f"{height}×{width}. If the images are not square, set image_shape=(height, width).",
            stacklevel=3,
        )


def check_not_one_image(X: Any, image_shape: tuple[int, int, int], n_features: int) -> None:
    """Raise a ValueError if `X` is one image rather than an array of images.

    Parameters
    ----------
    X : array-like
        Images or rows of pixels.
    image_shape : tuple of int
        Height, width and channels of the images seen in fit.
    n_features : int
        Pixels per image.
    """
    shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    if shape in (image_shape, image_shape[:2]) and math.prod(shape[1:]) != n_features:
        raise ValueError(
            f"X has shape {shape}: that is one image, without an axis for samples. Expected an "
            "array of images; pass X[np.newaxis]."
        )


def check_same_shape(estimator: Estimator, image_shape: tuple[int, int, int] | None) -> None:
    """Raise a ValueError if images have another shape than those of fit.

    Parameters
    ----------
    estimator : estimator
        With the fitted attribute ``image_shape_``.
    image_shape : tuple of int or None
        Height, width and channels of the images given; None for rows.
    """
    if image_shape not in (None, estimator.image_shape_):
        raise ValueError(
            f"X holds images of shape {image_shape}, but {type(estimator).__name__} was fitted "
            f"on images of shape {estimator.image_shape_}."
        )


def plain_labels(y: Any) -> Any:
    """Convert NumPy's strings of variable width, which scikit-learn does not know, to usual ones.

    Parameters
    ----------
    y : array-like or None
        Labels.

    Returns
    -------
    array-like or None
        An array of dtype str instead of one of ``numpy.dtypes.StringDType``; else `y`.

    Raises
    ------
    ValueError
        If such an array has missing values.
    """
    if getattr(getattr(y, "dtype", None), "kind", None) != "T":
        return y
    texts = y.astype(object)
    missing = [text for text in texts.ravel() if not isinstance(text, str)]
    if missing:
        raise ValueError(f"y has {len(missing)} missing values ({missing[0]!r}); leave them out.")
    return texts.astype(str)


def check_not_one_hot(y: Any) -> None:
    """Raise a ValueError if labels are one-hot encoded.

    Parameters
    ----------
    y : array-like
        Labels.
    """
    values = np.asarray(y)
    shape = values.shape
    if len(shape) != 2 or shape[0] == 0 or shape[1] < 2:
        return
    if values.dtype.kind in "biuf" and (np.sort(values, axis=1) == np.eye(shape[1])[-1]).all():
        array = "y" if isinstance(y, np.ndarray) else "np.asarray(y)"
        raise ValueError(
            f"y is one-hot encoded, of shape {shape}; expected one label per sample. Pass "
            f"{array}.argmax(axis=1)."
        )


def pixel_range(X: np.ndarray, used: np.ndarray | bool = True) -> PixelRange | None:
    """Find the lowest, highest and mean value of pixels.

    Parameters
    ----------
    X : ndarray
        Pixels.
    used : ndarray of bool or True, default=True
        Mask of the values to use; its shape can be broadcast to that of `X`.

    Returns
    -------
    PixelRange or None
        None where all of them are 0.
    """
    selection: dict[str, Any] = {} if used is True else {"where": used}  # faster without
    low, high = float(X.min(initial=0, **selection)), float(X.max(initial=0, **selection))
    if low == high:
        return None
    return PixelRange(low, high, float(X.mean(dtype=np.float64, **selection)))


def warn_if_other_range(seen: PixelRange | None, fitted: PixelRange | None) -> None:
    """Warn where images have another range of values than those of fit, or are inverted.

    Parameters
    ----------
    seen : PixelRange or None
        Range of the images to predict; None if they are blank.
    fitted : PixelRange or None
        Range of the images of fit; its mean is NaN if it is not known.
    """
    if seen is None or fitted is None or math.isnan(fitted.mean):
        return
    span = fitted.high - fitted.low
    seen_mean, fitted_mean = ((r.mean - fitted.low) / span for r in (seen, fitted))
    on_black = fitted_mean < EXTREME and seen_mean > 1 - EXTREME
    on_white = fitted_mean > 1 - EXTREME and seen_mean < EXTREME
    if _far_apart(seen.mean, fitted.mean) and _far_apart(seen.largest, fitted.largest):
        advice = "Scale them to the same range."
    elif on_black or on_white:
        advice = f"They seem to be inverted: pass {fitted.low + fitted.high:g} - X."
    else:
        return
    warnings.warn(
        f"X has values from {seen.low:g} to {seen.high:g}, mean {seen.mean:.3g}; the images of fit "
        f"had {fitted.low:g} to {fitted.high:g}, mean {fitted.mean:.3g}. {advice}",
        stacklevel=4,
    )


def _far_apart(a: float, b: float) -> bool:
    return abs(a) > OTHER_RANGE * abs(b) or abs(b) > OTHER_RANGE * abs(a)


def check_known(labels: np.ndarray, classes: np.ndarray) -> None:
    """Raise a ValueError if a label is not among the classes.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        The labels.
    classes : ndarray of shape (n_classes,)
        The classes known from the first call.
    """
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise ValueError(
            f"y has labels {unknown.tolist()} that are not among the classes known from the first "
            f"call, {classes.tolist()}."
        )


def check_weights(
    sample_weight: Any, class_weight: Any, labels: np.ndarray, classes: Any
) -> np.ndarray | None:
    """Multiply sample weights with class weights.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        Weight per sample.
    class_weight : dict, "balanced" or None
        Weight per class; 1 for a class that a dict does not name.
    labels : ndarray of shape (n_samples,)
        The labels.
    classes : ndarray of shape (n_classes,)
        All classes, sorted.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Weights, none negative and some positive; None where none were given.

    Raises
    ------
    ValueError
        If weights are negative, not finite, all zero, of another number than the samples, or for
        labels that do not exist.
    """
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(len(labels))
    if sample_weight is not None:
        if isinstance(sample_weight, Real):
            sample_weight = np.full(len(labels), float(sample_weight))
        given = check_array(sample_weight, ensure_2d=False, dtype=float, input_name="sample_weight")
        if given.shape != weights.shape:
            raise ValueError(
                f"sample_weight.shape == {given.shape}, expected {weights.shape}: "
                "one weight per sample."
            )
        if (given < 0).any():
            raise ValueError("sample_weight has negative values; they should be 0 or more.")
        weights = weights * given
    if isinstance(class_weight, dict):
        weights = weights * _class_weights(class_weight, classes)[np.searchsorted(classes, labels)]
    elif class_weight is not None:
        weights = weights * compute_sample_weight(class_weight, labels)
    if not weights.any():
        raise ValueError("All sample weights are zero: there is nothing to train on.")
    return weights


def _class_weights(class_weight: dict[Any, Any], classes: np.ndarray) -> np.ndarray:
    unknown = [label for label in class_weight if label not in classes.tolist()]
    if unknown:
        raise ValueError(
            f"class_weight names the labels {unknown}, which are not among the classes "
            f"{classes.tolist()}."
        )
    values = [class_weight.get(label, 1.0) for label in classes.tolist()]
    for value in values:
        if not (isinstance(value, Real) and 0 <= float(value) < np.inf):
            raise ValueError(f"class_weight should hold numbers of 0 or more; got {value!r}.")
    return np.array(values, dtype=float)


def split_validation(
    samples: np.ndarray, labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hold samples out for validation, the same share of each class.

    Parameters
    ----------
    samples : ndarray of int
        Indices of the samples to divide.
    labels : ndarray of shape (n_samples,)
        Labels of all samples.
    fraction : float
        Share to hold out, in (0, 1).
    seed : int
        Seed of the choice.

    Returns
    -------
    training, validation : ndarray of int
        `samples`, divided.

    Raises
    ------
    ValueError
        If there are too few samples for every class to be on both sides.
    """
    labels = labels[samples]
    try:
        training, validation = train_test_split(
            samples, test_size=fraction, stratify=labels, random_state=seed
        )
    except ValueError as error:
        raise ValueError(
            f"A validation set of {fraction:.3g} of {len(samples)} samples of "
            f"{len(np.unique(labels))} classes cannot be set aside: {error} Change "
            "validation_fraction, or set early_stopping=False."
        ) from error
    return training, validation


def check_top(k: int, most: int) -> int:
    """Check the number of most probable predictions.

    Parameters
    ----------
    k : int
        The number.
    most : int
        The maximum.

    Returns
    -------
    int
        The same.

    Raises
    ------
    ValueError
        If it is not a whole number from 1 to `most`.
    """
    if not isinstance(k, Integral) or not 1 <= int(k) <= most:
        raise ValueError(f"k should be a whole number from 1 to {most}; got {k!r}.")
    return int(k)


def check_name(parameter: str, name: str, known: Iterable[str]) -> None:
    """Raise a ``ValueError`` that suggests the nearest known name.

    Parameters
    ----------
    parameter : str
        The parameter that took the name.
    name : str
        The name given.
    known : iterable of str
        The names accepted.
    """
    known = sorted(known)
    if name in known:
        return
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=2)
    hint = f" Did you mean {' or '.join(repr(lowered[word]) for word in near)}?" if near else ""
    raise ValueError(f"Unknown {parameter} {name!r}.{hint} Known names: {', '.join(known)}.")
