import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from skdigits import DigitClassifier, EpochSearchCV, ImageReshaper
from skdigits.inspection import SearchHistoryDisplay, SearchScoreDisplay


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def search(digits, grid, **options):
    steps = [("images", ImageReshaper()), ("cnn", DigitClassifier("compact", epochs=3))]
    options = {"cv": 2, "refit": False, **options}
    grid = [{f"cnn__{name}": values for name, values in part.items()} for part in grid]
    return EpochSearchCV(Pipeline(steps), grid, **options).fit(*digits)


def test_scores_are_a_map_of_epochs_and_other_parameters(digits):
    found = search(digits, [{"epochs": [2, 1], "l2": [0.0]}, {"epochs": [1], "l2": [0.1]}])
    display = SearchScoreDisplay.from_estimator(found)
    assert display.combinations == ["l2=0.0", "l2=0.1"]
    assert display.epochs == [1, 2]
    two, one, other = found.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(display.scores, [[one, two], [other, np.nan]])
    np.testing.assert_array_equal(display.im_.get_array().filled(np.nan), display.scores)
    with pytest.raises(ValueError, match="no score 'f1': cv_results_ has no 'mean_test_f1'"):
        SearchScoreDisplay.from_estimator(found, score="f1")


def test_a_candidate_without_epochs_has_those_of_the_estimator(digits):
    found = search(digits, [{"epochs": [1, 2]}, {"early_stopping": [False]}])
    display = SearchScoreDisplay.from_estimator(found)
    assert display.combinations == ["unchanged estimator", "early_stopping=False"]
    assert display.epochs == [1, 2, 3]
    one, two, three = found.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(display.scores, [[one, two, np.nan], [np.nan, np.nan, three]])


def test_curves_of_a_search_are_means_of_the_folds(digits):
    found = search(digits, [{"epochs": [2], "l2": [0.0, 0.1]}, {"epochs": [3], "l2": [0.1]}])
    display = SearchHistoryDisplay.from_estimator(found, metric="loss")
    assert [line.get_label() for line in display.lines_] == ["l2=0.0", "l2=0.1"]
    curves = found.cv_curves_
    rows = (curves["candidate"] == 2) & (curves["epoch"] == 3)
    assert rows.sum() == 2
    assert display.lines_[1].get_ydata()[2] == pytest.approx(curves["loss"][rows].mean())
    scores = SearchHistoryDisplay.from_estimator(found, metric="score")
    assert list(scores.lines_[1].get_xdata()) == [2, 3]
    with pytest.raises(ValueError, match="no metric 'recall'; they have accuracy, loss, score"):
        scores.plot(metric="recall")
    with pytest.raises(NotFittedError):
        SearchHistoryDisplay.from_estimator(EpochSearchCV(DigitClassifier(), {"epochs": [1]}))
