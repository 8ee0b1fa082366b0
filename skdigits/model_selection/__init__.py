"""Model selection: EpochSearchCV."""

from skdigits.model_selection.search import EpochSearchCV

__all__ = ["EpochSearchCV"]
