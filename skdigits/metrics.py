"""How well digits and sequences of them are read, and how well that is known."""

from __future__ import annotations

import warnings
from numbers import Integral

import numpy as np
from rapidfuzz.distance import Levenshtein
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import column_or_1d


def exact_match_score(y_true, y_pred, *, sample_weight=None):
    """Share of sequences that are read without a mistake.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The sequences, strings of digits; a whole number stands for a sequence of one.
    y_pred : array-like of shape (n_samples,)
        What was read.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the sequences.

    Returns
    -------
    float
        Between 0 and 1, the best.

    Examples
    --------
    >>> from skdigits.metrics import exact_match_score
    >>> exact_match_score(["12", "345"], ["12", "335"])
    0.5
    """
    y_true, y_pred = _check_sequences(y_true, y_pred)
    check_consistent_length(y_true, sample_weight)
    return float(np.average(y_true == y_pred, weights=sample_weight))


def character_error_rate(y_true, y_pred):
    """Digits to insert, delete or replace per digit of the truth, over all sequences (micro).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The sequences, strings of digits; a whole number stands for a sequence of one.
    y_pred : array-like of shape (n_samples,)
        What was read.

    Returns
    -------
    float
        0 is best; above 1 where more is read than there is. NaN with a warning where the truth has
        no digit and something was read.

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


def length_report(y_true, y_pred):
    """Figures per length of the sequence.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The sequences, strings of digits; a whole number stands for a sequence of one.
    y_pred : array-like of shape (n_samples,)
        What was read.

    Returns
    -------
    dict of str to ndarray
        Columns for ``pandas.DataFrame``, a row per length: ``length``, ``n_sequences``,
        ``exact_match``, ``character_error_rate`` (NaN for length 0), and ``repeated_exact_match``,
        the exact match of those in which a digit follows itself (NaN where there are none).
    """
    y_true, y_pred = _check_sequences(y_true, y_pred)
    lengths, right, edits = np.char.str_len(y_true), y_true == y_pred, _edits(y_true, y_pred)
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
        of_repeated = right[again].mean() if again.any() else np.nan
        row = (length, chosen.sum(), right[chosen].mean(), rate, of_repeated)
        for values, value in zip(report.values(), row, strict=True):
            values.append(value)
    return {name: np.array(values) for name, values in report.items()}


def coverage_curve(y_true, y_pred, confidence):
    """Share of sequences kept, and of those the share read right, for falling thresholds.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The truth.
    y_pred : array-like of shape (n_samples,)
        What was read.
    confidence : array-like of shape (n_samples,)
        Confidence in each reading; those below a threshold are rejected.

    Returns
    -------
    coverage, accuracy, thresholds : ndarray of shape (n_thresholds,)
        For each threshold, highest first.
    """
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    if "U" in (y_true.dtype.kind, y_pred.dtype.kind):
        y_true, y_pred = as_sequences(y_true), as_sequences(y_pred)  # 7 is read as "7"
    confidence = column_or_1d(confidence)
    check_consistent_length(y_true, y_pred, confidence)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum((y_true == y_pred)[order])
    last = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))  # of equal ones
    kept = last + 1
    return kept / len(order), right[last] / kept, confidence[order][last]


def coverage_at_accuracy(y_true, y_pred, confidence, *, accuracy=0.998):
    """Share of sequences that can be kept so that those kept are read that accurately.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The truth.
    y_pred : array-like of shape (n_samples,)
        What was read.
    confidence : array-like of shape (n_samples,)
        Confidence in each reading.
    accuracy : float, default=0.998
        Share of the readings kept that are right, in (0, 1].

    Returns
    -------
    float
        Between 0 and 1, the best.

    References
    ----------
    Goodfellow et al., "Multi-digit number recognition from street view imagery using deep
    convolutional neural networks" (2013), section 4.
    """
    coverage, reached, _ = coverage_curve(y_true, y_pred, confidence)
    return float(coverage[reached >= accuracy].max(initial=0.0))


def expected_calibration_error(y_true, y_prob, *, labels=None, n_bins=15):
    """How far confidence is from accuracy, on average over all predictions.

    Predictions are divided by confidence, the highest probability, into bins of equal width; the
    differences between mean confidence and accuracy in each are averaged.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The truth.
    y_prob : array-like of shape (n_samples, n_classes)
        Probabilities.
    labels : array-like of shape (n_classes,), default=None
        The label of each column; None is the sorted labels of `y_true`.
    n_bins : int, default=15
        Number of bins.

    Returns
    -------
    float
        Between 0, the best, and 1.

    Raises
    ------
    ValueError
        If there are not as many labels as columns.

    References
    ----------
    Guo et al., "On calibration of modern neural networks" (2017), section 2.

    Examples
    --------
    >>> from skdigits.metrics import expected_calibration_error
    >>> expected_calibration_error([0, 1, 1, 1], [[0.75, 0.25]] * 4)
    0.5
    """
    y_true, y_prob = column_or_1d(y_true), check_array(y_prob, dtype=np.float64)
    check_consistent_length(y_true, y_prob)
    labels = np.unique(y_true) if labels is None else column_or_1d(labels)
    if len(labels) != y_prob.shape[1]:
        raise ValueError(
            f"y_prob has {y_prob.shape[1]} columns and there are {len(labels)} labels; pass "
            "labels=classifier.classes_."
        )
    confidence = y_prob.max(axis=1)
    right = labels[y_prob.argmax(axis=1)] == y_true
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, confidence - right, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(y_true))


exact_match_scorer = make_scorer(exact_match_score)
neg_character_error_rate_scorer = make_scorer(character_error_rate, greater_is_better=False)


def as_sequences(y):
    """Make strings of digits of labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Strings, or whole numbers, each of which stands for a sequence of one digit.

    Returns
    -------
    ndarray of shape (n_samples,), str
        The sequences.

    Raises
    ------
    ValueError
        If they are anything else.
    """
    y = without_objects(column_or_1d(y))
    if y.dtype.kind in "biuf" and (y == np.rint(y)).all():
        return y.astype(np.int64).astype(str)
    if y.dtype.kind == "U":
        return y
    if y.dtype.kind == "O" and all(isinstance(value, str) for value in y):
        return y.astype(str)
    raise ValueError(
        "Unknown label type: sequences should be strings of digits, or whole numbers for single "
        f"digits; got {y[:3]!r}."
    )


def without_objects(y):
    """Make numbers of whole numbers that are Python's objects.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels of any dtype.

    Returns
    -------
    ndarray of shape (n_samples,)
        Of dtype int64 where all were such objects, else as they are.
    """
    if y.dtype.kind == "O" and all(isinstance(value, Integral) for value in y):
        return y.astype(np.int64)
    return y


def _check_sequences(y_true, y_pred):
    y_true, y_pred = as_sequences(y_true), as_sequences(y_pred)
    check_consistent_length(y_true, y_pred)
    return y_true, y_pred


def _edits(y_true, y_pred):
    pairs = zip(y_true.tolist(), y_pred.tolist(), strict=True)
    return np.array([Levenshtein.distance(a, b) for a, b in pairs], dtype=np.int64)
