"""LIBSVM files, such as mnist, mnist.scale and usps; scikit-learn parses them."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from skdigits.datasets.bunch import LoadedImages
from skdigits.datasets.contents import make_samples
from skdigits.datasets.input_files import existing, opened
from skdigits.typing import StrPath

SIDES = (8, 16, 20, 28, 32)  # usual sides of images of digits
TOO_MANY = 4  # features; up to 4 more than the pixels of a square are no pixels
OFF_CENTRE = 0.6  # pixels; the vertical and horizontal centres of digits never differ by more
ENOUGH = 100  # minimum number of images for a reliable mean centre
SHIFTED = 0.7  # pixels; a larger shift to the right is due to an extra column
SURE = 1000  # minimum number of images to conclude that there is an extra column


def load_libsvm(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a file in LIBSVM's format: ``label index:value index:value …``.

    Values are 0–255, or floats 0–1 or -1–1, which become 0–255. Files omit zeros, so that the last
    pixels may be missing in all images. Therefore the size of the images is the smallest of 8×8,
    16×16, 20×20, 28×28 and 32×32 that contains all pixels. Pixels are numbered from 1, or from 0 if
    the file has an index 0. They are also numbered from 0 if the digits would otherwise be shifted
    by a pixel, as in some files of scikit-learn's ``dump_svmlight_file``.

    Parameters
    ----------
    path : str or path-like
        The file, which can be packed with gzip or bzip2.
    subset, as_frame, return_X_y
        As for `load_data`; all images are returned for both subsets.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`, which also lists the errors and warnings.

    Warns
    -----
    UserWarning
        If the numbering of the pixels or the size of the images is uncertain.
    """
    return read_libsvm(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_libsvm(path: StrPath, subset: str) -> LoadedImages:
    """Read the samples of `load_libsvm`."""
    from sklearn.datasets import load_svmlight_file

    path = existing(path, subset)
    with opened(path, "not a LIBSVM file, or damaged") as file:
        table, labels = load_svmlight_file(file, dtype=np.float32, zero_based=True)
        if not table.nnz:
            raise ValueError("the file has no values; expected 'label index:value …'")
    first = int(table.indices.min() > 0)  # the table has a column for each index from 0
    side = _side(table.shape[1] - first, path)
    first = _find_first(table, first, side, path)
    table = table[:, first:]
    table.resize(table.shape[0], side * side)
    return make_samples(table.toarray(), labels, path, subset=subset)


def _side(n_features: int, path: Any) -> int:
    """Return the side of the images, the smallest usual side that is large enough."""
    below = math.isqrt(n_features)
    if below in SIDES and 0 < n_features - below**2 <= TOO_MANY:
        raise ValueError(
            f"{path}: there are {n_features} features, {n_features - below**2} more than "
            f"{below}×{below} pixels; expected only pixels."
        )
    side = next((side for side in SIDES if side * side >= n_features), below)
    if side * side < n_features:
        raise ValueError(
            f"{path}: there are {n_features} features; expected pixels of square images."
        )
    if side * side - n_features > 2 * side:
        warnings.warn(
            f"{path}: the last pixel has the number {n_features}; the images are read as "
            f"{side}×{side}.",
            stacklevel=4,
        )
    return side


def _find_first(table: Any, first: int, side: int, path: Any) -> int:
    """Return the number of the first pixel: 0 if numbers from 1 would shift all digits."""
    n, n_columns = table.shape
    if first == 0 or n < ENOUGH or n_columns > side * side:
        return first
    ink = np.asarray(table.sum(axis=0)).ravel()
    ink = (ink - ink.min())[first:]
    if not ink.any():
        return first
    pixels = np.arange(len(ink))
    across, down = (np.average(n, weights=ink) for n in (pixels % side, pixels // side))
    if n >= SURE and down - across < -SHIFTED:
        raise ValueError(
            f"{path}: all digits are shifted to the right by a pixel. Probably the first feature "
            "is the label or an empty column, not a pixel; write the file without it."
        )
    if not OFF_CENTRE < down - across < 1 + OFF_CENTRE:
        return first
    warnings.warn(
        f"{path}: the pixels are read as numbered from 0, although LIBSVM counts from 1, because "
        "numbers from 1 would shift all digits by a pixel.",
        stacklevel=4,
    )
    return 0
