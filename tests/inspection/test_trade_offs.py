import itertools

import numpy as np
import pytest
from sklearn.utils import Bunch

from skdigits.inspection import ReliabilityDisplay, TradeOffDisplay, TrainSizeDisplay


@pytest.fixture
def compared():
    """A comparison of four classifiers, of which LinearSVC has no probabilities."""
    rng = np.random.default_rng(0)
    names = ["ours", "compact", "NB", "LinearSVC"]
    table = {"classifier": names, "accuracy": [0.9, 0.8, 0.7, 0.6]}
    table |= {"accuracy_low": [0.8, 0.7, 0.6, 0.5], "accuracy_high": [1.0, 0.9, 0.8, 0.7]}
    table |= {f"{time}_seconds": [1, 2, 3, 4] for time in ("fit", "predict", "predict_one")}
    confidence = {name: rng.random(50) for name in names} | {"LinearSVC": None}
    correct = {name: rng.random(50) < 0.5 for name in names}
    return Bunch(table=table, correct=correct, confidence=confidence)


def test_a_trade_off_names_every_classifier(compared):
    display = TradeOffDisplay(compared.table, emphasized=("NB",)).plot(time="predict_seconds")
    texts = {text.get_text(): text.get_weight() for text in display.ax_.texts}
    assert texts.pop("NB") == "bold"
    assert texts == dict.fromkeys(("ours", "compact", "LinearSVC"), "normal")
    assert display.ax_.get_xlabel() == "seconds to predict all test images"
    crowd = {name: [0.5] * 5 for name in compared.table}
    crowd |= {"classifier": list("abcde"), "fit_seconds": [1, 1.01, 1.02, 1.5, 1e-3]}
    crowded = TradeOffDisplay(crowd).plot()
    boxes = [text.get_window_extent() for text in crowded.ax_.texts]
    assert len(boxes) == 5
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    with pytest.raises(ValueError, match="Unknown time 'x'"):
        display.plot(time="x")


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        ([0.3, 7.1], ["0.5", "1", "2", "5"]),
        ([31, 1200], ["50", "100", "200", "500", "1,000"]),
        ([4.1, 4.4], ["4.1", "4.15", "4.2", "4.25", "4.3", "4.35", "4.4"]),
        ([0.00006, 0.4], ["0.0001", "0.001", "0.01", "0.1"]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_plain_numbers(seconds, ticks):
    table = {"classifier": ["a", "b"], "predict_seconds": seconds, "accuracy": [0.8, 0.9]}
    table |= {"accuracy_low": [0.7, 0.8], "accuracy_high": [0.9, 1.0]}
    ax = TradeOffDisplay(table).plot(time="predict_seconds").ax_
    ax.set_xlim(seconds)
    ax.figure.draw_without_rendering()
    assert ax.get_xscale() == "log"
    low, high = ax.get_xlim()
    texts = [text.get_text() for text in ax.get_xticklabels()]
    at = dict(zip(ax.get_xticks(), texts, strict=True))
    assert [text for x, text in at.items() if low <= x <= high] == ticks
    assert not len(ax.get_xticks(minor=True))


def test_train_sizes_have_one_curve_per_classifier():
    curves = {"classifier": ["a", "a", "b"], "n_train": [10, 100, 10], "accuracy": [0.5, 0.9, 0.2]}
    lines = TrainSizeDisplay(curves).plot().lines_
    assert [line.get_label() for line in lines] == ["a", "b"]
    np.testing.assert_allclose(lines[0].get_ydata(), [0.5, 0.1])


def test_reliability_is_drawn_where_there_are_probabilities(compared):
    display = ReliabilityDisplay(compared.correct, compared.confidence).plot()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "NB" in labels
    assert "LinearSVC" not in labels
    display = ReliabilityDisplay({"LinearSVC": compared.correct["LinearSVC"]}, {"LinearSVC": None})
    assert not display.plot().ax_.lines
