"""Fits of estimators in one fold, and their scores at several epochs."""

from __future__ import annotations

import copy
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from numbers import Number
from typing import TYPE_CHECKING, Any

from sklearn.pipeline import Pipeline

from skdigits.sklearn_compat import check_method_params, safe_indexing
from skdigits.wrappers import last_step

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from skdigits.model_selection.epoch_search import EpochSearchCV
    from skdigits.typing import Estimator

Score = float | dict[str, float]


@dataclass(frozen=True)
class FoldScores:
    """The scores of one fit in one fold.

    Parameters
    ----------
    fit : int
        Index of the fit.
    fold : int
        Index of the fold.
    test : list of float or list of dict, default=[]
        Scores of the test samples, one per number of epochs, in ascending order of epochs. Each is
        a number, or a dict if there are several scores. The list is empty if the fit failed.
    train : list of float, list of dict or None, default=None
        Scores of the training samples, if requested.
    history : dict of str to list of float, default={}
        Training history: values per epoch.
    fit_time : float, default=nan
        Duration of the fit in seconds.
    score_time : float, default=nan
        Time in seconds for scoring the test samples at all epochs.
    error : str, default=""
        The traceback of a fit that failed.
    """

    fit: int
    fold: int
    test: list[Score] = field(default_factory=list)
    train: list[Score] | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    fit_time: float = float("nan")
    score_time: float = float("nan")
    error: str = ""


@dataclass(frozen=True)
class Task:
    """One fit in one fold.

    Parameters
    ----------
    fit : int
        Index of the fit.
    fold : int
        Index of the fold.
    epochs : list of int
        Epochs at which to score, ascending.
    train : ndarray of shape (n_train,)
        Indices of the training samples.
    test : ndarray of shape (n_test,)
        Indices of the test samples.
    title : str, default=""
        Title of the line that is printed after the fit; empty prints nothing.
    """

    fit: int
    fold: int
    epochs: list[int]
    train: Any
    test: Any
    title: str = ""


@dataclass(frozen=True)
class Evaluator:
    """An evaluator fits and scores estimators for tasks, and can be pickled.

    Parameters
    ----------
    search : EpochSearchCV
        The search whose scikit-learn callbacks are called.
    scorer : callable
        A scorer of scikit-learn.
    fit_params : dict of str to object
        Parameters of the estimator's ``fit``, for all samples.
    score_params : dict of str to object
        Keyword arguments of the scorer, such as ``sample_weight``, for all samples; each fold uses
        its part.
    error_score : "raise" or float
        Score of a failed fit or failed scoring.
    return_train_score : bool
        Whether to score the training samples, too.
    """

    search: Any
    scorer: Any
    fit_params: dict[str, Any]
    score_params: dict[str, Any]
    error_score: Any
    return_train_score: bool

    def evaluate(
        self, estimator: Estimator, X: ArrayLike, y: ArrayLike | None, task: Task, context: Any
    ) -> FoldScores:
        """Fit an estimator in one fold, and score it at each of the task's epochs.

        Parameters
        ----------
        estimator : estimator
            A clone with the parameters of the fit; it is fitted in place.
        X : array-like of shape (n_samples, ...)
            All samples.
        y : array-like of shape (n_samples,) or None
            All labels.
        task : Task
            The fit and the fold.
        context : sklearn.callback.CallbackContext
            The context of this task for scikit-learn's callbacks.

        Returns
        -------
        FoldScores
            The scores.
        """
        start = time.perf_counter()
        train = _select(X, y, task.train)
        test = _select(X, y, task.test)
        params = check_method_params(X, self.fit_params, task.train)
        try:
            fit_as_task(self.search, estimator, train, params, context)
        except Exception:
            if self.error_score == "raise":
                raise
            seconds = time.perf_counter() - start
            error = traceback.format_exc()
            return FoldScores(task.fit, task.fold, fit_time=seconds, score_time=0.0, error=error)
        fitted = time.perf_counter()
        test_scores = self._score(estimator, test, task.epochs, task.test, X)
        scored = time.perf_counter()
        train_scores = None
        if self.return_train_score:
            train_scores = self._score(estimator, train, task.epochs, task.train, X)
        if task.title:
            scores = dict(zip(task.epochs, test_scores, strict=True))
            print(f"{task.title}: {scores} after {time.perf_counter() - start:.1f} s")
        return FoldScores(
            task.fit,
            task.fold,
            test=test_scores,
            train=train_scores,
            history=last_step(estimator).history_,
            fit_time=fitted - start,
            score_time=scored - fitted,
        )

    def _score(
        self,
        estimator: Estimator,
        samples: tuple[Any, ...],
        epochs: list[int],
        indices: np.ndarray,
        X: Any,
    ) -> list[Score]:
        params = check_method_params(X, self.score_params, indices)
        return [
            compute_score(
                self.scorer, at_epoch(estimator, epoch), samples, params, self.error_score
            )
            for epoch in epochs
        ]


def fit_as_task(
    search: EpochSearchCV,
    estimator: Estimator,
    samples: tuple[Any, ...],
    params: dict[str, Any],
    context: Any,
) -> None:
    """Fit an estimator as a task that is reported to the search's scikit-learn callbacks.

    Parameters
    ----------
    search : EpochSearchCV
        The search.
    estimator : estimator
        The estimator to fit.
    samples : tuple
        X, or X and y.
    params : dict of str to object
        Further parameters of ``fit``.
    context : sklearn.callback.CallbackContext
        The context of the task.
    """
    event = describe_task(search, samples, params)
    try:
        with context.propagate_callback_context(estimator):
            context.call_on_fit_task_begin(**event)
            estimator.fit(*samples, **params)
    finally:
        context.call_on_fit_task_end(**event)


def describe_task(
    search: EpochSearchCV, samples: tuple[Any, ...], params: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments of scikit-learn's callbacks at the beginning and end of a task.

    Parameters
    ----------
    search : EpochSearchCV
        The search.
    samples : tuple
        X, or X and y.
    params : dict of str to object
        Further parameters of ``fit``.

    Returns
    -------
    dict of str to object
        The arguments.
    """
    X, y = samples if len(samples) == 2 else (*samples, None)
    weights = params.get("sample_weight")
    metadata = None if weights is None else {"sample_weight": weights}
    return {"estimator": search, "X": X, "y": y, "metadata": metadata}


def compute_score(
    scorer: Callable[..., Any],
    estimator: Estimator,
    samples: tuple[Any, ...],
    params: dict[str, Any],
    error_score: Any,
) -> Score:
    """Score a fitted estimator.

    Parameters
    ----------
    scorer : callable
        A scorer of scikit-learn; it may return several scores.
    estimator : estimator
        A fitted estimator.
    samples : tuple
        X, or X and y.
    params : dict of str to object
        Further parameters of the scorer.
    error_score : "raise" or float
        Score if the scorer fails; the failure is reported by a warning. "raise" raises the error.

    Returns
    -------
    float or dict of str to float
        The score, or several scores by name.

    Raises
    ------
    ValueError
        If the scorer returns anything other than numbers.
    """
    try:
        score = scorer(estimator, *samples, **params)
    except Exception:
        if error_score == "raise":
            raise
        _warn_of_failure(error_score, traceback.format_exc())
        return error_score
    if not isinstance(score, dict):
        return _as_number(score, scorer)
    # A multi-metric scorer returns a traceback in place of a failed score.
    failed = {name: text for name, text in score.items() if isinstance(text, str)}
    for text in failed.values():
        _warn_of_failure(error_score, text)
    score = {**score, **dict.fromkeys(failed, error_score)}
    return {name: _as_number(value, name) for name, value in score.items()}


def at_epoch(estimator: Estimator, epoch: int) -> Estimator:
    """Return a copy of a fitted estimator with the weights after an epoch.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator that kept this epoch, or a Pipeline that ends with such an estimator. It
        is not changed.
    epoch : int
        Number of the epoch, from 1.

    Returns
    -------
    estimator
        The copy.
    """
    if not isinstance(estimator, Pipeline):
        return estimator.at_epoch(epoch)
    result = copy.copy(estimator)
    name, last = estimator.steps[-1]
    result.steps = [*estimator.steps[:-1], (name, at_epoch(last, epoch))]
    return result


def _select(X: Any, y: Any, indices: np.ndarray) -> tuple[Any, ...]:
    """Return the selected samples as a tuple of X and, if there are labels, y."""
    return tuple(safe_indexing(data, indices) for data in (X, y) if data is not None)


def _as_number(value: Any, source: Any) -> Any:
    if hasattr(value, "item"):
        with suppress(ValueError):
            value = value.item()
    if not isinstance(value, Number):
        raise ValueError(
            f"A scorer should return a number; {source} returned {value!r:.60} of type "
            f"{type(value).__name__}."
        )
    return value


def _warn_of_failure(error_score: Any, error: str) -> None:
    warnings.warn(
        f"Scoring failed; the score is set to {error_score}. The error was:\n{error}",
        stacklevel=2,
    )
