import numpy as np
from plain_lines import blocks, plain

from skdigits.synthesis.sheet import (
    MARGIN,
    SIZE,
    Bars,
    Points,
    Sheet,
    enumerated,
    joins,
    underlines,
)


def write(tiles, seed=0, **properties):
    return Sheet.write(tiles, plain(**properties), np.random.default_rng(seed))


def test_digits_stand_side_by_side_with_the_gap_of_the_hand():
    sheet = write(blocks([(32, 16)] * 4))
    left, top, right, bottom = sheet.boxes.T
    np.testing.assert_allclose(left[1:] - right[:-1], 0.25 * SIZE, atol=1)
    assert (right - left == 16).all()
    assert (bottom - top == 32).all()
    assert left[0] == MARGIN


def test_type_of_one_width_stands_in_cells():
    sheet = write(blocks([(32, width) for width in (6, 26, 6)]), cell=0.9)
    left, _, right, _ = sheet.boxes.T
    np.testing.assert_allclose(np.diff((left + right) / 2), 0.9 * SIZE, atol=2)


def test_a_slope_moves_the_baseline():
    sheet = write(blocks([(32, 16)] * 5), slope=0.1)
    left, _, _, bottom = sheet.boxes.T
    np.testing.assert_allclose(np.diff(bottom) / np.diff(left), 0.1, atol=0.06)


def test_ends_of_amounts_can_be_raised():
    sheet = write(blocks([(32, 16), (21, 10)], is_raised=[False, True]))
    (_, _, _, bottom), (_, _, _, raised_bottom) = sheet.boxes
    assert raised_bottom < bottom - 2


def test_digits_that_are_not_level_are_centred():
    sheet = write(blocks([(32, 16), (20, 16)]), is_level=False)
    middles = (sheet.boxes[:, 1] + sheet.boxes[:, 3]) / 2
    assert middles[0] == middles[1]


def test_signs_have_no_box_and_their_own_level():
    tiles = blocks([(32, 16), (4, 16), (4, 16)], level=[np.nan, 0.5, 1.0])
    sheet = write(tiles)
    assert len(sheet.boxes) == 1
    ink = sheet.lines.pixels[:, sheet.boxes[0, 2] :]
    middle = sheet.boxes[0, [1, 3]].mean()
    assert ink[round(middle) - 1 : round(middle) + 1].any()
    assert ink[sheet.boxes[0, 3] - 1 : sheet.boxes[0, 3] + 1].any()


def test_each_line_has_its_columns():
    sheet = write(blocks([(32, 16)] * 5, line=[0, 0, 1, 3, 3]), n_lines=4)
    assert sheet.line.tolist() == [0, 0, 1, 3, 3]
    assert np.diff(sheet.lines.starts)[2] == 2 * MARGIN
    for line, (left, top, right, bottom) in zip(sheet.line, sheet.boxes, strict=True):
        start = sheet.lines.starts[line]
        assert (sheet.lines.pixels[top:bottom, start + left : start + right] == 255).all()
    np.testing.assert_array_equal(sheet.boxes[2], sheet.boxes[0])
    np.testing.assert_array_equal(sheet.boxes[3], sheet.boxes[0])


def test_a_point_is_at_the_baseline_and_moves_the_next_digit():
    sizes = [(32, 16), (32, 16)]
    for seed in range(20):
        without = write(blocks(sizes), seed)
        sheet = write(blocks(sizes, has_point=[True, False]), seed)
        points = Points.draw(np.arange(1), np.array([seed % 2 == 1]), np.random.default_rng(seed))
        bars = points.bars(
            np.array([64]), np.zeros(1, int), np.array([48.0]), np.random.default_rng(1)
        )
        assert abs(bars.top.min() - 64) < 0.35 * SIZE
        moved = sheet.boxes[:, 0] - without.boxes[:, 0]
        assert moved[0] == 0
        assert 0 <= moved[1] < 0.5 * SIZE


def test_an_underline_is_below_the_lowest_digit():
    bottoms, line = np.array([64, 70, 64]), np.array([0, 0, 1])
    found = [
        underlines(bottoms, line, np.array([90.0, 60.0, 50.0]), np.random.default_rng(seed))
        for seed in range(100)
    ]
    assert {i for bars in found for i in bars.line} == {0, 1}  # the last line has no digit
    for bars in found:
        assert (bars.top >= np.where(bars.line == 0, 70, 64) - 0.1 * SIZE).all()
        assert (bars.width > 0).all()


def test_joined_digits_are_connected():
    boxes = np.array([[32, 32, 48, 64], [60, 32, 76, 64]])
    for seed in range(20):
        bars = joins(boxes, np.zeros(2, int), np.array([1]), np.random.default_rng(seed))
        assert bars.left.min() < 48
        assert bars.left.max() >= 60
        assert (np.diff(bars.left) == 1).all()


def test_bars_stay_in_their_line():
    canvas, starts = np.zeros((10, 30), np.uint8), np.array([0, 10, 20, 30])
    sides = np.array([[1, 2], [-3, 8], [-2, 9], [5, 6], [4, 4]])
    Bars(*sides, ink=np.array([100, 200])).paint(canvas, starts)
    expected = np.zeros_like(canvas)
    expected[:2, 10:12], expected[9:, 28:30] = 100, 200
    np.testing.assert_array_equal(canvas, expected)


def test_enumerated():
    which, position = enumerated(np.array([2, 0, 3]))
    assert which.tolist() == [0, 0, 2, 2, 2]
    assert position.tolist() == [0, 1, 0, 1, 2]
