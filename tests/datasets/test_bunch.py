import numpy as np
import pandas as pd
import pytest

from skdigits.datasets import load_digits, load_idx, load_kaggle
from skdigits.datasets.contents import as_labels


@pytest.mark.parametrize("loader", ["digits", "idx", "kaggle"])
def test_every_loader_returns_the_same_form(loader, request):
    if loader == "digits":
        load = load_digits
    else:
        folder = request.getfixturevalue({"idx": "idx_folder", "kaggle": "csv_folder"}[loader])
        load = lambda **k: {"idx": load_idx, "kaggle": load_kaggle}[loader](folder, **k)  # noqa: E731
    bunch = load()
    n, n_features = bunch.data.shape
    assert bunch.data.dtype == np.uint8
    assert bunch.target.shape == (n,)
    assert bunch.target.dtype == np.int64
    np.testing.assert_array_equal(bunch.images.reshape(n, -1), bunch.data)
    assert bunch.feature_names == [f"pixel{i}" for i in range(n_features)]
    assert bunch.target_names.tolist() == sorted(set(bunch.target.tolist()))
    name = {"digits": "scikit-learn", "idx": "train-images-idx3-ubyte", "kaggle": "train.csv"}
    assert name[loader] in bunch.DESCR
    assert bunch.frame is None
    X, y = load(return_X_y=True)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)
    framed = load(as_frame=True)
    assert isinstance(framed.data, pd.DataFrame)
    assert isinstance(framed.target, pd.Series)
    assert framed.frame.shape == (n, n_features + 1)
    np.testing.assert_array_equal(framed.frame.drop(columns="label").to_numpy(), bunch.data)
    X, y = load(as_frame=True, return_X_y=True)
    assert list(X.columns) == bunch.feature_names
    assert y.name == "label"


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["7", "10", "-1", "0"], [7, 10, -1, 0]),
        (["07", "7"], ["07", "7"]),
        (["+7", "7"], ["+7", "7"]),
        (["1_0", "7"], ["1_0", "7"]),
        (["٧", "7"], ["٧", "7"]),
        (["7.0"], ["7.0"]),
        (["99999999999999999999"], ["99999999999999999999"]),
        (["cat", "7"], ["cat", "7"]),
    ],
)
def test_labels_are_integers_if_all_are_written_plainly(texts, labels):
    assert as_labels(texts).tolist() == labels
