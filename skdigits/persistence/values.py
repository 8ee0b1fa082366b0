"""The values of an estimator as JSON and arrays, and back.

Numbers, strings, booleans and None are written as they are; all other values as ``[tag, …]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from skdigits.networks.spec import READERS, NetworkSpec
from skdigits.networks.trained import FitCall, ProgramKey, TrainedNetwork
from skdigits.persistence import schema
from skdigits.validation import PixelRange

RECORDS: dict[str, Any] = {
    record.__name__: record
    for record in (FitCall, NetworkSpec, PixelRange, ProgramKey, TrainedNetwork)
}


class Encoder:
    """Converts values to JSON.

    Parameters
    ----------
    encode_estimator : callable
        Converts an estimator within another one to JSON.

    Attributes
    ----------
    arrays : list of ndarray
        The arrays met, to which the JSON refers by number.
    """

    def __init__(self, encode_estimator: Callable[[Any], Any]):
        self.arrays: list[np.ndarray] = []
        self._encode_estimator = encode_estimator

    def __call__(self, value: Any, name: str) -> Any:
        """Convert a value.

        Parameters
        ----------
        value : object
            The value.
        name : str
            The attribute it belongs to, for messages.

        Returns
        -------
        object
            What ``json.dumps`` takes.

        Raises
        ------
        TypeError
            If only code can describe the value.
        ValueError
            If `Decoder` would refuse it.
        """
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, np.generic):
            return self(value.item(), name)
        if isinstance(value, np.ndarray):
            if value.dtype == object and all(isinstance(item, str) for item in value):
                return ["strings", value.tolist()]
            if value.dtype.kind in "biufUS":
                self.arrays.append(value)
                return ["array", len(self.arrays) - 1, value.dtype.str, list(value.shape)]
        if isinstance(value, range):
            value = list(value)
        if isinstance(value, (list, tuple)):
            return [type(value).__name__, [self(item, name) for item in value]]
        if isinstance(value, dict):
            return ["dict", [[self(k, name), self(v, name)] for k, v in value.items()]]
        if type(value).__name__ in RECORDS:
            fields = vars(schema.checked(value))
            if fields.get("raw_weights", ()) is fields.get("weights"):
                fields = fields | {"raw_weights": None}  # written once
            fields = {n: self(v, n) for n, v in fields.items()}
            return ["record", type(value).__name__, fields]
        if hasattr(value, "get_params"):
            return ["estimator", *self._encode_estimator(value)]
        return self._encode_function(value, name)

    def _encode_function(self, value, name):
        if name == "architecture":
            if getattr(value, "__name__", "<lambda>").isidentifier():
                return ["function", value.__name__]
            raise TypeError(
                "The architecture has no name that load() could refer to. Use a function that is "
                "defined with def."
            )
        advice = "Set the parameter to a plain value before saving."
        if name == "classes_":
            advice = "Use numbers or strings as labels, or pickle the estimator."
        raise TypeError(
            f"{name.lstrip('_')} holds a {type(value).__name__}, which a file without code cannot "
            f"describe. {advice}"
        )


class Decoder:
    """Converts JSON back to the values that `Encoder` converted.

    Parameters
    ----------
    read_array : callable
        Reads an array, from its number, dtype and shape.
    architectures : dict of str to callable
        The user's architecture functions.
    decode_estimator : callable
        Makes an estimator within another one, from the name of its class and its JSON.
    """

    def __init__(
        self,
        read_array: Callable[[Any, Any, Any], np.ndarray],
        architectures: dict[str, Callable[..., Any]],
        decode_estimator: Callable[[Any, Any], Any],
    ):
        self._array, self._architectures = read_array, architectures
        self._decode_estimator = decode_estimator

    def __call__(self, value: Any) -> Any:
        """Convert a value.

        Parameters
        ----------
        value : object
            What ``json.loads`` returned.

        Returns
        -------
        object
            The value.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it does not describe a value.
        """
        if isinstance(value, dict):
            raise ValueError("an object where none is expected")
        if not isinstance(value, list):
            return value
        tag, *rest = value
        if not isinstance(tag, str) or tag not in self._TAGS:
            raise ValueError(f"an unknown kind of value, {str(tag)[:50]!r}")
        return self._TAGS[tag](self, *rest)

    def _strings(self, items):
        if not all(isinstance(item, str) for item in items):
            raise ValueError("an array of strings that has other values")
        return np.array(items, dtype=object)

    def _dict(self, pairs):
        decoded = {self(key): self(value) for key, value in pairs}
        if len(decoded) != len(pairs):
            raise ValueError("a dict with equal keys")
        return decoded

    def _record(self, name, fields):
        values = {field: self(value) for field, value in fields.items()}
        if values.get("raw_weights", ()) is None:
            values["raw_weights"] = values["weights"]
        return schema.checked(RECORDS[name](**values))

    def _function(self, name):
        if name not in self._architectures:
            raise ValueError(
                f"its architecture is the function {name!r}, which is not in the file; pass "
                f"load(path, architectures={{{name!r}: function}})"
            )
        return self._architectures[name]

    def _network_of_format_2(self, pairs):
        fields = self(pairs)
        fields["n_outputs"] = fields.pop("n_classes")
        reads_sequences = fields["architecture"] in READERS
        return schema.checked(NetworkSpec(**fields, reads_sequences=reads_sequences))

    _TAGS: ClassVar[dict[str, Any]] = {
        "strings": _strings,
        "array": lambda self, *description: self._array(*description),
        "list": lambda self, items: [self(item) for item in items],
        "tuple": lambda self, items: tuple(self(item) for item in items),
        "dict": _dict,
        "record": _record,
        "estimator": lambda self, kind, state: self._decode_estimator(kind, state),
        "function": _function,
        "network": _network_of_format_2,
    }
