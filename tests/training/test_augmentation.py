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
    added = augmentation.add_rests(tf.constant(black), seed).numpy()[:, 0] > 0
    assert 0.15 < added.any(axis=(1, 2)).mean() < 0.35  # a bar, a speck, or both
    assert added[:, 10:18, 10:18].mean() < 0.3 * added[:, [0, 1, 2, 25, 26, 27]].mean()
    white = np.ones((1000, 1, 28, 28), np.float32)
    broken = augmentation.break_strokes(tf.constant(white), seed).numpy()[:, 0] < 1
    assert broken.any(axis=(1, 2)).mean() == pytest.approx(0.1, abs=0.03)
    assert not broken[:, :5, :5].any()


def test_blank_images_stay_blank():
    assert not restyled(np.zeros((50, 28, 28, 1), np.float32)).any()
