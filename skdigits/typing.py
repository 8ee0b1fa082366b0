"""Type aliases for signatures."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

StrPath: TypeAlias = str | os.PathLike[str]
DataPath: TypeAlias = StrPath | zipfile.Path  # a file, or a file in a zip archive
FoundPath: TypeAlias = Path | zipfile.Path
ImageShape: TypeAlias = Sequence[int] | np.ndarray  # height, width and optionally channels
Lengths: TypeAlias = int | Sequence[int] | dict[int, Any]  # a dict maps each length to its share
Images: TypeAlias = ArrayLike | Sequence[ArrayLike]  # a list if the sizes differ
Picture: TypeAlias = Image.Image | ArrayLike
PictureLike: TypeAlias = StrPath | Picture
PictureFile: TypeAlias = StrPath | bytes | bytearray | memoryview | IO[bytes]
RandomState: TypeAlias = int | np.random.RandomState | None
Estimator: TypeAlias = Any  # scikit-learn, Keras and TensorFlow have no type hints
KerasModel: TypeAlias = Any
Tensor: TypeAlias = Any
AnyCallable = TypeVar("AnyCallable", bound=Callable[..., Any])


class Configurable(Protocol):
    """An object that can be rebuilt from its configuration, such as a Keras optimizer."""

    def get_config(self) -> dict[str, Any]:
        """Return the configuration, a dict of values by name."""
