import numpy as np

from skdigits.synthesis.strips import Strip


def strip():
    dark, block = np.zeros((5, 3), np.uint8), np.zeros((5, 4), np.uint8)
    block[1:3, 2:] = [[10, 20], [30, 40]]
    return Strip.of([block, dark, block[::-1]])


def test_images_are_side_by_side():
    assert strip().starts.tolist() == [0, 4, 7, 11]
    assert [image.shape for image in strip()] == [(5, 4), (5, 3), (5, 4)]
    np.testing.assert_array_equal(list(strip())[2], next(iter(strip()))[::-1])


def test_values_are_spread_over_the_columns():
    assert strip().spread(np.array([1, 2, 3])).tolist() == [1] * 4 + [2] * 3 + [3] * 4


def test_extents_hold_the_ink():
    left, top, right, bottom = strip().extents().T
    assert right[1] == left[1]
    assert [left[0], top[0], right[0], bottom[0]] == [2, 1, 4, 3]
    assert [left[2], top[2], right[2], bottom[2]] == [9, 2, 11, 4]
    assert strip().extents(25)[[0, 2]].tolist() == [[2, 2, 4, 3], [9, 2, 11, 3]]


def test_a_strip_without_ink_has_empty_extents():
    left, _, right, _ = Strip(np.zeros((5, 11), np.uint8), strip().starts).extents().T
    np.testing.assert_array_equal(left, right)


def test_images_are_brightened_to_white():
    found = list(strip().brightened())
    assert [image.max() for image in found] == [255, 0, 255]
    assert found[0][1, 2] == 64
