import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skdigits import DigitClassifier, DigitSequenceRecognizer
from skdigits.inspection import (
    CoverageDisplay,
    HistoryDisplay,
    ImageGridDisplay,
    LabelCountDisplay,
    SequenceGridDisplay,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_history_of_an_estimator(fitted):
    display = HistoryDisplay.from_estimator(fitted, metric="loss")
    (line,) = display.lines_
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
    assert list(line.get_ydata()) == fitted.history_["loss"]
    assert display.figure_ is display.ax_.figure
    with pytest.raises(NotFittedError):
        HistoryDisplay.from_estimator(DigitClassifier())


def test_history_with_validation_has_two_curves():
    history = {"accuracy": [0.5, 0.7], "val_accuracy": [0.4, 0.6], "loss": [2.0, 1.0]}
    _, ax = plt.subplots()
    display = HistoryDisplay(history).plot(ax=ax)
    assert display.ax_ is ax
    assert [line.get_label() for line in display.lines_] == ["training", "validation"]
    assert list(display.lines_[1].get_ydata()) == [0.4, 0.6]
    with pytest.raises(ValueError, match="no 'recall'; it has accuracy, loss"):
        HistoryDisplay(history).plot(metric="recall")


def test_label_counts_start_with_the_most_frequent():
    display = LabelCountDisplay.from_labels([3, 1, 1, 2, 1, 3])
    assert display.labels.tolist() == [1, 3, 2]
    assert display.counts.tolist() == [3, 2, 1]
    assert [bar.get_height() for bar in display.ax_.patches] == [3, 2, 1]


def test_samples_and_their_labels(digits):
    X, y = digits
    display = ImageGridDisplay.from_samples(X, y, n_images=12)
    assert len(display.ax_.images) == 12
    lookup = {row.tobytes(): str(label) for row, label in zip(X, y, strict=True)}
    for image, caption in zip(display.images, display.captions, strict=True):
        assert lookup[image.tobytes()] == caption


def test_means_are_the_mean_per_class(digits):
    X, y = digits
    display = ImageGridDisplay.from_means(X, y)
    np.testing.assert_allclose(display.images[3].ravel(), X[y == 3].mean(axis=0))
    assert display.captions == [str(i) for i in range(10)]


def test_worst_mistakes_come_first():
    X = np.arange(4 * 9).reshape(4, 9)
    probability = np.array([[0.9, 0.1], [0.3, 0.7], [0.05, 0.95], [0.6, 0.4]])
    display = ImageGridDisplay.from_predictions(X, ["a", "a", "a", "b"], probability, ["a", "b"])
    np.testing.assert_array_equal(display.images[0].ravel(), X[2])
    assert display.captions == ["a read as b\n95%", "a read as b\n70%", "b read as a\n60%"]
    assert "3 mistakes in 4" in display.ax_.get_title()


def test_mistakes_of_an_estimator(digits, fitted):
    X, y = digits
    display = ImageGridDisplay.from_estimator(fitted, X, y)
    wrong = (fitted.predict(X) != y).sum()
    assert len(display.images) == min(30, wrong)


def test_no_mistakes_and_rows_that_are_no_square():
    probability = np.array([[1.0, 0.0]])
    display = ImageGridDisplay.from_predictions(np.zeros((1, 10)), [0], probability, [0, 1])
    assert len(display.images) == 0
    assert ImageGridDisplay.from_samples(np.zeros((1, 10))).images.shape == (1, 4, 4)


def test_coverage_of_predictions_and_of_an_estimator(fitted, digits):
    display = CoverageDisplay.from_predictions(["1", "2", "3"], ["1", "2", "0"], [0.9, 0.8, 0.3])
    np.testing.assert_allclose(display.line_.get_xdata(), [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(display.line_.get_ydata(), [0, 0, 1 / 3])
    X, y = digits
    display = CoverageDisplay.from_estimator(fitted, X, y)
    assert display.line_.get_ydata()[-1] == pytest.approx(1 - fitted.score(X, y))
    assert display.ax_.get_legend().get_texts()[0].get_text() == "DigitClassifier"


class Reader(DigitSequenceRecognizer):
    """Reads what it is told."""

    def fit(self, X, y=None):
        self._check_images(X, reset=True)
        self.n_iter_ = 1
        return self

    def predict_confidence(self, X):
        return np.asarray(X).max(axis=(1, 2)) / 10

    def predict(self, X):
        return np.array(["12", "3", "45", ""])

    def predict_top_k(self, X, k):
        read = [["12"], ["3"], ["45"], [""]]
        return np.array(read), np.array([[0.9], [0.6], [0.8], [0.7]])

    def locate(self, X):
        self.located = X
        return np.tile([[[1, 2, 5, 9], [-1, -1, -1, -1]]], (len(X), 1, 1))


def test_sequences_with_the_surest_mistakes_first():
    X = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 10, 20), np.uint8)
    reader = Reader().fit(X)
    display = SequenceGridDisplay.from_estimator(reader, X, ["12", "4", "46", ""])
    assert display.captions == ["45 (0.80), is 46", "3 (0.60), is 4", "nothing (0.70)", "12 (0.90)"]
    assert [image[0, 0] for image in reader.located] == [2, 1, 3, 0]
    assert len(display.axes_[0].patches) == 1
    box = display.axes_[0].patches[0]
    assert (box.get_xy(), box.get_width(), box.get_height()) == ((0.5, 1.5), 4, 7)
    assert box.get_edgecolor()[:3] == to_rgb("tab:red")
    display = SequenceGridDisplay.from_estimator(reader, X, n_images=2)
    assert display.captions == ["3 (0.60)", "nothing (0.70)"]
    flat = SequenceGridDisplay.from_estimator(reader, X.reshape(4, -1), n_images=2)
    np.testing.assert_array_equal(flat.images, display.images)


def test_coverage_of_a_reader_in_a_pipeline():
    X = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((4, 10, 20), np.uint8)
    y = np.array(["0", "3", "0", ""])  # right where the confidence is 0.1 and 0.3, or 0.2 and 0.6
    expected = CoverageDisplay.from_estimator(Reader().fit(X), X, y)
    np.testing.assert_allclose(expected.accuracy, [1, 1 / 2, 2 / 3, 1 / 2])
    steps = [("turned", FunctionTransformer(lambda X: 6 - X)), ("reader", Reader())]
    turned = CoverageDisplay.from_estimator(Pipeline(steps).fit(X), X, y)
    np.testing.assert_allclose(turned.accuracy, [0, 1 / 2, 1 / 3, 1 / 2])
    alone = CoverageDisplay.from_estimator(Pipeline(steps[1:]).fit(X), X, y)
    np.testing.assert_allclose(alone.accuracy, expected.accuracy)
    search = GridSearchCV(Reader(), {"epochs": [1]}, scoring=lambda *_: 0, cv=2).fit(X, y)
    found = CoverageDisplay.from_estimator(search, X, y)
    np.testing.assert_allclose(found.accuracy, expected.accuracy)
    with pytest.raises(ValueError, match="RidgeClassifier has no confidence to draw"):
        CoverageDisplay.from_estimator(RidgeClassifier().fit(X.reshape(4, -1), y), X, y)
