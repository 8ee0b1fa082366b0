"""Display of the training history of one fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdigits.classifier import DigitClassifier
from skdigits.inspection.axes import make_axes
from skdigits.inspection.estimators import check_kind, unwrap
from skdigits.sequence import DigitSequenceRecognizer

EXPECTED = (
    "a fitted DigitClassifier or DigitSequenceRecognizer, alone, as the last step of a Pipeline or "
    "in a search"
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from skdigits.typing import Estimator


class HistoryDisplay:
    """Loss or accuracy over the epochs of training.

    Parameters
    ----------
    history : dict of str to list of float
        Values per epoch: ``loss``, ``accuracy``, and their ``val_`` counterparts if any.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of matplotlib Line2D
        The curves.

    Examples
    --------
    >>> from skdigits.inspection import HistoryDisplay
    >>> display = HistoryDisplay({"loss": [1.0, 0.5], "accuracy": [0.7, 0.9]})
    >>> display.plot(metric="loss").ax_.get_ylabel()
    'loss'
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]

    def __init__(self, history: Mapping[str, list[float]]) -> None:
        self.history = history

    @classmethod
    def from_estimator(
        cls, estimator: Estimator, *, metric: str = "accuracy", ax: Axes | None = None
    ) -> Self:
        """Draw the history of a fitted estimator.

        Parameters
        ----------
        estimator : DigitClassifier or DigitSequenceRecognizer
            A fitted estimator, alone, as the last step of a Pipeline or in a search. The history of
            a search is that of its ``best_estimator_``.
        metric : {"accuracy", "loss"}, default="accuracy"
            Metric to draw.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        HistoryDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is of another class.
        NotFittedError
            If the estimator is not fitted.
        """
        estimator, _ = unwrap(estimator)
        check_kind(estimator, (DigitClassifier, DigitSequenceRecognizer), EXPECTED)
        check_is_fitted(estimator)
        return cls(estimator.history_).plot(metric=metric, ax=ax)

    def plot(self, *, metric: str = "accuracy", ax: Axes | None = None) -> Self:
        """Draw one metric of training and, if recorded, of validation.

        Parameters
        ----------
        metric : {"accuracy", "loss"}, default="accuracy"
            Metric to draw.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        HistoryDisplay
            The display.

        Raises
        ------
        ValueError
            If the history has no such metric.
        """
        if metric not in self.history:
            known = sorted(name for name in self.history if not name.startswith("val_"))
            raise ValueError(f"The history has no metric {metric!r}; it has {', '.join(known)}.")
        self.ax_, self.figure_ = make_axes(ax)
        self.lines_ = []
        for name, label in ((metric, "training"), (f"val_{metric}", "validation")):
            values = self.history.get(name, [])
            if values:
                marker = "o" if len(values) < 40 else None
                epochs = np.arange(1, len(values) + 1)
                self.lines_ += self.ax_.plot(epochs, values, label=label, marker=marker, ms=4)
        self.ax_.set(xlabel="epoch", ylabel=metric, title=f"{metric.capitalize()} per epoch")
        self.ax_.locator_params(axis="x", integer=True)
        self.ax_.grid(alpha=0.3)
        self.ax_.legend()
        return self
