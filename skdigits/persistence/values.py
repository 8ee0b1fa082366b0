"""Convert the values of an estimator to JSON and arrays, and back.

Numbers, strings, booleans and None are plain JSON. All other values are JSON lists ``[tag, …]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skdigits.checks.pixel_ranges import PixelRange
from skdigits.networks.architectures import READERS
from skdigits.networks.layers import Layer
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import FitCall, ProgramKey, TrainedNetwork
from skdigits.persistence import schema
from skdigits.persistence.archive import ARRAY_DTYPE
from skdigits.persistence.older import LATER_FIELDS, with_restyling

RECORDS: dict[str, Any] = {
    record.__name__: record
    for record in (FitCall, NetworkSpec, PixelRange, ProgramKey, TrainedNetwork)
}


class Encoder:
    """Converter of values to JSON.

    Attributes
    ----------
    arrays : list of ndarray
        The arrays found so far; the JSON contains their indices.
    """

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []

    def __call__(self, value: Any, name: str) -> Any:
        """Convert a value.

        Parameters
        ----------
        value : object
            The value.
        name : str
            Name of the attribute that contains the value, for messages.

        Returns
        -------
        object
            A value for ``json.dumps``.

        Raises
        ------
        TypeError
            If the value cannot be saved, because files contain no code.
        ValueError
            If `Decoder` would refuse the value.
        """
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, np.generic):
            return self(value.item(), name)
        if isinstance(value, np.ndarray):
            if value.dtype == object and all(isinstance(item, str) for item in value):
                return ["strings", value.tolist()]
            if ARRAY_DTYPE.fullmatch(value.dtype.str):
                self.arrays.append(value)
                return ["array", len(self.arrays) - 1, value.dtype.str, list(value.shape)]
        if isinstance(value, range):
            value = list(value)
        if isinstance(value, (list, tuple)):
            tag = "list" if isinstance(value, list) else "tuple"
            return [tag, [self(item, name) for item in value]]
        if isinstance(value, dict):
            return ["dict", [[self(k, name), self(v, name)] for k, v in value.items()]]
        if type(value).__name__ in RECORDS:
            fields = vars(schema.checked(value))
            if fields.get("raw_weights", ()) is fields.get("weights"):
                fields = fields | {"raw_weights": None}  # the same arrays are written once
            fields = {n: self(v, n) for n, v in fields.items()}
            return ["record", type(value).__name__, fields]
        if isinstance(value, Layer):
            return ["layer", type(value).__name__, {n: self(v, n) for n, v in vars(value).items()}]
        return self._encode_function(value, name)

    def _encode_function(self, value: Any, name: str) -> list[str]:
        if name == "architecture":
            if getattr(value, "__name__", "<lambda>").isidentifier():
                return ["function", value.__name__]
            raise TypeError(
                "The architecture is a function without a name, but load() needs a name. Define "
                "the function with def."
            )
        advice = "Set the parameter to a plain value before saving."
        if name == "classes_":
            advice = "Use numbers or strings as labels, or pickle the estimator."
        raise TypeError(
            f"{name.lstrip('_')} contains a {type(value).__name__}, which cannot be saved, because "
            f"files contain no code. {advice}"
        )


class Decoder:
    """Converter of JSON from `Encoder` to values.

    Parameters
    ----------
    read_array : callable
        Function that reads an array, given its number, dtype and shape.
    architectures : dict of str to callable
        The user's architecture functions.
    """

    def __init__(
        self,
        read_array: Callable[[Any, Any, Any], np.ndarray],
        architectures: dict[str, Callable[..., Any]],
    ) -> None:
        self._array, self._architectures = read_array, architectures

    def parameter(self, value: Any, name: str) -> Any:
        """Convert a parameter of an estimator: a plain value, or the function of `architecture`.

        Parameters
        ----------
        value : object
            The result of ``json.loads``.
        name : str
            The parameter.

        Returns
        -------
        object
            The value.

        Raises
        ------
        ValueError
            If the JSON describes any other kind of value.
        """
        if name == "architecture" and not isinstance(value, str):
            return self._decode(value, self._function_of)
        return self._decode(value)

    def fitted(self, value: Any) -> Any:
        """Convert a fitted attribute: a plain value, or one of `RECORDS`.

        Parameters
        ----------
        value : object
            The result of ``json.loads``.

        Returns
        -------
        object
            The value.

        Raises
        ------
        ValueError
            If the JSON describes any other kind of value.
        """
        return self._decode(value, self._record)

    def _decode(self, value: Any, other: Any = None) -> Any:
        """Convert a value; `other` converts values that are not plain."""
        match value:
            case None | bool() | int() | float() | str():
                return value
            case ["array", number, dtype, shape]:
                return self._array(number, dtype, shape)
            case ["strings", [*items]] if all(isinstance(item, str) for item in items):
                return np.array(items, dtype=object)
            case ["list", [*items]]:
                return [self._decode(item, other) for item in items]
            case ["tuple", [*items]]:
                return tuple(self._decode(item, other) for item in items)
            case ["dict", [*pairs]]:
                return self._dict(pairs, other)
        if other is None:
            raise ValueError(f"it has a value of an unknown kind, {str(value)[:50]}")
        return other(value)

    def _dict(self, pairs: Any, other: Any) -> dict[Any, Any]:
        decoded = {}
        for pair in pairs:
            match pair:
                case [(bool() | int() | float() | str()) as key, value] if key not in decoded:
                    decoded[key] = self._decode(value, other)
                case _:
                    raise ValueError(f"a dict has the invalid entry {str(pair)[:50]}")
        return decoded

    def _record(self, value: Any) -> Any:
        match value:
            case ["record", str() as name, dict() as fields] if name in RECORDS:
                return self._record_of(name, LATER_FIELDS.get(name, {}) | fields)
            case ["network", pairs]:
                return self._network_of_format_2(pairs)
        return self._function_of(value)

    def _record_of(self, name: Any, fields: Any) -> Any:
        # Only a NetworkSpec may have layers; files contain them since format 6.
        layers = fields.pop("layers", None) if name == NetworkSpec.__name__ else None
        if fields.keys() != schema.FIELDS[name].keys():
            raise ValueError(f"its {name} has unknown or missing fields: {', '.join(fields):.99}")
        values = {field: self._decode(item, self._record) for field, item in fields.items()}
        if name == ProgramKey.__name__:
            values = with_restyling(values)
        if values.get("raw_weights", ()) is None:
            values["raw_weights"] = values["weights"]
        record = RECORDS[name](**values)
        is_spec = isinstance(record, NetworkSpec)
        return _described(record, layers) if is_spec else schema.checked(record)

    def _function_of(self, value: Any) -> Any:
        match value:
            case ["function", str() as name] if name in self._architectures:
                return self._architectures[name]
            case ["function", str() as name]:
                raise ValueError(
                    f"its architecture is the function {name[:50]!r}, which the file does not "
                    f"contain; use load(path, architectures={{{name[:50]!r}: function}})"
                )
        raise ValueError(f"it has a value of an unknown kind, {str(value)[:50]}")

    def _network_of_format_2(self, pairs: Any) -> NetworkSpec:
        fields = self._decode(pairs, self._function_of)
        fields["n_outputs"] = fields.pop("n_classes")
        reads_sequences = fields["architecture"] in READERS
        return schema.with_layers(NetworkSpec(**fields, reads_sequences=reads_sequences))


def _described(spec: NetworkSpec, found: Any) -> NetworkSpec:
    """Check a specification, build its layers, and compare them to the layers in the file."""
    spec = schema.with_layers(spec)
    if found not in (None, Encoder()(spec.layers, "layers")):
        raise ValueError(
            f"the layers of its network are not those of {spec.name!r} in this version of "
            "skdigits; install the version that wrote the file, or train again"
        )
    return spec
