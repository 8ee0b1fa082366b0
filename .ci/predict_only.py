"""Check that prediction gives the same results in an environment without TensorFlow.

python predict_only.py make FOLDER     with TensorFlow: write models, pictures and predictions
python predict_only.py check FOLDER    without TensorFlow: compare the predictions
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import skdigits
from skdigits.datasets import load_digits, load_pictures


def make(folder):
    X, y = load_digits().images, load_digits().target
    X = np.pad(X.repeat(2, axis=1).repeat(2, axis=2), [(0, 0), (6, 6), (6, 6)])
    skdigits.save(skdigits.DigitClassifier(epochs=2, random_state=0).fit(X, y), folder / "digits")
    reader = skdigits.DigitSequenceRecognizer(filters=4, epochs=1, random_state=0)
    skdigits.save(reader.fit(X, y), folder / "sequences")
    (folder / "pictures").mkdir()
    for i in range(8):
        Image.fromarray(255 - X[i]).save(folder / "pictures" / f"{i}.png")
    np.save(folder / "images.npy", X[:50])
    (folder / "expected.json").write_text(json.dumps(predict(folder)))


def predict(folder):
    X, digits = np.load(folder / "images.npy"), skdigits.load(folder / "digits")
    pictures = load_pictures(folder / "pictures", subset="test")
    reader = skdigits.load(folder / "sequences")
    return {
        "digits": digits.predict(X).tolist(),
        "pictures": digits.predict(pictures.images).tolist(),
        "sequences": reader.predict(X).tolist(),
        "features": round(float(digits.transform(X).mean()), 4),
    }


def check(folder):
    expected = json.loads((folder / "expected.json").read_text())
    assert predict(folder) == expected, "the predictions differ"
    command = [Path(sys.executable).with_name("skdigits"), "predict", folder / "digits"]
    command += [folder / "pictures", "-o", folder / "submission.csv"]
    subprocess.run(command, check=True)
    rows = (folder / "submission.csv").read_text().split()
    assert [int(row[-1]) for row in rows[1:]] == expected["pictures"], rows
    skdigits.export(skdigits.load(folder / "digits"), folder / "model.onnx")
    assert not {"tensorflow", "keras", "scikeras"} & sys.modules.keys()
    try:
        skdigits.load(folder / "digits").fit(np.load(folder / "images.npy"), range(50))
    except ModuleNotFoundError as error:
        print(error)
        assert "pip install tensorflow" in str(error)
    else:
        raise AssertionError("TensorFlow is installed")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](Path(sys.argv[2]))
