import numpy as np

from skdigits.datasets import load_digits


def test_digits_are_scikit_learns_as_bytes():
    from sklearn.datasets import load_digits as original

    bunch = load_digits()
    assert (bunch.data.min(), bunch.data.max()) == (0, 255)
    np.testing.assert_allclose(bunch.data / 255, original().data / 16, atol=0.002)
    np.testing.assert_array_equal(bunch.target, original().target)
