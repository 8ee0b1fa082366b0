import numpy as np
import pytest

from skdigits import load_pretrained
from skdigits.inference import sessions
from skdigits.inference.probabilities import BATCH, classify


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


def test_an_engine_computes_each_batch_instead_of_onnx_runtime(network):
    rows = np.zeros((BATCH + 1, 784), np.uint8)
    seen = []

    def engine(network, images, features):
        seen.append((len(images), features))
        return sessions.run(network, images, features=features) + 1

    found = classify(network, rows, features=True, engine=engine)
    np.testing.assert_array_equal(found, classify(network, rows, features=True) + 1)
    assert seen == [(BATCH, True), (1, True)]
    np.testing.assert_allclose(classify(network, rows).sum(axis=1), 1, rtol=1e-5)
