"""Save and load fitted estimators in a file that runs no code.

The file is a zip of ``estimator.json``, one entry per array, and the network as ``network.onnx``,
for other programs. It has a version number; unknown versions are refused.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdigits.classifier import DigitClassifier
from skdigits.files import atomic_write
from skdigits.inference.engines import has_onnx_model
from skdigits.persistence import archive, schema
from skdigits.persistence.exporting import onnx_model
from skdigits.persistence.older import LATER_PARAMETERS, from_format_2
from skdigits.persistence.values import Decoder, Encoder
from skdigits.persistence.versions import versions
from skdigits.persistence.wrappers import without_search
from skdigits.preprocessing import ImageReshaper, PictureCleaner
from skdigits.sequence import DigitSequenceRecognizer

FORMAT = 5
FORMATS = (2, 3, 4, 5)  # that can be read; in format 1, small images had no margin
ESTIMATORS: dict[str, Any] = {
    "DigitClassifier": DigitClassifier,
    "DigitSequenceRecognizer": DigitSequenceRecognizer,
    "ImageReshaper": ImageReshaper,
    "PictureCleaner": PictureCleaner,
}
ATTRIBUTES = {"_network", "_sklearn_output_config"}
MODEL_SLACK_BYTES = 2**18  # of an ONNX model besides its weights


def save(estimator, path) -> Path:
    """Write a fitted estimator to a file that `load` reads without running code from it.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer, ImageReshaper, PictureCleaner, Pipeline \
or EpochSearchCV
        A fitted estimator; or a Pipeline of these; or a search, whose ``best_estimator_`` is saved.
    path : str or path-like
        The file, usually named ``….skdigits``; it is written completely or not at all.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If it is another estimator, or contains something that only code can describe: a lambda as
        `architecture`, a Keras optimizer or callback, a RandomState.
    ValueError
        If it has a value that `load` would refuse, such as an optimizer that is not one of Keras's.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    writer = _Writer()
    kind, state = writer.describe(without_search(estimator))
    document = {"format": FORMAT, "estimator": kind, "versions": versions(), "state": state}
    with atomic_write(path) as file:
        archive.write(file, document, writer.encode.arrays, writer.networks)
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
    DigitClassifier, DigitSequenceRecognizer, ImageReshaper, PictureCleaner or Pipeline
        The fitted estimator; its predictions are those of the saved one.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ValueError
        If the file is damaged, or has another format or an unknown version, or a value is not what
        it must be.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected a file, such as a model.skdigits.")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    with path.open("rb") as opened:  # a file that cannot be opened is not damaged
        try:
            with zipfile.ZipFile(opened) as file:
                found = archive.Archive(file, path.stat().st_size)
                return _Reader(found, architectures or {}).estimator()
        except (
            OSError,  # of a damaged zip
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
                f"{path} cannot be read as a file written by skdigits.save: {str(error)[:200]}."
            ) from error


class _Writer:
    """Describes estimators, and collects their arrays and networks."""

    def __init__(self):
        self.encode = Encoder(self.describe)
        self.networks: list[bytes] = []

    def describe(self, estimator):
        """The name of an estimator's class, and its state as JSON."""
        if type(estimator) is Pipeline:
            return "Pipeline", self._describe_pipeline(estimator)
        kind = type(estimator).__name__
        if ESTIMATORS.get(kind) is not type(estimator):
            raise TypeError(
                f"save() takes a {', '.join(ESTIMATORS)}, or a Pipeline; got {kind}. Others, and "
                "classes of your own, can be pickled."
            )
        check_is_fitted(estimator)
        schema.check_estimator(estimator)  # what load() would refuse
        if _has_network_entry(estimator):
            self.networks.append(onnx_model(estimator).SerializeToString())
        known = _attribute_names(estimator) - {"checkpoint"}  # a folder of this machine
        state = {k: v for k, v in estimator.__getstate__().items() if k in known}
        return kind, {name: self.encode(value, name) for name, value in state.items()}

    def _describe_pipeline(self, pipeline):
        parameters = pipeline.get_params(deep=False)
        for name in ("memory", "transform_input"):
            if parameters.pop(name, None) is not None:
                raise TypeError(f"save() cannot save {name} of a Pipeline; set {name}=None.")
        return {name: self.encode(value, name) for name, value in parameters.items()}


class _Reader:
    """Makes estimators from an archive."""

    def __init__(self, found, architectures):
        self.archive, self.document = found, found.document
        self.decode = Decoder(found.array, architectures, self._make)
        self.n_networks = 0

    def estimator(self):
        """The estimator of the file."""
        number = self.document["format"]
        if number not in FORMATS:
            raise ValueError(
                f"its format is {str(number)[:50]} and this version of skdigits reads "
                f"{', '.join(map(str, FORMATS))}; install the version that wrote it, or train again"
            )
        estimator = self._make(self.document["estimator"], self.document["state"])
        self.archive.check_complete()
        return estimator

    def _make(self, kind, state):
        """An estimator from the name of its class and its state."""
        state = {name: self.decode(value) for name, value in state.items()}
        if kind == "Pipeline":
            return _make_pipeline(state)
        if kind not in ESTIMATORS:
            raise ValueError(f"it holds a {str(kind)[:50]!r}, which is not known here")
        if self.document["format"] == 2:
            state = from_format_2(state)
        state = LATER_PARAMETERS.get(kind, {}) | state
        estimator = ESTIMATORS[kind]()
        if missing := estimator.get_params(deep=False).keys() - state.keys():
            raise ValueError(f"the parameter {min(missing)} is missing")
        if unknown := state.keys() - _attribute_names(estimator):
            raise ValueError(f"{min(unknown)[:50]!r} is no attribute of {kind}")
        estimator.__dict__.update(state)
        schema.check_estimator(estimator)
        check_is_fitted(estimator)
        if self.document["format"] >= 4 and _has_network_entry(estimator):
            self._check_network_entry(estimator)
        return estimator

    def _check_network_entry(self, estimator):
        """Raise if the ONNX model, which only other programs use, has other weights."""
        expected = onnx_model(estimator)
        limit = expected.ByteSize() + MODEL_SLACK_BYTES
        content = self.archive.network(self.n_networks, limit)
        self.n_networks += 1
        try:
            model = onnx.load_from_string(content)
        except Exception as error:  # an error of protobuf, which is no dependency of ours
            raise ValueError("its ONNX model is damaged") from error
        if not np.array_equal(_sorted_weights(model), _sorted_weights(expected), equal_nan=True):
            raise ValueError("its ONNX model has other weights than the estimator")


def _attribute_names(estimator):
    """Names of the attributes that a file may have."""
    return estimator.get_params(deep=False).keys() | schema.FITTED.keys() | ATTRIBUTES


def _has_network_entry(estimator):
    network = getattr(estimator, "_network", None)
    return network is not None and has_onnx_model(network.key.spec)


def _sorted_weights(model):
    """All weights of an ONNX model, whatever their order and layout."""
    arrays = [numpy_helper.to_array(i).ravel() for i in model.graph.initializer]
    return np.sort(np.concatenate([np.zeros(0), *(a for a in arrays if a.dtype.kind == "f")]))


def _make_pipeline(state):
    """A Pipeline of estimators that are checked already."""
    for step in state["steps"]:
        name, estimator = step
        if not (isinstance(name, str) and _is_step(estimator)):
            raise ValueError("a step of its Pipeline is not one that load() knows")
    names = [name for name, _ in state["steps"]]
    if not names or len(set(names)) < len(names):
        raise ValueError("two steps of its Pipeline have the same name")
    if not isinstance(state.get("verbose", False), bool):
        raise ValueError("verbose of its Pipeline is not a bool")
    return Pipeline(**state)


def _is_step(estimator):
    known = (*ESTIMATORS.values(), Pipeline)
    return estimator is None or estimator == "passthrough" or type(estimator) in known
