import pickle
import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skdigits import DigitClassifier, ImageReshaper, comparison
from skdigits.comparison import compare_classifiers, learning_curves, make_classifiers
from skdigits.datasets import load_digits
from skdigits.metrics import expected_calibration_error

X, Y = load_digits(return_X_y=True)
X, Y = X[:600], Y[:600]
SPLITS = list(KFold(2, shuffle=True, random_state=0).split(X))


@pytest.fixture(scope="module", autouse=True)
def _few_repetitions():
    """Predict one image repeatedly for 0.05 s instead of 0.5 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "ONE_IMAGE_SECONDS", 0.05)
        yield


@pytest.fixture(scope="module")
def found():
    classifiers = {
        "ours": make_pipeline(
            ImageReshaper(), DigitClassifier("compact", epochs=9, random_state=0)
        ),
        "compact": DummyClassifier(strategy="uniform", random_state=0),
        "NB": GaussianNB(var_smoothing=0.01),
        "LinearSVC": LinearSVC(),
    }
    return compare_classifiers(classifiers, X, Y, SPLITS)


def test_figures_are_those_of_scikit_learn(found):
    table = pd.DataFrame(found.table).set_index("classifier")
    models = [GaussianNB(var_smoothing=0.01).fit(X[train], Y[train]) for train, _ in SPLITS]
    tests = [test for _, test in SPLITS]
    pairs = zip(models, tests, strict=True)
    probability = np.concatenate([model.predict_proba(X[test]) for model, test in pairs])
    labels = Y[np.concatenate(tests)]
    correct = probability.argmax(axis=1) == labels
    interval = binomtest(int(correct.sum()), len(correct)).proportion_ci(method="wilson")
    row = table.loc["NB"]
    assert row["accuracy"] == accuracy_score(labels, probability.argmax(axis=1))
    assert row["log_loss"] == pytest.approx(log_loss(labels, probability))
    assert (row["accuracy_low"], row["accuracy_high"]) == pytest.approx(interval)
    expected = expected_calibration_error(labels, probability)
    assert row["calibration_error"] == pytest.approx(expected)
    assert row["megabytes"] == len(pickle.dumps(models[-1])) / 1e6
    np.testing.assert_array_equal(found.correct["NB"], correct)
    np.testing.assert_array_equal(found.confidence["NB"], probability.max(axis=1))
    assert table.loc["LinearSVC", ["log_loss", "calibration_error"]].isna().all()
    assert found.confidence["LinearSVC"] is None


class Slow(DummyClassifier):
    def fit(self, X, y):
        time.sleep(0.2)
        return super().fit(X, y)

    def predict(self, X):
        time.sleep(0.1 if len(X) > 1 else 0.01)
        return super().predict(X)


def test_times_are_those_of_fit_and_predict():
    table = compare_classifiers({"slow": Slow()}, X, Y, SPLITS).table
    assert table["fit_seconds"][0] >= 0.2
    assert 0.1 <= table["predict_seconds"][0] < table["fit_seconds"][0]
    assert 0.01 <= table["predict_one_seconds"][0] < table["predict_seconds"][0]


def test_the_p_value_is_mcnemars_against_the_best_of_the_others(found):
    table = pd.DataFrame(found.table).set_index("classifier")
    assert table["accuracy"].idxmax() == "ours", "otherwise, this test could not fail"
    best = table["accuracy"].drop("ours").idxmax()
    assert np.isnan(table.loc[best, "p_value"])
    for name in table.index.drop(best):
        alone = found.correct[name] & ~found.correct[best]
        best_alone = found.correct[best] & ~found.correct[name]
        expected = binomtest(int(alone.sum()), int((alone | best_alone).sum())).pvalue
        assert table.loc[name, "p_value"] == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_pixels_are_scaled_as_those_trained_on(dtype):
    images = X.astype(dtype)  # 0 to 255
    alone = images[:1] // 4  # darker than all others
    pipeline = make_classifiers(0)["KNeighbors"].fit(images, Y)
    scaled = pipeline[:-1].transform(alone)
    np.testing.assert_allclose(scaled, alone / images.max(), rtol=1e-6)
    assert pipeline[:-1].transform(images).max() == pytest.approx(1)


def test_a_class_that_some_split_lacks_is_an_error():
    first = Y[np.argsort(Y, kind="stable")]
    with pytest.raises(ValueError, match="Split 9 has no training sample of 9. Use Strat"):
        compare_classifiers({"NB": GaussianNB()}, X, first, KFold(10).split(X))


def test_learning_curves_train_on_the_first_images_only():
    seen = []

    class Recording(DummyClassifier):
        def fit(self, X, y):
            seen.append(X[:, 0].tolist())
            assert y.max() < len(np.unique(y)), "XGBoost requires the labels 0 to n - 1"
            return super().fit(X, y)

    order = np.random.default_rng(0).permutation(300)
    rows = np.arange(300)[:, np.newaxis]
    split = order[:200], order[200:]
    labels = np.full(300, "b")
    labels[order[2:6]] = "d"
    labels[order[40:]] = "c"
    labels[order[:1]] = "a"
    sizes = (1, 10, 80, 201)  # one class; no c; every class; too many
    curves = learning_curves({"x": Recording()}, rows, labels, split, sizes=sizes)
    assert curves["n_train"] == [10, 80]
    assert seen == [order[:10].tolist(), order[:80].tolist()]
    assert curves["accuracy"] == [0, 1], "all test images have the label c"


@pytest.mark.slow
@pytest.mark.parametrize("labels", [Y, np.array(list("abcdefghij"))[Y]])
def test_every_classifier_is_better_than_guessing(labels):
    classifiers = make_classifiers(0)
    for name in ("compact", "lenet"):
        classifiers[name].set_params(classifier__epochs=4)
    classifiers["HistGradientBoosting"].set_params(classifier__max_iter=5)
    found = compare_classifiers(classifiers, X, labels, SPLITS[:1])
    assert min(found.table["accuracy"]) > 0.7
    assert {len(pipeline.steps) for pipeline in classifiers.values()} == {3}
