import numpy as np
import pytest
from photographs import page
from PIL import Image
from scipy.ndimage import zoom

from skdigits.datasets import load_digits
from skdigits.pictures import clean_line, ink
from skdigits.pictures.cleaning import find_line
from skdigits.pictures.cutting import cut_lines


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    images = zoom(bunch.images, (1, 2.5, 2.5), order=1)
    return np.pad(images, [(0, 0), (4, 4), (4, 4)]), bunch.target


def test_each_line_of_a_page_is_cut_out_and_cleaned(digits):
    picture, boxes, texts = page(*digits, "plain", np.random.default_rng(0), n_lines=4)
    images, found = cut_lines(picture)
    assert len(images) == len(found) == 4
    for box, line, text in zip(boxes, found, texts, strict=True):
        overlap = np.minimum(box[2:], line[2:]) - np.maximum(box[:2], line[:2])
        union = np.maximum(box[2:], line[2:]) - np.minimum(box[:2], line[:2])
        assert overlap.min() > 0
        assert np.prod(overlap) > 0.7 * np.prod(union), text
    for image in images:
        assert image.shape[0] == 28
        assert image.max() > 200


def test_a_picture_of_one_line_is_cleaned_as_a_whole(digits):
    picture, boxes, _ = page(*digits, "plain", np.random.default_rng(1), n_lines=1)
    images, found = cut_lines(picture)
    np.testing.assert_array_equal(images[0], clean_line(picture))
    np.testing.assert_allclose(found[0], boxes[0], atol=4)


@pytest.mark.parametrize("width", [700, 1300, 1700])
def test_a_large_picture_of_one_line_is_cleaned_alike(digits, width):
    picture, _, _ = page(*digits, "plain", np.random.default_rng(1), n_lines=1)
    size = width, round(width * picture.shape[0] / picture.shape[1])
    large = Image.fromarray(picture.astype(np.uint8)).resize(size)
    np.testing.assert_array_equal(cut_lines(large)[0][0], clean_line(large))


def test_boxes_are_in_pixels_of_a_large_picture(digits):
    picture, boxes, _ = page(*digits, "plain", np.random.default_rng(2), n_lines=3)
    large = np.asarray(picture, np.uint8).repeat(5, axis=0).repeat(5, axis=1)
    _, found = cut_lines(large)
    assert len(found) == 3
    np.testing.assert_allclose(found / 5, boxes, atol=6)


@pytest.mark.parametrize("width", range(6))
def test_a_line_that_is_cut_out_of_cells_is_not_alone(width):
    line = np.full((82, 354), 240, np.float32)
    line[20:62, 60:280:40] = 20
    assert find_line(line).is_alone
    line[:, [start + i for start in range(24, 340, 63) for i in range(6)]] = 150
    for edge in (line[:width], line[len(line) - width :]):  # paper, to what is found along it
        edge[:, 24:345] = 150
    assert not find_line(line).is_alone


def test_a_blank_page_has_no_lines():
    images, boxes = cut_lines(np.full((300, 200), 255, np.uint8))
    assert images == []
    assert boxes.shape == (0, 4)


def test_a_picture_of_one_line_is_examined_once(monkeypatch):
    line = np.full((82, 354), 240, np.uint8)
    line[20:62, 60:280:40] = 20
    calls = []
    monkeypatch.setattr(ink, "has_bright_ink", lambda grey: calls.append(grey.shape))
    images, _ = cut_lines(line)
    assert len(images) == 1
    assert calls == [line.shape]
