"""Model selection: EpochSearchCV."""

from skdigits.model_selection.epoch_search import EpochSearchCV

__all__ = ["EpochSearchCV"]
