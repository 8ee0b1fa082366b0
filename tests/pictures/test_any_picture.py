"""No picture, however odd, gives anything but an image or boxes of the promised kind."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdigits.pictures import clean_line, clean_picture, find_digits, find_lines, straighten

DRAWINGS = {
    "noise": lambda rng, shape: rng.integers(0, 256, shape),
    "two levels": lambda rng, shape: rng.integers(0, 2, shape) * 255,
    "few specks": lambda rng, shape: (rng.random(shape) < 0.02) * 255,
    "stripes": lambda rng, shape: np.broadcast_to(rng.integers(0, 256, shape[1]), shape),
    "ramp": lambda rng, shape: np.linspace(0, 255, shape[0] * shape[1]).reshape(shape),
    "one level": lambda rng, shape: np.full(shape, rng.integers(0, 256)),
    "blocks": lambda rng, shape: np.kron(rng.integers(0, 2, shape), np.ones((5, 5))) * 255,
}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(DRAWINGS)),
    st.integers(1, 120),
    st.integers(1, 120),
    st.sampled_from([np.uint8, np.float32, np.uint16]),
    st.integers(0, 2**31),
)
def test_any_picture_gives_an_image_and_boxes(drawing, height, width, dtype, seed):
    picture = DRAWINGS[drawing](np.random.default_rng(seed), (height, width)).astype(dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*several (digits|lines)")
        image, line = clean_picture(picture), clean_line(picture)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert line.shape[0] == 28
    assert line.dtype == np.uint8
    for boxes in (find_lines(picture), find_digits(picture)):
        assert boxes.shape[1:] == (4,)
        assert (boxes[:, 0] < boxes[:, 2]).all()
        assert (boxes[:, 1] < boxes[:, 3]).all()
        assert (boxes >= 0).all()
        assert (boxes <= np.array([picture.shape[1], picture.shape[0]] * 2)).all()
    assert straighten(picture).shape == picture.shape


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (3, 1700), (1700, 1600)])
def test_long_and_large_pictures(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert clean_picture(picture).shape == (28, 28)
    assert clean_line(picture).shape[0] == 28
    assert find_lines(picture).shape[1] == 4
