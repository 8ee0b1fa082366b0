"""Display of the calibration of confidence: a reliability diagram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.calibration import CalibrationDisplay

from skdigits.inspection.axes import MARKERS, make_axes, write_reason

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class ReliabilityDisplay:
    """Share of correct predictions over confidence, with one curve per classifier.

    Parameters
    ----------
    correct : dict of str to ndarray of shape (n_samples,), bool
        For each classifier, whether each prediction is correct.
    confidence : dict of str to ndarray of shape (n_samples,) or None
        For each classifier, the probability of each prediction; None if it has no probabilities.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    """

    ax_: Axes
    figure_: Figure

    def __init__(
        self, correct: Mapping[str, np.ndarray], confidence: Mapping[str, np.ndarray | None]
    ) -> None:
        self.correct, self.confidence = correct, confidence

    def plot(self, *, n_bins: int = 10, ax: Axes | None = None) -> Self:
        """Draw the curves with scikit-learn's ``CalibrationDisplay``.

        A classifier has no curve if it has no probabilities, or if its predictions are all correct
        or all wrong.

        Parameters
        ----------
        n_bins : int, default=10
            Number of points of a curve; each point represents the same number of predictions.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ReliabilityDisplay
            The display.
        """
        self.ax_, self.figure_ = make_axes(ax, size=(6, 5.5))
        for i, (name, correct) in enumerate(self.correct.items()):
            confidence = self.confidence[name]
            if confidence is None or correct.all() or not correct.any():
                continue
            CalibrationDisplay.from_predictions(
                correct,
                np.clip(confidence, 0, 1),  # float32 may exceed 1 by rounding
                n_bins=n_bins,
                strategy="quantile",
                name=name,
                ax=self.ax_,
                marker=MARKERS[i % len(MARKERS)],
                color=f"C{i % 10}",
                ms=4,
                lw=1,
            )
        lowest = min((float(np.min(line.get_xydata())) for line in self.ax_.lines[1:]), default=0)
        limits = (max(lowest - 0.05, 0), 1.02)  # lines[0] is the diagonal
        self.ax_.set(xlabel="confidence", ylabel="share of correct predictions")
        self.ax_.set(xlim=limits, ylim=limits)
        self.ax_.set_title("Calibration of confidence")
        if self.ax_.lines:
            self.ax_.legend(fontsize="small")
        else:
            write_reason(
                self.ax_, "No classifier has probabilities\nand both correct and wrong predictions"
            )
        return self
