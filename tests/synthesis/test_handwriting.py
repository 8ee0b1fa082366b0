import numpy as np
import pytest
from plain_lines import plain

from skdigits.datasets import load_digits
from skdigits.pictures.line_images import LineImages
from skdigits.synthesis.composition import TileLayout
from skdigits.synthesis.handwriting import AT_A_TIME, KINDS, MOST_PIXELS, LineSynthesizer
from skdigits.synthesis.shapes import Shapes
from skdigits.synthesis.symbols import Symbols


@pytest.fixture(scope="module")
def shapes():
    X, y = load_digits(return_X_y=True)
    return Shapes(LineImages(X.reshape(-1, 8, 8)).as_bytes(0, 255).images, y)


@pytest.fixture(scope="module")
def writers(shapes):
    return {style: LineSynthesizer(shapes, style) for style in KINDS}


@pytest.mark.parametrize("style", sorted(KINDS))
def test_lines_have_the_digits_that_they_say(writers, style):
    rng = np.random.default_rng(1)
    lines = writers[style].write_many(300, TileLayout((0, 6)), rng)
    assert {len(line.digits) for line in lines} == set(range(7))
    assert {digit for line in lines for digit in line.digits} == set(range(10))
    for line in lines:
        assert line.image.dtype == np.uint8
        assert line.image.shape[0] == 28
        assert line.boxes.shape == (len(line.digits), 4)
        assert line.image.any() == bool(line.digits)


def test_lines_with_zeros_at_their_end_begin_as_amounts_do(writers):
    rng = np.random.default_rng(3)
    lines = writers["handwritten"]._digits(np.full(3000, 6), rng)
    first = np.bincount(lines[(lines[:, -2:] == 0).all(axis=1), 0], minlength=10)
    assert first[0] < 0.03 * first.sum()
    assert first[1] / first.sum() == pytest.approx(np.log10(2), abs=0.05)
    others = np.bincount(lines[lines[:, -1] > 0, 0], minlength=10)
    assert others[0] > 0.05 * others.sum()


def test_a_writer_of_zeros_writes_zeros(shapes):
    zeros = Shapes(shapes.images[shapes.labels == 0], np.zeros((shapes.labels == 0).sum(), int))
    lines = LineSynthesizer(zeros, "handwritten").write_many(
        30, TileLayout(5), np.random.default_rng(0)
    )
    assert {line.text for line in lines} == {"00000"}


def test_boxes_hold_the_ink_of_their_digits(writers):
    lines = writers["handwritten"].write_many(300, TileLayout((1, 5)), np.random.default_rng(2))
    inside = total = 0
    for line in lines:
        assert (line.boxes >= 0).all()
        assert (line.boxes[:, 2:] <= line.image.shape[::-1]).all()
        assert (np.diff((line.boxes[:, 0] + line.boxes[:, 2]) / 2) > 0).all()
        seen = np.zeros_like(line.image, bool)
        for box in line.boxes:
            left, top, right, bottom = np.rint(box).clip(0).astype(int)
            assert line.image[top:bottom, left : right + 1].any()
            seen[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = True
        inside, total = inside + line.image[seen].sum(), total + line.image.sum(dtype=float)
    assert 0.85 < inside / total < 0.995  # the rest is signs, points, underlines and specks


def test_the_same_seed_writes_the_same_lines(shapes):
    first, second, other = (
        LineSynthesizer(shapes, "mixed").write_many(
            20, TileLayout((1, 5)), np.random.default_rng(seed)
        )
        for seed in (3, 3, 4)
    )
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.image, two.image)
        assert one.digits == two.digits
    assert any(one.image.shape != two.image.shape for one, two in zip(first, other, strict=True))


def test_only_the_mixed_style_prints(writers):
    assert {"printed", "segments"} <= set(writers["mixed"]._kinds)
    assert not {"printed", "segments"} & set(writers["handwritten"]._kinds)
    assert all(sum(shares.values()) == pytest.approx(1) for shares in KINDS.values())


def test_memory_is_bounded_by_a_number_of_lines_and_of_pixels(shapes, monkeypatch):
    synthesizer, numbers = LineSynthesizer(shapes, "mixed"), []
    monkeypatch.setattr(
        synthesizer, "write", lambda lengths, rng: numbers.append(len(lengths)) or []
    )
    synthesizer.write_many(2 * AT_A_TIME + 3, TileLayout(5), np.random.default_rng(0))
    assert numbers == [AT_A_TIME, AT_A_TIME, 3]
    numbers.clear()
    synthesizer.write_many(150, TileLayout((0, 200)), np.random.default_rng(0))
    assert numbers == [MOST_PIXELS // (28 * 28 * 200), 150 - MOST_PIXELS // (28 * 28 * 200)]


def test_a_one_that_lies_more_than_it_stands_is_made_half_as_wide():
    ones = np.zeros((2, 28, 28), np.uint8)
    ones[0, 6:22, 4:24] = ones[1, 6:22, 10:18] = 255
    for image, expected in zip(ones, (10 / 16, 8 / 16), strict=True):
        synthesizer = LineSynthesizer(Shapes(image[np.newaxis], np.array([1])), "handwritten")
        rng, (collection, index) = np.random.default_rng(3), np.zeros((2, 1), int)
        symbols = Symbols.around(np.array([[1]]), rng)
        assert symbols.value.tolist() == [1]
        tiles = synthesizer._tiles(symbols, collection, index, plain(), rng)
        height, width = tiles.images[0].shape
        assert width / height == pytest.approx(expected, abs=0.12)
