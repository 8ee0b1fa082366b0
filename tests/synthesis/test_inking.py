import numpy as np
import pytest
from scipy import ndimage

from skdigits.synthesis.inking import Pens, blurred, developed, inked
from skdigits.synthesis.strips import Strip


def frame():
    """A digit of 32 rows, drawn by strokes of 5 pixels, with margins."""
    shape = np.full((32, 16), 255, np.uint8)
    shape[5:-5, 5:-5] = 0
    return np.pad(shape, 8)


def draw_pens(n, seed=0, is_print=False):
    return Pens.draw(np.full(n, is_print), np.random.default_rng(seed))


def test_pens_are_drawn_in_their_shares():
    pens = draw_pens(3000)
    shares = [(values > 0).mean() for values in (pens.thinning, pens.softness)]
    np.testing.assert_allclose(shares, [0.6, 0.3], atol=0.03)
    assert (pens.scale < 1).mean() == pytest.approx(0.2, abs=0.03)
    printed = draw_pens(300, is_print=True)
    assert not printed.thinning.any()
    assert np.ptp(printed.threshold) < 0.21 < np.ptp(pens.threshold)


def test_ink_differs_in_thickness():
    strip = Strip.of([frame()] * 60)
    areas = [(image > 128).sum() for image in inked(strip, draw_pens(60))]
    assert np.percentile(areas, 90) > 1.1 * np.percentile(areas, 10)
    print_areas = [(image > 128).mean() for image in inked(strip, draw_pens(60, is_print=True))]
    assert 0.1 < np.median(print_areas) < 0.35


def test_thinned_strokes_are_where_the_strokes_were():
    pens = draw_pens(80)
    pens = pens[(pens.thinning > 0) & (pens.softness == 0)]
    shape, shares = frame(), []
    for thin in inked(Strip.of([shape] * len(pens.blur)), pens):
        shares.append((thin > 100).sum() / (shape > 0).sum())
        assert (shape[thin > 100] > 0).all()
        assert (thin[8:13, 11:21] > 60).any(axis=0).all()  # unbroken
    assert 0.3 < min(shares) < np.mean(shares) < 0.97


@pytest.mark.parametrize("deviation", [0.5, 1.3, 3.5])
def test_blur_is_gaussian(deviation):
    image = np.pad(frame(), 10)
    found = blurred(image, np.full(image.shape[1], deviation))
    expected = ndimage.gaussian_filter(image.astype(float), deviation, mode="constant")
    np.testing.assert_allclose(found, expected, atol=4)


def test_each_column_has_its_blur():
    image = frame()
    wide = np.concatenate([image, image], axis=1)
    deviation = np.repeat([0.0, 2.0], image.shape[1])
    found = blurred(wide, deviation)
    np.testing.assert_array_equal(found[:, : image.shape[1]], image)
    np.testing.assert_array_equal(found[:, image.shape[1] :], blurred(image, deviation[-32:]))


def test_white_stays_white():
    found = blurred(np.full((40, 40), 255, np.uint8), np.linspace(0.3, 3.5, 40))
    assert (found[12:-12, 12:-12] == 255).all()


def test_noise_is_only_in_the_ink():
    image = np.zeros((28, 60), np.uint8)
    image[5:20, 10:20] = 200
    for changed in developed(Strip.of([image] * 20), np.random.default_rng(0)):
        assert not changed[image == 0].any()
        assert changed[image > 0].mean() > 40


def test_lines_differ_in_strength_and_evenness():
    image = np.full((28, 60), 150, np.uint8)
    images = list(developed(Strip.of([image] * 200), np.random.default_rng(0)))
    assert np.ptp([image.mean() for image in images]) > 40
    even = [image.std() == 0 for image in images]
    assert np.mean(even) == pytest.approx(0.35, abs=0.1)
