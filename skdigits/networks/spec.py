"""Specification of a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from skdigits.networks.architectures import READERS, Layers, describe
from skdigits.networks.layers import Layer, Pad, Pooling, Resize, walk

# The networks were designed for MNIST: 28 pixels per side, with a margin of 4 pixels around the
# digit. Smaller images are enlarged to this size. They need the margin because convolutions without
# padding use pixels at the edge less often.
MINIMUM_SIDE = 28
MARGIN = 4


@dataclass(frozen=True)
class NetworkSpec:
    """Specification of a network; equal specs describe the same network.

    Parameters
    ----------
    architecture : str or callable
        A name in ``ARCHITECTURES`` or ``READERS``, or a user's architecture function.
    image_shape : tuple of int
        Height, width and channels of the input images. A height or width is None if images may
        have any.
    n_outputs : int
        Number of classes. For sequences, the number of characters, plus one for the blank.
    options : tuple of (str, value)
        Keyword arguments for the architecture function, except `dtype`.
    dtype : str
        Dtype of weights and computations.
    reads_sequences : bool, default=False
        True if the network outputs scores per frame of a line, False if it outputs probabilities
        per image.
    layers : tuple of Layer, default=()
        Layers of the network, for images of `enlarged_shape`; empty for a user's architecture
        function.
    """

    architecture: str | Callable[..., Any]
    image_shape: tuple[int | None, int | None, int]
    n_outputs: int
    options: tuple[tuple[str, Hashable], ...]
    dtype: str
    reads_sequences: bool = False
    layers: Layers = ()

    @classmethod
    def of(
        cls,
        architecture: str | Callable[..., Any],
        image_shape: tuple[int | None, int | None, int],
        n_outputs: int,
        options: tuple[tuple[str, Hashable], ...],
        dtype: str,
    ) -> NetworkSpec:
        """Make a specification; a named architecture adds its layers.

        The parameters are those of the class. An option that the architecture lacks raises a
        ValueError.
        """
        if not isinstance(architecture, str):
            return cls(architecture, image_shape, n_outputs, options, dtype)
        layers = describe(architecture, n_outputs, options)
        reads = architecture in READERS
        return cls(architecture, image_shape, n_outputs, options, dtype, reads, layers)

    @property
    def name(self) -> str:
        """Name of the architecture, for messages."""
        return getattr(self.architecture, "__qualname__", str(self.architecture))

    @property
    def columns_per_frame(self) -> int:
        """Number of pixel columns per frame."""
        steps = walk(self.layers, self.image_shape)
        return math.prod(layer.size[1] for layer, _ in steps if isinstance(layer, Pooling))

    @property
    def has_onnx_model(self) -> bool:
        """True if ONNX Runtime, which has no float64 convolutions, can run the network."""
        return bool(self.layers) and self.dtype == "float32"

    def n_frames(self, widths: Any) -> Any:
        """Compute the number of frames of images.

        Parameters
        ----------
        widths : int, or ndarray or tensor of int
            Widths of the images in pixels.

        Returns
        -------
        int, or ndarray or tensor of int
            Number of frames. An incomplete last frame counts as a whole frame.
        """
        return -(-widths // self.columns_per_frame)

    def enlarged_shape(self) -> tuple[int | None, int | None, int]:
        """Return height, width and channels of images after enlargement.

        Height and width are at least 28 pixels. A shape with a free width (None) does not change.
        """
        height, width, channels = self.image_shape
        if height is None or width is None:
            return self.image_shape
        return max(height, MINIMUM_SIDE), max(width, MINIMUM_SIDE), channels

    def enlargement(self) -> tuple[Layer, ...]:
        """Return the layers that enlarge images to `enlarged_shape`.

        Sides below 20 pixels are resized to 20 pixels; sides below 28 pixels are then padded with
        zeros to 28 pixels. If the images are large enough, the tuple is empty.
        """
        if self.enlarged_shape() == self.image_shape:
            return ()
        height, width = (max(side or 0, MINIMUM_SIDE - 2 * MARGIN) for side in self.image_shape[:2])
        rows, columns = (
            (a or 0) - b for a, b in zip(self.enlarged_shape()[:2], (height, width), strict=True)
        )
        margins = rows // 2, columns // 2, rows - rows // 2, columns - columns // 2
        resized = (height, width) != self.image_shape[:2]
        return *([Resize(height, width)] if resized else []), Pad(margins)
