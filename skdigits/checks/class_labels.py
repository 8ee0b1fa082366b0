"""Checks of class labels."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_not_one_hot(y: Any) -> None:
    """Raise a ValueError if labels are one-hot encoded."""
    values = np.asarray(y)
    shape = values.shape
    if len(shape) != 2 or shape[0] == 0 or shape[1] < 2:
        return
    if values.dtype.kind in "biuf" and (np.sort(values, axis=1) == np.eye(shape[1])[-1]).all():
        array = "y" if isinstance(y, np.ndarray) else "np.asarray(y)"
        raise ValueError(
            f"y is one-hot encoded, of shape {shape}; expected one label per sample. Pass "
            f"{array}.argmax(axis=1)."
        )


def check_known(labels: np.ndarray, classes: np.ndarray) -> None:
    """Raise a ValueError if a label is not among the classes."""
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise ValueError(
            f"y has labels {unknown.tolist()}, which are not among the classes {classes.tolist()}."
        )
