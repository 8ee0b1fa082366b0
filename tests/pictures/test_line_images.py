import numpy as np
import pytest

from skdigits.pictures.line_images import LineImages


def stroke(width=60, columns=(20, 24), value=200):
    """An image of 28 rows with an upright stroke."""
    image = np.zeros((28, width), np.uint8)
    image[4:24, slice(*columns)] = value
    return image


@pytest.mark.parametrize("form", ["rows", "images", "one channel", "list of equal shapes"])
def test_images_of_one_shape_have_many_forms(form):
    images = np.arange(2 * 28 * 40).reshape(2, 28, 40) % 256
    given = {
        "rows": images.reshape(2, -1),
        "images": images,
        "one channel": images[..., np.newaxis],
        "list of equal shapes": list(images),
    }[form]
    lines = LineImages.check(given, (28, 40))
    assert lines.shape == (28, 40)
    assert len(lines) == 2
    np.testing.assert_array_equal(lines.images, images)
    assert LineImages.check(given if form != "rows" else given[:, :784]).images.shape[1] == 28


def test_rows_that_are_no_square_are_padded():
    lines = LineImages.check(np.ones((3, 23)))
    assert lines.images.shape == (3, 5, 5)
    assert lines.images.sum() == 3 * 23
    assert lines.n_features == 23


def test_images_of_several_widths():
    lines = LineImages.check([np.ones((28, 30)), np.ones((28, 50, 1))])
    assert lines.shape is None
    assert lines.widths.tolist() == [30, 50]
    assert lines.sizes.tolist() == [[28, 30], [28, 50]]
    assert lines.dtype == np.float32
    assert LineImages.check([stroke(30), stroke(50)]).dtype == np.uint8
    found = LineImages.check([stroke(30), stroke(50)]).pixel_range()
    assert (found.low, found.high) == (0, 200)
    with pytest.raises(ValueError, match=r"Image 1 has shape \(28, 0\)"):
        LineImages.check([np.ones((28, 3)), np.ones((28, 0))])
    with pytest.raises(ValueError, match=r"Image 0 has shape \(28, 9, 3\)"):
        LineImages.check([np.ones((28, 9, 3)), np.ones((28, 30))])
    with pytest.raises(ValueError, match="images of 3 channels"):
        LineImages.check(np.ones((2, 28, 9, 3)))


def test_pixels_are_scaled_to_bytes_and_clipped():
    found = LineImages(np.array([[[-9.0, -5, 0, 5, 15, 19]] * 28])).as_bytes(-5, 15)
    assert found.images.dtype == np.uint8
    assert found.images[0, 0].tolist() == [0, 0, 64, 128, 255, 255]
    image = stroke()
    np.testing.assert_array_equal(LineImages(image[np.newaxis]).as_bytes(0, 255).images[0], image)
    halved = LineImages(image[np.newaxis]).as_bytes(0, 100).images[0]
    assert halved.max() == 255


@pytest.mark.parametrize(("height", "width", "expected"), [(56, 80, 40), (14, 15, 30), (280, 3, 1)])
def test_images_of_other_heights_keep_their_proportions(height, width, expected):
    images = np.full((2, height, width), 77, np.uint8)
    for lines in (LineImages(images), LineImages(list(images))):
        found = lines.as_bytes(0, 255)
        assert [image.shape for image in found.images] == [(28, expected)] * 2
        assert found.sizes.tolist() == [[height, width]] * 2
        assert all((image == 77).all() for image in found.images)
    assert LineImages(images).as_bytes(0, 255).shape == (28, expected)


@pytest.mark.parametrize("width", [0.5, 1.0, 1.5])
def test_images_become_narrower_or_wider(width):
    (found,) = LineImages([stroke()]).changed(width, 0.0).images
    assert found.shape == (28, 60 * width)
    columns = np.flatnonzero(found[14] > 100)
    assert columns.mean() + 0.5 == pytest.approx(22 * width, abs=0.6)
    assert len(columns) == pytest.approx(4 * width, abs=1)


@pytest.mark.parametrize("slant", [-0.4, 0.4])
def test_images_are_slanted_about_their_middle(slant):
    (found,) = LineImages([stroke()]).changed(1.0, slant).images
    margin = 6  # columns at each side for what leans out
    assert found.shape == (28, 60 + 2 * margin)
    rows = np.arange(5, 23)
    centres = found[rows] @ np.arange(found.shape[1]) / found[rows].sum(axis=1)
    rise, middle = np.polyfit(13.5 - rows, centres, 1)
    assert rise == pytest.approx(slant, abs=0.03)
    assert middle == pytest.approx(21.5 + margin, abs=0.6)
    assert found.sum(dtype=float) == pytest.approx(stroke().sum(dtype=float), rel=0.02)


@pytest.mark.parametrize(("position", "lefts"), [(0, [0, 0]), (0.5, [10, 0]), (1, [20, 0])])
def test_narrow_images_get_margins(position, lefts):
    lines = LineImages([stroke(40, (0, 4)), stroke(60, (0, 4))])
    found = lines.same_width(position)
    assert found.shape == (2, 28, 60)
    assert [np.flatnonzero(image.any(axis=0))[0] for image in found] == lefts
    assert LineImages(found).same_width() is found


def test_batches_hold_images_of_similar_width():
    widths = np.random.default_rng(0).integers(1, 300, 60)
    lines = LineImages([np.full((28, width), i, np.uint8) for i, width in enumerate(widths)])
    limit = 28 * 900
    found = list(lines.batches(limit))
    chosen = np.concatenate([indices for indices, _ in found])
    assert sorted(chosen) == list(range(60))
    assert (np.diff(widths[chosen]) >= 0).all()
    for indices, rows in found:
        assert rows.shape == (len(indices), 28 * widths[indices].max())
        assert rows.size <= limit
        for i, row in zip(indices, rows.reshape(len(indices), 28, -1), strict=True):
            assert (row[:, : widths[i]] == i).all()
            assert not row[:, widths[i] :].any()
    full = [rows.size for _, rows in found[:-1]]
    assert np.mean(full) > 0.75 * limit
    alone = list(lines.batches(1))
    assert [len(indices) for indices, _ in alone] == [1] * 60


def test_groups_without_padding_hold_images_of_one_width():
    widths = np.random.default_rng(1).integers(30, 40, 60)
    lines = LineImages([np.zeros((28, width), np.uint8) for width in widths])
    limit = 28 * 40 * 3
    found = list(lines.groups(limit, padded=False))
    assert sorted(np.concatenate(found)) == list(range(60))
    assert all(len(set(widths[chosen])) == 1 for chosen in found)
    assert max(map(len, found)) == 4  # of the narrowest: as many as fit
    batches = list(lines.batches(limit, padded=False))
    for chosen, (indices, rows) in zip(found, batches, strict=True):
        np.testing.assert_array_equal(indices, chosen)
        assert rows.shape == (len(chosen), 28 * widths[chosen[0]])


def test_views_follow_the_images_one_view_after_the_other():
    lines = LineImages([stroke(40, (10, 14)), stroke(60, (30, 34))])
    views = [(0.5, 0.0), (1.0, 0.3)]
    several = lines.with_views(views)
    expected = [*lines.images, *lines.changed(*views[0]).images, *lines.changed(*views[1]).images]
    assert len(several) == len(expected) == 6
    for found, image in zip(several.images, expected, strict=True):
        np.testing.assert_array_equal(found, image)
    assert lines.with_views([]) is lines


def test_boxes_hold_the_ink_of_each_digit():
    image = stroke(60, (10, 14)) + stroke(60, (40, 47))
    image[2:4, 20:25] = 64  # too faint for a digit
    image[23, 40:47] = 80  # not so faint
    lines = LineImages(image[np.newaxis])
    assert lines.boxes(0, np.array([12, 43])).tolist() == [[10, 4, 14, 24], [40, 4, 47, 24]]
    assert lines.boxes(0, np.array([])).shape == (1, 4)


def test_digits_that_touch_are_cut_where_there_is_least_ink():
    image = stroke(60, (10, 40))
    image[4:20, 22:24] = 0  # what joins them, nearer to the right than their middle
    boxes = LineImages(image[np.newaxis]).boxes(0, np.array([14, 34]))
    assert boxes[:, [0, 2]].tolist() == [[10, 23], [23, 40]]
    even = LineImages(stroke(60, (10, 40))[np.newaxis]).boxes(0, np.array([14, 34]))
    assert even[:, [0, 2]].tolist() == [[10, 24], [24, 40]]  # in the middle between them


def test_a_digit_without_ink_has_its_part_of_the_image():
    boxes = LineImages(stroke(60, (10, 14))[np.newaxis]).boxes(0, np.array([12, 50]))
    assert boxes.tolist() == [[10, 4, 14, 24], [31, 0, 60, 28]]


def test_boxes_are_in_the_pixels_that_the_user_gave():
    image = stroke(60, (11, 14))
    lines = LineImages(image[np.newaxis], sizes=np.array([[70, 150]]))  # 2.5 times as large
    assert lines.boxes(0, np.array([12])).tolist() == [[27, 10, 35, 60]]


def test_a_centre_may_be_in_a_last_frame_that_is_not_full():
    boxes = LineImages(stroke(57, (54, 57))[np.newaxis]).boxes(0, np.array([10, 40, 58.0]))
    assert boxes[-1].tolist() == [54, 4, 57, 24]
    boxes = LineImages(stroke(57, (54, 57))[np.newaxis]).boxes(0, np.array([56, 58.0, 59.5]))
    assert (boxes[:, 2] <= 57).all()
