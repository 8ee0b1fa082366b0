import numpy as np
import pytest
from sklearn.model_selection import (
    train_test_split,
)
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from small import nested, quick, shallow, two_heads

from skdigits import DigitClassifier
from skdigits.datasets import load_digits
from skdigits.networks.architectures import ARCHITECTURES


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
    with pytest.raises(ValueError, match="Features cannot be computed: the architecture should be"):
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
