import numpy as np
import pytest
from PIL import Image

from skdigits.pictures import clean_picture, to_grey


def shades(digit):
    """One picture in every form in which people have it."""
    grey = Image.fromarray(digit)
    rgb = np.stack([digit] * 3, axis=-1)
    ink = np.zeros((*digit.shape, 4), np.uint8)
    ink[..., 3] = 255 - digit
    turned = grey.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6  # orientation: to be turned to the right
    return {
        "bytes": digit,
        "floats from 0 to 1": digit / 255,
        "float32": (digit / 255).astype(np.float32),
        "floats to 255": digit.astype(float),
        "one channel": digit[..., None],
        "grey and alpha": np.stack([digit, np.full_like(digit, 255)], axis=-1),
        "RGB": rgb,
        "16 bits": digit.astype(np.uint16) * 257,
        "12 bits in 16": digit.astype(np.uint16) * 16,
        "12 bits in a file of 16": Image.fromarray(digit.astype(np.uint16) * 16),
        "32 bits": Image.fromarray(digit.astype(np.int32) * 257),
        "float picture": Image.fromarray((digit / 255).astype(np.float32)),
        "palette": grey.convert("P"),
        "palette of colours": Image.fromarray(rgb).quantize(32),
        "CMYK": Image.fromarray(rgb).convert("CMYK"),
        "YCbCr": Image.fromarray(rgb).convert("YCbCr"),
        "black ink on transparency": ink,
        "white ink on transparency": Image.fromarray(ink | np.array([255, 255, 255, 0], np.uint8)),
        "turned by EXIF": turned,
        "inverted": 255 - digit,
        "faint": 235 - (255 - digit) // 14,
        "in the dark": digit // 4,
        "list": digit.tolist(),
    }


def test_any_form_of_a_picture_gives_the_same_image(digit):
    image = clean_picture(digit).astype(int)
    assert image.max() == 255
    for name, same in shades(digit).items():
        difference = np.abs(clean_picture(same) - image).mean()
        assert difference < 8, f"{name}: {difference}"


def test_bilevel_pictures(digit):
    bits = digit > 127
    image = clean_picture(bits)
    for same in (bits.astype(np.uint8), Image.fromarray(bits), bits.astype(float), ~bits):
        np.testing.assert_allclose(clean_picture(same).astype(int), image, atol=8)


def test_grey_levels_of_a_picture():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(to_grey(ramp), ramp)
    np.testing.assert_array_equal(to_grey(Image.fromarray(ramp)), ramp)
    assert to_grey(ramp).dtype == np.float32


def test_a_colour_channel_where_brightness_shows_nothing():
    picture = np.zeros((60, 60, 3), np.uint8) + np.array([60, 180, 60], np.uint8)
    picture[15:45, 26:34] = [255, 88, 20]  # as bright as the paper
    grey = np.asarray(Image.fromarray(picture).convert("L"), float)
    assert np.ptp(grey) < 16
    assert np.ptp(to_grey(picture)) > 80


def test_transparent_corners_are_paper():
    picture = np.full((60, 60, 4), 250, np.uint8)
    picture[..., 3] = 255
    picture[:20, :20, 3] = 0
    picture[30:50, 36:40, :3] = 10
    assert to_grey(picture)[:20, :20].min() == 250
    assert to_grey(np.zeros((5, 5, 4), np.uint8)).min() == 255


def test_a_large_picture_is_reduced():
    assert to_grey(np.zeros((4000, 3000), np.uint8)).shape == (1334, 1000)
    assert to_grey(np.zeros((50, 30), np.uint8), longest=25).shape == (25, 15)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros(9), r"array of shape \(height, width\)"),
        (np.zeros((4, 4, 5)), r"got shape \(4, 4, 5\)"),
        (np.zeros((0, 4)), r"got shape \(0, 4\)"),
        (np.full((4, 4), 256.0), "bytes, integers of 16 bits, or floats.* float64 from 256 to 256"),
        (np.full((4, 4), 70_000), "int64 from 70000 to 70000"),
        (np.full((4, 4), -1), "int64 from -1 to -1"),
        (np.full((4, 4), np.nan), "float64 from nan to nan"),
        (np.full((4, 4), "a"), "numbers from 0 to 255; got dtype <U1"),
        (np.full((4, 4), 1j), "numbers from 0 to 255; got dtype complex128"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        clean_picture(picture)
