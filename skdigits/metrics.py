"""Metrics of predicted digits, sequences and probabilities."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import log_loss, make_scorer
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import column_or_1d

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def exact_match_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Compute the share of sequences that are predicted without a mistake.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True sequences: strings of digits, or integers for sequences of one digit.
    y_pred : array-like of shape (n_samples,)
        Predicted sequences.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the sequences.

    Returns
    -------
    float
        Exact match, from 0 to 1 (best).

    Examples
    --------
    >>> from skdigits.metrics import exact_match_score
    >>> exact_match_score(["12", "345"], ["12", "335"])
    0.5
    """
    y_true, y_pred = _check_sequences(y_true, y_pred)
    check_consistent_length(y_true, sample_weight)
    weights = None if sample_weight is None else np.asarray(sample_weight)
    return float(np.average(y_true == y_pred, weights=weights))


def character_error_rate(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Compute the number of edits (digits to insert, delete or replace) per true digit.

    Edits and true digits are summed over all sequences (micro average).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True sequences: strings of digits, or integers for sequences of one digit.
    y_pred : array-like of shape (n_samples,)
        Predicted sequences.

    Returns
    -------
    float
        Error rate, from 0 (best); it exceeds 1 if there are more edits than true digits. If
        `y_true` has no digits and `y_pred` has some, the rate is NaN, and a warning is issued.

    Examples
    --------
    >>> from skdigits.metrics import character_error_rate
    >>> character_error_rate(["12", "345"], ["12", "335"])
    0.2
    """
    y_true, y_pred = _check_sequences(y_true, y_pred)
    edits, digits = _edits(y_true, y_pred).sum(), np.char.str_len(y_true).sum()
    if digits:
        return float(edits / digits)
    if not edits:
        return 0.0
    warnings.warn(
        "The character error rate is not defined: y_true has no digits.",
        UndefinedMetricWarning,
        stacklevel=2,
    )
    return np.nan


def length_report(y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, np.ndarray]:
    """Compute metrics per length of the true sequence.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True sequences: strings of digits, or integers for sequences of one digit.
    y_pred : array-like of shape (n_samples,)
        Predicted sequences.

    Returns
    -------
    dict of str to ndarray
        Columns for ``pandas.DataFrame``, with one row per length. The columns are ``length``,
        ``n_sequences``, ``exact_match``, ``character_error_rate`` (NaN for length 0) and
        ``repeated_exact_match``. The last column is the exact match of sequences in which two
        successive digits are equal (NaN if there are none).
    """
    y_true, y_pred = _check_sequences(y_true, y_pred)
    lengths, correct, edits = np.char.str_len(y_true), y_true == y_pred, _edits(y_true, y_pred)
    repeated = np.array([any(map(str.__eq__, s, s[1:])) for s in y_true.tolist()])
    report: dict[str, list[float]] = {
        "length": [],
        "n_sequences": [],
        "exact_match": [],
        "character_error_rate": [],
        "repeated_exact_match": [],
    }
    for length in np.unique(lengths):
        chosen = lengths == length
        rate = edits[chosen].sum() / (length * chosen.sum()) if length else np.nan
        again = chosen & repeated
        of_repeated = correct[again].mean() if again.any() else np.nan
        row = (length, chosen.sum(), correct[chosen].mean(), rate, of_repeated)
        for values, value in zip(report.values(), row, strict=True):
            values.append(value)
    return {name: np.array(values) for name, values in report.items()}


def coverage_curve(
    y_true: ArrayLike, y_pred: ArrayLike, confidence: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute coverage and accuracy for each confidence threshold.

    Predictions are kept if their confidence is at least the threshold.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels or sequences.
    y_pred : array-like of shape (n_samples,)
        Predicted labels or sequences.
    confidence : array-like of shape (n_samples,)
        Confidence of each prediction.

    Returns
    -------
    coverage : ndarray of shape (n_thresholds,)
        Share of predictions that are kept, in increasing order.
    accuracy : ndarray of shape (n_thresholds,)
        Share of the kept predictions that are correct.
    thresholds : ndarray of shape (n_thresholds,)
        Distinct values of `confidence`, in decreasing order.

    Raises
    ------
    ValueError
        If there are no samples, or the numbers of samples differ.
    """
    y_true, y_pred = _column(y_true), _column(y_pred)
    if "U" in (y_true.dtype.kind, y_pred.dtype.kind):
        y_true, y_pred = as_sequences(y_true), as_sequences(y_pred)  # 7 equals "7"
    confidence = column_or_1d(confidence)
    check_consistent_length(y_true, y_pred, confidence)
    if not len(confidence):
        raise ValueError("y_true, y_pred and confidence are empty; expected at least one sample.")
    order = np.argsort(-confidence, kind="stable")
    n_correct = np.cumsum((y_true == y_pred)[order])
    # The last index of each group of equal confidences.
    last = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    n_kept = last + 1
    return n_kept / len(order), n_correct[last] / n_kept, confidence[order][last]


def coverage_at_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, confidence: ArrayLike, *, accuracy: float = 0.998
) -> float:
    """Compute the maximum coverage at which the kept predictions reach an accuracy.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels or sequences.
    y_pred : array-like of shape (n_samples,)
        Predicted labels or sequences.
    confidence : array-like of shape (n_samples,)
        Confidence of each prediction; the least confident predictions are rejected first.
    accuracy : float, default=0.998
        Required accuracy of the kept predictions, in (0, 1].

    Returns
    -------
    float
        Maximum coverage, from 0 to 1 (best); 0 if the accuracy is never reached.

    Raises
    ------
    ValueError
        If there are no samples, or the numbers of samples differ.

    References
    ----------
    Goodfellow et al., "Multi-digit number recognition from street view imagery using deep
    convolutional neural networks" (2013), section 4.
    """
    coverage, reached, _ = coverage_curve(y_true, y_pred, confidence)
    return float(coverage[reached >= accuracy].max(initial=0.0))


def expected_calibration_error(
    y_true: ArrayLike, y_prob: ArrayLike, *, labels: ArrayLike | None = None, n_bins: int = 15
) -> float:
    """Compute the mean absolute difference between confidence and accuracy.

    The confidence of a prediction is the maximum of its row of `y_prob`. Predictions are divided by
    confidence into bins of equal width. In each bin, the absolute difference between mean
    confidence and accuracy is computed. The result is the mean of these differences, weighted by
    the number of predictions in each bin.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_prob : array-like of shape (n_samples, n_classes)
        Predicted probabilities.
    labels : array-like of shape (n_classes,), default=None
        The label of each column of `y_prob`; None means the sorted labels in `y_true`.
    n_bins : int, default=15
        Number of bins.

    Returns
    -------
    float
        Calibration error, from 0 (best) to 1.

    Raises
    ------
    ValueError
        If the number of labels differs from the number of columns.

    References
    ----------
    Guo et al., "On calibration of modern neural networks" (2017), section 2.

    Examples
    --------
    >>> from skdigits.metrics import expected_calibration_error
    >>> expected_calibration_error([0, 1, 1, 1], [[0.75, 0.25]] * 4)
    0.5
    """
    y_true, y_prob = _column(y_true), check_array(y_prob, dtype=np.float64)
    check_consistent_length(y_true, y_prob)
    labels = np.unique(y_true) if labels is None else _column(labels)
    if len(labels) != y_prob.shape[1]:
        raise ValueError(
            f"y_prob has {y_prob.shape[1]} columns and there are {len(labels)} labels; expected "
            "one label per column. Pass labels=classifier.classes_."
        )
    confidence = y_prob.max(axis=1)
    correct = labels[y_prob.argmax(axis=1)] == y_true
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    differences = np.bincount(bins, confidence - correct, minlength=n_bins)
    return float(np.abs(differences).sum() / len(y_true))


def probability_figures(
    y_true: ArrayLike, y_prob: ArrayLike, classes: ArrayLike
) -> dict[str, float]:
    """Compute log loss and expected calibration error of predicted probabilities.

    Both are computed in float64 from rows that are normalized to a sum of 1. Log loss replaces a
    probability of 0 by the machine epsilon of its dtype; float32 would therefore give a different
    log loss.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_prob : array-like of shape (n_samples, n_classes)
        Predicted probabilities.
    classes : array-like of shape (n_classes,)
        The label of each column of `y_prob`.

    Returns
    -------
    dict of str to float
        ``log_loss`` and ``calibration_error``.

    Raises
    ------
    ValueError
        If the number of labels differs from the number of columns.
    """
    y_prob = np.asarray(y_prob, np.float64)
    y_prob = y_prob / y_prob.sum(axis=1, keepdims=True)
    return {
        "log_loss": float(log_loss(_column(y_true), y_prob, labels=_column(classes))),
        "calibration_error": expected_calibration_error(y_true, y_prob, labels=classes),
    }


exact_match_scorer: Any = make_scorer(exact_match_score)
neg_character_error_rate_scorer: Any = make_scorer(character_error_rate, greater_is_better=False)


def as_sequences(y: ArrayLike) -> np.ndarray:
    """Convert labels to strings of digits.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Strings of digits, or integers for sequences of one digit.

    Returns
    -------
    ndarray of shape (n_samples,), str
        The sequences.

    Raises
    ------
    ValueError
        If the labels are neither strings nor whole numbers.
    """
    y = without_objects(_column(y))
    if y.dtype.kind in "biuf" and (y == np.rint(y)).all():
        return y.astype(np.int64).astype(str)
    if y.dtype.kind == "U":
        return y
    if y.dtype.kind == "O" and all(isinstance(value, str) for value in y):
        return y.astype(str)
    raise ValueError(
        "Unknown label type: sequences should be strings of digits, or whole numbers for single "
        f"digits; got {y[:3]!r} of dtype {y.dtype}."
    )


def without_objects(y: np.ndarray) -> np.ndarray:
    """Convert integers in an array of dtype object to int64.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels of any dtype.

    Returns
    -------
    ndarray of shape (n_samples,)
        Labels of dtype int64 if `y` has dtype object and contains only integers, otherwise `y`.
    """
    if y.dtype.kind == "O" and all(isinstance(value, Integral) for value in y):
        return y.astype(np.int64)
    return y


def _column(labels: Any) -> np.ndarray:
    return column_or_1d(plain_labels(labels))


def _check_sequences(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = as_sequences(y_true), as_sequences(y_pred)
    check_consistent_length(y_true, y_pred)
    return y_true, y_pred


def _edits(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    from rapidfuzz.distance import Levenshtein  # imported here because predictions do not need it

    pairs = zip(y_true.tolist(), y_pred.tolist(), strict=True)
    return np.array([Levenshtein.distance(a, b) for a, b in pairs], dtype=np.int64)


def plain_labels(y: Any) -> Any:
    """Convert labels of NumPy's ``StringDType``, which scikit-learn does not support, to str.

    Parameters
    ----------
    y : array-like or None
        Labels.

    Returns
    -------
    array-like or None
        An array of dtype str if `y` has dtype ``numpy.dtypes.StringDType``, otherwise `y`.

    Raises
    ------
    ValueError
        If an array of dtype ``StringDType`` has missing values.
    """
    if getattr(getattr(y, "dtype", None), "kind", None) != "T":
        return y
    texts = y.astype(object)
    missing = [text for text in texts.ravel() if not isinstance(text, str)]
    if missing:
        raise ValueError(f"y has {len(missing)} missing values ({missing[0]!r}); remove them.")
    return texts.astype(str)
