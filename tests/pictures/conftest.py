import numpy as np
import pytest
from PIL import Image

from skdigits.datasets import load_digits


@pytest.fixture
def digit():
    """A digit as a user would photograph it: 120×90, black on white, off centre."""
    canvas = np.full((120, 90), 255, np.uint8)
    seven = Image.fromarray(load_digits().images[7]).resize((64, 64), Image.Resampling.BICUBIC)
    canvas[10:74, 20:84] = 255 - np.asarray(seven)
    return canvas


@pytest.fixture(scope="session")
def digits():
    """Bundled digits in the size of MNIST's, and their labels: 300 × (28, 28)."""
    bunch = load_digits()
    large = bunch.images[:300].repeat(3, axis=1).repeat(3, axis=2)
    return np.pad(large, [(0, 0), (2, 2), (2, 2)]), bunch.target[:300]
