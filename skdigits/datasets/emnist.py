"""EMNIST's files, which store images column by column, so that digits lie on their side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from skdigits.typing import FoundPath

PREFIX = "emnist"
TURNED = "EMNIST's images lie on their side and were turned upright."


def is_emnist(file: FoundPath) -> bool:
    """Tell by its name whether a file is one of EMNIST as it is published.

    Parameters
    ----------
    file : Path or zipfile.Path
        The file.

    Returns
    -------
    bool
        True if the name starts with ``emnist``.
    """
    return file.name.lower().startswith(PREFIX)


def turn_upright(images: np.ndarray) -> np.ndarray:
    """Exchange the rows and columns of images.

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
        The images.

    Returns
    -------
    ndarray of shape (n, width, height)
        A copy.
    """
    return np.ascontiguousarray(images.transpose(0, 2, 1))
