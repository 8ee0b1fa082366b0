"""Display of images of sequences, with their predictions and bounding boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdigits.inspection.axes import write_reason
from skdigits.inspection.estimators import check_kind, unwrap
from skdigits.metrics import as_sequences
from skdigits.sequence import DigitSequenceRecognizer
from skdigits.sequence_checks import check_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from skdigits.typing import Estimator, Images

COLUMNS = 3
EXPECTED = "a fitted DigitSequenceRecognizer, alone, as the last step of a Pipeline or in a search"
CORRECT, WRONG = "tab:green", "tab:red"


class SequenceGridDisplay:
    """A grid of images of sequences, with predictions and a box around each digit.

    Parameters
    ----------
    images : list of ndarray of shape (height, width)
        The images.
    captions : list of str
        One caption per image.
    boxes : ndarray of shape (n, max_length, 4)
        Left, top, right and bottom of each digit in pixels; -1 after the last digit.
    correct : ndarray of shape (n,), bool
        True for correct predictions; their boxes are green, the boxes of mistakes are red.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    """

    axes_: np.ndarray
    figure_: Figure

    def __init__(
        self,
        images: Sequence[np.ndarray],
        captions: Sequence[str],
        boxes: np.ndarray,
        correct: np.ndarray,
    ) -> None:
        self.images, self.captions, self.boxes, self.correct = images, captions, boxes, correct

    @classmethod
    def from_estimator(
        cls, estimator: Estimator, X: Images, y: ArrayLike | None = None, *, n_images: int = 30
    ) -> Self:
        """Draw mistakes, most confident first, then correct predictions, least confident first.

        Parameters
        ----------
        estimator : DigitSequenceRecognizer
            A fitted recognizer, alone, as the last step of a Pipeline or in a search.
        X : array-like or list of array-like
            Images, or the input of a Pipeline; the images are drawn as the recognizer gets them.
        y : array-like of shape (n_samples,), default=None
            True sequences; if `y` is None, the least confident predictions are drawn first.
        n_images : int, default=30
            Maximum number of images.

        Returns
        -------
        SequenceGridDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is of another class.
        NotFittedError
            If the estimator is not fitted.
        """
        estimator, transformers = unwrap(estimator)
        check_kind(estimator, DigitSequenceRecognizer, EXPECTED)
        check_is_fitted(estimator)
        for transformer in transformers:
            X = transformer.transform(X)
        read, probability = (found[:, 0] for found in estimator.predict_top_k(X, k=1))
        truth = read if y is None else as_sequences(y)
        correct = read == truth
        order = np.lexsort((np.where(correct, probability, -probability), correct))[:n_images]
        images = check_lines(estimator, X, reset=False).images
        chosen = [images[i] for i in order]
        captions = [
            f"{read[i] or 'nothing'} ({probability[i]:.2f})"
            + ("" if correct[i] else f", is {truth[i] or 'nothing'}")
            for i in order
        ]
        return cls(chosen, captions, estimator.locate(chosen), correct[order]).plot()

    def plot(self) -> Self:
        """Draw the grid.

        Returns
        -------
        SequenceGridDisplay
            The display.
        """
        import matplotlib.pyplot as plt
        from matplotlib.patches import Rectangle

        rows = max(1, -(-len(self.images) // COLUMNS))
        self.figure_, axes = plt.subplots(
            rows, COLUMNS, figsize=(4 * COLUMNS, 0.9 * rows + 0.3), layout="constrained"
        )
        self.axes_ = np.atleast_1d(axes).ravel()
        for ax in self.axes_:
            ax.set_axis_off()
        if not len(self.images):
            write_reason(self.axes_[COLUMNS // 2], "No images")
        drawn = zip(self.axes_, self.images, self.captions, self.boxes, self.correct, strict=False)
        for ax, image, caption, boxes, correct in drawn:
            ax.imshow(image, cmap="gray_r")
            ax.set_title(caption, fontsize=9, color="black" if correct else WRONG)
            for left, top, right, bottom in boxes[boxes[:, 0] >= 0]:
                corner, size = (left - 0.5, top - 0.5), (right - left, bottom - top)
                color = CORRECT if correct else WRONG
                ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor=color))
        return self
