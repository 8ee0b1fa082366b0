import numpy as np
import pytest
from PIL import Image

from skdigits.synthesis import paper
from skdigits.synthesis.paper import (
    HEIGHT,
    as_image,
    developed,
    inked,
    photographed,
    printed_pattern,
    thinned,
    varied,
)

BOX = (30, 32, 46, 64)


def canvas():
    """One digit: a frame of 32 rows."""
    shape = np.zeros((96, 80), np.uint8)
    left, top, right, bottom = BOX
    shape[top:bottom, left:right] = 255
    shape[top + 5 : bottom - 5, left + 5 : right - 5] = 0
    return shape


def test_a_digit_becomes_20_of_28_pixels():
    heights, lefts = [], []
    for seed in range(40):
        image, boxes = as_image(canvas(), [BOX], np.random.default_rng(seed))
        assert image.shape[0] == HEIGHT
        rows = np.flatnonzero((image > 100).any(axis=1))
        heights.append(np.ptp(rows) + 1 if len(rows) else 0)
        left, top, right, bottom = boxes[0]
        lefts.append(left)
        assert left == pytest.approx(4, abs=3)
        assert right == pytest.approx(image.shape[1] - 4, abs=3)
        assert 12 < bottom - top <= HEIGHT
    assert np.median(heights) == pytest.approx(20, abs=2)
    assert np.median(lefts) == pytest.approx(4, abs=1)


def test_few_lines_are_photographed(monkeypatch):
    calls = []
    monkeypatch.setattr(paper, "photographed", lambda *_: calls.append(1))
    for seed in range(300):
        as_image(canvas(), [BOX], np.random.default_rng(seed))
    assert 0.04 < len(calls) / 300 < 0.13


def test_without_ink_the_image_is_black():
    image, boxes = as_image(np.zeros((96, 80), np.uint8), [], np.random.default_rng(0))
    assert not image.any()
    assert boxes.shape == (0, 4)


def test_ink_differs_in_thickness_and_resolution():
    rng = np.random.default_rng(0)
    found = [inked(canvas(), rng) for _ in range(60)]
    areas = [(ink > 0.5).sum() / scale**2 for ink, scale in found]
    assert np.percentile(areas, 90) > 1.1 * np.percentile(areas, 10)
    assert {scale == 1 for _, scale in found} == {True, False}
    print_areas = [(inked(canvas(), rng, is_print=True)[0] > 0.5).mean() for _ in range(60)]
    assert 0.02 < np.median(print_areas) < 0.2


def test_photographed_lines_are_cleaned_as_pictures_of_users():
    ink = canvas()[30:66, 28:48] / np.float32(255)
    found = [photographed(ink, np.random.default_rng(seed)) for seed in range(30)]
    images = [image for image in found if image is not None]
    assert len(images) > 20
    for image in images:
        rows = np.flatnonzero((image > 128).any(axis=1))
        assert np.ptp(rows) + 1 == pytest.approx(20, abs=3)


def test_thinned_strokes_are_where_the_strokes_were():
    shape = canvas()
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        thin = np.asarray(thinned(Image.fromarray(shape), rng))
        shares.append((thin > 100).sum() / (shape > 0).sum())
        assert (shape[thin > 100] > 0).all()
        left, top, right, _ = BOX
        assert (thin[top : top + 5, left + 3 : right - 3] > 60).any(axis=0).all()  # unbroken
    assert 0.3 < min(shares) < np.mean(shares) < 0.97


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


def test_noise_is_only_in_the_ink():
    image = np.zeros((28, 60), np.uint8)
    image[5:20, 10:20] = 200
    rng = np.random.default_rng(0)
    for _ in range(20):
        changed = developed(image, rng)
        assert not changed[image == 0].any()
        assert changed[image > 0].mean() > 40
