"""The networks that come with the package; their model cards say the same figures."""

import re
import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import zoom
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

import skdigits
from skdigits import DigitClassifier, DigitSequenceRecognizer, PictureCleaner, load_pretrained
from skdigits.datasets import load_digits, make_digit_sequences
from skdigits.pictures import clean_picture
from skdigits.pretrained import FOLDER, NAMES


@pytest.fixture(scope="module")
def pictures():
    """The bundled digits as pictures: dark on white, 40×40."""
    bunch = load_digits()
    large = zoom(bunch.images, (1, 3, 3), order=1)
    return 255 - np.pad(large, [(0, 0), (6, 6), (6, 6)]), bunch.target


def card(name):
    """The figures in the table of a model card."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| ([\d.]+)", text, re.MULTILINE)
    return {what: float(value) for what, value in rows}


def test_the_digit_network_reads_as_its_card_says(pictures):
    images = np.stack([clean_picture(picture) for picture in pictures[0]])
    classifier = load_pretrained("digit")
    assert isinstance(classifier, DigitClassifier)
    accuracy = classifier.score(images, pictures[1])
    assert accuracy == pytest.approx(card("digit")["scikit-learn's bundled digits"], abs=0.0006)


@pytest.mark.slow
def test_the_sequence_network_reads_as_its_card_says():
    bunch = load_digits()
    digits = zoom(bunch.images, (1, 3, 3), order=1)
    recognizer = load_pretrained("sequence")
    assert isinstance(recognizer, DigitSequenceRecognizer)
    for style in ("handwritten", "mixed"):
        X, y = make_digit_sequences(
            digits,
            bunch.target,
            1000,
            style=style,
            lengths=(1, 8),
            random_state=0,
        )
        expected = card("sequence")[f"generated lines of the bundled digits, {style}"]
        # Other versions of NumPy and Pillow draw other lines; the standard error is 0.012.
        assert recognizer.score(X, y) == pytest.approx(expected, abs=0.03)


def test_they_are_small_and_load_without_tensorflow():
    files = [FOLDER / f"{name}.skdigits" for name in NAMES]
    assert sum(file.stat().st_size for file in files) <= 6 * 2**20
    code = (
        "import numpy as np, skdigits, sys; "
        "skdigits.load_pretrained('digit').predict(np.zeros((1, 28, 28), np.uint8)); "
        "skdigits.load_pretrained('sequence').predict(np.zeros((1, 28, 60), np.uint8)); "
        "print(sorted({'tensorflow', 'keras', 'scikeras'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_misspelt_name_is_corrected():
    with pytest.raises(ValueError, match="Unknown name 'digits'. Did you mean 'digit'"):
        load_pretrained("digits")


def test_each_call_loads_another_estimator():
    load_pretrained("digit").set_params(epochs=99)
    assert load_pretrained("digit").epochs != 99


def test_they_are_estimators_like_any_other(pictures):
    X, y = pictures[0][:300], pictures[1][:300]
    pipeline = make_pipeline(PictureCleaner(), load_pretrained("digit"))
    assert pipeline.score(X, y) > 0.9
    cleaned = pipeline[0].transform(X)
    calibrated = CalibratedClassifierCV(FrozenEstimator(pipeline[1])).fit(cleaned, y)
    assert calibrated.score(cleaned, y) > 0.9
    assert pipeline[1].transform(cleaned).shape[0] == 300


@pytest.mark.slow
def test_a_further_fit_adapts(pictures):
    """Digits upside down are learnt from a hundred of them."""
    images = np.stack([clean_picture(picture[::-1]) for picture in pictures[0][:200]])
    classifier = load_pretrained("digit").set_params(epochs=5)
    before = classifier.score(images[100:], pictures[1][100:200])
    classifier.fit(images[:100], pictures[1][:100])
    assert classifier.score(images[100:], pictures[1][100:200]) > before + 0.05


def test_version_and_licences_are_on_the_cards():
    for name in NAMES:
        text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
        for word in ("MNIST", "CC BY-SA 3.0", "GLYPHS.md", "train_pretrained.py", "Weaknesses"):
            assert word in text, (name, word)
    assert skdigits.__version__
