import copy

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from small import assert_same_weights, quick

from skdigits.datasets import load_digits


def test_validation_is_measured_without_early_stopping(digits):
    classifier = quick(validation_fraction=0.25, epochs=3).fit(*digits)
    assert set(classifier.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in classifier.history_.values()} == {3}
    assert classifier.n_iter_ == 3


def test_early_stopping_goes_back_to_the_best_weights(digits):
    X, y = digits
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.4, rng.permutation(y), y)  # noise, so that it overfits
    classifier = quick(
        early_stopping=True,
        patience=3,
        epochs=60,
        keep_epochs=True,
        architecture="lenet",
        validation_fraction=0.3,
    ).fit(X, y)
    losses = classifier.history_["val_loss"]
    best = int(np.argmin(losses))
    assert classifier.n_iter_ == len(losses) == best + 1 + 3 < 60
    kept = list(classifier.staged_predict_proba(X))[best]
    np.testing.assert_array_equal(classifier.predict_proba(X), kept)
    stopped = classifier.n_iter_
    np.testing.assert_array_equal(classifier.at_epoch(stopped).predict_proba(X), kept)
    without = {"early_stopping": False, "validation_fraction": None}
    classifier.set_params(**without).partial_fit(X, y)
    for epoch, expected in ((stopped, kept), (stopped + 1, classifier.predict_proba(X))):
        np.testing.assert_array_equal(classifier.at_epoch(epoch).predict_proba(X), expected)
    classifier.set_params(early_stopping=True, validation_fraction=0.3)
    classifier.set_params(warm_start=True, epochs=2, learning_rate=0.1).fit(X, y)
    assert min(classifier.history_["val_loss"][-2:]) > losses[best], "else it would be the best"
    last = classifier.at_epoch(classifier.n_iter_)
    np.testing.assert_array_equal(last.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("options", [{"early_stopping": True}, {"validation_fraction": 0.2}])
def test_partial_fit_refuses_what_needs_a_validation_set(digits, options):
    with pytest.raises(ValueError, match=f"partial_fit does not support {next(iter(options))}"):
        quick(**options).partial_fit(*digits, classes=np.arange(10))


@pytest.mark.parametrize("options", [{"early_stopping": True}, {"validation_fraction": 0.2}])
def test_a_penalty_of_activities_is_no_part_of_validation(digits, options):
    def network(image_shape, n_classes):
        import keras

        flat = keras.layers.Flatten()
        last = keras.layers.Dense(n_classes, "softmax", activity_regularizer="l2")
        return keras.Sequential([keras.Input(image_shape), flat, last])

    classifier = quick(architecture=network, **options).fit(*digits)
    assert np.isfinite(classifier.history_["val_loss"]).all()


def test_validation_figures_are_those_of_the_validation_set(digits):
    X, y = digits
    classifier = quick().fit(X[:240], y[:240], X_val=X[240:].astype(float), y_val=y[240:])
    probability = classifier.predict_proba(X[240:])
    accuracy = (probability.argmax(axis=1) == y[240:]).mean()
    loss = -np.log(probability[np.arange(60), y[240:]]).mean()
    assert_same_weights(classifier, quick().fit(X[:240].astype(float), y[:240]))
    assert classifier.history_["val_accuracy"][-1] == pytest.approx(accuracy)
    assert classifier.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-4)


def test_warm_start_continues(digits):
    X, y = digits
    classifier = quick(warm_start=True, epochs=2).fit(X, y)
    classifier.fit(X, y)
    assert classifier.n_iter_ == len(classifier.history_["loss"]) == 4
    assert_same_weights(classifier, quick(epochs=4).fit(X, y))


@pytest.mark.slow
def test_adapting_learns_few_samples_and_forgets_little():
    """Slanted digits are learnt from 100 samples; upright ones are still known."""
    X, y = load_digits(return_X_y=True)
    images = np.pad(np.kron(X.reshape(-1, 8, 8), np.ones((3, 3))), [(0, 0), (2, 2), (2, 2)])
    slanted = np.stack(
        [np.roll(images[:, i], (14 - i) * 2 // 3, axis=1) for i in range(28)], axis=1
    )
    train, test, few, turned = (
        images[:800],
        images[800:1100],
        slanted[1100:1200],
        slanted[1200:1500],
    )
    classifier = quick(epochs=8).fit(train, y[:800])
    upright, before = classifier.score(test, y[800:1100]), classifier.score(turned, y[1200:1500])
    adapted = copy.deepcopy(classifier).set_params(warm_start="adapt", epochs=15)
    adapted.fit(few, y[1100:1200])
    assert adapted.n_iter_ == 23
    assert adapted.score(turned, y[1200:1500]) > before + 0.1
    assert adapted.score(test, y[800:1100]) > upright - 0.25  # with 4,518 parameters
    rate = adapted._network.learning_rate
    assert rate == pytest.approx(classifier._network.learning_rate / 10)
    again = copy.deepcopy(classifier).set_params(warm_start="adapt", epochs=15)
    again.fit(few, y[1100:1200])
    np.testing.assert_array_equal(again.predict_proba(test), adapted.predict_proba(test))


def test_adapting_needs_a_fitted_estimator(digits):
    with pytest.raises(ValueError, match="adapts a fitted DigitClassifier, and this one is not"):
        quick(warm_start="adapt").fit(*digits)
    with pytest.raises(ValueError, match="'warm_start' parameter"):
        quick(warm_start="adopt").fit(*digits)


def test_warm_start_with_a_new_label_is_refused(digits):
    X, y = digits
    classifier = quick(warm_start=True).fit(X[y < 5], y[y < 5])
    with pytest.raises(ValueError, match="not among the classes"):
        classifier.fit(X, y)


def test_partial_fit_is_one_epoch_at_a_time(digits):
    X, y = digits
    classifier = quick()
    for _ in range(3):
        classifier.partial_fit(X, y, classes=range(10))
    assert classifier.n_iter_ == 3
    assert_same_weights(classifier, quick(epochs=3).fit(X, y))


def test_partial_fit_with_some_classes_at_a_time(digits):
    X, y = digits
    classifier = quick()
    for _ in range(15):
        classifier.partial_fit(X[y < 5], y[y < 5], classes=np.arange(10))
        classifier.partial_fit(X[y >= 5], y[y >= 5])
    assert classifier.predict_proba(X).shape == (300, 10)
    assert classifier.score(X, y) > 0.5


def test_partial_fit_needs_classes_first(digits):
    X, y = digits
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        quick().partial_fit(X, y)
    with pytest.raises(ValueError, match="not among the classes"):
        quick().partial_fit(X, y, classes=range(5))


def test_interleaved_partial_fits_do_not_mix(digits):
    X, y = digits
    one, two = quick(random_state=1), quick(random_state=2)
    for _ in range(2):
        one.partial_fit(X, y, classes=range(10))
        two.partial_fit(X, y, classes=range(10))
    assert_same_weights(one, quick(random_state=1, epochs=2).fit(X, y))
    assert_same_weights(two, quick(random_state=2, epochs=2).fit(X, y))


def test_changing_the_optimizer_between_warm_starts(digits):
    classifier = quick(warm_start=True).fit(*digits)
    classifier.set_params(optimizer="sgd", learning_rate=0.1).fit(*digits)
    assert classifier.n_iter_ == 4
    assert classifier.keras_classifier_.model_.optimizer.name.lower().startswith("sgd")


def test_staged_predictions_follow_the_epochs(digits, fitted):
    X, y = digits
    stages = list(fitted.staged_predict_proba(X))
    assert len(stages) == 3
    for epoch, probability in enumerate(stages, start=1):
        shorter = quick(epochs=epoch).fit(X, y)
        np.testing.assert_array_equal(probability, shorter.predict_proba(X))
    np.testing.assert_array_equal(list(fitted.staged_predict(X))[-1], fitted.predict(X))


def test_staged_predictions_of_chosen_epochs(digits):
    X, y = digits
    classifier = quick(epochs=3, keep_epochs=np.array([1, 3])).fit(X, y)
    assert len(list(classifier.staged_predict(X))) == 2
    assert not hasattr(quick().fit(X, y), "staged_predict")


def test_keras_callbacks_are_copied(digits):
    import keras

    class Counter(keras.callbacks.Callback):
        epochs = 0
        batches = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1
            Counter.total = getattr(Counter, "total", 0) + 1
            assert set(logs) == {"loss", "accuracy"}

        def on_train_batch_end(self, batch, logs=None):
            Counter.seen = [*getattr(Counter, "seen", []), batch]

    counter = Counter()
    classifier = quick(callbacks=[counter], batch_size=100)
    classifier.fit(*digits)
    assert counter.epochs == 0
    assert Counter.total == 2
    assert Counter.seen == [0, 1, 2, 0, 1, 2]
    assert_same_weights(classifier, quick(batch_size=100).fit(*digits))


def test_a_keras_callback_can_change_rate_and_stop(digits):
    import keras

    rates = []

    class Halve(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate.numpy()))
            self.model.optimizer.learning_rate = rates[-1] / 2
            self.model.stop_training = epoch == 2

    classifier = quick(schedule=None, learning_rate=0.01, epochs=9, callbacks=[Halve()])
    classifier.fit(*digits)
    np.testing.assert_allclose(rates, [0.01, 0.005, 0.0025], rtol=1e-6)
    assert classifier.n_iter_ == 3


def test_a_fit_that_is_interrupted_leaves_no_fitted_estimator(digits):
    import keras

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    classifier = quick(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    with pytest.raises(NotFittedError):
        classifier.predict(digits[0])
    assert_same_weights(classifier.set_params(callbacks=None).fit(*digits), quick().fit(*digits))


def test_divergence_is_warned_of(digits):
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate"):
        quick(optimizer="sgd", learning_rate=1e30, schedule=None).fit(*digits)


def test_verbose_prints_what_keras_prints(digits, capsys):
    quick(verbose=2).fit(*digits)
    assert "Epoch 2/2" in capsys.readouterr().out
    quick(verbose=1).fit(*digits)  # lines, since this is no terminal
    shown = capsys.readouterr().out
    assert shown.count("19/19") == 2
    assert shown.isascii()
    assert "\x1b" not in shown
    quick().fit(*digits)
    assert capsys.readouterr() == ("", "")
