import numpy as np
import pytest

from skdigits.training import augmentation


def test_augmentation_moves_digits_and_keeps_them():
    import tensorflow as tf

    square = np.zeros((200, 28, 28, 1), np.float32)
    square[:, 10:18, 10:18] = 1
    places = np.arange(28)

    def distances(images):
        mass = images.sum(axis=(1, 2, 3))
        assert 64 * 0.8 < mass.min() < mass.max() < 64 * 1.25
        rows = (images.sum(axis=(2, 3)) * places).sum(axis=1) / mass - 13.5
        columns = (images.sum(axis=(1, 3)) * places).sum(axis=1) / mass - 13.5
        assert max(abs(rows.mean()), abs(columns.mean())) < 0.3
        return np.abs(rows).max(), np.abs(columns).max()

    moved = augmentation.jitter(tf.constant(square), tf.constant([1, 2])).numpy()
    again = augmentation.jitter(tf.constant(square), tf.constant([1, 2])).numpy()
    other = augmentation.jitter(tf.constant(square), tf.constant([1, 3])).numpy()
    np.testing.assert_array_equal(moved, again)
    assert not np.array_equal(moved, other)
    assert all(0.8 < distance < 1.5 for distance in distances(moved))
    twice = augmentation.jitter(tf.constant(square), tf.constant([1, 2]), 2.0).numpy()
    assert all(1.8 < distance < 2.6 for distance in distances(twice))
    upright = np.zeros((200, 28, 28, 1), np.float32)
    upright[:, 4:24, 13:15] = 1
    turned = augmentation.jitter(tf.constant(upright), tf.constant([5, 6])).numpy()
    widths = (turned.max(axis=1)[..., 0] > 0.2).sum(axis=1)
    assert widths.max() >= 4, "some are turned"


def squares(side, channels=1, dtype=np.float32, peak=1.0):
    images = np.zeros((300, side, side, channels), dtype)
    low, high = side // 4, side - side // 4
    images[:, low:high, low:high] = peak
    images[:, low + side // 8 : high - side // 8, low + side // 8 : high - side // 8] = 0
    return images


def restyled(images, seed=2):
    import tensorflow as tf

    return augmentation.restyle(tf.constant(images), tf.constant([1, seed])).numpy()


@pytest.mark.parametrize(
    ("side", "channels", "dtype", "peak"),
    [(28, 1, np.float32, 1.0), (8, 1, np.float32, 16.0), (28, 3, np.float64, 255.0)],
)
def test_restyled_images_are_of_other_hands_in_the_same_range(side, channels, dtype, peak):
    images = squares(side, channels, dtype, peak)
    changed = restyled(images)
    assert changed.dtype == dtype
    assert changed.shape == images.shape
    assert changed.min() >= 0
    assert changed.max() <= peak * 1.0001
    np.testing.assert_array_equal(changed, restyled(images))
    assert not np.array_equal(changed, restyled(images, seed=3))
    strengths = changed.max(axis=(1, 2, 3)) / peak
    assert strengths.min() < 0.75 < strengths.max()
    mass = changed.sum(axis=(1, 2, 3)) / images[0].sum()
    assert mass.min() < 0.7
    assert mass.max() > 1.3
    rows = (changed.sum(axis=(2, 3)) * np.arange(side)).sum(axis=1) / changed.sum(axis=(1, 2, 3))
    assert abs(rows.mean() - images.shape[1] / 2 + 0.5) < 0.06 * side


def test_rests_are_near_the_sides_and_breaks_in_the_middle():
    import tensorflow as tf

    seed = tf.constant([3, 4])
    black = np.zeros((1000, 1, 28, 28), np.float32)
    added = augmentation._add_remnants(tf.constant(black), seed).numpy()[:, 0] > 0
    assert 0.15 < added.any(axis=(1, 2)).mean() < 0.35  # a bar, a speck, or both
    assert added[:, 10:18, 10:18].mean() < 0.3 * added[:, [0, 1, 2, 25, 26, 27]].mean()
    white = np.ones((1000, 1, 28, 28), np.float32)
    broken = augmentation._break_strokes(tf.constant(white), seed).numpy()[:, 0] < 1
    assert broken.any(axis=(1, 2)).mean() == pytest.approx(0.1, abs=0.03)
    assert not broken[:, :5, :5].any()


def test_blank_images_stay_blank():
    assert not restyled(np.zeros((50, 28, 28, 1), np.float32)).any()


def rings(side=28, channels=1, dtype=np.float32, peak=1.0, n=300):
    """Images of a ring, as a zero."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    distance = np.hypot(y, 1.4 * x) * 28 / side
    ring = peak * np.clip(2.5 - np.abs(distance - 8), 0, 1)
    return np.repeat(ring[None, ..., None], n, axis=0).repeat(channels, axis=3).astype(dtype)


def changed(images, change=augmentation.restyle, seed=(1, 2)):
    import tensorflow as tf

    function = tf.function(change, autograph=False)
    return function(tf.constant(images), tf.constant(seed)).numpy()


def changed_ink(change, images):
    """The result of one of the steps of restyling."""
    return changed(images.transpose(0, 3, 1, 2), change).transpose(0, 2, 3, 1)


def middles(images):
    side = images.shape[1]
    places = (np.arange(side) - (side - 1) / 2) * 28 / side
    mass = images.sum(axis=(1, 2, 3))
    along = [images.sum(axis=axes) @ places for axes in ((2, 3), (1, 3))]
    return np.array(along) / mass


@pytest.mark.parametrize(
    ("side", "channels", "dtype", "peak"),
    [(28, 1, "float32", 1.0), (8, 1, "float32", 16.0), (28, 3, "float64", 255.0)],
)
def test_restyled_digits_differ_and_stay_where_they_are(side, channels, dtype, peak):
    images = rings(side, channels, dtype, peak)
    found = changed(images)
    assert found.dtype == dtype
    assert found.shape == images.shape
    np.testing.assert_array_equal(found, changed(images))
    assert not np.array_equal(found, changed(images, seed=(1, 3)))
    assert found.min() >= 0
    assert found.max() <= peak * (1 + 1e-6)
    assert np.abs(found - images).mean() > 0.05 * peak
    distances = middles(found)
    assert np.abs(distances.mean(axis=1)).max() < 0.5
    assert np.percentile(np.abs(distances), 95) < 4
    similar = [np.corrcoef(image.ravel(), images[0].ravel())[0, 1] for image in found]
    assert np.median(similar) > 0.4
    mass = found.sum(axis=(1, 2, 3)) / images[0].sum()
    assert mass.min() < 0.7
    assert mass.max() > 1.3


def test_restyling_is_relative_to_the_range_of_an_image():
    images = rings(n=50)
    expected = changed(images)
    np.testing.assert_allclose(changed(images * 3 - 1), expected * 3 - 1, atol=1e-5)
    blank = np.stack([images[0] * 0, images[0] * 0 + 0.5, images[0]] * 20)
    found = changed(blank)
    np.testing.assert_array_equal(found[0::3], blank[0::3])
    np.testing.assert_array_equal(found[1::3], blank[1::3])
    assert (found[2::3] != blank[2::3]).any(axis=(1, 2, 3)).all()


def test_images_of_any_shape_are_restyled():
    images = np.random.default_rng(0).random((30, 9, 17, 2), np.float32)
    found = changed(images)
    assert found.shape == images.shape
    assert np.isfinite(found).all()


def test_warped_images_are_those_of_all_channels():
    images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    one, two = (
        changed_ink(augmentation._warp, images.repeat(channels, axis=3)) for channels in (1, 2)
    )
    np.testing.assert_array_equal(one.repeat(2, axis=3), two)


def test_sampling_at_the_pixels_gives_them_and_none_outside():
    import tensorflow as tf

    ink = np.random.default_rng(0).random((2, 3, 6, 5), np.float32) + 1
    x, y = np.meshgrid(np.arange(5, dtype=np.float32), np.arange(6, dtype=np.float32))
    x, y = (np.broadcast_to(places, (2, 1, 6, 5)) for places in (x, y))
    sample = augmentation._sample
    np.testing.assert_array_equal(sample(tf.constant(ink), x, y), ink)
    half = sample(tf.constant(ink), x + 0.5, y).numpy()
    np.testing.assert_allclose(half[..., :-1], (ink[..., 1:] + ink[..., :-1]) / 2, rtol=1e-6)
    np.testing.assert_allclose(half[..., -1], ink[..., -1] / 2, rtol=1e-6)
    assert not sample(tf.constant(ink), x + 100, y).numpy().any()
    assert not sample(tf.constant(ink), x, y - 100).numpy().any()


def test_strokes_become_thicker_and_thinner_on_black():
    images = rings()
    found = changed_ink(augmentation._restroke, images)
    widths = (found > 0.5).sum(axis=(1, 2, 3)) / (images[0] > 0.5).sum()
    assert widths.min() < 0.9
    assert widths.max() > 1.2
    assert found[:, :2].max() < 0.05
    same = (found == images).all(axis=(1, 2, 3)).mean()
    assert 0.2 < same < 0.4


def test_images_are_blurred_by_four_amounts_and_more_or_less_white(monkeypatch):
    found = changed_ink(augmentation._blur, rings())
    np.testing.assert_allclose(found.max(axis=(1, 2, 3)), 1, rtol=1e-6)
    white = (found > 0.999).sum(axis=(1, 2, 3))
    monkeypatch.setattr(augmentation, "SATURATION", (1.0, 1.0))
    plain = changed_ink(augmentation._blur, rings())
    assert len(np.unique(plain.reshape(300, -1).round(4), axis=0)) == 4
    assert (white >= (plain > 0.999).sum(axis=(1, 2, 3))).all()
    assert white.mean() > 1.2 * (plain > 0.999).sum(axis=(1, 2, 3)).mean()


def test_breaks_dim_a_band():
    images = rings()
    found = changed_ink(augmentation._break_strokes, images)
    broken = (found < images).any(axis=(1, 2, 3))
    assert 0.05 < broken.mean() < 0.15
    assert (found <= images).all()
    assert (found[images > 0] > 0).all()


def test_rests_are_added_to_some_images():
    images = rings()
    added = changed_ink(augmentation._add_remnants, images) - images
    assert added.min() == 0
    assert 0.15 < (added > 0).any(axis=(1, 2, 3)).mean() < 0.35
    inside = (added[:, 7:21, 7:21] > 0).any(axis=(1, 2, 3)).mean()
    assert inside < 0.1, "only specks"
