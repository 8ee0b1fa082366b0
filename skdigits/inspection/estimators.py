"""The estimators that displays take."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from skdigits.wrappers import without_search


def unwrap(estimator: Any) -> tuple[Any, list[Pipeline]]:
    """Return the estimator inside Pipelines and searches, and the transformers before it.

    Parameters
    ----------
    estimator : object
        An estimator, alone, as the last step of a Pipeline, or in a fitted search.

    Returns
    -------
    estimator : object
        The estimator itself.
    transformers : list of Pipeline
        The steps before it, in their order.

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
    """Raise an error if an estimator is of another kind than a display needs.

    Parameters
    ----------
    estimator : object
        What the user passed.
    kinds : type or tuple of type
        The classes that can be drawn.
    expected : str
        Their description.

    Raises
    ------
    TypeError
        If the estimator is an instance of none of them.
    """
    if not isinstance(estimator, kinds):
        raise TypeError(f"Expected {expected}; got {kind_of(estimator)}.")


def kind_of(estimator: object) -> str:
    """Say what a user passed as an estimator.

    Parameters
    ----------
    estimator : object
        Anything.

    Returns
    -------
    str
        The name of its class.
    """
    if isinstance(estimator, type):
        return f"the class {estimator.__name__}, not an instance"
    return type(estimator).__name__
