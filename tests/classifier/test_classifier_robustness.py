import copy

import numpy as np
import pytest
from small import assert_same_weights, quick, shallow, weights_of


@pytest.mark.parametrize("keep", [np.True_, (1, 2), range(1, 3), np.array([1, 2])])
def test_forms_of_keep_epochs(digits, keep):
    assert len(list(quick(keep_epochs=keep).fit(*digits).staged_predict(digits[0]))) == 2
    assert not hasattr(quick(keep_epochs=np.False_).fit(*digits), "staged_predict")


def test_stages_that_were_not_kept_are_reported(digits, fitted):
    with pytest.raises(ValueError, match="set it to True or to a list of epochs from 1 to 2"):
        next(quick(keep_epochs=[99]).fit(*digits).staged_predict(digits[0]))


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: -1.0}, "non-negative numbers; got -1.0"),
        ({0: np.nan}, "non-negative numbers; got nan"),
        ({0: None}, "non-negative numbers; got None"),
        ({99: 2.0, 1: 1.0}, r"labels \[99\], which are not among the classes"),
        ({"0": 2.0}, r"labels \['0'\]"),
        (dict.fromkeys(range(10), 0), "All sample weights are zero"),
    ],
)
def test_bad_class_weights_are_refused(digits, class_weight, message):
    with pytest.raises(ValueError, match=message):
        quick(class_weight=class_weight).fit(*digits)


def test_class_weights_in_partial_fit(digits):
    X, y = digits
    classifier = quick(class_weight={1: 5.0}).partial_fit(X, y, classes=range(10))
    classifier.partial_fit(X[y != 1], y[y != 1])
    light, heavy = (quick(class_weight={0: w}) for w in (1.0, 1000.0))
    for one in (light, heavy):
        one.partial_fit(X[y < 2], y[y < 2], classes=range(10))
    zeros = X[y == 0]
    assert heavy.predict_proba(zeros)[:, 0].mean() > light.predict_proba(zeros)[:, 0].mean()
    with pytest.raises(ValueError, match="needs all samples at once"):
        quick(class_weight="balanced").partial_fit(X, y, classes=range(10))


def test_a_scalar_weight(digits):
    assert_same_weights(quick().fit(*digits, sample_weight=2.0), quick().fit(*digits))


def test_a_refused_first_partial_fit_leaves_no_trace(digits):
    X, y = digits
    classifier = quick()
    with pytest.raises(ValueError, match="not among the classes"):
        classifier.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="1d array"):
        classifier.partial_fit(X, y, classes=np.arange(10).reshape(2, 5))
    assert classifier.partial_fit(X, y, classes=range(10)).n_iter_ == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda X, y: (X[:, :16], np.zeros(len(X))), "1 class"),
        (lambda X, y: (X[:, :16], y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X * np.nan, y), "NaN"),
    ],
)
def test_a_refused_fit_leaves_the_classifier_as_it_was(digits, arguments, message):
    X, y = digits
    classifier = quick().fit(X, np.array(list("abcdefghij"))[y])
    before, history = classifier.predict_proba(X), classifier.history_
    with pytest.raises(ValueError, match=message):
        classifier.fit(*arguments(X, y))
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    assert classifier.history_ is history
    assert list(classifier.classes_) == list("abcdefghij")
    assert classifier.n_features_in_ == 64


def test_a_fit_that_is_interrupted_leaves_the_last_one(digits):
    import keras

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    X, y = digits
    classifier = quick().fit(X, y)
    before = classifier.predict_proba(X)
    classifier.set_params(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X[:, :16], y % 2)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


@pytest.mark.parametrize(
    "change", [{"architecture": "lenet"}, {"filters": 2}, {"dtype": "float64"}, {"l2": 0.1}]
)
def test_warm_start_with_another_network_is_refused(digits, change):
    classifier = quick(warm_start=True).fit(*digits)
    with pytest.raises(ValueError, match="continues with the network of the first fit"):
        classifier.set_params(**change).fit(*digits)


def test_epochs_without_validation_are_nan_in_the_history(digits):
    classifier = quick(warm_start=True).fit(*digits)
    classifier.set_params(validation_fraction=0.2).fit(*digits)
    classifier.set_params(validation_fraction=None).partial_fit(*digits)
    assert np.isnan(classifier.history_["val_loss"]).tolist() == [True, True, False, False, True]
    assert {len(values) for values in classifier.history_.values()} == {5}


def test_training_continues_from_the_best_weights(digits):
    X, y = digits
    classifier = quick(early_stopping=True, patience=2, epochs=40, learning_rate=0.05).fit(X, y)
    assert classifier.n_iter_ < 40
    best = weights_of(classifier)
    classifier.set_params(early_stopping=False, warm_start=True, epochs=1, learning_rate=1e-12)
    classifier.set_params(schedule=None).fit(X, y)
    for before, after in zip(best, weights_of(classifier), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-8)


def test_too_few_samples_to_validate_on(digits):
    X, y = digits
    with pytest.raises(
        ValueError, match="a share of 0.1 for validation; there are 30 samples of 10 classes"
    ):
        quick(early_stopping=True).fit(X[:30], y[:30])


def test_a_blank_first_batch_does_not_fix_the_scale(digits):
    X, y = digits
    classifier = quick().partial_fit(X * 0, y, classes=range(10)).partial_fit(X, y)
    whole = quick().partial_fit(X, y, classes=range(10)).partial_fit(X, y)
    assert classifier.score(X, y) == pytest.approx(whole.score(X, y), abs=0.1)
    expected = classifier.to_keras().predict(X[:9].reshape(-1, 8, 8, 1).astype(float), verbose=0)
    np.testing.assert_allclose(expected, classifier.predict_proba(X[:9]), atol=1e-6)


def test_parameters_set_after_fit_do_not_change_predictions(digits, fitted):
    X, _ = digits
    other = copy.deepcopy(fitted).set_params(dtype="float64", architecture="lenet", optimizer="sgd")
    np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))
    with pytest.raises(ValueError, match="too large for float32"):
        other.predict(X * 1e300)


def test_an_architecture_that_cannot_be_a_key_is_refused(digits):
    class Unhashable:
        __hash__ = None

        def __call__(self, image_shape, n_classes):
            return shallow(image_shape, n_classes)

    with pytest.raises(ValueError, match="should be hashable; Unhashable is not"):
        quick(architecture=Unhashable()).fit(*digits)


def test_a_callback_can_stop_inside_an_epoch(digits):
    import keras

    seen = []

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)
            self.model.stop_training = batch == 1

    assert quick(callbacks=[Stop()], batch_size=50).fit(*digits).n_iter_ == 1
    assert seen == [0, 1]


def test_callbacks_that_cannot_be_copied_are_refused(digits):
    import threading

    import keras

    callback = keras.callbacks.Callback()
    callback.lock = threading.Lock()
    with pytest.raises(
        TypeError, match="callbacks are copied for each fit; these cannot be copied"
    ):
        quick(callbacks=[callback]).fit(*digits)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_a_model_checkpoint_is_a_plain_keras_model(digits, tmp_path):
    import keras

    X, y = digits
    checkpoint = keras.callbacks.ModelCheckpoint(str(tmp_path / "model.keras"))
    classifier = quick(callbacks=[checkpoint]).fit(X, y)
    model = keras.models.load_model(tmp_path / "model.keras")
    probability = model.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(probability, classifier.predict_proba(X), atol=1e-5)


def test_keras_classifier_knows_how_it_was_trained(digits):
    inner = quick(optimizer="rmsprop", learning_rate=0.004).fit(*digits).keras_classifier_
    assert inner.get_params()["optimizer"] == "rmsprop"
    assert float(inner.model_.optimizer.learning_rate.numpy()) == pytest.approx(0.004)
