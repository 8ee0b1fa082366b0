import functools
from typing import ClassVar

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

import skdigits
from skdigits import DigitClassifier, DigitSequenceRecognizer
from skdigits.datasets import load_digits
from skdigits.training import callbacks, checkpoints
from skdigits.training.tensorflow import keras

X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]


@pytest.fixture(autouse=True)
def after_each_epoch(monkeypatch):
    """Write a checkpoint after each epoch, however short they are."""
    monkeypatch.setattr(callbacks, "MOST_TIME", np.inf)


class Broken(Exception):
    pass


class BreakOff(keras.callbacks.Callback):
    """Break a fit off at the beginning of an epoch, counted from 0."""

    only_watches = True

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Broken


class Epochs(keras.callbacks.Callback):
    """Collect the numbers of the epochs; copies share the list."""

    only_watches = True

    seen: ClassVar[list] = []

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(epoch)


def classifier(**parameters):
    defaults = {"architecture": "tiny", "epochs": 4, "batch_size": 64, "random_state": 0}
    return DigitClassifier(**{**defaults, **parameters})


def recognizer(**parameters):
    defaults = {"epochs": 3, "sequences_per_epoch": 60, "batch_size": 20, "random_state": 0}
    return DigitSequenceRecognizer(**{**defaults, "lengths": (1, 3), **parameters})


def resumed(estimator, epoch, X, y, folder, **fit):
    """Fit it with a break before an epoch; check that the second fit begins with that epoch."""
    estimator.set_params(checkpoint=folder, callbacks=[BreakOff(epoch)])
    with pytest.raises(Broken):
        estimator.fit(X, y, **fit)
    assert len(list(folder.glob("*.checkpoint"))) == 1
    Epochs.seen.clear()
    estimator.set_params(callbacks=[Epochs()]).fit(X, y, **fit)
    assert Epochs.seen[0] == epoch
    assert list(folder.iterdir()) == []
    return estimator


def assert_same(a, b):
    for ours, theirs in zip(
        a._network.raw_weights + a._network.weights + a._network.optimizer_state,
        b._network.raw_weights + b._network.weights + b._network.optimizer_state,
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert a.history_ == b.history_
    assert a._network.kept.keys() == b._network.kept.keys()
    for epoch, weights in a._network.kept.items():
        for ours, theirs in zip(weights, b._network.kept[epoch], strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"schedule": "one_cycle", "augment": 1, "keep_epochs": True},
        {"schedule": None, "dropout": 0.3, "optimizer": "sgd", "keep_epochs": [2, 4]},
        {"style": "mixed", "validation_fraction": 0.2},
    ],
)
def test_a_classifier_resumes_bit_for_bit(parameters, tmp_path):
    undisturbed = classifier(**parameters).fit(X, y)
    assert_same(resumed(classifier(**parameters), 2, X, y, tmp_path), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("parameters", [{}, {"style": "tiles", "schedule": "one_cycle"}])
def test_a_recognizer_resumes_bit_for_bit(parameters, tmp_path):
    undisturbed = recognizer(**parameters).fit(X, y)
    assert_same(resumed(recognizer(**parameters), 1, X, y, tmp_path), undisturbed)


@pytest.mark.slow
def test_warm_starts_and_adapting_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr("skdigits.sequence.ADAPT_SEQUENCES", 40)
    first = classifier(warm_start=True, epochs=2).fit(X, y)
    undisturbed = skdigits.load(skdigits.save(first, tmp_path / "model")).fit(X, y)
    (tmp_path / "checkpoints").mkdir()
    assert_same(resumed(first, 3, X, y, tmp_path / "checkpoints"), undisturbed)
    lines = [np.pad(image.reshape(8, 8), (4, 4)) for image in X[:30]]
    texts = y[:30].astype(str)
    first = recognizer(epochs=1).fit(X, y).set_params(warm_start="adapt", epochs=2)
    undisturbed = skdigits.load(skdigits.save(first, tmp_path / "model")).fit(lines, texts)
    assert_same(resumed(first, 2, lines, texts, tmp_path / "checkpoints"), undisturbed)


STOPS_EARLY = {"early_stopping": True, "patience": 2, "architecture": "compact"}
STOPS_EARLY |= {"learning_rate": 0.02, "epochs": 60}


def test_early_stopping_resumes(tmp_path):
    undisturbed = classifier(**STOPS_EARLY).fit(X, y)
    n = undisturbed.n_iter_
    assert 5 <= n < 60
    for epoch in (3, n - 1):  # just before, the last epoch was no improvement
        assert_same(resumed(classifier(**STOPS_EARLY), epoch, X, y, tmp_path), undisturbed)


@pytest.mark.parametrize("parameters", [{}, STOPS_EARLY])
def test_a_fit_that_had_ended_is_not_trained_on(parameters, tmp_path, monkeypatch):
    undisturbed = classifier(**parameters).fit(X, y)
    monkeypatch.setattr(checkpoints.Checkpoint, "remove", lambda self: None)
    classifier(**parameters, checkpoint=tmp_path).fit(X, y)
    monkeypatch.undo()
    Epochs.seen.clear()
    again = classifier(**parameters, checkpoint=tmp_path, callbacks=[Epochs()]).fit(X, y)
    assert Epochs.seen == []
    assert_same(again, undisturbed)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 1},
        {"epochs": 5},
        {"batch_size": 32},
        {"learning_rate": 0.005},
        {"augment": 1},
        {"early_stopping": True},
        {"keep_epochs": True},
        {"l2": 0.1},
    ],
)
def test_another_fit_does_not_take_or_touch_it(change, tmp_path):
    broken = classifier(checkpoint=tmp_path, callbacks=[BreakOff(2)])
    with pytest.raises(Broken):
        broken.fit(X, y)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    Epochs.seen.clear()
    classifier(checkpoint=tmp_path, callbacks=[Epochs()], **change).fit(X, y)
    assert Epochs.seen[0] == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_other_data_weights_and_start_are_another_fit(tmp_path):
    def name_of(estimator, *args, **kwargs):
        with pytest.raises(Broken):
            estimator.set_params(checkpoint=tmp_path, callbacks=[BreakOff(1)]).fit(*args, **kwargs)
        (path,) = tmp_path.iterdir()
        path.unlink()
        return path.name

    changed = X.copy()
    changed[0, 0] += 1
    trained = classifier(epochs=1).fit(X, y).set_params(warm_start=True, epochs=2)
    names = [
        name_of(classifier(), X, y),
        name_of(classifier(), changed, y),
        name_of(classifier(), X, np.roll(y, 1)),
        name_of(classifier(), X, y, sample_weight=np.arange(300)),
        name_of(recognizer(), X, y),
        name_of(recognizer(), changed, y),
        name_of(recognizer(lengths=(1, 2)), X, y),
        name_of(recognizer(style="tiles"), X, y),
    ]
    assert len(set(names)) == len(names)
    assert name_of(classifier(verbose=2), X, y) == names[0]
    trained.set_params(checkpoint=tmp_path, callbacks=[BreakOff(2)])
    with pytest.raises(Broken):
        trained.fit(X, y)
    assert trained.n_iter_ == 1  # it is as before
    assert next(tmp_path.iterdir()).name not in names


def test_fits_of_a_cross_validation_share_a_folder(tmp_path):
    expected = cross_val_score(classifier(epochs=2), X, y, cv=3)
    found = cross_val_score(classifier(epochs=2, checkpoint=tmp_path / "new" / "one"), X, y, cv=3)
    np.testing.assert_array_equal(found, expected)
    assert list((tmp_path / "new" / "one").iterdir()) == []


@pytest.mark.slow
def test_a_damaged_file_is_not_used(tmp_path):
    undisturbed = classifier().fit(X, y)
    broken = classifier(checkpoint=tmp_path, callbacks=[BreakOff(2)])
    with pytest.raises(Broken):
        broken.fit(X, y)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", whole[:1000], whole[: len(whole) // 2], b"PK" + whole[2:-50]):
        path.write_bytes(damaged)
        Epochs.seen.clear()
        found = classifier(checkpoint=tmp_path, callbacks=[Epochs()]).fit(X, y)
        assert Epochs.seen[0] == 0
        assert_same(found, undisturbed)


def test_where_nothing_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileExistsError):
        classifier(checkpoint=tmp_path / "file").fit(X, y)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "_write", full)
    with pytest.warns(UserWarning, match=r"No checkpoint.*No space left.*continues") as warned:
        found = classifier(checkpoint=tmp_path).fit(X, y)
    assert len(warned) == 1
    assert_same(found, classifier().fit(X, y))


def test_the_folder_is_not_saved(tmp_path):
    estimator = classifier(epochs=1, checkpoint=tmp_path).fit(X, y)
    assert skdigits.load(skdigits.save(estimator, tmp_path / "model")).checkpoint is None
    assert estimator.checkpoint == tmp_path


class SetRate(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate.assign(0.2)


def network_of(activation):
    def build(image_shape, n_classes, dtype="float32"):
        layers = keras.layers
        parts = [layers.Flatten(), layers.Dense(16, activation), layers.Dense(n_classes, "softmax")]
        return keras.Sequential([keras.Input(image_shape), *parts])

    return build


def break_off(estimator, folder):
    callbacks = [*(estimator.callbacks or ()), BreakOff(2)]
    with pytest.raises(Broken):
        estimator.set_params(callbacks=callbacks, checkpoint=folder).fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"architecture": network_of("relu")}, {"architecture": network_of("tanh")}),
        ({"callbacks": [SetRate()]}, {}),
    ],
    ids=["function", "callbacks"],
)
def test_a_fit_that_differs_in_its_functions_is_another(one, other, tmp_path):
    break_off(classifier(**one), tmp_path)
    left = sorted(tmp_path.iterdir())
    found = classifier(**other, checkpoint=tmp_path).fit(X, y)
    undisturbed = classifier(**other).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), undisturbed.predict_proba(X))
    assert sorted(tmp_path.iterdir()) == left != []


class AddNumber(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["number"] = np.float32(epoch)


def test_any_network_and_callback_may_have_checkpoints(tmp_path):
    build = functools.partial(network_of("relu"), dtype="float32")
    options = {"architecture": build, "callbacks": [AddNumber()]}
    break_off(classifier(**options), tmp_path)
    found = classifier(**options, checkpoint=tmp_path).fit(X, y)
    assert found.history_["number"] == [0, 1, 2, 3]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_kept_epochs_that_another_process_removed_are_written_again(tmp_path):
    class RemoveKept(keras.callbacks.Callback):
        only_watches = True

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                next(tmp_path.glob("*.epoch-1")).unlink()

    options = {"keep_epochs": True}
    break_off(classifier(**options, callbacks=[RemoveKept()]), tmp_path)
    Epochs.seen.clear()
    classifier(**options, callbacks=[Epochs()], checkpoint=tmp_path).fit(X, y)
    assert Epochs.seen[0] == 2


@pytest.mark.slow
@pytest.mark.parametrize("content", ["npy", "npz"])
def test_a_file_of_something_else_is_no_checkpoint(content, tmp_path):
    break_off(classifier(), tmp_path)
    (path,) = tmp_path.iterdir()
    with path.open("wb") as file:
        np.save(file, X) if content == "npy" else np.savez(file, values=X)
    Epochs.seen.clear()
    classifier(callbacks=[Epochs()], checkpoint=tmp_path).fit(X, y)
    assert Epochs.seen == [0, 1, 2, 3]


def test_checkpoints_take_a_small_share_of_the_time(monkeypatch):
    """Epochs of a second, checkpoints of 0.28 seconds: one in ten seconds."""
    now, saved = [0.0], []

    class Slow:
        folder = "folder"

        def load(self):
            return None

        def save(self, state):
            saved.append(epoch)
            now[0] += 0.28

    class Model:
        stop_training = False

        def read_training_state(self):
            return {}

    monkeypatch.setattr(callbacks, "MOST_TIME", 0.03)
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: now[0])
    keeper = callbacks.StateKeeper(Slow(), callbacks.Recorder(None), None)
    monkeypatch.setattr(callbacks.StateKeeper, "model", Model(), raising=False)
    for epoch in range(40):
        now[0] += 1
        keeper.on_epoch_end(epoch)
    assert saved == [0, 10, 20, 30]
