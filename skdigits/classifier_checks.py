"""Checks of the arguments of DigitClassifier's methods."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from skdigits.checks.class_labels import check_known, check_not_one_hot
from skdigits.checks.image_shapes import (
    check_no_files,
    check_not_one_image,
    check_same_shape,
    infer_image_shape,
    split_images,
    warn_if_padded,
)
from skdigits.checks.pixel_ranges import pixel_range, warn_if_other_range
from skdigits.checks.sample_weights import check_weights
from skdigits.estimator import CheckedFit, copied_callbacks, resumes, validation_share
from skdigits.metrics import plain_labels
from skdigits.networks.trained import TrainedNetwork
from skdigits.training.task import Samples

if TYPE_CHECKING:
    from skdigits.typing import Estimator


def check_fit(
    estimator: Estimator, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any
) -> CheckedFit:
    """Check the arguments of `DigitClassifier.fit`, without changing the estimator.

    In the result, training and validation data are `Samples`. An argument that is not valid raises
    a ValueError.
    """
    seen = copy.copy(estimator)
    callbacks = copied_callbacks(seen)
    resume, adapts = resumes(seen)
    fraction = validation_share(seen, X_val, y_val)
    rows, labels = check_images(seen, X, plain_labels(y), reset=not resume)
    if resume:
        check_known(labels, seen.classes_)
    else:
        seen.classes_ = _check_classes(seen, np.unique(labels))
    weights = check_weights(sample_weight, seen.class_weight, labels, seen.classes_)
    if weights is not None:
        if len(np.unique(labels[weights > 0])) < 2:
            raise ValueError(
                "Only one class has samples with a sample_weight above 0; "
                "at least 2 classes are needed."
            )
        weights = weights / weights[weights > 0].mean()
    validation = None
    if X_val is not None:
        rows_val, labels_val = check_images(seen, X_val, plain_labels(y_val), reset=False)
        check_known(labels_val, seen.classes_)
        validation = _samples(seen, rows_val, labels_val, None)
    training = _samples(seen, rows, labels, weights)
    return CheckedFit(seen, callbacks, resume, adapts, training, validation, fraction)


def check_partial_fit(
    estimator: Estimator, X: Any, y: Any, classes: Any, sample_weight: Any
) -> CheckedFit:
    """Check the arguments of `DigitClassifier.partial_fit`, without changing the estimator.

    In the result, the training data are `Samples`. An argument that is not valid raises a
    ValueError.
    """
    seen = copy.copy(estimator)
    callbacks = copied_callbacks(seen)
    _check_needs_no_other_samples(seen)
    resume = seen.__sklearn_is_fitted__()
    if not resume and classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit.")
    if classes is not None:
        classes = np.unique(column_or_1d(plain_labels(classes)))
        if resume and not np.array_equal(classes, seen.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on the first call to partial_fit, "
                f"{seen.classes_!r}."
            )
    rows, labels = check_images(seen, X, plain_labels(y), reset=not resume)
    if not resume:
        seen.classes_ = _check_classes(seen, classes)
    check_known(labels, seen.classes_)
    weights = check_weights(sample_weight, seen.class_weight, labels, seen.classes_)
    return CheckedFit(seen, callbacks, resume, False, _samples(seen, rows, labels, weights))


def _check_needs_no_other_samples(estimator: Estimator) -> None:
    for name in ("early_stopping", "validation_fraction"):
        if value := getattr(estimator, name):
            raise ValueError(
                f"partial_fit does not support {name}={value!r}, which needs a validation set. "
                f"Set {name} back to its default, or use fit."
            )
    if isinstance(estimator.class_weight, str):
        raise ValueError(
            "class_weight='balanced' needs all samples at once, so partial_fit cannot use it; "
            "pass a dict of weights."
        )


def check_images(estimator: Estimator, X: Any, *y: Any, reset: bool) -> tuple[np.ndarray, Any]:
    """Check images and, if given, labels.

    Parameters
    ----------
    estimator : DigitClassifier
        The estimator. If `reset` is True, its attributes that describe images are set.
    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or \
(n_samples, height, width, channels)
        Images.
    *y : array-like of shape (n_samples,)
        Labels.
    reset : bool
        Whether `X` is the input of a new fit, not of a continued fit or a prediction.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_features)
        Rows of pixels.
    labels : ndarray of shape (n_samples,) or None
        The labels.

    Raises
    ------
    ValueError
        If the images are not valid, or their shape differs from that of fit.
    """
    check_no_files(X)
    X = X if hasattr(X, "shape") else np.asarray(X)
    if not reset:
        check_not_one_image(X, estimator.image_shape_, estimator.n_features_in_)
    flat, image_shape = split_images(X)
    labels = None
    if y:
        check_not_one_hot(*y)
        flat, labels = validate_data(estimator, flat, *y, reset=reset)
        check_classification_targets(labels)
    else:
        flat = validate_data(estimator, flat, reset=reset)
    if reset:
        estimator.image_shape_ = infer_image_shape(
            flat.shape[1], image_shape, estimator.image_shape
        )
        warn_if_padded(flat.shape[1], estimator.image_shape_)
    else:
        check_same_shape(estimator, image_shape)
    return flat, labels


def warn_if_rows_differ(rows: np.ndarray, network: TrainedNetwork) -> None:
    """Warn if rows of pixels have another range of values than the images of the first fit."""
    # Only 1,000 images are checked, so that a memory-mapped file is not read completely.
    warn_if_other_range(pixel_range(rows[:1000]), network.pixel_range)


def _check_classes(estimator: Estimator, classes: Any) -> np.ndarray:
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least 2 classes; "
            f"got 1 class, {classes.tolist()}."
        )
    return classes


def _samples(
    estimator: Estimator, rows: np.ndarray, labels: Any, weights: np.ndarray | None
) -> Samples:
    indices = None if weights is None else np.flatnonzero(weights)
    return Samples(rows, np.searchsorted(estimator.classes_, labels), weights, indices)
