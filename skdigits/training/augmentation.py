"""Augment images of single digits in the compiled epoch: `jitter`, and `restyle` for ``style``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skdigits.training.tensorflow import keras, tf

if TYPE_CHECKING:
    from skdigits.typing import Tensor


def augmented(images: Tensor, seed: Tensor, strength: float, *, restyles: bool) -> Tensor:
    """Change images at random.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        The images.
    seed : tensor of shape (2,), int
        Seed of the random changes.
    strength : float
        Strength of `jitter`; 0 means no jitter.
    restyles : bool
        Whether to apply `restyle`.

    Returns
    -------
    tensor of shape (n, height, width, channels)
        The changed images.
    """
    if strength:
        images = jitter(images, seed, strength)
    return restyle(images, seed) if restyles else images


def jitter(images: Tensor, seed: Tensor, strength: float = 1.0) -> Tensor:
    """Rotate by up to 5°, zoom by up to 5 % and shift by up to 4 % of the side, at random.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        The images.
    seed : tensor of shape (2,), int
        Seed of the random changes.
    strength : float, default=1.0
        Factor of the limits of all changes, in [0, 10].

    Returns
    -------
    tensor of shape (n, height, width, channels)
        The changed images.
    """
    n, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    limits = tf.constant([np.pi / 36, 0.05, 0.04 * width, 0.04 * height], tf.float32)
    draw = tf.random.stateless_uniform([n, 4], seed, -1.0, 1.0) * (strength * limits)
    angle, zoom, dx, dy = tf.unstack(draw, axis=1)
    cos, sin = tf.cos(angle) / (1 + zoom), tf.sin(angle) / (1 + zoom)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    zero = tf.zeros_like(angle)
    transform = tf.stack(
        [
            *(cos, -sin, cx - cos * cx + sin * cy + dx),
            *(sin, cos, cy - sin * cx - cos * cy + dy),
            *(zero, zero),
        ],
        axis=1,
    )
    return keras.ops.image.affine_transform(images, transform, data_format="channels_last")


# Limits of `restyle`. Lengths are pixels of a 28×28 image; for other images, they are scaled.
TURN = np.pi / 18  # radians
SHEAR, MOST_SHEAR = 0.2, 0.5  # standard deviation, and maximum
ASPECT = 0.15  # standard deviation of the logarithm of the aspect ratio
ZOOM = 0.12
SHIFT = 1.5
BEND = 1.2  # maximum standard deviation of the displacement
KNOTS = 5  # per side of the displacement field
RESTROKED = 0.7  # probability
STROKE_BLUR = 0.8
STROKE_LEVEL = (0.15, 0.6)  # ink that is mapped to STROKE_MIDDLE
STROKE_MIDDLE = 0.3
STROKE_GAIN = (1.5, 3.5)
# Thresholds and standard deviations. An image gets all blurs whose threshold is below its random
# number.
BLURS = ((0.45, 0.6), (0.7, 0.9), (0.85, 1.2))
SATURATION = (1.0, 1.5)  # gain after blurring, as `pictures` maps a fifth of the ink to white
BROKEN = 0.1  # probability
BREAK_WIDTH = (1, 2)
BREAK_INK = (0.2, 0.7)  # share of the ink that remains
BARRED = 0.12  # probability
BAR_WIDTH = (1, 2)
BAR_LENGTH = (6, 34)
BAR_MARGIN = 5  # maximum distance from a side of the image
SPECKED = 0.15  # probability
SPECK_SIZE = (0.8, 2.2)
REMNANT_INK = (0.3, 1)  # brightness of bars and specks
CONTRAST = (0.6, 1.1)
NOISE = 0.1


def restyle(images: Tensor, seed: Tensor) -> Tensor:
    """Change images as if other writers, pens and cameras had made them.

    Each image is warped, its strokes are made thicker or thinner, and it is blurred. Some images
    get broken strokes, bars like remnants of frames, specks, less contrast, or noise.

    Parameters
    ----------
    images : tensor of shape (n, height, width, channels)
        The images; ink is brighter than the background.
    seed : tensor of shape (2,), int
        Seed of the random changes.

    Returns
    -------
    tensor of shape (n, height, width, channels)
        The changed images. Each image keeps its range of values; blank images do not change.
    """
    darkest = tf.reduce_min(images, axis=[1, 2, 3], keepdims=True)
    span = tf.reduce_max(images, axis=[1, 2, 3], keepdims=True) - darkest
    ink = tf.cast(tf.math.divide_no_nan(images - darkest, span), tf.float32)
    ink = tf.transpose(ink, [0, 3, 1, 2])  # so that `_mixed` can multiply rows and columns
    changes = (_warp, _restroke, _blur, _break_strokes, _add_remnants, _expose)
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, len(changes)))
    for change, change_seed in zip(changes, seeds, strict=True):
        ink = change(ink, change_seed)
    return darkest + span * tf.cast(tf.transpose(ink, [0, 2, 3, 1]), images.dtype)


# Each of these steps takes and returns ink from 0 to 1, of shape (n, channels, height, width).


def _warp(ink: Tensor, seed: Tensor) -> Tensor:
    """Rotate, shear, stretch, zoom, shift and bend each image."""
    height, width = ink.shape[2:]
    angle, zoom, dx, dy, bend = _draw(
        seed, ink, (-TURN, TURN), (-ZOOM, ZOOM), *[(-SHIFT, SHIFT)] * 2, (0, BEND)
    )
    normal = tf.random.stateless_normal([tf.shape(ink)[0], 2 * KNOTS**2 + 2], seed + 1)
    shear, aspect = tf.unstack(normal[:, -2:, None, None, None], axis=1)
    shear = tf.clip_by_value(SHEAR * shear, -MOST_SHEAR, MOST_SHEAR)
    wide, high = (tf.exp(sign * ASPECT / 2 * aspect) / (1 + zoom) for sign in (-1, 1))
    cos, sin = tf.cos(angle), tf.sin(angle)
    knots = tf.reshape(normal[:, :-2], [-1, 2, KNOTS, KNOTS])
    field = _mixed(knots, _smooth(height).T, _smooth(width).T)  # displacement with a variance of 1
    x = np.arange(width, dtype=np.float32) - (width - 1) / 2
    y = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
    source_x = cos * wide * x + (cos * wide * shear - sin * high) * y
    source_y = sin * wide * x + (sin * wide * shear + cos * high) * y
    source_x += (width - 1) / 2 + width / 28 * (dx + bend * field[:, :1])
    source_y += (height - 1) / 2 + height / 28 * (dy + bend * field[:, 1:])
    return _sample(ink, source_x, source_y)


def _restroke(ink: Tensor, seed: Tensor) -> Tensor:
    """Make strokes thicker or thinner, and their edges softer or harder."""
    chance, level, gain = _draw(seed, ink, (0, 1), STROKE_LEVEL, STROKE_GAIN)
    blurred = _blurred(ink, STROKE_BLUR)
    # Without ink, the result is not positive, so that the background stays black.
    drawn = (blurred - level) * gain + tf.minimum(STROKE_MIDDLE, level * gain)
    return tf.where(chance < RESTROKED, _brightened(tf.clip_by_value(drawn, 0, 1)), ink)


def _blur(ink: Tensor, seed: Tensor) -> Tensor:
    """Blur some images, as in pictures with low resolution."""
    chance, gain = _draw(seed, ink, (0, 1), SATURATION)
    for start, sigma in BLURS:
        ink = tf.where(chance > start, _blurred(ink, sigma), ink)
    return tf.minimum(gain * _brightened(ink), 1.0)


def _break_strokes(ink: Tensor, seed: Tensor) -> Tensor:
    """Darken a horizontal or vertical band in some images."""
    chance, position, width, left = _draw(seed, ink, (0, 1), (7, 21), BREAK_WIDTH, BREAK_INK)
    across = chance < BROKEN / 2
    box = _box(ink, (position, position), _either(across, width, 2 * 28.0))
    return ink * (1 - box * tf.where(chance < BROKEN, 1 - left, 0))


def _add_remnants(ink: Tensor, seed: Tensor) -> Tensor:
    """Add bars near a side, like remnants of frames, and specks to some images."""
    chance, side, margin, along, length, width, bright = _draw(
        seed, ink, (0, 1), (0, 1), (0, BAR_MARGIN), (4, 24), BAR_LENGTH, BAR_WIDTH, REMNANT_INK
    )
    across = chance < BARRED / 2
    margin = tf.where(side < 0.5, margin, 28 - margin)
    bar = _box(ink, _either(across, margin, along), _either(across, width, length))
    ink = tf.maximum(ink, bar * tf.where(chance < BARRED, bright, 0))
    chance, x, y, width, height, bright = _draw(
        seed + 1, ink, (0, 1), *[(1, 27)] * 2, *[SPECK_SIZE] * 2, REMNANT_INK
    )
    speck = _box(ink, (y, x), (height, width))
    return tf.maximum(ink, speck * tf.where(chance < SPECKED, bright, 0))


def _expose(ink: Tensor, seed: Tensor) -> Tensor:
    """Change the contrast, and add noise."""
    contrast, amplitude = _draw(seed, ink, CONTRAST, (0, NOISE))
    noise = tf.random.stateless_uniform(tf.shape(ink), seed + 1, -1.0, 1.0)
    return tf.clip_by_value(contrast * ink + amplitude * noise, 0.0, 1.0)


def _draw(seed: Tensor, ink: Tensor, *ranges: tuple[float, float]) -> list[Tensor]:
    """Draw a number per image from each range, in shapes that broadcast to the images."""
    low, high = np.array(ranges, np.float32).T[..., None, None, None, None]
    shape = [len(ranges), tf.shape(ink)[0], 1, 1, 1]
    return tf.unstack(low + (high - low) * tf.random.stateless_uniform(shape, seed))


def _either(across: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return (first, second) where `across` is true, else (second, first)."""
    return tf.where(across, first, second), tf.where(across, second, first)


def _box(ink: Tensor, centre: tuple[Tensor, Tensor], size: tuple[Tensor, Tensor]) -> Tensor:
    """Make images of boxes with soft edges, with values from 0 to 1.

    `centre` and `size` are in pixels of a 28×28 image.
    """
    profiles = []
    for side, middle, length in zip(ink.shape[2:], centre, size, strict=True):
        scale = side / 28
        distance = tf.abs(np.arange(0.5, side, dtype=np.float32) - scale * middle)
        inside = scale * length / 2 - distance + 0.5
        profiles.append(tf.maximum(tf.minimum(inside, tf.minimum(1.0, scale * length)), 0))
    return tf.linalg.matrix_transpose(profiles[0]) * profiles[1]


def _brightened(ink: Tensor) -> Tensor:
    """Scale ink so that its maximum is 1, as `pictures.normalization.centre` does."""
    return tf.math.divide_no_nan(ink, tf.reduce_max(ink, axis=[1, 2, 3], keepdims=True))


def _blurred(ink: Tensor, sigma: float) -> Tensor:
    """Blur ink with a Gaussian; `sigma` is in pixels of a 28×28 image."""
    return _mixed(ink, *(_gaussian(side, sigma) for side in ink.shape[2:]))


def _mixed(maps: Tensor, rows: np.ndarray, columns: np.ndarray) -> Tensor:
    """Multiply rows and columns of maps of shape (n, channels, height, width) by matrices.

    The operator @ is not used, because TensorFlow 2.21 crashes with it on some shapes.
    """
    maps = tf.transpose(tf.tensordot(maps, columns, 1), [0, 1, 3, 2])
    return tf.transpose(tf.tensordot(maps, rows, 1), [0, 1, 3, 2])


def _gaussian(side: int, sigma: float) -> np.ndarray:
    """Make the matrix that blurs columns of `side` pixels."""
    positions = np.arange(side)
    distance = (positions - positions[:, None]) / max(sigma * side / 28, 1e-3)
    weights = np.exp(-(distance**2) / 2)
    return (weights / weights.sum(axis=0).max()).astype(np.float32)


def _smooth(side: int) -> np.ndarray:
    """Make the matrix that interpolates random knots to smooth columns.

    If the knots have equal variance, all positions of a column have this variance.
    """
    distance = np.linspace(0, KNOTS - 1, side)[:, None] - np.arange(KNOTS)
    weights = np.exp(-(distance**2) / (2 * 0.6**2))
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def _sample(ink: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample ink at positions of shape (n, 1, height, width); ink outside the image is 0."""
    n, (channels, height, width) = tf.shape(ink)[0], ink.shape[1:]
    x, y = tf.clip_by_value(x + 1, 0.0, width + 1.0), tf.clip_by_value(y + 1, 0.0, height + 1.0)
    left, top = tf.minimum(tf.floor(x), width), tf.minimum(tf.floor(y), height)
    right, below = x - left, y - top
    padded = tf.pad(ink, [[0, 0], [0, 0], [1, 1], [1, 1]])
    row = width + 2
    planes = tf.reshape(tf.range(n * channels) * ((height + 2) * row), [n, channels, 1, 1])
    index = planes + tf.cast(top * row + left, tf.int32)
    pixels = tf.reshape(padded, [-1])  # faster than four-dimensional indices
    a, b, c, d = (tf.gather(pixels, index + step) for step in (0, 1, row, row + 1))
    upper, lower = a + right * (b - a), c + right * (d - c)
    return upper + below * (lower - upper)
