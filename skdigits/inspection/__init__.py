"""Displays of data and training, in scikit-learn's form.

They compute with ``from_…`` and draw with ``plot``. A confusion matrix is drawn by scikit-learn's
own ``ConfusionMatrixDisplay``.
"""

from skdigits.inspection.curves import HistoryDisplay, SearchHistoryDisplay, SearchScoreDisplay
from skdigits.inspection.images import ImageGridDisplay, LabelCountDisplay

__all__ = [
    "HistoryDisplay",
    "ImageGridDisplay",
    "LabelCountDisplay",
    "SearchHistoryDisplay",
    "SearchScoreDisplay",
]
