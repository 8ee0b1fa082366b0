import numpy as np
import pytest
from matplotlib import pyplot as plt

from skdigits import DigitSequenceRecognizer
from skdigits.sequence_checks import check_lines


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class FixedRecognizer(DigitSequenceRecognizer):
    """Predicts the same four sequences for any images."""

    def fit(self, X, y=None):
        check_lines(self, X, reset=True)
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_confidence(self, X):
        return np.asarray(X).max(axis=(1, 2)) / 10

    def predict(self, X):
        return np.array(["12", "3", "45", ""])

    def predict_top_k(self, X, k):
        predicted = [["12"], ["3"], ["45"], [""]]
        return np.array(predicted), np.array([[0.9], [0.6], [0.8], [0.7]])

    def locate(self, X):
        self.located = X
        return np.tile([[[1, 2, 5, 9], [-1, -1, -1, -1]]], (len(X), 1, 1))


@pytest.fixture
def recognizer():
    """A recognizer whose predictions are known."""
    return FixedRecognizer()
