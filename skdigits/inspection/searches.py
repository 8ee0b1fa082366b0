"""Displays of the learning curves and scores of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skdigits.inspection.axes import make_axes, write_reason
from skdigits.inspection.estimators import kind_of
from skdigits.wrappers import last_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D

    from skdigits.typing import Estimator


class SearchHistoryDisplay:
    """Loss, accuracy or score over the epochs: mean and standard deviation over the folds.

    Parameters
    ----------
    curves : dict of ndarray
        Columns as in `EpochSearchCV.cv_curves_`.
    labels : dict of int to str
        Label of each candidate in `curves`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of matplotlib Line2D
        The curve of each candidate: the mean over the folds.
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]

    def __init__(self, curves: Mapping[str, np.ndarray], labels: Mapping[int, str]) -> None:
        self.curves = curves
        self.labels = labels

    @classmethod
    def from_estimator(
        cls, estimator: Estimator, *, metric: str = "loss", ax: Axes | None = None
    ) -> Self:
        """Draw the curves of a fitted search.

        Parameters
        ----------
        estimator : EpochSearchCV
            A fitted search.
        metric : str, default="loss"
            A column of `cv_curves_`.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        SearchHistoryDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not an `EpochSearchCV`.
        NotFittedError
            If the search is not fitted.
        """
        _check_search(estimator)
        labels = dict(enumerate(map(_label, estimator.cv_results_["params"])))
        return cls(estimator.cv_curves_, labels).plot(metric=metric, ax=ax)

    def plot(self, *, metric: str = "loss", ax: Axes | None = None) -> Self:
        """Draw one metric.

        Parameters
        ----------
        metric : str, default="loss"
            A column of `curves`.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        SearchHistoryDisplay
            The display.

        Raises
        ------
        ValueError
            If the curves have no such metric.
        """
        known = sorted(set(self.curves) - {"fold", "candidate", "epoch"})
        if metric not in known:
            raise ValueError(f"The curves have no metric {metric!r}; they have {', '.join(known)}.")
        self.ax_, self.figure_ = make_axes(ax)
        self.lines_ = []
        values, epochs = self.curves[metric], self.curves["epoch"]
        for candidate in np.unique(self.curves["candidate"]):
            rows = (self.curves["candidate"] == candidate) & np.isfinite(values)
            if not rows.any():
                continue
            at = np.unique(epochs[rows])
            folds = [values[rows & (epochs == epoch)] for epoch in at]
            mean = np.array([fold.mean() for fold in folds])
            spread = np.array([fold.std() for fold in folds])
            self.lines_ += self.ax_.plot(at, mean, label=self.labels[candidate], marker="o", ms=4)
            self.ax_.fill_between(at, mean - spread, mean + spread, alpha=0.2)
        name = metric.replace("_", " ")
        title = f"{name.capitalize()} per epoch, mean ± standard deviation over the folds"
        self.ax_.set(xlabel="epoch", ylabel=metric, title=title)
        self.ax_.locator_params(axis="x", integer=True)
        self.ax_.grid(alpha=0.3)
        if self.lines_:
            self.ax_.legend()
        else:
            write_reason(self.ax_, f"No {name} values")
        return self


class SearchScoreDisplay:
    """Heat map of scores: columns are numbers of epochs, rows are the other parameters.

    Parameters
    ----------
    scores : ndarray of shape (n_combinations, n_epochs)
        Mean scores; NaN if there is no such candidate. If the grid does not contain epochs, the
        number of epochs is that of the estimator.
    combinations : list of str
        Labels of the rows.
    epochs : list of int
        Labels of the columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    im_ : matplotlib AxesImage
        The map.
    """

    ax_: Axes
    figure_: Figure
    im_: AxesImage

    def __init__(
        self, scores: np.ndarray, combinations: Sequence[str], epochs: Sequence[int]
    ) -> None:
        self.scores = scores
        self.combinations = combinations
        self.epochs = epochs

    @classmethod
    def from_estimator(
        cls, estimator: Estimator, *, score: str = "score", ax: Axes | None = None
    ) -> Self:
        """Draw the mean scores of a fitted search.

        Parameters
        ----------
        estimator : EpochSearchCV
            A fitted search.
        score : str, default="score"
            Name of the score, if the search has several scores.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        SearchScoreDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not an `EpochSearchCV`.
        NotFittedError
            If the search is not fitted.
        ValueError
            If the search has no such score.
        """
        _check_search(estimator)
        column = f"mean_test_{score}"
        if column not in estimator.cv_results_:
            raise ValueError(f"The search has no score {score!r}: cv_results_ has no {column!r}.")
        cells = {}
        for params, value in zip(
            estimator.cv_results_["params"], estimator.cv_results_[column], strict=True
        ):
            candidate = clone(estimator.estimator).set_params(**clone(params, safe=False))
            cells[_label(params), int(last_step(candidate).epochs)] = value
        combinations = list(dict.fromkeys(combination for combination, _ in cells))
        columns = sorted({epochs for _, epochs in cells})
        scores = np.array([[cells.get((c, e), np.nan) for e in columns] for c in combinations])
        return cls(scores, combinations, columns).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        SearchScoreDisplay
            The display.
        """
        size = (max(5, 1.1 * len(self.epochs) + 3), max(3, 0.6 * len(self.combinations) + 1.5))
        self.ax_, self.figure_ = make_axes(ax, size=size)
        self.im_ = self.ax_.imshow(self.scores, cmap="viridis", aspect="auto")
        if not np.isfinite(self.scores).any():
            write_reason(self.ax_, "No scores")
        known = np.ma.masked_invalid(self.scores)
        middle = (known.min() + known.max()) / 2
        for (row, column), value in np.ndenumerate(self.scores):
            if np.isfinite(value):
                color = "black" if value > middle else "white"
                self.ax_.text(column, row, f"{value:.4f}", ha="center", va="center", color=color)
        self.ax_.set_xticks(range(len(self.epochs)), map(str, self.epochs))
        self.ax_.set_yticks(range(len(self.combinations)), self.combinations)
        self.ax_.set(xlabel="epochs", title="Mean score over the folds")
        return self


def _check_search(estimator: object) -> None:
    # Its class is compared by name, because this package must not import `model_selection`.
    if not any(kind.__name__ == "EpochSearchCV" for kind in type(estimator).__mro__):
        expected = "a fitted EpochSearchCV (HistoryDisplay draws a single fit)"
        raise TypeError(f"Expected {expected}; got {kind_of(estimator)}.")
    check_is_fitted(estimator, "cv_curves_")


def _label(params: dict[str, Any]) -> str:
    """Describe the parameters of a candidate, except its number of epochs."""
    named = {name.split("__")[-1]: value for name, value in params.items()}
    named.pop("epochs", None)
    return ", ".join(f"{name}={value}" for name, value in named.items()) or "unchanged estimator"
