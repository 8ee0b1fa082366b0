"""Images of digits, which are bundled, read from files, downloaded or generated.

Names follow scikit-learn: ``load_`` reads existing data, ``fetch_`` may download, ``make_``
generates. `load_data` and `iter_data` recognize the format of a file or folder. ``subset`` is
``"train"`` for labelled training images, and ``"test"`` for images to predict.
"""

from skdigits.datasets.arff import load_arff
from skdigits.datasets.bundled import load_digits
from skdigits.datasets.csv_files import load_csv
from skdigits.datasets.idx import load_idx
from skdigits.datasets.kaggle import load_kaggle
from skdigits.datasets.libsvm import load_libsvm
from skdigits.datasets.matlab import load_mat
from skdigits.datasets.numpy_files import load_npz
from skdigits.datasets.openml import fetch_mnist
from skdigits.datasets.parquet import load_parquet
from skdigits.datasets.picture_files import load_pictures
from skdigits.datasets.sources import iter_data, load_data
from skdigits.datasets.zipped import load_zip
from skdigits.synthesis.digit_sequences import (
    iter_digit_sequences,
    make_digit_sequences,
    train_test_sequences,
)

__all__ = [
    "fetch_mnist",
    "iter_data",
    "iter_digit_sequences",
    "load_arff",
    "load_csv",
    "load_data",
    "load_digits",
    "load_idx",
    "load_kaggle",
    "load_libsvm",
    "load_mat",
    "load_npz",
    "load_parquet",
    "load_pictures",
    "load_zip",
    "make_digit_sequences",
    "train_test_sequences",
]
