"""Check and unwrap the estimators that are passed to displays."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from skdigits.wrappers import without_search


def unwrap(estimator: Any) -> tuple[Any, list[Pipeline]]:
    """Return the estimator inside Pipelines and searches, and the transformers before it.

    Raises
    ------
    NotFittedError
        If a search is not fitted.
    ValueError
        If a search has ``refit=False``.
    """
    transformers: list[Pipeline] = []
    while True:
        estimator = without_search(estimator)
        if not isinstance(estimator, Pipeline):
            return estimator, transformers
        if len(estimator) > 1:
            transformers.append(estimator[:-1])
        estimator = estimator.steps[-1][1]


def check_kind(estimator: object, kinds: type | tuple[type, ...], expected: str) -> None:
    """Raise a TypeError if an estimator is not one of `kinds`; `expected` describes the kinds."""
    if not isinstance(estimator, kinds):
        raise TypeError(f"Expected {expected}; got {kind_of(estimator)}.")


def kind_of(estimator: object) -> str:
    """Describe a user's argument for messages: an instance by its class, or the class itself."""
    if isinstance(estimator, type):
        return f"the class {estimator.__name__}, not an instance"
    return type(estimator).__name__
