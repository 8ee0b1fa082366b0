"""What is just within a limit is taken, and what is just outside of it is not.

Without these tests, most limits could be three times as large: pictures of other tests are far from
them.
"""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from skdigits.pictures import cleaning
from skdigits.pictures.boxes import remove_boxes
from skdigits.pictures.cleaning import count_digits, find_digit, find_line, main_digit
from skdigits.pictures.grey import to_grey
from skdigits.pictures.ink import (
    _is_around_digit,
    has_bright_ink,
    ink_contrast,
    is_writing,
    noise_of,
    otsu,
    remove_border_remnants,
    remove_frames,
    strokes,
)
from skdigits.pictures.layout import digit_boxes, group_lines, join_strokes, line_slope, turn
from skdigits.pictures.normalization import cut_out, normalize_line
from skdigits.pictures.rules import find_rules, remove_rules


def drawn(shape, *blocks):
    """A mask with blocks: top, left, height and width."""
    mask = np.zeros(shape, bool)
    for top, left, height, width in blocks:
        mask[top : top + height, left : left + width] = True
    return mask


def contrast_of(mask, ink=0.6):
    return np.where(mask, ink, 0.0)


# -- one digit -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "is_kept"), [(4, False), (7, True)])
def test_a_speck_is_less_than_a_fiftieth_of_the_digit(width, is_kept):
    mask = drawn((100, 40), (5, 10, 90, 6), (40, 20, 2, width))  # of 540 pixels
    assert main_digit(mask)[40, 20] == is_kept


@pytest.mark.parametrize(("gap", "kept"), [(6, 4), (8, 1)])
def test_pieces_of_one_stroke_are_close(gap, kept):
    mask = drawn((100, 100), *[(10 + i * (10 + gap), 48, 10, 4) for i in range(4)])
    assert main_digit(mask).sum() == kept * 40


@pytest.mark.parametrize(("gap", "is_kept"), [(8, True), (11, False)])
def test_a_stroke_of_the_same_digit_is_near(gap, is_kept):
    mask = drawn((100, 100), (20, 30, 60, 10), (20, 40 + gap, 60, 10))
    assert main_digit(mask).all(where=mask) == is_kept


@pytest.mark.parametrize(("height", "is_kept"), [(9, False), (15, True)])
def test_smaller_strokes_have_to_be_nearer(height, is_kept):
    mask = drawn((150, 150), (5, 70, 140, 10), (60, 90, height, 7))
    assert main_digit(mask)[60, 90] == is_kept


@pytest.mark.parametrize(("width", "is_taken"), [(11, False), (16, True)])
def test_a_stroke_at_the_border_is_the_digit_if_it_is_much_larger(width, is_taken):
    mask = drawn((100, 100), (45, 45, 10, 10), (40, 3, 20, width))
    digit = main_digit(mask)
    assert (digit[50, 4], digit[50, 50]) == (is_taken, not is_taken)


@pytest.mark.parametrize(("height", "n"), [(35, 1), (40, 2)])
def test_digits_side_by_side_are_almost_equally_tall(height, n):
    assert count_digits(drawn((100, 100), (25, 20, 50, 8), (25, 40, height, 8))) == n


@pytest.mark.parametrize(("gap", "n"), [(2, 1), (4, 2)])
def test_digits_side_by_side_have_a_gap(gap, n):
    assert count_digits(drawn((100, 100), (25, 20, 50, 8), (25, 28 + gap, 50, 8))) == n


@pytest.mark.parametrize(("height", "n"), [(45, 1), (52, 2)])
def test_a_tiny_picture_has_one_digit(height, n):
    assert count_digits(drawn((height, 100), (5, 20, 30, 6), (5, 40, 30, 6))) == n


@pytest.mark.parametrize(("n_bright", "least"), [(3, 1.0), (5, 0.375)])
def test_a_fifth_of_the_ink_decides_what_is_white(n_bright, least):
    mask = drawn((20, 30), (5, 5, 10, 20))
    contrast = contrast_of(mask, 0.5)
    contrast[5:15, 5 : 5 + n_bright] = 1  # of 20 columns
    assert cut_out(contrast, mask).min() == pytest.approx(least)


@pytest.mark.parametrize(("beside", "height"), [(0.25, 10), (0.35, 11)])
def test_faint_edges_are_cut_off(beside, height):
    mask = drawn((20, 30), (5, 5, 10, 20))
    contrast = contrast_of(mask, 1.0)
    contrast[4] = beside
    assert len(cut_out(contrast, mask)) == height


def picture_of(mask):
    return np.where(mask, 20.0, 230.0)


@pytest.mark.parametrize(
    ("side", "width", "is_found"),
    [(100, 32, True), (100, 40, False), (40, 20, True), (40, 26, False)],
)
def test_a_stroke_is_narrower_than_its_picture(side, width, is_found):
    mask = drawn((side, side), (side // 5, (side - width) // 2, 3 * side // 5, width))
    ink, n_digits = find_digit(picture_of(mask))
    assert n_digits == is_found
    if is_found:
        assert ink.shape == (3 * side // 5, width)
        assert ink.mean() > 0.95  # it is not hollow


@pytest.mark.parametrize(("height", "n"), [(34, 1), (42, 2)])
def test_a_tenth_of_the_strokes_may_be_another_digit(height, n):
    assert find_digit(picture_of(drawn((100, 100), (25, 20, 50, 10), (25, 60, height, 6))))[1] == n


@pytest.mark.parametrize(
    ("side", "height", "n_looks"), [(90, 20, 1), (110, 20, 2), (110, 30, 2), (110, 36, 1)]
)
def test_a_small_digit_is_looked_at_from_near(side, height, n_looks, monkeypatch):
    looks = []

    def counted(grey, **options):
        looks.append(grey.shape)
        return find_digit(grey, **options)

    monkeypatch.setattr(cleaning, "find_digit", counted)
    mask = drawn((side, side), (side // 3, side // 2, height, height // 4))
    cleaning.find_digit(picture_of(mask))
    assert len(looks) == n_looks


# -- lines -----------------------------------------------------------------------------------------


def is_in_line(mask, row, column):
    """Whether a pixel of a picture belongs to its line."""
    line = find_line(picture_of(mask))
    left, top, right, bottom = line.box
    return top <= row < bottom and left <= column < right and line.ink[row - top, column - left] > 0


FOUR = [(25, 50 + 30 * i, 50, 8) for i in range(4)]


@pytest.mark.parametrize(("below", "is_kept"), [(3, True), (8, False)])
def test_a_point_is_not_far_below_its_line(below, is_kept):
    mask = drawn((100, 200), *FOUR, (73 + below, 90, 4, 4))  # its middle is `below` the baseline
    assert is_in_line(mask, 75 + below, 91) == is_kept


@pytest.mark.parametrize(("above", "is_kept"), [(3, True), (8, False)])
def test_a_mark_is_not_far_above_its_line(above, is_kept):
    mask = drawn((100, 200), *FOUR, (23 - above, 90, 4, 4))
    assert is_in_line(mask, 24 - above, 91) == is_kept


@pytest.mark.parametrize(("width", "ink"), [(26, 1.0), (34, 0.0)])
def test_a_stroke_of_a_line_is_less_than_half_as_wide_as_it_is_high(width, ink):
    mask = drawn((60, 200), (10, 30, 40, 8), (10, 60, 40, width), (10, 140, 40, 8))
    line = find_line(picture_of(mask))
    assert line.ink.shape == (40, 118)
    assert line.ink[5:-5, 35 : 25 + width].mean() == pytest.approx(ink, abs=0.05)


@pytest.mark.parametrize(("left", "is_alone"), [(3, False), (6, True)])
def test_a_line_is_alone_if_nothing_reaches_the_border(left, is_alone):
    mask = drawn((60, 200), (10, 30, 40, 8), (10, 60, 40, 8), (20, left, 20, 5))
    assert find_line(picture_of(mask)).is_alone == is_alone
    assert find_line(picture_of(mask[:, ::-1])).is_alone == is_alone


@pytest.mark.parametrize(("width", "is_kept"), [(4, False), (7, True)])
def test_a_point_has_a_size(width, is_kept):
    assert is_in_line(drawn((100, 200), *FOUR, (60, 62, 2, width)), 60, 62) == is_kept


@pytest.mark.parametrize(("height", "is_kept"), [(120, True), (135, False)])
def test_what_is_much_taller_is_no_part_of_a_line(height, is_kept):
    mask = drawn((300, 400), *[(125, 50 + 30 * i, 50, 20) for i in range(8)], (90, 300, height, 6))
    assert is_in_line(mask, 150, 302) == is_kept


@pytest.mark.parametrize(("rows", "digit_height", "ink_height"), [(25, 20, 20), (40, 20, 13)])
def test_a_line_is_as_high_as_its_digits_unless_a_stroke_would_not_fit(
    rows, digit_height, ink_height
):
    image = normalize_line(np.ones((rows, 60)), digit_height, rows / 2, 28)
    assert (image > 0).any(axis=1).sum() == round(rows * ink_height / digit_height)
    assert not image[:, :4].any()
    assert image[:, 4].any()


@pytest.mark.parametrize(("middle", "top"), [(0, 2), (13, 1), (26, 0)])
def test_a_line_stays_within_its_image_however_high_its_digits_are(middle, top):
    image = normalize_line(np.ones((26, 60)), 20, middle, 28)
    assert np.flatnonzero(image.any(axis=1)).tolist() == list(range(top, top + 26))


@pytest.mark.parametrize(("height", "n"), [(20, 2), (25, 3)])
def test_digits_of_a_page_are_half_as_tall_as_usual(height, n):
    mask = drawn((100, 300), (20, 20, 50, 20), (20, 60, 50, 20), (20, 100, height, 8))
    assert len(digit_boxes(mask)) == n


@pytest.mark.parametrize(("height", "n"), [(120, 7), (130, 6)])
def test_digits_of_a_page_are_not_much_taller_than_usual(height, n):
    mask = drawn((200, 300), *[(20, 20 + 30 * i, 50, 20) for i in range(6)], (20, 250, height, 8))
    assert len(digit_boxes(mask)) == n


@pytest.mark.parametrize(("side", "n"), [(86, 1), (94, 0)])
def test_a_stroke_as_large_as_the_page_is_a_frame(side, n):
    assert len(digit_boxes(drawn((100, 100), (0, 0, side, 2), (0, 0, 2, side)))) == n


@pytest.mark.parametrize(("height", "n"), [(7, 0), (9, 1)])
def test_digits_have_some_pixels(height, n):
    assert len(digit_boxes(drawn((100, 100), (20, 20, height, 6)))) == n


def boxes_of(*places):
    """Boxes of digits: left, top, width, height."""
    return np.array([(left, top, left + w, top + h) for left, top, w, h in places])


@pytest.mark.parametrize(("gap", "n"), [(70, 1), (80, 2)])
def test_words_of_a_line_are_close(gap, n):
    boxes = boxes_of((0, 0, 20, 50), (30, 0, 20, 50), (50 + gap, 0, 20, 50))
    assert len(group_lines(boxes)) == n


@pytest.mark.parametrize(("common", "n"), [(18, 2), (22, 1)])
def test_neighbours_in_a_line_overlap_in_height(common, n):
    assert len(group_lines(boxes_of((0, 0, 20, 50), (30, 50 - common, 20, 50)))) == n


@pytest.mark.parametrize(("lower", "first"), [(20, "left"), (30, "upper")])
def test_lines_on_one_level_differ_by_less_than_half_their_height(lower, first):
    boxes = boxes_of((300, 0, 20, 50), (330, 0, 20, 50), (0, lower, 20, 50), (30, lower, 20, 50))
    left, upper = [2, 3], [0, 1]
    expected = [left, upper] if first == "left" else [upper, left]
    assert [line.tolist() for line in group_lines(boxes)] == expected


@pytest.mark.parametrize(("common", "n"), [(8, 2), (12, 1)])
def test_strokes_of_one_digit_are_above_each_other(common, n):
    boxes = boxes_of((0, 0, 20, 20), (20 - common, 25, 20, 20))
    assert len(join_strokes(boxes)) == n


@pytest.mark.parametrize(("slope", "found"), [(0.008, 0.0), (0.012, 0.012)])
def test_a_slope_is_half_a_degree(slope, found):
    boxes = boxes_of(*[(40 * i, round(slope * 40 * i), 20, 40) for i in range(30)])
    assert line_slope(boxes, group_lines(boxes)) == pytest.approx(found, abs=1e-3)


@pytest.mark.parametrize(("n", "found"), [(4, 0.0), (6, 0.05)])
def test_a_slope_is_known_of_a_line_that_is_long_enough(n, found):
    boxes = boxes_of(*[(40 * i, 2 * i, 20, 40) for i in range(n)])
    assert line_slope(boxes, group_lines(boxes)) == pytest.approx(found)


@pytest.mark.parametrize("slope", [-0.1, 0.0, 0.1])
def test_a_turned_picture_has_level_lines(slope):
    grey = np.full((60, 200), 255.0)
    for x in range(20, 180):
        grey[round(30 + slope * (x - 100)), x] = 0
    left, right = (
        np.flatnonzero((turn(grey, slope)[:, part] < 200).any(axis=1)).mean()
        for part in (slice(30, 60), slice(140, 170))
    )
    assert left == pytest.approx(right, abs=0.6)


# -- grey levels -----------------------------------------------------------------------------------


def coloured(ink, share=None):
    """Bright paper of 100×100 pixels with a square of an ink, or so many scattered pixels of it."""
    picture = np.full((100, 100, 3), 200, np.uint8)
    if share is None:
        picture[30:70, 30:70] = ink
    else:
        picture.reshape(-1, 3)[7 * np.arange(round(share * 10_000)) % 10_000] = ink
    return picture


@pytest.mark.parametrize(("times", "red_is_chosen"), [(1.2, False), (1.4, True)])
def test_a_colour_is_chosen_for_its_contrast(times, red_is_chosen):
    others = 200 - round((100 / times - 29.9) / 0.701)
    found = np.ptp(to_grey(coloured([100, others, others])))
    assert found == pytest.approx(100 if red_is_chosen else 100 / times, abs=1)


@pytest.mark.parametrize(("drop", "red_is_chosen"), [(14, False), (18, True)])
def test_a_colour_that_is_almost_grey_is_not_chosen(drop, red_is_chosen):
    found = np.ptp(to_grey(coloured([200 - drop, 200, 200])))
    assert found == pytest.approx(drop if red_is_chosen else 0.299 * drop, abs=0.1)


@pytest.mark.parametrize(("share", "red_is_chosen"), [(0.015, False), (0.03, True)])
def test_ink_of_another_colour_covers_some_of_the_paper(share, red_is_chosen):
    found = np.ptp(to_grey(coloured([100, 200, 200], share)))
    assert found == pytest.approx(100 if red_is_chosen else 29.9, abs=0.1)


@pytest.mark.parametrize(("opaque", "paper"), [(45, 255), (55, 100)])
def test_a_picture_that_is_mostly_opaque_has_its_own_paper(opaque, paper):
    picture = np.full((100, 100, 4), 100, np.uint8)
    picture[..., 3] = 0
    picture[:opaque, :, 3] = 255
    grey = to_grey(picture)
    assert (grey[0, 0], grey[99, 99]) == (100, paper)


@pytest.mark.parametrize(("ink", "paper"), [(115, 255), (140, 0)])
def test_ink_alone_is_on_paper_of_the_opposite_brightness(ink, paper):
    picture = np.full((100, 100, 4), ink, np.uint8)
    picture[30:, :, 3], picture[:30, :, 3] = 0, 255
    assert to_grey(picture)[99, 99] == paper


@pytest.mark.parametrize("n_bits", [1, 8, 10, 12, 14, 16])
def test_white_is_the_largest_number_of_some_bits(n_bits):
    white = 2**n_bits - 1
    assert to_grey(np.array([[0, white]], np.uint16)).tolist() == [[0, 255]]
    assert white == 2**16 - 1 or to_grey(np.array([[0, white + 1]], np.uint16)).max() < 128


# -- ink -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "is_reported"), [(28, True), (34, False)])
def test_ink_is_narrower_than_paper(width, is_reported):
    """Wider strokes are neither thin and dark nor thin and bright."""
    bar = picture_of(drawn((200, 200), (40, 100 - width // 2, 120, width)))
    assert has_bright_ink(250 - bar) == is_reported
    assert not has_bright_ink(bar)


@pytest.mark.parametrize(("width", "is_line"), [(38, False), (42, True)])
def test_most_of_a_tiny_picture_of_a_line_is_not_taken_for_its_paper(width, is_line):
    stripes = drawn((20, width), *[(0, left, 20, 2) for left in range(0, width, 3)])
    assert has_bright_ink(picture_of(stripes)) == is_line


@pytest.mark.parametrize(("height", "expected"), [(6, False), (9, True)])
def test_writing_has_a_size(height, expected):
    mask = drawn((120, 120), (30, 50, height, 4))
    assert is_writing(contrast_of(mask), mask, mask) == expected


@pytest.mark.parametrize(("width", "expected"), [(48, True), (60, False)])
def test_writing_is_a_large_part_of_what_stands_out(width, expected):
    digit = drawn((120, 120), (30, 50, 60, 6))
    mask = digit | drawn((120, 120), (100, 0, 10, width))
    assert is_writing(contrast_of(digit), mask, digit) == expected


@pytest.mark.parametrize(("n", "expected"), [(6, True), (8, False)])
def test_writing_has_a_large_piece(n, expected):
    mask = drawn((120, 120), *[(5 + 9 * i, 50, 6, 6) for i in range(n)])
    assert is_writing(contrast_of(mask), mask, mask) == expected


@pytest.mark.parametrize(("blur", "expected"), [(6, True), (9, False)])
def test_writing_is_sharp(blur, expected):
    contrast = gaussian_filter(contrast_of(drawn((120, 120), (30, 50, 60, 20))), blur)
    assert is_writing(contrast, contrast > 0.3, contrast > 0.3) == expected


def test_blurred_noise_is_measured_over_a_distance():
    noise = gaussian_filter(np.random.default_rng(0).normal(0, 1, (120, 120)), 1.2)
    assert noise_of(noise, noise.max()) == pytest.approx(noise.std(), rel=0.1)


@pytest.mark.parametrize("deviation", [0.01, 0.05])
def test_noise_is_measured_beside_ink(deviation):
    bar, random = drawn((120, 120), (20, 50, 80, 20)), np.random.default_rng(0)
    for ink in (0, 0.6):
        contrast = contrast_of(bar, ink) + random.normal(0, deviation, bar.shape)
        assert noise_of(contrast, otsu(contrast)) == pytest.approx(deviation, rel=0.05)
    assert noise_of(contrast[:40], otsu(contrast)) == 0  # not known of a tiny picture


@pytest.mark.parametrize(("ink", "is_seen"), [(0.018, False), (0.025, True)])
def test_ink_has_some_contrast(ink, is_seen):
    assert strokes(contrast_of(drawn((120, 120), (30, 50, 60, 6)), ink)).any() == is_seen


@pytest.mark.parametrize(("ink", "is_seen"), [(0.09, False), (0.12, True)])
def test_ink_of_a_tiny_picture_has_more_contrast(ink, is_seen):
    assert strokes(contrast_of(drawn((40, 40), (5, 10, 30, 6)), ink)).any() == is_seen


@pytest.mark.parametrize(("share", "is_kept"), [(0.32, False), (0.38, True)])
def test_the_faintest_part_of_a_stroke_has_a_third_of_its_contrast(share, is_kept):
    contrast = contrast_of(drawn((120, 120), (30, 50, 60, 6)))
    contrast[60:90, 56:60] = 0.6 * share
    assert strokes(contrast)[70, 57] == is_kept


@pytest.mark.parametrize(("times", "is_seen"), [(3, False), (6, True)])
def test_ink_stands_out_from_noise(times, is_seen):
    bar, noise = drawn((120, 120), (30, 50, 60, 6)), np.random.default_rng(0)
    found = strokes(contrast_of(bar, 0.02 * times) + noise.normal(0, 0.02, bar.shape))
    assert (found[bar].mean() > 0.9) == is_seen
    assert (found[bar].mean() < 0.1) == (not is_seen)


def test_the_contrast_on_dark_paper_counts_as_if_it_were_brighter():
    for paper, expected in ((100, 1.0), (66, 1.0), (40, 40 / 64), (20, 20 / 64)):
        grey = np.where(drawn((120, 120), (30, 50, 60, 6)), 0.0, float(paper))
        assert ink_contrast(grey, 40)[60, 53] == pytest.approx(expected, abs=0.02)


def test_what_is_white_is_above_the_threshold_of_grey():
    values = np.repeat([0.5, 1.0], [900, 100])
    assert 0.5 < otsu(values) < 1
    assert 0 < otsu(values - 0.5) < 0.5


@pytest.mark.parametrize("side", range(4))
@pytest.mark.parametrize(("share", "expected"), [(0.55, False), (0.7, True)])
def test_what_is_along_a_side_and_around_a_digit_is_paper(side, share, expected):
    paper = drawn((24, 24), (18, 0, 6, round(24 * share)), (5, 5, 14, 14))
    paper[7:17, 7:17] = False  # a digit
    assert _is_around_digit(np.rot90(paper, side)) == expected
    filled = drawn((24, 24), (18, 0, 6, 24), (5, 5, 14, 14))
    assert not _is_around_digit(np.rot90(filled, side))


@pytest.mark.parametrize(("length", "is_kept"), [(25, False), (31, True)])
def test_rests_at_the_border_are_mostly_near_it(length, is_kept):
    mask = drawn((100, 100), (40, 45, 20, 10), (20, 0, 10, length))
    assert remove_border_remnants(mask)[22, 2] == is_kept


@pytest.mark.parametrize(("height", "is_kept"), [(9, False), (11, True)])
def test_a_digit_that_a_tiny_picture_cuts_off_is_tall(height, is_kept):
    assert remove_border_remnants(drawn((28, 28), (0, 20, height, 6))).any() == is_kept


def test_of_several_pieces_that_are_cut_off_the_largest_is_the_digit():
    for left, other in ((22, 3), (0, 20)):
        remnant, digit = drawn((28, 28), (0, other, 5, 3)), drawn((28, 28), (0, left, 14, 6))
        np.testing.assert_array_equal(remove_border_remnants(remnant | digit), digit)


@pytest.mark.parametrize(("height", "is_kept"), [(24, True), (26, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_frame_runs_through_a_tiny_picture(height, is_kept, turned):
    mask, digit = drawn((28, 28), (0, 3, height, 3)), drawn((28, 28), (9, 12, 12, 6))
    mask = mask.T if turned else mask
    found = remove_frames(mask | digit)
    assert found[mask].all() == is_kept
    assert found[digit].all()


# -- rules -----------------------------------------------------------------------------------------


def is_rule(rule, stroke=(20, 30, 30, 8), shape=(120, 160)):
    """Whether a horizontal block is removed beside a stroke."""
    mask = drawn(shape, stroke, rule)
    found = remove_rules(mask, mask.astype(float))
    assert found[drawn(shape, stroke)].all()
    return not found[drawn(shape, rule)].any()


@pytest.mark.parametrize(("length", "expected"), [(110, False), (130, True)])
def test_rules_are_long(length, expected):
    assert is_rule((60, 0, 2, length)) == expected


@pytest.mark.parametrize(("thickness", "expected"), [(7, True), (8, False)])
def test_rules_are_thin(thickness, expected):
    assert is_rule((60, 0, thickness, 160)) == expected


@pytest.mark.parametrize(("width", "expected"), [(56, False), (64, True)])
def test_pictures_with_rules_are_not_small(width, expected):
    assert is_rule((90, 0, 2, width), (20, 10, 60, 8), (120, width)) == expected


@pytest.mark.parametrize(("seen", "is_removed"), [(18, False), (26, True)])
def test_most_of_a_rule_is_seen(seen, is_removed):
    mask = drawn((120, 160), (20, 30, 30, 8), *[(60, 40 * i, 2, seen) for i in range(4)])
    assert remove_rules(mask, mask.astype(float))[60].any() != is_removed


@pytest.mark.parametrize(("slope", "is_removed"), [(0.09, True), (0.14, False)])
def test_rules_are_almost_level(slope, is_removed):
    mask = drawn((120, 160), (20, 30, 20, 8))
    for x in range(160):
        mask[round(60 + slope * (x - 80)) :, x][:2] = True
    assert remove_rules(mask, mask.astype(float))[42:].any() != is_removed


@pytest.mark.parametrize(("reach", "n"), [(24, 1), (32, 2)])
def test_a_rule_across_a_corner_is_a_seventh_as_long_as_the_picture_is_wide(reach, n):
    mask, columns = np.zeros((120, 200), bool), np.arange(200)
    for first_row in (40, 119 - 0.1 * reach):  # all along, and across the lower left corner
        rows = np.rint(first_row + 0.1 * columns).astype(int)
        for row in (rows, rows + 1):
            mask[row[row < 120], columns[row < 120]] = True
    assert len(find_rules(mask, 0.75)) == n


@pytest.mark.parametrize(("below", "n"), [(1, 1), (6, 0)])
def test_a_short_rule_is_unbroken(below, n):
    """Ink near it counts, but not that of a stroke further below."""
    mask = drawn((120, 160), (60, 20, 3, 35), (60, 62, 3, 35), (60 + below, 55, 3, 7))
    assert len(find_rules(mask, 0.4)) == n


@pytest.mark.parametrize(("share", "is_removed"), [(0.63, False), (0.77, True)])
def test_a_rule_may_fade(share, is_removed):
    contrast = contrast_of(drawn((120, 160), (20, 30, 30, 8), (60, 0, 2, 160)), 1.0)
    contrast[60:62, 50:140] = share  # too faint for a stroke
    assert remove_rules(contrast > 0.9, contrast)[60].any() != is_removed


@pytest.mark.parametrize(("times", "is_kept"), [(1.3, False), (1.7, True)])
def test_ink_on_a_rule_is_darker(times, is_kept):
    contrast = contrast_of(drawn((120, 160), (20, 30, 30, 8)), 0.5)
    contrast[60:62] = 0.2
    contrast[60:62, 60:100] = 0.2 * times
    found = remove_rules(contrast > 0, contrast)
    assert found[60:62, 60:100].all() == is_kept
    assert not found[60:62, :60].any()


# -- boxes -----------------------------------------------------------------------------------------


def is_box(*blocks, mark, shape=(120, 240)):
    """Whether the pixel at a mark is removed from a drawing."""
    mask = drawn(shape, *blocks)
    assert mask[mark]
    return not remove_boxes(mask, mask.astype(float))[mark]


def frame(left, right, top=30, bottom=92, thickness=2):
    width = right - left
    return [
        (top, left, thickness, width),
        (bottom - thickness, left, thickness, width),
        (top, left, bottom - top, thickness),
        (top, right - thickness, bottom - top, thickness),
    ]


@pytest.mark.parametrize(("height", "expected"), [(12, False), (18, True)])
def test_a_box_has_a_digit_in_it(height, expected):
    assert is_box(*frame(30, 72), (50, 45, height, 7), mark=(31, 40)) == expected


@pytest.mark.parametrize(("height", "expected"), [(32, False), (44, True)])
def test_a_ring_has_digits_in_it(height, expected):
    y, x = np.mgrid[:120, :160]
    distance = np.hypot(y - 60, (x - 80) / 1.4)
    mask = ((distance > 44) & (distance < 48)) | drawn(
        (120, 160), (60 - height // 2, 76, height, 8)
    )
    found = remove_boxes(mask, mask.astype(float))
    assert found[60, :30].any() != expected


@pytest.mark.parametrize(("side", "expected"), [(10, False), (13, True)])
def test_a_box_is_not_tiny(side, expected):
    blocks = [*frame(40, 44 + side, 40, 40 + side), (44, 40 + side // 2, side - 8, 2)]
    assert is_box(*blocks, mark=(40, 41)) == expected


DIGITS = [(50, 45, 30, 7), (50, 90, 30, 7)]


@pytest.mark.parametrize(("thickness", "expected"), [(4, True), (6, False)])
def test_rules_of_a_box_are_alike(thickness, expected):
    blocks = [*frame(30, 112), (30, 70, 62, thickness), *DIGITS]
    assert is_box(*blocks, mark=(60, 71)) == expected
    assert is_box(*blocks, mark=(30, 40))


@pytest.mark.parametrize(("thickness", "expected"), [(8, True), (10, False)])
def test_thick_rules_of_a_box_may_differ_more(thickness, expected):
    blocks = [*frame(30, 112, thickness=4), (30, 70, 62, thickness), *DIGITS]
    assert is_box(*blocks, mark=(60, 72)) == expected


@pytest.mark.parametrize("turns", range(4))
def test_all_four_sides_of_a_box_are_straight(turns):
    distance = np.hypot(*np.ogrid[-80:80, -80:80])
    box = drawn((160, 160), *frame(40, 120, 40, 120)) | ((distance > 9) & (distance < 15))
    ragged = box.copy()
    for y in range(42, 118):
        ragged[y, 120 : 123 + 7 * y % 23] = True
    for mask, is_kept in ((box, False), (ragged, True)):
        turned = np.rot90(mask, turns).copy()
        assert np.array_equal(remove_boxes(turned, turned.astype(float)), turned) == is_kept


@pytest.mark.parametrize(("height", "expected"), [(43, False), (50, True)])
def test_a_rule_between_two_others_is_almost_as_long_as_their_distance(height, expected):
    assert is_box(*frame(30, 112), (31, 70, height, 2), *DIGITS, mark=(35, 71)) == expected


@pytest.mark.parametrize(("width", "expected"), [(63, False), (72, True)])
def test_the_horizontal_rules_of_a_box_are_most_of_its_width(width, expected):
    blocks = [(30, 30, 2, width), *frame(30, 132)[1:], (50, 75, 30, 7)]
    assert is_box(*blocks, mark=(90, 60)) == expected


@pytest.mark.parametrize(("inset", "expected"), [(12, True), (22, False)])
def test_the_outer_rules_of_a_box_are_near_its_ends(inset, expected):
    inner = frame(30 + inset, 200 - inset)[2:]
    middle = (30, 114, 62, 2)
    blocks = [*frame(30, 200)[:2], *inner, middle, (50, 80, 30, 7), (50, 140, 30, 7)]
    assert is_box(*blocks, mark=(31, 100)) == expected


@pytest.mark.parametrize(("height", "expected"), [(36, True), (42, False)])
def test_the_ticks_of_a_comb_are_alike(height, expected):
    ticks = [(60, left, 32, 2) for left in (30, 70, 150, 190)]
    blocks = [(90, 30, 2, 162), *ticks, (92 - height, 110, height, 2)]
    assert is_box(*blocks, (35, 45, 45, 5), mark=(60, 110)) == expected
    assert is_box(*blocks, (35, 45, 45, 5), mark=(60, 70))
