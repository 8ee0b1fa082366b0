import copy
import json
import pickle
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

from skdigits import DigitClassifier, EpochSearchCV, ImageReshaper, export, load, save
from skdigits.datasets import load_digits
from skdigits.networks.architectures import compact
from skdigits.persistence.saving import FORMAT


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    return save(fitted, tmp_path_factory.mktemp("saved") / "model.skdigits")


def test_a_loaded_estimator_predicts_and_trains_on_as_the_saved_one(digits, tmp_path):
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    names = np.array(list("abcdefghij"), dtype=object)[y]
    classifier = DigitClassifier(epochs=2, random_state=0, warm_start=True, validation_fraction=0.1)
    classifier.fit(frame, names)
    other = load(save(classifier, tmp_path / "model.skdigits"))
    assert other.get_params() == classifier.get_params()
    assert other.history_ == classifier.history_
    assert list(other.feature_names_in_) == list(frame.columns)
    np.testing.assert_array_equal(other.predict(frame), classifier.predict(frame))
    np.testing.assert_array_equal(other.predict_proba(frame), classifier.predict_proba(frame))
    again = other.fit(frame, names).predict_proba(frame)
    np.testing.assert_array_equal(again, classifier.fit(frame, names).predict_proba(frame))


def test_kept_epochs_are_saved(digits, fitted, saved):
    for ours, theirs in zip(
        load(saved).staged_predict_proba(digits[0]),
        fitted.staged_predict_proba(digits[0]),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_loading_imports_no_tensorflow_and_no_pickle(saved):
    code = (
        "import sys, skdigits, numpy as np; model = skdigits.load(sys.argv[1]); "
        "model.predict(np.zeros((1, 8, 8), np.uint8)); "
        "print(sorted({'tensorflow', 'keras', 'scikeras'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(saved)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
    with zipfile.ZipFile(saved) as archive:
        assert not any(archive.read(name)[:2] == b"\x80\x04" for name in archive.namelist())


def test_equal_estimators_give_equal_files(fitted, saved, tmp_path):
    assert save(fitted, tmp_path / "again").read_bytes() == saved.read_bytes()


def test_what_cannot_be_saved_is_refused_and_leaves_no_file(digits, tmp_path):
    import keras

    path = tmp_path / "model.skdigits"
    with pytest.raises(
        TypeError, match=r"save\(\) accepts DigitClassifier, .* and Pipeline; got SVC"
    ):
        save(SVC(), path)
    with pytest.raises(NotFittedError):
        save(DigitClassifier(), path)
    classifier = DigitClassifier(epochs=1).fit(*digits)
    classifier.set_params(callbacks=[keras.callbacks.Callback()])
    with pytest.raises(TypeError, match="callbacks contains a Callback"):
        save(classifier, path)
    with pytest.raises(FileNotFoundError, match="does not exist; create it first"):
        save(load_free(classifier), tmp_path / "nowhere" / "model.skdigits")
    with pytest.raises(IsADirectoryError, match="is a folder; expected the name of a file"):
        save(classifier, tmp_path)
    assert list(tmp_path.iterdir()) == []


def load_free(classifier):
    return classifier.set_params(callbacks=None)


FILES = Path(__file__).parent / "files"


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_files_of_every_format_are_read(number):
    """Written by the version of that format, with their predictions."""
    X, y = load_digits().images, load_digits().target
    expected = np.load(FILES / f"predictions-format-{number}.npz")
    classifier = load(FILES / f"classifier-format-{number}.skdigits")
    probability = classifier.predict_proba(X[:20])
    np.testing.assert_allclose(probability, expected["probability"], atol=1e-5)
    staged = next(classifier.staged_predict_proba(X[:20]))
    np.testing.assert_allclose(staged, expected["staged"], atol=1e-5)
    assert classifier.n_iter_ == 3
    assert classifier.set_params(warm_start=True, epochs=1).fit(X, y).n_iter_ == 4
    recognizer = load(FILES / f"recognizer-format-{number}.skdigits")
    assert recognizer.predict(X[:20]).tolist() == expected["sequences"].tolist()
    confidence = recognizer.predict_confidence(X[:20])
    np.testing.assert_allclose(confidence, expected["confidence"], atol=1e-5)
    if number >= 4:
        pipeline = load(FILES / f"pipeline-format-{number}.skdigits")
        probability = pipeline.predict_proba(X[:20].reshape(20, -1))
        np.testing.assert_allclose(probability, expected["pipeline"], atol=1e-5)


def test_unpickling_and_predicting_import_no_tensorflow(digits, fitted, tmp_path):
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps((fitted, digits[0])))
    code = (
        "import pickle, sys; model, X = pickle.load(open(sys.argv[1], 'rb')); "
        "print(model.predict(X).tolist()); print('tensorflow' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    labels, imported = run.stdout.splitlines()
    assert json.loads(labels) == fitted.predict(digits[0]).tolist()
    assert imported == "False"


def test_pipelines_and_searches_are_saved(digits, tmp_path):
    X, y = digits
    steps = [("images", ImageReshaper()), ("cnn", DigitClassifier("compact", random_state=0))]
    pipeline = Pipeline(steps).fit(X, y)
    path = save(pipeline, tmp_path / "model.skdigits")
    other = load(path)
    assert [name for name, _ in other.steps] == ["images", "cnn"]
    np.testing.assert_array_equal(other.predict_proba(X), pipeline.predict_proba(X))
    assert repr(other) == repr(pipeline)
    search = EpochSearchCV(Pipeline(steps), {"cnn__epochs": [1, 2]}, cv=2).fit(X, y)
    found = load(save(search, path)).predict_proba(X)
    np.testing.assert_array_equal(found, search.predict_proba(X))
    frame = pd.DataFrame(X).rename(columns=str)
    flat = Pipeline([("flat", ImageReshaper("flat")), ("none", "passthrough"), steps[1]])
    flat.set_output(transform="pandas").fit(frame, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of missing names of features
        found = load(save(flat, path)).predict(frame)
    np.testing.assert_array_equal(found, flat.predict(frame))


def test_pipelines_with_other_steps_are_refused(digits, tmp_path):
    X, y = digits
    path = tmp_path / "model.skdigits"
    classifier = DigitClassifier("compact", epochs=1)
    scaled = make_pipeline(MinMaxScaler(), classifier).fit(X, y)
    with pytest.raises(TypeError, match=r"save\(\) accepts .*; got MinMaxScaler"):
        save(scaled, path)
    with pytest.raises(TypeError, match="cannot save memory of a Pipeline; set memory=None"):
        save(make_pipeline(classifier, memory=str(tmp_path)).fit(X, y), path)
    with pytest.raises(NotFittedError):
        save(make_pipeline(ImageReshaper(), DigitClassifier()), path)
    assert not path.exists()


def test_what_an_estimator_may_have_besides(digits, tmp_path):
    """Each is saved and loaded, or refused by save: never written to a file that cannot be read."""
    import keras

    X, y = digits
    path = tmp_path / "model.skdigits"
    classifier = DigitClassifier("compact", filters=1, epochs=1, random_state=0).fit(X, y)
    classifier.note = "mine"
    assert not hasattr(load(save(classifier, path)), "note")
    nested = Pipeline([("p", make_pipeline(ImageReshaper())), ("c", classifier)]).fit(X, y)
    np.testing.assert_array_equal(load(save(nested, path)).predict(X), nested.predict(X))
    classifier.set_params(optimizer=keras.optimizers.Lion(0.01)).fit(X, y)
    loaded = load(save(classifier.set_params(optimizer="adam"), path))
    assert loaded.keras_classifier_.model_.optimizer.name.startswith("lion")

    @keras.saving.register_keras_serializable("tests")
    class Own(keras.optimizers.SGD):
        pass

    classifier.set_params(optimizer=Own(0.1)).fit(X, y).set_params(optimizer="adam")
    path.unlink()
    message = r"^This DigitClassifier cannot be saved: its optimizer 'Own' is unknown\.$"
    with pytest.raises(ValueError, match=message):
        save(classifier, path)
    assert not path.exists()
    double = DigitClassifier("compact", filters=1, epochs=1, dtype="float64").fit(X * 1e-45, y)
    found = load(save(double, path)).predict_proba(X * 1e-45)
    np.testing.assert_array_equal(found, double.predict_proba(X * 1e-45))
    for weight in double._network.weights[:-1]:  # the last one is a seed
        weight[...] = np.nan
    assert np.isnan(load(save(double, path)).predict_proba(X * 1e-45)).all()


def _fields(document):
    return document["state"]["_network"][2]


def _remove_last(items):
    items.pop()


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f["key"][2]["spec"][2].update(options=["tuple", []]),
        lambda f: f["key"][2]["spec"][2].update(dtype="float64"),
        lambda f: f["key"][2]["spec"][2].update(n_outputs=9),
        lambda f: f["key"][2].update(optimizer="sgd"),
        lambda f: _remove_last(f["optimizer_state"][1]),
        lambda f: _remove_last(f["weights"][1]),
        lambda f: f["weights"][1].reverse(),
        lambda f: f.update(scale=1e308),
        lambda f: f["kept"][1].append([9, ["list", []]]),
        lambda f: f["history"][1][0][1][1].append(0.5),
        lambda f: f.update(calls=["tuple", []]),
    ],
)
def test_what_would_fail_later_is_refused(change, tmp_path):
    source = FILES / "classifier-format-4.skdigits"
    path = _rewritten(source, tmp_path / "altered", lambda d: change(_fields(d)))
    with pytest.raises(ValueError, match="cannot be read as a file written by skdigits.save"):
        load(path)


def test_an_entry_cannot_be_used_twice(saved, tmp_path):
    def change(document):
        weights = _fields(document)["weights"][1]
        weights[1] = weights[0]

    with pytest.raises(ValueError, match="is used twice"):
        load(_rewritten(saved, tmp_path / "altered", change))


def test_the_onnx_model_of_a_file_is_that_of_export(digits, fitted, saved, tmp_path):
    with zipfile.ZipFile(saved) as archive:
        content = archive.read("network.onnx")
    assert content == export(fitted, tmp_path / "model.onnx").read_bytes()


def test_an_onnx_model_of_other_weights_is_refused(digits, fitted, saved, tmp_path):
    other = DigitClassifier("compact", epochs=1, random_state=1).fit(*digits)
    for content in (export(other, tmp_path / "model.onnx").read_bytes(), b"no model", b""):
        path = tmp_path / "altered"
        with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                new.writestr(name, content if name == "network.onnx" else old.read(name))
        with pytest.raises(ValueError, match="ONNX model (is damaged|differs from)"):
            load(path)


def test_a_file_that_unpacks_to_much_more_is_refused_before(saved, tmp_path):
    path = tmp_path / "bomb"
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("array-999", bytes(2**25))
    with pytest.raises(
        ValueError, match=r"it has [\d,]+ bytes and would unpack to [\d,]+; expected at most"
    ):
        load(path)


def test_what_load_would_refuse_is_not_saved(fitted, tmp_path):
    turned = copy.deepcopy(fitted)
    turned.classes_ = turned.classes_[::-1]
    with pytest.raises(ValueError, match="classes_ is not sorted"):
        save(turned, tmp_path / "model.skdigits")
    assert list(tmp_path.iterdir()) == []


def linear(image_shape, n_classes):
    import keras

    inputs = keras.Input(image_shape)
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def test_a_function_as_architecture_is_saved_by_name(digits, tmp_path):
    X, y = digits
    classifier = DigitClassifier(linear, epochs=1, random_state=0).fit(X, y)
    path = save(classifier, tmp_path / "model.skdigits")
    with pytest.raises(ValueError, match=r"architectures=\{'linear': function\}"):
        load(path)
    loaded = load(path, architectures={"linear": linear})
    assert loaded.architecture is linear
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    with pytest.raises(ValueError, match="cannot be read as a file"):
        load(path, architectures={"linear": compact})
    nameless = DigitClassifier(lambda *args: linear(*args), epochs=1)
    with pytest.raises(TypeError, match="function without a name, but load"):
        save(nameless.fit(X, y), path)


def _rewritten(saved, path, change):
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "estimator.json":
                document = json.loads(content)
                change(document)
                content = json.dumps(document)
            new.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=FORMAT + 1), f"format is {FORMAT + 1}"),
        (lambda d: d.update(format=1), "format is 1, .* or train again"),
        (lambda d: d.update(estimator="OneHotEncoder"), "its class 'OneHotEncoder' is unknown"),
        (lambda d: d["state"].pop("epochs"), "parameter epochs is missing"),
        (lambda d: d["state"].update(classes_=["code", "import os"]), "value of an unknown kind"),
        (lambda d: d["state"].update(classes_=["array", 0, "|O", [1]]), "has the invalid type"),
        (lambda d: d["state"].update(classes_=["array", 999, "<f4", [1]]), "array-999"),
        (lambda d: d.pop("state"), "state"),
    ],
)
def test_an_unknown_or_altered_file_is_refused(saved, tmp_path, change, message):
    path = _rewritten(saved, tmp_path / "altered", change)
    with pytest.raises(ValueError, match=message):
        load(path)


def _layers(document):
    return document["state"]["_network"][2]["key"][2]["spec"][2]["layers"]


def test_a_file_describes_the_layers_of_its_network(fitted, saved):
    with zipfile.ZipFile(saved) as file:
        tag, layers = _layers(json.loads(file.read("estimator.json")))
    assert tag == "tuple"
    kinds = [type(layer).__name__ for layer in fitted._network.key.spec.layers]
    assert [(tag, kind) for tag, kind, _ in layers] == [("layer", kind) for kind in kinds]
    assert layers[-1] == [
        "layer",
        "Dense",
        {"name": "output", "units": 10, "activation": "softmax"},
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda layers: layers[1].pop(),
        lambda layers: layers[1].reverse(),
        lambda layers: layers[1][0][2].update(activation="softmax"),
        lambda layers: layers[1][0][2].update(name="import os"),
        lambda layers: layers.clear(),
    ],
)
def test_a_file_whose_layers_are_not_those_of_its_architecture_is_refused(saved, tmp_path, change):
    path = _rewritten(saved, tmp_path / "altered", lambda d: change(_layers(d)))
    with pytest.raises(ValueError, match="layers of its network are not those of 'compact'"):
        load(path)


def test_a_missing_file_and_another_kind_of_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing")
    (tmp_path / "text").write_text("no zip")
    with pytest.raises(ValueError, match="cannot be read as a file written by skdigits.save"):
        load(tmp_path / "text")


def test_every_damaged_byte_of_the_directory_is_refused_by_name(saved, tmp_path):
    content = saved.read_bytes()
    path = tmp_path / "damaged"
    for place in range(content.rindex(b"PK\1\2"), len(content)):
        for change in (1, 4, 255):
            damaged = bytearray(content)
            damaged[place] ^= change
            path.write_bytes(damaged)
            try:
                load(path)
            except ValueError as error:
                assert str(path) in str(error)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_files_load_equal_or_raise_value_error(saved, tmp_path_factory, data):
    content = bytearray(saved.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    try:
        loaded = load(path)
    except ValueError:
        return
    assert loaded.classes_.tolist() == list(range(10))
