"""Small classifiers and networks that the tests of DigitClassifier share."""

import numpy as np
from sklearn.pipeline import Pipeline

from skdigits import DigitClassifier, ImageReshaper


def quick(**parameters):
    return DigitClassifier(
        **{"architecture": "compact", "epochs": 2, "random_state": 0, **parameters}
    )


def weights_of(classifier):
    return classifier.to_keras().get_weights()


def assert_same_weights(first, second):
    for a, b in zip(weights_of(first), weights_of(second), strict=True):
        np.testing.assert_array_equal(a, b)


def pipeline(**parameters):
    return Pipeline([("images", ImageReshaper()), ("cnn", quick(**parameters))])


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
