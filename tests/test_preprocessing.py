import contextlib

import numpy as np
import pandas as pd
import pytest
import sklearn
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skdigits import ImageReshaper
from skdigits.datasets import load_digits
from skdigits.preprocessing import clean_picture


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
@pytest.mark.parametrize("output", ["image", "flat"])
def test_dtype_and_values_stay(dtype, output):
    X = np.arange(2 * 64).reshape(2, 64).astype(dtype)
    changed = ImageReshaper(output=output).fit_transform(X)
    assert changed.dtype == dtype
    np.testing.assert_array_equal(changed.reshape(2, 64), X)


def test_rows_to_images_and_back():
    X = np.arange(3 * 784).reshape(3, 784)
    reshaper = ImageReshaper()
    images = reshaper.fit_transform(X)
    assert images.shape == (3, 28, 28, 1)
    assert images[1, 2, 5, 0] == X[1, 2 * 28 + 5]
    np.testing.assert_array_equal(reshaper.inverse_transform(images), X)


def test_images_to_rows_and_back():
    X = np.random.default_rng(0).random((3, 4, 5, 2))
    reshaper = ImageReshaper(output="flat")
    rows = reshaper.fit_transform(X)
    assert rows.shape == (3, 40)
    assert reshaper.image_shape_ == (4, 5, 2)
    np.testing.assert_array_equal(reshaper.inverse_transform(rows), rows)


def test_rows_that_are_no_square_are_padded_at_the_end():
    X = np.ones((2, 10), np.uint8)
    reshaper = ImageReshaper()
    with pytest.warns(UserWarning, match="padded with zeros to 4×4.*image_shape"):
        images = reshaper.fit_transform(X)
    assert images.shape == (2, 4, 4, 1)
    assert images.reshape(2, 16)[:, 10:].sum() == 0
    np.testing.assert_array_equal(reshaper.inverse_transform(images), X)


def test_image_shape_is_asked_for_and_checked():
    X = np.ones((2, 12))
    assert ImageReshaper(image_shape=(3, 4)).fit_transform(X).shape == (2, 3, 4, 1)
    with pytest.raises(ValueError, match=r"image_shape=\(3, 5\) means 15 numbers"):
        ImageReshaper(image_shape=(3, 5)).fit(X)
    with pytest.raises(ValueError, match=r"images of shape \(4, 3, 1\)"):
        ImageReshaper(image_shape=(3, 4)).fit(X.reshape(2, 4, 3))


def test_dataframes_and_their_names():
    frame = pd.DataFrame(np.zeros((2, 9), np.uint8), columns=list("abcdefghi"))
    reshaper = ImageReshaper().fit(frame)
    assert reshaper.transform(frame).dtype == np.uint8
    with pytest.raises(ValueError, match="feature names"):
        reshaper.transform(frame.rename(columns={"a": "z"}))


def test_rows_can_be_dataframes_and_images_stay_arrays():
    frame = pd.DataFrame(np.arange(18).reshape(2, 9), columns=list("abcdefghi"), index=[5, 7])
    rows = ImageReshaper(output="flat").set_output(transform="pandas").fit_transform(frame)
    pd.testing.assert_frame_equal(rows, frame)
    for context in (contextlib.nullcontext(), sklearn.config_context(transform_output="pandas")):
        with context:
            reshaper = ImageReshaper().set_output(transform="pandas")
            assert reshaper.fit_transform(frame).shape == (2, 3, 3, 1)
    both = make_pipeline(ImageReshaper(), ImageReshaper(output="flat")).set_output(
        transform="pandas"
    )
    assert list(both.fit_transform(frame).columns) == [f"x{i}" for i in range(9)]
    with pytest.warns(UserWarning, match="Rows of 8 pixels make no square image"):
        padded = ImageReshaper(output="flat").fit(frame.drop(columns="i"))
    assert list(padded.get_feature_names_out()) == [*"abcdefgh", "padding0"]


def test_another_size_is_refused():
    reshaper = ImageReshaper().fit(np.zeros((2, 16)))
    with pytest.raises(ValueError, match="X has 9 features"):
        reshaper.transform(np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"images of shape \(2, 8, 1\)"):
        reshaper.transform(np.zeros((2, 2, 8)))
    with pytest.raises(ValueError, match="9 pixels per image"):
        reshaper.inverse_transform(np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"\(2, 8, 1\) pixels per image"):
        reshaper.inverse_transform(np.zeros((2, 2, 8)))
    with pytest.raises(ValueError, match="Expected 2D array"):
        reshaper.inverse_transform(np.zeros(16))


def test_output_is_checked_and_cloned():
    with pytest.raises(ValueError, match="'output' parameter"):
        ImageReshaper(output="rows").fit(np.zeros((2, 16)))
    assert clone(ImageReshaper(output="flat", image_shape=(2, 8))).image_shape == (2, 8)


def test_two_in_a_row_undo_each_other():
    X = np.arange(32.0).reshape(2, 16)
    both = make_pipeline(ImageReshaper(), ImageReshaper(output="flat"))
    np.testing.assert_array_equal(both.fit_transform(X), X)


@pytest.fixture
def digit():
    """A digit as a user would photograph it: 120×90, black on white, off centre."""
    canvas = np.full((120, 90), 255, np.uint8)
    seven = load_digits().images[7]
    canvas[10:74, 20:84] = 255 - np.kron(seven, np.ones((8, 8), np.uint8))
    return canvas


def centre(image):
    image = image.astype(float)
    return [image.sum(axis=axis) @ np.arange(28) / image.sum() for axis in (1, 0)]


def test_a_picture_becomes_an_image_in_mnists_style(digit):
    image = clean_picture(digit)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() == 255
    rows, columns = np.nonzero(image > 60)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
    np.testing.assert_allclose(centre(image), 13.5, atol=0.5)
    assert np.median(image) == 0


def test_place_polarity_colour_and_transparency_do_not_matter(digit):
    image = clean_picture(digit)
    moved = np.full_like(digit, 255)
    moved[40:, :] = digit[:80]
    transparent = np.zeros((*digit.shape, 4), np.uint8)
    transparent[..., 3] = 255 - digit
    for same in (moved, 255 - digit, np.stack([digit] * 3, axis=-1), transparent,
                 Image.fromarray(digit), (digit // 2 + 60), digit.astype(float)):  # fmt: skip
        np.testing.assert_allclose(clean_picture(same).astype(int), image, atol=8)


def test_a_picture_from_a_phone_stands_upright(digit):
    lying = Image.fromarray(digit).transpose(Image.Transpose.ROTATE_90)
    lying.getexif()[0x0112] = 6  # orientation: to be turned to the right
    np.testing.assert_array_equal(clean_picture(lying), clean_picture(digit))


@pytest.mark.parametrize(
    ("dtype", "factor"), [(np.uint16, 257), (np.int32, 257), (np.int32, 1), (np.float32, 1 / 255)]
)
def test_grey_of_more_than_eight_bits(digit, dtype, factor):
    deep = Image.fromarray((digit * np.float64(factor)).astype(dtype))
    assert deep.mode[0] in "IF"
    np.testing.assert_allclose(clean_picture(deep).astype(int), clean_picture(digit), atol=1)


def test_size_hardly_matters(digit):
    large = np.asarray(Image.fromarray(digit).resize((450, 600)))
    difference = clean_picture(large).astype(int) - clean_picture(digit)
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize("blank", [np.zeros((9, 9)), np.full((50, 40), 255), np.full((3, 3), 90)])
def test_a_blank_picture_gives_zeros(blank):
    np.testing.assert_array_equal(clean_picture(blank), np.zeros((28, 28)))
    noise = np.random.default_rng(0).integers(-5, 6, blank.shape)
    assert clean_picture(np.clip(blank + noise, 0, 255)).max() == 0


def test_thin_and_tiny_pictures():
    line = np.zeros((200, 5), np.uint8)
    line[10:190, 2] = 255
    assert (clean_picture(line).max(axis=1) > 0).sum() == 20
    assert clean_picture([[0, 0, 0], [0, 255, 0], [0, 0, 0]]).max() == 255


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros(9), r"array of shape \(height, width\)"),
        (np.zeros((4, 4, 2)), r"got \(4, 4, 2\)"),
        (np.zeros((0, 4)), r"got \(0, 4\)"),
        (np.full((4, 4), 256), "numbers from 0 to 255"),
        (np.full((4, 4), np.nan), "numbers from 0 to 255"),
        (np.full((4, 4), "a"), "numbers from 0 to 255"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        clean_picture(picture)
