"""Searches and pipelines around the estimators of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdigits.classifier import DigitClassifier
from skdigits.sequence import DigitSequenceRecognizer

if TYPE_CHECKING:
    from skdigits.typing import Estimator


def without_search(estimator: Estimator) -> Any:
    """Return the best estimator of a fitted search, or the estimator itself.

    Parameters
    ----------
    estimator : estimator
        A search, such as `EpochSearchCV` or ``GridSearchCV``, or another estimator.

    Returns
    -------
    estimator
        The estimator.

    Raises
    ------
    ValueError
        If the search has ``refit=False``.
    """
    if not hasattr(estimator, "best_params_") and not hasattr(estimator, "param_grid"):
        return estimator
    check_is_fitted(estimator)
    if not hasattr(estimator, "best_estimator_"):
        raise ValueError(
            f"This {type(estimator).__name__} has no best_estimator_; set refit=True before fit."
        )
    return estimator.best_estimator_


def network_estimator(estimator: Estimator) -> DigitClassifier | DigitSequenceRecognizer:
    """Return the estimator with a network inside searches and pipelines.

    Parameters
    ----------
    estimator : estimator
        Any of these.

    Returns
    -------
    DigitClassifier or DigitSequenceRecognizer
        The estimator.

    Raises
    ------
    TypeError
        If there is none.
    """
    estimator = without_search(estimator)
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    if not isinstance(estimator, (DigitClassifier, DigitSequenceRecognizer)):
        raise TypeError(
            "Expected a DigitClassifier or DigitSequenceRecognizer, a Pipeline that ends in one, "
            f"or a search of one; got {type(estimator).__name__}."
        )
    return estimator
