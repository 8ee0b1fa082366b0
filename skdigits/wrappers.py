"""Searches and pipelines around the estimators of this package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdigits.estimator import NetworkEstimator

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


def last_steps(estimator: Estimator) -> Iterator[tuple[str, Estimator]]:
    """Go to the last step of a Pipeline, and to the last step of that.

    Parameters
    ----------
    estimator : estimator
        A Pipeline, or another estimator.

    Yields
    ------
    name : str
        Name of the step.
    estimator : estimator
        The step.
    """
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        yield name, estimator


def last_step(estimator: Estimator) -> Estimator:
    """Return the estimator that trains a network.

    Parameters
    ----------
    estimator : estimator
        The estimator itself, or a Pipeline that ends with it.

    Returns
    -------
    estimator
        The last step of a Pipeline, else `estimator`.
    """
    for _, last in last_steps(estimator):
        estimator = last
    return estimator


def network_estimator(estimator: Estimator) -> Any:
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
    estimator = last_step(without_search(estimator))
    if not isinstance(estimator, NetworkEstimator):
        raise TypeError(
            "Expected a DigitClassifier or DigitSequenceRecognizer, a Pipeline that ends in one, "
            f"or a search of one; got {type(estimator).__name__}."
        )
    return estimator
