import contextlib

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from small import assert_same_weights, quick

from skdigits import DigitClassifier

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
