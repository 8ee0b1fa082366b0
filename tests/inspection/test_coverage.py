import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skdigits.inspection import CoverageDisplay


def test_coverage_of_predictions_and_of_an_estimator(fitted, digits):
    display = CoverageDisplay.from_predictions(["1", "2", "3"], ["1", "2", "0"], [0.9, 0.8, 0.3])
    np.testing.assert_allclose(display.line_.get_xdata(), [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(display.line_.get_ydata(), [0, 0, 1 / 3])
    X, y = digits
    display = CoverageDisplay.from_estimator(fitted, X, y)
    assert display.line_.get_ydata()[-1] == pytest.approx(1 - fitted.score(X, y))
    assert display.ax_.get_legend().get_texts()[0].get_text() == "DigitClassifier"


def test_coverage_of_nothing_is_refused():
    with pytest.raises(ValueError, match="empty; expected at least one sample"):
        CoverageDisplay.from_predictions([], [], [])


def test_coverage_of_a_recognizer_in_a_pipeline(recognizer):
    X = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 10, 20), np.uint8)
    y = np.array(["0", "3", "0", ""])  # correct where the confidence is 0.1 and 0.3, or 0.2 and 0.6
    expected = CoverageDisplay.from_estimator(recognizer.fit(X), X, y)
    np.testing.assert_allclose(expected.accuracy, [1, 1 / 2, 2 / 3, 1 / 2])
    steps = [("turned", FunctionTransformer(lambda X: 6 - X)), ("recognizer", recognizer)]
    turned = CoverageDisplay.from_estimator(Pipeline(steps).fit(X), X, y)
    np.testing.assert_allclose(turned.accuracy, [0, 1 / 2, 1 / 3, 1 / 2])
    alone = CoverageDisplay.from_estimator(Pipeline(steps[1:]).fit(X), X, y)
    np.testing.assert_allclose(alone.accuracy, expected.accuracy)
    search = GridSearchCV(recognizer, {"epochs": [1]}, scoring=lambda *_: 0, cv=2).fit(X, y)
    found = CoverageDisplay.from_estimator(search, X, y)
    np.testing.assert_allclose(found.accuracy, expected.accuracy)
    with pytest.raises(ValueError, match="RidgeClassifier has neither predict_confidence nor"):
        CoverageDisplay.from_estimator(RidgeClassifier().fit(X.reshape(4, -1), y), X, y)
