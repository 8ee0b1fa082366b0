"""Display of coverage and accuracy when uncertain predictions are rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from sklearn.utils.validation import check_is_fitted

from skdigits.inspection.axes import make_axes, write_reason
from skdigits.inspection.estimators import kind_of, unwrap
from skdigits.metrics import coverage_curve

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike

    from skdigits.typing import Estimator, Images


class CoverageDisplay:
    """Error rate of the accepted predictions over coverage, the share of accepted predictions.

    Parameters
    ----------
    coverage, accuracy : ndarray of shape (n_thresholds,)
        Results of `skdigits.metrics.coverage_curve`.
    name : str, default=None
        Name of the curve in the legend; None draws no legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    line_ : matplotlib Line2D
        The curve.
    """

    ax_: Axes
    figure_: Figure
    line_: Line2D

    def __init__(
        self, coverage: np.ndarray, accuracy: np.ndarray, *, name: str | None = None
    ) -> None:
        self.coverage, self.accuracy, self.name = coverage, accuracy, name

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: Images,
        y: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the curve of a fitted estimator.

        Parameters
        ----------
        estimator : DigitSequenceRecognizer or classifier
            A fitted estimator, alone, as the last step of a Pipeline or in a search. The confidence
            is the result of `predict_confidence`, or the maximum of `predict_proba` if the
            estimator has no `predict_confidence`.
        X : array-like
            Images.
        y : array-like of shape (n_samples,)
            True labels or sequences.
        name : str, default=None
            Name of the curve in the legend; None means the name of the class.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        CoverageDisplay
            The display.

        Raises
        ------
        ValueError
            If the estimator has neither `predict_confidence` nor `predict_proba`, or there are
            no samples.
        """
        name = type(estimator).__name__ if name is None else name
        estimator, transformers = unwrap(estimator)
        confidence_of = _confidence_of(estimator)
        check_is_fitted(estimator)
        for transformer in transformers:
            X = transformer.transform(X)
        return cls.from_predictions(y, estimator.predict(X), confidence_of(X), name=name, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        confidence: ArrayLike,
        *,
        name: str | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the curve of predictions.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_samples,)
            True and predicted labels or sequences.
        confidence : array-like of shape (n_samples,)
            Confidence of each prediction.
        name : str, default=None
            Name of the curve in the legend; None draws no legend.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        CoverageDisplay
            The display.

        Raises
        ------
        ValueError
            If there are no samples.
        """
        coverage, accuracy, _ = coverage_curve(y_true, y_pred, confidence)
        return cls(coverage, accuracy, name=name).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        CoverageDisplay
            The display.
        """
        self.ax_, self.figure_ = make_axes(ax)
        marker = "o" if len(self.coverage) == 1 else None
        (self.line_,) = self.ax_.plot(
            self.coverage, 1 - self.accuracy, marker=marker, label=self.name
        )
        self.ax_.set(
            xlabel="coverage: share of predictions that are accepted",
            ylabel="error rate of accepted predictions",
            title="Rejection of uncertain predictions",
            xlim=(min(0.5, self.coverage.min()), 1),
            ylim=(0, None),
        )
        self.ax_.grid(alpha=0.3)
        if min(self.accuracy) == 1:
            write_reason(self.ax_, "No mistakes")
        elif len(self.coverage) == 1:
            write_reason(
                self.ax_, "All predictions have the same confidence:\nall are accepted, or none"
            )
        if self.name is not None:
            self.ax_.legend()
        return self


def _confidence_of(estimator: Any) -> Callable[[Images], np.ndarray]:
    """Return the function that computes an estimator's confidence for images."""
    is_instance = not isinstance(estimator, type)
    if is_instance and hasattr(estimator, "predict_confidence"):
        return estimator.predict_confidence
    if is_instance and hasattr(estimator, "predict_proba"):
        return lambda X: estimator.predict_proba(X).max(axis=1)
    raise ValueError(
        f"{kind_of(estimator)} has neither predict_confidence nor predict_proba; pass an estimator "
        "that has one of them, or use CoverageDisplay.from_predictions."
    )
