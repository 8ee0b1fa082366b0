"""Transformers for rows of pixels, images and pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from skdigits.checks.image_shapes import (
    check_not_one_image,
    check_same_shape,
    infer_image_shape,
    split_images,
    warn_if_padded,
)
from skdigits.pictures import clean_line, clean_picture, open_picture
from skdigits.sklearn_compat import (
    BaseEstimator,
    Interval,
    StrOptions,
    TransformerMixin,
    available_if,
    validate_parameters,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import ImageShape, PictureLike

__all__ = ["ImageReshaper", "PictureCleaner", "clean_line", "clean_picture"]


def _gives_rows(reshaper: ImageReshaper) -> bool:
    return reshaper.output == "flat"


class ImageReshaper(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Reshape flat rows of pixels to images, or images to flat rows.

    The input can be images or rows. A Pipeline can therefore end in a convolutional network
    (``output="image"``) or in any other scikit-learn classifier (``output="flat"``).

    Parameters
    ----------
    output : {"image", "flat"}, default="image"
        ``"image"`` returns arrays of shape (n, height, width, channels), ``"flat"`` arrays of
        shape (n, height * width * channels).
    image_shape : tuple of int, default=None
        Height, width and optionally channels of the images in flat rows. None means square images
        with one channel. Their side is the square root of the number of features, rounded up; if
        necessary, rows are padded with zeros.

    Attributes
    ----------
    image_shape_ : tuple of int
        Height, width and channels.
    n_features_in_ : int
        Number of pixel values per image before padding.
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

    image_shape_: tuple[int, int, int]
    n_features_in_: int

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "output": [StrOptions({"image", "flat"})],
        "image_shape": ["array-like", None],
    }

    def __init__(
        self, output: Literal["image", "flat"] = "image", *, image_shape: ImageShape | None = None
    ) -> None:
        self.output = output
        self.image_shape = image_shape

    def fit(self, X: ArrayLike, y: object = None) -> Self:
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
            If `X` or `image_shape` is not valid, or `image_shape` does not match `X`.
        """
        validate_parameters(self)
        rows, seen = split_images(X)
        rows = validate_data(self, rows)
        self.image_shape_ = infer_image_shape(rows.shape[1], seen, self.image_shape)
        warn_if_padded(rows.shape[1], self.image_shape_)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Reshape rows or images, without changing their dtype.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or \
(n, height, width, channels)
            Rows or images with the shape seen in fit.

        Returns
        -------
        ndarray of shape (n, height, width, channels) or (n, height * width * channels)
            Images or rows; a view of `X` if possible.
        """
        check_is_fitted(self)
        check_not_one_image(X, self.image_shape_, self.n_features_in_)
        rows, seen = split_images(X)
        rows = validate_data(self, rows, reset=False)
        check_same_shape(self, seen)
        missing = math.prod(self.image_shape_) - rows.shape[1]
        if missing:
            rows = np.pad(rows, [(0, 0), (0, missing)])
        return rows if self.output == "flat" else rows.reshape(-1, *self.image_shape_)

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Reverse `transform`: return flat rows of pixels without padding.

        Parameters
        ----------
        X : array-like of shape (n, height, width, channels) or (n, height * width * channels)
            Result of `transform`.

        Returns
        -------
        ndarray of shape (n, n_features_in_)
            Rows of pixels.

        Raises
        ------
        ValueError
            If the images do not have the shape `image_shape_`.
        """
        check_is_fitted(self)
        rows, seen = split_images(X)
        rows = check_array(rows)
        if seen not in (None, self.image_shape_) or rows.shape[1] != math.prod(self.image_shape_):
            given = f"images of shape {seen}" if seen else f"{rows.shape[1]} pixels per image"
            raise ValueError(f"X has {given}; expected images of shape {self.image_shape_}.")
        return rows[:, : self.n_features_in_]

    @available_if(_gives_rows)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns of flat rows.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the input features; None means `feature_names_in_` if available, otherwise
            ``x0``, ``x1``, …

        Returns
        -------
        ndarray of str
            The names, followed by ``padding0``, ``padding1``, … for padded zeros.
        """
        names = super().get_feature_names_out(input_features)
        missing = math.prod(self.image_shape_) - len(names)
        return np.array([*names, *(f"padding{i}" for i in range(missing))], dtype=object)

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Set the container type of flat rows; images are always NumPy arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            As in scikit-learn's transformers.

        Returns
        -------
        self : ImageReshaper
            The transformer.
        """
        return super().set_output(transform=transform) if _gives_rows(self) else self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "uint8"]
        return tags


class PictureCleaner(TransformerMixin, BaseEstimator):
    """Convert photographs and scans of digits or lines to images in MNIST's style.

    Use it as the first step of a Pipeline that takes pictures. It is stateless: each picture is
    cleaned independently of the others.

    Parameters
    ----------
    output : {"digit", "line"}, default="digit"
        ``"digit"`` calls `clean_picture` for pictures of one digit; ``"line"`` calls `clean_line`
        for pictures of a line of digits.
    height : int, default=28
        Height of the images in pixels; images of single digits have the same width.

    See Also
    --------
    skdigits.pictures.clean_picture : How a picture of a digit is cleaned.
    skdigits.pictures.clean_line : How a picture of a line is cleaned.

    Examples
    --------
    >>> import numpy as np
    >>> from skdigits import PictureCleaner
    >>> photographs = [np.full((60, 40), 200, dtype=np.uint8) for _ in range(2)]
    >>> for photograph in photographs:
    ...     photograph[15:45, 18:24] = 40
    >>> PictureCleaner().fit_transform(photographs).shape
    (2, 28, 28)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "output": [StrOptions({"digit", "line"})],
        "height": [Interval(Integral, 8, None, closed="left")],
    }

    def __init__(self, output: Literal["digit", "line"] = "digit", *, height: int = 28) -> None:
        self.output = output
        self.height = height

    def fit(self, X: object, y: object = None) -> Self:
        """Check the parameters; the transformer is stateless.

        Parameters
        ----------
        X : sequence of pictures
            Ignored.
        y : None
            Ignored.

        Returns
        -------
        self : PictureCleaner
            The transformer.
        """
        validate_parameters(self)
        return self

    def transform(self, X: Sequence[PictureLike] | np.ndarray) -> Any:
        """Clean pictures.

        Parameters
        ----------
        X : sequence of str, path-like, PIL.Image.Image or array-like
            Picture files, or pictures that `skdigits.pictures.clean_picture` accepts. Their sizes,
            dtypes and numbers of channels may differ.

        Returns
        -------
        ndarray of shape (n, height, height) or list of ndarray of shape (height, width), uint8
            Images of digits or lines. A picture without ink gives an image of zeros.

        Raises
        ------
        ValueError
            If an element is not a picture; the message gives its index.
        ImportError
            If a picture is a HEIC file and pillow-heif is not installed.
        """
        validate_parameters(self)
        if isinstance(X, (str, bytes, os.PathLike)) or not hasattr(X, "__len__"):
            raise ValueError(
                f"X should be a list of pictures or picture files; got {type(X).__name__}."
            )
        if not len(X):
            raise ValueError("X holds no picture; expected at least one.")
        images = [self._clean(picture, i) for i, picture in enumerate(X)]
        return np.stack(images) if self.output == "digit" else images

    def _clean(self, picture: PictureLike, position: int) -> np.ndarray:
        try:
            if isinstance(picture, (str, os.PathLike)):
                picture = open_picture(picture)
            if self.output == "digit":
                return clean_picture(picture, side=self.height)
            return clean_line(picture, height=self.height)
        except (ValueError, OSError) as error:
            raise ValueError(f"Picture {position}: {error}") from error

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags
