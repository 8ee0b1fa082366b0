import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from skdigits.pictures.number_images import ROWS, NumberBox, cut_numbers, evened


@pytest.fixture(scope="module")
def page():
    picture = Image.new("L", (200, 120), 230)
    ImageDraw.Draw(picture).text((60, 40), "472", fill=20, font=ImageFont.load_default(36))
    return picture


def cut_number(picture, box):
    return cut_numbers(np.asarray(picture, np.float32), [box])[0]


def box_of(page):
    left, top, right, bottom = page.point(lambda grey: 255 * (grey < 125)).getbbox()
    centre = (left + right) / 2, (top + bottom) / 2
    return NumberBox(*centre, (1.0, 0.0), right - left, bottom - top, 0.9)


def test_a_number_stands_in_the_middle_of_its_image(page):
    image = cut_number(page, box_of(page))
    rows, columns = np.nonzero(image > 125)
    assert image.shape[0] == ROWS
    assert (rows.min(), rows.max()) == (5, 22)
    assert (columns.min(), image.shape[1] - 1 - columns.max()) == (18, 18)


@pytest.mark.parametrize(("quarters", "along"), [(1, (0, -1)), (2, (-1, 0)), (3, (0, 1))])
def test_a_turned_number_becomes_upright(page, quarters, along):
    turned = page.rotate(90 * quarters, expand=True)
    box = box_of(turned)
    length, height = max(box.length, box.height), min(box.length, box.height)
    turned_box = NumberBox(box.x, box.y, along, length, height, 0.9)
    difference = cut_number(turned, turned_box).astype(int) - cut_number(page, box_of(page))
    assert np.abs(difference).mean() < 3


def test_large_digits_are_averaged_not_skipped(page):
    box = box_of(page)
    large = page.resize((1600, 960))
    difference = cut_number(large, box.scaled(8, 8)).astype(int) - cut_number(page, box)
    assert np.abs(difference).mean() < 6


def test_ink_becomes_bright_in_every_contrast():
    grey = np.full((ROWS, 60), 200.0)
    grey[8:20, 25:35] = 100
    for picture in (grey, 255 - grey, grey / 2 + 50):
        np.testing.assert_array_equal(evened(picture) > 125, grey < 150)
    pale = evened(np.where(grey < 150, 128, 130))
    assert pale.max() < 50


def test_bounds_and_parts():
    box = NumberBox(50.0, 20.0, (0.0, -1.0), 30.0, 10.0, 1.0)
    assert box.bounds == (45, 5, 55, 35)
    assert box.part(0, 10).bounds == (45, 25, 55, 35)
    assert box.part(25, 30).bounds == (45, 5, 55, 10)


def test_the_border_is_repeated_outside_the_picture(page):
    box = box_of(page)
    left, top, right, bottom = (round(edge) for edge in box.bounds)
    close = page.crop((left - 2, top - 2, right + 2, bottom + 2))
    difference = cut_number(close, box_of(close)).astype(int) - cut_number(page, box)
    assert np.abs(difference).mean() < 2
