import contextlib

import joblib
import keras
import numpy as np
import pytest

from skdigits import DigitClassifier
from skdigits.networks.spec import NetworkSpec
from skdigits.training import (
    augmentation,
    data,
    epoch_model,
    initial_weights,
    model_cache,
    plain_keras,
    schedules,
)

UINT8 = np.dtype("uint8")
SPEC = NetworkSpec("compact", (28, 28, 1), 10, (("dropout", 0.0),), "float64")
L2_SPEC = NetworkSpec("compact", (28, 28, 1), 10, (("dropout", 0.0), ("l2", 1e-3)), "float32")


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (70, 784), dtype=np.uint8)
    return X, rng.integers(0, 10, 70), rng.random(70) + 0.5


# Keras rounds a batch to float32, and cannot add an L2 penalty in float64.
@pytest.mark.parametrize(("spec", "precision"), [(SPEC, 2e-6), (L2_SPEC, 1e-3)])
def test_compiled_epochs_do_what_plain_keras_does(images, spec, precision):
    """Weights and losses, with sample weights, L2 and a short last batch."""
    X, y, weight = images
    state = initial_weights.fresh_state(spec, seed=1)
    recipe = epoch_model.Recipe(
        seed=3, learning_rate=0.01, schedule=None, pixels=UINT8, scale=1 / 255
    )
    model = epoch_model.EpochModel.from_spec(spec, "adam", False)
    model.load_state(state)
    history = model.fit(X, y, recipe=recipe, epochs=2, batch_size=32, loss_weight=weight).history

    plain = plain_keras.build_trained(spec, 1.0, state["weights"])
    plain.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    losses = []
    for epoch in range(2):
        order = np.random.default_rng([3, epoch]).permutation(70)
        for first in (0, 32, 64):
            chosen = order[first : first + 32]
            batch = X[chosen].reshape(-1, 28, 28, 1) / 255
            loss = plain.train_on_batch(batch, y[chosen], weight[chosen], return_dict=True)["loss"]
            plain.reset_metrics()
            losses.append(float(loss) * len(chosen))
    for ours, theirs in zip(model.read_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=precision, atol=precision)
    expected = np.reshape(losses, (2, 3)).sum(axis=1) / 70
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)


def test_batches_one_by_one_equal_the_whole_epoch(images):
    X, y, _ = images

    class Watcher(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1

    results = []
    for callbacks in ([], [watcher := Watcher()]):
        model = epoch_model.EpochModel.from_spec(SPEC, "adam", False)
        model.load_state(initial_weights.fresh_state(SPEC, seed=1))
        recipe = epoch_model.Recipe(
            seed=3,
            learning_rate=0.01,
            schedule="one_cycle",
            pixels=UINT8,
            scale=1 / 255,
        )
        history = model.fit(X, y, recipe=recipe, epochs=2, batch_size=32, callbacks=callbacks)
        results.append((model.read_weights(), history.history))
    assert watcher.seen == 6
    for a, b in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert results[0][1]["loss"] == pytest.approx(results[1][1]["loss"])


def test_averaged_weights_are_the_power_function_average(images):
    """With exponent 9: a weighted mean of all steps' weights, weight of step t growing as t⁹."""
    X, y, _ = images
    raw = []

    class Raw(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raw.append([v.numpy().copy() for v in self.model.trainable_variables])

    model = epoch_model.EpochModel.from_spec(SPEC, "adam", False)
    model.load_state(initial_weights.fresh_state(SPEC, seed=1))
    recipe = epoch_model.Recipe(
        seed=3, learning_rate=0.01, schedule="averaged", pixels=UINT8, scale=1 / 255
    )
    model.fit(X, y, recipe=recipe, epochs=2, batch_size=16, callbacks=[Raw()])
    steps = np.arange(1, len(raw) + 1)
    share = np.diff(np.r_[0.0, np.cumprod([1, *(1 / (1 - 1 / steps[1:]) ** 10)])])
    share /= share.sum()
    for i, average in enumerate(model.read_weights()[: len(raw[0])]):
        expected = sum(w * weights[i] for w, weights in zip(share, raw, strict=True))
        np.testing.assert_allclose(average, expected, rtol=1e-6, atol=1e-9)


def test_warm_up_and_one_cycle_set_the_rate(images):
    X, y, _ = images
    rates = {}

    class Rates(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            change = [
                np.abs(v.numpy() - old).max()
                for v, old in zip(self.model.trainable_variables, self.old, strict=True)
            ]
            rates.setdefault(schedule, []).append(max(change))

        def on_train_batch_begin(self, batch, logs=None):
            self.old = [v.numpy().copy() for v in self.model.trainable_variables]

    for schedule in ("averaged", "one_cycle"):
        model = epoch_model.EpochModel.from_spec(SPEC, "sgd", False)
        model.load_state(initial_weights.fresh_state(SPEC, seed=1))
        recipe = epoch_model.Recipe(
            seed=3, learning_rate=0.01, schedule=schedule, pixels=UINT8, scale=1 / 255
        )
        model.fit(X, y, recipe=recipe, epochs=4, batch_size=7, callbacks=[Rates()])
    averaged, cycle = np.array(rates["averaged"]), np.array(rates["one_cycle"])
    assert averaged[0] < averaged[20] / 5, "the rate grows from step to step"
    assert cycle[12] > 3 * cycle[0], "up …"
    assert cycle[12] > 10 * cycle[-1], "… and down"


@pytest.mark.parametrize(
    ("progress", "factor"), [(0.0, 0.04), (0.3, 1.0), (0.65, 0.5), (1.0, 1e-3)]
)
def test_one_cycle_at_marked_points(progress, factor):
    assert float(schedules.one_cycle(progress)) == pytest.approx(factor, abs=1e-6)


def test_augmentation_moves_digits_and_keeps_them():
    import tensorflow as tf

    square = np.zeros((200, 28, 28, 1), np.float32)
    square[:, 10:18, 10:18] = 1
    places = np.arange(28)

    def distances(images):
        mass = images.sum(axis=(1, 2, 3))
        assert 64 * 0.8 < mass.min() < mass.max() < 64 * 1.25
        rows = (images.sum(axis=(2, 3)) * places).sum(axis=1) / mass - 13.5
        columns = (images.sum(axis=(1, 3)) * places).sum(axis=1) / mass - 13.5
        assert max(abs(rows.mean()), abs(columns.mean())) < 0.3
        return np.abs(rows).max(), np.abs(columns).max()

    moved = augmentation.jitter(tf.constant(square), tf.constant([1, 2])).numpy()
    again = augmentation.jitter(tf.constant(square), tf.constant([1, 2])).numpy()
    other = augmentation.jitter(tf.constant(square), tf.constant([1, 3])).numpy()
    np.testing.assert_array_equal(moved, again)
    assert not np.array_equal(moved, other)
    assert all(0.8 < distance < 1.5 for distance in distances(moved))
    twice = augmentation.jitter(tf.constant(square), tf.constant([1, 2]), 2.0).numpy()
    assert all(1.8 < distance < 2.6 for distance in distances(twice))
    upright = np.zeros((200, 28, 28, 1), np.float32)
    upright[:, 4:24, 13:15] = 1
    turned = augmentation.jitter(tf.constant(upright), tf.constant([5, 6])).numpy()
    widths = (turned.max(axis=1)[..., 0] > 0.2).sum(axis=1)
    assert widths.max() >= 4, "some are turned"


def test_programs_are_reused_and_bounded(digits):
    X, y = digits
    cache = model_cache.cache
    DigitClassifier(epochs=1, random_state=0).fit(X, y)
    models = {id(m) for idle in cache._idle.values() for m in idle}
    for seed in range(3):
        DigitClassifier(epochs=1, batch_size=20 + seed, random_state=seed).fit(
            X[: 200 + seed], y[: 200 + seed]
        )
    assert {id(m) for idle in cache._idle.values() for m in idle} == models
    small = model_cache.ModelCache(size=2)
    for filters in range(1, 5):
        spec = NetworkSpec("compact", (28, 28, 1), 10, (("filters", filters),), "float32")
        with small.borrow(spec, "adam", False):
            pass
    assert [dict(key[0].options)["filters"] for key in small._idle] == [3, 4]


def test_a_model_is_lent_to_one_at_a_time_and_dropped_after_an_error():
    cache = model_cache.ModelCache(size=4)
    key = (SPEC, "adam", False)
    with cache.borrow(*key) as first, cache.borrow(*key) as second:
        assert first is not second
    with pytest.raises(KeyError), cache.borrow(*key) as broken:
        raise KeyError
    with cache.borrow(*key) as next_one, cache.borrow(*key) as newest:
        assert next_one is not broken
        assert newest is not broken


def test_large_data_is_fetched_in_parts_to_the_same_end(images, monkeypatch, tmp_path):
    """From a memory-mapped file, with weights, chosen samples and a validation set."""
    X, y, weight = images
    np.save(tmp_path / "images.npy", X)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    most = []
    original = data.TrainingData._tensors

    def tensors(self, which):
        result = original(self, which)
        most.append(len(result[0]))
        return result

    monkeypatch.setattr(data.TrainingData, "_tensors", tensors)
    results = []
    for limit, rows in ((2**28, X), (0, mapped)):
        monkeypatch.setattr(data, "RESIDENT_BYTES", limit)
        monkeypatch.setattr(data, "PART_BYTES", 33 * 784)
        model = epoch_model.EpochModel.from_spec(SPEC, "adam", False)
        model.load_state(initial_weights.fresh_state(SPEC, seed=1))
        recipe = epoch_model.Recipe(
            seed=3, learning_rate=0.01, schedule="averaged", pixels=UINT8, scale=1 / 255
        )
        history = model.fit(
            rows,
            y,
            recipe=recipe,
            epochs=2,
            batch_size=16,
            loss_weight=weight,
            samples=np.arange(5, 70),
            validation_samples=np.arange(5),
        )
        results.append((model.read_weights(), history.history))
    assert most == [70] + 2 * [32, 32, 1], "the whole once; then two batches of 16 at a time"
    for a, b in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_array_equal(a, b)
    for name, values in results[0][1].items():
        assert values == pytest.approx(results[1][1][name])


def test_dropout_drops_what_keras_drops():
    spec = NetworkSpec("compact", (28, 28, 1), 10, (("dropout", 0.3),), "float32")
    model = epoch_model.EpochModel.from_spec(spec, "adam", False)
    (ours,) = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert type(ours) is not keras.layers.Dropout
    (theirs,) = [
        layer for layer in plain_keras.build(spec).layers if isinstance(layer, keras.layers.Dropout)
    ]
    theirs.seed_generator.state.assign(ours.seed_generator.state)
    x = np.random.default_rng(0).normal(size=(50, 14, 14, 4)).astype("float32")
    for _ in range(2):
        dropped = ours(x, training=True).numpy()
        np.testing.assert_allclose(dropped, theirs(x, training=True).numpy(), rtol=1e-6)
        assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_array_equal(ours(x, training=False), x)


def share_of_the_cores():
    from skdigits.training.tensorflow import tf

    return tf.config.threading.get_intra_op_parallelism_threads()


def test_worker_processes_keep_to_their_share_of_the_cores():
    before = share_of_the_cores()
    task = joblib.delayed(share_of_the_cores)
    shares = joblib.Parallel(n_jobs=2)(task() for _ in range(4))
    assert set(shares) == {max(joblib.cpu_count() // 2, 1)}
    assert share_of_the_cores() == before == 0


def test_weights_that_an_architecture_sets_stay():
    import keras

    def network(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = keras.layers.Flatten()(inputs)
        mine = keras.layers.Dense(5, name="mine")
        x = mine(x)
        mine.kernel.assign(np.full(mine.kernel.shape, 0.25, np.float32))
        seeded = keras.initializers.GlorotUniform(seed=42)
        x = keras.layers.Dense(4, kernel_initializer=seeded, name="seeded")(x)
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    spec = NetworkSpec(network, (28, 28, 1), 3, (), "float32")
    first, other = (initial_weights.fresh_state(spec, seed)["weights"] for seed in (1, 2))
    assert (first[0] == 0.25).all()
    np.testing.assert_array_equal(first[2], keras.initializers.GlorotUniform(seed=42)((5, 4)))
    assert [(a != b).any() for a, b in zip(first[::2], other[::2], strict=True)] == [0, 0, 1]


def test_initial_weights_do_not_depend_on_pythons_global_generator(monkeypatch):
    """Which any thread may use in the meantime, as those of Dask's workers do."""
    spec = NetworkSpec("lenet", (8, 8, 1), 3, (), "float32")
    monkeypatch.setattr(plain_keras, "_seeded", lambda seed: contextlib.nullcontext())
    first, again, other = (initial_weights.fresh_state(spec, seed)["weights"] for seed in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert sum((a != b).any() for a, b in zip(first, other, strict=True)) == 4 + 1, "and dropout"
    kernel = first[0]
    assert kernel.shape == (5, 5, 1, 8)
    assert np.abs(kernel).max() <= np.sqrt(6 / (25 * (1 + 8))), "Glorot's uniform distribution"
