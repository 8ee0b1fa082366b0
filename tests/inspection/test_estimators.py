"""Each display is given every kind of estimator, and says what it needs."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skdigits import DigitClassifier, DigitSequenceRecognizer, EpochSearchCV, load_pretrained
from skdigits.inspection import (
    CoverageDisplay,
    HistoryDisplay,
    ImageGridDisplay,
    SearchHistoryDisplay,
    SearchScoreDisplay,
    SequenceGridDisplay,
)

X, Y = np.arange(36.0).reshape(4, 9), np.array([0, 1, 0, 1])
NEEDS = {
    HistoryDisplay: "a fitted DigitClassifier or DigitSequenceRecognizer, alone, as the last step",
    SearchHistoryDisplay: "a fitted EpochSearchCV",
    SearchScoreDisplay: "a fitted EpochSearchCV",
    SequenceGridDisplay: "a fitted DigitSequenceRecognizer, alone, as the last step of a Pipeline",
    ImageGridDisplay: "a fitted classifier with predict_proba",
    CoverageDisplay: "neither predict_confidence nor predict_proba",
}
WITHOUT_DATA = (HistoryDisplay, SearchHistoryDisplay, SearchScoreDisplay)


def draw(display, estimator):
    return display.from_estimator(estimator, *(() if display in WITHOUT_DATA else (X, Y)))


@pytest.mark.parametrize("display", NEEDS)
@pytest.mark.parametrize(
    "make",
    [
        lambda: RidgeClassifier(),
        lambda: RidgeClassifier().fit(X, Y),
        lambda: LinearRegression().fit(X, Y),
        lambda: StandardScaler().fit(X),
        lambda: make_pipeline(StandardScaler(), RidgeClassifier()).fit(X, Y),
        lambda: GridSearchCV(RidgeClassifier(), {"alpha": [1]}, cv=2).fit(X, Y),
        lambda: "model.skdigits",
        lambda: None,
        lambda: DigitClassifier,
        lambda: ["a long list"] * 1000,
    ],
)
def test_what_no_display_draws(display, make):
    with pytest.raises((TypeError, ValueError), match=NEEDS[display]) as caught:
        draw(display, make())
    assert not isinstance(caught.value, NotFittedError)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("display", [SearchHistoryDisplay, SearchScoreDisplay, SequenceGridDisplay])
@pytest.mark.parametrize(
    "make", [lambda: load_pretrained("digit"), lambda: GaussianNB().fit(X, Y), DigitClassifier]
)
def test_classifiers_for_displays_of_others(display, make):
    with pytest.raises(TypeError, match=f"Expected {NEEDS[display]}.*; got .*Classifier|NB"):
        draw(display, make())


@pytest.mark.parametrize("display", [SearchHistoryDisplay, SearchScoreDisplay])
def test_other_searches_have_no_curves(display):
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2).fit(X, Y)
    with pytest.raises(TypeError, match="fitted EpochSearchCV .*; got GridSearchCV"):
        draw(display, search)


@pytest.mark.parametrize("display", NEEDS)
def test_what_is_not_fitted_is_called_so(display):
    right = {ImageGridDisplay: DigitClassifier(), HistoryDisplay: DigitClassifier()}
    estimator = right.get(display, DigitSequenceRecognizer())
    search = EpochSearchCV(estimator, {"epochs": [1]})
    kinds = [search]
    if display not in (SearchHistoryDisplay, SearchScoreDisplay):
        kinds += [estimator, make_pipeline(StandardScaler(), estimator)]
    for kind in kinds:
        with pytest.raises(NotFittedError, match="not fitted yet"):
            draw(display, kind)


def test_pipelines_and_searches_are_drawn(recognizer):
    lines = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 10, 20), np.uint8)
    truth = ["12", "4", "46", ""]
    pipeline = make_pipeline(FunctionTransformer(lambda X: X + np.uint8(1)), recognizer).fit(lines)
    display = SequenceGridDisplay.from_estimator(pipeline, lines, truth)
    assert display.captions[0] == "45 (0.80), is 46"
    np.testing.assert_array_equal(display.images[0], lines[2] + 1)  # as the recognizer gets it
    search = GridSearchCV(recognizer, {"epochs": [1]}, scoring=lambda *_: 0, cv=2).fit(lines, truth)
    assert SequenceGridDisplay.from_estimator(search, lines).captions == [
        "3 (0.60)",
        "nothing (0.70)",
        "45 (0.80)",
        "12 (0.90)",
    ]
    classifier = load_pretrained("digit")
    display = HistoryDisplay.from_estimator(make_pipeline(classifier), metric="loss")
    assert list(display.lines_[0].get_ydata()) == classifier.history_["loss"]
