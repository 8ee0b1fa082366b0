import keras
import numpy as np
import pytest

from skdigits.networks.spec import NetworkSpec
from skdigits.training import data, epoch_model, plain_keras
from skdigits.training.task import Samples

SPEC = NetworkSpec.of("compact", (28, 28, 1), 10, (("dropout", 0.0),), "float64")
L2_SPEC = NetworkSpec.of("compact", (28, 28, 1), 10, (("dropout", 0.0), ("l2", 1e-3)), "float32")


# Keras rounds a batch to float32, and cannot add an L2 penalty in float64.
@pytest.mark.parametrize(("spec", "precision"), [(SPEC, 2e-6), (L2_SPEC, 1e-3)])
def test_compiled_epochs_do_what_plain_keras_does(images, make_task, run, spec, precision):
    """Weights and losses, with sample weights, L2 and a short last batch."""
    X, y, weight = images
    task = make_task(spec, samples=Samples(X, y, weight))
    model, history = run(task)

    plain = plain_keras.build(spec)
    plain_keras.assign(plain_keras.state_variables(plain), task.start.weights)
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


class Watcher(keras.callbacks.Callback):
    seen = 0

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1


@pytest.fixture
def spans(monkeypatch):
    """First and last step of every call of a compiled training program."""
    calls = []
    make_program = epoch_model.EpochModel._training_program

    def watched(self, *args):
        program = make_program(self, *args)
        return lambda *a: calls.append(tuple(a[4].numpy()[1:].tolist())) or program(*a)

    monkeypatch.setattr(epoch_model.EpochModel, "_training_program", watched)
    return calls


@pytest.mark.parametrize("batch_size", [10, 32, 70, 100])
def test_an_epoch_is_one_compiled_call(make_task, run, spans, batch_size):
    run(make_task(batch_size=batch_size, epochs=1))
    assert spans == [(0, -(-70 // batch_size))]


def test_batches_one_by_one_equal_the_whole_epoch(make_task, run, spans):
    task = make_task(schedule="one_cycle")
    whole, history = run(task)
    assert spans == [(0, 3)] * 2
    single, other_history = run(task, [watcher := Watcher()])
    assert spans[2:] == [(0, 1), (1, 2), (2, 3)] * 2
    assert watcher.seen == 6
    for a, b in zip(whole.read_weights(), single.read_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert history["loss"] == pytest.approx(other_history["loss"])


def test_averaged_weights_are_the_power_function_average(make_task, run):
    """With exponent 9: a weighted mean of all steps' weights, weight of step t growing as t⁹."""
    raw = []

    class Raw(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raw.append([v.numpy().copy() for v in self.model.trainable_variables])

    model, _ = run(make_task(schedule="averaged", batch_size=16), [Raw()])
    steps = np.arange(1, len(raw) + 1)
    share = np.diff(np.r_[0.0, np.cumprod([1, *(1 / (1 - 1 / steps[1:]) ** 10)])])
    share /= share.sum()
    for i, average in enumerate(model.read_weights()[: len(raw[0])]):
        expected = sum(w * weights[i] for w, weights in zip(share, raw, strict=True))
        np.testing.assert_allclose(average, expected, rtol=1e-6, atol=1e-9)


def test_large_data_is_fetched_in_parts_to_the_same_end(
    images, make_task, run, monkeypatch, tmp_path
):
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
        samples = Samples(rows, y, weight, np.arange(5, 70))
        validation = Samples(rows, y, weight, np.arange(5))
        task = make_task(samples=samples, validation=validation, schedule="averaged", batch_size=16)
        model, history = run(task)
        results.append((model.read_weights(), history))
    assert most == [70] + 2 * [32, 32, 1], "the whole once; then two batches of 16 at a time"
    for a, b in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_array_equal(a, b)
    for name, values in results[0][1].items():
        assert values == pytest.approx(results[1][1][name])
