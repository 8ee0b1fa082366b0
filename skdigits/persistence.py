"""Save and load fitted estimators in a file that runs no code.

The file is a zip of ``estimator.json`` and one entry per array, holding its bytes. It has a
version number, and a version that is not known is refused.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdigits.classifier import DigitClassifier
from skdigits.files import replacing
from skdigits.networks.spec import ARCHITECTURES, READER, NetworkSpec
from skdigits.sequence import DigitSequenceRecognizer

FORMAT = 2  # 1 was of networks that saw small images without a margin
DOCUMENT = "estimator.json"
ESTIMATORS: dict[str, Any] = {
    "DigitClassifier": DigitClassifier,
    "DigitSequenceRecognizer": DigitSequenceRecognizer,
}
_forgotten = {"_skl_callbacks", "_sklearn_output_config", "_metadata_request"}


def save(estimator, path) -> Path:
    """Write a fitted estimator to a file that `load` reads without running code from it.

    Parameters
    ----------
    estimator : DigitClassifier or DigitSequenceRecognizer
        A fitted estimator.
    path : str or path-like
        The file, by custom ``….skdigits``; it is written whole or not at all.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If it is no estimator of skdigits, or holds something that only code can describe: a
        function as `architecture`, Keras callbacks, a RandomState.
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    kind = type(estimator).__name__
    if ESTIMATORS.get(kind) is not type(estimator):
        raise TypeError(f"save() takes a {' or '.join(ESTIMATORS)}; got {kind}.")
    check_is_fitted(estimator)
    arrays: list[np.ndarray] = []
    state = {k: v for k, v in estimator.__getstate__().items() if k not in _forgotten}
    document = {
        "format": FORMAT,
        "estimator": kind,
        "versions": versions(),
        "state": {name: _encode(value, name, arrays) for name, value in state.items()},
    }
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # A fixed date, so that equal estimators give equal files.
        archive.writestr(zipfile.ZipInfo(DOCUMENT), json.dumps(document, indent=1))
        for i, array in enumerate(arrays):
            archive.writestr(zipfile.ZipInfo(f"array-{i}"), array.tobytes())
    return Path(path)


def load(path):
    """Read an estimator written by `save`. No code from the file is run.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    DigitClassifier or DigitSequenceRecognizer
        The fitted estimator; it predicts as the saved one did.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If it is damaged, not of this form, or of another version of it.
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
            state = {k: _decode(v, archive) for k, v in document["state"].items()}
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
    """Versions of what a fitted estimator depends on.

    Returns
    -------
    dict of str to str
        Version by package.
    """
    packages = ("skdigits", "numpy", "scikit-learn", "scikeras", "keras", "tensorflow")
    return {name: importlib.metadata.version(name) for name in packages}


def _encode(value: Any, name: str, arrays: list[np.ndarray]) -> Any:
    """Turn a value into JSON, with arrays by number and anything not JSON as [tag, …]."""
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
    if isinstance(value, NetworkSpec):
        return ["network", _encode(vars(value), name, arrays)]
    raise TypeError(
        f"{name.lstrip('_')} holds a {type(value).__name__}, which a file without code cannot "
        "describe. Parameters can be set to None before saving; an estimator with a function as "
        "architecture, or with other labels than numbers and strings, can only be pickled."
    )


def _decode(value, archive):
    if not isinstance(value, list):
        if isinstance(value, dict):
            raise ValueError("an object where none is expected")
        return value
    tag, *rest = value
    if tag == "strings":
        return np.array([str(item) for item in rest[0]], dtype=object)
    if tag == "array":
        number, dtype, shape = rest
        kind = np.dtype(dtype)
        if kind.kind not in "biufUS":
            raise ValueError(f"an array of type {dtype}")
        flat = np.frombuffer(archive.read(f"array-{int(number)}"), kind)
        return flat.reshape([int(length) for length in shape]).copy()
    if tag in ("list", "tuple"):
        items = [_decode(item, archive) for item in rest[0]]
        return items if tag == "list" else tuple(items)
    if tag == "dict":
        return {_decode(k, archive): _decode(v, archive) for k, v in rest[0]}
    if tag == "network":
        spec = NetworkSpec(**_as_of_today(_decode(rest[0], archive)))
        if spec.architecture not in (*ARCHITECTURES, READER):
            raise ValueError(f"the architecture {spec.architecture!r} is not known here")
        return spec
    raise ValueError(f"an unknown kind of value, {tag!r}")


def _check_document(document):
    if document["format"] != FORMAT:
        raise ValueError(
            f"its format is {document['format']!r} and this version of skdigits reads "
            f"{FORMAT}; install the version it was written with, or train again"
        )
    if document["estimator"] not in ESTIMATORS:
        raise ValueError(f"it holds a {document['estimator']!r}, which is not known here")


def _as_of_today(network):
    """The fields of a network, renamed where an older version wrote them."""
    if "n_classes" in network:
        network["n_outputs"] = network.pop("n_classes")
        network["reads_sequences"] = network["image_shape"][1] is None
    return network
