import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from skdigits.datasets.pixels import as_grey, as_pixels, compact

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 4, 5), dtype=np.uint8)


@pytest.mark.parametrize(
    "stored",
    [
        IMAGES,
        IMAGES[..., np.newaxis],
        IMAGES[:, np.newaxis],
        IMAGES.transpose(1, 2, 0),
        np.repeat(IMAGES[..., np.newaxis], 3, axis=3),
        np.repeat(IMAGES[:, np.newaxis], 3, axis=1),
        np.repeat(IMAGES[..., np.newaxis], 3, axis=3).transpose(1, 2, 3, 0),
        IMAGES.astype(np.int64),
        IMAGES.astype(np.float64),
        IMAGES / 255,
        (IMAGES / 127.5 - 1).astype(np.float32),
        IMAGES + np.float32(0.2),
    ],
    ids=[
        "as-is",
        "nhw1",
        "n1hw",
        "hwn",
        "nhw3",
        "n3hw",
        "hw3n",
        "int64",
        "float64",
        "shares",
        "signed",
        "fractions",
    ],
)
def test_every_form_gives_the_same_bytes(stored):
    pixels = as_pixels(stored, "f", n_labels=6)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, IMAGES)


def test_rows_stay_rows_and_columns_are_turned_by_the_number_of_labels():
    rows = IMAGES.reshape(6, -1)
    np.testing.assert_array_equal(as_pixels(rows, "f"), rows)
    np.testing.assert_array_equal(as_pixels(rows.T, "f", n_labels=6), rows)
    np.testing.assert_array_equal(as_pixels(rows[..., np.newaxis], "f"), rows)


def test_square_images_one_behind_the_other_are_recognized_without_labels():
    images = IMAGES[:, :, :4]
    np.testing.assert_array_equal(as_pixels(images.transpose(1, 2, 0), "f"), images)
    np.testing.assert_array_equal(as_pixels(images, "f"), images)


def test_booleans_are_black_and_white_and_small_integers_are_kept():
    assert as_pixels(np.array([[True, False]]), "f").tolist() == [[255, 0]]
    assert as_pixels(np.array([[0.0, 1.0]]), "f").tolist() == [[0, 255]]
    assert as_pixels(np.array([[0, 16]]), "f").tolist() == [[0, 16]]
    assert as_pixels(np.array([[0.0, 16.0]]), "f").tolist() == [[0, 16]]


def test_what_interpolation_leaves_beyond_0_and_1_is_cut_off():
    assert as_pixels(np.array([[-0.13, 0.5, 1.128]]), "f").tolist() == [[0, 128, 255]]


def test_grey_is_pillows():
    colours = RNG.integers(0, 256, (50, 50, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(colours).convert("L"))
    np.testing.assert_array_equal(as_grey(colours), expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0, 256]]), "values from 0 to 256; expected pixels"),
        (np.array([[-1, 5]]), "values from -1 to 5"),
        (np.array([[-0.42, 2.82]]), r"values from -0\.42 to 2\.82"),
        (np.array([[0.5, 3.0]]), r"values from 0\.5 to 3"),
        (np.array([[0, np.nan]]), "missing or infinite"),
        (np.array([[None, "x"]]), "Python objects"),
        (np.array([["1", "x"]]), "texts"),
        (np.arange(5), r"the shape \(5,\)"),
        (np.zeros((0, 4)), r"the shape \(0, 4\)"),
        (np.zeros((2, 4, 4, 5)), r"the shape \(2, 4, 5, 4\)"),
        (np.zeros((256, 1100, 10)), r"the shape \(256, 1100, 10\)"),
        (np.zeros((2, 2, 2, 2, 2)), "1 or 3 channels"),
    ],
)
def test_other_values_are_refused(values, message):
    with pytest.raises(ValueError, match=f"^f contains|^f has|^{message}") as caught:
        as_pixels(values, "f")
    assert caught.match(message)
    assert len(str(caught.value)) <= 300


def test_another_number_of_labels_is_refused():
    with pytest.raises(ValueError, match=r"the shape \(6, 4, 5\), but there are 7 labels"):
        as_pixels(IMAGES, "f", n_labels=7)


def test_compact_loses_nothing():
    assert compact(np.array([0.0, 255.0])).dtype == np.uint8
    for values in ([0.5], [256.0], [-1.0], [np.nan]):
        values = np.array(values)
        assert compact(values) is values


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.float64, bool, "U2"]),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5),
    ),
    st.none() | st.integers(1, 5),
)
def test_fuzzed_arrays_are_bytes_or_refused(values, n_labels):
    try:
        pixels = as_pixels(values, "f", n_labels=n_labels)
    except ValueError as error:
        assert len(str(error)) <= 300
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim in (2, 3)
    assert n_labels in (None, len(pixels))


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (20, 20)])
def test_one_image_is_not_taken_for_rows(shape):
    with pytest.raises(ValueError, match=r"of one image; .*np\.newaxis"):
        as_pixels(np.zeros(shape, np.uint8), "X.npy")
    assert as_pixels(np.zeros((1, *shape[:2]), np.uint8), "X.npy").shape == (1, *shape[:2])
    assert as_pixels(np.zeros((64, 64), np.uint8), "X.npy").shape == (64, 64)  # rows of 8×8
