import numpy as np
import pytest
from PIL import Image

from skdigits.datasets import load_digits
from skdigits.pictures.line_images import LineImages
from skdigits.synthesis.composition import TileLayout
from skdigits.synthesis.handwriting import KINDS, SIZE, LineSynthesizer, Sheet, Writer, tilted
from skdigits.synthesis.shapes import Shapes

PLAIN = Writer(
    slant=0.0, aspect=1.0, gap=0.25, gap_change=0.0, size_change=0.0, slope=0.0, wobble=0.0
)


@pytest.fixture(scope="module")
def shapes():
    X, y = load_digits(return_X_y=True)
    return Shapes(LineImages(X.reshape(-1, 8, 8)).as_bytes(0, 255).images, y)


@pytest.fixture(scope="module")
def writers(shapes):
    return {style: LineSynthesizer(shapes, style) for style in KINDS}


def sheet(writer=PLAIN, n_digits=5, seed=0):
    return Sheet(n_digits, writer, np.random.default_rng(seed))


def block(width=10, height=20):
    return Image.fromarray(np.full((height, width), 255, np.uint8))


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
    lines = [writers["handwritten"]._digits(6, rng) for _ in range(3000)]
    first = np.bincount([line[0] for line in lines if line[-2:] == [0, 0]], minlength=10)
    assert first[0] < 0.03 * first.sum()
    assert first[1] / first.sum() == pytest.approx(np.log10(2), abs=0.05)
    others = np.bincount([line[0] for line in lines if line[-1]], minlength=10)
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


def test_digits_stand_side_by_side_with_the_gap_of_the_hand():
    line = sheet()
    for _ in range(4):
        line.put(block(), 0.0)
    left, _, right, _ = np.array(line.boxes).T
    np.testing.assert_allclose(left[1:] - right[:-1], 0.25 * SIZE, atol=3)
    np.testing.assert_allclose(right - left, SIZE / 2, atol=4)


def test_type_of_one_width_stands_in_cells():
    line = sheet(Writer(0.0, 1.0, 0.1, 0.0, 0.0, 0.0, 0.0, cell=0.9))
    for width in (4, 16, 4):
        line.put(block(width), 0.0)
    left, _, right, _ = np.array(line.boxes).T
    np.testing.assert_allclose(np.diff((left + right) / 2), 0.9 * SIZE, atol=2)


def test_a_slope_moves_the_baseline():
    line = sheet(Writer(0.0, 1.0, 0.25, 0.0, 0.0, 0.1, 0.0))
    for _ in range(5):
        line.put(block(), 0.0)
    left, _, _, bottom = np.array(line.boxes).T
    np.testing.assert_allclose(np.diff(bottom) / np.diff(left), 0.1, atol=0.06)


@pytest.mark.parametrize("slant", [-0.5, 0.5])
def test_slanted_digits_lean_to_their_side(slant):
    tile = tilted(block(6, 30), 6, 30, slant, np.random.default_rng(0)) > 128
    top, bottom = (np.flatnonzero(tile[row]).mean() for row in (2, -3))
    assert (top - bottom) / 24 == pytest.approx(slant, abs=0.15)


def test_ends_of_amounts_can_be_raised():
    line = sheet()
    line.put(block(), 0.0)
    line.put(block(), 0.0, is_raised=True)
    (_, top, _, bottom), (_, raised_top, _, raised_bottom) = line.boxes
    assert raised_bottom - raised_top < 0.8 * (bottom - top)
    assert raised_bottom < bottom - 2


def test_a_point_is_at_the_baseline_and_an_underline_below():
    line = sheet()
    line.put(block(), 0.0)
    before = line.canvas.copy()
    line.point()
    rows = np.flatnonzero((line.canvas != before).any(axis=1))
    assert abs(rows[0] - line.boxes[0][3]) < 0.35 * SIZE
    before = line.canvas.copy()
    line.underline()
    rows = np.flatnonzero((line.canvas != before).any(axis=1))
    assert rows[0] >= line.boxes[0][3] - 0.1 * SIZE


def test_a_one_that_lies_more_than_it_stands_is_made_half_as_wide():
    ones = np.zeros((2, 28, 28), np.uint8)
    ones[0, 6:22, 4:24] = ones[1, 6:22, 10:18] = 255
    for image, expected in zip(ones, (10 / 16, 8 / 16), strict=True):
        synthesizer, line = (
            LineSynthesizer(Shapes(image[np.newaxis], np.array([1])), "handwritten"),
            sheet(),
        )
        synthesizer._put(line, 1, None, is_raised=False)
        ((left, top, right, bottom),) = line.boxes
        assert (right - left) / (bottom - top) == pytest.approx(expected, abs=0.12)


def test_the_second_sign_after_an_amount_is_a_dash(shapes):
    class Recording(LineSynthesizer):
        def _sign(self, line, kinds):
            signs.append(kinds)

    synthesizer, ends = Recording(shapes, "handwritten"), []
    for seed in range(300):
        signs = []
        synthesizer._end(sheet(seed=seed))
        ends.append(signs)
    assert max(map(len, ends)) == 2
    assert all(set(second) == {"-"} for _, second in filter(lambda end: len(end) == 2, ends))
