"""Comparison of the networks with other classifiers on the same images."""

from __future__ import annotations

import importlib.util
import pickle
import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_array, check_consistent_length
from sklearn.utils.validation import column_or_1d

from skdigits.metrics import plain_labels, probability_figures
from skdigits.networks.architectures import ARCHITECTURES
from skdigits.preprocessing import ImageReshaper

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import Estimator, RandomState

ONE_IMAGE_SECONDS = 0.5  # duration of the measurement of `predict_one_seconds`
TRAIN_SIZES = (100, 300, 1000, 3000, 10_000, 30_000, 60_000)
CURVE_TEST_IMAGES = 5000  # with more images, some classifiers would take minutes per size


def make_classifiers(random_state: RandomState = None) -> dict[str, Pipeline]:
    """Make the classifiers to compare, as pipelines with the same steps.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Value for every classifier that has this parameter.

    Returns
    -------
    dict of str to Pipeline
        `DigitClassifier` with each named network, classifiers of scikit-learn, and XGBoost if it
        is installed. The steps are ``images``, ``scale`` and ``classifier``.
    """
    from skdigits.classifier import DigitClassifier

    networks = {
        name: Pipeline(
            [
                ("images", ImageReshaper()),
                ("scale", "passthrough"),  # the network rescales pixels
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


def _baselines(random_state: RandomState) -> dict[str, Estimator]:
    """Make the other classifiers; values that differ from the defaults were tuned on MNIST."""
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
    """Divide pixels by the maximum absolute value of the training images."""

    def fit(self, X: np.ndarray, y: Any = None) -> Self:
        largest = max(float(X.max()), -float(X.min())) or 1.0
        self.scale_ = np.float32(1 / largest)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return X * self.scale_


def compare_classifiers(
    classifiers: Mapping[str, Estimator],
    X: ArrayLike,
    y: ArrayLike,
    splits: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    report: Callable[[str, dict[str, float]], Any] | None = None,
) -> Bunch:
    """Fit and test classifiers on the same images.

    Parameters
    ----------
    classifiers : dict of str to Pipeline
        As `make_classifiers` returns them.
    X : array-like of shape (n_samples, n_features) or (n_samples, height, width)
        Images.
    y : array-like of shape (n_samples,)
        Labels.
    splits : iterable of (train, test)
        Indices of samples, as a scikit-learn splitter yields them. Each training set must contain
        every class. Predictions of several test sets are concatenated.
    report : callable, default=None
        Function that is called with the name and the table row of each classifier after its test.

    Returns
    -------
    sklearn.utils.Bunch
        ``table``, a dict of columns with one row per classifier:

        - ``classifier``: the name;
        - ``accuracy``, and ``accuracy_low`` and ``accuracy_high``, its 95 % interval (Wilson);
        - ``log_loss`` and ``calibration_error``, NaN without `predict_proba`;
        - ``fit_seconds`` and ``predict_seconds``, means over the splits (the first fit includes
          the compilation of a network), and ``predict_one_seconds``, the median for one image;
        - ``megabytes``, the size of the pickle;
        - ``p_value`` of McNemar's exact test against the most accurate classifier that is not a
          `DigitClassifier`; NaN for that classifier itself.

        ``correct`` and ``confidence`` are dicts with one array per classifier. The arrays have one
        value per test image, in the order of the splits: whether the prediction is correct, and its
        probability. ``confidence`` is None for a classifier without `predict_proba`.

    Raises
    ------
    ValueError
        If a class is missing in a training set. The error is raised before training starts.
    """
    X, y = check_array(X, dtype=None, allow_nd=True), column_or_1d(plain_labels(y))
    check_consistent_length(X, y)
    classes, y = np.unique(y, return_inverse=True)  # XGBoost accepts only 0, 1, …
    splits = list(splits)
    _check_splits(splits, y, classes)
    if any(map(_is_ours, classifiers.values())):
        # Import TensorFlow before time is measured.
        importlib.import_module("skdigits.training.tensorflow")
    rows: list[dict[str, Any]] = []
    correct, confidence = {}, {}
    for name, classifier in classifiers.items():
        row, correct[name], confidence[name] = _measure(classifier, X, y, splits)
        rows.append({"classifier": name, **row})
        if report is not None:
            report(name, row)
    others = [row for row in rows if not _is_ours(classifiers[row["classifier"]])]
    reference = max(others, key=lambda row: row["accuracy"], default=None)
    for row in rows:
        row["p_value"] = np.nan
        if reference is not None and row is not reference:
            row["p_value"] = _mcnemar(correct[row["classifier"]], correct[reference["classifier"]])
    table = {column: [row[column] for row in rows] for column in rows[0]}
    return Bunch(table=table, correct=correct, confidence=confidence)


def _check_splits(
    splits: list[tuple[np.ndarray, np.ndarray]], y: np.ndarray, classes: np.ndarray
) -> None:
    for i, (train, _) in enumerate(splits):
        missing = np.delete(classes, np.unique(y[train]))
        if len(missing):
            raise ValueError(
                f"Split {i} has no training sample of {', '.join(map(repr, missing.tolist()))}. "
                "Use StratifiedKFold, or remove rare classes."
            )


def learning_curves(
    classifiers: Mapping[str, Estimator],
    X: np.ndarray,
    y: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    *,
    sizes: Sequence[int] = TRAIN_SIZES,
    report: Callable[[str, int, float], Any] | None = None,
) -> dict[str, list[Any]]:
    """Compute the accuracy for increasing numbers of training images.

    Parameters
    ----------
    classifiers : dict of str to Pipeline
        As `make_classifiers` returns them.
    X : ndarray of shape (n_samples, n_features) or (n_samples, height, width)
        Images.
    y : ndarray of shape (n_samples,)
        Labels.
    split : (train, test)
        Indices of samples in random order; the first indices of each array are used.
    sizes : sequence of int, default=(100, 300, 1000, 3000, 10_000, 30_000, 60_000)
        Numbers of training images. A size is skipped if there are fewer training images, or if all
        its images have the same class.
    report : callable, default=None
        Function that is called with the name, size and accuracy after each fit.

    Returns
    -------
    dict of list
        Columns ``classifier``, ``n_train`` and ``accuracy``.
    """
    train, test = split
    test = test[:CURVE_TEST_IMAGES]
    sizes = [n for n in sizes if n <= len(train) and len(np.unique(y[train[:n]])) > 1]
    table: dict[str, list[Any]] = {"classifier": [], "n_train": [], "accuracy": []}
    for name, classifier in classifiers.items():
        for size in sizes:
            chosen = train[:size]
            classes, labels = np.unique(y[chosen], return_inverse=True)  # a class may be missing
            fitted = _fit(classifier, X[chosen], labels)
            row = name, size, float(np.mean(classes[fitted.predict(X[test])] == y[test]))
            for column, value in zip(table.values(), row, strict=True):
                column.append(value)
            if report is not None:
                report(*row)
    return table


def _measure(
    classifier: Estimator, X: np.ndarray, y: np.ndarray, splits: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[dict[str, Any], np.ndarray, np.ndarray | None]:
    """Return the table row of a classifier, and its correctness and confidence per test image."""
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
    correct = y_true == y_pred
    row = _accuracy(correct) | {"log_loss": np.nan, "calibration_error": np.nan}
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
    return row, correct, confidence


def _is_ours(classifier: Estimator) -> bool:
    from skdigits.classifier import DigitClassifier

    last = classifier[-1] if isinstance(classifier, Pipeline) else classifier
    return isinstance(last, DigitClassifier)


def _fit(classifier: Estimator, X: np.ndarray, y: np.ndarray) -> Estimator:
    with warnings.catch_warnings():
        if not _is_ours(classifier):  # they warn of an iteration limit, ours of divergence
            warnings.simplefilter("ignore", ConvergenceWarning)
        return clone(classifier).fit(X, y)


def _seconds_of_one(fitted: Estimator, image: np.ndarray) -> float:
    seconds: list[float] = []
    while sum(seconds) < ONE_IMAGE_SECONDS:
        start = time.perf_counter()
        fitted.predict(image)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _accuracy(correct: np.ndarray) -> dict[str, float]:
    from scipy.stats import binomtest

    interval = binomtest(int(correct.sum()), len(correct)).proportion_ci(method="wilson")
    return {
        "accuracy": float(correct.mean()),
        "accuracy_low": float(interval.low),
        "accuracy_high": float(interval.high),
    }


def _mcnemar(correct: np.ndarray, other: np.ndarray) -> float:
    """Compute the p-value of McNemar's exact test; the null hypothesis is equal accuracy."""
    from scipy.stats import binomtest

    alone = int((correct & ~other).sum()), int((other & ~correct).sum())
    return float(binomtest(alone[0], sum(alone)).pvalue) if sum(alone) else 1.0
