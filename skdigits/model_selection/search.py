"""EpochSearchCV, a grid search over epochs for the price of its longest fit."""

from __future__ import annotations

import copy
import os
import time
import traceback
import warnings
from collections import defaultdict
from dataclasses import dataclass, field, replace
from inspect import signature
from itertools import product
from numbers import Integral
from typing import Any, ClassVar

import joblib
import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, ParameterGrid, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags, indexable
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.metaestimators import available_if

from skdigits.compatibility import InvalidParameterError, safe_indexing
from skdigits.model_selection.journal import Journal, describe

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


class EpochSearchCV(GridSearchCV):
    """Grid search in which candidates that differ only in ``epochs`` are one fit.

    It gives what `sklearn.model_selection.GridSearchCV` gives, and with the same `random_state`
    the same scores to the last bit, since the first epochs of a longer fit are those of a
    shorter one. Candidates of which that is not so (``schedule="one_cycle"``, Keras callbacks of
    the user's) are fitted separately.

    Parameters
    ----------
    estimator : DigitClassifier or Pipeline
        An estimator with ``epochs``, ``keep_epochs`` and ``at_epoch``, or a Pipeline
        that ends with one.
    param_grid : dict or list of dict
        Lists of values by parameter name, ``epochs`` (in a Pipeline ``<step>__epochs``) among
        them.
    scoring : str, callable, list, tuple or dict, default=None
        As in GridSearchCV; None is the estimator's ``score``.
    n_jobs : int, default=None
        Fits that run at once.
    refit : bool, str or callable, default=True
        Whether, and by which score, to fit the best candidate on all samples at the end.
    cv : int, cross-validation generator or iterable, default=None
        Folds; None is five, stratified.
    verbose : int, default=0
        How much is printed.
    pre_dispatch : int or str, default="2*n_jobs"
        Fits that are handed out ahead.
    error_score : "raise" or float, default=np.nan
        Score of a candidate in a fold where it fails.
    return_train_score : bool, default=False
        Whether `cv_results_` has scores on the training samples, too.
    journal : str or path-like, default=None
        File in which every finished fit is recorded. A search that was broken off goes on from
        there. With several machines, it should be on a disk that they share.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        A row per candidate, in GridSearchCV's order. The fit time of a candidate is its share,
        by epochs, of the fit it was part of, and NaN where that was recorded by an earlier run.
    cv_curves_ : dict of ndarray
        A row per epoch of each fit: ``fold``, ``candidate`` (the row of `cv_results_` with the
        most epochs in that fit), ``epoch``, ``loss`` and ``accuracy`` in training, ``val_loss``
        and ``val_accuracy`` where the estimator validates, and a column per score, ``score`` if
        there is one, of the fold's test samples at the epochs of the grid, else NaN.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, \
multimetric_, classes_, n_features_in_, feature_names_in_
        As in GridSearchCV.

    Examples
    --------
    >>> from skdigits import DigitClassifier, EpochSearchCV
    >>> from skdigits.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> grid = {"epochs": [2, 4], "batch_size": [32, 128]}
    >>> search = EpochSearchCV(DigitClassifier(random_state=0), grid, cv=3).fit(X, y)
    >>> len(search.cv_results_["params"])
    4
    """

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        journal=None,
    ):
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()  # these leave the following out
        tags.transformer_tags = get_tags(self.estimator).transformer_tags
        return tags

    @available_if(lambda search: hasattr(search, "transform"))
    def fit_transform(self, X, y=None, **params):
        """Search, fit the best candidate on all samples, and transform them with it.

        Parameters
        ----------
        X, y, **params
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            What `transform` gives.
        """
        return self.fit(X, y, **params).transform(X)

    def fit(self, X, y=None, **params):
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
        ValueError
            If the grid has no usable epochs, the estimator keeps no epochs, the journal is that
            of another search, or every fit failed.
        """
        self._validate_params()
        self._check_refit()
        fits = _plan(self.estimator, list(ParameterGrid(self.param_grid)))
        X, y = indexable(X, y)
        fit_params, split_params = self._route(params)
        scorer = check_scoring(
            self.estimator, scoring=self.scoring, raise_exc=self.error_score == "raise"
        )
        epochs = sorted({epoch for fit in fits for epoch in fit.members.values()})
        scorer = _EpochScorer(scorer, epochs, self.error_score)
        if self.journal is None:
            self._search(fits, scorer, self.cv, X, y, params)
        else:
            params = {name: value for name, value in params.items() if name not in split_params}
            self._go_on(fits, scorer, X, y, split_params, params)
        self.n_splits_ = len(fits[0].scores)
        self._collect(fits, epochs[0])
        self.cv_curves_ = _curves(fits, self.n_splits_)
        self.scorer_ = self._final_scorer()
        if self.refit:
            self._refit(X, y, fit_params)
        return self

    def _check_refit(self):
        """Find out before the fits what GridSearchCV would find out before them."""
        several = isinstance(self.scoring, (list, tuple, set, dict))
        if several and self.refit is not False and not callable(self.refit):
            names = list(self.scoring)
            if self.refit not in names:
                raise ValueError(
                    "With several scores, refit should be False, a callable or the name of the "
                    f"score that chooses, one of {names}; got {self.refit!r}."
                )

    def _route(self, params):
        """What of `params` goes to the estimator's fit, and what to the splitter."""
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **params)
            return routed.estimator.fit, routed.splitter.split
        fit_params = {name: value for name, value in params.items() if name != "groups"}
        return fit_params, {"groups": params.get("groups")}

    def _search(self, fits, scorer, cv, X, y, params, folds=None):
        """Run `fits`, each at its largest number of epochs, and store what they score."""
        search = GridSearchCV(
            self.estimator,
            [fit.grid() for fit in fits],
            scoring=scorer,
            n_jobs=self.n_jobs,
            refit=False,
            cv=cv,
            verbose=self.verbose,
            pre_dispatch=self.pre_dispatch,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
        )
        if own := vars(self).get("_skl_callbacks"):
            search.set_callbacks(*own)
        with warnings.catch_warnings():
            # Where a fit has fewer epochs than another. What fails is told at the end.
            warnings.filterwarnings("ignore", "One or more of the .* scores are non-finite")
            found = search.fit(X, y, **params).cv_results_
        for row, fit in enumerate(fits):
            for i in range(search.n_splits_):
                fit.scores[i if folds is None else folds[i]] = {
                    part: {
                        name.removeprefix(start): float(column[row])
                        for name, column in found.items()
                        if name.startswith(start := f"split{i}_{part}_")
                    }
                    for part in self._parts()
                }
            if folds is None or len(folds) == len(fit.scores):
                fit.times = {name: found[name][row] for name in TIMES}

    def _go_on(self, fits, scorer, X, y, split_params, params):
        """Take over from the journal what is finished, and run the rest."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **split_params))
        journal = Journal(
            self.journal,
            *map(describe, (self.estimator, self.scoring, self.error_score)),
            *(np.asarray(X), np.asarray(y), splits, params),
        )
        marks = {
            journal.mark(safe_indexing(X, test)): fold for fold, (_, test) in enumerate(splits)
        }
        if len(marks) < len(splits):
            raise ValueError("With a journal, no two folds should have the same test samples.")
        scorer = replace(scorer, journal=journal, marks=marks)
        finished = journal.read()
        pending = defaultdict(list)
        for fit in fits:
            scores = finished.get(journal.key(fit.grid(), scorer.epochs), {})
            whole = {f: parts for f, parts in scores.items() if set(parts) >= set(self._parts())}
            fit.scores.update(whole)
            pending[tuple(f for f in range(len(splits)) if f not in whole)].append(fit)
        for folds, some in pending.items():
            if folds:
                scorer = replace(scorer, grids=[fit.grid() for fit in some])
                self._search(some, scorer, [splits[f] for f in folds], X, y, params, folds)

    def _parts(self):
        return ("test", "train") if self.return_train_score else ("test",)

    def _collect(self, fits, epoch):
        """Set `cv_results_` and the best candidate, by GridSearchCV's own rules.

        The scores are told to a GridSearchCV that has nothing to fit, one after the other.
        """
        names = [
            name.removesuffix(f"@{epoch}")
            for name in fits[0].scores[0]["test"]
            if name.endswith(f"@{epoch}") and not name.startswith("history_")
        ]
        several = isinstance(self.scoring, (list, tuple, set, dict)) or names != ["score"]

        def told():
            members = {i: (fit, epochs) for fit in fits for i, epochs in fit.members.items()}
            for i, fold, part in product(sorted(members), range(self.n_splits_), self._parts()):
                fit, epochs = members[i]
                scores = {name: fit.scores[fold][part][f"{name}@{epochs}"] for name in names}
                yield scores if several else scores["score"]

        def choose(results):
            return self.refit(_with_times(results, fits))

        scores = told()
        search = GridSearchCV(
            _Told(),
            self.param_grid,
            scoring=lambda estimator, X, y=None: next(scores),
            refit=choose if callable(self.refit) else self.refit,
            cv=[([0], [0])] * self.n_splits_,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
        )
        with joblib.parallel_config("sequential"):
            search.fit([[0.0]])
        self.cv_results_ = _with_times(search.cv_results_, fits)
        for name in ("best_index_", "best_params_", "best_score_", "multimetric_"):
            if hasattr(search, name):
                setattr(self, name, getattr(search, name))

    def _final_scorer(self):
        if not isinstance(self.scoring, (list, tuple, set, dict)):
            return check_scoring(self.estimator, scoring=self.scoring)
        named = self.scoring if isinstance(self.scoring, dict) else {s: s for s in self.scoring}
        return {
            name: check_scoring(self.estimator, scoring=scoring) for name, scoring in named.items()
        }

    def _refit(self, X, y, fit_params):
        best = clone(self.best_params_, safe=False)
        self.best_estimator_ = clone(self.estimator).set_params(**best)
        start = time.time()
        self.best_estimator_.fit(X, y, **fit_params)
        self.refit_time_ = time.time() - start
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_


TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def _with_times(results, fits):
    """The results of a search with each candidate's share of the times of its fit."""
    for fit in fits:
        for i, epochs in fit.members.items():
            for name, value in fit.times.items():
                share = epochs / fit.longest if "fit" in name else 1 / len(fit.members)
                results[name][i] = value * share
    return results


@dataclass
class _Fit:
    """One fit per fold, and the candidates that it serves.

    `params` are the candidates' without epochs, `members` epochs by number of the candidate,
    `scores` values by fold, part ("test" or "train") and name.
    """

    params: dict[str, Any]
    prefix: str
    keep_all: bool
    members: dict[int, int] = field(default_factory=dict)
    scores: dict[int, dict[str, dict[str, float]]] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMES, np.nan))

    @property
    def longest(self):
        return max(self.members.values())

    def grid(self):
        """The grid of the one candidate that is fitted."""
        keep = True if self.keep_all else sorted(set(self.members.values()))
        own = {f"{self.prefix}epochs": self.longest, f"{self.prefix}keep_epochs": keep}
        return {name: [value] for name, value in {**self.params, **own}.items()}


def _plan(estimator, candidates):
    """Put candidates that differ only in epochs into one fit each; raise if one cannot be."""
    prefix = "".join(f"{name}__" for name, _ in _last_steps(estimator))
    name = f"{prefix}epochs"
    _check_keeps_epochs(_last_step(estimator))
    if not any(name in candidate for candidate in candidates):
        raise InvalidParameterError(
            f"param_grid should have {name!r}, since EpochSearchCV is for searching over epochs; "
            f"it has {sorted({key for candidate in candidates for key in candidate})}. "
            "Use GridSearchCV for a grid without."
        )
    fits: dict[Any, _Fit] = {}
    apart: dict[Any, int] = {}
    for i, candidate in enumerate(candidates):
        final = _last_step(clone(estimator).set_params(**clone(candidate, safe=False)))
        _check_keeps_epochs(final)
        if not isinstance(final.epochs, Integral) or isinstance(final.epochs, bool):
            raise InvalidParameterError(f"{name} should be whole numbers; got {final.epochs!r}.")
        if final.epochs < 1:
            raise InvalidParameterError(f"{name} should be 1 or more; got {final.epochs!r}.")
        params = {key: value for key, value in candidate.items() if key != name}
        group: Any = tuple((key, *_identity(params[key])) for key in sorted(params))
        if final.schedule == "one_cycle" or final.callbacks:
            apart[group] = apart.get(group, 0) + 1
            group = i
        fit = fits.setdefault(group, _Fit(params, prefix, bool(final.early_stopping)))
        fit.members[i] = int(final.epochs)
    if alone := sum(count for count in apart.values() if count > 1):
        warnings.warn(
            f"{alone} candidates are fitted one by one: with schedule='one_cycle', or with Keras "
            "callbacks, the first epochs of a longer fit are not those of a shorter one.",
            stacklevel=3,
        )
    return list(fits.values())


def _identity(value):
    """Something equal for values that mean the same."""
    try:
        hash(value)
    except TypeError:
        return id(value), None
    return type(value), value


def _last_steps(estimator):
    """The last step of a Pipeline, and the last step of that, with their names."""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        yield name, estimator


def _last_step(estimator):
    for _, last in _last_steps(estimator):
        estimator = last
    return estimator


def _check_keeps_epochs(final):
    if not (hasattr(type(final), "at_epoch") and hasattr(final, "keep_epochs")):
        raise InvalidParameterError(
            "EpochSearchCV needs an estimator with epochs, keep_epochs and at_epoch, such as "
            f"DigitClassifier, or a Pipeline that ends with one; got {final!r}. "
            "Use GridSearchCV for others."
        )


def _at_epoch(estimator, epoch):
    """A fitted estimator as it was after an epoch."""
    if not isinstance(estimator, Pipeline):
        return estimator.at_epoch(epoch)
    staged = copy.copy(estimator)
    name, last = estimator.steps[-1]
    staged.steps = [*estimator.steps[:-1], (name, _at_epoch(last, epoch))]
    return staged


@dataclass
class _EpochScorer:
    """Scores a fitted estimator at each of its kept epochs, and hands its history out.

    Otherwise it is `scorer`: what scikit-learn asks a scorer, that one answers.
    """

    scorer: Any
    epochs: list[int]
    error_score: Any
    journal: Journal | None = None
    marks: dict[str, int] = field(default_factory=dict)
    grids: list[dict[str, list]] = field(default_factory=list)

    def __call__(self, estimator, X, y=None, **params):
        final = _last_step(estimator)
        kept = range(1, final.epochs + 1) if final.keep_epochs is True else final.keep_epochs
        by_epoch = {
            epoch: self._score(_at_epoch(estimator, epoch), X, y, params)
            for epoch in self.epochs
            if epoch in kept
        }
        names = max(by_epoch.values(), key=len)
        scores = {"n_epochs": float(final.n_iter_)}
        for epoch in self.epochs:
            for name in names:
                scores[f"{name}@{epoch}"] = by_epoch.get(epoch, {}).get(name, np.nan)
        for name, epoch in product(CURVES, range(1, self.epochs[-1] + 1)):
            values = final.history_.get(name, [])
            scores[f"history_{name}@{epoch}"] = (
                values[epoch - 1] if epoch <= len(values) else np.nan
            )
        if self.journal is not None:
            # scikit-learn has an estimator score its test samples first, then the others.
            part = "train" if hasattr(estimator, "_fold") else "test"
            if part == "test":
                estimator._fold = self.marks[self.journal.mark(X)]
            self.journal.write(self._grid(estimator), self.epochs, estimator._fold, part, scores)
        return scores

    def _accept_sample_weight(self):
        """Tell scikit-learn, as its own scorers do."""
        if hasattr(self.scorer, "_accept_sample_weight"):
            return self.scorer._accept_sample_weight()
        return "sample_weight" in signature(self.scorer).parameters

    def __getattr__(self, name):
        if name.startswith("__") or "scorer" not in vars(self):
            raise AttributeError(name)
        return getattr(self.scorer, name)

    def _score(self, estimator, X, y, params):
        """Scores by name; `error_score` for those that cannot be computed."""
        try:
            args = (X,) if y is None else (X, y)
            scores = self.scorer(estimator, *args, **params)
        except Exception:
            if self.error_score == "raise":
                raise
            scores = traceback.format_exc()
        scores = scores if isinstance(scores, dict) else {"score": scores}
        for name, value in scores.items():
            if isinstance(value, str):
                warnings.warn(
                    f"Scoring failed; the score is set to {self.error_score}. It was:\n{value}",
                    stacklevel=2,
                )
                scores[name] = self.error_score
        return {name: float(value) for name, value in scores.items()}

    def _grid(self, estimator):
        """Which of the grids this estimator was made from."""
        params = {name: describe(value) for name, value in estimator.get_params().items()}
        for grid in self.grids:
            if all(params[name] == describe(value) for name, (value,) in grid.items()):
                return grid
        raise RuntimeError("The estimator is of no candidate.")


class _Told(BaseEstimator):
    """Takes any parameters, and has nothing to fit."""

    def __init__(self, params=None):
        self.params = params

    def set_params(self, **params):
        self.params = params
        return self

    def fit(self, X, y=None):
        return self


def _curves(fits, n_splits):
    """A row per epoch of each fit, as columns."""
    rows = []
    for fit, fold in product(fits, range(n_splits)):
        scores = fit.scores[fold]["test"]
        if not scores["n_epochs"] >= 1:
            continue  # the fit failed
        candidate = max(fit.members, key=lambda i: fit.members[i])
        for epoch in range(1, int(scores["n_epochs"]) + 1):
            end = f"@{epoch}"
            values = {n.removesuffix(end): v for n, v in scores.items() if n.endswith(end)}
            row = {"fold": fold, "candidate": candidate, "epoch": epoch}
            rows.append(row | {n.removeprefix("history_"): v for n, v in values.items()})
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}
    return {
        name: column
        for name, column in columns.items()
        if not name.startswith("val_") or np.isfinite(column).any()
    }
