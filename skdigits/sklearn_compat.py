"""Parts of scikit-learn that are private, lack type hints, or are missing in older versions.

All private names of scikit-learn that skdigits uses are in this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_method_params as check_method_params

__all__ = [
    "HAS_CALLBACKS",
    "BaseEstimator",
    "Bunch",
    "CallbackSupportMixin",
    "GridSearchCV",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "TransformerMixin",
    "available_if",
    "check_method_params",
    "check_values",
    "format_search_results",
    "init_callback_context",
    "route_search_params",
    "safe_indexing",
    "validate_parameters",
    "with_callbacks",
]

if TYPE_CHECKING:  # the same names, with type hints
    from collections.abc import Callable
    from typing import Literal, Self

    import numpy as np
    from numpy.typing import ArrayLike
    from sklearn import base, model_selection, utils

    from skdigits.typing import AnyCallable, Estimator, Images

    HAS_CALLBACKS: bool

    class BaseEstimator(base.BaseEstimator):
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...

        def set_params(self, **params: Any) -> Self: ...

    class TransformerMixin(base.TransformerMixin):
        def fit_transform(self, X: Any, y: ArrayLike | None = None, **fit_params: Any) -> Any: ...

        def set_output(
            self, *, transform: Literal["default", "pandas", "polars"] | None = None
        ) -> Self: ...

    class GridSearchCV(BaseEstimator, model_selection.GridSearchCV):
        cv_results_: dict[str, Any]
        best_estimator_: Estimator
        best_score_: float
        best_params_: dict[str, Any]
        best_index_: int
        n_splits_: int
        refit_time_: float
        multimetric_: bool
        scorer_: Any
        classes_: np.ndarray
        n_features_in_: int
        feature_names_in_: np.ndarray

        def predict(self, X: Images) -> np.ndarray: ...

        def predict_proba(self, X: Images) -> np.ndarray: ...

        def transform(self, X: Images) -> np.ndarray: ...

    class Bunch(utils.Bunch):
        data: Any
        target: Any
        images: Any
        feature_names: list[str]
        target_names: Any
        frame: Any
        DESCR: str

    class CallbackSupportMixin: ...

    def available_if(check: Callable[[Any], bool]) -> Callable[[AnyCallable], AnyCallable]: ...

    def with_callbacks(method: AnyCallable) -> AnyCallable: ...

else:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.model_selection import GridSearchCV
    from sklearn.utils import Bunch
    from sklearn.utils.metaestimators import available_if

    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks

        HAS_CALLBACKS = True
    except ImportError:  # scikit-learn < 1.9
        HAS_CALLBACKS = False

        class CallbackSupportMixin:
            """Stand-in for versions of scikit-learn without callbacks."""

        def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
            """Return the method itself; this scikit-learn has no callbacks."""
            return method


class NoCallbackContext:
    """Stand-in for the context of a task, for versions of scikit-learn without callbacks."""

    def subcontext(self, **options: Any) -> NoCallbackContext:
        """Return this object as the context of a subtask."""
        return self

    def call_on_fit_task_begin(self, **event: Any) -> None:
        """Do nothing."""

    call_on_fit_task_end = call_on_fit_task_begin

    def propagate_callback_context(self, estimator: Estimator) -> nullcontext[None]:
        """Return a context manager that does nothing."""
        return nullcontext()


def init_callback_context(estimator: Estimator, max_subtasks: int) -> Any:
    """Return the context of the task "fit", which calls scikit-learn's callbacks.

    Parameters
    ----------
    estimator : estimator
        An estimator with ``CallbackSupportMixin``.
    max_subtasks : int
        Maximum number of subtasks.

    Returns
    -------
    sklearn.callback.CallbackContext or NoCallbackContext
        The context.
    """
    if not HAS_CALLBACKS:
        return NoCallbackContext()
    return estimator._init_callback_context(max_subtasks=max_subtasks)


def route_search_params(search: GridSearchCV, params: Mapping[str, Any]) -> Bunch:
    """Route the parameters of a search's ``fit`` as the installed version of GridSearchCV does.

    Parameters
    ----------
    search : GridSearchCV
        The search.
    params : dict of str to object
        Parameters of ``fit``, except X and y.

    Returns
    -------
    sklearn.utils.Bunch
        The dicts ``estimator.fit``, ``splitter.split`` and ``scorer.score``.
    """
    return search._get_routed_params_for_fit(params)


def format_search_results(
    search: GridSearchCV,
    candidates: list[dict[str, Any]],
    n_splits: int,
    outcomes: list[dict[str, Any]],
) -> dict[str, np.ndarray]:
    """Make the dict ``cv_results_`` of a search as the installed version of GridSearchCV does.

    Parameters
    ----------
    search : GridSearchCV
        The search.
    candidates : list of dict
        The parameters of each candidate.
    n_splits : int
        Number of folds.
    outcomes : list of dict
        Outcomes of all folds of the first candidate, then of the second, and so on. Each has
        ``fit_time``, ``score_time``, ``test_scores`` and, if the search requests them,
        ``train_scores``.

    Returns
    -------
    dict of str to ndarray
        The content of ``cv_results_``.
    """
    return search._format_results(candidates, n_splits, outcomes)


def check_values(
    constraints: Mapping[str, list[Any]], values: Mapping[str, Any], owner: str
) -> None:
    """Raise an error if a value violates its constraints.

    `constraints` has the form of an estimator's ``_parameter_constraints``. The message names
    `owner` as the owner of the values.
    """
    validate_parameter_constraints(constraints, values, owner)


def validate_parameters(estimator: Estimator) -> None:
    """Raise an error if a parameter violates the estimator's ``_parameter_constraints``."""
    estimator._validate_params()
