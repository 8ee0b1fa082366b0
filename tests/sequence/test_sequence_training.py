import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from small_recognizers import (
    assert_same_weights,
    quick,
    squeezed,
    weights_of,
)

import skdigits
from skdigits import DigitSequenceRecognizer, EpochSearchCV, ImageReshaper
from skdigits.datasets import load_digits, make_digit_sequences
from skdigits.inference.lines import score_frames
from skdigits.pictures.line_images import LineImages
from skdigits.synthesis.generators import TileGenerator


@pytest.mark.slow
def test_trains_on_sequences_as_they_are(sequences):
    X, y, _ = sequences
    y = y.copy()
    X, y[:3] = X.copy(), ""
    X[:3] = 0
    recognizer = quick(epochs=2).fit(X, y)
    assert len(recognizer.history_["loss"]) == 2
    assert recognizer.image_shape_ == X.shape[1:]
    as_objects = quick(epochs=2).fit(X, y.astype(object))
    assert_same_weights(recognizer, as_objects)
    ragged = quick(epochs=2).fit([x[:, : 120 + i % 2] for i, x in enumerate(X)], y)
    assert not hasattr(ragged, "image_shape_")
    assert np.isfinite(ragged.history_["loss"]).all()


@pytest.mark.slow
def test_learns_sequences_as_they_are(sources):
    X, y = make_digit_sequences(*sources[0], 1500, lengths=(1, 2), gap=(0, 4), random_state=0)
    recognizer = DigitSequenceRecognizer(epochs=6, batch_size=32, random_state=0).fit(X, y)
    X, y = make_digit_sequences(*sources[1], 200, lengths=(1, 2), gap=(0, 4), random_state=0)
    assert recognizer.score(X, y) > 0.6
    assert recognizer.history_["accuracy"][-1] > recognizer.history_["accuracy"][0]


def test_the_same_random_state_gives_the_same_weights(sources):
    (X, y), _ = sources
    state = np.random.get_state()[1].copy()
    first, again, other = (quick(epochs=2, random_state=s).fit(X, y) for s in (0, 0, 1))
    assert_same_weights(first, again)
    assert (weights_of(first)[0] != weights_of(other)[0]).any()
    assert (np.random.get_state()[1] == state).all()
    assert_same_weights(pickle.loads(pickle.dumps(first)), first)


def test_each_epoch_trains_on_other_sequences(sources, monkeypatch):
    drawn = []
    original = TileGenerator.draw

    def draw(self, *args):
        lines = original(self, *args)
        drawn.append((len(self._source.images), lines.sequences.tobytes()))
        return lines

    monkeypatch.setattr(TileGenerator, "draw", draw)
    quick(epochs=3, validation_fraction=0.25).fit(*sources[0])
    assert [n for n, _ in drawn] == [325, 975, 975, 975]
    assert len({labels for _, labels in drawn}) == 4


@pytest.mark.slow
def test_lines_as_people_write_them_are_learnt(sources):
    options = {"epochs": 14, "sequences_per_epoch": 1000, "lengths": (0, 1), "batch_size": 16}
    recognizer = quick(style="mixed", **options).fit(*sources[0])
    assert recognizer.history_["loss"][-1] < 1.5  # 1.84 by the shares of the digits alone
    blank, _ = make_digit_sequences(*sources[1], 5, style="mixed", lengths=0, random_state=0)
    assert (recognizer.predict(blank) == "").all()


def test_lines_too_narrow_for_the_frames_are_widened(sources):
    (X, y), _ = sources
    ones = y == 1
    drawn = quick(style="handwritten", lengths=12, sequences_per_epoch=200)
    assert drawn.fit(X[ones], y[ones]).history_["loss"][0] < np.inf


def test_the_first_epochs_of_a_longer_fit_are_a_shorter_one(sources, sequences):
    (X, y), _ = sources
    long = quick(epochs=3, keep_epochs=True).fit(X, y)
    short = quick(epochs=2).fit(X, y)
    assert_same_weights(long.at_epoch(2), short)
    staged = list(long.staged_predict(sequences[0][:20]))
    assert len(staged) == 3
    np.testing.assert_array_equal(staged[1], short.predict(sequences[0][:20]))
    np.testing.assert_array_equal(staged[2], long.predict(sequences[0][:20]))
    warm = quick(epochs=2, warm_start=True).fit(X, y)
    warm.set_params(epochs=1).fit(X, y)
    assert warm.n_iter_ == 3
    assert_same_weights(warm, long)
    with pytest.raises(ValueError, match="warm_start continues with the network of the first fit"):
        warm.set_params(filters=4).fit(X, y)


@pytest.mark.slow
def test_adapting_learns_few_lines(reader, sources, monkeypatch):
    """Lines that are squeezed to half their height are learnt from sixty of them.

    The generated lines that are mixed in are learnt too.
    """
    monkeypatch.setattr("skdigits.sequence.ADAPT_SEQUENCES", 300)
    style = {"lengths": (1, 3), "gap": (0, 6)}
    X, y = make_digit_sequences(*sources[0], 60, **style, random_state=5)
    X_test, y_test = make_digit_sequences(*sources[1], 100, **style, random_state=6)
    generated = make_digit_sequences(
        *sources[1], 200, style="mixed", lengths=(1, 3), random_state=7
    )
    before = reader.score(squeezed(X_test), y_test)
    adapted = copy.deepcopy(reader).set_params(warm_start="adapt", epochs=10, batch_size=16)
    weight = np.ones(60)
    adapted.fit(squeezed(X), y, sample_weight=weight)
    assert adapted.score(squeezed(X_test), y_test) > before + 0.5
    assert adapted.score(*generated) > reader.score(*generated) + 0.25
    assert adapted._network.learning_rate == pytest.approx(reader._network.learning_rate / 10)
    with pytest.raises(ValueError, match="adapts a fitted DigitSequenceRecognizer"):
        quick(warm_start="adapt").fit(X, y)


def test_early_stopping_goes_back_to_the_best_epoch(sources):
    (X, y), _ = sources
    diverging = {"optimizer": "sgd", "schedule": None, "learning_rate": 0.05}
    stopping = {"early_stopping": True, "patience": 1, "keep_epochs": True}
    stopped = quick(epochs=40, **diverging, **stopping).fit(X, y)
    losses = stopped.history_["val_loss"]
    assert len(losses) < 40
    assert len(losses) == np.argmin(losses) + 2
    best = stopped.at_epoch(int(1 + np.argmin(losses)))
    for found, expected in zip(weights_of(stopped), weights_of(best), strict=True):
        if found.dtype.kind == "f":  # not the state of dropout's generator
            np.testing.assert_array_equal(found, expected)
    assert {"val_loss", "val_accuracy", "loss", "accuracy"} == set(stopped.history_)


@pytest.mark.slow
def test_weights_of_digits_and_of_sequences(sources, sequences):
    (X, y), _ = sources
    kept = y < 5
    heavy = quick().fit(X, y, sample_weight=np.where(kept, 2.0, 0.0))
    assert_same_weights(heavy, quick().fit(X[kept], y[kept]))
    X, y, _ = sequences
    weight = np.ones(len(y))
    assert_same_weights(quick().fit(X, y, sample_weight=7 * weight), quick().fit(X, y, weight))
    weight[:100] = 3
    uneven = quick().fit(X, y, sample_weight=weight)
    assert (weights_of(uneven)[0] != weights_of(quick().fit(X, y))[0]).any()


@pytest.mark.slow
def test_works_in_scikit_learns_tools(sources, sequences):
    (X, y), _ = sources
    frame = pd.DataFrame(X[:60].reshape(60, -1))
    scores = cross_val_score(quick(), frame, y[:60], cv=KFold(2))
    assert scores.shape == (2,)
    search = GridSearchCV(quick(), {"epochs": [1, 2]}, cv=2).fit(X[:60], y[:60])
    assert search.best_estimator_.n_iter_ == search.best_params_["epochs"]
    epochs = EpochSearchCV(quick(), {"epochs": [1, 2]}, cv=2).fit(X[:60], y[:60])
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(epochs.cv_results_[name], search.cv_results_[name])
    pipeline = Pipeline([("images", ImageReshaper()), ("reader", quick())]).fit(frame, y[:60])
    assert pipeline.predict(frame).shape == (60,)
    X, texts, _ = sequences
    read = cross_val_predict(quick(), X, texts, cv=KFold(2))
    expected = quick().fit(X[100:], texts[100:]).predict(X[:100])
    np.testing.assert_array_equal(read[:100], expected)


def test_saves_and_loads_without_code(reader, sequences, tmp_path):
    path = skdigits.save(reader, tmp_path / "reader.skdigits")
    loaded = skdigits.load(path)
    np.testing.assert_array_equal(loaded.predict(sequences[0]), reader.predict(sequences[0]))
    assert loaded.get_params() == reader.get_params()


def test_the_keras_model_gives_the_same_frames(reader, sequences):
    X = sequences[0][:3, :, :100]
    scores = score_frames(reader._network, LineImages(X))
    logits = reader.to_keras().predict(X[..., None].astype(np.float32), verbose=0)
    logits -= np.log(np.exp(logits).sum(axis=2, keepdims=True))
    np.testing.assert_allclose(logits, np.stack(scores), atol=1e-3)


def test_float64_is_computed_throughout():
    digits = load_digits()
    options = {"filters": 2, "epochs": 1, "sequences_per_epoch": 64, "style": "tiles"}
    reader = DigitSequenceRecognizer(dtype="float64", validation_fraction=0.2, **options)
    reader.fit(digits.images[:200], digits.target[:200])
    assert {w.dtype for w in reader._network.weights if w.dtype.kind == "f"} == {np.dtype("f8")}
    assert np.isfinite(reader.history_["loss"] + reader.history_["val_loss"]).all()
    assert reader.predict(digits.images[:3]).shape == (3,)
