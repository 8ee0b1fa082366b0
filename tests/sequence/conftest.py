import pytest
from small_recognizers import N_FILTERS

from skdigits import DigitSequenceRecognizer
from skdigits.datasets import load_digits, make_digit_sequences
from skdigits.pictures.line_images import LineImages


@pytest.fixture(scope="session")
def sources():
    """Bundled digits to train on and others to read."""
    X, y = load_digits(return_X_y=True)
    images = LineImages(X.reshape(-1, 8, 8)).as_bytes(0, 255).images
    return (images[:1300], y[:1300]), (images[1300:], y[1300:])


@pytest.fixture(scope="session")
def reader(sources):
    recognizer = DigitSequenceRecognizer(
        filters=N_FILTERS,
        epochs=8,
        sequences_per_epoch=1000,
        batch_size=16,
        style="tiles",
        lengths=(1, 3),
        gap=(0, 6),
        random_state=0,
    )
    return recognizer.fit(*sources[0])


@pytest.fixture(scope="session")
def sequences(sources):
    return make_digit_sequences(
        *sources[1], 200, lengths=(1, 4), gap=(0, 6), random_state=1, return_boxes=True
    )
