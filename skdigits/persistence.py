"""Save and load fitted estimators in a file that runs no code.

The file is a zip of ``estimator.json`` and one entry per array, holding its bytes. It has a version
number; unknown versions are refused.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdigits.classifier import DigitClassifier
from skdigits.files import atomic_write
from skdigits.networks.spec import ARCHITECTURES, READER, NetworkSpec
from skdigits.networks.trained import FitCall, ProgramKey, TrainedNetwork
from skdigits.sequence import DigitSequenceRecognizer
from skdigits.validation import PixelRange

FORMAT = 3
FORMATS = (2, 3)  # that can be read; in format 1, small images had no margin
DOCUMENT = "estimator.json"
ESTIMATORS: dict[str, Any] = {
    "DigitClassifier": DigitClassifier,
    "DigitSequenceRecognizer": DigitSequenceRecognizer,
}
RECORDS: dict[str, Any] = {
    record.__name__: record
    for record in (FitCall, NetworkSpec, PixelRange, ProgramKey, TrainedNetwork)
}
NOT_SAVED = {"_skl_callbacks", "_sklearn_output_config", "_metadata_request"}


def save(estimator, path) -> Path:
    """Write a fitted estimator to a file that `load` reads without running code from it.

    Parameters
    ----------
    estimator : DigitClassifier or DigitSequenceRecognizer
        A fitted estimator.
    path : str or path-like
        The file, usually named ``….skdigits``; it is written completely or not at all.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If it is not an estimator of skdigits, or contains something that only code can describe: a
        lambda as `architecture`, a Keras optimizer or callback, a RandomState.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    kind = type(estimator).__name__
    if ESTIMATORS.get(kind) is not type(estimator):
        raise TypeError(f"save() takes a {' or '.join(ESTIMATORS)}; got {kind}.")
    check_is_fitted(estimator)
    arrays: list[np.ndarray] = []
    state = {k: v for k, v in estimator.__getstate__().items() if k not in NOT_SAVED}
    document = {
        "format": FORMAT,
        "estimator": kind,
        "versions": versions(),
        "state": {name: _encode(value, name, arrays) for name, value in state.items()},
    }
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date, so that equal estimators give equal files.
        archive.writestr(zipfile.ZipInfo(DOCUMENT), json.dumps(document, indent=1))
        for i, array in enumerate(arrays):
            archive.writestr(zipfile.ZipInfo(f"array-{i}"), array.tobytes())
    return Path(path)


def load(path, architectures=None):
    """Read an estimator written by `save`. No code from the file is run.

    Parameters
    ----------
    path : str or path-like
        The file.
    architectures : dict of str to callable, default=None
        Functions by name, for estimators with a function as `architecture`; the file contains only
        the name.

    Returns
    -------
    DigitClassifier or DigitSequenceRecognizer
        The fitted estimator; its predictions are those of the saved one.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If the file is damaged, or has another format or an unknown version.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected a file, such as a model.skdigits.")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            document = json.loads(archive.read(DOCUMENT))
            _check_document(document)
            decode = _Decoder(archive, architectures or {})
            state = {name: decode(value) for name, value in document["state"].items()}
            if document["format"] == 2:
                state = _from_format_2(state)
        estimator = ESTIMATORS[document["estimator"]]()
        parameters = estimator.get_params(deep=False)
        missing = sorted(parameters.keys() - state.keys())
        if missing:
            raise ValueError(f"the parameters {', '.join(missing)} are missing")
        estimator.__dict__.update(state)
        check_is_fitted(estimator)
    except (
        OSError,  # of a damaged zip: the file has been read
        ValueError,
        AttributeError,
        KeyError,
        IndexError,
        TypeError,
        EOFError,
        OverflowError,
        RecursionError,
        RuntimeError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(
            f"{path} cannot be read as a file written by skdigits.save: {error}."
        ) from error
    return estimator


def versions() -> dict[str, str]:
    """Versions of the packages that a fitted estimator depends on.

    Returns
    -------
    dict of str to str
        Version by package.
    """
    packages = ("skdigits", "numpy", "scikit-learn", "scikeras", "keras", "tensorflow")
    return {name: importlib.metadata.version(name) for name in packages}


def _encode(value: Any, name: str, arrays: list[np.ndarray]) -> Any:
    """Convert a value to JSON: arrays become numbers, other types [tag, …]."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return _encode(value.item(), name, arrays)
    if isinstance(value, np.ndarray):
        if value.dtype == object and all(isinstance(item, str) for item in value):
            return ["strings", value.tolist()]
        if value.dtype.kind in "biufUS":
            arrays.append(value)
            return ["array", len(arrays) - 1, value.dtype.str, list(value.shape)]
    if isinstance(value, range):
        value = list(value)
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [_encode(item, name, arrays) for item in value]]
    if isinstance(value, dict):
        pairs = value.items()
        return ["dict", [[_encode(k, name, arrays), _encode(v, name, arrays)] for k, v in pairs]]
    if type(value).__name__ in RECORDS:
        fields = {n: _encode(v, n, arrays) for n, v in vars(value).items()}
        return ["record", type(value).__name__, fields]
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


class _Decoder:
    """Converts JSON values back to the values that `_encode` converted."""

    def __init__(self, archive, architectures):
        self.archive, self.architectures = archive, architectures

    def __call__(self, value):
        if not isinstance(value, list):
            if isinstance(value, dict):
                raise ValueError("an object where none is expected")
            return value
        tag, *rest = value
        if tag not in self._TAGS:
            raise ValueError(f"an unknown kind of value, {tag!r}")
        return self._TAGS[tag](self, *rest)

    def _array(self, number, dtype, shape):
        kind = np.dtype(dtype)
        if kind.kind not in "biufUS":
            raise ValueError(f"an array of type {dtype}")
        flat = np.frombuffer(self.archive.read(f"array-{int(number)}"), kind)
        return flat.reshape([int(length) for length in shape]).copy()

    def _record(self, name, fields):
        record = RECORDS[name](**{name: self(value) for name, value in fields.items()})
        if isinstance(record, NetworkSpec):
            self._check_architecture(record.architecture)
        return record

    def _check_architecture(self, architecture):
        if not callable(architecture) and architecture not in (*ARCHITECTURES, READER):
            raise ValueError(f"the architecture {architecture!r} is not known here")

    def _function(self, name):
        if name not in self.architectures:
            raise ValueError(
                f"its architecture is the function {name!r}, which is not in the file; pass "
                f"load(path, architectures={{{name!r}: function}})"
            )
        return self.architectures[name]

    def _network_of_format_2(self, pairs):
        fields = self(pairs)
        self._check_architecture(fields["architecture"])
        fields["n_outputs"] = fields.pop("n_classes")
        return NetworkSpec(**fields, reads_sequences=fields["architecture"] == READER)

    _TAGS: ClassVar[dict[str, Any]] = {
        "strings": lambda self, items: np.array([str(item) for item in items], dtype=object),
        "array": _array,
        "list": lambda self, items: [self(item) for item in items],
        "tuple": lambda self, items: tuple(self(item) for item in items),
        "dict": lambda self, pairs: {self(k): self(v) for k, v in pairs},
        "record": _record,
        "function": _function,
        "network": _network_of_format_2,
    }


def _from_format_2(state):
    """The state of an estimator, from the attributes that it had in format 2."""
    state = dict(state)
    spec, optimizer, augment = state.pop("_key")
    arrays, scale = state.pop("_state"), state.pop("_scale")
    low, high = state.pop("_range", (0.0, 1 / scale if scale else 1.0))
    del state["_spec"], state["n_iter_"]
    state["_network"] = TrainedNetwork(
        key=ProgramKey(spec, optimizer, augment),
        seed=state.pop("_seed"),
        pixel_range=PixelRange(low, high, np.nan) if scale else None,
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


def _check_document(document):
    if document["format"] not in FORMATS:
        raise ValueError(
            f"its format is {document['format']!r} and this version of skdigits reads "
            f"{' and '.join(map(str, FORMATS))}; install the version that wrote it, or train again"
        )
    if document["estimator"] not in ESTIMATORS:
        raise ValueError(f"it holds a {document['estimator']!r}, which is not known here")
