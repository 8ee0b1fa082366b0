"""Displays of images and their labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.utils import check_consistent_length, check_random_state

from skdigits.checks.image_shapes import infer_image_shape, split_images
from skdigits.inspection.axes import make_axes, write_reason
from skdigits.inspection.estimators import kind_of
from skdigits.metrics import plain_labels
from skdigits.wrappers import without_search

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from skdigits.typing import Estimator, Images, RandomState

TILES_PER_ROW = 10
MINIMUM_WIDTH = 4.5  # inches; room for a title


class LabelCountDisplay:
    """Number of samples per label.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
        The labels.
    counts : ndarray of shape (n_classes,)
        Number of samples per label.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    """

    ax_: Axes
    figure_: Figure

    def __init__(self, labels: np.ndarray, counts: np.ndarray) -> None:
        self.labels = labels
        self.counts = counts

    @classmethod
    def from_labels(cls, y: ArrayLike, *, ax: Axes | None = None) -> Self:
        """Count labels and draw the counts, sorted by label; numeric labels are sorted by value.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        LabelCountDisplay
            The display.
        """
        labels, counts = np.unique(plain_labels(np.asarray(y)), return_counts=True)
        order = _in_order(labels)
        return cls(labels[order], counts[order]).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw one bar per label.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        LabelCountDisplay
            The display.
        """
        self.ax_, self.figure_ = make_axes(ax, size=(max(6.4, 0.4 * len(self.labels)), 4.8))
        bars = self.ax_.bar([str(label) for label in self.labels], self.counts)
        self.ax_.bar_label(bars, padding=2, fontsize=8)
        self.ax_.set(xlabel="label", ylabel="samples", title="Samples per label")
        self.ax_.spines[["top", "right"]].set_visible(False)
        if not len(self.labels):
            write_reason(self.ax_, "No labels")
        return self


class ImageGridDisplay:
    """A grid of images with captions.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, channels)
        The images.
    captions : sequence of str
        One caption per image.
    title : str, default=""
        Title of the grid.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    """

    ax_: Axes
    figure_: Figure

    def __init__(self, images: np.ndarray, captions: Sequence[str], *, title: str = "") -> None:
        self.images = images
        self.captions = captions
        self.title = title

    @classmethod
    def from_samples(
        cls,
        X: Images,
        y: ArrayLike | None = None,
        *,
        n_images: int = 50,
        random_state: RandomState = 0,
        ax: Axes | None = None,
    ) -> Self:
        """Draw images chosen at random.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y : array-like of shape (n,), default=None
            Labels, which become the captions.
        n_images : int, default=50
            Maximum number of images.
        random_state : int, RandomState instance or None, default=0
            Random generator that chooses the images.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        images = _images(X)
        captions = (
            np.full(len(images), "") if y is None else plain_labels(np.asarray(y)).astype(str)
        )
        check_consistent_length(images, captions)
        order = check_random_state(random_state).permutation(len(images))[:n_images]
        return cls(images[order], captions[order].tolist(), title="Sample images").plot(ax=ax)

    @classmethod
    def from_means(cls, X: Images, y: ArrayLike, *, ax: Axes | None = None) -> Self:
        """Draw the mean image of each class.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y : array-like of shape (n,)
            Labels.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        check_consistent_length(X, y)
        images, y = _images(X), plain_labels(np.asarray(y))
        labels = np.unique(y)
        labels = labels[_in_order(labels)]
        means = np.stack([images[y == label].mean(axis=0) for label in labels])
        return cls(means, [str(label) for label in labels], title="Mean image per class").plot(
            ax=ax
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: Images,
        y: ArrayLike,
        *,
        n_images: int = 30,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the mistakes of a classifier, the most confident first.

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
            Maximum number of mistakes.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ImageGridDisplay
            The display.

        Raises
        ------
        ValueError
            If the estimator has no ``predict_proba``.
        NotFittedError
            If the estimator is not fitted.
        """
        estimator = without_search(estimator)
        if isinstance(estimator, type) or not hasattr(estimator, "predict_proba"):
            raise ValueError(
                f"Expected a fitted classifier with predict_proba; got {kind_of(estimator)}. "
                "SequenceGridDisplay draws the mistakes of a DigitSequenceRecognizer."
            )
        probability = estimator.predict_proba(X)
        return cls.from_predictions(X, y, probability, estimator.classes_, n_images=n_images, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: Images,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        classes: ArrayLike,
        *,
        n_images: int = 30,
        ax: Axes | None = None,
    ) -> Self:
        """Draw mistakes, the most confident first.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y_true : array-like of shape (n,)
            True labels.
        y_proba : array-like of shape (n, n_classes)
            Predicted probabilities.
        classes : array-like of shape (n_classes,)
            The label of each column of `y_proba`.
        n_images : int, default=30
            Maximum number of mistakes.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        check_consistent_length(X, y_true, y_proba)
        y_true, y_proba = plain_labels(np.asarray(y_true)), np.asarray(y_proba)
        predicted = np.asarray(classes)[y_proba.argmax(axis=1)]
        wrong = np.flatnonzero(predicted != y_true)
        worst = wrong[np.argsort(-y_proba[wrong].max(axis=1), kind="stable")][:n_images]
        captions = [f"{y_true[i]} read as {predicted[i]}\n{y_proba[i].max():.0%}" for i in worst]
        title = f"{len(wrong)} mistakes in {len(y_true)}, the most confident first"
        title = title if len(wrong) else f"No mistakes in {len(y_true)}"
        return cls(_images(X)[worst], captions, title=title).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the grid.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        ImageGridDisplay
            The display.
        """
        n = len(self.images)
        columns = min(TILES_PER_ROW, max(n, 1))
        rows = max(1, math.ceil(n / columns))
        lines = 1 + max((caption.count("\n") for caption in self.captions), default=0)
        self.ax_, self.figure_ = make_axes(
            ax, size=(max(columns, MINIMUM_WIDTH), rows * (1 + 0.18 * lines) + 0.4)
        )
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
        if not n:
            write_reason(self.ax_, "No images")
        return self


def _in_order(labels: np.ndarray) -> np.ndarray:
    """Return indices that sort labels by value, including numbers in strings."""
    try:
        return np.argsort(labels.astype(np.float64), kind="stable")
    except (TypeError, ValueError):
        return np.arange(len(labels))


def _images(X: Images) -> np.ndarray:
    """Reshape images to (n, height, width), or to (n, height, width, channels) if coloured."""
    rows, seen = split_images(X)
    rows = np.asarray(rows)
    shape = infer_image_shape(rows.shape[1], seen)
    missing = math.prod(shape) - rows.shape[1]
    images = np.pad(rows, [(0, 0), (0, missing)]).reshape(-1, *shape)
    return images[..., 0] if shape[2] == 1 else images
