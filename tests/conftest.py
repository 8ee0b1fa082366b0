import os
from pathlib import Path

import matplotlib
import pytest
from hypothesis import HealthCheck, settings

from skdigits import datasets

matplotlib.use("Agg")

# Hypothesis draws the same examples in every run and has no time limit, so that no test passes or
# fails by chance. `benchmarks/search_inputs.py` draws other examples.
UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fixed", derandomize=True, **UNTIMED)
settings.register_profile("search", database=None, print_blob=True, **UNTIMED)
settings.load_profile("fixed")


@pytest.fixture(scope="session")
def digits():
    """300 bundled digits, about 30 of each class, as read-only arrays."""
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
        pytest.skip(f"the environment variable {variable} is not set")
    return Path(os.environ[variable])


@pytest.fixture(scope="session")
def mnist_folder():
    """The folder of MNIST's four IDX files."""
    return _folder("SKDIGITS_MNIST")


@pytest.fixture(scope="session")
def kaggle_folder():
    """A folder of train.csv and test.csv in Kaggle's format, and the labels in test_labels.csv."""
    return _folder("SKDIGITS_KAGGLE")
