import io

import numpy as np
import pytest
from photographs import page
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import zoom

import skdigits.reading
from skdigits import (
    DigitClassifier,
    DigitSequenceRecognizer,
    Reading,
    load_pretrained,
    read,
    read_many,
)
from skdigits.datasets import load_digits
from skdigits.pictures import clean_picture


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    images = zoom(bunch.images, (1, 2.5, 2.5), order=1)
    return np.pad(images, [(0, 0), (4, 4), (4, 4)]), bunch.target


def test_the_lines_of_a_page_are_read_in_order(digits):
    n_right = n_lines = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        picture, _, texts = page(*digits, "plain", rng, n_lines=4)
        found = read(picture)
        assert all(isinstance(reading, Reading) for reading in found)
        n_lines += len(texts)
        n_right += len(set(texts) & {reading.text for reading in found})
        tops = [reading.box[1] for reading in found]
        assert tops == sorted(tops)
        for reading in found:
            assert 0 < reading.confidence <= 1
            assert len(reading.box) == 4
            assert all(isinstance(n, int) for n in reading.box)
    assert n_right >= 0.7 * n_lines  # the digits were enlarged from 8×8 pixels


def test_a_single_digit_is_a_line_of_one(digits):
    images, labels = digits
    chosen = range(0, 200, 10)
    found = [read(np.pad(255 - images[i], 6, constant_values=255)) for i in chosen]
    texts = [readings[0].text if readings else "" for readings in found]
    assert np.mean(np.array(texts) == labels[::10][:20].astype(str)) >= 0.9


def test_a_file_a_picture_and_an_array_read_the_same(digits, tmp_path):
    picture, _, _ = page(*digits, "plain", np.random.default_rng(3), n_lines=2)
    picture = Image.fromarray(np.asarray(picture, np.uint8))
    picture.save(tmp_path / "page.png")
    expected = read(np.asarray(picture))
    assert expected
    assert read(picture) == read(tmp_path / "page.png") == read(str(tmp_path / "page.png"))
    assert read(picture) == expected


def test_the_number_of_digits_may_be_known(digits):
    picture, _, texts = page(*digits, "plain", np.random.default_rng(4), n_lines=3)
    for n in (1, 3):
        assert all(len(reading.text) == n for reading in read(picture, digits=n))
    (longest,) = [len(max(texts, key=len))]
    assert len(read(picture, digits=longest)) >= 1
    for wrong in (0, 1.5, "3", True):
        with pytest.raises(ValueError, match="digits should be a whole number from 1"):
            read(picture, digits=wrong)


def test_a_model_of_ones_own(digits):
    images, labels = digits
    picture = np.pad(255 - images[3], 6, constant_values=255)
    named = DigitClassifier("compact", epochs=2, random_state=0)
    named.fit(images[:500], np.array(list("abcdefghij"))[labels[:500]])
    (reading,) = read(picture, model=named)
    assert reading.text in "abcdefghij"
    assert reading.box[2] > reading.box[0]
    (reading,) = read(picture, model=load_pretrained("sequence"))
    assert reading.text.isdigit()


class PathLike:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


def test_a_picture_is_read_from_wherever_it_is(tmp_path):
    picture, file = typed((300, 100), [((20, 10), 70, "2718")]), tmp_path / "a.png"
    picture.save(file)
    expected, content = read(picture), file.read_bytes()
    assert texts_of(expected) == ["2718"]
    for source in (PathLike(str(file)), content, bytearray(content), io.BytesIO(content)):
        assert read(source) == expected
    with file.open("rb", buffering=0) as opened:
        assert read(opened) == expected
    with file.open(encoding="latin1") as opened, pytest.raises(ValueError, match="binary mode"):
        read(opened)


@pytest.mark.parametrize("kind", [list, tuple])
def test_several_pictures_are_refused_with_the_sentence_that_says_how(tmp_path, kind):
    page = np.full((60, 60), 255, np.uint8)
    for several in ([page], [page] * 3, [str(tmp_path)], [Image.fromarray(page)]):
        with pytest.raises(ValueError, match=r"takes one picture. Call it for each: \[read\(pict"):
            read(kind(several))
    assert read(kind(page.tolist())) == []
    with pytest.raises(ValueError, match="is a folder; .* takes one picture.*`skdigits read`"):
        read(tmp_path)


def test_what_is_no_picture_is_refused_and_what_is_blank_has_no_lines(tmp_path):
    assert read(np.full((100, 100), 255, np.uint8)) == []
    (tmp_path / "text.png").write_bytes(io.BytesIO(b"no picture").getvalue())
    with pytest.raises(ValueError, match="not a picture, or damaged"):
        read(tmp_path / "text.png")
    with pytest.raises(ValueError, match="picture should be an array of shape"):
        read(np.zeros(7))
    with pytest.raises(ValueError, match="picture should be .*; got NoneType"):
        read(None)
    with pytest.raises(ValueError, match="not a picture, or damaged"):
        read(b"no picture")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing.png")


def typed(size, texts):
    """Draw texts on a white picture; each is (position, height in pixels, text)."""
    picture = Image.new("L", size, 250)
    for position, height, text in texts:
        font = ImageFont.load_default(height)
        ImageDraw.Draw(picture).text(position, text, font=font, fill=20)
    return picture


def draw_cells(picture, cells, width, grey=20):
    """Draw frames; each cell is (left, top, right, bottom)."""
    for cell in cells:
        ImageDraw.Draw(picture).rectangle(cell, outline=grey, width=width)


def texts_of(readings):
    return [reading.text for reading in readings]


@pytest.mark.parametrize("height", [30, 60, 90])
def test_bars_of_sevens_are_no_rule(height):
    texts = ["7777", "77777", "0277775", "700777", "77177", "27777"]
    places = [((60, 40 + 2 * height * i), height, text) for i, text in enumerate(texts)]
    assert texts_of(read(typed((900, 80 + 2 * height * len(texts)), places))) == texts
    for text in texts[:2]:
        assert texts_of(read(typed((900, 2 * height), [((60, 10), height, text)]))) == [text]


@pytest.mark.parametrize("width", [1, 3, 6])
@pytest.mark.parametrize("angle", [0, 3])
def test_digits_in_a_frame_or_in_cells_are_read(width, angle):
    texts = {"frame": "40713", "cells": "28569", "single": "7"}
    places = [((100 + 60 * i, 60), 60, c) for i, c in enumerate(texts["frame"])]
    places += [((100 + 60 * i, 260), 60, c) for i, c in enumerate(texts["cells"])]
    page = typed((560, 400), places)
    draw_cells(page, [(80, 50, 420, 140)], width)
    draw_cells(page, [(x, 250, x + 60, 340) for x in range(85, 385, 60)], width)
    page = page.rotate(angle, fillcolor=250, resample=Image.Resampling.BICUBIC)
    assert texts_of(read(page)) == [texts["frame"], texts["cells"]]
    single = typed((160, 160), [((65, 40), 60, texts["single"])])
    draw_cells(single, [(40, 30, 120, 120)], width)
    assert texts_of(read(single)) == [texts["single"]]


@pytest.mark.parametrize("height", [24, 30])
@pytest.mark.parametrize("width", [1, 2])
def test_cells_of_a_small_picture_are_no_ones(height, width):
    step = round(1.3 * height)
    places = [((20 + step * i, 12), height, c) for i, c in enumerate("28569")]
    line = typed((40 + 5 * step, 26 + height), places)
    assert line.height < 60
    lefts = [14 + step * i for i in range(5)]
    draw_cells(line, [(x, 8, x + step, 20 + height) for x in lefts], width)
    assert texts_of(read(line)) == ["28569"]


@pytest.mark.parametrize("factor", [0.5, 0.6, 0.7])
def test_cells_whose_rules_differ_since_the_picture_was_reduced_are_no_ones(factor):
    places = [((40 + 62 * i, 24), 48, c) for i, c in enumerate("28569")]
    line = typed((380, 110), places)
    draw_cells(line, [(x, 14, x + 62, 92) for x in range(26, 336, 62)], 2)
    reduced = line.resize((round(380 * factor), round(110 * factor)), Image.Resampling.LANCZOS)
    assert texts_of(read(reduced)) == ["28569"]


@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("grey", [20, 150])
@pytest.mark.parametrize("margin", [14, 18, 22, 30])  # of the cells above and below the digits
def test_what_is_cut_off_cells_is_no_one(width, grey, margin):
    texts = ["80201", "90625", "28569"]
    places = [
        ((100 + 80 * i, 62 + 150 * row), 60, c)
        for row, text in enumerate(texts)
        for i, c in enumerate(text)
    ]
    page = typed((600, 500), places)
    corners = [corner for corner, _, _ in places]
    cells = [(x - 20, y + 10 - margin, x + 60, y + 60 + margin) for x, y in corners]
    draw_cells(page, cells, width, grey)
    assert texts_of(read(page)) == texts


def test_small_digits_below_a_heading_are_read():
    numbers = [f"{10 * row + column}{column}" for row in range(2, 10) for column in range(6)]
    places = [((60 + 150 * (i % 6), 200 + 70 * (i // 6)), 14, n) for i, n in enumerate(numbers)]
    found = texts_of(read(typed((1000, 800), [((440, 30), 50, "2024"), *places])))
    assert sum(number in found for number in numbers) >= 0.9 * len(numbers)


def test_boxes_of_a_file_are_in_its_pixels(tmp_path):
    places = [((400, 300), 300, "35072"), ((1800, 1800), 300, "8146")]
    picture = typed((4000, 3000), places)
    exact = read(picture)
    assert texts_of(exact) == ["35072", "8146"]
    for name in ("large.png", "large.jpg"):
        picture.save(tmp_path / name)
        found = read(tmp_path / name)
        assert texts_of(found) == texts_of(exact)
        np.testing.assert_allclose([r.box for r in found], [r.box for r in exact], atol=8)


def test_the_first_picture_of_a_jpeg_is_read(tmp_path):
    picture = typed((400, 120), [((60, 20), 60, "4711")]).convert("RGB")
    small = [picture.resize((100, 30))]
    picture.save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=small)
    assert texts_of(read(tmp_path / "phone.jpg")) == ["4711"]


def test_a_line_that_does_not_look_like_the_pattern_is_left_out(monkeypatch):
    picture = typed((200, 120), [((60, 20), 60, "42")])
    assert read(picture, digits=2) == read(picture)
    for digits in (1, 5, 9, 59):  # a line has fewer frames than the last of these
        assert read(picture, digits=digits) == []
    monkeypatch.setattr(skdigits.reading, "LEAST", 1e-7)
    assert [len(read(picture, digits=digits)) for digits in (1, 5)] == [1, 0]
    with pytest.raises(ValueError, match="model is a DigitClassifier, which reads single digits"):
        read(picture, digits=2, model=load_pretrained("digit"))


def test_a_number_is_read_as_its_pattern_has_it():
    picture = typed((420, 120), [((40, 20), 60, "04271305")])
    (plain,) = read(picture)
    assert plain.text == "04271305"
    for pattern, text in {
        "ddddd.ddd": "04271.305",
        "d+,dd": "042713,05",
        "0ddddddd": "04271305",
        ("dd.dd.dddd", "dd/dd/dddd"): "04.27.1305",
        ("d", "$ d+"): "$ 04271305",
    }.items():
        (reading,) = read(picture, pattern=pattern)
        assert reading.text == text
        assert reading.confidence == pytest.approx(plain.confidence, rel=1e-6)
        assert reading.box == plain.box
    assert read(picture, pattern="d2dd-305") == []  # for one digit fewer
    assert read(picture, digits=8) == read(picture, pattern="dddddddd") == [plain]
    assert list(read_many([picture] * 2, pattern="-d+")) == 2 * [read(picture, pattern="-d+")]


def test_a_single_digit_is_read_by_two_networks_where_the_pattern_allows_it(digits):
    picture = np.pad(255 - digits[0][3], 6, constant_values=255)
    (plain,) = read(picture)
    (of_one,) = read(picture, digits=1)
    assert of_one.confidence == pytest.approx(plain.confidence, abs=0.01)
    for pattern, text in {"d": "3", "-d%": "-3%", ("d", "5"): "3", "d+": "3"}.items():
        (reading,) = read(picture, pattern=pattern)
        assert reading.text == text
        exact = 0.01 if pattern == "d+" else 1e-9
        assert reading.confidence == pytest.approx(of_one.confidence, abs=exact)
        (by_one,) = read(picture, pattern=pattern, model=load_pretrained("digit"))
        assert by_one.text == text
    (by_line,) = read(picture, pattern="d", model=load_pretrained("sequence"))
    shares = read(picture, model=load_pretrained("digit"))
    assert plain.confidence == pytest.approx(
        (by_line.confidence + shares[0].confidence) / 2, abs=0.01
    )
    (other,) = read(picture, pattern=["1", "2"], model=load_pretrained("digit"))
    assert other.text in ("1", "2")
    assert other.confidence < 0.1
    with pytest.raises(ValueError, match="reads single digits; got pattern='dd'. Pass a Digit"):
        read(picture, pattern="dd", model=load_pretrained("digit"))


def test_a_digit_beside_a_sign_that_is_read_is_no_single_digit(monkeypatch):
    reader = DigitSequenceRecognizer()
    reader.characters_ = "0123456789-"
    monkeypatch.setattr(skdigits.reading, "sequence_recognizer", lambda: reader)
    texts = ("3", "3%", "-3", "-", "31", "")
    assert [text for text in texts if skdigits.reading._is_single(text)] == ["3", "3%"]


def test_a_picture_that_cleaning_finds_blank_is_not_read_by_a_classifier():
    picture = np.full((28, 5), 255, np.uint8)
    picture[1:17, 3:] = 0
    assert not clean_picture(picture).any()
    assert read(picture, model=load_pretrained("digit")) == []
    assert all(reading.confidence > 0.5 for reading in read(picture))


@pytest.mark.parametrize("symbol", "#X$")
def test_what_the_recognizer_takes_for_no_digit_is_not_read(symbol):
    assert read(typed((200, 200), [((60, 10), 140, symbol)])) == []


@pytest.mark.parametrize("symbol", "?*+K")
def test_a_symbol_on_which_the_networks_differ_is_not_sure(symbol):
    assert all(r.confidence < 0.6 for r in read(typed((200, 200), [((60, 10), 140, symbol)])))


def test_a_bracket_beside_two_lines_is_no_digit_of_theirs():
    picture = typed((700, 400), [((60, 60), 60, "31415"), ((60, 120), 60, "27182")])
    bracket = [(245, 78), (255, 80), (257, 180), (245, 182)]
    ImageDraw.Draw(picture).line(bracket, fill=0, width=5)
    assert texts_of(read(picture)) == ["31415", "27182"]


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_photograph_and_its_file_read_the_same(tmp_path, orientation):
    picture = typed((4000, 1500), [((400, 200), 300, "47205"), ((400, 800), 300, "1386")])
    exif = Image.Exif()
    exif[274] = orientation
    picture.save(tmp_path / "photo.jpg", exif=exif)
    found = read(tmp_path / "photo.jpg")
    assert found == read(Image.open(tmp_path / "photo.jpg"))
    assert found or orientation == 6


def numbers(*texts):
    """Draw a picture of each number."""
    pictures = []
    for text in texts:
        picture = Image.new("L", (60 + 40 * len(text), 90), 240)
        ImageDraw.Draw(picture).text((30, 15), text, fill=20, font=ImageFont.load_default(60))
        pictures.append(picture)
    return pictures


def test_many_pictures_are_read_in_their_order():
    pictures = numbers("471", "08", "5523")
    expected = [read(picture) for picture in pictures]
    found = read_many(iter(pictures))
    assert next(found) == expected[0]
    assert list(found) == expected[1:]
    assert [readings[0].text for readings in expected] == ["471", "08", "5523"]
    of_two = [read(picture, digits=2) for picture in pictures]
    assert list(read_many(pictures, digits=2)) == of_two != expected


def test_a_picture_that_cannot_be_read_ends_nothing_if_asked(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    pictures = [*numbers("471"), tmp_path / "text.png", tmp_path / "missing.png", *numbers("08")]
    first, text, missing, last = read_many(pictures, return_exceptions=True)
    assert (first[0].text, last[0].text) == ("471", "08")
    assert isinstance(text, ValueError)
    assert isinstance(missing, OSError)
    found = read_many(pictures)
    assert next(found) == first
    with pytest.raises(ValueError, match="text.png: not a picture"):
        next(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"digits": 0}, "whole number from 1 to 59, or None; got 0"),
        ({"digits": 60}, "whole number from 1 to 59, or None; got 60"),
        ({"pattern": "ddxd"}, "got 'x' in 'ddxd'"),
        ({"pattern": []}, "a list of such strings"),
        (
            {"pattern": "ddd", "digits": 3},
            "digits=3 means pattern='ddd', but pattern='ddd' was also passed",
        ),
    ],
)
def test_options_are_checked_before_any_picture_is_read(options, message):
    with pytest.raises(ValueError, match=message):
        read_many(iter(()), **options)


@pytest.mark.slow
def test_several_processes_read_the_same():
    pictures = numbers(*(f"{number:03d}" for number in range(0, 500, 11)))
    assert list(read_many(pictures, n_jobs=2)) == [read(picture) for picture in pictures]
