import tracemalloc

import numpy as np
import photographs
import pytest
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skdigits.pictures import find_digits, find_lines, layout, straighten
from skdigits.pictures.layout import (
    digit_boxes,
    group_lines,
    in_picture,
    join_strokes,
    line_boxes,
    line_slope,
    turn,
)


def overlap(box, boxes):
    """Intersection over union of a box with each of others."""
    width = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    height = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    common = width.clip(0) * height.clip(0)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return common / (np.prod(box[2:] - box[:2]) + areas - common)


@pytest.mark.parametrize("kind", photographs.KINDS)
def test_the_lines_of_a_page_on_any_paper(digits, kind):
    rng = np.random.default_rng(3)
    for n_lines in (1, 5):
        picture, boxes, _ = photographs.page(*digits, kind, rng, n_lines=n_lines)
        found = find_lines(picture)
        assert len(found) == n_lines
        for box, own in zip(found, boxes, strict=True):  # from top to bottom
            assert overlap(own, box[None])[0] > 0.6


def form():
    """Two rows of two numbers of three digits each, as black blocks; and their boxes."""
    page = np.full((200, 400), 230, np.uint8)
    boxes = []
    for top in (30, 120):
        for left in (40, 250):
            for x in (left, left + 30, left + 60):
                page[top : top + 40, x : x + 8] = 20
                page[top : top + 8, x : x + 20] = 20
                boxes.append((x, top, x + 20, top + 40))
    return page, np.array(boxes)


def test_digits_and_numbers_of_a_form_in_reading_order():
    page, boxes = form()
    np.testing.assert_allclose(find_digits(page), boxes, atol=1)
    lines = find_lines(page)
    expected = [[40, 30, 120, 70], [250, 30, 330, 70], [40, 120, 120, 160], [250, 120, 330, 160]]
    np.testing.assert_allclose(lines, expected, atol=1)
    assert lines.dtype == np.int64


def test_digits_on_a_dark_field_are_found_by_the_size_of_the_others():
    """The field is narrower than a stroke of the page may be, but wider than one of its digits."""
    page, boxes = form()
    large = np.full((600, 600), 230, np.uint8)
    large[:200, :400] = page
    large[400:500, 380:480] = 120
    large[430:470, [410, 411, 412, 413, 440, 441, 442, 443]] = 20
    boxes = [*boxes.tolist(), [410, 430, 414, 470], [440, 430, 444, 470]]
    np.testing.assert_allclose(find_digits(large), boxes, atol=2)


def test_boxes_are_in_pixels_of_the_given_picture():
    page, boxes = form()
    large = page.repeat(8, axis=0).repeat(8, axis=1)  # it is reduced by two
    np.testing.assert_allclose(find_digits(large), boxes * 8, atol=8)


def test_a_page_without_writing_has_no_lines():
    for blank in (np.full((300, 200), 230, np.uint8), np.zeros((40, 40), np.uint8)):
        assert find_lines(blank).shape == (0, 4)
        assert find_digits(blank).shape == (0, 4)


@pytest.mark.parametrize("degrees", [-4, 3])
def test_a_turned_page_is_straightened(digits, degrees):
    page, _, _ = photographs.page(*digits, "plain", np.random.default_rng(1), n_lines=4)
    grey = page[..., 0].astype(float)
    turned = turn(grey, np.tan(np.radians(degrees))).astype(np.uint8)
    assert len(find_lines(turned)) == 4
    level = straighten(turned)
    boxes = digit_boxes(level < 128)
    assert abs(np.degrees(np.arctan(line_slope(boxes, group_lines(boxes))))) < 1
    assert level.shape == turned.shape
    assert level.dtype == np.uint8


def test_a_short_line_has_no_slope():
    boxes = np.array([[0, 0, 10, 20], [14, 4, 24, 24]])
    assert line_slope(boxes, group_lines(boxes)) == 0.0
    grey = np.full((50, 60), 200, np.uint8)
    np.testing.assert_array_equal(straighten(grey), grey)


def test_strokes_above_each_other_are_one_digit():
    boxes = np.array([[0, 0, 20, 30], [2, 26, 18, 40], [30, 0, 40, 40], [33, 2, 60, 38]])
    joined = join_strokes(boxes)
    assert [box.tolist() for box in joined[:2]] == [[0, 0, 20, 40], [30, 0, 60, 40]]


def test_specks_and_frames_are_no_digits():
    mask = np.zeros((100, 200), bool)
    mask[[1, 98]] = mask[:, [1, 198]] = True
    mask[30:70, 50:60] = mask[30:70, 90:100] = True
    mask[80:83, 120:123] = mask[10:13, 20:23] = True
    assert digit_boxes(mask).tolist() == [[50, 30, 60, 70], [90, 30, 100, 70]]
    assert group_lines(np.zeros((0, 4), int)) == []


def test_boxes_end_at_the_edge_of_a_reduced_picture():
    boxes = np.array([[10, 20, 1068, 334]])  # a third of 3202×1000, rounded up
    picture = Image.new("L", (3202, 1000))
    assert in_picture(boxes, picture).tolist() == [[30, 60, 3202, 1000]]
    assert in_picture(boxes, np.zeros((1000, 3202))).tolist() == [[30, 60, 3202, 1000]]
    turned = Image.new("L", (1000, 3202))
    turned.getexif()[274] = 6
    assert in_picture(boxes, turned).tolist() == [[30, 60, 3202, 1000]]


def test_boxes_end_at_the_edge_of_a_page_of_odd_size():
    page = np.full((401, 301), 230, np.float32)
    for left in (100, 150, 200):
        page[301:, left : left + 12] = 40
    np.testing.assert_array_equal(line_boxes(page), [[100, 300, 212, 401]])


def stacked_lines():
    """Boxes of two lines of four digits, 40 pixels high, one above the other."""
    lefts = np.arange(60, 180, 30)
    tops = np.repeat([60, 110], 4)
    return np.column_stack([np.tile(lefts, 2), tops, np.tile(lefts, 2) + 22, tops + 40])


@pytest.mark.parametrize("left", [25, 185])
@pytest.mark.parametrize("top", [50, 60, 75])
def test_a_bracket_beside_two_lines_is_in_neither(left, top):
    boxes = stacked_lines()
    bracket = [left, top, left + 12, 210 - top]
    lines = group_lines(np.array([*boxes, bracket]))
    assert [line.tolist() for line in lines] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_large_digit_beside_two_lines_is_a_line_of_its_own():
    boxes = stacked_lines()
    lines = group_lines(np.array([*boxes, [190, 60, 250, 150]]))
    assert sorted(line.tolist() for line in lines) == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_a_tall_one_beside_a_single_line_is_in_it():
    boxes = stacked_lines()[:4]
    lines = group_lines(np.array([*boxes, [190, 45, 202, 115]]))
    assert [line.tolist() for line in lines] == [[0, 1, 2, 3, 4]]


def test_lines_of_a_crowded_page_need_little_memory():
    top, left = (n.ravel() for n in np.mgrid[0:100, 0:125] * 16)
    shuffled = np.random.default_rng(0).permutation(len(top))
    boxes = np.column_stack([left, top, left + 8, top + 10])[shuffled]
    tracemalloc.start()
    lines = group_lines(boxes)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [len(line) for line in lines] == [125] * 100
    assert all((np.diff(boxes[line, 0]) == 16).all() for line in lines)
    assert used < 50e6  # all pairs would be 156 million


def test_connected_nodes_have_one_number():
    rng = np.random.default_rng(0)
    for n_edges in (0, 10, 40, 90):
        ends, others = rng.integers(0, 60, (2, n_edges))
        indices = ends.astype(np.int32), others.astype(np.int32)
        links = coo_array((np.ones(n_edges), indices), shape=(60, 60))
        n, expected = connected_components(links, directed=False)
        assert n < 60 or not n_edges
        np.testing.assert_array_equal(layout._connected(60, ends, others), expected)
    order = rng.permutation(500)  # a long chain
    assert not layout._connected(500, order[1:], order[:-1]).any()
