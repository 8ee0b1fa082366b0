"""Pages with boxes and labels, as `skdigits read --draw` writes them."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from skdigits.cli.read import drawing
from skdigits.cli.read.drawing import CERTAIN, DOUBTFUL, TEXT, draw_boxes
from skdigits.cli.read.labels import place_labels

STROKE = 2
# Linear RGB as seen without one kind of cones: Machado, Oliveira and Fernandes (2009), table 1.
COLOUR_BLINDNESS = {
    "protanopia": [[0.1521, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [
        [0.3673, 0.8606, -0.2280],
        [0.2801, 0.6726, 0.0473],
        [-0.0118, 0.0429, 0.9689],
    ],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def drawn(picture, readings, **options):
    return np.asarray(Image.open(io.BytesIO(draw_boxes(picture, readings, **options))), int)


def rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def is_in(picture, colour):
    return (picture == rgb(colour)).all(axis=-1)


def linear(colour):
    share = rgb(colour) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def grid(n_rows, n_columns, *, gap, width=60, height=20):
    """Boxes of numbers in rows and columns, from (40, 40)."""
    rows, columns = np.indices((n_rows, n_columns)).reshape(2, -1)
    left, top = 40 + columns * (width + gap), 40 + rows * (height + gap)
    return np.stack([left, top, left + width, top + height], axis=1)


def extents(n, *sizes):
    return np.array([[size] * n for size in sizes])


def place(boxes, labels, shape=(1000, 1000), ink=None, margin=200):
    ink = np.zeros(shape, bool) if ink is None else ink
    return place_labels(boxes, labels, ink, margin=margin, stroke=STROKE)


def overlap(places, others):
    """The pixels that each label and each other box have in common."""
    low = np.maximum(places[:, np.newaxis, :2], others[:, :2])
    high = np.minimum(places[:, np.newaxis, 2:], others[:, 2:])
    return (high - low).clip(0).prod(axis=-1)


@pytest.mark.parametrize("seed", range(3))
def test_labels_cover_neither_numbers_nor_each_other(seed):
    rng = np.random.default_rng(seed)
    boxes = grid(25, 4, gap=40, width=120) + np.tile(rng.integers(-9, 10, (100, 2)), 2)
    places, sizes = place(boxes, extents(100, (150, 26), (100, 18), (70, 14)), (1700, 800))
    assert (sizes >= 0).all()
    near = np.array([-STROKE, -STROKE, STROKE, STROKE])
    common = overlap(places, boxes + near)
    own = common.diagonal()
    assert (common.sum(axis=1) == own).all()  # with a distance to all others
    assert (own > 0).all()
    assert (overlap(places, boxes - near).diagonal() == 0).all()
    assert np.count_nonzero(overlap(places, places + near)) == 100


def test_labels_are_above_if_there_is_nothing():
    boxes = grid(3, 3, gap=200)
    places, sizes = place(boxes, extents(9, (50, 20), (40, 16)))
    assert (sizes == 0).all()
    assert (places[:, 3] == boxes[:, 1] + STROKE).all()
    assert (places[:, 0] == boxes[:, 0]).all()


def test_labels_become_smaller_where_it_is_crowded_and_disappear_at_last():
    labels = extents(25, (50, 24), (45, 18), (40, 12))
    for gap, size in ((24, 0), (20, 1), (13, 2)):
        _, sizes = place(grid(5, 5, gap=gap), labels)
        assert sizes.reshape(5, 5)[2, 2] == size
    _, sizes = place(grid(5, 5, gap=7), labels)
    assert (sizes.reshape(5, 5)[1:-1, 1:-1] == -1).all()
    assert (sizes.reshape(5, 5)[0] == 0).all()


def test_labels_leave_other_writing_visible():
    boxes, ink = grid(1, 1, gap=0), np.zeros((200, 300), bool)
    ink[30] = True  # a thin rule is covered
    places, _ = place(boxes, extents(1, (50, 18)), ink=ink)
    assert places[0].tolist() == [40, 24, 90, 42]
    ink[20:38] = True  # a line of writing above the number
    places, _ = place(boxes, extents(1, (50, 18)), ink=ink)
    assert places[0].tolist() == [98, 41, 148, 59]  # on the right, in the middle
    ink[:, 100:] = True
    places, _ = place(boxes, extents(1, (50, 18)), ink=ink)
    assert places[0].tolist() == [40, 58, 90, 76]  # below


def test_labels_are_beside_the_picture_only_if_they_must():
    boxes = np.array([[0, 0, 100, 40]])
    labels = extents(1, (50, 20), (30, 10))
    places, sizes = place(boxes, labels, (45, 105))
    assert (places[0, 3] <= STROKE) or (places[0, 0] >= 100 - STROKE)
    assert sizes == [0]
    places, sizes = place(boxes, labels, (45, 135))
    assert sizes == [1]  # smaller, but in the picture
    assert places[0, 0] == 100 - STROKE
    _, sizes = place(boxes, labels, (45, 105), margin=3)
    assert sizes == [-1]


def test_thousands_of_numbers_are_drawn_in_seconds():
    boxes = grid(100, 50, gap=16, width=44)
    readings = [("314", 0.8 + 0.2 * (i % 2), box) for i, box in enumerate(boxes.tolist())]
    start = time.perf_counter()
    draw_boxes(Image.new("L", (3100, 3700), 255), readings)
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("paint", [CERTAIN, DOUBTFUL])
def test_texts_have_the_contrast_that_wcag_asks_for(paint):
    luminance = [linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (paint.background, TEXT)]
    assert (max(luminance) + 0.05) / (min(luminance) + 0.05) >= 4.5
    outline = linear(paint.outline) @ [0.2126, 0.7152, 0.0722]
    assert 1.05 / (outline + 0.05) >= 3  # of graphics, with the halo around it


@pytest.mark.parametrize("kind", COLOUR_BLINDNESS)
def test_doubtful_numbers_have_another_colour_for_the_colour_blind(kind):
    matrix = np.array(COLOUR_BLINDNESS[kind])
    outlines = [matrix @ linear(paint.outline) for paint in (CERTAIN, DOUBTFUL)]
    assert np.linalg.norm(np.subtract(*outlines)) > 0.4  # red and green in deuteranopia: 0.07


def test_numbers_below_the_threshold_are_orange_and_lose_their_text():
    picture = Image.new("L", (600, 300), 90)
    box = (100, 150, 300, 200)
    for confidence, threshold, paint in (
        (0.95, 0, CERTAIN),
        (0.85, 0, DOUBTFUL),
        (0.85, 0.8, CERTAIN),
        (0.95, 0.97, DOUBTFUL),
    ):
        shown = drawn(picture, [("12345", confidence, box)], reject_below=threshold)
        (other,) = {CERTAIN, DOUBTFUL} - {paint}
        assert is_in(shown, paint.outline)[148:150, 98:302].all()
        assert not is_in(shown, other.outline).any()
    rejected = drawn(picture, [("12345", 0.5, box)], reject_below=0.6)
    np.testing.assert_array_equal(rejected, drawn(picture, [("7", 0.5, box)], reject_below=0.6))


def test_the_pixels_of_numbers_are_not_changed():
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (800, 1000, 3), dtype=np.uint8)
    boxes = grid(8, 5, gap=40, width=120, height=36)
    shown = drawn(Image.fromarray(levels), [("31415", 1.0, box) for box in boxes.tolist()])
    assert shown.shape == levels.shape
    for left, top, right, bottom in boxes:
        part = np.s_[top:bottom, left:right]
        np.testing.assert_array_equal(shown[part], levels[part])
    assert (shown != levels).mean() > 0.05


@pytest.mark.parametrize(("shape", "factor"), [((28, 28), 18), ((400, 300), 2), ((600, 500), 1)])
def test_small_pictures_are_enlarged_until_labels_are_legible(shape, factor):
    box = (4, 8, 24, 26)
    shown = drawn(Image.new("L", shape[::-1], 128), [("5", 0.98, box)])
    height, width = np.multiply(shape, max(factor, -(-24 // 18)))
    assert shown.shape[0] >= height
    assert shown.shape[1] >= width
    letters = np.flatnonzero(is_in(shown, TEXT).any(axis=1))
    assert np.ptp(letters) + 1 >= 8


def test_letters_and_lines_are_as_large_as_the_picture_needs():
    sizes = {}
    for scale in (1, 4):
        readings = [("31415", 1.0, tuple(scale * edge for edge in (300, 300, 420, 324)))]
        shown = drawn(Image.new("L", (1000 * scale, 750 * scale), 200), readings)
        column = is_in(shown, CERTAIN.outline)[:, 410 * scale]
        rows = np.flatnonzero(is_in(shown, TEXT).any(axis=1))
        sizes[scale] = column.sum(), np.ptp(rows) + 1
    assert sizes[4][0] == pytest.approx(2 * sizes[1][0], rel=0.2)  # a line has at least 2 pixels
    assert sizes[4][1] == pytest.approx(4 * sizes[1][1], rel=0.15)


def test_letters_of_small_numbers_in_a_large_picture():
    shown = drawn(Image.new("L", (4000, 3000), 200), [("31415", 1.0, (1000, 1000, 1100, 1024))])
    rows = np.flatnonzero(is_in(shown, TEXT).any(axis=1))
    assert np.ptp(rows) + 1 >= 3000 / 130


def test_a_picture_without_numbers_is_not_changed():
    levels = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    np.testing.assert_array_equal(drawn(Image.fromarray(levels), []), levels)


def test_very_large_pictures_are_not_enlarged(monkeypatch):
    monkeypatch.setattr(drawing, "LARGEST_PICTURE", 100_000)
    shown = drawn(Image.new("L", (400, 300), 128), [("5", 1.0, (200, 200, 204, 206))])
    assert shown.shape[:2] == (300, 400)


def test_long_texts_are_shortened():
    picture, box = Image.new("L", (900, 300), 90), (100, 150, 800, 200)
    long, longer = (drawn(picture, [("8" * n, 0.1, box)]) for n in (30, 50))
    np.testing.assert_array_equal(long, longer)
