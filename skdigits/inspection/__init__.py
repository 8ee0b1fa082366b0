"""Displays of data and training, in scikit-learn's form.

The class methods ``from_…`` compute the data and draw them; ``plot`` draws them again. For a
confusion matrix, use scikit-learn's ``ConfusionMatrixDisplay``.
"""

from skdigits.inspection.before_after import CleaningDisplay
from skdigits.inspection.coverage import CoverageDisplay
from skdigits.inspection.history import HistoryDisplay
from skdigits.inspection.images import ImageGridDisplay, LabelCountDisplay
from skdigits.inspection.reliability import ReliabilityDisplay
from skdigits.inspection.searches import SearchHistoryDisplay, SearchScoreDisplay
from skdigits.inspection.sequences import SequenceGridDisplay
from skdigits.inspection.trade_offs import TradeOffDisplay, TrainSizeDisplay

__all__ = [
    "CleaningDisplay",
    "CoverageDisplay",
    "HistoryDisplay",
    "ImageGridDisplay",
    "LabelCountDisplay",
    "ReliabilityDisplay",
    "SearchHistoryDisplay",
    "SearchScoreDisplay",
    "SequenceGridDisplay",
    "TradeOffDisplay",
    "TrainSizeDisplay",
]
