import numpy as np
import pytest

from skdigits.synthesis import shapes as shapes_module
from skdigits.synthesis.shapes import Shapes, ink_boxes, slants_of, stroke_widths


def bar(width, slant=0.0, value=255):
    """A bar of 20 rows, with columns to the right per row upwards."""
    image = np.zeros((28, 28), np.uint8)
    for row in range(4, 24):
        left = round(12 - slant * (row - 14))
        image[row, left : left + width] = value
    return image


def test_widths_of_strokes_are_in_their_order():
    widths = stroke_widths(np.stack([bar(width) for width in (1, 2, 4, 8)]))
    assert (np.diff(widths) > 0).all()
    faint, full = stroke_widths(np.stack([bar(3, value=100), bar(3)]))
    assert faint == pytest.approx(full)


@pytest.mark.parametrize("slant", [-0.5, 0.0, 0.3])
def test_slants_are_measured(slant):
    assert slants_of(bar(3, slant)[np.newaxis])[0] == pytest.approx(slant, abs=0.03)


def test_digits_are_cut_to_their_ink():
    shapes = Shapes(np.stack([bar(3), bar(5)]), [1, 2])
    left, top, right, bottom = shapes.boxes.T
    assert (right - left).tolist() == [3, 5]
    assert (bottom - top).tolist() == [20, 20]


def test_faint_pixels_around_a_digit_are_cut_off():
    halo = np.zeros((28, 28), np.uint8)
    halo[2:26, 8:20], halo[4:24, 10:14] = 14, 100
    assert Shapes(halo[np.newaxis], [1]).boxes.tolist() == [[10, 4, 14, 24]]
    halo[2:26, 8:20] = halo[2:26, 8:20].clip(18)  # not so faint
    assert Shapes(halo[np.newaxis], [1]).boxes.tolist() == [[8, 2, 20, 26]]


def test_the_thickest_is_chosen_for_the_highest_ranks():
    shapes = Shapes(np.stack([bar(2), bar(4)]), [1, 1])
    rng = np.random.default_rng(0)
    assert set(shapes.choose(np.ones(500, int), np.ones(500), rng)) == {1}


def test_slants_are_limited():
    y, x = np.mgrid[:28, :28]
    flat = np.where(np.abs(y - 14 + (x - 14) / 4) < 1.5, 255, 0).astype(np.uint8)
    np.testing.assert_array_equal(slants_of(np.stack([flat, flat[:, ::-1]])), [1, -1])


def test_measures_do_not_depend_on_how_many_images_there_are(monkeypatch):
    images = np.stack([bar(width, slant) for width in (1, 3, 5) for slant in (-0.5, 0, 0.3)])
    expected, boxes = (stroke_widths(images), slants_of(images)), ink_boxes(images)
    monkeypatch.setattr(shapes_module, "AT_A_TIME", 4)
    np.testing.assert_allclose((stroke_widths(images), slants_of(images)), expected)
    np.testing.assert_array_equal(ink_boxes(images), boxes)


def test_a_hand_gets_strokes_of_its_thickness():
    images = np.stack([bar(width) for width in (8, 1, 4, 2, 6)] + [bar(3)])
    shapes = Shapes(images, [1, 1, 1, 1, 1, 2])
    rng = np.random.default_rng(0)
    thin, thick = (shapes.choose(np.ones(200, int), np.full(200, rank), rng) for rank in (0.0, 1.0))
    assert np.mean(np.isin(thin, [1])) > 0.8
    assert np.mean(np.isin(thick, [0])) > 0.8
    assert set(thin) | set(thick) <= set(range(5))
    assert shapes.choose(np.array([2]), np.array([0.3]), rng).tolist() == [5]


def test_weights_are_frequencies():
    images = np.stack([bar(2), bar(4), bar(3)])
    shapes = Shapes(images, [1, 1, 2], [3, 1, 4])
    np.testing.assert_allclose(shapes.shares, [0.5, 0.5])
    rng = np.random.default_rng(0)
    drawn = shapes.choose(np.ones(4000, int), rng.random(4000), rng)
    assert np.mean(drawn == 0) == pytest.approx(0.75, abs=0.03)


def test_a_weight_of_two_equals_two_copies():
    images = np.stack([bar(2), bar(4), bar(3)])
    weighted = Shapes(images, [1, 1, 1], [2, 1, 1])
    copied = Shapes(images[[0, 0, 1, 2]], [1, 1, 1, 1])
    ones, ranks = np.ones(500, int), np.linspace(0, 1, 500)
    a = weighted.images[weighted.choose(ones, ranks, np.random.default_rng(0))]
    b = copied.images[copied.choose(ones, ranks, np.random.default_rng(0))]
    np.testing.assert_array_equal(a, b)


def test_blank_images_and_weights_of_zero_are_left_out():
    images = np.stack([bar(2), bar(2) * 0, bar(3)])
    shapes = Shapes(images, [1, 2, 3], [1, 1, 0])
    assert shapes.digits.tolist() == [1]
    with pytest.raises(ValueError, match="all images are blank"):
        Shapes(images[1:2], [2])
