import numpy as np
from scipy.ndimage import median_filter, zoom

from skdigits.datasets import load_digits
from skdigits.pictures import ink
from skdigits.pictures.ink import (
    InkContrast,
    has_bright_ink,
    ink_contrast,
    is_writing,
    noise_of,
    otsu,
    remove_border_remnants,
    remove_frames,
    strokes,
)


def paper_with_a_bar(paper, ink=0.3):
    """A vertical bar whose ink reflects a share of the light."""
    picture = np.array(paper, float)
    picture[30:90, 55:63] *= ink
    return picture


def test_contrast_is_that_of_the_ink_under_any_light():
    even = np.full((120, 120), 200.0)
    x = np.linspace(0.3, 1, 120)
    shadow = np.where(np.arange(120) < 40, 0.4, 1.0)
    for light in (np.ones(120), x, x[::-1], shadow):
        contrast = ink_contrast(paper_with_a_bar(even * light), 40)
        np.testing.assert_allclose(contrast[40:80, 57:61], 0.7, atol=0.09)
        assert contrast[:, :50].max() < 0.09
        assert contrast[:, 68:].max() < 0.09


def test_bright_and_dark_ink():
    dark = paper_with_a_bar(np.full((120, 120), 200.0))
    assert not has_bright_ink(dark)
    assert has_bright_ink(255 - dark)
    np.testing.assert_allclose(ink_contrast(255 - dark, 40), ink_contrast(dark, 40), atol=0.01)
    small = dark[30:70:2, 46:70:2]  # the bar touches both borders
    assert not has_bright_ink(small)
    assert has_bright_ink(255 - small)


def wheel(shape=(32, 20)):
    """A bright 6 on the dark wheel of a meter, between bright margins."""
    picture = np.full(shape, 40.0)
    picture[:5] = picture[-5:] = 220
    picture[9:23, 6:8] = picture[9:11, 6:14] = picture[15:17, 6:14] = picture[21:23, 6:14] = 220
    picture[15:23, 12:14] = 220
    return picture


def test_the_paper_of_a_tiny_picture_may_have_a_frame():
    for picture in (wheel(), 255 - wheel()):
        digit = picture[10, 10]
        assert has_bright_ink(picture) == (digit > 128)
        zero = np.full((16, 16), picture[8, 0])
        zero[:, 5:11] = zero[3:13, 1:15] = digit  # it fills the box; its hole is as tall as a 1
        zero[3:13, 6:10] = picture[8, 0]
        assert has_bright_ink(zero) == (digit > 128)


def test_strokes_are_found_where_they_leave_little_paper():
    """Their edges are not taken for noise."""
    rng = np.random.default_rng(0)
    picture = np.full((56, 150), 200.0)
    for x in range(6, 150, 9):
        picture[8:48, x : x + 3] = 110
    contrast = ink_contrast(picture + rng.normal(0, 8, picture.shape), 28)
    assert 0.015 < noise_of(contrast, otsu(contrast)) < 0.05
    mask = strokes(contrast)
    assert mask[12:44, 7::9].mean() > 0.95
    assert mask[:4].mean() < 0.02


def test_shadows_do_not_decide_which_side_is_ink():
    for width in (20, 60, 100):
        picture = paper_with_a_bar(np.full((120, 120), 220.0))
        picture[:, :width] *= 0.35
        assert not has_bright_ink(picture)


def test_strokes_are_ink_with_its_faint_edges_and_nothing_else(digit):
    contrast = ink_contrast(digit.astype(float), 31)
    mask = strokes(contrast)
    assert mask[digit < 60].all()
    assert not mask[digit > 240].any()
    noise = np.random.default_rng(0).normal(0, 3, digit.shape)
    assert strokes(ink_contrast(200 + noise, 31)).mean() < 0.001
    assert not strokes(np.zeros((50, 50))).any()


def test_otsu_separates_two_classes():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.1, 0.03, 900), rng.normal(0.7, 0.05, 100)])
    assert 0.15 < otsu(values) < 0.65


def test_rests_at_the_border_are_removed_and_digits_that_touch_it_are_not():
    mask = np.zeros((50, 50), bool)
    mask[15:35, 20:30] = True
    rest = mask.copy()
    rest[:, :4] = rest[45:, 30:] = True
    np.testing.assert_array_equal(remove_border_remnants(rest), mask)
    full = np.zeros((50, 50), bool)
    full[:, 20:30] = True
    np.testing.assert_array_equal(remove_border_remnants(full), full)
    strip = np.zeros((50, 50), bool)
    strip[:5] = True
    assert not remove_border_remnants(strip).any()


def test_specks_and_soft_shadows_are_no_writing():
    y, x = np.mgrid[:120, :120]
    bar = np.zeros((120, 120))
    bar[30:90, 55:63] = 0.6
    shadow = 0.6 * np.exp(-((x - 60) ** 2 + (y - 60) ** 2) / 2 / 25**2)
    specks = np.zeros((120, 120))
    specks[::12, ::12] = 0.6
    dot = np.zeros((120, 120))
    dot[60:64, 60:64] = 0.6
    for contrast, expected in ((bar, True), (shadow, False), (specks, False), (dot, False)):
        mask = contrast > 0.3
        assert is_writing(contrast, mask, mask) is expected
    assert not is_writing(bar, np.ones_like(bar, bool), bar > 0.3)  # a small part of what is seen


def in_a_corner_of_a_frame(side):
    """Pixels of an L-shaped frame, and of a ring that the picture's corner cuts off."""
    frame, ring = np.zeros((side, side), bool), np.zeros((side, side), bool)
    frame[:, 4:7] = frame[-5:-2, 4:] = True
    y, x = np.indices(ring.shape)
    distance = np.hypot(y - 6, x - side + 7)
    ring[(distance > 4) & (distance < 8)] = True
    return frame, ring


def test_frames_of_tiny_pictures_are_removed_beside_a_digit():
    frame, ring = in_a_corner_of_a_frame(28)
    assert not (frame & ring).any()
    np.testing.assert_array_equal(remove_frames(frame | ring), ring)
    np.testing.assert_array_equal(remove_border_remnants(ring), ring)  # there is no other
    speck = np.zeros_like(ring)
    speck[10:13, 15:18] = True
    np.testing.assert_array_equal(remove_frames(frame | speck), frame | speck)  # a digit, perhaps
    frame, ring = in_a_corner_of_a_frame(60)
    np.testing.assert_array_equal(remove_frames(frame | ring), frame | ring)
    assert not remove_border_remnants(ring).any()


def test_low_rests_at_the_border_of_tiny_pictures_are_no_digits():
    rest = np.zeros((28, 28), bool)
    rest[-4:, 3:9] = True
    assert not remove_border_remnants(rest).any()


def test_what_is_thin_in_the_middle_of_a_tiny_picture_is_ink():
    y, x = np.mgrid[:32, :20]
    ring = np.abs(np.hypot(x - 9.5, (y - 15.5) / 1.6) - 5) < 1.8  # a zero
    for light in (np.full((32, 20), 100.0), 60 + 4.0 * x):
        wide_and_dark = np.where((y > 27) | (x < 3), 0.4, 1.0)  # what is at the edge may be darker
        assert not has_bright_ink(light * wide_and_dark * np.where(ring, 0.5, 1))
        assert has_bright_ink(light * wide_and_dark * np.where(ring, 1.5, 1))


def test_digits_that_are_cut_at_their_ink_have_a_polarity():
    n_right = 0
    for image in load_digits().images[:600]:
        large = zoom(image, 2.5, order=1)
        rows, columns = np.nonzero(large > 60)
        cut = large[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(float)
        n_right += has_bright_ink(cut) and not has_bright_ink(255 - cut)
    assert n_right >= 0.985 * 600


def test_one_contrast_with_several_windows(monkeypatch):
    picture = 255 - paper_with_a_bar(np.full((120, 120), 200.0))
    expected = [ink_contrast(picture, window) for window in (20, 40)]
    calls = []

    def told(grey):
        calls.append(grey)
        return has_bright_ink(grey)

    monkeypatch.setattr(ink, "has_bright_ink", told)
    contrast_of = InkContrast(picture)
    for window, whole in zip((20, 40), expected, strict=True):
        np.testing.assert_array_equal(contrast_of(window), whole)
    assert len(calls) == 1


def test_the_large_median_is_that_of_scipy():
    grey = np.random.default_rng(0).uniform(1, 256, (30, 50))
    for dtype in (np.float32, np.float64):
        found = ink._large_median(grey.astype(dtype))
        size = round(ink.NEIGHBOURHOOD * 30)
        np.testing.assert_array_equal(found, median_filter(grey.astype(dtype), size))
