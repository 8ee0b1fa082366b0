"""Save, load and export fitted estimators."""

from skdigits.persistence.exporting import EXPORT_FORMATS, export
from skdigits.persistence.saving import load, save

__all__ = ["EXPORT_FORMATS", "export", "load", "save"]
