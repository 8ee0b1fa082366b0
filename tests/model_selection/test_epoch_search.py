import warnings

import numpy as np
import pytest
import sklearn
from joblib import parallel_config
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, precision_score
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skdigits import DigitClassifier, EpochSearchCV, ImageReshaper

GRID = {"epochs": [3, 1, 2], "batch_size": [16, 64]}


def quick(**parameters):
    return DigitClassifier("compact", random_state=0, **parameters)


def pipeline(**parameters):
    steps = [("scale", MinMaxScaler()), ("images", ImageReshaper()), ("cnn", quick(**parameters))]
    return Pipeline(steps)


def assert_same_results(ours, theirs):
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, expected in theirs.cv_results_.items():
        found = ours.cv_results_[name]
        if name == "params":
            assert found == expected
        elif "time" in name:
            assert found.shape == expected.shape
            assert not (found < 0).any()
        else:
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected, err_msg=name)
    for name in ("best_index_", "best_params_", "best_score_", "multimetric_", "n_splits_"):
        np.testing.assert_equal(getattr(ours, name, None), getattr(theirs, name, None), name)


@pytest.mark.parametrize(
    ("estimator", "grid", "options"),
    [
        (quick(), GRID, {"return_train_score": True}),
        (quick(), [{"epochs": [2]}, {"epochs": [1, 3], "batch_size": [16]}], {"refit": False}),
        (quick(early_stopping=True, patience=1), {"epochs": [1, 2, 10], "batch_size": [16]}, {}),
        (
            quick(schedule=None),
            {"epochs": [1, 3]},
            {"scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"},
        ),
        (quick(), {"epochs": [1, 2]}, {"refit": lambda results: 0, "scoring": "f1_macro"}),
    ],
    ids=["train scores", "list of grids", "early stopping", "two scores", "refit callable"],
)
def test_results_are_those_of_grid_search_cv(digits, estimator, grid, options):
    X, y = digits
    ours = EpochSearchCV(estimator, grid, cv=2, **options).fit(X, y)
    theirs = GridSearchCV(estimator, grid, cv=2, **options).fit(X, y)
    assert_same_results(ours, theirs)
    if estimator.early_stopping:
        curves = ours.cv_curves_
        assert min(curves["epoch"][curves["fold"] == fold].max() for fold in range(2)) < 10
    if ours.refit:
        np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
        assert ours.score(X, y) == theirs.score(X, y)
        assert ours.refit_time_ > 0


def test_a_pipeline_is_searched_with_one_fit_per_fold(digits, fits):
    X, y = digits
    grid = {"cnn__epochs": [1, 2, 4], "cnn__batch_size": [16, 64]}
    ours = EpochSearchCV(pipeline(), grid, cv=2).fit(X, y)
    assert fits == [4] * 2 * 2 + [ours.best_params_["cnn__epochs"]]
    assert_same_results(ours, GridSearchCV(pipeline(), grid, cv=2).fit(X, y))
    assert not ours.best_estimator_[-1].keep_epochs


def test_candidates_of_a_one_cycle_are_fitted_apart_and_said_so(digits, fits):
    X, y = digits
    estimator = quick(schedule="one_cycle")
    with pytest.warns(UserWarning, match="2 candidates are fitted separately"):
        ours = EpochSearchCV(estimator, {"epochs": [1, 3]}, cv=2, refit=False).fit(X, y)
    assert sorted(fits) == [1, 1, 3, 3]
    assert_same_results(
        ours, GridSearchCV(estimator, {"epochs": [1, 3]}, cv=2, refit=False).fit(X, y)
    )


def test_only_what_differs_in_more_than_epochs_is_fitted_apart(digits, fits):
    X, y = digits
    grid = {"epochs": [1, 2], "schedule": ["averaged", "one_cycle", None]}
    with pytest.warns(UserWarning, match="2 candidates are fitted separately"):
        EpochSearchCV(quick(), grid, cv=2, refit=False).fit(X, y)
    assert sorted(fits) == [1, 1] + [2] * 6


@pytest.mark.parametrize(
    ("estimator", "grid", "options", "message"),
    [
        (quick(), {"batch_size": [16]}, {}, "should have 'epochs'.*it has \\['batch_size'\\]"),
        (pipeline(), {"epochs": [1]}, {}, "should have 'cnn__epochs'"),
        (quick(), {"epochs": [0, 1]}, {}, "epochs should be 1 or more; got 0"),
        (quick(), {"epochs": [-3]}, {}, "1 or more; got -3"),
        (quick(), {"epochs": [1.5]}, {}, "whole numbers; got 1.5"),
        (quick(), {"epochs": ["3"]}, {}, "whole numbers; got '3'"),
        (quick(), {"epochs": [True]}, {}, "whole numbers; got True"),
        (quick(), {"epochs": [1], "epoch": [2]}, {}, "Invalid parameter 'epoch'"),
        (LogisticRegression(), {"epochs": [1]}, {}, r"needs an estimator.*LogisticRegression\(\)"),
        (
            Pipeline([("cnn", quick()), ("svm", LogisticRegression())]),
            {"svm__epochs": [1]},
            {},
            r"ends with such an estimator; got LogisticRegression\(\)",
        ),
        (
            pipeline(),
            {"cnn__epochs": [1], "cnn": [quick(), LogisticRegression()]},
            {},
            "Invalid parameter|needs an estimator",
        ),
        (quick(), {"epochs": [1]}, {"scoring": ["accuracy", "f1_macro"]}, "refit should be False"),
        (quick(), {"epochs": [1]}, {"cv": 1}, "The 'cv' parameter"),
        (quick(), {"epochs": [1]}, {"cv": []}, "cv gave no folds"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_any_fit(
    digits, fits, estimator, grid, options, message
):
    X, y = digits
    with pytest.raises(ValueError, match=message):
        EpochSearchCV(estimator, grid, **options).fit(X, y)
    assert fits == []


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("error_score", [np.nan, 0.0])
def test_what_fails_in_one_fold_scores_as_in_grid_search_cv(digits, error_score):
    X, y = digits
    one_class, rest = np.flatnonzero(y == 3), np.arange(0, 300, 2)
    folds = [(rest, one_class), (one_class, rest)]
    options = {"cv": folds, "error_score": error_score}
    ours = EpochSearchCV(quick(), {"epochs": [1, 2]}, **options).fit(X, y)
    assert_same_results(ours, GridSearchCV(quick(), {"epochs": [1, 2]}, **options).fit(X, y))
    assert np.isnan(error_score) or (ours.cv_results_["split1_test_score"] == 0).all()
    assert set(ours.cv_curves_["fold"]) == {0}
    with pytest.raises(ValueError, match="at least 2 classes"):
        EpochSearchCV(quick(), {"epochs": [1]}, cv=folds, error_score="raise").fit(X, y)


def fails_at_epoch_2(estimator, X, y):
    assert estimator.n_iter_ != 2, "no score after two epochs"
    return float(np.mean(estimator.predict(X) == y))


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_score_that_cannot_be_computed_is_the_error_score(digits):
    X, y = digits
    options = {"cv": 2, "refit": False, "scoring": fails_at_epoch_2}
    with pytest.warns(UserWarning, match="(?s)Scoring failed.*no score after two epochs"):
        search = EpochSearchCV(quick(), {"epochs": [1, 2, 3]}, **options).fit(X, y)
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True, False]
    with pytest.raises(AssertionError, match="no score after two epochs"):
        EpochSearchCV(quick(), {"epochs": [2]}, error_score="raise", **options).fit(X, y)


def test_groups_and_sample_weights_go_where_they_belong(digits):
    X, y = digits
    params = {"groups": np.arange(len(y)) % 5, "sample_weight": np.linspace(0.1, 2, len(y))}
    grid = {"epochs": [1, 2]}
    options = {"cv": GroupKFold(2), "scoring": "neg_log_loss"}
    ours = EpochSearchCV(quick(), grid, **options).fit(X, y, **params)
    theirs = GridSearchCV(quick(), grid, **options).fit(X, y, **params)
    assert_same_results(ours, theirs)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))


def weighted_accuracy(estimator, X, y, sample_weight=None):
    return float(np.average(estimator.predict(X) == y, weights=sample_weight))


def test_weights_reach_a_function_that_scores_as_in_grid_search_cv(digits):
    X, y = digits
    weights = np.linspace(0.1, 2, len(y)) ** 2
    options = {"cv": 2, "scoring": weighted_accuracy}
    ours = EpochSearchCV(quick(), {"epochs": [1, 2]}, **options).fit(X, y, sample_weight=weights)
    theirs = GridSearchCV(quick(), {"epochs": [1, 2]}, **options).fit(X, y, sample_weight=weights)
    assert_same_results(ours, theirs)


def test_a_refit_function_sees_the_times(digits):
    seen = []

    def fastest(results):
        seen.append(results["mean_fit_time"].copy())
        return int(np.argmin(results["mean_fit_time"]))

    search = EpochSearchCV(quick(), {"epochs": [3, 1]}, cv=2, refit=fastest).fit(*digits)
    np.testing.assert_array_equal(seen[0], search.cv_results_["mean_fit_time"])
    assert seen[0][0] == pytest.approx(3 * seen[0][1])
    assert search.best_params_ == {"epochs": 1}


def test_metadata_is_routed(digits):
    X, y = digits
    scorer = make_scorer(precision_score, average="macro", zero_division=0)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = quick().set_fit_request(sample_weight=True)
        options = {"cv": GroupKFold(2), "scoring": scorer.set_score_request(sample_weight=True)}
        params = {"groups": np.arange(len(y)) % 5, "sample_weight": np.linspace(0.1, 2, len(y))}
        ours = EpochSearchCV(estimator, {"epochs": [1, 2]}, **options).fit(X, y, **params)
        theirs = GridSearchCV(estimator, {"epochs": [1, 2]}, **options).fit(X, y, **params)
    assert_same_results(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("journal", [None, "search.jsonl"])
def test_two_jobs_give_the_results_of_one(digits, backend, journal, tmp_path):
    X, y = digits
    grid = {"epochs": [1, 2], "batch_size": [16, 64]}
    alone = EpochSearchCV(quick(), grid, cv=2, refit=False).fit(X, y)
    both = clone(alone).set_params(n_jobs=2, journal=journal and tmp_path / journal)
    with parallel_config(backend):
        assert_same_results(both.fit(X, y), alone)


def test_the_estimator_is_not_changed(digits):
    X, y = digits
    generator = np.random.RandomState(0)
    estimator = pipeline().set_params(cnn__random_state=generator)
    final, state = estimator[-1], generator.get_state()[1].copy()
    before = [dict(vars(step)) for step in (estimator, final)]
    EpochSearchCV(estimator, {"cnn__epochs": [1, 2]}, cv=2, return_train_score=True).fit(X, y)
    after = [dict(vars(step)) for step in (estimator, final)]
    assert after == before
    assert estimator[-1] is final
    np.testing.assert_array_equal(generator.get_state()[1], state)


@pytest.mark.parametrize(
    ("estimator", "params", "message"),
    [
        (quick(), {"epochs": 3}, r"epochs is a constructor parameter.*DigitClassifier\(epochs=…\)"),
        (quick(), {"validation_data": None}, "DigitClassifier has no parameter 'validation_data'"),
        (pipeline(), {"cnn__epochs": 3}, "epochs is a constructor parameter.*'cnn__epochs'"),
        (
            pipeline(),
            {"sample_weight": 1},
            "takes parameters as step__name; got 'sample_weight'.*cnn__samp",
        ),
        (pipeline(), {"cn__sample_weight": 1}, "got 'cn__sample_weight'.*scale, images,"),
        (pipeline(), {"scale__weight": 1}, "MinMaxScaler has no parameter 'weight'"),
    ],
)
def test_unknown_parameters_of_fit_are_refused_before_any_fit(
    digits, fits, estimator, params, message
):
    grid = {"epochs" if len(params) and not isinstance(estimator, Pipeline) else "cnn__epochs": [1]}
    with pytest.raises(TypeError, match=message):
        EpochSearchCV(estimator, grid, cv=2).fit(*digits, **params)
    assert fits == []


def test_a_step_of_a_pipeline_takes_its_sample_weight(digits):
    X, y = digits
    params = {"cnn__sample_weight": np.linspace(0.1, 2, len(y))}
    grid = {"cnn__epochs": [1, 2]}
    ours = EpochSearchCV(pipeline(), grid, cv=2, refit=False).fit(X, y, **params)
    assert_same_results(ours, GridSearchCV(pipeline(), grid, cv=2, refit=False).fit(X, y, **params))


def two_scores(estimator, X, y):
    right = estimator.predict(X) == y
    return {"right": right.mean(), "wrong": int((~right).sum())}


def test_a_function_may_give_several_scores(digits):
    X, y = digits
    options = {"cv": 2, "scoring": two_scores, "refit": "right", "return_train_score": True}
    ours = EpochSearchCV(quick(), {"epochs": [1, 2]}, **options).fit(X, y)
    theirs = GridSearchCV(quick(), {"epochs": [1, 2]}, **options).fit(X, y)
    assert_same_results(ours, theirs)
    assert ours.score(X, y) == theirs.score(X, y)
    with pytest.raises(ValueError, match=r"one of \['right', 'wrong'\]; got True"):
        clone(ours).set_params(refit=True).fit(X, y)


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [(0.5, TypeError, "index of a candidate; got 0.5"), (1, IndexError, "from 0 to 0; got 1")],
)
def test_a_refit_function_gives_an_index(digits, index, error, message):
    search = EpochSearchCV(quick(), {"epochs": [1]}, cv=2, refit=lambda results: index)
    with pytest.raises(error, match=message):
        search.fit(*digits)


def test_fits_are_announced(digits, capsys):
    grid = {"epochs": [1, 2], "batch_size": [16, 64]}
    EpochSearchCV(quick(), grid, cv=2, refit=False, verbose=2).fit(*digits)
    first, *others = capsys.readouterr().out.splitlines()
    assert first == "4 fits: 2 folds, 2 fits in each."
    assert len(others) == 4
    assert others[0].startswith("[CV 1/2] {'batch_size': 16, 'epochs': 2, 'keep_epochs': [1, 2]}")


def test_curves_are_the_histories_of_the_folds(digits):
    X, y = digits
    estimator = quick(validation_fraction=0.2)
    folds = StratifiedKFold(2)
    search = EpochSearchCV(estimator, {"epochs": [1, 3], "batch_size": [16, 32]}, cv=folds)
    curves = search.fit(X, y).cv_curves_
    names = ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert sorted(curves) == sorted(["fold", "candidate", "epoch", *names, "score"])
    assert len(curves["epoch"]) == 2 * 2 * 3
    (train, _) = list(folds.split(X, y))[1]
    fitted = clone(estimator).set_params(epochs=3, batch_size=32).fit(X[train], y[train])
    longest = search.cv_results_["params"].index({"batch_size": 32, "epochs": 3})
    rows = (curves["fold"] == 1) & (curves["candidate"] == longest)
    for name in names:
        assert curves[name][rows].tolist() == fitted.history_[name]
    scores = search.cv_results_["split1_test_score"][[longest - 1, longest]]
    assert curves["score"][rows][[0, 2]].tolist() == scores.tolist()
    assert np.isnan(curves["score"][rows][1])


def test_progress_is_shown_by_scikit_learns_callback(digits, capsys):
    callback = pytest.importorskip("sklearn.callback")
    search = EpochSearchCV(quick(), {"epochs": [1, 2]}, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.set_callbacks(callback.ProgressBar()).fit(*digits)
    shown = capsys.readouterr().out
    for task in ("search", "refit-with-best-params", "DigitClassifier"):
        assert task in shown
    assert "100%" in shown


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_see_the_tasks_that_grid_search_cv_shows_them(digits, n_jobs):
    callback = pytest.importorskip("sklearn.callback")

    def logged(kind):
        monitor = callback.ScoringMonitor(scoring="accuracy")
        estimator = quick().set_callbacks(monitor)
        kind(estimator, {"epochs": [2]}, cv=2, n_jobs=n_jobs).fit(*digits)
        rows = monitor.get_logs(include_lineage=False).data
        return [[row["task_id_path"], row["accuracy"]] for row in rows]

    assert sorted(logged(EpochSearchCV)) == sorted(logged(GridSearchCV))
