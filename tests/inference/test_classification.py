from dataclasses import replace

import numpy as np
import pytest

from skdigits import load_pretrained
from skdigits.inference import engines, sessions
from skdigits.inference.classification import BATCH, as_images, classify
from skdigits.inference.engines import has_onnx_model


@pytest.fixture(scope="module")
def network():
    return load_pretrained("digit")._network


@pytest.mark.parametrize("n", [1, BATCH, 2 * BATCH + 1])
def test_batches_make_no_difference(network, n):
    rows = np.random.default_rng(0).integers(0, 256, (n, 784)).astype(np.uint8)
    for features in (False, True):
        found = classify(network, rows, features=features)
        some = sorted({0, n // 2, n - 1})
        for i in some:
            alone = classify(network, rows[i : i + 1], features=features)
            np.testing.assert_allclose(found[i], alone[0], rtol=1e-4, atol=1e-5)
        assert len(found) == n
        assert found.dtype == np.float32
        assert np.allclose(found.sum(axis=1), 1) != features


def test_without_features_the_output_is_probabilities(network):
    images = as_images(network, np.zeros((2, 784), np.uint8))
    for compute in (engines.compute, sessions.run):
        np.testing.assert_allclose(compute(network, images).sum(axis=1), 1, rtol=1e-5)


def test_rows_become_scaled_images(network):
    rows = np.arange(2 * 780, dtype=np.uint8).reshape(2, 780)
    images = as_images(replace(network, scale=0.5), rows)
    assert images.shape == (2, 28, 28, 1)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images.reshape(2, -1)[:, :780], rows / 2)
    assert not images.reshape(2, -1)[:, 780:].any()  # the missing pixels are black


def test_onnx_runtime_runs_networks_of_the_package_in_float32(network):
    spec = network.key.spec
    assert has_onnx_model(spec)
    assert not has_onnx_model(replace(spec, dtype="float64"))
    assert not has_onnx_model(replace(spec, architecture=lambda *shape: None))
