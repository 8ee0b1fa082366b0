"""Find the estimator inside searches and pipelines."""

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
        A search, such as `EpochSearchCV` or ``GridSearchCV``, or any other estimator.

    Returns
    -------
    estimator
        ``best_estimator_`` of a search, otherwise `estimator`.

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
    """Yield name and estimator of the last step of each nested Pipeline, the outermost first."""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        yield name, estimator


def last_step(estimator: Estimator) -> Estimator:
    """Return the last step of a Pipeline, or the estimator itself if it is no Pipeline."""
    for _, last in last_steps(estimator):
        estimator = last
    return estimator


def network_estimator(estimator: Estimator) -> Any:
    """Return the DigitClassifier or DigitSequenceRecognizer inside searches and pipelines.

    If there is no such estimator, a TypeError is raised.
    """
    estimator = last_step(without_search(estimator))
    if not isinstance(estimator, NetworkEstimator):
        raise TypeError(
            "Expected a DigitClassifier or DigitSequenceRecognizer, a Pipeline that ends in one, "
            f"or a search over one; got {type(estimator).__name__}."
        )
    return estimator
