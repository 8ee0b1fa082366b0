import os
from pathlib import Path

import matplotlib
import pytest

from skdigits import datasets

matplotlib.use("Agg")


@pytest.fixture(scope="session")
def digits():
    """300 bundled digits, 30 or so of each class, as read-only arrays."""
    X, y = datasets.load_digits(return_X_y=True)
    X, y = X[:300].copy(), y[:300].copy()
    X.flags.writeable = y.flags.writeable = False
    return X, y


@pytest.fixture(scope="session")
def fitted(digits):
    from skdigits import DigitClassifier

    return DigitClassifier("compact", epochs=3, random_state=0, keep_epochs=True).fit(*digits)


def _folder(variable):
    if variable not in os.environ:
        pytest.skip(f"{variable} names no folder")
    return Path(os.environ[variable])


@pytest.fixture(scope="session")
def mnist_folder():
    """MNIST's four IDX files."""
    return _folder("SKDIGITS_MNIST")


@pytest.fixture(scope="session")
def kaggle_folder():
    """Kaggle-shaped train.csv and test.csv, and test_labels.csv with the answers."""
    return _folder("SKDIGITS_KAGGLE")
