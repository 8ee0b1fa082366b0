import numpy as np
import pytest

from skdigits.synthesis import composition
from skdigits.synthesis.composition import DigitSource, TileLayout

IMAGES = np.zeros((10, 6, 4), np.uint8)
IMAGES[:, 1:5, 1:3] = np.arange(10, 110, 10)[:, None, None]
LABELS = np.arange(10)


def test_weights_draw_like_copies_in_any_order():
    rng = np.random.RandomState(0)
    weights = rng.randint(0, 4, 10)
    copies = np.repeat(np.arange(10), weights)
    rng.shuffle(copies)
    style = TileLayout((1, 3), 0)
    drawn = []
    for images, labels, w in (
        (IMAGES, LABELS, weights.astype(float)),
        (IMAGES[copies], LABELS[copies], np.ones(len(copies))),
    ):
        source = DigitSource(images, labels, w)
        drawn.append(source.draw(100, style, np.random.RandomState(5)).target())
    np.testing.assert_array_equal(*drawn)
    assert not {int(digit) for text in drawn[0] for digit in text} & set(
        np.flatnonzero(weights == 0)
    )


def test_the_longest_sequence_is_one_that_is_drawn():
    assert TileLayout({1: 1, 3: 2, 9: 0}).longest == 3
    assert TileLayout((2, 4), gap=(-1, 3)).widest(10) == 10 + 3 * 13
    assert TileLayout((0, 1), gap=5).widest(10) == 10
    assert TileLayout((0, 0)).widest(10) == 10
    for gap in (-10, -15):
        assert TileLayout((0, 3), gap=gap).widest(10) == 10


def test_noise_does_not_wrap_around_at_black_and_white():
    for level, is_kept in ((250, lambda pixels: pixels > 128), (5, lambda pixels: pixels < 128)):
        source = DigitSource(np.full((1, 40, 40), level, np.uint8), [0])
        drawn = source.draw(3, TileLayout((1, 1), noise=20), np.random.RandomState(0))
        images = drawn.paint(40, np.zeros(3, int), np.random.RandomState(0))
        assert is_kept(images).all()
        assert len(np.unique(images)) > 30


def test_digits_are_painted_some_at_a_time(monkeypatch):
    def painted():
        drawn = DigitSource(IMAGES, LABELS).draw(
            300, TileLayout((0, 4), 2, rotation=20, elastic=1), np.random.RandomState(0)
        )
        starts = np.zeros(300, int)
        return drawn.paint(drawn.widths.max(), starts, np.random.RandomState(0))

    expected = painted()
    monkeypatch.setattr(composition, "DIGITS_AT_A_TIME", 7)
    np.testing.assert_array_equal(painted(), expected)


def test_shifts_move_digits_within_the_picture():
    source = DigitSource(np.full((1, 6, 4), 9, np.uint8), [0])
    drawn = source.draw(200, TileLayout((1, 1), 0, shift=2), np.random.RandomState(0))
    boxes = np.zeros((200, 1, 4), int)
    images = drawn.paint(4, np.zeros(200, int), np.random.RandomState(0), boxes=boxes)
    first, last = (
        np.array([np.flatnonzero(image.any(axis=1))[end] for image in images]) for end in (0, -1)
    )
    assert set(zip(first.tolist(), last.tolist(), strict=True)) == {
        *((0, 3), (0, 4), (0, 5), (1, 5), (2, 5))
    }
    np.testing.assert_array_equal(boxes[:, 0, 1], first)


def test_a_style_is_checked_when_it_is_made():
    for wrong in ({"gap": (3, 1)}, {"gap": 0.5}, {"lengths": (3, 1)}, {"lengths": []}):
        with pytest.raises(ValueError, match="should be"):
            TileLayout(**{"lengths": (1, 2), **wrong})


def test_a_box_without_ink_is_the_whole_image():
    source = DigitSource(np.zeros((1, 6, 4), np.uint8), [0])
    drawn = source.draw(1, TileLayout((1, 1), 0), np.random.RandomState(0))
    boxes = np.zeros((1, 1, 4), int)
    drawn.paint(9, np.array([3]), np.random.RandomState(0), boxes=boxes)
    assert boxes.tolist() == [[[3, 0, 7, 6]]]
