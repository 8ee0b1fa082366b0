"""Orientation of images: images of EMNIST and of MATLAB files are often transposed."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from skdigits.datasets.bundled import load_digits
from skdigits.typing import FoundPath

TURNED = "EMNIST's images are transposed; they were turned upright."
CLASSES = range(1, 10)  # 0 looks the same on its side, and some files label it 10
EACH = 5  # minimum number of images of a class for a reliable mean
ENOUGH = 6  # minimum number of classes
AT_MOST = 500  # images of a class that are averaged
SIDE = 8  # pixels of the compared means, as of the bundled digits
ALIKE = 0.4  # minimum mean correlation with digits on their side
CLEAR = 0.3  # minimum excess over the mean correlation with upright digits


def is_emnist(file: FoundPath) -> bool:
    """Return True if the name of a file begins with ``emnist``; EMNIST stores images by columns."""
    return file.name.lower().startswith("emnist")


def turn_upright(images: np.ndarray) -> np.ndarray:
    """Exchange rows and columns of images (n, height, width) in a copy."""
    return np.ascontiguousarray(images.transpose(0, 2, 1))


def check_upright(images: np.ndarray, target: np.ndarray | None, where: Any) -> None:
    """Warn if digits are transposed, that is, if rows and columns are exchanged.

    The mean image of each class is correlated with the mean of scikit-learn's bundled digits of
    that class, and with the transposed mean. Only square images with integer labels from 0 to 10
    are checked. `where` names the file in the message.
    """
    n_pixels = math.prod(images.shape[1:])
    side = math.isqrt(n_pixels)
    is_square = side * side == n_pixels and images.shape[1] in (side, n_pixels)
    if target is None or not is_square or side < SIDE or target.dtype.kind not in "iu":
        return
    means = _means(images.reshape(-1, side, side), target)
    if len(means) < ENOUGH or target.min() < 0 or target.max() > 10:
        return
    bundled = load_digits()
    models = _means(bundled.images, bundled.target)
    upright = np.array([_correlation(mean, models[label]) for label, mean in means.items()])
    lying = np.array([_correlation(mean, models[label].T) for label, mean in means.items()])
    if (lying > upright).mean() > 0.7 and lying.mean() > max(ALIKE, upright.mean() + CLEAR):
        warnings.warn(
            f"{where}: the digits seem to be transposed: rows and columns are exchanged. "
            f"Turn them upright: X.reshape(-1, {side}, {side}).transpose(0, 2, 1).",
            stacklevel=5,
        )


def _means(images: np.ndarray, target: np.ndarray) -> dict[int, np.ndarray]:
    """Return the mean image, 8×8 floats, of each class with enough images."""
    chosen = {label: np.flatnonzero(target == label)[:AT_MOST] for label in CLASSES}
    return {
        label: _reduced(images[some].mean(axis=0))
        for label, some in chosen.items()
        if len(some) >= EACH
    }


def _reduced(image: np.ndarray) -> np.ndarray:
    """Crop an image to its ink, and resize it to 8×8; black on white becomes white on black."""
    from PIL import Image

    if image[[0, -1]].mean() > 127:
        image = 255 - image
    picture = Image.fromarray(image.astype(np.float32))
    box = Image.fromarray(image > image.max() / 5).getbbox()
    if box is None:
        return np.zeros((SIDE, SIDE))
    return np.asarray(picture.crop(box).resize((SIDE, SIDE), Image.Resampling.BOX), float)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float((a * b).sum() / size) if size else 0.0
