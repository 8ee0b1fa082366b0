"""LIBSVM's files: mnist, mnist.scale, usps."""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.contents import Samples, make_samples
from skdigits.datasets.unpacking import open_unpacked

if TYPE_CHECKING:
    from skdigits.typing import StrPath

SIDES = (8, 16, 20, 28, 32)  # of the images that sets of digits have
TOO_MANY = 4  # features more than a square, which are no pixels
OFF_CENTRE = 0.6  # pixels from the middle, measured by the vertical one, that digits never are
ENOUGH = 100  # images whose mean centre is sure enough
SHIFTED = 0.7  # the same, to the right, for files with a column too many
SURE = 1000  # images, for that


def load_libsvm(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a file in LIBSVM's format: ``label index:value index:value …``.

    =================   ==============
    Values                0–255, or floats 0–1 or -1–1, which become 0–255
    Source              e.g. LIBSVM "mnist" (60,000 images of 28×28), "usps" (7,291 of 16×16)
    =================   ==============

    Values of 0 are not written; so the last pixels of all images may be missing, and the size of
    the images is the smallest of 8×8, 16×16, 20×20, 28×28 and 32×32 that contains all pixels.
    Pixels are numbered from 1; from 0 if the file has an index of 0, or if the digits would be off
    the middle by a pixel otherwise (as files from scikit-learn's ``dump_svmlight_file`` are).

    Parameters
    ----------
    path : str or path-like
        The file, packed with gzip or bzip2 or not.
    subset : {"train", "test"}, default="train"
        All images are returned for both.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, n_pixels), uint8; ``target`` of shape (n,), integers; ``images``,
        ``feature_names``, ``target_names``, ``frame``, ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file has another format or is damaged, or its features are not those of an image.

    Warns
    -----
    UserWarning
        If the numbering of the pixels or the size of the images is uncertain, digits lie on their
        side, or 10 is a label and 0 is not.
    """
    return _read(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def iter_libsvm(
    path: StrPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_libsvm`, and divide them.

    Parameters
    ----------
    path : str or path-like
        As for `load_libsvm`.
    subset : {"train", "test"}, default="train"
        All images are returned for both.
    chunk_size : int, default=8192
        Maximum number of images in a chunk.
    lines : bool, default=False
        Whether to return labels as strings.

    Returns
    -------
    iterator of Chunk
        Images and labels.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `load_libsvm`; raised at once.
    """
    return _read(path, subset).chunks(chunk_size, lines)


def _read(path: StrPath, subset: str) -> Samples:
    check_subset(subset)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    table, labels, first = _read_table(path)
    side = _side(table.shape[1] - first, path)
    first = _find_first(table, first, side, path)
    table = table[:, first:]
    table.resize(table.shape[0], side * side)
    return make_samples(table.toarray(), labels, str(path), subset=subset)


def _read_table(path: Path) -> tuple[Any, np.ndarray, int]:
    """Sparse table with a column per index from 0, labels, and the number of the first pixel."""
    from sklearn.datasets import load_svmlight_file

    try:
        with open_unpacked(path) as file:
            table, labels = load_svmlight_file(file, dtype=np.float32, zero_based=True)
    except (ValueError, OverflowError, EOFError, OSError, zlib.error, MemoryError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(f"{path}: not a LIBSVM file, or damaged ({reason}).") from error
    if not table.nnz:
        raise ValueError(f"{path}: the file has no values; expected 'label index:value …'.")
    return table, labels, 1 if table.indices.min() > 0 else 0


def _side(n_features: int, path: Path) -> int:
    """Side of the images: the smallest usual one that is large enough."""
    fitting = [side for side in SIDES if side * side >= n_features]
    side = fitting[0] if fitting else math.isqrt(n_features)
    below = math.isqrt(n_features)
    if below in SIDES and 0 < n_features - below**2 <= TOO_MANY:
        raise ValueError(
            f"{path}: {n_features} features are {n_features - below**2} more than the "
            f"{below**2} pixels of {below}×{below}; expected pixels only."
        )
    if side * side < n_features:
        raise ValueError(f"{path}: {n_features} features; expected the pixels of square images.")
    if side * side - n_features > 2 * side:
        warnings.warn(
            f"{path}: the last pixel is {n_features}; the images are read as {side}×{side}.",
            UserWarning,
            stacklevel=4,
        )
    return side


def _find_first(table: Any, first: int, side: int, path: Path) -> int:
    """Find the number of the first pixel: 0 where from 1 digits are not in the middle."""
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
            f"{path}: all digits are shifted to the right by a pixel; the first feature seems to "
            "be no pixel, perhaps the label or an empty column. Write the file without it."
        )
    if not OFF_CENTRE < down - across < 1 + OFF_CENTRE:
        return first
    warnings.warn(
        f"{path}: the pixels seem to be numbered from 0, although LIBSVM counts from 1; they are "
        "read so, otherwise all digits would be shifted by one pixel.",
        UserWarning,
        stacklevel=4,
    )
    return 0
