import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import UndefinedMetricWarning

from skdigits import metrics


class FixedPredictions(BaseEstimator):
    def __init__(self, predicted):
        self.predicted = predicted

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        return np.array(self.predicted)


TRUE = ["12", "345", "", "7", "0011"]
PREDICTED = ["12", "355", "", "77", "011"]


def test_exact_match():
    assert metrics.exact_match_score(TRUE, PREDICTED) == 2 / 5
    assert metrics.exact_match_score(TRUE, PREDICTED, sample_weight=[1, 0, 0, 0, 1]) == 0.5
    assert metrics.exact_match_score([3, 4], ["3", "5"]) == 0.5


def test_character_error_rate_is_micro_averaged():
    # There are one replacement, one insertion and one deletion among ten digits. The mean of the
    # rates of the sequences would be (1/3 + 1 + 1/4) / 5.
    assert metrics.character_error_rate(TRUE, PREDICTED) == 3 / 10
    assert metrics.character_error_rate([""], [""]) == 0
    with pytest.warns(UndefinedMetricWarning, match="y_true has no digits"):
        assert np.isnan(metrics.character_error_rate(["", ""], ["", "1"]))


def test_length_report():
    report = metrics.length_report([*TRUE, "99", "8866"], [*PREDICTED, "99", "8866"])
    assert report["length"].tolist() == [0, 1, 2, 3, 4]
    assert report["n_sequences"].tolist() == [1, 1, 2, 1, 2]
    assert report["exact_match"].tolist() == [1, 0, 1, 0, 0.5]
    np.testing.assert_allclose(report["character_error_rate"], [np.nan, 1, 0, 1 / 3, 1 / 8])
    np.testing.assert_allclose(report["repeated_exact_match"], [np.nan, np.nan, 1, np.nan, 0.5])


def test_coverage_keeps_or_rejects_equal_confidences_together():
    true, predicted = ["1", "2", "3", "4"], ["1", "2", "0", "4"]
    coverage, accuracy, thresholds = metrics.coverage_curve(true, predicted, [0.9, 0.5, 0.5, 0.7])
    assert coverage.tolist() == [0.25, 0.5, 1.0]
    assert accuracy.tolist() == [1.0, 1.0, 0.75]
    assert thresholds.tolist() == [0.9, 0.7, 0.5]
    assert metrics.coverage_at_accuracy(true, predicted, [0.9, 0.5, 0.5, 0.7]) == 0.5
    assert metrics.coverage_at_accuracy(true, predicted, [0.9, 0.5, 0.5, 0.7], accuracy=0.7) == 1.0
    assert metrics.coverage_at_accuracy(["1"], ["2"], [0.9]) == 0.0


def test_coverage_takes_whole_numbers_for_sequences_of_one_digit():
    assert metrics.coverage_at_accuracy([1, 2], np.array(["1", "2"]), [0.9, 0.8]) == 1.0


def test_coverage_of_nothing_is_refused():
    for function in (metrics.coverage_curve, metrics.coverage_at_accuracy):
        with pytest.raises(ValueError, match="are empty; expected at least one sample"):
            function([], [], [])


def test_probability_figures_are_computed_in_double_precision_from_normalized_rows():
    figures = metrics.probability_figures([1], np.array([[1, 0]], np.float32), [0, 1])
    assert figures["log_loss"] == pytest.approx(-np.log(np.finfo(np.float64).eps))
    assert figures["calibration_error"] == 1
    figures = metrics.probability_figures(["b"], [[0.5, 1.5]], ["a", "b"])
    assert figures == pytest.approx({"log_loss": -np.log(0.75), "calibration_error": 0.25})


def test_scorers_prefer_fewer_mistakes():
    X = np.zeros((5, 1))
    for scorer in (metrics.exact_match_scorer, metrics.neg_character_error_rate_scorer):
        scores = [
            scorer(FixedPredictions(predicted).fit(X), X, TRUE) for predicted in (TRUE, PREDICTED)
        ]
        assert scores[0] > scores[1]


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        (["1", "2"], ["1"], "inconsistent numbers of samples"),
        ([1.5], ["1"], "strings of digits, or whole numbers"),
        ([["1", "2"]], ["1"], "1d array"),
    ],
)
def test_bad_input(true, predicted, message):
    with pytest.raises(ValueError, match=message):
        metrics.exact_match_score(true, predicted)


def test_expected_calibration_error():
    # At confidence 0.9, two of four are correct; at 0.6, in another bin, all four are correct.
    probability = [[0.9, 0.1]] * 4 + [[0.4, 0.6]] * 4
    truth = np.array(list("aabbbbbb"))
    error = metrics.expected_calibration_error(truth, probability)
    assert error == pytest.approx((0.4 + 0.4) / 2)
    assert metrics.expected_calibration_error(truth, probability, n_bins=1) == pytest.approx(0)
    assert metrics.expected_calibration_error([1, 0], [[0, 1.0], [1.0, 0]]) == 0
    swapped = metrics.expected_calibration_error(truth, probability, labels=["b", "a"])
    assert swapped == pytest.approx((0.4 + 0.6) / 2)
    with pytest.raises(ValueError, match="3 columns and there are 2 labels"):
        metrics.expected_calibration_error(truth, np.full((8, 3), 1 / 3))


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs NumPy 2")
def test_strings_of_variable_width():
    y_true, y_pred = np.array(["12", "345", ""]), np.array(["12", "335", ""])
    wide = [y.astype(np.dtypes.StringDType()) for y in (y_true, y_pred)]
    assert metrics.exact_match_score(*wide) == metrics.exact_match_score(y_true, y_pred)
    assert metrics.character_error_rate(*wide) == 0.2
    assert metrics.length_report(*wide)["length"].tolist() == [0, 2, 3]
    confidence = [0.9, 0.8, 0.7]
    for ours, usual in zip(
        metrics.coverage_curve(*wide, confidence),
        metrics.coverage_curve(y_true, y_pred, confidence),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, usual)
    proba = np.eye(3)
    assert metrics.expected_calibration_error(wide[0], proba) == metrics.expected_calibration_error(
        y_true, proba
    )
    missing = np.array(["1", None], dtype=np.dtypes.StringDType(na_object=None))
    with pytest.raises(ValueError, match=r"y has 1 missing values \(None\); remove them"):
        metrics.exact_match_score(missing, ["1", "2"])
