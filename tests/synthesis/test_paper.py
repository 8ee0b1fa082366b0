import numpy as np
import pytest
from plain_lines import blocks, plain

from skdigits.synthesis import paper
from skdigits.synthesis.paper import HEIGHT, Ink, as_images, photograph, printed_pattern, varied
from skdigits.synthesis.sheet import Sheet
from skdigits.synthesis.strips import Strip


def frame():
    """A digit of 32 rows, drawn by strokes of 5 pixels."""
    shape = np.full((32, 16), 255, np.uint8)
    shape[5:-5, 5:-5] = 0
    return shape


def sheet_of(n_lines):
    """Lines of one digit, without any other mark."""
    strip = Strip.of([np.pad(frame(), 32)] * n_lines)
    return Sheet(strip, np.tile([32, 32, 48, 64], (n_lines, 1)), np.arange(n_lines))


def as_images_of(sheet, seed=0):
    n_lines = len(sheet.lines.starts) - 1
    return as_images(sheet, np.zeros(n_lines, bool), np.random.default_rng(seed))


def test_a_digit_becomes_20_of_28_pixels():
    images, boxes = as_images_of(sheet_of(40))
    heights = []
    for image, (left, top, right, bottom) in zip(images, boxes, strict=True):
        assert image.shape[0] == HEIGHT
        rows = np.flatnonzero((image > 100).any(axis=1))
        heights.append(np.ptp(rows) + 1 if len(rows) else 0)
        assert left == pytest.approx(4, abs=3)
        assert right == pytest.approx(image.shape[1] - 4, abs=3)
        assert 12 < bottom - top <= HEIGHT
    assert np.median(heights) == pytest.approx(20, abs=2)
    assert np.median(boxes[:, 0]) == pytest.approx(4, abs=1)


def test_few_lines_are_photographed(monkeypatch):
    numbers = []

    def photographed(ink, rng):
        numbers.append(len(ink.boxes))
        return ink.scaled()

    monkeypatch.setattr(Ink, "photographed", photographed)
    as_images_of(sheet_of(300))
    assert 0.04 < sum(numbers) / 300 < 0.13
    assert max(numbers) == paper.ON_PHOTOGRAPH


def test_without_ink_the_image_is_black():
    empty = Sheet.write(blocks([]), plain(2), np.random.default_rng(0))
    images, boxes = as_images_of(empty)
    assert [image.shape for image in images] == [(28, 28)] * 2
    assert not np.any(images)
    assert boxes.shape == (0, 4)


def test_lines_between_others_may_be_empty():
    sheet = sheet_of(3)
    kept = sheet.line != 1
    images, boxes = as_images_of(Sheet(sheet.lines, sheet.boxes[kept], sheet.line[kept]))
    assert [image.any() for image in images] == [True, False, True]
    assert len(boxes) == 2


def test_a_digit_whose_ink_fades_is_black():
    sheet = sheet_of(1)
    sheet.lines.pixels[:] //= 200
    images, boxes = as_images_of(sheet)
    assert not images[0].any()
    assert boxes.shape == (1, 4)


def test_lines_differ_in_resolution():
    strip = Strip.of([np.pad(frame(), 6)] * 2)
    boxes = strip.extents()
    both = np.array([32.0, 32.0]), np.array([16.0, 16.0])
    sharp, soft = Ink(strip, boxes, *both, np.array([1, 0.4])).scaled()
    assert sharp.shape == soft.shape
    edges = [np.square(np.diff(image.astype(int))).sum() for image in (sharp, soft)]
    assert edges[1] < 0.85 * edges[0]


def test_photographed_lines_are_cleaned_as_pictures_of_users():
    found = []
    for seed in range(15):
        strip = Strip.of([np.pad(frame(), 6)] * 3)
        values = [32.0] * 3, [16.0] * 3, [0.5 if seed % 5 == 0 else 1.0] * 3
        ink = Ink(strip, strip.extents(), *map(np.array, values))
        found += ink.photographed(np.random.default_rng(seed))
    for image in found:
        rows = np.flatnonzero((image > 128).any(axis=1))
        assert np.ptp(rows) + 1 == pytest.approx(20, abs=3)


def test_a_line_that_cleaning_does_not_find_is_not_photographed():
    strip = Strip.of([np.pad(frame(), 6), np.pad(frame() // 255, 6)])
    ink = Ink(strip, strip.extents(), np.full(2, 32.0), np.full(2, 16.0), np.ones(2))
    found, usual = ink.photographed(np.random.default_rng(0)), ink.scaled()
    assert not np.array_equal(found[0], usual[0])
    np.testing.assert_array_equal(found[1], usual[1])


def test_patterns_are_fine_lines_or_none():
    patterns = [printed_pattern(60, 200, np.random.default_rng(seed)) for seed in range(40)]
    drawn = [pattern for pattern in patterns if pattern.any()]
    assert 5 < len(drawn) < 35
    for pattern in drawn:
        assert 0.04 < pattern.max() < 0.26
        assert (pattern == 0).mean() > 0.15


def test_varied_lines_are_of_the_same_height_and_keep_their_ink():
    line = np.zeros((28, 60), np.uint8)
    line[6:22, 10:14] = line[6:22, 40:44] = 250
    rng = np.random.default_rng(0)
    widths = set()
    for _ in range(30):
        found = varied(line, rng)
        assert found.shape[0] == 28
        assert found.dtype == np.uint8
        assert 0.5 < (found > 60).sum() / (line > 0).sum() < 2
        strokes = np.flatnonzero(np.diff((found[14] > 60).astype(int)) == 1)
        assert len(strokes) == 2
        widths.add(found.shape[1])
    assert len(widths) > 10


def test_photographs_have_dark_ink_on_bright_paper():
    ink = np.pad(frame() / np.float32(255), 10)
    for seed in range(20):
        grey = photograph(ink, np.random.default_rng(seed))
        assert grey.shape == ink.shape
        assert 0 <= grey.min() < grey.max() <= 255
        assert grey[ink == 1].mean() < 0.8 * grey[ink == 0].mean()
