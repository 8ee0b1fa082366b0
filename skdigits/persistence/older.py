"""Files of older formats."""

from __future__ import annotations

import numpy as np

from skdigits.networks.trained import FitCall, ProgramKey, TrainedNetwork
from skdigits.validation import PixelRange

# Parameters that files do not have, or earlier ones not, and their values then.
LATER_PARAMETERS: dict[str, dict[str, str | bool | None]] = {
    "DigitClassifier": {"checkpoint": None},
    "DigitSequenceRecognizer": {
        "checkpoint": None,
        "style": "tiles",
        "test_time_augmentation": False,
    },
}


def from_format_2(state):
    """Convert the attributes of an estimator in format 2 to those of today.

    Parameters
    ----------
    state : dict of str to object
        Attributes by name.

    Returns
    -------
    dict of str to object
        Attributes by name.
    """
    state = dict(state)
    spec, optimizer, augment = state.pop("_key")
    arrays, scale = state.pop("_state"), state.pop("_scale")
    low, high = state.pop("_range", (0.0, 1 / scale if scale else 1.0))
    del state["_spec"], state["n_iter_"]
    state["_network"] = TrainedNetwork(
        key=ProgramKey(spec, optimizer, augment),
        seed=state.pop("_seed"),
        pixel_range=PixelRange(low, high, np.nan) if scale else None,
        pixel_dtype="uint8" if (low, high) == (0, 255) else spec.dtype,
        scale=scale or 1.0,
        learning_rate=state.pop("_rate"),
        weights=arrays["weights"],
        raw_weights=arrays["raw"],
        optimizer_state=arrays["optimizer"],
        history=state.pop("history_"),
        calls=tuple(FitCall(*call) for call in state.pop("_calls")),
        kept=state.pop("_kept"),
    )
    return state
