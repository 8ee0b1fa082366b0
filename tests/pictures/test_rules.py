import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from skdigits.pictures import rules
from skdigits.pictures.rules import find_rules, remove_rules


def cross():
    """A thick stroke from top to bottom, on 120×160 pixels."""
    mask = np.zeros((120, 160), bool)
    mask[20:100, 70:78] = True
    return mask


@pytest.mark.parametrize("rise", [0, 3, -8])
@pytest.mark.parametrize("thickness", [1, 2, 5])
def test_rules_are_found_at_small_slopes(rise, thickness):
    mask = cross()
    centre = 60 + np.linspace(0, rise, 160)
    for x in range(160):
        top = round(centre[x] - thickness / 2)
        mask[top : top + thickness, x] = True
    ((centres, found),) = find_rules(mask, 0.75)
    assert found == thickness
    np.testing.assert_allclose(centres, centre - 0.5, atol=1)


@pytest.mark.parametrize("turned", [False, True])
def test_rules_go_and_the_stroke_that_crosses_them_stays(turned):
    stroke = cross()
    mask = stroke.copy()
    mask[20:100:20] = True
    mask[:, 3:160:30] = True
    stroke, mask = (stroke.T, mask.T) if turned else (stroke, mask)
    left = remove_rules(mask, mask.astype(float))
    assert left[stroke].mean() > 0.95
    assert left[~stroke].mean() < 0.01


def test_ink_on_a_fainter_rule_stays():
    stroke = np.zeros((120, 160), bool)
    stroke[58:62, 60:100] = True  # lies on the rule
    contrast = np.zeros((120, 160))
    contrast[59:61] = 0.3
    contrast[stroke] = 0.9
    left = remove_rules(contrast > 0, contrast)
    np.testing.assert_array_equal(left, stroke)


def test_strokes_are_no_rules():
    for mask in (cross(), cross().T, np.zeros((120, 160), bool)):
        np.testing.assert_array_equal(remove_rules(mask, mask.astype(float)), mask)
    one = np.zeros((120, 120), bool)
    one[10:110, 60:63] = True  # long, thin and straight, but alone
    np.testing.assert_array_equal(remove_rules(one, one.astype(float)), one)


def test_a_frame_alone_leaves_nothing():
    frame = np.zeros((120, 120), bool)
    frame[[2, 3, 116, 117]] = frame[:, [2, 3, 116, 117]] = True
    assert not remove_rules(frame, frame.astype(float)).any()


def test_lines_are_counted_alike_in_blocks_of_slopes(monkeypatch):
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 30, 50), rng.integers(0, 80, 50)
    together = rules._level_counts(rows, columns, 8, 46)
    monkeypatch.setattr(rules, "BLOCK", 150)  # three slopes at once
    np.testing.assert_array_equal(rules._level_counts(rows, columns, 8, 46), together)
    for slope, counts in zip(rules.SLOPES, together, strict=True):
        levels = np.rint(rows - slope * columns).astype(int) + 8
        np.testing.assert_array_equal(counts, np.bincount(levels, minlength=46))


def test_a_row_is_widened_to_both_sides():
    row = np.random.default_rng(0).random(200) < 0.1
    np.testing.assert_array_equal(rules._widened(row), binary_dilation(row))


def test_what_is_too_thick_is_no_rule():
    rows, columns = (part.ravel() for part in np.mgrid[10:15, :80])
    centres, thickness = rules._fit(rows, columns, 80, 60, 5)
    np.testing.assert_allclose(centres, 12)
    assert thickness == 5
    assert rules._fit(rows, columns, 80, 60, 4) is None
