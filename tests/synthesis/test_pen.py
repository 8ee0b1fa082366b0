import numpy as np
import pytest
from scipy import ndimage

from skdigits.synthesis.pen import DIGITS, SIGNS, draw, drawn_digits, seven_segment_digits, sign


def test_digits_are_drawn_of_every_shape():
    images, labels = drawn_digits(20, np.random.default_rng(0))
    assert images.dtype == np.uint8
    assert np.bincount(labels, minlength=10).tolist() == [20, 20, 20, 0, 20, 20, 0, 20, 20, 20]
    for image in images:
        ink = image > 128
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        assert 36 <= np.ptp(rows) + 1 <= 48
        assert not ink[[0, -1]].any()
        assert not ink[:, [0, -1]].any()
        assert len(columns) >= 3
    again, _ = drawn_digits(20, np.random.default_rng(0))
    np.testing.assert_array_equal(images, again)


def holes(image):
    """Closed loops of a drawing."""
    return ndimage.label(image < 64)[1] - 1


def test_zeros_and_most_nines_have_a_loop_and_fours_are_open_or_closed():
    rng = np.random.default_rng(0)
    nines = [holes(draw(DIGITS[9](rng), 0.08, rng)) for _ in range(60)]
    assert {0, 1} <= set(nines)
    assert np.mean(np.isin(nines, (0, 1))) > 0.9
    assert np.mean(np.array(nines) > 0) > 0.6
    assert {holes(draw(DIGITS[0](rng), 0.06, rng)) for _ in range(30)} >= {1}
    assert all(holes(draw(DIGITS[0](rng), 0.06, rng)) for _ in range(30))
    assert {holes(draw(DIGITS[8](rng), 0.06, rng)) for _ in range(60)} >= {1, 2}  # open above
    assert np.mean([holes(draw(DIGITS[5](rng), 0.06, rng)) == 0 for _ in range(100)]) > 0.9
    assert {holes(draw(DIGITS[4](rng), 0.06, rng)) for _ in range(60)} >= {0, 1}
    assert np.mean([holes(draw(DIGITS[1](rng), 0.08, rng)) == 0 for _ in range(30)]) > 0.7


def test_ones_have_no_flag_as_flat_as_the_bar_of_a_seven():
    rng = np.random.default_rng(0)
    ones = [strokes for strokes in (DIGITS[1](rng) for _ in range(400)) if len(strokes) <= 3]
    flags = [s[0] for s in ones if len(s[0]) == 2 and s[0][0][0] < 0]
    assert len(flags) > 200
    assert all(y >= 0.5 * -x for (x, y), _ in flags)


def test_sevens_that_are_not_crossed_have_a_wide_bar():
    rng = np.random.default_rng(0)
    for _ in range(400):
        _, stem, *others = DIGITS[7](rng)
        is_crossed = any(0.3 < stroke[0][1] < 0.75 for stroke in others)
        assert is_crossed or stem[0][0] >= 0.25


def test_some_nines_look_like_p():
    """Their only stroke ends below the left side of their loop."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(1000):
        strokes = DIGITS[9](rng)
        x, y = np.concatenate(strokes).T
        loop = x[y < 0.4]
        found.append(len(strokes) == 1 and x[-1] < loop.min() + 0.2 * np.ptp(loop))
    assert 0.22 < np.mean(found) < 0.4


def test_most_sevens_are_crossed():
    rng = np.random.default_rng(0)
    crossed = [any(0.3 < stroke[0][1] < 0.75 for stroke in DIGITS[7](rng)) for _ in range(400)]
    assert np.mean(crossed) == pytest.approx(0.85, abs=0.06)


def test_displays_have_the_segments_of_their_digits():
    six, seven, nine = set(), set(), set()
    for seed in range(30):
        digits = [digit > 128 for digit in seven_segment_digits(np.random.default_rng(seed))]
        counts = [ndimage.label(digit, np.ones((3, 3)))[1] for digit in digits]
        if max(counts) < 7:
            continue  # some segments touch
        assert np.array(counts)[[0, 1, 2, 3, 4, 5, 8]].tolist() == [6, 2, 5, 5, 4, 5, 7]
        six.add(counts[6])
        seven.add(counts[7])
        nine.add(counts[9])
    assert (six, seven, nine) == ({5, 6}, {3, 4}, {5, 6})


@pytest.mark.parametrize("kind", SIGNS)
def test_signs_are_drawn(kind):
    rng = np.random.default_rng(0)
    image = draw(sign(kind, rng), 0.08, rng)
    assert (image > 128).sum() > 20
    thick = draw(sign(kind, np.random.default_rng(1)), 0.16, np.random.default_rng(2))
    thin = draw(sign(kind, np.random.default_rng(1)), 0.06, np.random.default_rng(2))
    assert thick.sum() > 1.3 * thin.sum()
