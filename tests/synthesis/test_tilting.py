import numpy as np
import pytest

from skdigits.synthesis import tilting
from skdigits.synthesis.shapes import Shapes
from skdigits.synthesis.tilting import Pictures, tilted


def blocks(*sizes):
    """Bright rectangles of these heights and widths, each on an image of its own collection."""
    collections = []
    for height, width in sizes:
        image = np.zeros((1, height + 4, width + 6), np.uint8)
        image[0, 1 : 1 + height, 2 : 2 + width] = 255
        collections.append(Shapes(image, np.array([0])))
    n = len(sizes)
    return Pictures.cut(collections, np.arange(n), np.zeros(n, int))


def tilt(sizes, width, height, slant, seed=0):
    given = (np.array(values, float) for values in (width, height, slant))
    return tilted(blocks(*sizes), *given, np.random.default_rng(seed))


def test_pictures_are_cut_out_of_images_of_different_sizes():
    pictures = blocks((20, 10), (5, 30))
    assert (pictures.height.tolist(), pictures.width.tolist()) == ([20, 5], [10, 30])
    for start, stride, height, width in zip(
        pictures.start, pictures.stride, pictures.height, pictures.width, strict=True
    ):
        rows = pictures.pairs[start + stride * np.arange(-1, height + 1)] & 255
        columns = pictures.pairs[start + np.arange(-1, width + 1)] & 255
        assert rows.tolist() == [0, *[255] * height, 0]
        assert columns.tolist() == [0, *[255] * width, 0]


@pytest.mark.parametrize("slant", [-0.5, 0.5])
def test_slanted_digits_lean_to_their_side(slant):
    (tile,) = tilt([(30, 6)], [6], [30], [slant])
    top, bottom = (np.flatnonzero(tile[row] > 128).mean() for row in (2, -3))
    assert (top - bottom) / 24 == pytest.approx(slant, abs=0.15)


def test_tiles_have_the_sizes_asked_for_in_the_order_given(monkeypatch):
    sizes = [(20, 10), (8, 8), (30, 4), (5, 30)]
    width, height = [32, 8, 11, 60], [40, 30, 22, 10]
    monkeypatch.setattr(tilting, "AT_A_TIME", 2)
    tiles = tilt(sizes, width, height, [0, 0, 0, 0])
    assert [tile.shape[0] for tile in tiles] == height
    np.testing.assert_allclose([tile.shape[1] for tile in tiles], width, rtol=0.2, atol=2)
    for tile in tiles:
        assert tile.dtype == np.uint8
        assert tile.any(axis=0)[[0, -1]].all()
        assert (tile[4:-4, 4:-4] == 255).all()


def test_tiles_are_interpolated_between_pixels():
    ramp = np.broadcast_to(np.arange(20, 240, 10, dtype=np.uint8), (1, 20, 22))
    pictures = Pictures.cut([Shapes(ramp, np.array([0]))], np.array([0]), np.array([0]))
    sizes = np.array([[88.0], [80.0], [0.0]])
    (tile,) = tilted(pictures, *sizes, np.random.default_rng(0))
    steps = np.diff(tile[40, 4:-8].astype(int))
    assert (steps >= 0).all()
    assert steps.max() <= 4


def test_corners_differ_each_time():
    tiles = tilt([(20, 10)] * 50, [16] * 50, [32] * 50, [0] * 50)
    assert len({tile.tobytes() for tile in tiles}) > 40
    assert len({tile.shape[1] for tile in tiles}) > 1
