"""ImageReshaper, between flat rows of pixels and images, and the cleaning of pictures."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_array, check_is_fitted, validate_data


def split_images(X) -> tuple[Any, tuple[int, int, int] | None]:
    """Flatten images to rows.

    Parameters
    ----------
    X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, channels)
        Rows or images.

    Returns
    -------
    rows : array-like of shape (n, n_features)
        `X` itself where it has no more than two dimensions, else a view if possible.
    image_shape : tuple of int or None
        Height, width and channels; None for rows.

    Raises
    ------
    ValueError
        If `X` has more than four dimensions.
    """
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


def infer_image_shape(n_features, seen=None, asked=None) -> tuple[int, int, int]:
    """Find the shape of images in rows of pixels.

    Parameters
    ----------
    n_features : int
        Numbers per row.
    seen : tuple of int, optional
        Shape that the images came in.
    asked : tuple of int, optional
        Height, width and optionally channels that the user gave.

    Returns
    -------
    tuple of int
        Height, width and channels: `asked`, else `seen`, else one channel and a side of the
        ceiling of the square root of `n_features`.

    Raises
    ------
    ValueError
        If `asked` is not two or three positive whole numbers, or does not fit.
    """
    if asked is None:
        if seen is not None:
            return seen
        side = math.isqrt(n_features - 1) + 1
        return side, side, 1
    numbers = np.asarray(asked)
    if numbers.shape not in ((2,), (3,)) or numbers.dtype.kind not in "iu" or (numbers < 1).any():
        raise ValueError(
            "image_shape should be (height, width) or (height, width, channels), all positive "
            f"whole numbers; got {asked!r}."
        )
    height, width, *channels = numbers.tolist()
    shape = (height, width, *(channels or [1]))
    if math.prod(shape) != n_features or seen not in (None, shape):
        given = f"images of shape {seen}" if seen else f"rows of {n_features} pixels"
        raise ValueError(
            f"image_shape={asked!r} means {math.prod(shape)} numbers per image; X has {given}."
        )
    return shape


class ImageReshaper(TransformerMixin, BaseEstimator):
    """Reshape flat rows of pixels to images, or images to flat rows.

    It takes both and gives what is asked for, so that one Pipeline serves convolutional
    networks (``output="image"``) and scikit-learn's other classifiers (``output="flat"``).

    Parameters
    ----------
    output : {"image", "flat"}, default="image"
        ``"image"`` gives arrays of shape (n, height, width, channels), ``"flat"`` arrays of
        shape (n, height * width * channels).
    image_shape : tuple of int, default=None
        Height, width and optionally channels of the images in flat rows. None takes a square
        with one channel, whose side is the ceiling of the square root of the number of
        features, padded with zeros.

    Attributes
    ----------
    image_shape_ : tuple of int
        Height, width and channels.
    n_features_in_ : int
        Numbers per image before padding.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if fitted on a DataFrame.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits import ImageReshaper
    >>> rows = np.zeros((5, 784), dtype=np.uint8)
    >>> ImageReshaper().fit_transform(rows).shape
    (5, 28, 28, 1)
    >>> ImageReshaper(output="flat").fit_transform(rows.reshape(5, 28, 28)).shape
    (5, 784)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "output": [StrOptions({"image", "flat"})],
        "image_shape": ["array-like", None],
    }

    def __init__(self, output="image", *, image_shape=None):
        self.output = output
        self.image_shape = image_shape

    def fit(self, X, y=None):
        """Learn the shape of the images.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images.
        y : None
            Ignored.

        Returns
        -------
        self : ImageReshaper
            The fitted transformer.

        Raises
        ------
        ValueError
            If `image_shape` does not fit `X`.
        """
        self._validate_params()
        rows, seen = split_images(X)
        rows = validate_data(self, rows)
        self.image_shape_ = infer_image_shape(rows.shape[1], seen, self.image_shape)
        return self

    def transform(self, X):
        """Reshape; the dtype stays.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images of the size seen in fit.

        Returns
        -------
        ndarray of shape (n, height, width, channels) or (n, height * width * channels)
            Images, or rows; a view of `X` where that is possible.
        """
        check_is_fitted(self)
        rows, seen = split_images(X)
        rows = validate_data(self, rows, reset=False)
        if seen not in (None, self.image_shape_):
            raise ValueError(
                f"X holds images of shape {seen}, but {type(self).__name__} was fitted on images "
                f"of shape {self.image_shape_}."
            )
        missing = math.prod(self.image_shape_) - rows.shape[1]
        if missing:
            rows = np.pad(rows, [(0, 0), (0, missing)])
        return rows if self.output == "flat" else rows.reshape(-1, *self.image_shape_)

    def inverse_transform(self, X):
        """Undo `transform`: give flat rows without padding.

        Parameters
        ----------
        X : array-like of shape (n, height, width, channels) or (n, height * width * channels)
            What `transform` gave.

        Returns
        -------
        ndarray of shape (n, n_features_in_)
            Rows of pixels.

        Raises
        ------
        ValueError
            If `X` has another number of pixels.
        """
        check_is_fitted(self)
        rows, seen = split_images(X)
        rows = check_array(rows)
        if seen not in (None, self.image_shape_) or rows.shape[1] != math.prod(self.image_shape_):
            raise ValueError(
                f"X has {seen or rows.shape[1]} pixels per image; expected images of shape "
                f"{self.image_shape_}."
            )
        return rows[:, : self.n_features_in_]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "uint8"]
        return tags


def clean_picture(picture, *, side=28):
    """Bring a picture of one digit into MNIST's style.

    Transparency is laid on white, colour made grey, and the ink made bright on black, whichever
    was brighter before. The ink is cut out, scaled to fit 20 of 28 pixels and placed with its
    centre of mass in the middle, as MNIST was made (LeCun, Cortes and Burges, "The MNIST
    database of handwritten digits").

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width), (height, width, 3) or \
(height, width, 4)
        The picture, of any size. Arrays are taken as grey, RGB or RGBA in 0–255.
    side : int, default=28
        Side of the result, in pixels.

    Returns
    -------
    ndarray of shape (side, side), uint8
        Ink 255 on 0. A picture without contrast gives zeros.

    Raises
    ------
    ValueError
        If an array is no picture.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits.preprocessing import clean_picture
    >>> white_with_a_bar = np.full((40, 60), 255, dtype=np.uint8)
    >>> white_with_a_bar[10:30, 12:16] = 0
    >>> clean_picture(white_with_a_bar).max()
    np.uint8(255)
    """
    cut = _cut_out(_ink(picture))
    if cut is None:
        return np.zeros((side, side), np.uint8)
    small = _resized(cut, side * 20 / 28 / max(cut.shape))
    height, width = small.shape
    mass = small.sum()
    top = round((side - 1) / 2 - (small.sum(axis=1) @ np.arange(height)) / mass)
    left = round((side - 1) / 2 - (small.sum(axis=0) @ np.arange(width)) / mass)
    top, left = np.clip(top, 0, side - height), np.clip(left, 0, side - width)
    result = np.zeros((side, side), np.uint8)
    result[top : top + height, left : left + width] = np.rint(small * 255)
    return result


def clean_line(picture, *, height=28):
    """Bring a picture of a line of digits into MNIST's style.

    As `clean_picture` does, but the ink is scaled to be 20 of 28 pixels high, however wide it is
    then.

    Parameters
    ----------
    picture : PIL.Image.Image or array-like of shape (height, width), (height, width, 3) or \
(height, width, 4)
        The picture, of any size. Arrays are taken as grey, RGB or RGBA in 0–255.
    height : int, default=28
        Height of the result, in pixels.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Ink 255 on 0. A picture without contrast gives zeros.

    Raises
    ------
    ValueError
        If an array is no picture.
    """
    cut = _cut_out(_ink(picture))
    if cut is None:
        return np.zeros((height, height), np.uint8)
    small = _resized(cut, height * 20 / 28 / cut.shape[0])
    above = (height - small.shape[0]) // 2
    margins = [(above, height - small.shape[0] - above), (above, above)]
    return np.pad(np.rint(small * 255).astype(np.uint8), margins)


def _cut_out(ink):
    """The part of a picture that has ink; None where there is none."""
    rows, columns = np.nonzero(ink > 0.2)
    if not len(rows):
        return None
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _resized(ink, scale):
    """Ink of another size, from 0 to 1."""
    from PIL import Image

    height, width = (max(1, round(n * scale)) for n in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    small = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    return np.clip(small / small.max(), 0, 1)


def _with_bytes(picture):
    """A picture whose grey has 16 bits or more, with 8; Pillow would clip it."""
    from PIL import Image

    if picture.mode[0] not in "IF":
        return picture
    grey = np.asarray(picture, float)
    largest = next((n for n in (1, 255, 65535) if grey.max() <= n), grey.max())
    return Image.fromarray((grey.clip(0) * (255 / largest)).astype(np.uint8))


def _ink(picture):
    """Darkness or brightness against the background, in 0–1; zeros without contrast."""
    from PIL import Image, ImageOps

    if not isinstance(picture, Image.Image):
        pixels = np.asarray(picture)
        depth = pixels.shape[2:]
        if pixels.ndim not in (2, 3) or depth not in ((), (3,), (4,)) or not pixels.size:
            raise ValueError(
                "picture should be an array of shape (height, width), (height, width, 3) or "
                f"(height, width, 4); got {pixels.shape}."
            )
        if pixels.dtype.kind not in "iuf" or not (pixels.min() >= 0 and pixels.max() <= 255):
            raise ValueError("picture should hold numbers from 0 to 255.")
        picture = Image.fromarray(pixels.astype(np.uint8))
    picture = _with_bytes(ImageOps.exif_transpose(picture)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    grey = np.asarray(Image.alpha_composite(white, picture).convert("L"), float)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    away = np.abs(grey - np.median(edge))
    # Less contrast than this is paper and light, not ink.
    return away / away.max() if away.max() > 32 else np.zeros_like(grey)
