"""Export trained networks for other programs."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from skdigits.estimator import network_of
from skdigits.files import atomic_write, check_destination
from skdigits.fingerprint import versions
from skdigits.wrappers import network_estimator

if TYPE_CHECKING:
    import onnx

    from skdigits.typing import Estimator, StrPath

PIXELS, PROBABILITIES = "pixels", "probabilities"


def export(estimator: Estimator, path: StrPath) -> Path:
    """Export the network of a fitted estimator for programs without skdigits.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer, Pipeline or EpochSearchCV
        A fitted estimator. The last step of a Pipeline, and the ``best_estimator_`` of a search,
        are exported.
    path : str or path-like
        The file; its ending selects the format: ``.onnx``, ``.keras`` or ``.tflite``. A classifier
        maps images of shape (n, height, width, channels) to class probabilities of shape
        (n, n_classes). A recognizer maps images of shape (n, 28, width, 1) with any width to the
        probabilities of its characters and of the blank, of shape (n, n_frames, n_characters + 1).
        Pixel values have the same range as in `fit`; recognizers in ``.keras`` and ``.tflite``
        always take 0–255. In ``.onnx`` files, the input ``pixels`` is uint8 if the network was
        trained on whole numbers 0–255, otherwise float32. The metadata contains ``labels``,
        ``image_shape`` and ``versions`` as JSON.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the ending is unknown, or the user's architecture cannot be converted.
    TypeError
        If the estimator has no network.
    ModuleNotFoundError
        If TensorFlow is not installed. For ``.onnx``, TensorFlow is needed only if the architecture
        is the user's function; then tf2onnx is needed, too.
    """
    path = check_destination(path, EXPORT_FORMATS)
    estimator = network_estimator(estimator)
    check_is_fitted(estimator)
    content = EXPORT_FORMATS[path.suffix.lower()](estimator)
    with atomic_write(path) as file:
        file.write(content)
    return path


def onnx_model(estimator: Estimator, installed: dict[str, str]) -> onnx.ModelProto:
    """Make the ONNX model of a fitted estimator.

    Parameters
    ----------
    estimator : DigitClassifier or DigitSequenceRecognizer
        The estimator.
    installed : dict of str to str
        Versions of the packages, for the metadata.

    Returns
    -------
    onnx.ModelProto
        A model from pixels to probabilities, as described in `export`.
    """
    network = network_of(estimator)
    if callable(network.key.spec.architecture):
        model = _converted(estimator)
    else:
        from skdigits.inference.graphs import build_from_pixels

        model = build_from_pixels(network, PIXELS, PROBABILITIES)
    if network.key.spec.reads_sequences:
        labels = [*estimator.characters_, ""]  # the last label is the blank
    else:
        labels = estimator.classes_.tolist()
    metadata = {
        "labels": labels,
        "image_shape": network.key.spec.image_shape,
        "versions": installed,
    }
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=json.dumps(value))
    return model


def _converted(estimator: Estimator) -> onnx.ModelProto:
    """Convert a network with a user's architecture to ONNX with Keras's exporter."""
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "network.onnx")
        try:
            estimator.to_keras().export(file, format="onnx", verbose=False)
        except ImportError as error:
            raise ModuleNotFoundError(
                "To export your own architecture to ONNX, install tf2onnx: pip install tf2onnx. "
                "Or export it to .keras or .tflite."
            ) from error
        model = onnx.load(file)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        reason = str(error).splitlines()[0][:100]
        raise ValueError(
            f"tf2onnx cannot convert this architecture: {reason}. Export it to .keras or .tflite."
        ) from error
    return model


def _onnx_bytes(estimator: Estimator) -> bytes:
    return onnx_model(estimator, versions()).SerializeToString()


def _keras_bytes(estimator: Estimator) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "network.keras")
        _with_probabilities(estimator).save(file)
        return file.read_bytes()


def _tflite_bytes(estimator: Estimator) -> bytes:
    from skdigits.training.plain_keras import to_tflite

    return to_tflite(_with_probabilities(estimator))


def _with_probabilities(estimator: Estimator) -> Any:
    from skdigits.training.plain_keras import with_probabilities

    model = estimator.to_keras()
    return with_probabilities(model) if network_of(estimator).key.spec.reads_sequences else model


EXPORT_FORMATS = {".onnx": _onnx_bytes, ".keras": _keras_bytes, ".tflite": _tflite_bytes}
