import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import (
    cross_val_score,
)
from small import assert_same_weights, quick, weights_of

from skdigits import DigitClassifier, EpochSearchCV

# -- the Keras side ------------------------------------------------------------------------


def test_to_keras_takes_pixels_as_they_were_given(digits, fitted):
    X, _ = digits
    model = fitted.to_keras()
    probability = model.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(probability, fitted.predict_proba(X), atol=1e-5)


def test_keras_classifier_is_scikeras_and_fitted(digits):
    from scikeras.wrappers import KerasClassifier

    X, y = digits
    names = np.array(list("abcdefghij"))[y]
    classifier = quick(epochs=4).fit(X, names)
    inner = classifier.keras_classifier_
    assert isinstance(inner, KerasClassifier)
    assert inner is classifier.keras_classifier_
    for dtype in (np.uint8, np.int64, np.float64):
        images = X.reshape(-1, 8, 8, 1).astype(dtype)
        np.testing.assert_array_equal(inner.predict(images), classifier.predict(X))
    assert inner.history_ == classifier.history_
    assert inner is not classifier.fit(X, names).keras_classifier_


def test_training_goes_through_scikeras(digits, monkeypatch):
    from scikeras.wrappers import KerasClassifier

    calls = []
    fit = KerasClassifier.fit
    monkeypatch.setattr(
        KerasClassifier, "fit", lambda self, *a, **k: calls.append(self) or fit(self, *a, **k)
    )
    quick().fit(*digits)
    assert len(calls) == 1


# -- Keras's optimizers, callbacks, settings and exports -------------------------------------


def test_a_keras_optimizer_is_copied(digits):
    import keras

    optimizer = keras.optimizers.Adam(0.004, beta_1=0.8)
    classifier = quick(optimizer=optimizer)
    classifier.fit(*digits)
    assert not optimizer.built
    assert_same_weights(
        classifier, quick(optimizer=keras.optimizers.Adam(0.004, beta_1=0.8)).fit(*digits)
    )
    plain = quick(optimizer="adam", learning_rate=0.004).fit(*digits)
    assert (weights_of(classifier)[0] != weights_of(plain)[0]).any()
    same = quick(optimizer=keras.optimizers.Adam(), learning_rate=0.004).fit(*digits)
    assert_same_weights(same, plain)
    assert cross_val_score(classifier, *digits, cv=2).min() > 0.2
    assert classifier.keras_classifier_.model_.optimizer.get_config()["beta_1"] == pytest.approx(
        0.8
    )


def test_optimizers_that_would_not_do_what_they_say_are_refused(digits):
    import keras

    class Own(keras.optimizers.SGD):
        pass

    optimizers = keras.optimizers
    schedule = optimizers.schedules.CosineDecay(0.1, 100)
    for optimizer, message in (
        (optimizers.Adam(schedule), "learning rate of the optimizer Adam is not a number"),
        (optimizers.LossScaleOptimizer(optimizers.SGD()), "LossScaleOptimizer is not a number"),
        (optimizers.Adam(use_ema=True), "use_ema=True, which would have no effect"),
        (optimizers.Adam(loss_scale_factor=8.0), "loss_scale_factor=8.0, which would have no"),
        (Own(), "Own cannot be copied.*register_keras_serializable"),
        (optimizers.schedules.CosineDecay(0.1, 100), "or a Keras optimizer; got CosineDecay"),
    ):
        with pytest.raises(ValueError, match=message):
            quick(optimizer=optimizer).fit(*digits)
    own = keras.saving.register_keras_serializable("tests")(Own)
    assert_same_weights(
        quick(optimizer=own(0.1)).fit(*digits), quick(optimizer=optimizers.SGD(0.1)).fit(*digits)
    )


def test_backup_and_restore_is_refused_with_the_way_that_works(digits, tmp_path):
    import keras

    backup = keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))
    with pytest.raises(ValueError, match="use warm_start=True with few epochs per fit"):
        quick(callbacks=[backup]).fit(*digits)
    in_parts = quick(warm_start=True, epochs=1).fit(*digits)
    in_parts = pickle.loads(pickle.dumps(in_parts)).fit(*digits)
    assert_same_weights(in_parts, quick(epochs=2).fit(*digits))
    assert in_parts.history_ == quick(epochs=2).fit(*digits).history_


SETTINGS = """
import hashlib, sys
import keras
{}
from skdigits import DigitClassifier, DigitSequenceRecognizer
from skdigits.datasets import load_digits, make_digit_sequences
X, y = load_digits(return_X_y=True)
X, y = X[:200], y[:200]
for architecture in ("compact", "tiny", "lenet", "deep"):
    model = DigitClassifier(architecture, epochs=1, augment=True, random_state=0).fit(X, y)
    model.to_keras(), model.transform(X), model.keras_classifier_
    print(hashlib.sha256(model.predict_proba(X).tobytes()).hexdigest())
images, texts = make_digit_sequences(X.reshape(-1, 8, 8), y, 50, gap=1, random_state=0)
reader = DigitSequenceRecognizer(filters=2, epochs=1, random_state=0).fit(images, texts)
print(hashlib.sha256(reader.predict_confidence(images).tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_global_settings_of_keras_change_nothing():
    def digests(setting):
        run = subprocess.run(
            [sys.executable, "-c", SETTINGS.format(setting)], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr[-2000:]
        return run.stdout.split()

    expected = digests("")
    assert len(set(expected)) == 5
    settings = (
        'keras.config.set_image_data_format("channels_first"); keras.config.set_floatx("float64")',
        'keras.config.set_dtype_policy("mixed_float16")',
    )
    for setting in settings:
        assert digests(setting) == expected, setting


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["deep", "lenet"])
@pytest.mark.parametrize("shape", [(8, 8), (30, 30)])
def test_the_keras_model_can_be_exported(digits, tmp_path, architecture, shape):
    import tensorflow as tf

    X, y = digits
    images = np.zeros((len(X), *shape), np.uint8)
    images[:, :8, :8] = X.reshape(-1, 8, 8)
    classifier = quick(architecture=architecture, epochs=1).fit(images, y)
    expected = classifier.predict_proba(images[:5])
    inputs = images[:5, :, :, np.newaxis].astype(np.float32)
    classifier.to_keras().export(str(tmp_path / "saved"), verbose=False)
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    served = saved.serve(inputs)
    np.testing.assert_allclose(served, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning")  # Keras's exporter
@pytest.mark.parametrize("architecture", ["deep", "compact"])
def test_the_keras_model_can_be_exported_as_onnx(digits, tmp_path, architecture):
    pytest.importorskip("tf2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    X, y = digits
    classifier = quick(architecture=architecture, epochs=1).fit(X, y)
    classifier.to_keras().export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    inputs = {session.get_inputs()[0].name: X[:5].reshape(5, 8, 8, 1).astype(np.float32)}
    (probability,) = session.run(None, inputs)
    np.testing.assert_allclose(probability, classifier.predict_proba(X[:5]), atol=1e-5)


def test_an_idle_model_keeps_no_samples(digits):
    import gc
    import weakref

    X = digits[0].copy()
    kept = weakref.ref(X)
    quick(epochs=1).fit(X, digits[1])
    del X
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("epoch", [0, -1, 2.0, "2", True])
def test_an_epoch_is_a_whole_number_from_1(fitted, epoch):
    with pytest.raises(ValueError, match="epoch should be a whole number from 1; got"):
        fitted.at_epoch(epoch)


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs NumPy 2")
def test_labels_may_be_strings_of_variable_width(digits):
    X, y = digits
    y = y.astype(str)
    wide = y.astype(np.dtypes.StringDType())
    usual = DigitClassifier("compact", epochs=1, random_state=0).fit(X, y, X_val=X, y_val=y)
    fitted = clone(usual).fit(X, wide, X_val=X, y_val=wide)
    assert_same_weights(fitted, usual)
    assert fitted.classes_.dtype.kind == "U"
    assert fitted.score(X, wide) == usual.score(X, y) > 0.1
    assert fitted.score(X, wide, np.arange(len(X))) == usual.score(X, y, np.arange(len(X)))
    fitted.partial_fit(X, wide, classes=np.unique(wide))
    search = EpochSearchCV(clone(usual), {"epochs": [1]}, cv=2, scoring="accuracy").fit(X, wide)
    assert search.score(X, wide) > 0.1
