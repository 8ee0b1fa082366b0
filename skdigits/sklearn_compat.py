"""Parts of scikit-learn that are private, or missing in some supported versions.

All private names of scikit-learn that skdigits uses are in this file.
"""

from __future__ import annotations

from contextlib import nullcontext

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
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "check_method_params",
    "check_values",
    "format_search_results",
    "init_callback_context",
    "route_search_params",
    "safe_indexing",
    "validate_parameters",
    "with_callbacks",
]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    HAS_CALLBACKS = True
except ImportError:  # scikit-learn < 1.9
    HAS_CALLBACKS = False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in where scikit-learn has no callbacks."""

    def with_callbacks(method):
        """Stand-in where scikit-learn has no callbacks.

        Parameters
        ----------
        method : callable
            The method to be decorated.

        Returns
        -------
        callable
            The method itself.
        """
        return method


class NoCallbackContext:
    """Stand-in for the context of a task where scikit-learn has no callbacks."""

    def subcontext(self, **options):
        """Begin a task within this task.

        Parameters
        ----------
        **options
            As in ``sklearn.callback.CallbackContext``.

        Returns
        -------
        NoCallbackContext
            This object.
        """
        return self

    def call_on_fit_task_begin(self, **event):
        """Do nothing.

        Parameters
        ----------
        **event
            As in ``sklearn.callback.CallbackContext``.
        """

    call_on_fit_task_end = call_on_fit_task_begin

    def propagate_callback_context(self, estimator):
        """Do nothing.

        Parameters
        ----------
        estimator : estimator
            The estimator that is fitted within the task.

        Returns
        -------
        contextlib.nullcontext
            For a ``with`` statement.
        """
        return nullcontext()


def init_callback_context(estimator, max_subtasks):
    """Begin the task "fit" of an estimator's scikit-learn callbacks.

    Parameters
    ----------
    estimator : estimator
        An estimator with ``CallbackSupportMixin``.
    max_subtasks : int
        Maximum number of tasks within it.

    Returns
    -------
    sklearn.callback.CallbackContext or NoCallbackContext
        The context of the task.
    """
    if not HAS_CALLBACKS:
        return NoCallbackContext()
    return estimator._init_callback_context(max_subtasks=max_subtasks)


def route_search_params(search, params):
    """Divide the parameters of a search's ``fit`` as this version of GridSearchCV does.

    Parameters
    ----------
    search : GridSearchCV
        The search.
    params : dict of str to object
        Parameters of ``fit`` besides X and y.

    Returns
    -------
    sklearn.utils.Bunch
        Dicts ``estimator.fit``, ``splitter.split`` and ``scorer.score``.
    """
    return search._get_routed_params_for_fit(params)


def format_search_results(search, candidates, n_splits, outcomes):
    """Tabulate the outcomes of a search as this version of GridSearchCV does.

    Parameters
    ----------
    search : GridSearchCV
        The search.
    candidates : list of dict
        The parameters of each candidate.
    n_splits : int
        Number of folds.
    outcomes : list of dict
        ``fit_time``, ``score_time``, ``test_scores`` and, if the search requests them,
        ``train_scores`` of the first candidate in all folds, then of the second.

    Returns
    -------
    dict of str to ndarray
        The content of ``cv_results_``.
    """
    return search._format_results(candidates, n_splits, outcomes)


def check_values(constraints, values, owner):
    """Raise an error if a value violates its constraints.

    Parameters
    ----------
    constraints : dict of str to list
        Constraints by name, as in ``_parameter_constraints`` of an estimator.
    values : dict of str to object
        Values by name.
    owner : str
        What the values belong to, for the message.
    """
    validate_parameter_constraints(constraints, values, owner)


def validate_parameters(estimator):
    """Raise an error if a parameter violates the estimator's ``_parameter_constraints``.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    """
    estimator._validate_params()
