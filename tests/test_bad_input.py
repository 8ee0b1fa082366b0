"""Bad input raises one clear error, writes no file and does not change the estimator."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import skdigits
from skdigits import (
    DigitClassifier,
    DigitSequenceRecognizer,
    EpochSearchCV,
    ImageReshaper,
    PictureCleaner,
    load_pretrained,
)
from skdigits.cli import main
from skdigits.datasets import (
    fetch_mnist,
    load_arff,
    load_csv,
    load_data,
    load_digits,
    load_idx,
    load_kaggle,
    load_libsvm,
    load_mat,
    load_npz,
    load_parquet,
    load_pictures,
    load_zip,
    make_digit_sequences,
)
from skdigits.datasets.picture_files import NoPicturesError

X, y = load_digits(return_X_y=True)
X, y = X[:120], y[:120]
LONGEST_MESSAGE = 300
OF_SCIKIT_LEARN = ("Input X contains NaN", "Complex data not", "Expected 2D array")  # can be long


@pytest.fixture(scope="module")
def fitted():
    return DigitClassifier(architecture="compact", epochs=1, random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def reader():
    options = {"epochs": 1, "sequences_per_epoch": 20, "lengths": (1, 2), "style": "tiles"}
    return DigitSequenceRecognizer(**options, random_state=0).fit(X, y)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of bad files; it is the working directory of the test."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("label,pixel0,pixel1\n")
    (tmp_path / "words.csv").write_text("label,pixel0\n1,dark\n2,bright\n")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "no.skdigits").write_bytes(b"PK no model")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03\0\0\0\1\0\0\0\2\0\0\0\2a")
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\1\1")
    (tmp_path / "unlabelled").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "unlabelled" / "a.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def state_of(estimator):
    return pickle.dumps(estimator)


def files_of(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def check(call, error, words, folder, *estimators):
    """Check that a call raises one clear error, and changes no file and no estimator."""
    states, files = [state_of(e) for e in estimators], files_of(folder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(error) as raised:
            call()
    message = str(raised.value)
    assert words in message
    assert len(message) <= LONGEST_MESSAGE or message.startswith(OF_SCIKIT_LEARN)
    assert [str(warning.message) for warning in caught] == []
    assert files_of(folder) == files
    assert [state_of(e) for e in estimators] == states


FIT = {
    "no samples": (X[:0], y[:0], ValueError, "0 sample"),
    "no labels": (X, None, ValueError, "y"),
    "fewer labels": (X, y[:-1], ValueError, "inconsistent numbers of samples"),
    "NaN in images": (np.where(X < 255, X, np.nan), y, ValueError, "NaN"),
    "infinity in images": (np.where(X < 255, X, np.inf), y, ValueError, "infinity"),
    "NaN in labels": (X, np.where(y == 1, np.nan, y), ValueError, "NaN"),
    "one class": (X, np.zeros(len(X), int), ValueError, "at least 2 classes"),
    "continuous labels": (X, y + 0.5, ValueError, "continuous"),
    "one-hot labels": (X, np.eye(10)[y], ValueError, "argmax"),
    "text for images": ([["a", "b"], ["c", "d"]], [0, 1], ValueError, "Convert your data"),
    "one image": (X[0], y[:1], ValueError, "1D"),
    "complex pixels": (X + 1j, y, ValueError, "omplex"),
    "five dimensions": (X.reshape(-1, 2, 2, 2, 8), y, ValueError, "dim"),
}


@pytest.mark.parametrize("name", FIT)
def test_fit(name, fitted, folder):
    images, labels, error, words = FIT[name]
    check(lambda: fitted.fit(images, labels), error, words, folder, fitted)


PARAMETERS = {
    "architecture": ("lenett", ValueError, "lenet"),
    "epochs": (0, ValueError, "epochs"),
    "batch_size": ("large", ValueError, "batch_size"),
    "learning_rate": (-1, ValueError, "learning_rate"),
    "optimizer": ("adm", ValueError, "adam"),
    "schedule": ("cycle", ValueError, "schedule"),
    "dropout": (1, ValueError, "dropout"),
    "augment": ("handwriting", ValueError, "augment"),
    "image_shape": ((5, 5), ValueError, "image_shape"),
    "class_weight": ({99: 1}, ValueError, "class"),
    "validation_fraction": (1.0, ValueError, "validation_fraction"),
    "keep_epochs": ([0], ValueError, "keep_epochs"),
    "callbacks": ([print], TypeError, "Keras callbacks"),
    "checkpoint": (3, ValueError, "checkpoint"),
    "random_state": ("seed", ValueError, "random_state"),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_a_fit(name, fitted, folder):
    value, error, words = PARAMETERS[name]
    changed = pickle.loads(state_of(fitted)).set_params(**{name: value})
    if name == "callbacks":
        kept = vars(changed).copy()
        check(lambda: changed.fit(X, y), error, words, folder)
        assert vars(changed) == kept
    else:
        check(lambda: changed.fit(X, y), error, words, folder, changed)
    changed.set_params(**{name: getattr(fitted, name)})
    np.testing.assert_array_equal(changed.predict(X), fitted.predict(X))


CALLS = {
    "fit: epochs": (lambda f, r: f.fit(X, y, epochs=3), TypeError, "constructor"),
    "fit: weights": (lambda f, r: f.fit(X, y, -np.ones(len(X))), ValueError, "weight"),
    "fit: X_val alone": (lambda f, r: f.fit(X, y, X_val=X), ValueError, "y_val"),
    "fit: lines' letters": (lambda f, r: r.fit(X, ["a"] * len(X)), ValueError, "0–9"),
    "fit: lines' width": (lambda f, r: r.fit(X, ["11111111"] * len(X)), ValueError, "narrow"),
    "fit: lines' lengths": (
        lambda f, r: DigitSequenceRecognizer(lengths=(3, 1)).fit(X, y),
        ValueError,
        "lengths",
    ),
    "fit: tiles' gap": (
        lambda f, r: DigitSequenceRecognizer(gap=3).fit(X, y),
        ValueError,
        "style='tiles'",
    ),
    "partial_fit: new label": (lambda f, r: f.partial_fit(X, y + 50), ValueError, "50"),
    "partial_fit: no classes": (
        lambda f, r: DigitClassifier().partial_fit(X, y),
        ValueError,
        "classes",
    ),
    "partial_fit: width": (lambda f, r: f.partial_fit(X[:, 1:], y), ValueError, "63 features"),
    "predict: width": (lambda f, r: f.predict(X[:, 1:]), ValueError, "63 features"),
    "predict: NaN": (lambda f, r: f.predict(X * np.nan), ValueError, "NaN"),
    "predict: no samples": (lambda f, r: f.predict(X[:0]), ValueError, "0 sample"),
    "predict: one image": (lambda f, r: f.predict(X[0].reshape(8, 8)), ValueError, "newaxis"),
    "predict: before fit": (lambda f, r: DigitClassifier().predict(X), ValueError, "not fitted"),
    "predict: columns": (
        lambda f, r: (
            DigitClassifier("compact", epochs=1)
            .fit(pd.DataFrame(X).add_prefix("a"), y)
            .predict(pd.DataFrame(X).add_prefix("b"))
        ),
        ValueError,
        "feature names",
    ),
    "predict: lines' NaN": (lambda f, r: r.predict([np.full((8, 20), np.nan)]), ValueError, "NaN"),
    "predict: one line": (lambda f, r: r.predict(np.zeros((9, 20))), ValueError, "newaxis"),
    "predict_top_k": (lambda f, r: f.predict_top_k(X, k=0), ValueError, "k"),
    "at_epoch": (lambda f, r: f.at_epoch(1), AttributeError, "at_epoch"),
    "search: no epochs": (lambda f, r: EpochSearchCV(f, {"l2": [0]}).fit(X, y), ValueError, "epoc"),
    "save: not fitted": (
        lambda f, r: skdigits.save(DigitClassifier(), "model.skdigits"),
        ValueError,
        "not fitted",
    ),
    "save: no folder": (lambda f, r: skdigits.save(f, "no/m.skdigits"), OSError, "does not exist"),
    "save: another class": (lambda f, r: skdigits.save(print, "m.skdigits"), TypeError, "save()"),
    "load: no file": (lambda f, r: skdigits.load("m.skdigits"), OSError, "no such file"),
    "load: no model": (lambda f, r: skdigits.load("no.skdigits"), ValueError, "skdigits.save"),
    "load: a folder": (lambda f, r: skdigits.load("empty"), OSError, "is a folder"),
    "export": (lambda f, r: skdigits.export(f, "model.pb"), ValueError, ".onnx"),
    "pretrained": (lambda f, r: load_pretrained("digits"), ValueError, "Did you mean 'digit'"),
    "read: no file": (lambda f, r: skdigits.read("no.png"), OSError, "no.png"),
    "read: no picture": (lambda f, r: skdigits.read("text.png"), ValueError, "text.png"),
    "read: digits": (lambda f, r: skdigits.read(np.zeros((9, 9)), digits=0), ValueError, "digits"),
    "read: pattern": (
        lambda f, r: skdigits.read(np.zeros((9, 9)), pattern="d?"),
        ValueError,
        r"'?' in 'd?'",
    ),
    "read: digits and pattern": (
        lambda f, r: skdigits.read(np.zeros((9, 9)), digits=59, pattern=["d" * 99] * 99),
        ValueError,
        "digits=59",
    ),
    "top k: pattern": (lambda f, r: r.predict_top_k(X, pattern="d+.d+"), ValueError, "of '.'"),
    "reshape": (lambda f, r: ImageReshaper(image_shape=(5, 5)).fit(X), ValueError, "64"),
    "clean": (lambda f, r: PictureCleaner().fit_transform([np.zeros(3)]), ValueError, "shape"),
    "load_csv: empty": (lambda f, r: load_csv("empty.csv"), ValueError, "empty.csv"),
    "load_csv: no row": (lambda f, r: load_csv("header.csv"), ValueError, "header.csv"),
    "load_csv: words": (lambda f, r: load_csv("words.csv"), ValueError, "dark"),
    "load_idx": (lambda f, r: load_idx("."), ValueError, "train-images"),
    "load_kaggle": (lambda f, r: load_kaggle("empty"), OSError, "train.csv"),
    "load_pictures": (lambda f, r: load_pictures("empty"), NoPicturesError, "no pictures"),
    "load_arff": (lambda f, r: load_arff("text.png"), ValueError, "text.png"),
    "load_data": (lambda f, r: load_data("text.png"), ValueError, "text.png"),
    "load_libsvm": (lambda f, r: load_libsvm("text.png"), ValueError, "text.png"),
    "load_mat": (lambda f, r: load_mat("text.png"), ValueError, "text.png"),
    "load_npz": (lambda f, r: load_npz("text.png"), ValueError, "text.png"),
    "load_parquet": (lambda f, r: load_parquet("text.png"), ValueError, "text.png"),
    "load_zip": (lambda f, r: load_zip("text.png"), ValueError, "text.png"),
    "fetch_mnist": (lambda f, r: fetch_mnist(subset="tests"), ValueError, "test"),
    "sequences": (lambda f, r: make_digit_sequences(X, y, 0), ValueError, ""),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name, fitted, reader, folder):
    call, error, words = CALLS[name]
    check(lambda: call(fitted, reader), error, words, folder, fitted, reader)


COMMANDS = {
    "inspect no": "no",
    "inspect empty": "empty",
    "train no": "no",
    "train empty.csv": "empty.csv",
    "train --epochs 0": "--epochs",
    "train --architecture lenett": "lenet",
    "train --style tile": "--style",
    "train --from no.skdigits": "skdigits.save",
    "train -o header.csv": "header.csv",
    "search --epochs five": "--epochs",
    "search --architecture lenett": "lenet",
    "compare --classifiers svn": "SVC",
    "predict no.skdigits unlabelled": "skdigits.save",
    "read no.png": "no.png",
    "read text.png": "text.png",
    "read --pattern ddxd unlabelled": "'x' in 'ddxd'",
    "read --csv --json unlabelled": "--csv",
    "export no.skdigits": "skdigits.save",
    "tran": "train",
}


@pytest.mark.parametrize("line", COMMANDS)
def test_commands(line, folder, capsys):
    files = files_of(folder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(SystemExit) as stopped:
            main(line.split())
    assert stopped.value.code in (1, 2)
    message = capsys.readouterr().err
    assert COMMANDS[line] in message
    assert "Traceback" not in message
    assert caught == []
    assert files_of(folder) == files
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == ["empty", "unlabelled"]


@pytest.mark.parametrize("name", ["digit", "sequence"])
def test_pictures_given_to_estimators_get_the_name_of_what_takes_them(name):
    estimator, picture = load_pretrained(name), Image.new("L", (28, 28))
    for X in ("x.png", Path("x.png"), ["x.png"], np.array(["x.png"]), [b"x"], picture):
        for method in (estimator.predict, lambda X: estimator.fit(X, ["1"])):
            with pytest.raises(ValueError, match=r"skdigits.read\(.*PictureCleaner\(\)") as raised:
                method(X)
            assert len(str(raised.value)) <= LONGEST_MESSAGE
