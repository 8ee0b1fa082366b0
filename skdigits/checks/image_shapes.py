"""Checks of the shapes of images."""

from __future__ import annotations

import math
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from skdigits.typing import Estimator, ImageShape


def check_no_files(X: object) -> None:
    """Reject pictures and files where arrays of pixels are expected.

    A ValueError is raised if `X` is a file, a file name, the content of a file, a Pillow image, or
    a list of these.
    """
    first = X[0] if isinstance(X, (list, tuple)) and X else X
    if isinstance(X, np.ndarray) and X.ndim == 1 and len(X):
        first = X[0]
    is_file = isinstance(first, (str, bytes, os.PathLike)) or hasattr(first, "read")
    if is_file or hasattr(X, "getexif"):
        raise ValueError(
            f"X should be an array of pixels; got a picture or a file ({type(first).__name__}). "
            "Pass one picture to skdigits.read(picture); in a Pipeline, convert pictures and files "
            "with PictureCleaner()."
        )


def split_images(X: Any) -> tuple[Any, tuple[int, int, int] | None]:
    """Flatten images to rows.

    Parameters
    ----------
    X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
        Rows or images.

    Returns
    -------
    rows : array-like of shape (n, n_features)
        Rows of pixels. `X` with at most two dimensions is returned unchanged; otherwise, the
        rows are a view of `X` if possible.
    image_shape : tuple of int or None
        Height, width and channels; None if `X` contains rows.

    Raises
    ------
    ValueError
        If `X` has more than four dimensions, or consists of pictures or file names.
    """
    check_no_files(X)
    if not hasattr(X, "ndim"):
        X = np.asarray(X)
    if X.ndim <= 2:
        return X, None
    X = np.asarray(X)
    if X.ndim > 4:
        raise ValueError(
            f"Found array with dim {X.ndim}; expected rows (n, n_features), images "
            "(n, height, width) or images (n, height, width, channels)."
        )
    height, width, *channels = X.shape[1:]
    shape = (height, width, *(channels or [1]))
    return X.reshape(len(X), math.prod(shape)), shape


def infer_image_shape(
    n_features: int, seen: tuple[int, int, int] | None = None, requested: ImageShape | None = None
) -> tuple[int, int, int]:
    """Determine the height, width and channels of images.

    Parameters
    ----------
    n_features : int
        Number of pixels per row.
    seen : tuple of int, optional
        Height, width and channels if the input was images; None for rows.
    requested : tuple of int, optional
        The parameter ``image_shape``: height, width and optionally channels.

    Returns
    -------
    tuple of int
        Height, width and channels: `requested` if given, otherwise `seen` if given. Without
        either, a square with one channel; its side is the square root of `n_features`, rounded up.

    Raises
    ------
    ValueError
        If `requested` is not two or three positive whole numbers, or does not match the images or
        rows.
    """
    if requested is None:
        if seen is not None:
            return seen
        side = math.isqrt(n_features - 1) + 1
        return side, side, 1
    shape = check_image_shape(requested)
    if math.prod(shape) != n_features or seen not in (None, shape):
        given = f"images of shape {seen}" if seen else f"rows of {n_features} pixels"
        raise ValueError(
            f"image_shape={requested!r} means images of shape {shape} with {math.prod(shape)} "
            f"values; X has {given}."
        )
    return shape


def check_image_shape(requested: ImageShape) -> tuple[int, int, int]:
    """Return the parameter ``image_shape`` as height, width and channels.

    If it is not two or three positive whole numbers, a ValueError is raised.
    """
    numbers = np.asarray(requested)
    if numbers.shape not in ((2,), (3,)) or numbers.dtype.kind not in "iu" or (numbers < 1).any():
        raise ValueError(
            "image_shape should be (height, width) or (height, width, channels), all positive "
            f"whole numbers; got {requested!r:.60}."
        )
    height, width, *channels = numbers.tolist()
    return height, width, channels[0] if channels else 1


def warn_if_padded(n_features: int, image_shape: tuple[int, int, int]) -> None:
    """Warn if flat rows are padded with zeros to make square images.

    `n_features` is the number of pixels per row; `image_shape` is the shape of the padded images.
    """
    height, width, _ = image_shape
    if math.prod(image_shape) != n_features:
        warnings.warn(
            f"Rows of {n_features} pixels are not square images; they are padded with zeros to "
            f"{height}×{width}. If the images are not square, set image_shape=(height, width).",
            stacklevel=3,
        )


def check_not_one_image(X: Any, image_shape: tuple[int, int, int], n_features: int) -> None:
    """Raise a ValueError if `X` is one image rather than an array of images.

    `image_shape` and `n_features` are the shape and number of pixels of the images seen in fit.
    """
    shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    if shape in (image_shape, image_shape[:2]) and math.prod(shape[1:]) != n_features:
        raise ValueError(
            f"X has shape {shape}: it is one image, without an axis for samples. Expected an "
            "array of images; pass X[np.newaxis]."
        )


def check_same_shape(estimator: Estimator, image_shape: tuple[int, int, int] | None) -> None:
    """Raise a ValueError if the shape of images differs from ``estimator.image_shape_``.

    `image_shape` is height, width and channels; None means rows, which always pass.
    """
    if image_shape not in (None, estimator.image_shape_):
        raise ValueError(
            f"X holds images of shape {image_shape}, but {type(estimator).__name__} was fitted "
            f"on images of shape {estimator.image_shape_}."
        )
