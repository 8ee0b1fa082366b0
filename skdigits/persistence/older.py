"""Convert the content of files in older formats."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper

from skdigits.checks.pixel_ranges import PixelRange
from skdigits.networks.labels import DIGITS
from skdigits.networks.trained import FitCall, ProgramKey, TrainedNetwork

# Defaults for parameters that are missing in files, or in files of older formats.
LATER_PARAMETERS: dict[str, dict[str, str | bool | None]] = {
    "DigitClassifier": {"style": None},
    "DigitSequenceRecognizer": {"style": "tiles", "signs": "", "test_time_augmentation": False},
}
# Defaults for fitted attributes that are missing in files of older formats.
LATER_ATTRIBUTES = {"DigitSequenceRecognizer": {"characters_": DIGITS}}
# Defaults for fields of records that are missing in files of older formats.
LATER_FIELDS: dict[str, dict[str, Any]] = {
    "ProgramKey": {"restyle": False},
    "TrainedNetwork": {"pixel_dtype": "float32"},
}
ATTRIBUTES_OF_FORMAT_2 = {  # today these are fields of the trained network
    *("_key", "_spec", "_state", "_scale", "_range", "_seed", "_rate", "_calls", "_kept"),
    *("history_", "n_iter_"),
}


def without_verbose(state: dict[str, Any]) -> dict[str, Any]:
    """Remove the parameter `verbose` from a state; files up to format 5 contain it."""
    return {name: value for name, value in state.items() if name != "verbose"}


def with_style(parameters: dict[str, Any]) -> dict[str, Any]:
    """Move a classifier's style from `augment` to `style`; files up to format 5 need this."""
    if isinstance(parameters.get("augment"), str):
        return parameters | {"augment": False, "style": parameters["augment"]}
    return parameters


def with_restyling(fields: dict[str, Any]) -> dict[str, Any]:
    """Convert `augment="handwritten"` of a ProgramKey in an older format to `restyle=True`."""
    if fields["augment"] == "handwritten":
        return fields | {"augment": 0.0, "restyle": True}
    return fields


def from_format_2(state: dict[str, Any]) -> dict[str, Any]:
    """Convert the attributes of an estimator in format 2 to the current attributes."""
    state = dict(state)
    spec, optimizer, augment = state.pop("_key")
    arrays, scale = state.pop("_state"), state.pop("_scale")
    low, high = state.pop("_range", (0.0, 1 / scale if scale else 1.0))
    del state["_spec"], state["n_iter_"]
    state["_network"] = TrainedNetwork(
        key=ProgramKey(spec, optimizer, **with_restyling({"augment": augment})),
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


def without_zero_pads(model: Any) -> None:
    """Remove the attribute `pads` from the convolutions of an ONNX model if all pads are 0.

    Models in files of format 4 have this attribute, although 0 is the default. The model is changed
    in place.
    """
    zero = helper.make_attribute("pads", [0, 0, 0, 0]).SerializeToString()
    for node in model.graph.node:
        for i, attribute in reversed([*enumerate(node.attribute)]):
            if node.op_type == "Conv" and attribute.SerializeToString() == zero:
                del node.attribute[i]
