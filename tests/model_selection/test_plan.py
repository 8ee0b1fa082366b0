import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skdigits import DigitClassifier, DigitSequenceRecognizer
from skdigits.model_selection.plan import SharedFit, check_fit_parameters, plan_fits
from skdigits.wrappers import last_step


def plan(estimator, *candidates):
    """Parameters of each fit, and the epochs of its candidates."""
    fits = plan_fits(estimator, list(candidates))
    return [(fit.estimator_params(), fit.candidates) for fit in fits]


def test_candidates_that_differ_only_in_epochs_share_a_fit():
    found = plan(
        DigitClassifier(),
        {"epochs": 3, "l2": 0.0},
        {"epochs": 1, "l2": 0.0},
        {"epochs": 2, "l2": 0.1},
        {"epochs": 3, "l2": 0.0},
    )
    assert found == [
        ({"l2": 0.0, "epochs": 3, "keep_epochs": [1, 3]}, {0: 3, 1: 1, 3: 3}),
        ({"l2": 0.1, "epochs": 2, "keep_epochs": [2]}, {2: 2}),
    ]


def test_values_of_different_types_are_different():
    fits = plan(
        DigitClassifier(),
        {"epochs": 1, "augment": True},
        {"epochs": 1, "augment": 1},
        {"epochs": 1, "augment": 1.0},
    )
    assert len(fits) == 3


def test_a_value_without_hash_equals_itself():
    first, second = {0: 1.0}, {0: 1.0}
    fits = plan(
        DigitClassifier(),
        {"epochs": 1, "class_weight": first},
        {"epochs": 2, "class_weight": first},
        {"epochs": 2, "class_weight": second},
    )
    assert [candidates for _, candidates in fits] == [{0: 1, 1: 2}, {2: 2}]


def test_a_candidate_without_epochs_has_the_estimators():
    found = plan(DigitClassifier(epochs=7), {"epochs": 2}, {"early_stopping": True})
    assert found[0] == ({"epochs": 2, "keep_epochs": [2]}, {0: 2})
    assert found[1] == ({"early_stopping": True, "epochs": 7, "keep_epochs": True}, {1: 7})


def test_parameters_in_a_pipeline_have_its_prefix():
    inner = Pipeline([("cnn", DigitClassifier())])
    outer = Pipeline([("inner", inner)])
    assert last_step(outer) is inner[-1]
    found = plan(outer, {"inner__cnn__epochs": np.int64(2)})
    assert found == [({"inner__cnn__epochs": 2, "inner__cnn__keep_epochs": [2]}, {0: 2})]


def test_a_shared_fit_lists_epochs_once_and_ascending():
    assert SharedFit({}, candidates={0: 5, 1: 2, 2: 5}).epochs == [2, 5]


class Subclass(DigitClassifier):
    def fit(self, X, y, note="", **params):
        return super().fit(X, y, **params)


@pytest.mark.parametrize("estimator", [DigitClassifier(), DigitSequenceRecognizer(), Subclass()])
def test_parameters_of_fit_are_accepted(estimator):
    check_fit_parameters(
        estimator, ["sample_weight", *(["note"] * isinstance(estimator, Subclass))]
    )
    steps = [("turn", FunctionTransformer()), ("cnn", estimator)]
    check_fit_parameters(Pipeline(steps), ["cnn__sample_weight"])
    with pytest.raises(TypeError, match=f"{type(estimator).__name__}.epochs=…., or 'cnn__epochs'"):
        check_fit_parameters(Pipeline(steps), ["cnn__epochs"])


class OpenTransformer(FunctionTransformer):
    def fit(self, X, y=None, **anything):
        return super().fit(X, y)


def test_a_transformer_may_take_anything():
    steps = [("turn", OpenTransformer()), ("cnn", DigitClassifier())]
    check_fit_parameters(Pipeline(steps), ["turn__anything"])
    steps[0] = ("turn", FunctionTransformer())
    with pytest.raises(TypeError, match="fit.. of FunctionTransformer has no parameter 'anything'"):
        check_fit_parameters(Pipeline(steps), ["turn__anything"])
