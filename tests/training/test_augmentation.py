import numpy as np

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
