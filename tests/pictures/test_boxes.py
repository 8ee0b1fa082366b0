import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes, rotate

from skdigits.pictures.boxes import _filled, remove_boxes


def cells(n, *, width=40, height=60, thickness=2):
    """A row of cells on 120×(40 n + 60) pixels."""
    mask = np.zeros((120, n * width + 60), bool)
    for top in (30, 30 + height):
        mask[top : top + thickness, 30 : 30 + n * width + thickness] = True
    for left in range(30, 31 + n * width, width):
        mask[30 : 30 + height + thickness, left : left + thickness] = True
    return mask


@pytest.mark.parametrize("tilt", [0, 4, -4])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_cells_go_and_the_strokes_that_touch_them_stay(n, tilt):
    strokes = np.zeros((120, n * 40 + 60), bool)
    for i in range(n):
        strokes[45:100, 48 + 40 * i : 54 + 40 * i] = True  # out of the cell at the bottom
        strokes[45:50, 40 + 40 * i : 60 + 40 * i] = True
    boxes = cells(n)
    strokes, boxes = (rotate(mask.astype(float), tilt, order=1) > 0.5 for mask in (strokes, boxes))
    mask = strokes | boxes
    left = remove_boxes(mask, mask.astype(float))
    assert left[strokes].mean() > 0.97
    assert left[boxes & ~strokes].mean() < 0.06


def test_a_ring_goes_and_the_dot_in_a_zero_stays():
    y, x = np.mgrid[:120, :160]
    distance = np.hypot(y - 60, (x - 80) / 1.4)
    ring = (distance > 44) & (distance < 48)
    digit = np.zeros_like(ring)
    digit[35:85, 70:78] = digit[35:40, 70:100] = True
    mask = ring | digit
    np.testing.assert_array_equal(remove_boxes(mask, mask.astype(float)), digit)
    zero = ring | (distance < 12)
    np.testing.assert_array_equal(remove_boxes(zero, zero.astype(float)), zero)


@pytest.mark.parametrize("tilt", [0, 4])
def test_combs_go_and_what_stands_in_them_stays(tilt):
    comb = cells(5)
    comb[:60] = False  # ticks of half the height, on one rule
    strokes = np.zeros_like(comb)
    strokes[30:86, 45:49] = strokes[30:86, 125:129] = True  # ones as thin as two ticks
    strokes[40:80, 85:95] = True
    strokes, comb = (rotate(mask.astype(float), tilt, order=1) > 0.5 for mask in (strokes, comb))
    mask = strokes | comb
    left = remove_boxes(mask, mask.astype(float))
    assert left[strokes].all()
    assert left[comb & ~strokes].mean() < 0.06


def test_ones_on_a_rule_are_no_comb():
    mask = np.zeros((120, 260), bool)
    mask[90:92, 30:230] = True
    for left in (60, 100, 180):
        mask[40:90, left : left + 3] = True
    mask[40:85, 120:150] = True
    np.testing.assert_array_equal(remove_boxes(mask, mask.astype(float)), mask)


def test_an_angular_digit_is_no_box():
    zero = cells(1)
    eight = zero.copy()
    eight[58:60, 30:70] = True
    dotted = zero.copy()
    dotted[57:63, 48:54] = True
    tiny = zero[25:100:2, 25:80:2]
    for mask in (zero, eight, dotted, tiny):
        np.testing.assert_array_equal(remove_boxes(mask, mask.astype(float)), mask)


def test_a_digit_between_ruled_lines_is_no_box():
    mask = np.zeros((120, 260), bool)
    mask[[30, 31, 90, 91]] = True
    mask[30:90, 60:66] = mask[30:90, 180:186] = True  # two ones from line to line
    mask[50:70, 100:140] = True
    np.testing.assert_array_equal(remove_boxes(mask, mask.astype(float)), mask)


def test_the_holes_of_a_piece_are_filled():
    rng = np.random.default_rng(0)
    n_filled = 0
    for density in np.linspace(0.3, 0.9, 30):
        piece = rng.random((20, 30)) < density
        np.testing.assert_array_equal(_filled(piece), binary_fill_holes(piece))
        n_filled += (_filled(piece) > piece).sum()
    assert n_filled > 100
