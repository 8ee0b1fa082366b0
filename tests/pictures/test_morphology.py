import numpy as np
import pytest
from scipy import ndimage

from skdigits.pictures import morphology
from skdigits.pictures.morphology import closing, opening


@pytest.mark.parametrize("block", [1, 100, morphology.BLOCK])
@pytest.mark.parametrize("mode", ["reflect", "nearest"])
def test_closing_and_opening_are_those_of_scipy(mode, block, monkeypatch):
    monkeypatch.setattr(morphology, "BLOCK", block)
    rng = np.random.default_rng(0)
    for _ in range(60):
        grey = rng.random(rng.integers(1, 40, 2)).astype(np.float32)
        before = grey.copy()
        for window in (int(rng.integers(1, 90)), tuple(rng.integers(1, 30, 2).tolist())):
            for ours, theirs in (
                (closing, ndimage.grey_closing),
                (opening, ndimage.grey_opening),
            ):
                found = ours(grey, window, mode=mode)
                assert found.dtype == grey.dtype
                np.testing.assert_array_equal(found, theirs(grey, window, mode=mode))
        np.testing.assert_array_equal(grey, before)


def test_masks_are_opened():
    mask = np.random.default_rng(1).random((30, 40)) < 0.8
    found = opening(mask, (3, 1), mode="nearest")
    expected = ndimage.grey_opening(mask.astype(float), (3, 1), mode="nearest")
    assert found.dtype == bool
    np.testing.assert_array_equal(found, expected > 0)
    assert 0 < found.mean() < mask.mean()
