"""Save and load fitted estimators; loading runs no code from the file.

The file is a zip archive with ``estimator.json``, an entry for each array, and the network as
``network.onnx`` for other programs. It has a format number; unknown formats are refused.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skdigits.classifier import DigitClassifier
from skdigits.estimator import NetworkEstimator, network_of
from skdigits.files import atomic_write
from skdigits.fingerprint import PACKAGES, versions
from skdigits.persistence import archive, schema
from skdigits.persistence.exporting import onnx_model
from skdigits.persistence.older import (
    ATTRIBUTES_OF_FORMAT_2,
    LATER_ATTRIBUTES,
    LATER_PARAMETERS,
    from_format_2,
    with_style,
    without_verbose,
    without_zero_pads,
)
from skdigits.persistence.values import Decoder, Encoder
from skdigits.preprocessing import ImageReshaper, PictureCleaner
from skdigits.sequence import DigitSequenceRecognizer
from skdigits.wrappers import without_search

if TYPE_CHECKING:
    from skdigits.persistence.archive import Archive
    from skdigits.typing import Estimator, StrPath

FORMAT = 6
FORMATS = (2, 3, 4, 5, 6)  # accepted by `load`; networks of format 1 did not pad small images
ESTIMATORS: dict[str, Any] = {
    "DigitClassifier": DigitClassifier,
    "DigitSequenceRecognizer": DigitSequenceRecognizer,
    "ImageReshaper": ImageReshaper,
    "PictureCleaner": PictureCleaner,
}
ENTRIES = ("format", "estimator", "versions", "state")
VERSION = re.compile(r"[\w.+!-]{1,50}", re.ASCII)
MODEL_SLACK_BYTES = 2**18  # how much larger an ONNX model can be than expected


def save(estimator: Estimator, path: StrPath) -> Path:
    """Write a fitted estimator to a file; `load` reads it without running code from the file.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer, ImageReshaper, PictureCleaner, Pipeline \
or EpochSearchCV
        A fitted estimator, or a Pipeline of these; the ``best_estimator_`` of a search is saved.
    path : str or path-like
        The file, usually named ``….skdigits``; it is written atomically.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If the estimator is of another class, or contains an object that cannot be saved without
        code. Examples are a lambda as `architecture`, a Keras optimizer or callback, and a
        RandomState.
    ValueError
        If `load` would refuse a value, such as an optimizer that is not part of Keras.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    """
    estimator, writer = without_search(estimator), _Writer()
    try:
        kind, state = writer.describe(estimator)
    except NotFittedError:
        raise
    except ValueError as error:  # its message is about a file: "its optimizer …"
        name = type(estimator).__name__
        raise ValueError(f"This {name} cannot be saved: {_reason(error)}.") from error
    document = {"format": FORMAT, "estimator": kind, "versions": writer.versions, "state": state}
    with atomic_write(path) as file:
        archive.write(file, document, writer.encode.arrays, writer.networks)
    return Path(path)


def load(path: StrPath, architectures: dict[str, Callable[..., Any]] | None = None) -> Any:
    """Read an estimator written by `save`, without running code from the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    architectures : dict of str to callable, default=None
        Architecture functions by name. They are needed if `architecture` is a function, because the
        file contains only its name.

    Returns
    -------
    DigitClassifier, DigitSequenceRecognizer, ImageReshaper, PictureCleaner or Pipeline
        The fitted estimator, with the same predictions as the saved estimator.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file does not exist, or is a folder.
    ValueError
        If the file is damaged, has an unknown format, or contains an invalid value.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected a file, such as model.skdigits.")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    with path.open("rb") as opened:  # outside of try: a file that cannot be opened is not damaged
        try:
            with zipfile.ZipFile(opened) as file:
                found = archive.Archive(file, path.stat().st_size)
                return _Reader(found, architectures or {}).estimator()
        except (
            OSError,  # from a damaged zip
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
                f"{path} cannot be read as a file written by skdigits.save: {_reason(error)}."
            ) from error


def _reason(error: Exception) -> str:
    """Describe in a few words why a file is refused."""
    if isinstance(error, (ValueError, zipfile.BadZipFile, NotFittedError)):
        return str(error)[:200].rstrip(".")
    return f"its content is damaged ({type(error).__name__}: {str(error)[:100]})"


class _Writer:
    """Converter of estimators to JSON, which collects their arrays and networks."""

    def __init__(self) -> None:
        self.encode = Encoder()
        self.networks: list[bytes] = []
        self.versions = versions()

    def describe(self, estimator: Estimator) -> tuple[str, dict[str, Any]]:
        """Return the name of an estimator's class, and its state as JSON."""
        if type(estimator) is Pipeline:
            return "Pipeline", self._describe_pipeline(estimator)
        kind = type(estimator).__name__
        if ESTIMATORS.get(kind) is not type(estimator):
            raise TypeError(
                f"save() accepts {', '.join(ESTIMATORS)} and Pipeline; got {kind}. Use pickle for "
                "other estimators."
            )
        check_is_fitted(estimator)
        schema.check_parameters(estimator)  # as load() does
        schema.check_fitted(estimator)
        if _has_network_entry(estimator):
            self.networks.append(onnx_model(estimator, self.versions).SerializeToString())
        known = schema.parameters(estimator) | schema.ATTRIBUTES[kind]
        state = {k: v for k, v in estimator.__getstate__().items() if k in known}
        return kind, {name: self.encode(value, name) for name, value in state.items()}

    def _describe_pipeline(self, pipeline: Pipeline) -> dict[str, Any]:
        for name, value in pipeline.get_params(deep=False).items():
            if name not in ("steps", "verbose") and value is not None:
                raise TypeError(f"save() cannot save {name} of a Pipeline; set {name}=None.")
        schema.check_steps(pipeline.steps)
        steps = [["tuple", [name, self._describe_step(step)]] for name, step in pipeline.steps]
        return {"steps": ["list", steps], "verbose": bool(pipeline.verbose)}

    def _describe_step(self, step: Any) -> Any:
        if step is None or step == "passthrough":
            return step
        return ["estimator", *self.describe(step)]


class _Reader:
    """Converter of an archive to estimators."""

    def __init__(self, found: Archive, architectures: dict[str, Callable[..., Any]]) -> None:
        self.archive, self.document = found, found.document
        self.decode = Decoder(found.array, architectures)
        self.n_networks = 0

    def estimator(self) -> Any:
        """Return the estimator of the file."""
        if not isinstance(self.document, dict) or self.document.keys() != set(ENTRIES):
            raise ValueError(f"the entries of its {archive.DOCUMENT} are not {', '.join(ENTRIES)}")
        number = self.document["format"]
        if type(number) is not int or number not in FORMATS:
            raise ValueError(
                f"its format is {str(number)[:50]}, but this version of skdigits reads formats "
                f"{', '.join(map(str, FORMATS))}; install the version that wrote the file, or "
                "train again"
            )
        _check_versions(self.document["versions"])
        estimator = self._make(self.document["estimator"], self.document["state"])
        self.archive.check_complete()
        return estimator

    def _make(self, kind: Any, state: Any) -> Any:
        """Make an estimator from the name of its class and its state."""
        if not isinstance(state, dict):
            raise ValueError(f"the state of its {str(kind)[:50]} is not a JSON object")
        if kind == "Pipeline":
            return self._make_pipeline(state)
        if not isinstance(kind, str) or kind not in ESTIMATORS:
            raise ValueError(f"its class {str(kind)[:50]!r} is unknown")
        estimator = ESTIMATORS[kind]()
        known = schema.parameters(estimator) | schema.ATTRIBUTES[kind]
        known |= ATTRIBUTES_OF_FORMAT_2 if self.document["format"] == 2 else set()
        if self.document["format"] < 6:
            state = without_verbose(state)
        if unknown := state.keys() - known:
            raise ValueError(f"{kind} has the unknown attribute {min(unknown)[:50]!r}")
        self._set_parameters(estimator, state)
        self._set_fitted(estimator, state)
        check_is_fitted(estimator)
        if self.document["format"] >= 4 and _has_network_entry(estimator):
            self._check_network_entry(estimator)
        return estimator

    def _set_parameters(self, estimator: Estimator, state: dict[str, Any]) -> None:
        names = schema.parameters(estimator)
        later = LATER_PARAMETERS.get(type(estimator).__name__, {})
        if missing := names - state.keys() - later.keys():
            raise ValueError(f"the parameter {min(missing)} is missing")
        found = {name: self.decode.parameter(state[name], name) for name in names & state.keys()}
        estimator.set_params(**with_style(later | found))
        schema.check_parameters(estimator)
        if getattr(estimator, "callbacks", None):
            raise ValueError("it has callbacks, which are not supported in files")

    def _set_fitted(self, estimator: Estimator, state: dict[str, Any]) -> None:
        names = state.keys() - schema.parameters(estimator)
        fitted = {name: self.decode.fitted(state[name]) for name in state if name in names}
        if self.document["format"] == 2:
            fitted = from_format_2(fitted)
        later = LATER_ATTRIBUTES.get(type(estimator).__name__, {})
        estimator.__dict__.update(later | fitted)
        schema.check_fitted(estimator)

    def _make_pipeline(self, state: Any) -> Any:
        match state.get("steps"), state.get("verbose"):
            case [["list" | "tuple", [*steps]], bool() as verbose] if len(state) == 2:
                made = [self._make_step(step) for step in steps]
            case _:
                raise ValueError(
                    "the Pipeline should have exactly the entries 'steps' and 'verbose'"
                )
        schema.check_steps(made)
        return Pipeline(made, verbose=verbose)

    def _make_step(self, step: Any) -> Any:
        match step:
            case ["tuple" | "list", [name, (None | "passthrough") as none]]:
                return name, none
            case ["tuple" | "list", [name, ["estimator", kind, state]]]:
                return name, self._make(kind, state)
        raise ValueError("a step of the Pipeline is unknown")

    def _check_network_entry(self, estimator: Estimator) -> None:
        """Raise a ValueError if the ONNX model differs from the network that `load` uses."""
        model = onnx_model(estimator, self.document["versions"])
        expected = model.SerializeToString()
        content = self.archive.network(self.n_networks, len(expected) + MODEL_SLACK_BYTES)
        self.n_networks += 1
        if content == expected:
            return
        try:  # another version of protobuf may write fields in another order
            found = onnx.load_from_string(content)
        except Exception as error:  # an error of protobuf, which is not a direct dependency
            raise ValueError("its ONNX model is damaged") from error
        if self.document["format"] == 4:
            without_zero_pads(found)
        if found.SerializeToString() != expected:
            raise ValueError("its ONNX model differs from its network and weights")


def _check_versions(found: Any) -> None:
    if not isinstance(found, dict):
        raise ValueError("it does not contain the versions of the packages that wrote it")
    for name, version in found.items():
        known = name in PACKAGES or name == "python"
        if not known or not isinstance(version, str) or not VERSION.fullmatch(version):
            raise ValueError(
                f"the version {str(version)[:50]!r} of the package {name[:50]!r} is not valid"
            )


def _has_network_entry(estimator: Estimator) -> bool:
    is_network = isinstance(estimator, NetworkEstimator)
    return is_network and network_of(estimator).key.spec.has_onnx_model
