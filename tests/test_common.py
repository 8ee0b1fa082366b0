"""All estimators pass scikit-learn's common checks; no check is expected to fail."""

import inspect

import numpy as np
import pytest
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import skdigits
from skdigits import (
    DigitClassifier,
    DigitSequenceRecognizer,
    EpochSearchCV,
    ImageReshaper,
    PictureCleaner,
)

# With one batch per epoch and no dropout, repeating a sample equals doubling its weight.
EXACT = {
    "dtype": "float64",
    "batch_size": 10_000,
    "dropout": 0.0,
    "kernel_size": 2,
    "learning_rate": 0.03,  # large, because an epoch has only one step
    "random_state": 0,
}


class NumberReader(DigitSequenceRecognizer):
    """Recognizer for the checks, which need numbers as predictions and flat rows as input."""

    def predict(self, X):
        return np.array([int(f"1{text}") for text in super().predict(X)])

    def score(self, X, y):
        return float(np.mean(super().predict(X) == np.asarray(y).astype(str)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


READING = {"filters": 2, "epochs": 1, "sequences_per_epoch": 8, "lengths": (1, 2)}
ESTIMATORS = [
    DigitClassifier(**EXACT, epochs=10),
    EpochSearchCV(DigitClassifier(**EXACT), {"epochs": [1, 10]}, cv=2, error_score="raise"),
    DigitSequenceRecognizer(),
    ImageReshaper(),
    ImageReshaper(output="flat"),
    PictureCleaner(),
]
TAKE_NO_TABLES = (DigitSequenceRecognizer, PictureCleaner)


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # raised by the checks
@pytest.mark.filterwarnings("ignore:Rows of . pixels are not square images")  # data of the checks
@pytest.mark.filterwarnings("ignore:Rows of .. pixels are not square images")
@parametrize_with_checks(
    [e for e in ESTIMATORS if type(e) not in (*TAKE_NO_TABLES, EpochSearchCV)]
    + [NumberReader(**READING, random_state=0)]
)
def test_passes_the_common_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.filterwarnings("ignore:Rows of . pixels are not square images")
@pytest.mark.filterwarnings("ignore:Rows of .. pixels are not square images")
@parametrize_with_checks([e for e in ESTIMATORS if isinstance(e, EpochSearchCV)])
def test_a_search_passes_the_common_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", TAKE_NO_TABLES)
def test_takes_no_tables_and_so_is_checked_as_far_as_scikit_learn_can(kind):
    with pytest.warns(SkipTestWarning, match=f"Can't test estimator {kind.__name__}"):
        checks = check_estimator(kind())
    assert {check["status"] for check in checks} == {"passed"}


def test_every_public_estimator_is_checked():
    public = {getattr(skdigits, name) for name in skdigits.__all__}
    estimators = {c for c in public if inspect.isclass(c) and issubclass(c, BaseEstimator)}
    assert estimators == {type(estimator) for estimator in ESTIMATORS}


def test_is_a_classifier():
    assert is_classifier(DigitClassifier())
    assert not is_classifier(ImageReshaper())


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_docstring_states_the_defaults_of_the_signature(estimator):
    doc = inspect.getdoc(type(estimator))
    for name, parameter in inspect.signature(type(estimator)).parameters.items():
        default = parameter.default
        if default is parameter.empty:
            continue
        stated = f'"{default}"' if isinstance(default, str) else repr(default)
        stated = "np.nan" if default is np.nan else stated
        entry = doc.split(f"\n{name} : ")[1].split("\n    ")[0]
        assert entry.endswith(f"default={stated}"), entry
