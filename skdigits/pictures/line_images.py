"""Images of lines of digits, of any width, and their conversion to one height."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from scipy import ndimage
from sklearn.utils.validation import check_array

from skdigits.checks.image_shapes import infer_image_shape, split_images
from skdigits.checks.pixel_ranges import PixelRange, pixel_dtype, pixel_range

if TYPE_CHECKING:
    from skdigits.typing import ImageShape

HEIGHT = 28
INK = 64  # grey level from 0 to 255; brighter pixels are ink


class LineImages:
    """Images of lines of digits.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or list of ndarray of shape (height, width)
        The images.
    n_features : int, optional
        Number of pixels of an input image.
    sizes : ndarray of shape (n, 2), int, optional
        Height and width of each input image; by default, the sizes of `images`.

    Attributes
    ----------
    shape : tuple of int or None
        Height and width if all images have the same shape, else None.
    widths : ndarray of shape (n,), int
        Width of each image.
    """

    images: Any  # an array, or a list if the shapes differ
    n_features: Any  # int, or None

    def __init__(
        self,
        images: np.ndarray | list[np.ndarray],
        n_features: int | None = None,
        sizes: np.ndarray | None = None,
    ) -> None:
        self.images, self.n_features = images, n_features
        shapes = np.array([image.shape for image in images])
        self.sizes, self.widths = shapes if sizes is None else sizes, shapes[:, 1]
        self.shape = images.shape[1:] if isinstance(images, np.ndarray) else None

    @classmethod
    def check(cls, X: Any, image_shape: ImageShape | None = None) -> LineImages:
        """Validate images.

        Parameters
        ----------
        X : array-like of shape (n, n_features), (n, height, width) or (n, height, width, 1), or \
list of array-like of shape (height, width)
            The images.
        image_shape : tuple of int, optional
            Height and width of images that are given as flat rows; square by default.

        Returns
        -------
        LineImages
            The images.

        Raises
        ------
        ValueError
            If images are empty or coloured, or have pixels that are not finite real numbers.
        """
        if _is_ragged(X):
            return cls([_check_one(image, i) for i, image in enumerate(X)])
        flat, seen = split_images(X)
        flat = check_array(flat, dtype="numeric")
        asked = image_shape if seen is None else None  # images that are not flat may have any width
        height, width, channels = infer_image_shape(flat.shape[1], seen, asked)
        if channels != 1:
            raise ValueError(
                f"X holds images of {channels} channels; expected grey images of shape "
                "(n, height, width) or (n, height, width, 1)."
            )
        n_features = flat.shape[1]
        missing = height * width - n_features
        flat = np.pad(flat, [(0, 0), (0, missing)]) if missing else flat
        return cls(flat.reshape(-1, height, width), n_features)

    @property
    def dtype(self) -> np.dtype:
        """uint8 if all images have an integer dtype and values from 0 to 255, otherwise float32."""
        images = [self.images] if self.shape is not None else self.images
        return max(pixel_dtype(image, "float32") for image in images)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, chosen: np.ndarray) -> LineImages:
        """Return the images with these indices."""
        several = self.shape is not None
        images = self.images[chosen] if several else [self.images[i] for i in chosen]
        return LineImages(images, self.n_features, self.sizes[chosen])

    def pixel_range(self) -> PixelRange | None:
        """Return the mean and the range of all pixels, extended to contain 0; None if all are 0."""
        if self.shape is None:
            return pixel_range(np.concatenate([image.ravel() for image in self.images]))
        return pixel_range(self.images)

    def as_bytes(self, low: float, high: float) -> LineImages:
        """Convert images to uint8, and rescale them to one height.

        Parameters
        ----------
        low, high : float
            Values that are mapped to 0 and 255; values outside this range are clipped.

        Returns
        -------
        LineImages
            Images of dtype uint8, ``HEIGHT`` pixels high, with the same aspect ratio.
        """

        def convert(values: np.ndarray) -> np.ndarray:
            if values.dtype == np.uint8 and (low, high) == (0, 255):
                return values
            grey = (np.clip(values, low, high) - low) * (255 / (high - low))
            return np.rint(grey).astype(np.uint8)

        if self.shape is not None and self.shape[0] == HEIGHT:
            return LineImages(convert(self.images), sizes=self.sizes)
        images = [self._rescaled(convert(image)) for image in self.images]
        return LineImages(images if self.shape is None else np.stack(images), sizes=self.sizes)

    def _rescaled(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape
        if height == HEIGHT:
            return image
        size = max(1, round(width * HEIGHT / height)), HEIGHT
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))

    def changed(self, width: float, slant: float) -> LineImages:
        """Scale the width of images, and slant them.

        Parameters
        ----------
        width : float
            Factor of the width.
        slant : float
            Tangent of the angle to the vertical; positive if digits then lean to the right.

        Returns
        -------
        LineImages
            Images of dtype uint8 and of the same height, with black margins.
        """
        images = [_changed(Image.fromarray(image), width, slant) for image in self.images]
        return LineImages(images, sizes=self.sizes)

    def with_views(self, views: Sequence[tuple[float, float]]) -> LineImages:
        """Append augmented views of all images.

        Parameters
        ----------
        views : sequence of (float, float)
            Factor of the width, and slant, of each view, as for `changed`.

        Returns
        -------
        LineImages
            The images, followed by those of each view.
        """
        if not views:
            return self
        changed = [self.changed(*view).images for view in views]
        return LineImages([*self.images, *itertools.chain.from_iterable(changed)])

    def same_width(self, position: float = 0.5) -> np.ndarray:
        """Put images into one array; narrower images get black margins.

        Parameters
        ----------
        position : float, default=0.5
            Horizontal position of the narrower images: 0 is at the left, 0.5 in the middle.

        Returns
        -------
        ndarray of shape (n, height, width)
            The images, as wide as the widest one.
        """
        if self.shape is not None:
            return self.images
        widest = max(image.shape[1] for image in self.images)
        array = np.zeros((len(self), self.images[0].shape[0], widest), self.images[0].dtype)
        for row, image in zip(array, self.images, strict=True):
            left = int((widest - image.shape[1]) * position)
            row[:, left : left + image.shape[1]] = image
        return array

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Flatten images to rows of pixels, the input of the network.

        Returns
        -------
        rows : ndarray of shape (n, height * width)
            Images as wide as the widest one, padded with zeros on the right.
        widths : ndarray of shape (n,), int
            Width of each image.
        """
        return self.same_width(position=0).reshape(len(self), -1), self.widths

    def groups(self, pixels: int, *, padded: bool = True) -> Iterator[np.ndarray]:
        """Divide images into groups of similar width.

        Parameters
        ----------
        pixels : int
            Maximum number of pixels in a group, after all its images are padded to the widest. An
            image with more pixels is a group of its own.
        padded : bool, default=True
            Whether a group may have images of different widths.

        Yields
        ------
        ndarray of int
            Indices of the images in the group.
        """
        sizes = self.images[0].shape[0] * self.widths
        order = np.argsort(sizes, kind="stable")
        while len(order):
            near = order[: pixels // sizes[order[0]]]
            fits = sizes[near] * np.arange(1, len(near) + 1) <= pixels
            if not padded:
                fits &= sizes[near] == sizes[order[0]]
            chosen, order = np.split(order, [max(1, int(fits.sum()))])
            yield chosen

    def batches(
        self, pixels: int, *, padded: bool = True
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Divide images into batches of similar width.

        Parameters
        ----------
        pixels, padded
            As for `groups`.

        Yields
        ------
        chosen : ndarray of int
            Indices of the images in the batch.
        rows : ndarray of shape (len(chosen), height * width)
            The images as `rows` returns them, padded to the widest of the batch.
        """
        for chosen in self.groups(pixels, padded=padded):
            yield chosen, self[chosen].rows()[0]

    def boxes(self, i: int, centres: np.ndarray) -> np.ndarray:
        """Find the bounding boxes of the ink of digits.

        Parameters
        ----------
        i : int
            Index of the image; the images must come from `as_bytes`.
        centres : ndarray of shape (n_digits,)
            Horizontal centres of the digits in pixels of this image, ascending.

        Returns
        -------
        ndarray of shape (n_digits, 4), int
            Left, top, right and bottom of each digit, in pixels of the input image.
        """
        image = self.images[i]
        columns = image.sum(axis=0, dtype=np.int64)
        cuts = [0, *(_cut(columns, *pair) for pair in itertools.pairwise(centres))]
        height, width = image.shape
        # The number of the digit in each column, from 1.
        digit = np.searchsorted(cuts, np.arange(width), side="right")
        places = ndimage.find_objects((image > INK) * digit, len(cuts))
        boxes = []
        for left, right, place in zip(cuts, [*cuts[1:], width], places, strict=True):
            down, across = place or (slice(0, height), slice(left, right))
            boxes.append([across.start, down.start, across.stop, down.stop])
        given, present = self.sizes[i][[1, 0] * 2], np.array(image.shape)[[1, 0] * 2]
        scaled = np.array(boxes, int).reshape(-1, 4) * given
        return np.column_stack(
            [scaled[:, :2] // present[:2], -(-scaled[:, 2:] // present[2:])]  # rounded outwards
        )


def _changed(picture: Image.Image, width: float, slant: float) -> np.ndarray:
    """Scale the width of a picture, and slant it about its centre."""
    middle = (picture.height - 1) / 2
    margin = math.ceil(abs(slant) * middle)
    size = max(1, round((picture.width + 2 * margin) * width)), picture.height
    to_source = (1 / width, slant, -slant * middle - margin, 0, 1, 0)
    affine = Image.Transform.AFFINE, to_source, Image.Resampling.BILINEAR
    return np.asarray(picture.transform(size, *affine))


def _cut(columns: np.ndarray, left: float, right: float) -> int:
    """Find the column with the least ink between two digits, or the most central of several."""
    last = len(columns) - 1
    between = np.arange(min(int(left) + 1, last), min(int(right), last) + 1)
    least = between[columns[between] == columns[between].min()]
    return int(least[np.abs(least - (left + right) / 2).argmin()])


def _is_ragged(X: Any) -> bool:
    """Return True if `X` is a sequence of images of different shapes."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        return False
    if not isinstance(X, (list, tuple, np.ndarray)) or not len(X):
        return False
    return all(np.ndim(image) in (2, 3) for image in X) and len({np.shape(x) for x in X}) > 1


def _check_one(image: Any, i: int) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim != 2 or not image.size:
        raise ValueError(
            f"Image {i} has shape {image.shape}; expected (height, width), each at least 1."
        )
    return check_array(image, dtype="numeric", input_name=f"Image {i}")
