import warnings

import numpy as np
import pytest

from skdigits.datasets import load_digits
from skdigits.datasets.orientation import check_upright

DIGITS = load_digits()
# Not the images from which the means of comparison are made first, and of another size.
LARGE = np.pad(np.kron(DIGITS.images[600:900], np.ones((3, 3), np.uint8)), ((0, 0), (2, 2), (2, 2)))
LABELS = DIGITS.target[600:900]


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("n", [100, 300])
def test_digits_on_their_side_are_reported(n, invert):
    images = 255 - LARGE[:n] if invert else LARGE[:n]
    with pytest.warns(UserWarning, match=r"^f: the digits seem to be transposed") as caught:
        check_upright(images.transpose(0, 2, 1), LABELS[:n], "f")
    assert "X.reshape(-1, 28, 28).transpose(0, 2, 1)" in str(caught[0].message)
    assert "\n" not in str(caught[0].message)
    check_upright(images, LABELS[:n], "f")  # and upright ones are not


def test_labels_that_call_0_10_are_judged_too():
    labels = np.where(LABELS == 0, 10, LABELS)
    with pytest.warns(UserWarning, match="seem to be transposed"):
        check_upright(LARGE.transpose(0, 2, 1).reshape(300, -1), labels, "f")


def test_what_cannot_be_judged_is_left_alone():
    turned = LARGE.transpose(0, 2, 1)
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_upright(turned, None, "f")
        check_upright(turned, LABELS.astype(str), "f")
        check_upright(turned, LABELS + 20, "f")
        check_upright(turned[:20], LABELS[:20], "f")
        check_upright(turned[:, :, 1:], LABELS, "f")
        check_upright(np.zeros_like(turned), LABELS, "f")
        check_upright(LARGE, rng.permutation(LABELS), "f")
        check_upright(rng.integers(0, 256, turned.shape, dtype=np.uint8), LABELS, "f")
