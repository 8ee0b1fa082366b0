from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from skdigits import read
from skdigits.number_reader import read_numbers


def typed(*texts, size=(420, 260), height=34, paper=235, ink=25):
    """Write texts below each other."""
    picture = Image.new("L", size, paper)
    font = ImageFont.load_default(height)
    for row, text in enumerate(texts):
        ImageDraw.Draw(picture).text((30, 25 + 2 * height * row), text, fill=ink, font=font)
    return picture


def texts_of(picture, **options):
    return [reading.text for reading in read(picture, **options)]


def test_amounts_keep_their_points():
    rng, right = np.random.default_rng(0), 0
    amounts = [f"{rng.uniform(1, 10 ** rng.uniform(1, 4)):.2f}" for _ in range(30)]
    for pair in zip(amounts[::2], amounts[1::2], strict=True):
        right += len(set(pair) & set(texts_of(typed(*(f"Total {amount}" for amount in pair)))))
    assert right >= 27


@pytest.mark.parametrize("text", ["17/05/2024", "14:05", "-17.5", "45%", "1,234.00", "12-31"])
def test_numbers_keep_their_signs(text):
    assert texts_of(typed(f"Date {text}", "and so on")) == [text]


def test_few_words_are_read_as_numbers():
    words = ("TOTAL", "BILL", "Sold", "Oil", "Change", "Street", "Amount", "Name", "Lemon", "Bread")
    found = [text for pair in pairwise(words) for text in texts_of(typed(*pair))]
    assert len(found) <= 5


def test_numbers_of_a_line_are_apart():
    assert texts_of(typed("No. 88213 and 14", "with 2750 more")) == ["88213", "14", "2750"]


def test_a_turned_page_is_read():
    page = typed("Invoice 88213", "Sum 47.50", "Rest 12.00")
    turned = page.rotate(90, expand=True)
    assert sorted(texts_of(turned)) == sorted(texts_of(page)) == ["12.00", "47.50", "88213"]


def test_boxes_are_those_of_the_numbers():
    page = typed("Invoice 88213", "Sum 47.50")
    ink = np.asarray(page) < 130
    for reading in read(page):
        left, top, right, bottom = reading.box
        rows, columns = np.nonzero(ink[top:bottom, left:right])
        assert (rows.min(), bottom - top - 1 - rows.max()) == pytest.approx((0, 0), abs=7)
        assert (columns.min(), right - left - 1 - columns.max()) == pytest.approx((0, 0), abs=14)


def test_a_pattern_chooses_among_texts():
    page = typed("Total 27.50", "Table 17")
    assert texts_of(page, pattern="dd.dd") == ["27.50"]
    assert texts_of(page, pattern="d+") == ["17"]
    assert texts_of(page, pattern=["dd.dd", "dd"]) == ["27.50", "17"]


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_a_blank_picture_has_no_numbers(grey):
    for size in ((10, 10), (1, 300), (640, 480)):
        assert read_numbers(Image.new("L", size, grey)) == ([], 0.0)


def test_noise_has_few_numbers():
    noise = np.random.default_rng(0).integers(0, 256, (480, 640), np.uint8)
    assert len(read(noise)) <= 1


def test_a_page_with_words_shows_others():
    assert read_numbers(typed("Total 27.50", "Table 17", "and SO on"))[1] > 0.2
