import numpy as np
import pytest
from PIL import Image

from skdigits.synthesis.composition import TileLayout
from skdigits.synthesis.distortion import Distortion


def test_rotation_is_that_of_pillow():
    digit = np.zeros((28, 28), np.uint8)
    digit[5:20, 8:12], digit[16:20, 8:20] = 255, 128
    style = TileLayout(1, 0, rotation=40)
    distortion = Distortion.draw(20, style, (28, 28), np.random.RandomState(0))
    turned = distortion(np.stack([digit] * 20), slice(None)).astype(int)
    for angle, image in zip(np.rad2deg(distortion.angles), turned, strict=True):
        by_pillow = Image.fromarray(digit).rotate(angle, Image.Resampling.BILINEAR)
        assert abs(image - np.asarray(by_pillow)).max() <= 2


def test_elastic_displacements_are_smooth_over_a_seventh_of_the_height():
    style = TileLayout(1, 0, elastic=1)
    fields = Distortion.draw(5, style, (56, 56), np.random.RandomState(0)).displacements
    assert fields.std() == pytest.approx(1)
    inner = fields[:, :, 14:-14, 14:-14]  # the border damps them
    for apart, expected in ((8, np.exp(-0.25)), (16, np.exp(-1))):
        for along in (inner, inner.swapaxes(2, 3)):
            common = (along[..., apart:] * along[..., :-apart]).mean() / (along**2).mean()
            assert common == pytest.approx(expected, abs=0.08)


def test_digits_of_one_draw_share_many_displacements():
    drawn = Distortion.draw(5000, TileLayout(1, 0, elastic=1), (8, 8), np.random.RandomState(0))
    assert len(np.unique(drawn.fields)) == len(drawn.displacements) >= 400
    assert 0 <= drawn.strengths.min() < 0.01
    assert 0.99 < drawn.strengths.max() <= 1


def test_without_distortions_there_are_none():
    for name in ("rotation", "scale", "shear", "elastic"):
        drawn = Distortion.draw(
            3, TileLayout(1, 0, **{name: 0.5}), (8, 8), np.random.RandomState(0)
        )
        assert (drawn.displacements is not None) == (name == "elastic")
    assert Distortion.draw(3, TileLayout(1, 0), (8, 8), np.random.RandomState(0)) is None


def test_what_comes_in_from_outside_is_black():
    white = np.full((40, 20, 20), 255, np.uint8)
    drawn = Distortion.draw(40, TileLayout(1, 0, scale=0.4), (20, 20), np.random.RandomState(0))
    for zoom, image in zip(drawn.zooms, drawn(white, slice(None)), strict=True):
        edges = np.concatenate([image[[0, -1]].ravel(), image[:, [0, -1]].ravel()])
        if zoom < 0.85:
            assert not edges.any()
        elif zoom > 1:
            assert (edges == 255).all()


def test_a_shear_moves_lower_rows_to_the_left():
    bar = np.zeros((20, 41, 41), np.uint8)
    bar[:, 3:-3, 18:23] = 255
    drawn = Distortion.draw(20, TileLayout(1, 0, shear=20), (41, 41), np.random.RandomState(0))
    for shear, image in zip(drawn.shears, drawn(bar, slice(None)), strict=True):
        upper, lower = (np.average(np.arange(41), weights=image[row]) for row in (10, 30))
        assert (upper - lower) / 20 == pytest.approx(shear, abs=0.01)
