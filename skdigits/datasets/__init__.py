"""Images of digits: bundled, from files, or downloaded.

Names follow scikit-learn: ``load_`` reads what is there, ``fetch_`` may download. No file
means `load_digits`. The `subset` is what to train on or what to predict.
"""

from skdigits.datasets.bundled import load_digits
from skdigits.datasets.digit_sequences import (
    iter_digit_sequences,
    make_digit_sequences,
    train_test_sequences,
)
from skdigits.datasets.idx import load_idx
from skdigits.datasets.kaggle import load_kaggle
from skdigits.datasets.openml import fetch_mnist
from skdigits.datasets.picture_files import load_pictures
from skdigits.datasets.sources import iter_data, load_data

__all__ = [
    "fetch_mnist",
    "iter_data",
    "iter_digit_sequences",
    "load_data",
    "load_digits",
    "load_idx",
    "load_kaggle",
    "load_pictures",
    "make_digit_sequences",
    "train_test_sequences",
]
