import numpy as np
import pytest
from PIL import Image
from written_pages import FONTS, SANS, SHIFTED, SIDE, page_with, sample_of

from skdigits.datasets import load_digits
from skdigits.synthesis.pages import page_samples
from skdigits.synthesis.pages.materials import Materials, segment_pieces
from skdigits.synthesis.pages.page import Page
from skdigits.synthesis.pages.spellings import numbers_in


@pytest.fixture(scope="module")
def materials():
    digits = load_digits()
    images = np.zeros((len(digits.images), 28, 28), np.uint8)
    images[:, 2:26, 2:26] = digits.images.repeat(3, 1).repeat(3, 2)
    fonts = [SANS, FONTS / "DejaVuSerif.ttf"]
    return Materials({"printed": fonts, "handwritten": fonts[:1]}, images, digits.target)


def test_the_digits_stand_where_the_run_says():
    page = page_with("805")
    (run,) = page.runs
    left, top, right, bottom = Image.eval(page.picture, lambda grey: 255 - grey).getbbox()
    assert abs(left - run.left) <= 3
    assert abs(right - run.right) <= 3
    assert abs(top - run.top) <= 1
    assert abs(bottom - run.bottom) <= 1


@pytest.mark.parametrize("turn", [1, 3])
def test_turned_digits_stand_where_they_are_marked(turn):
    page = page_with("80517", left=90, top=60, turn=turn)
    (box,) = page_samples._rectangles(page.runs[0])
    left, top, right, bottom = Image.eval(page.picture, lambda grey: 255 - grey).getbbox()
    assert abs((box[0] + box[2]) / 2 - (left + right) / 2) <= 1.5
    assert abs(box[1] - top) <= 3
    assert abs(box[3] - bottom) <= 3


def test_numbers_are_marked_and_words_are_not():
    sample = sample_of(page_with("No 12.50"))
    (run,) = sample.runs
    start, stop = run.numbers()[0]
    columns = np.flatnonzero(sample.target.any(axis=0)) * page_samples.STRIDE + 32
    assert abs(columns[0] - (run.left + run.edges[start, 0])) <= 4
    assert abs(columns[-1] - (run.left + run.edges[stop - 1, 1])) <= 6
    assert set(np.unique(sample.target)) == {0, 1}
    assert sample.heights[sample.target == 1] == pytest.approx(run.bottom - run.top)


def test_a_turned_page_marks_its_turn():
    assert set(np.unique(sample_of(page_with("12.50"), turn=2).target)) == {0, 3}


@pytest.mark.parametrize("height", [page_samples.SMALLEST - 3, page_samples.LARGEST + 9])
def test_numbers_of_other_heights_are_ignored(height):
    page = page_with("7", left=80, top=60, height=height)
    assert set(np.unique(sample_of(page).target)) <= {0, page_samples.IGNORED}


@pytest.mark.parametrize(("share", "mark"), [(0.2, page_samples.IGNORED), (0.8, 1)])
def test_numbers_in_much_noise_are_ignored(share, mark):
    page = page_with("12.50")
    clean = page.picture.crop((32, 32, 32 + SIDE, 32 + SIDE))
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)
    noisy = Image.blend(Image.fromarray(noise), clean, share)
    target, _ = page_samples._target(page, SHIFTED, 0, clean, noisy)
    assert set(np.unique(target)) == {0, mark}


def test_samples_are_reproducible(materials):
    one, other = (page_samples.draw_sample(materials, np.random.default_rng(3)) for _ in range(2))
    assert one.picture == other.picture
    np.testing.assert_array_equal(one.target, other.target)


def test_every_scene_has_numbers(materials):
    rng = np.random.default_rng(0)
    for scene in filter(None, page_samples.SCENES):
        page = Page(300, 300)
        for _ in range(5):
            scene(page, materials, rng, 20.0)
        assert any(run.numbers() for run in page.runs), scene


def test_samples_are_of_every_kind(materials):
    rng = np.random.default_rng(0)
    drawn = [page_samples.draw_sample(materials, rng) for _ in range(60)]
    assert {sample.picture.size for sample in drawn} == {(256, 256)}
    marked = set(np.unique([sample.target for sample in drawn]))
    assert marked == {0, 1, 2, 3, 4, page_samples.IGNORED}


def test_written_numbers_have_a_piece_per_character(materials):
    rng = np.random.default_rng(0)
    for text in ("12.50", "1,28", "-7", "3/4", "14:05", "$9"):
        pieces, lefts, tops = materials.written(text, 30, rng)
        assert len(pieces) == len(lefts) == len(tops) == len(text)
        assert (np.diff(lefts) > 0).all()
        assert all(piece.getbbox() for piece in pieces)


def test_segments_have_a_piece_per_character():
    for text in ("12.50", "-8", "14:05"):
        pieces, lefts, pitch = segment_pieces(text, 40, np.random.default_rng(0))
        assert len(pieces) == len(lefts) == len(text)
        assert pitch > 0
        assert (np.diff(lefts) > 0).all()


def test_numbers_of_wheels_have_gaps_and_are_one():
    page = Page(300, 300)
    rng = np.random.default_rng(0)
    fonts = {"printed": [SANS]}
    page_samples.devices.wheels(
        page, Materials(fonts, np.zeros((10, 28, 28), np.uint8), np.arange(10)), rng, 24.0
    )
    wheels = page.runs[-1]
    assert wheels.numbers() == [(0, len(wheels.text))]
    assert numbers_in(wheels.text) == wheels.numbers()
