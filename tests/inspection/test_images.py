import numpy as np
import pytest

from skdigits.inspection import ImageGridDisplay, LabelCountDisplay


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([3, 10, 10, 2, 10, 3], [2, 3, 10]),
        (["3", "10", "10", "2", "10", "3"], ["2", "3", "10"]),
        (["c", "10", "10", "a", "10", "c"], ["10", "a", "c"]),
    ],
)
def test_label_counts_are_in_the_order_of_the_labels(labels, expected):
    display = LabelCountDisplay.from_labels(labels)
    assert display.labels.tolist() == expected
    counts = [labels.count(label) for label in expected]
    assert display.counts.tolist() == counts
    assert [bar.get_height() for bar in display.ax_.patches] == counts
    means = ImageGridDisplay.from_means(np.zeros((6, 9)), labels)
    assert means.captions == [str(label) for label in expected]


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
    assert display.ax_.get_title() == "No mistakes in 1"
    assert ImageGridDisplay.from_samples(np.zeros((1, 10))).images.shape == (1, 4, 4)
