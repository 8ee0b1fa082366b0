import re

import numpy as np
import pandas as pd
import pytest
from small import quick


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"epochs": 3},
            r"epochs is a constructor parameter: use DigitClassifier\(epochs=3\).*cnn__epochs",
        ),
        ({"validation_data": None}, "no parameter 'validation_data'. Pass X_val and y_val"),
        ({"validation_split": 0.1}, "no parameter 'validation_split'. Set validation_fraction"),
        (
            {"class_weight": dict.fromkeys(range(10), 1.25)},
            "class_weight is a constructor parameter",
        ),
        ({"shuffle": True}, "no parameter 'shuffle'"),
    ],
)
def test_a_parameter_in_the_wrong_place_is_an_error_that_says_the_right_one(
    digits, arguments, message
):
    with pytest.raises(TypeError, match=message) as error:
        quick().fit(*digits, **arguments)
    assert len(str(error.value)) <= 300


def test_one_hot_labels_are_an_error_that_says_what_to_pass(digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"one-hot encoded.*y.argmax\(axis=1\)"):
        quick().fit(X, np.eye(10)[y])
    with pytest.raises(ValueError, match=r"np.asarray\(y\).argmax\(axis=1\)"):
        quick().fit(X, pd.get_dummies(y).astype(int))
    with pytest.raises(ValueError, match="1d array"):
        quick().fit(X, np.tile(y, (2, 1)).T)
    with pytest.raises(ValueError, match=r"array of shape \(0, 3\)"):
        quick().fit(X, np.zeros((0, 3)))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1)])
def test_one_image_without_a_batch_axis_is_an_error_that_says_so(digits, fitted, shape):
    X, _ = digits
    with pytest.raises(ValueError, match=r"it is one image.*pass X\[np.newaxis\]"):
        fitted.predict(X[0].reshape(shape))
    assert fitted.predict(X[0].reshape(shape)[np.newaxis]).shape == (1,)


def test_values_of_another_range_than_in_fit_are_warned_of(digits, fitted):
    X, _ = digits
    with pytest.warns(UserWarning, match="from 0 to 1, .*had 0 to 255.*Scale them to the same"):
        fitted.predict(X / 255)
    with pytest.warns(UserWarning, match="inverted: pass 255 - X"):
        fitted.predict_proba(255 - X)
    small = quick(epochs=1).fit(X / 255, digits[1])
    with pytest.warns(UserWarning, match="from 0 to 255.*had 0 to 1,"):
        small.predict(X)
    for same in (X[:1], X // 4, np.zeros_like(X), np.maximum(X, 60)):
        fitted.predict(same)


def test_a_fit_during_a_prediction_does_not_change_its_labels(digits, monkeypatch):
    from skdigits import classifier_predictions as module

    X, y = digits
    classifier = quick().fit(X, y)
    before, classify = classifier.predict(X), module.classify

    def fit_meanwhile(*args, **options):
        found = classify(*args, **options)
        monkeypatch.setattr(module, "classify", classify)
        classifier.fit(X, y % 5)
        return found

    monkeypatch.setattr(module, "classify", fit_meanwhile)
    np.testing.assert_array_equal(classifier.predict(X), before)
    assert len(classifier.classes_) == 5


def test_images_of_bytes_are_checked_as_others_are(digits):
    X, y = digits
    classifier = quick(epochs=1).fit(X[:, :64].reshape(-1, 8, 8), y)
    for shape in ((0, 8, 8), (5, 8, 9), (5, 63), (8, 8), (5, 8, 8, 2), (64,), ()):
        images = np.zeros(shape, np.uint8)
        with pytest.raises(ValueError, match=r"X |array|sample") as of_floats:
            classifier.predict(images.astype(float))
        with pytest.raises(ValueError, match=re.escape(str(of_floats.value)[:30])):
            classifier.predict(images)
    with pytest.warns(UserWarning, match="padded"):
        padded = quick(epochs=1).fit(X[:, :35], y)
    for dtype in (np.uint8, float):
        with pytest.raises(ValueError, match="35"):
            padded.predict(np.zeros((5, 6, 6), dtype))


def test_training_and_validation_images_of_another_range_are_warned_of(digits):
    X, y = digits
    with pytest.warns(UserWarning, match="Scale them to the same"):
        quick(epochs=1).fit(X, y, X_val=X / 255, y_val=y)
    classifier = quick(epochs=1, warm_start=True).fit(X, y)
    with pytest.warns(UserWarning, match="Scale them to the same"):
        classifier.fit(X / 255, y)
    with pytest.warns(UserWarning, match="Scale them to the same"):
        classifier.partial_fit(X / 255, y)


def test_bright_photographs_are_not_taken_for_inverted_ones():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (60, 8, 8))
    X = (X * rng.uniform(0.5, 1, (60, 1, 1))).astype(np.uint8)  # mean of all about 0.37
    y = np.arange(60) % 3
    classifier = quick(epochs=1).fit(X, y)
    for bright in (np.full((1, 8, 8), 200), 255 - X[:1]):
        classifier.predict(bright)


def test_a_classifier_predicts_as_before_until_a_new_fit_has_ended(digits):
    import keras

    X, y = digits
    seen = []

    class Predict(keras.callbacks.Callback):
        def __deepcopy__(self, memo):
            return self

        def on_epoch_end(self, epoch, logs=None):
            seen.append((classifier.classes_, classifier.predict(X)))

    classifier = quick().fit(X, y)
    before = classifier.predict(X)
    classifier.set_params(callbacks=[Predict()], image_shape=(4, 16)).fit(X, y * 10)
    assert len(seen) == classifier.epochs
    for classes, labels in seen:
        np.testing.assert_array_equal(classes, np.arange(10))
        np.testing.assert_array_equal(labels, before)
    assert classifier.image_shape_ == (4, 16, 1)
    np.testing.assert_array_equal(classifier.classes_, np.arange(0, 100, 10))


def test_a_validation_set_needs_labels_and_no_fraction(digits):
    X, y = digits
    with pytest.raises(ValueError, match="X_val was given without y_val"):
        quick().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="y_val was given without X_val"):
        quick().fit(X, y, y_val=y)
    with pytest.raises(ValueError, match="set validation_fraction=None to validate on X_val"):
        quick(validation_fraction=0.1).fit(X, y, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="64"):
        quick().fit(X, y, X_val=X[:, :49], y_val=y)
    with pytest.raises(ValueError, match="not among the classes"):
        quick().fit(X[y < 9], y[y < 9], X_val=X, y_val=y)


def test_early_stopping_on_the_users_validation_set(digits):
    X, y = digits
    wrong = (y[250:] + 1) % 10  # the better the network learns, the worse it is here
    classifier = quick(early_stopping=True, patience=2, epochs=50)
    classifier.fit(X[:250], y[:250], X_val=X[250:], y_val=wrong)
    assert classifier.n_iter_ < 50


def test_log_probabilities(digits, fitted):
    X, _ = digits
    np.testing.assert_array_equal(fitted.predict_log_proba(X), np.log(fitted.predict_proba(X)))
