"""The specification of a network; without Keras."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

ARCHITECTURES = ("compact", "tiny", "lenet", "deep")  # names of networks for single digits
# Networks for sequences: columns of pixels per frame. "reader" is that of earlier files.
READERS = {"fine_reader": 2, "reader": 4}
READER = "fine_reader"
N_LABELS = 11  # of the network for sequences: the digits and the blank
# Defaults of the functions in architectures.py, for rooms without Keras.
FILTERS = {"compact": 4, "tiny": 4, "lenet": 8, "deep": 16, **dict.fromkeys(READERS, 16)}
DROPOUT = {"compact": 0.1, "tiny": 0.0, "lenet": 0.2, "deep": 0.3, **dict.fromkeys(READERS, 0.2)}
KERNEL_SIZE = 5
# Smaller images are enlarged to the size of MNIST's images, for which the networks were designed,
# with the same margin: a convolution without padding sees little of the edge.
MINIMUM_SIDE = 28
MARGIN = 4


@dataclass(frozen=True)
class NetworkSpec:
    """Everything that determines a network, so that equal specs mean equal programs.

    Parameters
    ----------
    architecture : str or callable
        A name in ``ARCHITECTURES`` or ``READERS``, or an architecture function.
    image_shape : tuple of int
        Height, width and channels of the input images. The width is None where images may have
        any width.
    n_outputs : int
        Number of classes; for sequences, of digits and the blank.
    options : tuple of (str, value)
        Keyword arguments for the architecture function, except `dtype`.
    dtype : str
        Type of weights and arithmetic.
    reads_sequences : bool, default=False
        Whether the network gives scores per frame of a line, rather than probabilities per image.
    """

    architecture: str | Callable[..., Any]
    image_shape: tuple[int, int | None, int]
    n_outputs: int
    options: tuple[tuple[str, Hashable], ...]
    dtype: str
    reads_sequences: bool = False

    @property
    def name(self) -> str:
        """Name of the architecture, for messages."""
        return getattr(self.architecture, "__qualname__", str(self.architecture))

    @property
    def columns_per_frame(self) -> int:
        """Columns of pixels of which the network computes one frame of scores."""
        return READERS[str(self.architecture)]

    def enlarged_shape(self) -> tuple[int, int | None, int]:
        """Shape of the images that the architecture function is given.

        Returns
        -------
        tuple of int
            Height, width and channels; sides of at least 28 pixels where the width is fixed.
        """
        height, width, channels = self.image_shape
        if width is None:
            return self.image_shape
        return max(height, MINIMUM_SIDE), max(width, MINIMUM_SIDE), channels

    def enlargement(self) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
        """How small images become images of `enlarged_shape`.

        Returns
        -------
        size : tuple of int
            Height and width to which they are resized, bilinearly.
        margins : tuple of (int, int)
            Rows of zeros above and below, and columns of zeros left and right.
        """
        size = tuple(max(side or 0, MINIMUM_SIDE - 2 * MARGIN) for side in self.image_shape[:2])
        missing = [(a or 0) - b for a, b in zip(self.enlarged_shape()[:2], size, strict=True)]
        return size, tuple((n // 2, n - n // 2) for n in missing)
