"""Displays of data and training, in scikit-learn's form.

They compute with ``from_…`` and draw with ``plot``. A confusion matrix is drawn by scikit-learn's
own ``ConfusionMatrixDisplay``.
"""

from __future__ import annotations

import math

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import check_is_fitted

from skdigits.preprocessing import infer_image_shape, split_images

TILES_PER_ROW = 10


class HistoryDisplay:
    """Loss or accuracy over the epochs of training.

    Parameters
    ----------
    history : dict of str to list of float
        Values per epoch: ``loss``, ``accuracy``, and their ``val_`` counterparts if any.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The curves.

    Examples
    --------
    >>> from skdigits.inspection import HistoryDisplay
    >>> display = HistoryDisplay({"loss": [1.0, 0.5], "accuracy": [0.7, 0.9]})
    >>> display.plot(metric="loss").ax_.get_ylabel()
    'loss'
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, metric="accuracy", ax=None):
        """Draw the history of a fitted classifier.

        Parameters
        ----------
        estimator : DigitClassifier
            A fitted classifier.
        metric : {"accuracy", "loss"}, default="accuracy"
            What to draw.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        HistoryDisplay
            The display.
        """
        check_is_fitted(estimator)
        return cls(estimator.history_).plot(metric=metric, ax=ax)

    def plot(self, *, metric="accuracy", ax=None):
        """Draw one metric, in training and, if there is one, in validation.

        Parameters
        ----------
        metric : {"accuracy", "loss"}, default="accuracy"
            What to draw.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

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
            raise ValueError(f"The history has no {metric!r}; it has {', '.join(known)}.")
        self.ax_, self.figure_ = _axes(ax)
        self.lines_ = []
        for name, label in ((metric, "training"), (f"val_{metric}", "validation")):
            values = self.history.get(name, [])
            if values:
                marker = "o" if len(values) < 40 else None
                epochs = np.arange(1, len(values) + 1)
                self.lines_ += self.ax_.plot(epochs, values, label=label, marker=marker, ms=4)
        self.ax_.set(xlabel="epoch", ylabel=metric, title=f"{metric.capitalize()} per epoch")
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.grid(alpha=0.3)
        self.ax_.legend()
        return self


class SearchHistoryDisplay:
    """Loss, accuracy or score over the epochs of a search: mean and spread over the folds.

    Parameters
    ----------
    curves : dict of ndarray
        Columns as in `EpochSearchCV.cv_curves_`.
    labels : dict of int to str
        What to call each candidate in `curves`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        A curve per candidate, of the mean over the folds.
    """

    def __init__(self, curves, labels):
        self.curves = curves
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator, *, metric="loss", ax=None):
        """Draw the curves of a fitted search.

        Parameters
        ----------
        estimator : EpochSearchCV
            A fitted search.
        metric : str, default="loss"
            A column of `cv_curves_`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        SearchHistoryDisplay
            The display.
        """
        check_is_fitted(estimator, "cv_curves_")
        labels = dict(enumerate(map(_without_epochs, estimator.cv_results_["params"])))
        return cls(estimator.cv_curves_, labels).plot(metric=metric, ax=ax)

    def plot(self, *, metric="loss", ax=None):
        """Draw one metric.

        Parameters
        ----------
        metric : str, default="loss"
            A column of `curves`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

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
            raise ValueError(f"The curves have no {metric!r}; they have {', '.join(known)}.")
        self.ax_, self.figure_ = _axes(ax)
        self.lines_ = []
        values, epochs = self.curves[metric], self.curves["epoch"]
        for candidate in np.unique(self.curves["candidate"]):
            own = (self.curves["candidate"] == candidate) & np.isfinite(values)
            at = np.unique(epochs[own])
            folds = [values[own & (epochs == epoch)] for epoch in at]
            mean = np.array([fold.mean() for fold in folds])
            spread = np.array([fold.std() for fold in folds])
            self.lines_ += self.ax_.plot(at, mean, label=self.labels[candidate], marker="o", ms=4)
            self.ax_.fill_between(at, mean - spread, mean + spread, alpha=0.2)
        title = f"{metric.replace('_', ' ').capitalize()} per epoch, mean ± deviation of the folds"
        self.ax_.set(xlabel="epoch", ylabel=metric, title=title)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.grid(alpha=0.3)
        self.ax_.legend()
        return self


class SearchScoreDisplay:
    """A heat map of scores: a column per number of epochs, a row per other combination.

    Parameters
    ----------
    scores : ndarray of shape (n_combinations, n_epochs)
        Mean scores; NaN where there is no such candidate.
    combinations : list of str
        Labels of the rows.
    epochs : list of int
        Labels of the columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    im_ : matplotlib AxesImage
        The map.
    """

    def __init__(self, scores, combinations, epochs):
        self.scores = scores
        self.combinations = combinations
        self.epochs = epochs

    @classmethod
    def from_estimator(cls, estimator, *, score="score", ax=None):
        """Draw the mean scores of a fitted search.

        Parameters
        ----------
        estimator : EpochSearchCV
            A fitted search.
        score : str, default="score"
            Name of the score where there are several.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        SearchScoreDisplay
            The display.

        Raises
        ------
        ValueError
            If the search has no such score.
        """
        check_is_fitted(estimator, "cv_curves_")
        column = f"mean_test_{score}"
        if column not in estimator.cv_results_:
            raise ValueError(f"The search has no score {score!r}: there is no {column!r}.")
        cells = {}
        for params, value in zip(
            estimator.cv_results_["params"], estimator.cv_results_[column], strict=True
        ):
            (epochs,) = (v for name, v in params.items() if name.split("__")[-1] == "epochs")
            cells[_without_epochs(params), int(epochs)] = value
        combinations = list(dict.fromkeys(combination for combination, _ in cells))
        columns = sorted({epochs for _, epochs in cells})
        scores = np.array([[cells.get((c, e), np.nan) for e in columns] for c in combinations])
        return cls(scores, combinations, columns).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        SearchScoreDisplay
            The display.
        """
        size = (max(5, 1.1 * len(self.epochs) + 3), max(3, 0.6 * len(self.combinations) + 1.5))
        self.ax_, self.figure_ = _axes(ax, size=size)
        self.im_ = self.ax_.imshow(self.scores, cmap="viridis", aspect="auto")
        middle = (np.nanmin(self.scores) + np.nanmax(self.scores)) / 2
        for (row, column), value in np.ndenumerate(self.scores):
            if np.isfinite(value):
                color = "black" if value > middle else "white"
                self.ax_.text(column, row, f"{value:.4f}", ha="center", va="center", color=color)
        self.ax_.set_xticks(range(len(self.epochs)), self.epochs)
        self.ax_.set_yticks(range(len(self.combinations)), self.combinations)
        self.ax_.set(xlabel="epochs", title="Mean score over the folds")
        return self


def _without_epochs(params):
    """What a candidate is called beside those with other epochs."""
    named = {name.split("__")[-1]: value for name, value in params.items()}
    named.pop("epochs", None)
    return ", ".join(f"{name}={value}" for name, value in named.items()) or "all"


class LabelCountDisplay:
    """How often each label occurs, the most frequent first.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
        The labels.
    counts : ndarray of shape (n_classes,)
        Samples per label.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    """

    def __init__(self, labels, counts):
        self.labels = labels
        self.counts = counts

    @classmethod
    def from_labels(cls, y, *, ax=None):
        """Count labels and draw them.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LabelCountDisplay
            The display.
        """
        labels, counts = np.unique(np.asarray(y), return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return cls(labels[order], counts[order]).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw a bar per label.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LabelCountDisplay
            The display.
        """
        self.ax_, self.figure_ = _axes(ax)
        bars = self.ax_.bar([str(label) for label in self.labels], self.counts)
        self.ax_.bar_label(bars, padding=2, fontsize=8)
        self.ax_.set(xlabel="label", ylabel="samples", title="Samples per label")
        self.ax_.spines[["top", "right"]].set_visible(False)
        return self


class ImageGridDisplay:
    """A sheet of images with a caption each.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, channels)
        The images.
    captions : sequence of str
        One per image.
    title : str, default=""
        Title of the sheet.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    """

    def __init__(self, images, captions, *, title=""):
        self.images = images
        self.captions = captions
        self.title = title

    @classmethod
    def from_samples(cls, X, y=None, *, n_images=50, random_state=0, ax=None):
        """Draw images chosen at random.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y : array-like of shape (n,), default=None
            Labels, as captions.
        n_images : int, default=50
            Images drawn at most.
        random_state : int, RandomState instance or None, default=0
            Source of the choice.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        images = _images(X)
        captions = np.full(len(images), "") if y is None else np.asarray(y).astype(str)
        check_consistent_length(images, captions)
        order = check_random_state(random_state).permutation(len(images))[:n_images]
        return cls(images[order], captions[order].tolist(), title="Sample images").plot(ax=ax)

    @classmethod
    def from_means(cls, X, y, *, ax=None):
        """Draw the mean image of each class.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y : array-like of shape (n,)
            Labels.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        check_consistent_length(X, y)
        images, y = _images(X), np.asarray(y)
        labels = np.unique(y)
        means = np.stack([images[y == label].mean(axis=0) for label in labels])
        return cls(means, [str(label) for label in labels], title="Mean image per class").plot(
            ax=ax
        )

    @classmethod
    def from_estimator(cls, estimator, X, y, *, n_images=30, ax=None):
        """Draw a classifier's worst mistakes.

        Parameters
        ----------
        estimator : classifier
            A fitted classifier with ``predict_proba``.
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y : array-like of shape (n,)
            True labels.
        n_images : int, default=30
            Mistakes drawn at most.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        probability = estimator.predict_proba(X)
        return cls.from_predictions(X, y, probability, estimator.classes_, n_images=n_images, ax=ax)

    @classmethod
    def from_predictions(cls, X, y_true, y_proba, classes, *, n_images=30, ax=None):
        """Draw the worst mistakes: the wrong answers given with most confidence, first.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y_true : array-like of shape (n,)
            True labels.
        y_proba : array-like of shape (n, n_classes)
            Probabilities.
        classes : array-like of shape (n_classes,)
            The label of each column of `y_proba`.
        n_images : int, default=30
            Mistakes drawn at most.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        check_consistent_length(X, y_true, y_proba)
        y_true, y_proba = np.asarray(y_true), np.asarray(y_proba)
        predicted = np.asarray(classes)[y_proba.argmax(axis=1)]
        wrong = np.flatnonzero(predicted != y_true)
        worst = wrong[np.argsort(-y_proba[wrong].max(axis=1), kind="stable")][:n_images]
        captions = [f"{y_true[i]} read as {predicted[i]}\n{y_proba[i].max():.0%}" for i in worst]
        title = f"{len(wrong)} mistakes in {len(y_true)}, the most confident first"
        return cls(_images(X)[worst], captions, title=title).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the sheet.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        n = len(self.images)
        columns = min(TILES_PER_ROW, max(n, 1))
        rows = max(1, math.ceil(n / columns))
        lines = 1 + max((caption.count("\n") for caption in self.captions), default=0)
        self.ax_, self.figure_ = _axes(ax, size=(columns, rows * (1 + 0.18 * lines) + 0.4))
        for i, (image, caption) in enumerate(zip(self.images, self.captions, strict=True)):
            left, top = i % columns, (i // columns) * (1 + 0.18 * lines)
            low, high = float(image.min()), float(image.max())
            self.ax_.imshow(
                (image - low) / ((high - low) or 1.0),
                cmap="gray_r",
                extent=(left + 0.04, left + 0.96, top + 0.96, top + 0.04),
            )
            self.ax_.text(left + 0.5, top + 0.98, caption, ha="center", va="top", fontsize=7)
        self.ax_.set(xlim=(0, columns), ylim=(rows * (1 + 0.18 * lines), 0), title=self.title)
        self.ax_.set_axis_off()
        return self


def _axes(ax, size=None):
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax, ax.figure


def _images(X):
    """Images of shape (n, height, width), or with channels where there are several."""
    rows, seen = split_images(X)
    rows = np.asarray(rows)
    shape = infer_image_shape(rows.shape[1], seen)
    missing = math.prod(shape) - rows.shape[1]
    images = np.pad(rows, [(0, 0), (0, missing)]).reshape(-1, *shape)
    return images[..., 0] if shape[2] == 1 else images
