"""EpochSearchCV: a grid search over epochs that runs only the longest fits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import ParameterGrid, check_cv
from sklearn.utils import get_tags, indexable
from sklearn.utils.parallel import Parallel, delayed

from skdigits.metrics import plain_labels
from skdigits.model_selection import results
from skdigits.model_selection.journal import Journal
from skdigits.model_selection.plan import SharedFit, check_fit_parameters, plan_fits
from skdigits.model_selection.scoring import (
    Evaluator,
    FoldScores,
    Task,
    describe_task,
    fit_as_task,
)
from skdigits.sklearn_compat import (
    GridSearchCV,
    available_if,
    check_method_params,
    format_search_results,
    init_callback_context,
    route_search_params,
    validate_parameters,
    with_callbacks,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import Estimator, Images, StrPath


class EpochSearchCV(GridSearchCV):
    """Grid search that runs one fit per fold for candidates that differ only in ``epochs``.

    In every fold, such candidates share one fit with the largest number of epochs. The weights
    after each epoch of the grid are kept and scored. The first epochs of a longer fit equal those
    of a shorter fit; with an integer `random_state`, the scores are bit-identical to those of
    `sklearn.model_selection.GridSearchCV`. If the first epochs depend on `epochs`
    (``schedule="one_cycle"``, or Keras callbacks), each candidate is fitted separately, with a
    warning.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer or Pipeline
        An estimator with ``epochs``, ``keep_epochs`` and ``at_epoch``, or a Pipeline that ends with
        such an estimator. It is not changed.
    param_grid : dict or list of dict
        Lists of values by parameter name. At least one grid must have ``epochs`` (in a Pipeline
        ``<step>__epochs``). A grid without ``epochs`` uses the number of epochs of the estimator.
    scoring : str, callable, list, tuple or dict, default=None
        As in GridSearchCV; None means the estimator's ``score``.
    n_jobs : int, default=None
        Number of fits that run at once.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all samples at the end. With several scores, pass
        the name of the score that selects the best candidate. A callable gets `cv_results_`, and
        returns the index of the best candidate.
    cv : int, cross-validation generator or iterable, default=None
        Folds; None means five, stratified for a classifier.
    verbose : int, default=0
        1 prints the number of fits, 2 also a line per finished fit.
    pre_dispatch : int or str, default="2*n_jobs"
        Number of fits that joblib dispatches ahead.
    error_score : "raise" or float, default=np.nan
        Score of a candidate in a fold if the fit or the scoring fails; "raise" raises the error.
    return_train_score : bool, default=False
        Whether `cv_results_` also has scores of the training samples.
    journal : str or path-like, default=None
        File in which every finished fit is recorded. The same search with the same file skips the
        recorded fits; this resumes an interrupted search. If `X` contains names of files, their
        content must not have changed. A journal is rejected if it was written with another version
        of Python, skdigits, Keras, TensorFlow or another library on which the scores depend. Only
        the process that calls `fit` writes to it. The backend of joblib must support generators;
        "loky", "threading" and "dask" do.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        One row per candidate, with the columns of GridSearchCV. The fit time of a candidate is its
        share of the time of the shared fit, in proportion to its number of epochs. The fit time is
        NaN if the fit was read from the journal.
    cv_curves_ : dict of ndarray
        One row per fit, fold and epoch. The columns are ``fold``; ``candidate``, the row of
        `cv_results_` with the most epochs in this fit; ``epoch``; and the values of the estimator's
        ``history_``, such as ``loss``, ``accuracy`` and ``val_loss``. Further columns are the
        scores of the fold's test samples (named ``score`` if there is only one); they are NaN at
        epochs that are not in the grid.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, \
multimetric_, classes_, n_features_in_, feature_names_in_
        As in GridSearchCV.

    Examples
    --------
    >>> from skdigits import DigitClassifier, EpochSearchCV
    >>> from skdigits.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> grid = {"epochs": [1, 3]}  # one fit of three epochs per fold gives the scores of both
    >>> search = EpochSearchCV(DigitClassifier("compact", random_state=0), grid, cv=2)
    >>> search.fit(X[:500], y[:500]).best_params_
    {'epochs': 3}
    """

    cv_curves_: dict[str, np.ndarray]

    def __init__(
        self,
        estimator: Estimator,
        param_grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        scoring: str | Callable[..., Any] | Sequence[str] | Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., Any] = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str | None = "2*n_jobs",
        error_score: float | Literal["raise"] = np.nan,
        return_train_score: bool = False,
        journal: StrPath | None = None,
    ) -> None:
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.journal = journal

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **GridSearchCV._parameter_constraints,
        "journal": [str, os.PathLike, None],
    }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # GridSearchCV does not set these
        tags.transformer_tags = get_tags(self.estimator).transformer_tags
        return tags

    @available_if(lambda search: hasattr(search, "transform"))
    def fit_transform(self, X: Images, y: ArrayLike | None = None, **params: Any) -> np.ndarray:
        """Search, fit the best candidate on all samples, and transform the samples with it.

        Parameters
        ----------
        X, y, **params
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            The result of `transform`.
        """
        return self.fit(X, y, **params).transform(X)

    def score(self, X: Images, y: ArrayLike | None = None, **params: Any) -> float:
        """Score the best candidate.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images.
        y : array-like of shape (n_samples,), default=None
            Labels.
        **params
            As in GridSearchCV.

        Returns
        -------
        float
            Score of the best candidate on `X` and `y`, by the metric that selected it.
        """
        return super().score(X, plain_labels(y), **params)

    @with_callbacks
    def fit(self, X: Images, y: ArrayLike | None = None, **params: Any) -> Self:
        """Search, and fit the best candidate on all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Images.
        y : array-like of shape (n_samples,), default=None
            Labels.
        **params
            As in GridSearchCV: ``groups``, ``sample_weight`` and so on.

        Returns
        -------
        self : EpochSearchCV
            The fitted search.

        Raises
        ------
        TypeError
            If the estimator's ``fit`` lacks one of `params` or, with a journal, if a parameter
            cannot be pickled. The error is raised before any fit.
        ValueError
            Before any fit, if the grid has no valid numbers of epochs, if the estimator cannot keep
            epochs, or if the journal belongs to another search or to other versions of the
            libraries. After the fits, if all fits failed.
        """
        validate_parameters(self)
        candidates = list(ParameterGrid(self.param_grid))
        fits = plan_fits(self.estimator, candidates)
        if isinstance(self.scoring, (list, tuple, dict)):
            self._check_refit(list(self.scoring))
        X, y = indexable(X, plain_labels(y))
        routed = route_search_params(self, check_method_params(X, params))
        if not get_config()["enable_metadata_routing"]:  # otherwise, routing has checked the names
            check_fit_parameters(self.estimator, routed.estimator.fit)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        if not splits:
            raise ValueError("cv gave no folds; expected at least one, such as cv=5.")
        self.n_splits_ = len(splits)
        evaluator = self._make_evaluator(routed)
        context = init_callback_context(self, max_subtasks=2 if self.refit else 1)
        task = describe_task(self, (X, y), params)
        context.call_on_fit_task_begin(**task)
        scores = self._evaluate(fits, splits, evaluator, X, y, context)
        self._collect(candidates, fits, scores)
        if self.refit:
            self._refit(X, y, routed.estimator.fit, context)
        context.call_on_fit_task_end(**task)
        return self

    def _make_evaluator(self, routed: Any) -> Evaluator:
        scorer = check_scoring(
            self.estimator, scoring=self.scoring, raise_exc=self.error_score == "raise"
        )
        return Evaluator(
            search=self,
            scorer=scorer,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
        )

    def _check_refit(self, names: list[str]) -> None:
        if self.refit is not False and not callable(self.refit) and self.refit not in names:
            raise ValueError(
                "With several scores, refit should be False, a callable or the name of the "
                f"score that selects the best candidate, one of {names}; got {self.refit!r}."
            )

    # -- the fits ------------------------------------------------------------------------

    def _evaluate(
        self,
        fits: list[SharedFit],
        splits: list[tuple[np.ndarray, np.ndarray]],
        evaluator: Evaluator,
        X: Any,
        y: Any,
        context: Any,
    ) -> list[FoldScores]:
        """Read the recorded scores from the journal, and compute the scores that are missing."""
        journal = self._open_journal(fits, splits, evaluator, X, y)
        scores = journal.read() if journal else []
        scores = [fold for fold in scores if fold.train or not self.return_train_score]
        finished = {(fold.fit, fold.fold) for fold in scores}
        tasks = [
            self._make_task(i, fold, fits[i], splits)
            for i, fold in product(range(len(fits)), range(len(splits)))
            if (i, fold) not in finished
        ]
        if self.verbose:
            print(f"{len(tasks)} fits: {len(splits)} folds, {len(fits)} fits in each.")
        for fold in self._run(tasks, fits, evaluator, X, y, context):
            scores.append(fold)
            if journal and not fold.error:
                journal.record(fold)
        return scores

    def _open_journal(
        self,
        fits: list[SharedFit],
        splits: list[tuple[np.ndarray, np.ndarray]],
        evaluator: Evaluator,
        X: Any,
        y: Any,
    ) -> Journal | None:
        if self.journal is None:
            return None
        search = [self.estimator, self.scoring, self.error_score, X, y, splits]
        search += [evaluator.fit_params, evaluator.score_params]
        return Journal(self.journal, search, [[f.estimator_params(), f.epochs] for f in fits])

    def _make_task(
        self, i: int, fold: int, fit: SharedFit, splits: list[tuple[np.ndarray, np.ndarray]]
    ) -> Task:
        title = f"[CV {fold + 1}/{len(splits)}] {fit.estimator_params()}"
        train, test = splits[fold]
        return Task(i, fold, fit.epochs, train, test, title if self.verbose > 1 else "")

    def _run(
        self,
        tasks: list[Task],
        fits: list[SharedFit],
        evaluator: Evaluator,
        X: Any,
        y: Any,
        context: Any,
    ) -> Iterator[FoldScores]:
        """Run tasks in parallel, and yield the scores of each task."""
        context = context.subcontext(
            task_name="search", max_subtasks=len(tasks), sequential_subtasks=False
        )
        context.call_on_fit_task_begin(estimator=self)
        # All subcontexts are made before the first task, because a new subcontext would change its
        # parent while another thread pickles the parent.
        contexts = [context.subcontext(task_name="fit", task_id=i) for i in range(len(tasks))]
        # With a journal, each result must be returned when it is finished. Not all of joblib's
        # backends support this.
        parallel = Parallel(
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            return_as="list" if self.journal is None else "generator_unordered",
        )
        yield from parallel(
            delayed(evaluator.evaluate)(
                _clone_with(self.estimator, fits[task.fit].estimator_params()), X, y, task, ctx
            )
            for task, ctx in zip(tasks, contexts, strict=True)
        )
        context.call_on_fit_task_end(estimator=self)

    # -- the results ---------------------------------------------------------------------

    def _collect(
        self, candidates: list[dict[str, Any]], fits: list[SharedFit], scores: list[FoldScores]
    ) -> None:
        """Set `cv_results_`, `cv_curves_` and the best candidate."""
        results.check_failures(scores, self.error_score)
        outcomes = results.candidate_outcomes(fits, scores, self.error_score)
        names = outcomes[0]["test_scores"]
        self.multimetric_ = isinstance(names, dict)
        if self.multimetric_:
            self._check_refit(list(names))
        self.cv_results_ = format_search_results(self, candidates, self.n_splits_, outcomes)
        self.cv_curves_ = results.curves(fits, scores)
        self.scorer_ = self._final_scorer()
        if self.refit or not self.multimetric_:
            self._choose_best(self.refit if self.multimetric_ else "score")

    def _choose_best(self, score: str) -> None:
        if callable(self.refit):
            self.best_index_ = self.refit(self.cv_results_)
            _check_index(self.best_index_, len(self.cv_results_["params"]))
        else:
            self.best_index_ = self.cv_results_[f"rank_test_{score}"].argmin()
            self.best_score_ = self.cv_results_[f"mean_test_{score}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _final_scorer(self) -> Any:
        if not isinstance(self.scoring, (list, tuple, dict)):
            return check_scoring(self.estimator, scoring=self.scoring)
        named = self.scoring if isinstance(self.scoring, dict) else {s: s for s in self.scoring}
        return {
            name: check_scoring(self.estimator, scoring=scoring) for name, scoring in named.items()
        }

    def _refit(self, X: Any, y: Any, fit_params: dict[str, Any], context: Any) -> None:
        self.best_estimator_ = _clone_with(self.estimator, self.best_params_)
        context = context.subcontext(task_name="refit-with-best-params")
        samples = (X,) if y is None else (X, y)
        start = time.perf_counter()
        fit_as_task(self, self.best_estimator_, samples, fit_params, context)
        self.refit_time_ = time.perf_counter() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


def _clone_with(estimator: Estimator, params: dict[str, Any]) -> Estimator:
    """Clone an estimator, and set its parameters to clones of `params`."""
    return clone(estimator).set_params(**clone(params, safe=False))


def _check_index(index: Any, n_candidates: int) -> None:
    if not isinstance(index, Integral):
        raise TypeError(
            f"refit should return the index of a candidate; got {index!r:.60} of type "
            f"{type(index).__name__}."
        )
    if int(index) not in range(n_candidates):
        raise IndexError(f"refit should return an index from 0 to {n_candidates - 1}; got {index}.")
