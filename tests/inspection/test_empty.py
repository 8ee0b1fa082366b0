"""A figure in which nothing, or next to nothing, is drawn says why."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from skdigits.inspection import (
    CleaningDisplay,
    CoverageDisplay,
    ImageGridDisplay,
    LabelCountDisplay,
    ReliabilityDisplay,
    SearchHistoryDisplay,
    SearchScoreDisplay,
    SequenceGridDisplay,
    TradeOffDisplay,
    TrainSizeDisplay,
)

NAN = np.array([np.nan])
CURVES = {"candidate": np.array([0]), "fold": np.array([0]), "epoch": np.array([1])}
ROWS = ("classifier", "fit_seconds", "accuracy", "accuracy_low", "accuracy_high")


def train_sizes(*accuracy):
    return {
        "classifier": ["a"] * len(accuracy),
        "n_train": [10, 100][: len(accuracy)],
        "accuracy": list(accuracy),
    }


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (lambda: ImageGridDisplay.from_samples(np.zeros((0, 9))), "No images"),
        (
            lambda: ImageGridDisplay.from_predictions(
                np.zeros((2, 9)), [0, 1], np.eye(2), classes=[0, 1]
            ),
            "No images",
        ),
        (lambda: LabelCountDisplay.from_labels([]), "No labels"),
        (lambda: CleaningDisplay([], [], []).plot(), "No pictures"),
        (lambda: SequenceGridDisplay([], [], np.zeros((0, 1, 4)), []).plot(), "No images"),
        (lambda: CoverageDisplay.from_predictions([1, 2], [1, 2], [0.5, 0.9]), "No mistakes"),
        (lambda: CoverageDisplay.from_predictions([1, 2], [1, 3], [1, 1]), "same confidence"),
        (lambda: ReliabilityDisplay({"a": np.array([True])}, {"a": None}).plot(), "probabilities"),
        (lambda: ReliabilityDisplay({}, {}).plot(), "probabilities"),
        (lambda: SearchHistoryDisplay({**CURVES, "loss": NAN}, {0: "a"}).plot(), "No loss"),
        (lambda: SearchScoreDisplay(NAN[np.newaxis], ["a"], [1]).plot(), "No score"),
        (lambda: TradeOffDisplay({name: [] for name in ROWS}).plot(), "No classifiers"),
        (lambda: TrainSizeDisplay(train_sizes()).plot(), "No classifiers"),
        (lambda: TrainSizeDisplay(train_sizes(1.0, 1.0)).plot(), "No mistakes"),
    ],
)
def test_the_reason_is_written_into_the_figure(draw, reason):
    display = draw()
    display.figure_.draw_without_rendering()  # nothing is wrong with its axes
    assert any(reason in text.get_text() for ax in display.figure_.axes for text in ax.texts)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: ImageGridDisplay.from_samples(np.zeros((1, 9))),
        lambda: LabelCountDisplay.from_labels([1]),
        lambda: CoverageDisplay.from_predictions([1, 2], [1, 3], [0.5, 0.9]),
        lambda: TrainSizeDisplay(train_sizes(0.5, 0.9)).plot(),
    ],
)
def test_no_reason_is_written_where_something_is_drawn(draw):
    texts = [text.get_text() for text in draw().ax_.texts]
    assert not any("No " in text or "same confidence" in text for text in texts)


def test_a_single_threshold_is_a_point():
    display = CoverageDisplay.from_predictions([1, 2], [1, 3], [1, 1])
    assert display.line_.get_marker() == "o"
    plt.close("all")
