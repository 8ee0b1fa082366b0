import copy
import pickle

import joblib
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  makes the next import work
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from small import assert_same_weights, pipeline, quick, weights_of

from skdigits import ImageReshaper

# -- scikit-learn's tools ------------------------------------------------------------------


def test_grid_search_alone(digits):
    grid = {"filters": [2, 4], "learning_rate": [1e-5, 1e-2], "epochs": [1, 3], "batch_size": [32]}
    search = GridSearchCV(quick(), grid, cv=2).fit(*digits)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_params_["learning_rate"] == 1e-2
    assert search.best_params_["epochs"] == 3


def test_grid_search_in_a_pipeline(digits):
    grid = {"cnn__epochs": [1, 4], "cnn__batch_size": [16, 64]}
    search = GridSearchCV(pipeline(), grid, cv=2).fit(*digits)
    assert search.best_params_["cnn__epochs"] == 4
    assert search.predict(digits[0]).shape == (300,)


def test_early_stopping_in_a_grid_search(digits):
    classifier = quick(early_stopping=True, patience=1, epochs=30)
    search = GridSearchCV(classifier, {"filters": [2, 4]}, cv=2).fit(*digits)
    assert search.best_estimator_.n_iter_ < 30


def test_the_same_pipeline_serves_an_svm(digits):
    steps = [("images", ImageReshaper(output="flat")), ("svc", SVC())]
    assert cross_val_score(Pipeline(steps), *digits, cv=2).mean() > 0.8


def test_cross_validation_stratifies(digits, monkeypatch):
    X, y = digits
    order = np.argsort(y, kind="stable")  # unstratified folds would each lack classes
    seen = []
    split = StratifiedKFold.split
    monkeypatch.setattr(
        StratifiedKFold, "split", lambda *a, **k: seen.append(True) or split(*a, **k)
    )
    scores = cross_val_score(quick(epochs=6), X[order], y[order], cv=3)
    assert seen
    assert scores.min() > 0.6


def test_estimators_of_cross_validation_share_nothing(digits):
    X, y = digits
    estimators = cross_validate(quick(), X, y, cv=3, return_estimator=True)["estimator"]
    before = [weights_of(e) for e in estimators]
    estimators[0].set_params(warm_start=True).fit(X, y)
    model = estimators[1].keras_classifier_.model_
    model.set_weights([w * 0 for w in model.get_weights()])
    for estimator, old in zip(estimators[1:], before[1:], strict=True):
        for a, b in zip(weights_of(estimator), old, strict=True):
            np.testing.assert_array_equal(a, b)
    models = {id(e.keras_classifier_.model_) for e in estimators}
    assert len(models) == 3


def test_fits_in_threads_do_not_mix(digits):
    X, y = digits
    seeds = [1, 2, 3, 4]
    fit = joblib.delayed(lambda seed: quick(random_state=seed).fit(X, y))
    together = joblib.Parallel(n_jobs=2, backend="threading")(fit(seed) for seed in seeds)
    for seed, classifier in zip(seeds, together, strict=True):
        assert_same_weights(classifier, quick(random_state=seed).fit(X, y))


@pytest.mark.parametrize(
    "copied",
    [
        lambda e, folder: pickle.loads(pickle.dumps(e)),
        lambda e, folder: copy.deepcopy(e),
        lambda e, folder: joblib.load(joblib.dump(e, folder / "model.joblib")[0]),
    ],
    ids=["pickle", "deepcopy", "joblib"],
)
def test_copies_predict_and_train_on(digits, copied, tmp_path):
    X, y = digits
    classifier = quick(warm_start=True).fit(X, y)
    assert classifier.keras_classifier_.score(X.reshape(-1, 8, 8, 1), y) > 0
    other = copied(classifier, tmp_path)
    np.testing.assert_array_equal(other.predict_proba(X), classifier.predict_proba(X))
    assert_same_weights(other.fit(X, y), classifier.fit(X, y))


@pytest.mark.parametrize(
    "meta",
    [
        lambda: VotingClassifier([("cnn", quick(epochs=6)), ("svc", SVC())]),
        lambda: StackingClassifier(
            [("cnn", quick(epochs=6)), ("svc", SVC())], LogisticRegression(max_iter=1000), cv=2
        ),
        lambda: CalibratedClassifierCV(quick(epochs=6), cv=2),
        lambda: BaggingClassifier(quick(epochs=6), n_estimators=2, random_state=0),
    ],
    ids=["voting", "stacking", "calibrated", "bagging"],
)
def test_meta_estimators(digits, meta):
    assert meta().fit(*digits).score(*digits) > 0.85


def test_permutation_importance(digits, fitted):
    X, y = digits
    importance = permutation_importance(fitted, X[:60], y[:60], n_repeats=1, random_state=0)
    assert importance.importances_mean.shape == (64,)
    assert importance.importances_mean.max() > 0


def test_learning_curve(digits):
    _, _, scores = learning_curve(
        quick(epochs=4), *digits, train_sizes=[50, 150], cv=2, shuffle=True, random_state=0
    )
    assert scores[1].mean() > scores[0].mean()


def test_halving_search_over_epochs(digits):
    search = HalvingGridSearchCV(
        quick(),
        {"filters": [1, 4]},
        resource="epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=2,
        random_state=0,
    )
    assert search.fit(*digits).best_params_["epochs"] == 2


# -- scikit-learn's callbacks --------------------------------------------------------------


def test_scoring_monitor_sees_every_epoch(digits):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    X, y = digits
    classifier = quick(epochs=3, keep_epochs=True).set_callbacks(monitor).fit(X, y)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert scores == [(labels == y).mean() for labels in classifier.staged_predict(X)]


def test_progress_bar_alone_and_in_a_grid_search(digits, capsys):
    callback = pytest.importorskip("sklearn.callback")
    quick().set_callbacks(callback.ProgressBar()).fit(*digits)
    assert "DigitClassifier - fit" in capsys.readouterr().out
    search = GridSearchCV(quick(), {"epochs": [1, 2]}, cv=2)
    search.set_callbacks(callback.ProgressBar()).fit(*digits)
    printed = capsys.readouterr().out
    assert "GridSearchCV - fit" in printed
    assert "DigitClassifier - fit" in printed


def test_scoring_monitor_in_a_grid_search(digits):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(quick().set_callbacks(monitor), {"epochs": [1, 2]}, cv=2, refit=False)
    search.fit(*digits)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(rows) == (1 + 2) * 2


def test_a_callback_of_scikit_learn_can_stop(digits):
    pytest.importorskip("sklearn.callback")

    class Stop:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch"

    assert quick(epochs=5).set_callbacks(Stop()).fit(*digits).n_iter_ == 1


def test_a_callback_of_scikit_learn_in_the_wrong_place_is_reported(digits):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    with pytest.raises(TypeError, match="set_callbacks"):
        quick(callbacks=[monitor]).fit(*digits)
