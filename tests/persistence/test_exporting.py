import json
import shutil
import subprocess
from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skdigits import DigitClassifier, DigitSequenceRecognizer, EpochSearchCV, ImageReshaper, export
from skdigits.datasets import load_digits, make_digit_sequences
from skdigits.inference.lines import score_frames

# Keras and its converters use what NumPy deprecates.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
ARCHITECTURES = ("compact", "tiny", "lenet", "deep")


@pytest.fixture(scope="module")
def images():
    return load_digits().images[:200]


@pytest.fixture(scope="module")
def labels():
    return load_digits().target[:200]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def classifier(request, images, labels):
    return DigitClassifier(request.param, epochs=1, random_state=0).fit(images, labels)


@pytest.fixture(scope="module")
def lines(images, labels):
    """Lines of digits with pixels from -1 to 3, 28 pixels high."""
    big = images.repeat(3, axis=1).repeat(3, axis=2)
    big = np.pad(big, [(0, 0), (2, 2), (2, 2)])
    drawn, texts = make_digit_sequences(big, labels, 30, lengths=(1, 3), random_state=0)
    return drawn / 255 * 4 - 1, texts


@pytest.fixture(scope="module")
def recognizer(lines):
    return DigitSequenceRecognizer(filters=2, epochs=1, random_state=0).fit(*lines)


def run_onnx(path, pixels):
    return onnxruntime.InferenceSession(path).run(None, {"pixels": pixels})[0]


def run_litert(path, pixels):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(path))
    number = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(number, pixels.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(number, pixels.astype(np.float32))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_onnx_gives_the_same_probabilities(classifier, images, tmp_path):
    path = export(classifier, tmp_path / "model.onnx")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    for count in (1, 7):
        pixels = images[:count, ..., np.newaxis]
        expected = classifier.predict_proba(images[:count])
        np.testing.assert_allclose(run_onnx(path, pixels), expected, atol=1e-6)


@pytest.mark.slow
def test_keras_and_litert_files_give_the_same_probabilities(images, labels, tmp_path, capfd):
    import keras

    classifier = DigitClassifier("tiny", epochs=1, random_state=0).fit(images / 255, labels)
    expected, pixels = classifier.predict_proba(images[:9] / 255), images[:9, ..., None] / 255
    file = export(classifier, tmp_path / "model.keras")
    found = keras.models.load_model(file).predict(pixels, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    capfd.readouterr()
    file = export(classifier, tmp_path / "model.tflite")
    assert not capfd.readouterr().out
    np.testing.assert_allclose(run_litert(file, pixels), expected, atol=1e-4)


def test_what_the_onnx_file_says_of_itself(images, labels, tmp_path):
    names = np.array(list("abcdefghij"))[labels]
    classifier = DigitClassifier("compact", epochs=1).fit(images / 255, names)
    path = export(classifier, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(path)
    assert session.get_inputs()[0].type == "tensor(float)"
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["labels"]) == list("abcdefghij")
    assert json.loads(metadata["image_shape"]) == [8, 8, 1]
    assert "onnxruntime" in json.loads(metadata["versions"])
    classifier.fit(images, names)
    session = onnxruntime.InferenceSession(export(classifier, tmp_path / "bytes.onnx"))
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert session.get_inputs()[0].shape == ["n", 8, 8, 1]


@pytest.mark.slow
def test_sequences_of_any_width(recognizer, lines, tmp_path):
    import keras

    files = [export(recognizer, tmp_path / f"model{end}") for end in (".onnx", ".keras", ".tflite")]
    for width in (lines[0].shape[2], 61, 5):
        pixels = lines[0][:4, :, :width]
        expected = np.exp(np.stack(score_frames(*recognizer._check(pixels))))
        pixels = pixels[..., np.newaxis].astype(np.float32)
        np.testing.assert_allclose(run_onnx(files[0], pixels), expected, atol=1e-5)
        in_bytes = np.rint((pixels + 1) / 4 * 255)
        found = keras.models.load_model(files[1]).predict(in_bytes, verbose=0)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_allclose(run_litert(files[2], in_bytes), expected, atol=1e-4)


def own(image_shape, n_classes, activation="swish"):
    import keras

    inputs = keras.Input(image_shape)
    x = keras.layers.Conv2D(3, 3, activation=activation)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def test_an_architecture_of_the_user(images, labels, tmp_path):
    classifier = DigitClassifier(own, epochs=1, random_state=0).fit(images, labels)
    expected = classifier.predict_proba(images[:5])
    pixels = images[:5, ..., np.newaxis].astype(np.float32)
    found = run_litert(export(classifier, tmp_path / "model.tflite"), pixels)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    try:
        import tf2onnx  # noqa: F401
    except ImportError:
        with pytest.raises(ModuleNotFoundError, match="pip install tf2onnx"):
            export(classifier, tmp_path / "model.onnx")
        return
    path = export(classifier, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(path)
    assert json.loads(session.get_modelmeta().custom_metadata_map["labels"]) == list(range(10))
    (found,) = session.run(None, {session.get_inputs()[0].name: pixels})
    np.testing.assert_allclose(found, expected, atol=1e-5)
    other = DigitClassifier(partial(own, activation="gelu"), epochs=1).fit(images, labels)
    with pytest.raises(ValueError, match="tf2onnx cannot convert this architecture: .*Erfc"):
        export(other, tmp_path / "other.onnx")


def test_searches_and_pipelines_are_exported_by_their_network(images, labels, tmp_path):
    rows = images.reshape(200, -1)
    pipeline = make_pipeline(ImageReshaper(), DigitClassifier("compact", random_state=0))
    search = EpochSearchCV(pipeline, {"digitclassifier__epochs": [1, 2]}, cv=2).fit(rows, labels)
    found = run_onnx(export(search, tmp_path / "model.onnx"), images[:5, ..., np.newaxis])
    np.testing.assert_allclose(found, search.predict_proba(rows[:5]), atol=1e-6)


def test_what_cannot_be_exported(classifier, images, labels, tmp_path):
    with pytest.raises(ValueError, match=r"should end in \.onnx or \.keras or \.tflite"):
        export(classifier, tmp_path / "model.pb")
    with pytest.raises(TypeError, match="Expected a DigitClassifier or .* got SVC"):
        export(SVC(), tmp_path / "model.onnx")
    with pytest.raises(FileNotFoundError, match="does not exist; create it first"):
        export(classifier, tmp_path / "nowhere" / "model.onnx")
    search = EpochSearchCV(DigitClassifier("compact"), {"epochs": [1]}, cv=2, refit=False)
    with pytest.raises(ValueError, match="set refit=True"):
        export(search.fit(images, labels), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


SCRIPT = """
const ort = require("onnxruntime-web");
const { readFileSync } = require("fs");
(async () => {
  const [file, pixels] = process.argv.slice(2);
  const { dims, data } = JSON.parse(readFileSync(pixels));
  const session = await ort.InferenceSession.create(readFileSync(file));
  const input = new ort.Tensor("uint8", Uint8Array.from(data), dims);
  const { probabilities } = await session.run({ pixels: input });
  console.log(JSON.stringify(Array.from(probabilities.data)));
})();
"""


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs Node")
def test_the_onnx_file_runs_in_javascript(classifier, images, tmp_path):
    if classifier.architecture != "lenet":
        return
    install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "onnxruntime-web"]
    if subprocess.run(install, cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("onnxruntime-web could not be installed")
    pixels = images[:3, ..., np.newaxis]
    content = {"dims": pixels.shape, "data": pixels.ravel().tolist()}
    (tmp_path / "pixels.json").write_text(json.dumps(content))
    (tmp_path / "run.js").write_text(SCRIPT)
    export(classifier, tmp_path / "model.onnx")
    run = subprocess.run(
        ["node", "run.js", "model.onnx", "pixels.json"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = np.reshape(json.loads(run.stdout), (3, 10))
    np.testing.assert_allclose(found, classifier.predict_proba(images[:3]), atol=1e-5)


def test_an_estimator_that_is_not_fitted_is_not_exported(tmp_path):
    for estimator in (DigitClassifier(), DigitSequenceRecognizer()):
        with pytest.raises(NotFittedError):
            export(estimator, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
