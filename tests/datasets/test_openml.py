import socket

import numpy as np
import pytest

from skdigits.datasets import fetch_mnist


def test_fetch_mnist_without_a_network_names_the_other_ways(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(
        OSError, match=r"load_digits\(\).*load_idx\(folder\).*load_kaggle\(folder\)"
    ):
        fetch_mnist(data_home=tmp_path)


def test_fetch_mnist_makes_bytes_and_splits(monkeypatch):
    from sklearn.utils import Bunch

    data = np.zeros((70_000, 784), np.float32)
    data[59_999, 5], data[60_000, 6] = 255, 17
    labels = np.array(["3"] * 60_000 + ["8"] * 10_000, dtype=object)
    monkeypatch.setattr(
        "sklearn.datasets.fetch_openml",
        lambda *a, **k: Bunch(data=data, target=labels, DESCR="d" * 50),
    )
    train, test = fetch_mnist(subset="train"), fetch_mnist(subset="test")
    assert train.data.dtype == np.uint8
    assert train.data[-1, 5] == 255
    assert test.data[0, 6] == 17
    assert set(train.target) == {3}
    assert set(test.target) == {8}
    assert len(fetch_mnist(return_X_y=True)[1]) == 70_000
    with pytest.raises(ValueError, match="subset should be one of"):
        fetch_mnist(subset="valid")
