"""Sequences of digits as they were read."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdigits.metrics import as_sequences

COLUMNS = 3
RIGHT, WRONG = "tab:green", "tab:red"


class SequenceGridDisplay:
    """A sheet of pictures of sequences, with what was read and a box around each digit.

    Parameters
    ----------
    images : list of ndarray of shape (height, width)
        The pictures.
    captions : list of str
        One per picture.
    boxes : ndarray of shape (n, max_length, 4)
        Where digits were found; -1 behind the last.
    right : ndarray of shape (n,), bool
        Which were read without a mistake; their boxes are green, the others' red.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    """

    def __init__(self, images, captions, boxes, right):
        self.images, self.captions, self.boxes, self.right = images, captions, boxes, right

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, n_images=30):
        """Read sequences and draw the mistakes, the surest first, then the least sure others.

        Parameters
        ----------
        estimator : DigitSequenceRecognizer
            A fitted recognizer.
        X : array-like or list of array-like
            Images.
        y : array-like of shape (n_samples,), default=None
            What they show; without it the least sure come first.
        n_images : int, default=30
            Pictures drawn at most.

        Returns
        -------
        SequenceGridDisplay
            The display.
        """
        check_is_fitted(estimator)
        read, probability = (found[:, 0] for found in estimator.predict_top_k(X, k=1))
        truth = read if y is None else as_sequences(y)
        right = read == truth
        order = np.lexsort((np.where(right, probability, -probability), right))[:n_images]
        images = estimator._check_images(X, reset=False).images
        chosen = [images[i] for i in order]
        captions = [
            f"{read[i] or 'nothing'} ({probability[i]:.2f})"
            + ("" if right[i] else f", is {truth[i] or 'nothing'}")
            for i in order
        ]
        return cls(chosen, captions, estimator.locate(chosen), right[order]).plot()

    def plot(self):
        """Draw the sheet.

        Returns
        -------
        SequenceGridDisplay
            The display.
        """
        import matplotlib.pyplot as plt
        from matplotlib.patches import Rectangle

        rows = -(-len(self.images) // COLUMNS)
        self.figure_, axes = plt.subplots(
            rows, COLUMNS, figsize=(4 * COLUMNS, 0.9 * rows + 0.3), layout="constrained"
        )
        self.axes_ = np.atleast_1d(axes).ravel()
        for ax in self.axes_:
            ax.set_axis_off()
        drawn = zip(self.axes_, self.images, self.captions, self.boxes, self.right, strict=False)
        for ax, image, caption, boxes, right in drawn:
            ax.imshow(image, cmap="gray_r")
            ax.set_title(caption, fontsize=9, color="black" if right else WRONG)
            for left, top, end, bottom in boxes[boxes[:, 0] >= 0]:
                corner, size = (left - 0.5, top - 0.5), (end - left, bottom - top)
                color = RIGHT if right else WRONG
                ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor=color))
        return self
