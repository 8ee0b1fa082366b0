"""The networks beside scikit-learn's other classifiers, on the same images."""

from __future__ import annotations

import importlib.util
import pickle
import statistics
import time
import warnings

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_array, check_consistent_length
from sklearn.utils.validation import column_or_1d

from skdigits.metrics import expected_calibration_error
from skdigits.networks.spec import ARCHITECTURES
from skdigits.preprocessing import ImageReshaper

ONE_IMAGE_SECONDS = 0.5  # for measuring the time of one image
TRAIN_SIZES = (100, 300, 1000, 3000, 10_000, 30_000, 60_000)
CURVE_TEST_IMAGES = 5000  # enough for a curve, where some take minutes for all


def make_classifiers(random_state=None):
    """Make the classifiers to compare, in pipelines of one form.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        For those that draw at random.

    Returns
    -------
    dict of str to Pipeline
        `DigitClassifier` with each named network, and scikit-learn's classifiers with the steps
        ``images``, ``scale`` and ``classifier``; XGBoost's too if it is installed.
    """
    from skdigits.classifier import DigitClassifier

    networks = {
        name: Pipeline(
            [
                ("images", ImageReshaper()),
                ("scale", "passthrough"),  # the network does it, from bytes
                ("classifier", DigitClassifier(name, random_state=random_state)),
            ]
        )
        for name in ARCHITECTURES
    }
    others = {
        name: Pipeline(
            [
                ("images", ImageReshaper(output="flat")),
                ("scale", _PixelScaler()),
                ("classifier", classifier),
            ]
        )
        for name, classifier in _baselines(random_state).items()
    }
    return networks | others


def _baselines(random_state):
    """Other classifiers; parameters that are not scikit-learn's were tuned on a split of MNIST."""
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC, LinearSVC

    seeded = {"random_state": random_state}
    found = {
        "SVC": SVC(C=10),
        "LinearSVC": LinearSVC(**seeded),
        "RandomForest": RandomForestClassifier(n_jobs=-1, **seeded),
        "ExtraTrees": ExtraTreesClassifier(n_jobs=-1, **seeded),
        "HistGradientBoosting": HistGradientBoostingClassifier(**seeded),
        "KNeighbors": KNeighborsClassifier(3, weights="distance"),
        "LogisticRegression": LogisticRegression(max_iter=200),
        "MLP": MLPClassifier((200,), **seeded),
    }
    if importlib.util.find_spec("xgboost"):
        from xgboost import XGBClassifier

        found["XGBoost"] = XGBClassifier(**seeded)
    return found


class _PixelScaler(TransformerMixin, BaseEstimator):
    """Pixels from -1 or 0 to 1, by the largest value seen in fit."""

    def fit(self, X, y=None):
        largest = max(float(X.max()), -float(X.min())) or 1.0
        self.scale_ = np.float32(1 / largest)
        return self

    def transform(self, X):
        return X * self.scale_


def compare_classifiers(classifiers, X, y, splits, *, report=None):
    """Fit and test classifiers on the same images.

    Parameters
    ----------
    classifiers : dict of str to Pipeline
        As `make_classifiers` gives them.
    X : array-like of shape (n_samples, n_features) or (n_samples, height, width)
        Images.
    y : array-like of shape (n_samples,)
        Labels.
    splits : iterable of (train, test)
        Indices of samples, as a splitter of scikit-learn's yields them; all classes are to train
        on in each. What is measured on several test sets is put together.
    report : callable, default=None
        Called with the name and the figures of each classifier when they are there.

    Returns
    -------
    sklearn.utils.Bunch
        ``table``, a dict of columns with a row per classifier: ``classifier``, ``accuracy``, its
        95 % interval (Wilson's) from ``accuracy_low`` to ``accuracy_high``, ``log_loss`` and
        ``calibration_error`` (NaN without `predict_proba`), ``fit_seconds`` (the first with the
        compilation of the network) and ``predict_seconds`` per split, ``predict_one_seconds`` (a
        median), ``megabytes`` of the pickle, and ``p_value`` of McNemar's exact test against the
        most accurate classifier that is no `DigitClassifier`. ``right`` and ``confidence``, dicts
        of arrays with a value per test image, in the order of the splits; ``confidence`` has None
        for a classifier without `predict_proba`.

    Raises
    ------
    ValueError
        If a class is not among the samples to train on; before any training.
    """
    X, y = check_array(X, dtype=None, allow_nd=True), column_or_1d(y)
    check_consistent_length(X, y)
    classes, y = np.unique(y, return_inverse=True)  # XGBoost takes nothing but 0, 1, …
    splits = list(splits)
    for i, (train, _) in enumerate(splits):
        missing = np.delete(classes, np.unique(y[train]))
        if len(missing):
            raise ValueError(
                f"Split {i} has no sample of {', '.join(map(repr, missing.tolist()))} to train on; "
                "take StratifiedKFold, or leave rare classes out."
            )
    if any(map(_is_ours, classifiers.values())):
        # Starts TensorFlow, before time is taken.
        importlib.import_module("skdigits.training.tensorflow")
    rows, right, confidence = [], {}, {}
    for name, classifier in classifiers.items():
        row, right[name], confidence[name] = _measure(classifier, X, y, splits)
        rows.append({"classifier": name, **row})
        if report is not None:
            report(name, row)
    others = [row for row in rows if not _is_ours(classifiers[row["classifier"]])]
    reference = max(others, key=lambda row: row["accuracy"], default=None)
    for row in rows:
        row["p_value"] = np.nan
        if reference is not None and row is not reference:
            row["p_value"] = _mcnemar(right[row["classifier"]], right[reference["classifier"]])
    table = {column: [row[column] for row in rows] for column in rows[0]}
    return Bunch(table=table, right=right, confidence=confidence)


def learning_curves(classifiers, X, y, split, *, sizes=TRAIN_SIZES, report=None):
    """Accuracy with more and more images to train on.

    Parameters
    ----------
    classifiers : dict of str to Pipeline
        As `make_classifiers` gives them.
    X : ndarray of shape (n_samples, n_features) or (n_samples, height, width)
        Images.
    y : ndarray of shape (n_samples,)
        Labels.
    split : (train, test)
        Indices of samples, in random order; the first of each are used.
    sizes : sequence of int, default=(100, 300, 1000, 3000, 10_000, 30_000, 60_000)
        Numbers of images. Those larger than there are to train on are left out, and those whose
        images are all of one class.
    report : callable, default=None
        Called with the name, size and accuracy of each fit.

    Returns
    -------
    dict of list
        Columns ``classifier``, ``n_train`` and ``accuracy``.
    """
    train, test = split
    test = test[:CURVE_TEST_IMAGES]
    sizes = [n for n in sizes if n <= len(train) and len(np.unique(y[train[:n]])) > 1]
    table: dict[str, list] = {"classifier": [], "n_train": [], "accuracy": []}
    for name, classifier in classifiers.items():
        for size in sizes:
            chosen = train[:size]
            classes, labels = np.unique(y[chosen], return_inverse=True)  # few may lack a class
            fitted = _fit(classifier, X[chosen], labels)
            row = name, size, float(np.mean(classes[fitted.predict(X[test])] == y[test]))
            for column, value in zip(table.values(), row, strict=True):
                column.append(value)
            if report is not None:
                report(*row)
    return table


def _measure(classifier, X, y, splits):
    """Figures of one classifier, and per test image whether it is right and how sure."""
    seconds: dict[str, list[float]] = {"fit": [], "predict": [], "one": []}
    truth, labels, probability = [], [], []
    for train, test in splits:
        start = time.perf_counter()
        fitted = _fit(classifier, X[train], y[train])
        seconds["fit"].append(time.perf_counter() - start)
        fitted.predict(X[test[:1]])
        start = time.perf_counter()
        labels.append(fitted.predict(X[test]))
        seconds["predict"].append(time.perf_counter() - start)
        seconds["one"].append(_seconds_of_one(fitted, X[test[:1]]))
        truth.append(y[test])
        if hasattr(fitted, "predict_proba"):
            probability.append(fitted.predict_proba(X[test]))
    y_true, y_pred = np.concatenate(truth), np.concatenate(labels)
    right = y_true == y_pred
    row = _accuracy(right) | {"log_loss": np.nan, "calibration_error": np.nan}
    confidence = None
    if probability:
        y_prob = np.concatenate(probability)
        confidence = y_prob.max(axis=1)
        row |= probability_figures(y_true, y_prob, fitted.classes_)
    row |= {
        "fit_seconds": statistics.fmean(seconds["fit"]),
        "predict_seconds": statistics.fmean(seconds["predict"]),
        "predict_one_seconds": statistics.median(seconds["one"]),
        "megabytes": len(pickle.dumps(fitted)) / 1e6,
    }
    return row, right, confidence


def _is_ours(classifier):
    from skdigits.classifier import DigitClassifier

    last = classifier[-1] if isinstance(classifier, Pipeline) else classifier
    return isinstance(last, DigitClassifier)


def _fit(classifier, X, y):
    with warnings.catch_warnings():
        if not _is_ours(classifier):  # theirs tell of a limit of iterations, ours of divergence
            warnings.simplefilter("ignore", ConvergenceWarning)
        return clone(classifier).fit(X, y)


def _seconds_of_one(fitted, image):
    seconds: list[float] = []
    while sum(seconds) < ONE_IMAGE_SECONDS:
        start = time.perf_counter()
        fitted.predict(image)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _accuracy(right):
    from scipy.stats import binomtest

    interval = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return {
        "accuracy": float(right.mean()),
        "accuracy_low": float(interval.low),
        "accuracy_high": float(interval.high),
    }


def probability_figures(y_true, y_prob, classes):
    """Measure how good probabilities are.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Labels.
    y_prob : ndarray of shape (n_samples, n_classes)
        Probabilities.
    classes : ndarray of shape (n_classes,)
        The label of each column.

    Returns
    -------
    dict of str to float
        ``log_loss`` and ``calibration_error``.
    """
    from sklearn.metrics import log_loss

    # As float64, since log loss counts 0 as the smallest number of the type.
    y_prob = y_prob.astype(np.float64)
    y_prob /= y_prob.sum(axis=1, keepdims=True)
    return {
        "log_loss": float(log_loss(y_true, y_prob, labels=classes)),
        "calibration_error": expected_calibration_error(y_true, y_prob, labels=classes),
    }


def _mcnemar(right, other):
    """Probability, were both as good, that those images which one alone has right fall so."""
    from scipy.stats import binomtest

    alone = int((right & ~other).sum()), int((other & ~right).sum())
    return float(binomtest(alone[0], sum(alone)).pvalue) if sum(alone) else 1.0
