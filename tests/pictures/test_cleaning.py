import numpy as np
import pytest
from PIL import Image

from skdigits.datasets import load_digits
from skdigits.pictures import clean_line, clean_picture


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_from_0_to_1(digit, dtype):
    for picture in (digit, 255 - digit, np.stack([digit] * 3, axis=-1)):
        scaled = (picture / 255).astype(dtype)
        np.testing.assert_array_equal(clean_picture(scaled), clean_picture(picture))
        np.testing.assert_array_equal(clean_line(scaled), clean_line(picture))


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
