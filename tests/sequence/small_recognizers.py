"""Small recognizers that the tests of DigitSequenceRecognizer share."""

import numpy as np

from skdigits import DigitSequenceRecognizer
from skdigits.datasets import load_digits
from skdigits.pictures.line_images import LineImages

N_FILTERS = 8  # of all networks here, so that one program is compiled; half as many as usual


def quick(**parameters):
    defaults = {"epochs": 1, "sequences_per_epoch": 40, "batch_size": 20, "random_state": 0}
    defaults |= {"style": "tiles", "lengths": (1, 5), "filters": N_FILTERS}
    return DigitSequenceRecognizer(**{**defaults, **parameters})


def weights_of(recognizer):
    return recognizer.to_keras().get_weights()


def assert_same_weights(a, b):
    for one, other in zip(weights_of(a), weights_of(b), strict=True):
        np.testing.assert_array_equal(one, other)


def squeezed(images):
    return np.pad(images[:, ::2], [(0, 0), (7, 7), (0, 0)])


def load_digits_28():
    X, y = load_digits(return_X_y=True)
    return LineImages(X.reshape(-1, 8, 8)[:100]).as_bytes(0, 255).images, y[:100]
