import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError

from skdigits import DigitClassifier
from skdigits.inspection import HistoryDisplay


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
    with pytest.raises(ValueError, match="no metric 'recall'; it has accuracy, loss"):
        HistoryDisplay(history).plot(metric="recall")
