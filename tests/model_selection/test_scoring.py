import numpy as np
import pytest
from sklearn.metrics import check_scoring
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skdigits.model_selection.scoring import at_epoch, compute_score


def scorer(value):
    def score(estimator, X, y=None, **params):
        if isinstance(value, Exception):
            raise value
        return value

    return score


@pytest.mark.parametrize("value", [0.5, np.float64(0.5), np.array(0.5), np.array([0.5])])
def test_a_score_is_a_plain_number(value):
    score = compute_score(scorer(value), None, ([],), {}, np.nan)
    assert (score, type(score)) == (0.5, float)
    score = compute_score(scorer({"a": value, "b": 1}), None, ([],), {}, np.nan)
    assert score == {"a": 0.5, "b": 1}


@pytest.mark.parametrize("value", [None, [0.5], np.zeros(2), {"a": None}])
def test_a_score_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="A scorer should return a number"):
        compute_score(scorer(value), None, ([],), {}, np.nan)


def test_a_scorer_that_fails_gives_the_error_score():
    failing = scorer(KeyError("lost"))
    with pytest.warns(UserWarning, match="(?s)score is set to -1.*KeyError: 'lost'"):
        assert compute_score(failing, None, ([],), {}, -1) == -1
    with pytest.raises(KeyError, match="lost"):
        compute_score(failing, None, ([],), {}, "raise")


def test_only_those_of_several_scores_that_fail_are_the_error_score(fitted, digits):
    scoring = {"good": scorer(0.5), "bad": scorer(KeyError("lost"))}
    both = check_scoring(fitted, scoring=scoring, raise_exc=False)
    with pytest.warns(UserWarning, match="(?s)score is set to -1.*KeyError: 'lost'"):
        assert compute_score(both, fitted, digits, {}, -1) == {"good": 0.5, "bad": -1}


def test_a_pipeline_at_an_epoch_is_a_copy(fitted, digits):
    X, _ = digits
    inner = Pipeline([("cnn", fitted)])
    steps = [("turn", FunctionTransformer(lambda X: X[:, ::-1])), ("inner", inner)]
    outer = Pipeline(steps)
    first = at_epoch(outer, 1)
    expected = fitted.at_epoch(1).predict_proba(X[:, ::-1])
    np.testing.assert_array_equal(first.predict_proba(X), expected)
    assert outer.steps == steps
    assert inner[-1] is fitted
    assert fitted.n_iter_ == 3
