"""Checks of sample weights and class weights."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import check_array


def check_weights(
    sample_weight: Any, class_weight: Any, labels: np.ndarray, classes: Any
) -> np.ndarray | None:
    """Check sample weights, and multiply them by class weights.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), float or None
        Weight per sample.
    class_weight : dict, "balanced" or None
        Weight per class; a class that is missing in a dict has weight 1.
    labels : ndarray of shape (n_samples,)
        The labels.
    classes : ndarray of shape (n_classes,)
        All classes, sorted.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Non-negative weights, some of them positive; None if both arguments are None.

    Raises
    ------
    ValueError
        If weights are negative, not finite or all zero; if the number of weights is not the number
        of samples; or if `class_weight` has unknown labels.
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
        raise ValueError("All sample weights are zero; at least one should be positive.")
    return weights


def _class_weights(class_weight: dict[Any, Any], classes: np.ndarray) -> np.ndarray:
    unknown = [label for label in class_weight if label not in classes.tolist()]
    if unknown:
        raise ValueError(
            f"class_weight has the labels {unknown}, which are not among the classes "
            f"{classes.tolist()}."
        )
    values = [class_weight.get(label, 1.0) for label in classes.tolist()]
    for value in values:
        if not (isinstance(value, Real) and 0 <= float(value) < np.inf):
            raise ValueError(f"class_weight should contain non-negative numbers; got {value!r}.")
    return np.array(values, dtype=float)
