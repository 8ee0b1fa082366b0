import contextlib
import copy
import hashlib
import os
import pickle
import random
import re
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  makes the next import work
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

import skdigits
from skdigits import DigitClassifier, EpochSearchCV, ImageReshaper
from skdigits.datasets import load_digits
from skdigits.networks.architectures import ARCHITECTURES
from skdigits.synthesis import glyphs


def quick(**parameters):
    return DigitClassifier(
        **{"architecture": "compact", "epochs": 2, "random_state": 0, **parameters}
    )


def weights_of(classifier):
    return classifier.to_keras().get_weights()


def assert_same_weights(first, second):
    for a, b in zip(weights_of(first), weights_of(second), strict=True):
        np.testing.assert_array_equal(a, b)


# -- input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (4, 4, 4)])
def test_images_of_three_and_four_dimensions(digits, shape):
    X, y = digits
    images = X.reshape(len(X), *shape)
    classifier = quick().fit(images, y)
    assert classifier.image_shape_ == (*shape, 1)[:3]
    assert classifier.n_features_in_ == 64
    np.testing.assert_array_equal(classifier.predict(images), classifier.predict(X))


def test_flat_rows_and_images_train_the_same_network(digits):
    X, y = digits
    assert_same_weights(quick().fit(X, y), quick().fit(X.reshape(-1, 8, 8), y))


@pytest.mark.parametrize("dtype", ["int64", "int16", "float32", "float64", "bool"])
def test_any_real_dtype(digits, dtype):
    X, y = digits
    X = (X > 100) if dtype == "bool" else X.astype(dtype)
    probability = quick().fit(X, y).predict_proba(X[:5])
    assert probability.dtype == np.float32
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)


def test_bytes_and_integers_give_the_same_weights(digits):
    X, y = digits
    assert_same_weights(quick().fit(X, y), quick().fit(X.astype(int), y))


def test_lists_of_images(digits):
    X, y = digits
    classifier = quick().fit(X[:60].reshape(-1, 8, 8).tolist(), y[:60].tolist())
    assert classifier.image_shape_ == (8, 8, 1)


def test_dataframe_names_are_remembered_and_a_wrong_order_refused(digits):
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    classifier = quick().fit(frame, pd.Series(y))
    assert list(classifier.feature_names_in_) == list(frame.columns)
    classifier.predict(frame)
    with pytest.raises(ValueError, match="same order"):
        classifier.predict(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame.rename(columns={"pixel3": "label"}))


def test_string_labels(digits):
    X, y = digits
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "9"])
    classifier = quick(epochs=6).fit(X, names[y])
    assert list(classifier.classes_) == sorted(names)
    assert classifier.score(X, names[y]) > 0.8


def test_labels_with_gaps(digits):
    X, y = digits
    classifier = quick(epochs=6).fit(X, y * 7 - 3)
    assert set(classifier.predict(X)) <= set(y * 7 - 3)
    assert classifier.score(X, y * 7 - 3) > 0.8


def test_two_classes_have_two_columns(digits):
    X, y = digits
    X, y = X[y < 2], y[y < 2]
    classifier = quick(epochs=6).fit(X, y)
    assert classifier.predict_proba(X).shape == (len(X), 2)
    assert classifier.score(X, y) > 0.95


def test_one_row(digits, fitted):
    X, _ = digits
    assert fitted.predict_proba(X[:1]).shape == (1, 10)
    np.testing.assert_allclose(
        fitted.predict_proba(X[:1])[0], fitted.predict_proba(X)[0], rtol=1e-4
    )


def test_one_class_is_refused(digits):
    X, _ = digits
    with pytest.raises(ValueError, match="at least 2 classes; got 1 class"):
        quick().fit(X, np.zeros(len(X)))


@pytest.mark.parametrize(("n_features", "side"), [(1, 1), (10, 4), (63, 8), (50, 8)])
def test_rows_that_are_no_square_are_padded(digits, n_features, side):
    X, y = digits
    square = n_features == side * side
    with (
        contextlib.nullcontext() if square else pytest.warns(UserWarning, match="padded with zeros")
    ):
        classifier = quick(epochs=1).fit(X[:, :n_features], y)
    assert classifier.image_shape_ == (side, side, 1)
    padded = np.zeros((len(X), side * side), X.dtype)
    padded[:, :n_features] = X[:, :n_features]
    assert_same_weights(classifier, quick(epochs=1).fit(padded, y))


def test_image_shape_of_flat_rows(digits):
    X, y = digits
    assert quick(image_shape=(4, 16)).fit(X, y).image_shape_ == (4, 16, 1)
    assert quick(image_shape=[4, 4, 4]).fit(X, y).image_shape_ == (4, 4, 4)
    with pytest.raises(ValueError, match="63 values; X has rows of 64 pixels"):
        quick(image_shape=(7, 9)).fit(X, y)
    with pytest.raises(ValueError, match="positive whole numbers"):
        quick(image_shape=(64,)).fit(X, y)


def test_images_larger_than_the_networks_were_made_for():
    rng = np.random.default_rng(0)
    X = rng.random((20, 40, 30))
    classifier = quick(epochs=1).fit(X, np.arange(20) % 2)
    assert classifier.to_keras().input_shape == (None, 40, 30, 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(digits, fitted, value):
    X, y = digits
    bad = X.astype(float)
    bad[3, 4] = value
    with pytest.raises(ValueError, match="NaN|infinity"):
        quick().fit(bad, y)
    with pytest.raises(ValueError, match="NaN|infinity"):
        fitted.predict(bad)


def test_values_too_large_for_the_dtype_are_refused(digits):
    X, y = digits
    with pytest.raises(ValueError, match="too large for float32"):
        quick().fit(X * 1e300, y)


def test_images_of_another_size_are_refused(digits, fitted):
    with pytest.raises(ValueError, match="X has 49 features, but DigitClassifier is expecting 64"):
        fitted.predict(np.zeros((2, 7, 7)))
    with pytest.raises(ValueError, match=r"images of shape \(4, 16, 1\).*\(8, 8, 1\)"):
        fitted.predict(np.zeros((2, 4, 16)))
    with pytest.raises(ValueError, match="dim 5"):
        fitted.predict(np.zeros((2, 2, 2, 4, 4)))


def test_not_fitted(digits):
    with pytest.raises(NotFittedError):
        DigitClassifier().predict(digits[0])
    assert not hasattr(DigitClassifier(), "keras_classifier_")


# -- weights -------------------------------------------------------------------------------


def test_weights_multiply_and_the_callers_array_stays(digits):
    X, y = digits
    weight = np.where(y == 3, 2.0, 1.0)
    before = weight.copy()
    both = quick(class_weight={4: 3.0}).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(weight, before)
    product = quick().fit(X, y, sample_weight=weight * np.where(y == 4, 3.0, 1.0))
    assert_same_weights(both, product)


def test_only_ratios_of_weights_matter(digits):
    X, y = digits
    weight = 1.0 + y
    assert_same_weights(
        quick().fit(X, y, sample_weight=weight), quick().fit(X, y, sample_weight=weight * 4)
    )


def test_class_weight_balanced_helps_the_rare_class(digits):
    X, y = digits
    few = np.r_[np.flatnonzero(y == 8)[:3], np.flatnonzero(y == 3)]
    plain = quick(epochs=8).fit(X[few], y[few]).predict_proba(X[few])[:, 1].mean()
    balanced = quick(epochs=8, class_weight="balanced").fit(X[few], y[few])
    assert balanced.predict_proba(X[few])[:, 1].mean() > plain + 0.05


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (lambda n: -np.ones(n), "negative"),
        (lambda n: np.zeros(n), "All sample weights are zero"),
        (lambda n: np.ones(n - 1), "one weight per sample"),
        (lambda n: np.full(n, np.nan), "NaN"),
    ],
)
def test_bad_weights_are_refused(digits, weight, message):
    X, y = digits
    with pytest.raises(ValueError, match=message):
        quick().fit(X, y, sample_weight=weight(len(y)))


# -- parameters ----------------------------------------------------------------------------


def test_every_parameter_survives_set_params_and_clone():
    other = {
        "architecture": "lenet",
        "filters": 3,
        "kernel_size": 3,
        "dropout": 0.3,
        "l2": 1e-4,
        "optimizer": "adadelta",
        "learning_rate": 0.5,
        "schedule": None,
        "epochs": 7,
        "batch_size": 9,
        "image_shape": (4, 16),
        "rescale": False,
        "validation_fraction": 0.3,
        "early_stopping": True,
        "patience": 2,
        "class_weight": "balanced",
        "warm_start": True,
        "keep_epochs": [1, 2],
        "callbacks": [],
        "checkpoint": "folder",
        "augment": True,
        "style": "mixed",
        "dtype": "float64",
        "verbose": 2,
        "random_state": 5,
    }
    assert other.keys() == DigitClassifier().get_params().keys()
    assert clone(DigitClassifier(**other)).get_params() == other
    assert DigitClassifier().set_params(**other).get_params() == other


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"architecture": "lenett"}, "Did you mean 'lenet'"),
        ({"optimizer": "adma"}, "Did you mean 'adamax' or 'adam'"),
        ({"schedule": "onecycle"}, "Did you mean 'one_cycle'"),
        ({"epochs": 0}, "'epochs' parameter of DigitClassifier must be an int in the range"),
        ({"batch_size": 2.5}, "'batch_size' parameter"),
        ({"learning_rate": -1.0}, "'learning_rate' parameter"),
        ({"augment": 15}, r"'augment' .* 'bool' .* in the range \[0.0, 10.0\]"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"dtype": "float16"}, "'dtype' parameter"),
        ({"keep_epochs": [0, 1]}, "whole numbers from 1"),
        ({"keep_epochs": [1.5]}, "whole numbers from 1"),
        ({"kernel_size": 29}, "could not be built for images of shape"),
        ({"callbacks": ["early"]}, "callbacks should hold Keras callbacks; got str"),
    ],
)
def test_a_bad_parameter_gets_one_clear_error(digits, parameters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        quick(**parameters).fit(*digits)


def test_parameters_change_the_network(digits):
    X, y = digits
    count = quick(epochs=1, filters=2, kernel_size=3).fit(X, y).to_keras().count_params()
    assert count == (9 * 2 + 2) + (9 * 2 * 2 + 2) + (12 * 12 * 2 * 10 + 10)
    small = quick(epochs=4, l2=1.0).fit(X, y)
    assert (
        np.abs(weights_of(small)[0]).max() < np.abs(weights_of(quick(epochs=4).fit(X, y))[0]).max()
    )


@pytest.mark.parametrize(
    "optimizer", ["adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd"]
)
def test_every_optimizer_learns(digits, optimizer):
    rate = {"adadelta": 10.0, "adagrad": 0.3, "sgd": 0.1}.get(optimizer, 0.01)
    classifier = quick(optimizer=optimizer, learning_rate=rate, epochs=6).fit(*digits)
    assert classifier.history_["loss"][-1] < 0.7 * classifier.history_["loss"][0]


@pytest.mark.parametrize("schedule", ["averaged", "one_cycle", None])
def test_every_schedule_learns(digits, schedule):
    assert quick(schedule=schedule, epochs=12).fit(*digits).score(*digits) > 0.9


def test_augmentation_changes_training_and_still_learns(digits):
    augmented = quick(augment=True, epochs=8).fit(*digits)
    plain = quick(epochs=8).fit(*digits)
    more = quick(augment=2, epochs=8).fit(*digits)
    losses = [fitted.history_["loss"][-1] for fitted in (plain, augmented, more)]
    assert losses == sorted(losses)
    assert augmented.score(*digits) > 0.8
    assert quick(augment=1.0, epochs=8).fit(*digits).history_ == augmented.history_


@pytest.mark.slow
def test_handwritten_style_repeats_and_still_learns(digits, tmp_path):
    styled = quick(style="handwritten", architecture="lenet", epochs=8, keep_epochs=[3])
    styled.fit(*digits)
    assert styled.score(*digits) > 0.8
    assert clone(styled).fit(*digits).history_ == styled.history_
    short = clone(styled).set_params(epochs=3, keep_epochs=False).fit(*digits)
    assert_same_weights(styled.at_epoch(3), short)
    assert short.history_ != quick(architecture="lenet", epochs=3).fit(*digits).history_
    skdigits.save(styled, tmp_path / "model.skdigits")
    loaded = skdigits.load(tmp_path / "model.skdigits")
    assert loaded.get_params()["style"] == "handwritten"
    np.testing.assert_array_equal(loaded.predict(digits[0]), styled.predict(digits[0]))
    assert_same_weights(
        loaded.set_params(warm_start=True, epochs=1).fit(*digits),
        styled.set_params(warm_start=True, epochs=1).fit(*digits),
    )


@pytest.mark.parametrize("options", [{"dtype": "float64"}, {"rescale": False}, {"epochs": 1}])
def test_handwritten_style_with_other_parameters(digits, options):
    classifier = quick(style="handwritten", **options).fit(*digits)
    assert np.isfinite(classifier.history_["loss"]).all()


@pytest.mark.slow
def test_mixed_style_reads_type_of_other_faces(digits, tmp_path, monkeypatch):
    X, y = digits
    all_faces = glyphs.type_images(8)
    known, others = ({k: v[i::2] for k, v in all_faces.items()} for i in range(2))
    monkeypatch.setattr(glyphs, "type_images", lambda side: known)
    rows = np.concatenate(list(others.values())).reshape(-1, 64)
    labels = np.arange(len(rows)) % 10
    options = {"architecture": "lenet", "epochs": 8, "validation_fraction": 0.1}
    mixed, other = (quick(style=a, **options).fit(X, y) for a in ("mixed", "handwritten"))
    assert mixed.score(rows, labels) > other.score(rows, labels) + 0.05
    assert mixed.score(X, y) > 0.8
    again = clone(mixed).set_params(epochs=2, keep_epochs=[1]).fit(X, y.astype(str))
    assert again.history_["loss"] == mixed.history_["loss"][:2]
    assert_same_weights(again.at_epoch(1), clone(again).set_params(epochs=1).fit(X, y.astype(str)))
    skdigits.save(mixed, tmp_path / "model.skdigits")
    assert skdigits.load(tmp_path / "model.skdigits").style == "mixed"


def test_mixed_style_keeps_weights_and_works_in_partial_fit(digits):
    X, y = digits
    weighted = quick(style="mixed", class_weight="balanced", epochs=1)
    weighted.fit(X, y, sample_weight=np.where(y < 9, 2.0, 0.0))
    whole = quick(style="mixed").fit(X, y)
    parts = quick(style="mixed").partial_fit(X, y, classes=range(10)).partial_fit(X, y)
    assert_same_weights(whole, parts)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.eye(64)[:4], ["a", "b", "a", "b"], "no label is a digit"),
        (np.ones((4, 8, 8, 3)), [1, 2, 1, 2], "square grey images; these are 8×8 pixels with 3"),
        (np.ones((4, 8, 9)), [1, 2, 1, 2], "square grey images; these are 8×9 pixels"),
    ],
)
def test_mixed_style_is_for_square_grey_digits(X, y, message):
    with pytest.raises(ValueError, match=message):
        quick(style="mixed").fit(X, y)


def shallow(image_shape, n_classes, dropout=0.0):
    import keras

    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Flatten(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


def nested(image_shape, n_classes):
    import keras

    inputs = keras.Input(image_shape)
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def two_heads(image_shape, n_classes):
    import keras

    inputs = keras.Input(image_shape)
    heads = [keras.layers.Dense(n_classes, activation="softmax") for _ in range(2)]
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Average()([head(x) for head in heads]))


def test_a_function_as_architecture(digits):
    X, y = digits
    classifier = quick(architecture=shallow, dropout=0.2, epochs=5).fit(X, y)
    assert classifier.to_keras().count_params() == 28 * 28 * 10 + 10
    assert classifier.score(X, y) > 0.8
    assert clone(classifier).architecture is shallow


def test_a_function_is_not_asked_for_what_it_does_not_know(digits):
    with pytest.raises(ValueError, match="takes no filters"):
        quick(architecture=shallow, filters=3).fit(*digits)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda image_shape, n_classes: "network", "returned str; it should return a keras.Model"),
        (lambda image_shape, n_classes: shallow(image_shape, 3), r"outputs of shape \(None, 10\)"),
    ],
)
def test_a_function_that_returns_something_else_is_refused(digits, function, message):
    with pytest.raises(ValueError, match=message):
        quick(architecture=function).fit(*digits)


# -- features and confidence -----------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, shallow, nested])
def test_features_are_what_the_last_layer_is_given(digits, architecture):
    X, y = digits
    exact = isinstance(architecture, str)
    dtype = "float64" if exact else "float32"
    classifier = quick(architecture=architecture, epochs=1, dtype=dtype).fit(X, y)
    features = classifier.transform(X)
    *_, kernel, bias = classifier.to_keras().trainable_weights
    scores = features @ kernel + bias
    probability = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    rtol = 1e-9 if exact else 1e-3
    np.testing.assert_allclose(
        probability, classifier.predict_proba(X), rtol=rtol, atol=rtol / 1000
    )
    assert len(classifier.get_feature_names_out()) == features.shape[1]


def test_features_need_one_last_layer(digits):
    with pytest.raises(ValueError, match="no features: the architecture should be"):
        quick(architecture=two_heads, epochs=1).fit(*digits).transform(digits[0])


@pytest.mark.slow
def test_features_tell_digits_from_other_things():
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, _ = train_test_split(X, y, random_state=0)
    detector = make_pipeline(
        DigitClassifier("lenet", random_state=0),
        LocalOutlierFactor(metric="cosine", novelty=True, contamination=0.05),
    ).fit(X_train, y_train)
    assert (detector.predict(X_test) == 1).mean() > 0.9
    shuffled = np.random.default_rng(0).permuted(X_test, axis=1)
    assert (detector.predict(shuffled) == -1).mean() > 0.9


def test_confidence_is_the_probability_of_the_label(digits):
    X, y = digits
    classifier = quick(epochs=1).fit(X, y)
    columns = np.searchsorted(classifier.classes_, classifier.predict(X))
    expected = classifier.predict_proba(X)[np.arange(len(X)), columns]
    np.testing.assert_array_equal(classifier.predict_confidence(X), expected)


def test_the_most_probable_labels_come_first(digits):
    X, y = digits
    classifier = quick(epochs=1).fit(X, np.array(list("abcdefghij"))[y])
    labels, probability = classifier.predict_top_k(X, k=3)
    np.testing.assert_array_equal(labels[:, 0], classifier.predict(X))
    expected = np.sort(classifier.predict_proba(X), axis=1)[:, :-4:-1]
    np.testing.assert_array_equal(probability, expected)
    columns = np.searchsorted(classifier.classes_, labels)
    of_labels = np.take_along_axis(classifier.predict_proba(X), columns, axis=1)
    np.testing.assert_array_equal(probability, of_labels)
    with pytest.raises(ValueError, match="k should be a whole number from 1 to 10; got 11"):
        classifier.predict_top_k(X, k=11)


# -- training ------------------------------------------------------------------------------


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


def test_warm_start_goes_on(digits):
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


def test_a_fit_that_is_broken_off_leaves_no_fitted_estimator(digits):
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


# -- scikit-learn's tools ------------------------------------------------------------------


def pipeline(**parameters):
    return Pipeline([("images", ImageReshaper()), ("cnn", quick(**parameters))])


def test_grid_search_alone(digits):
    grid = {"filters": [2, 4], "learning_rate": [1e-5, 1e-2], "epochs": [1, 3], "batch_size": [32]}
    search = GridSearchCV(quick(), grid, cv=2).fit(*digits)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_params_["learning_rate"] == 1e-2
    assert search.best_params_["epochs"] == 3


def test_grid_search_in_a_pipeline(digits):
    grid = {"cnn__epochs": [1, 4], "cnn__batch_size": [16, 64]}
    search = GridSearchCV(pipeline(), grid, cv=2).fit(*digits)
    assert search.best_params_["cnn__epochs"] == 4
    assert search.predict(digits[0]).shape == (300,)


def test_early_stopping_in_a_grid_search(digits):
    classifier = quick(early_stopping=True, patience=1, epochs=30)
    search = GridSearchCV(classifier, {"filters": [2, 4]}, cv=2).fit(*digits)
    assert search.best_estimator_.n_iter_ < 30


def test_the_same_pipeline_serves_an_svm(digits):
    steps = [("images", ImageReshaper(output="flat")), ("svc", SVC())]
    assert cross_val_score(Pipeline(steps), *digits, cv=2).mean() > 0.8


def test_cross_validation_stratifies(digits, monkeypatch):
    X, y = digits
    order = np.argsort(y, kind="stable")  # unstratified folds would each lack classes
    seen = []
    split = StratifiedKFold.split
    monkeypatch.setattr(
        StratifiedKFold, "split", lambda *a, **k: seen.append(True) or split(*a, **k)
    )
    scores = cross_val_score(quick(epochs=6), X[order], y[order], cv=3)
    assert seen
    assert scores.min() > 0.6


def test_estimators_of_cross_validation_share_nothing(digits):
    X, y = digits
    estimators = cross_validate(quick(), X, y, cv=3, return_estimator=True)["estimator"]
    before = [weights_of(e) for e in estimators]
    estimators[0].set_params(warm_start=True).fit(X, y)
    model = estimators[1].keras_classifier_.model_
    model.set_weights([w * 0 for w in model.get_weights()])
    for estimator, old in zip(estimators[1:], before[1:], strict=True):
        for a, b in zip(weights_of(estimator), old, strict=True):
            np.testing.assert_array_equal(a, b)
    models = {id(e.keras_classifier_.model_) for e in estimators}
    assert len(models) == 3


def test_fits_in_threads_do_not_mix(digits):
    X, y = digits
    seeds = [1, 2, 3, 4]
    fit = joblib.delayed(lambda seed: quick(random_state=seed).fit(X, y))
    together = joblib.Parallel(n_jobs=2, backend="threading")(fit(seed) for seed in seeds)
    for seed, classifier in zip(seeds, together, strict=True):
        assert_same_weights(classifier, quick(random_state=seed).fit(X, y))


@pytest.mark.parametrize(
    "copied",
    [
        lambda e, folder: pickle.loads(pickle.dumps(e)),
        lambda e, folder: copy.deepcopy(e),
        lambda e, folder: joblib.load(joblib.dump(e, folder / "model.joblib")[0]),
    ],
    ids=["pickle", "deepcopy", "joblib"],
)
def test_copies_predict_and_train_on(digits, copied, tmp_path):
    X, y = digits
    classifier = quick(warm_start=True).fit(X, y)
    assert classifier.keras_classifier_.score(X.reshape(-1, 8, 8, 1), y) > 0
    other = copied(classifier, tmp_path)
    np.testing.assert_array_equal(other.predict_proba(X), classifier.predict_proba(X))
    assert_same_weights(other.fit(X, y), classifier.fit(X, y))


@pytest.mark.parametrize(
    "meta",
    [
        lambda: VotingClassifier([("cnn", quick(epochs=6)), ("svc", SVC())]),
        lambda: StackingClassifier(
            [("cnn", quick(epochs=6)), ("svc", SVC())], LogisticRegression(max_iter=1000), cv=2
        ),
        lambda: CalibratedClassifierCV(quick(epochs=6), cv=2),
        lambda: BaggingClassifier(quick(epochs=6), n_estimators=2, random_state=0),
    ],
    ids=["voting", "stacking", "calibrated", "bagging"],
)
def test_meta_estimators(digits, meta):
    assert meta().fit(*digits).score(*digits) > 0.85


def test_permutation_importance(digits, fitted):
    X, y = digits
    importance = permutation_importance(fitted, X[:60], y[:60], n_repeats=1, random_state=0)
    assert importance.importances_mean.shape == (64,)
    assert importance.importances_mean.max() > 0


def test_learning_curve(digits):
    _, _, scores = learning_curve(
        quick(epochs=4), *digits, train_sizes=[50, 150], cv=2, shuffle=True, random_state=0
    )
    assert scores[1].mean() > scores[0].mean()


def test_halving_search_over_epochs(digits):
    search = HalvingGridSearchCV(
        quick(),
        {"filters": [1, 4]},
        resource="epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=2,
        random_state=0,
    )
    assert search.fit(*digits).best_params_["epochs"] == 2


# -- reproducibility -----------------------------------------------------------------------

DIGEST = """
import hashlib, sys
from skdigits import DigitClassifier
from skdigits.datasets import load_digits
X, y = load_digits(return_X_y=True)
model = DigitClassifier(epochs=2, random_state=7, augment=True).fit(X[:300], y[:300])
print(hashlib.sha256(b"".join(w.tobytes() for w in model.to_keras().get_weights())).hexdigest())
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_in_another_process(digits):
    import keras

    random.random(), np.random.random(3), keras.random.normal((3,))
    quick(random_state=1, architecture="lenet").fit(*digits)
    model = DigitClassifier(epochs=2, random_state=7, augment=True).fit(*digits)
    here = hashlib.sha256(b"".join(w.tobytes() for w in weights_of(model))).hexdigest()
    run = subprocess.run(
        [sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.strip() == here


def test_other_seeds_give_other_weights(digits):
    first, second = (quick(random_state=seed).fit(*digits) for seed in (0, 1))
    assert not np.array_equal(weights_of(first)[0], weights_of(second)[0])


def test_random_state_instance_is_drawn_from(digits):
    rng = np.random.RandomState(0)
    first, second = (quick(random_state=rng).fit(*digits) for _ in range(2))
    assert not np.array_equal(weights_of(first)[0], weights_of(second)[0])


def test_fit_leaves_no_global_trace(digits):
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.config import is_op_determinism_enabled
    from threadpoolctl import threadpool_info

    def draws():
        """What Keras and TensorFlow would draw next from their global seeds."""
        return keras.random.normal((2,)).numpy().tolist(), tf.random.normal((2,)).numpy().tolist()

    def state():
        return (
            random.getstate(),
            str(np.random.get_state()),
            dict(os.environ),
            is_op_determinism_enabled(),
            tf.config.threading.get_intra_op_parallelism_threads(),
            tf.config.threading.get_inter_op_parallelism_threads(),
            [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()],
            keras.config.floatx(),
            keras.config.dtype_policy().name,
        )

    def seed():
        keras.utils.clear_session()  # older Keras keeps its generator when a seed is set
        keras.utils.set_random_seed(3)

    seed()
    expected = draws()
    seed()
    before = state()
    fresh = lambda image_shape, n_classes: shallow(image_shape, n_classes)  # noqa: E731  builds anew
    quick(architecture=fresh, dtype="float64").fit(*digits).predict(digits[0])
    assert state() == before
    assert draws() == expected


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


# -- scikit-learn's callbacks --------------------------------------------------------------


def test_scoring_monitor_sees_every_epoch(digits):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    X, y = digits
    classifier = quick(epochs=3, keep_epochs=True).set_callbacks(monitor).fit(X, y)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert scores == [(labels == y).mean() for labels in classifier.staged_predict(X)]


def test_progress_bar_alone_and_in_a_grid_search(digits, capsys):
    callback = pytest.importorskip("sklearn.callback")
    quick().set_callbacks(callback.ProgressBar()).fit(*digits)
    assert "DigitClassifier - fit" in capsys.readouterr().out
    search = GridSearchCV(quick(), {"epochs": [1, 2]}, cv=2)
    search.set_callbacks(callback.ProgressBar()).fit(*digits)
    printed = capsys.readouterr().out
    assert "GridSearchCV - fit" in printed
    assert "DigitClassifier - fit" in printed


def test_scoring_monitor_in_a_grid_search(digits):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    search = GridSearchCV(quick().set_callbacks(monitor), {"epochs": [1, 2]}, cv=2, refit=False)
    search.fit(*digits)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(rows) == (1 + 2) * 2


def test_a_callback_of_scikit_learn_can_stop(digits):
    pytest.importorskip("sklearn.callback")

    class Stop:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch"

    assert quick(epochs=5).set_callbacks(Stop()).fit(*digits).n_iter_ == 1


def test_a_callback_of_scikit_learn_in_the_wrong_place_is_told_so(digits):
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="accuracy")
    with pytest.raises(TypeError, match="set_callbacks"):
        quick(callbacks=[monitor]).fit(*digits)


# -- what goes wrong, and what must not ------------------------------------------------------


@pytest.mark.parametrize("keep", [np.True_, (1, 2), range(1, 3), np.array([1, 2])])
def test_forms_of_keep_epochs(digits, keep):
    assert len(list(quick(keep_epochs=keep).fit(*digits).staged_predict(digits[0]))) == 2
    assert not hasattr(quick(keep_epochs=np.False_).fit(*digits), "staged_predict")


def test_stages_that_were_not_kept_are_told_of(digits, fitted):
    with pytest.raises(ValueError, match="set it to True or to epochs from 1 to 2"):
        next(quick(keep_epochs=[99]).fit(*digits).staged_predict(digits[0]))


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: -1.0}, "numbers of 0 or more; got -1.0"),
        ({0: np.nan}, "numbers of 0 or more; got nan"),
        ({0: None}, "numbers of 0 or more; got None"),
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


def test_a_fit_that_is_broken_off_leaves_the_last_one(digits):
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


def test_training_goes_on_from_the_best_weights(digits):
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
    with pytest.raises(ValueError, match="A validation set of 0.1 of 30 samples of 10 classes"):
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


# -- what a user gets wrong ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"epochs": 3},
            r"epochs is a constructor parameter: DigitClassifier\(epochs=3\).*cnn__epochs",
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
    with pytest.raises(ValueError, match="Use warm_start=True with few epochs per fit"):
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
