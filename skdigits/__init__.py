"""A convolutional digit classifier that behaves like every other scikit-learn estimator."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skdigits.classifier import DigitClassifier
    from skdigits.model_selection import EpochSearchCV
    from skdigits.persistence import export, load, save
    from skdigits.preprocessing import ImageReshaper, PictureCleaner
    from skdigits.pretrained import load_pretrained
    from skdigits.reading import Reading, read, read_many
    from skdigits.sequence import DigitSequenceRecognizer

# ONNX Runtime reads this variable on import. Without it, ONNX Runtime sends usage data.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = [
    "DigitClassifier",
    "DigitSequenceRecognizer",
    "EpochSearchCV",
    "ImageReshaper",
    "PictureCleaner",
    "Reading",
    "export",
    "load",
    "load_pretrained",
    "read",
    "read_many",
    "save",
]

_modules = {
    "DigitClassifier": "classifier",
    "DigitSequenceRecognizer": "sequence",
    "EpochSearchCV": "model_selection",
    "ImageReshaper": "preprocessing",
    "PictureCleaner": "preprocessing",
    "Reading": "reading",
    "export": "persistence",
    "load": "persistence",
    "load_pretrained": "pretrained",
    "read": "reading",
    "read_many": "reading",
    "save": "persistence",
}


_submodules = {
    "comparison",
    "datasets",
    "inspection",
    "metrics",
    "model_selection",
    "persistence",
    "pictures",
    "preprocessing",
    "pretrained",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import skdigits` is fast."""
    if name in _submodules:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _modules:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_modules[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__", *_submodules})
