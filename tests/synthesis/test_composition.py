import numpy as np

from skdigits.synthesis.composition import DigitSource, Style

IMAGES = np.zeros((10, 6, 4), np.uint8)
IMAGES[:, 1:5, 1:3] = np.arange(10, 110, 10)[:, None, None]
LABELS = np.arange(10)


def test_weights_draw_like_copies_in_any_order():
    rng = np.random.RandomState(0)
    weights = rng.randint(0, 4, 10)
    copies = np.repeat(np.arange(10), weights)
    rng.shuffle(copies)
    style = Style((1, 3), 0)
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
