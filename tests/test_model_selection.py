import json
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, precision_score
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skdigits import DigitClassifier, EpochSearchCV, ImageReshaper

GRID = {"epochs": [3, 1, 2], "batch_size": [16, 64]}


@pytest.fixture
def fits(monkeypatch):
    """Epochs of every fit in this process."""
    counted = []
    train = DigitClassifier._train

    def counting(self, *args, **options):
        counted.append(self.epochs)
        return train(self, *args, **options)

    monkeypatch.setattr(DigitClassifier, "_train", counting)
    return counted


def quick(**parameters):
    return DigitClassifier(random_state=0, **parameters)


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
        (quick(early_stopping=True, patience=1), {"epochs": [1, 2, 6], "batch_size": [8]}, {}),
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
    ours = EpochSearchCV(estimator, grid, cv=3, **options).fit(X, y)
    theirs = GridSearchCV(estimator, grid, cv=3, **options).fit(X, y)
    assert_same_results(ours, theirs)
    if ours.refit:
        np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
        assert ours.score(X, y) == theirs.score(X, y)
        assert ours.refit_time_ > 0


def test_a_pipeline_is_searched_with_one_fit_per_fold(digits, fits):
    X, y = digits
    grid = {"cnn__epochs": [1, 2, 4], "cnn__batch_size": [16, 64]}
    ours = EpochSearchCV(pipeline(), grid, cv=3).fit(X, y)
    assert fits == [4] * 2 * 3 + [ours.best_params_["cnn__epochs"]]
    assert_same_results(ours, GridSearchCV(pipeline(), grid, cv=3).fit(X, y))
    assert not ours.best_estimator_[-1].keep_epochs


def test_candidates_of_a_one_cycle_are_fitted_apart_and_said_so(digits, fits):
    X, y = digits
    estimator = quick(schedule="one_cycle")
    with pytest.warns(UserWarning, match="2 candidates are fitted one by one"):
        ours = EpochSearchCV(estimator, {"epochs": [1, 3]}, cv=2, refit=False).fit(X, y)
    assert sorted(fits) == [1, 1, 3, 3]
    assert_same_results(
        ours, GridSearchCV(estimator, {"epochs": [1, 3]}, cv=2, refit=False).fit(X, y)
    )


def test_only_what_differs_in_more_than_epochs_is_fitted_apart(digits, fits):
    X, y = digits
    grid = {"epochs": [1, 2], "schedule": ["averaged", "one_cycle", None]}
    with pytest.warns(UserWarning, match="2 candidates are fitted one by one"):
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
            r"ends with one; got LogisticRegression\(\)",
        ),
        (
            pipeline(),
            {"cnn__epochs": [1], "cnn": [quick(), LogisticRegression()]},
            {},
            "Invalid parameter|needs an estimator",
        ),
        (quick(), {"epochs": [1]}, {"scoring": ["accuracy", "f1_macro"]}, "refit should be False"),
        (quick(), {"epochs": [1]}, {"cv": 1}, "The 'cv' parameter"),
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


def test_a_function_that_chooses_is_told_the_times(digits):
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


def test_two_processes_find_what_one_finds(digits):
    X, y = digits
    searches = [EpochSearchCV(quick(), GRID, cv=2, n_jobs=n).fit(X, y) for n in (None, 2)]
    assert_same_results(*searches)


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


def test_a_journal_lets_a_search_go_on(digits, fits, tmp_path, monkeypatch):
    X, y = digits
    journal = tmp_path / "folder" / "search.jsonl"
    grid = {"epochs": [1, 2], "batch_size": [16, 32, 64]}
    # With two folds, what one trains on is what the other tests on.
    search = EpochSearchCV(quick(), grid, cv=2, journal=journal, return_train_score=True)
    train = DigitClassifier._train

    def interrupted(self, *args, **options):
        if len(fits) == 3:
            raise KeyboardInterrupt
        return train(self, *args, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(DigitClassifier, "_train", interrupted)
        search.fit(X, y)
    assert len(fits) == 3
    with journal.open("a") as file:
        file.write('{"fit": "broken off')
    before = journal.read_bytes()
    search.fit(X, y)
    assert len(fits) == 6 + 1, "three of six fits were finished; then the refit"
    assert journal.read_bytes().startswith(before)
    assert_same_results(
        search, GridSearchCV(quick(), grid, cv=2, return_train_score=True).fit(X, y)
    )
    fits.clear()
    assert_same_results(search.fit(X, y), search)
    assert len(fits) == 1
    assert np.isnan(search.cv_results_["mean_fit_time"]).all()


def test_a_journal_of_another_search_is_refused(digits, fits, tmp_path):
    X, y = digits
    journal = tmp_path / "search.jsonl"
    search = EpochSearchCV(quick(), {"epochs": [1]}, cv=2, refit=False, journal=journal)
    search.fit(X, y)
    fits.clear()
    for changed, images, weights in (
        (search, X[::-1], None),
        (search, X, np.linspace(1, 2, len(y))),
        (clone(search).set_params(scoring="f1_macro"), X, None),
        (clone(search).set_params(error_score=0), X, None),
        (clone(search).set_params(estimator__l2=0.1), X, None),
        (clone(search).set_params(cv=3), X, None),
    ):
        params = {} if weights is None else {"sample_weight": weights}
        with pytest.raises(ValueError, match="no journal of this search.*to begin anew"):
            changed.fit(images, y, **params)
    journal.write_text("epoch,loss\n")
    with pytest.raises(ValueError, match="no journal of this search"):
        search.fit(X, y)
    assert journal.read_text() == "epoch,loss\n"
    assert fits == []


def test_a_journal_reads_back_what_was_written(tmp_path):
    from skdigits.model_selection.journal import Journal

    journal = Journal(tmp_path / "j", "search")
    grid = {"batch_size": [16], "epochs": [2]}
    journal.write(grid, [1, 2], 0, "test", {"score@1": 0.5})
    journal.write(grid, [1, 2], 1, "test", {"score@1": float("nan")})
    scores = Journal(tmp_path / "j", "search").read()[journal.key(grid, [1, 2])]
    assert scores[0] == {"test": {"score@1": 0.5}}
    assert np.isnan(scores[1]["test"]["score@1"])
    lines = (tmp_path / "j").read_text().splitlines()
    assert len(lines) == 3
    json.loads(lines[0])
    # Two processes that begin at once both write the first line.
    (tmp_path / "j").write_text("\n".join([lines[0], *lines]) + "\n")
    again = Journal(tmp_path / "j", "search").read()
    np.testing.assert_equal(again[journal.key(grid, [1, 2])], scores)


def test_functions_have_the_same_name_in_every_process():
    from skdigits.model_selection.journal import describe

    def make():
        def network(image_shape, n_classes):
            raise NotImplementedError

        return network

    def described(network, l2=0.0):
        steps = [("scale", MinMaxScaler()), ("cnn", quick(architecture=network, l2=l2))]
        return describe({"estimator": Pipeline(steps), "scoring": {"a": network}})

    assert make() is not make()
    assert described(make()) == described(make())
    assert described(make()) != described(make(), l2=0.1)
    assert described(make()) != described(weighted_accuracy)


def test_progress_is_shown_by_scikit_learns_callback(digits, capsys):
    callback = pytest.importorskip("sklearn.callback")
    X, y = digits
    search = EpochSearchCV(quick(), {"epochs": [1, 2]}, cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.set_callbacks(callback.ProgressBar()).fit(X, y)
    shown = capsys.readouterr().out
    assert "DigitClassifier" in shown
    assert "100%" in shown
