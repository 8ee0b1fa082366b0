import functools
import os
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV

from skdigits import DigitClassifier, EpochSearchCV
from skdigits.model_selection import journal
from skdigits.model_selection.journal import Journal
from skdigits.model_selection.scoring import FoldScores


def quick(**parameters):
    return DigitClassifier(**{"architecture": "compact", "random_state": 0, **parameters})


def as_dicts(scores):
    return [vars(fold) for fold in scores]  # as these, NaN equals NaN


def assert_same_scores(ours, theirs):
    for name, expected in theirs.cv_results_.items():
        if "score" in name and "time" not in name:
            np.testing.assert_array_equal(ours.cv_results_[name], expected, err_msg=name)


def test_an_interrupted_search_is_resumed(digits, fits, tmp_path, monkeypatch):
    X, y = digits
    journal = tmp_path / "folder" / "search.jsonl"
    grid = {"epochs": [1, 2], "batch_size": [16, 32, 64]}
    # With two folds, the training samples of one are the test samples of the other.
    search = EpochSearchCV(quick(), grid, cv=2, journal=journal, return_train_score=True)
    fit = DigitClassifier.fit

    @functools.wraps(fit)
    def interrupted(self, *args, **params):
        if len(fits) == 3:
            raise KeyboardInterrupt
        return fit(self, *args, **params)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(DigitClassifier, "fit", interrupted)
        search.fit(X, y)
    assert len(fits) == 3
    with journal.open("a") as file:
        file.write('{"fit": "cut off')
    before = journal.read_bytes()
    search.fit(X, y)
    assert len(fits) == 6 + 1, "three of six fits were finished; then the refit"
    assert journal.read_bytes().startswith(before)
    assert_same_scores(search, GridSearchCV(quick(), grid, cv=2, return_train_score=True).fit(X, y))
    curves = search.cv_curves_
    fits.clear()
    search.fit(X, y)
    assert len(fits) == 1
    np.testing.assert_equal(search.cv_curves_, curves)
    assert np.isnan(search.cv_results_["mean_fit_time"]).all()


@pytest.mark.parametrize("length", [0, 1, 30, -1])
def test_a_first_line_that_was_cut_off_is_completed(length, tmp_path):
    path = tmp_path / "search.jsonl"
    Journal(path, "search", ["fit"])
    whole = path.read_bytes()
    path.write_bytes(whole[:length])
    Journal(path, "search", ["fit"])
    assert path.read_bytes() == whole


def test_recorded_fits_serve_other_grids_and_fewer_scores(digits, fits, tmp_path):
    options = {"cv": 2, "refit": False, "journal": tmp_path / "search.jsonl"}
    search = EpochSearchCV(quick(), {"epochs": [1, 2], "batch_size": [64]}, **options)
    search.fit(*digits)
    fits.clear()
    search.set_params(param_grid={"epochs": [1, 2], "batch_size": [32, 64]}).fit(*digits)
    assert fits == [2, 2]
    fits.clear()
    search.set_params(return_train_score=True).fit(*digits)
    assert len(fits) == 4, "the training samples had no scores"
    fits.clear()
    search.set_params(return_train_score=False).fit(*digits)
    assert fits == []


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
        with pytest.raises(ValueError, match="not a journal of this search.*to start a new search"):
            changed.fit(images, y, **params)
    journal.write_text("epoch,loss\n")
    with pytest.raises(ValueError, match="not a journal of this search"):
        search.fit(X, y)
    assert journal.read_text() == "epoch,loss\n"
    assert fits == []


def make_network(width):
    def network(image_shape, n_classes):
        from skdigits.training.tensorflow import keras

        layers = [keras.Input(image_shape), keras.layers.Flatten()]
        layers += [keras.layers.Dense(width, "relu"), keras.layers.Dense(n_classes, "softmax")]
        return keras.Sequential(layers)

    return network


def test_functions_of_one_factory_have_scores_of_their_own(digits, tmp_path):
    options = {"cv": 2, "refit": False}
    grids = [{"epochs": [1, 2], "architecture": [make_network(width)]} for width in (2, 32)]
    for grid in grids:
        search = EpochSearchCV(quick(), grid, journal=tmp_path / "search.jsonl", **options)
        search.fit(*digits)
        assert_same_scores(search, GridSearchCV(quick(), grid, **options).fit(*digits))


def test_a_resumed_search_whose_pending_fits_all_fail_has_results(digits, fits, tmp_path):
    X, y = digits
    one_class, rest = np.flatnonzero(y == 3), np.arange(0, 300, 2)
    options = {"cv": [(rest, one_class), (one_class, rest)], "refit": False, "error_score": 0.0}
    search = EpochSearchCV(quick(), {"epochs": [1, 2]}, journal=tmp_path / "j", **options)
    with pytest.warns(FitFailedWarning, match="(?s)1 .*fits failed"):
        search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    fits.clear()
    with pytest.warns(FitFailedWarning, match="(?s)1 .*fits failed"):
        search.fit(X, y)
    assert len(fits) == 1
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], scores)


def test_folds_may_have_the_same_test_samples(digits, fits, tmp_path):
    rows = np.arange(300)
    folds = [(rows[:200], rows[250:]), (rows[100:250], rows[250:])]
    options = {"cv": folds, "refit": False}
    grid = {"epochs": [1]}
    search = EpochSearchCV(quick(), grid, journal=tmp_path / "search.jsonl", **options)
    expected = GridSearchCV(quick(), grid, **options).fit(*digits)
    assert_same_scores(search.fit(*digits), expected)
    fits.clear()
    assert_same_scores(search.fit(*digits), expected)
    assert fits == []


def test_parameters_that_cannot_be_recorded_are_refused_before_any_fit(digits, fits, tmp_path):
    def make(lock):
        return lambda image_shape, n_classes: lock

    grid = {"epochs": [1], "architecture": [make(threading.Lock())]}
    search = EpochSearchCV(quick(), grid, journal=tmp_path / "search.jsonl")
    with pytest.raises(TypeError, match="of type lock.*cannot be pickled"):
        search.fit(*digits)
    assert fits == []
    assert not (tmp_path / "search.jsonl").exists()


def test_a_journal_reads_back_what_was_recorded(tmp_path):
    path = tmp_path / "j"
    scores = [
        FoldScores(0, 1, test=[0.5, float("nan")], train=[0.6, 0.7], history={"loss": [1.0, 0.5]}),
        FoldScores(1, 0, test=[{"a": 1, "b": 0.25}]),
    ]
    journal = Journal(path, "search", ["first", "second"])
    for fold in scores:
        journal.record(fold)
    again = Journal(path, "search", ["first", "second"])
    np.testing.assert_equal(as_dicts(again.read()), as_dicts(scores))
    (only,) = Journal(path, "search", ["second"]).read()
    expected = FoldScores(0, 0, test=[{"a": 1, "b": 0.25}])
    np.testing.assert_equal(as_dicts([only]), as_dicts([expected]))  # NaN equals NaN there
    # Two processes that begin at once both write the first line.
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *lines]) + "\n")
    again = Journal(path, "search", ["first", "second"])
    np.testing.assert_equal(as_dicts(again.read()), as_dicts(scores))


@pytest.mark.parametrize("name", ["python", "skdigits", "keras", "tensorflow", "numpy"])
def test_a_journal_of_other_versions_says_which(name, tmp_path, monkeypatch):
    from skdigits import fingerprint

    path = tmp_path / "search.jsonl"
    Journal(path, "search", ["fit"])
    before, found = path.read_bytes(), fingerprint.versions()
    for module in (fingerprint, journal):
        monkeypatch.setattr(module, "versions", lambda: found | {name: "9.9"})
    with pytest.raises(ValueError, match=f"{name} was {found[name]} and is 9.9. Pass another"):
        Journal(path, "search", ["fit"])
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3\n", "it is not a journal"),
        ('{"skdigits_journal": 2, "search": "a"}\n', "another version of skdigits"),
        ('{"skdigits_journal": 3, "versions": [], "search": "a"}\n', "it is not a journal"),
        ("[]\n", "it is not a journal"),
        ("\x89PNG\udcff\n", "it is not a journal"),
    ],
)
def test_another_file_is_no_journal_and_stays(text, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message) as caught:
        Journal(path, "search", ["fit"])
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_journal_of_changed_pictures_is_refused(tmp_path):
    """X names files; the scores are those of their content."""
    picture, path = tmp_path / "7.png", tmp_path / "search.jsonl"
    picture.write_bytes(b"one")
    search = [quick(), None, [str(picture)], ["7"]]
    Journal(path, search, ["fit"])
    Journal(path, search, ["fit"])
    picture.write_bytes(b"two")
    with pytest.raises(ValueError, match="the data, the folds, the estimator or the scoring"):
        Journal(path, search, ["fit"])


def test_a_recorded_fit_is_on_the_disk(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda file: sizes.append(os.fstat(file).st_size))
    path = tmp_path / "folder" / "search.jsonl"
    kept = Journal(path, "search", ["fit"])
    assert path.stat().st_size in sizes
    kept.record(FoldScores(0, 0, {"score": 1.0}, None, {}))
    assert sizes[-1] == path.stat().st_size
