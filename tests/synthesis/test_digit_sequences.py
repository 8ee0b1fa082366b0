import itertools

import numpy as np
import pytest

from skdigits.datasets import iter_digit_sequences, make_digit_sequences, train_test_sequences

# Ten digits of 6×4 pixels whose only value tells them apart; ink in columns 1 and 2, rows 1 to 4.
IMAGES = np.zeros((10, 6, 4), np.uint8)
IMAGES[:, 1:5, 1:3] = np.arange(10, 110, 10)[:, None, None]
LABELS = np.arange(10)


def make(n_sequences=200, **options):
    options = {"random_state": 0, "gap": (0, 3), **options}
    return make_digit_sequences(IMAGES, LABELS, n_sequences, **options)


def read(image):
    """The digits in a picture, by their value."""
    values = image.max(axis=0)
    changes = [value for value, _ in itertools.groupby(values) if value]
    return "".join(str(value // 10 - 1) for value in changes)


def test_pictures_show_what_the_labels_say():
    X, y = make()
    assert X.shape == (200, 6, 5 * 4 + 4 * 3)
    assert X.dtype == np.uint8
    assert [read(image) for image in X] == y.tolist()
    assert {len(text) for text in y} == {1, 2, 3, 4, 5}
    assert {int(text[0]) for text in y} == set(range(10))


def test_boxes_hold_the_ink_and_nothing_else():
    X, y, boxes = make(shift=1, return_boxes=True)
    assert boxes.shape == (200, 5, 4)
    for image, text, its in zip(X, y, boxes, strict=True):
        assert (its[len(text) :] == -1).all()
        rest = image.copy()
        for digit, (left, top, right, bottom) in zip(text, its, strict=False):
            assert (right - left, bottom - top) == (2, 4)
            assert (image[top:bottom, left:right] == 10 * int(digit) + 10).all()
            rest[top:bottom, left:right] = 0
        assert not rest.any()
    tops = boxes[..., 1][boxes[..., 1] >= 0]
    assert set(tops) == {0, 1, 2}


def test_gaps_are_drawn_from_their_range_with_both_ends():
    _, y, boxes = make(500, gap=(-1, 2), lengths=2, return_boxes=True)
    gaps = boxes[:, 1, 0] - boxes[:, 0, 0] - 4
    assert set(gaps) == {-1, 0, 1, 2}
    assert set(map(len, y)) == {2}


def test_where_digits_overlap_the_brighter_pixel_is_seen():
    X, y = make(gap=-3, lengths=2, width=20)
    for image, text in zip(X, y, strict=True):
        a, b = sorted(10 * int(digit) + 10 for digit in text)
        assert set(np.unique(image)) == {0, a, b}
        assert (image == b).sum() == 8 + 4 * (a == b)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ((0, 2), {0, 1, 2}),
        ([1, 4], {1, 4}),
        (3, {3}),
        ({0: 1, 2: 3}, {0, 2}),
        (range(2, 4), {2, 3}),
    ],
)
def test_lengths(lengths, expected):
    _, y = make(400, lengths=lengths)
    counts = {length: sum(len(text) == length for text in y) for length in expected}
    assert sum(counts.values()) == 400
    assert min(counts.values()) > 50
    if lengths == {0: 1, 2: 3}:
        assert 250 < counts[2] < 350


def test_a_wider_picture_holds_the_sequence_anywhere():
    X, y = make(300, lengths=1, width=10)
    assert X.shape == (300, 6, 10)
    lefts = [np.flatnonzero(image.any(axis=0))[0] for image in X]
    assert set(lefts) == set(range(1, 8))
    assert [read(image) for image in X] == y.tolist()


def test_rotation_and_scale_change_the_digits_and_keep_them_in_place():
    big = np.zeros((1, 28, 28), np.uint8)
    big[0, 6:22, 12:16] = 255
    for options in ({"rotation": 30}, {"scale": 0.3}):
        X, _ = make_digit_sequences(big, [1], 200, lengths=1, random_state=0, **options)
        assert len(np.unique(X, axis=0)) > 150
        centre = X.mean(axis=0)
        assert abs(np.average(np.arange(28), weights=centre.sum(axis=0)) - 13.5) < 0.3
        assert abs(np.average(np.arange(28), weights=centre.sum(axis=1)) - 13.5) < 0.3
        heights, widths = (
            [np.ptp(np.flatnonzero((x > 100).any(axis=a))) + 1 for x in X] for a in (1, 0)
        )
        if "scale" in options:
            assert min(heights) < 13 < 18 < max(heights)
        else:
            assert max(widths) > 8
    plain = make_digit_sequences(big, [1], 1, lengths=1, random_state=0)[0][0]
    np.testing.assert_array_equal(plain, big[0])


def test_shear_slants_about_the_middle():
    big = np.zeros((1, 28, 28), np.uint8)
    big[0, 4:24, 12:16] = 255
    X, _ = make_digit_sequences(big, [1], 200, lengths=1, shear=20, random_state=0)
    centres = X[:, 4:24] @ np.arange(28.0) / X[:, 4:24].sum(axis=2)
    slants = np.polyfit(np.arange(20) - 9.5, centres.T, 1)[0]
    assert abs(np.rad2deg(np.arctan(slants))).max() == pytest.approx(20, abs=1)
    assert abs(slants.mean()) < 0.03
    np.testing.assert_allclose(centres.mean(axis=1), 13.5, atol=0.1)


def test_elastic_displacement_is_smooth_and_as_strong_as_asked_for():
    ramp = np.broadcast_to(np.arange(28, dtype=np.uint8) * 8, (1, 28, 28))
    X, _ = make_digit_sequences(ramp, [1], 2000, lengths=1, elastic=2, random_state=0)
    moved = (X.astype(float) - ramp)[:, 6:22, 6:22] / 8
    assert abs(moved.mean()) < 0.1
    # The strength of a digit is anything from 0 to 2.
    assert moved.std() == pytest.approx(2 / np.sqrt(3), rel=0.15)
    assert np.diff(moved, axis=2).std() < moved.std() / 3
    assert np.diff(moved, axis=1).std() < moved.std() / 3


def test_noise_has_the_standard_deviation_asked_for():
    grey = np.full((1, 28, 28), 128, np.uint8)
    X, _ = make_digit_sequences(grey, [1], 300, lengths=1, noise=20, random_state=0)
    assert abs(X.std() - 20) < 0.2
    assert abs(X.mean() - 128) < 0.2
    assert len(np.unique(X, axis=0)) == 300


def test_the_same_random_state_gives_the_same_sequences():
    options = {"rotation": 10, "noise": 5, "shift": 1, "elastic": 1, "return_boxes": True}
    before = np.random.get_state()[1].copy()
    first, again, other = (make(50, random_state=seed, **options) for seed in (3, 3, 4))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[1] != other[1]).any()
    assert (np.random.get_state()[1] == before).all()


def test_the_stream_is_new_in_each_draw_and_the_same_each_time():
    def three():
        stream = iter_digit_sequences(IMAGES, LABELS, 20, gap=0, random_state=1)
        return list(itertools.islice(stream, 3))

    draws, again = three(), three()
    for (X, y), (same_X, same_y) in zip(draws, again, strict=True):
        np.testing.assert_array_equal(X, same_X)
        np.testing.assert_array_equal(y, same_y)
        assert [read(image) for image in X] == y.tolist()
    assert len({tuple(y) for _, y in draws}) == 3


def test_train_and_test_sequences_share_no_digit():
    values = np.arange(1, 241, dtype=np.uint8)
    images = np.zeros((240, 6, 4), np.uint8)
    images[:, 2:4, 1:3] = values[:, None, None]
    X_train, X_test, y_train, y_test = train_test_sequences(
        images, np.arange(240) % 10, 400, 100, test_size=0.25, gap=0, random_state=0
    )
    assert (len(X_train), len(y_train), len(X_test), len(y_test)) == (400, 400, 100, 100)
    train, test = (set(np.unique(X)) - {0} for X in (X_train, X_test))
    assert not train & test
    assert len(test) == 60
    assert len(train) > 170
    assert {(int(value) - 1) % 10 for value in test} == set(range(10))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lengths": (5, 1)}, "lengths should be a whole number"),
        ({"lengths": []}, "lengths should be a whole number"),
        ({"lengths": (1, 2, 3)}, "lengths should be a whole number"),
        ({"lengths": {1: -1}}, "lengths should be a whole number"),
        ({"lengths": {1: 0}}, "lengths should be a whole number"),
        ({"lengths": [-1]}, "lengths should be a whole number"),
        ({"gap": (3, 1)}, "gap should be a whole number"),
        ({"gap": 1.5}, "gap should be a whole number"),
        ({"gap": (-4, 0)}, "overlap completely"),
        ({"width": 10}, "width=10 is too narrow: .* 32 pixels wide"),
        ({"shift": -1}, "shift should be a number of 0 or more"),
        ({"shift": 0.5}, "shift should be a whole number"),
        ({"rotation": float("nan")}, "rotation should be a number"),
        ({"scale": 1}, "scale should be below 1"),
        ({"noise": "much"}, "noise should be a number"),
        ({"shear": 90}, "shear should be below 90 degrees; got 90"),
        ({"elastic": -1}, "elastic should be a number of 0 or more"),
        ({"n_sequences": 0}, "n_sequences should be a whole number from 1"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES.astype(float), LABELS, "bytes .uint8. of shape .*; got float64"),
        (IMAGES.reshape(10, 24), LABELS, "of shape .n_images, height, width.; got uint8"),
        (IMAGES[:0], LABELS[:0], "no digit to use"),
        (IMAGES, LABELS[:5], "inconsistent numbers of samples"),
        (IMAGES, LABELS + 1, "from 0 to 9; got .10."),
        (IMAGES, LABELS.astype(str), "from 0 to 9; got .'0'"),
    ],
)
def test_bad_digits(images, labels, message):
    with pytest.raises(ValueError, match=message):
        make_digit_sequences(images, labels)


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(0)
    images = np.zeros((40, 28, 28), np.uint8)
    images[:, 4:24, 10:14] = rng.integers(150, 256, (40, 20, 4))
    return images, np.arange(40) % 10


@pytest.mark.parametrize("style", ["handwritten", "mixed"])
def test_lines_as_people_write_them(digits, style):
    X, y, boxes = make_digit_sequences(
        *digits, 50, style=style, lengths=(0, 4), random_state=0, return_boxes=True
    )
    assert X.shape[:2] == (50, 28)
    assert X.dtype == np.uint8
    assert boxes.shape == (50, 4, 4)
    assert set(map(len, y)) == {0, 1, 2, 3, 4}
    for image, text, its in zip(X, y, boxes, strict=True):
        assert (its[len(text) :] == -1).all()
        for left, top, right, bottom in its[: len(text)]:
            assert image[top:bottom, left : right + 1].any()
    again = make_digit_sequences(*digits, 50, style=style, lengths=(0, 4), random_state=0)
    np.testing.assert_array_equal(again[0], X)
    assert again[1].tolist() == y.tolist()
    wide = make_digit_sequences(
        *digits, 50, style=style, lengths=(0, 4), width=600, random_state=0
    )[0]
    assert wide.shape == (50, 28, 600)
    with pytest.raises(ValueError, match="width=30 is too narrow"):
        make_digit_sequences(*digits, 50, style=style, width=30, random_state=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "cursive"}, "Unknown style 'cursive'. Known names: handwritten, mixed, tiles"),
        ({"style": "mixed", "gap": 3}, "gap belongs to style='tiles'; got style='mixed'"),
        ({"style": "handwritten", "rotation": 0}, "rotation belongs to style='tiles'"),
        ({"style": "handwritten", "n_sequences": 0}, "n_sequences should be a whole number from 1"),
    ],
)
def test_styles_refuse_what_is_not_theirs(digits, options, message):
    with pytest.raises(ValueError, match=message):
        make_digit_sequences(*digits, **options)
