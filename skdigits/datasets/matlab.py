"""MATLAB's files: mnist-original.mat, SVHN, EMNIST, Coursera's ex3data1.mat."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.bunch import Samples
from skdigits.datasets.contents import make_samples
from skdigits.datasets.faults import reading
from skdigits.datasets.matlab_variables import read_variables
from skdigits.datasets.names import find_arrays
from skdigits.datasets.unpacking import existing

if TYPE_CHECKING:
    from skdigits.typing import StrPath

COURSERA = 400  # pixels of ex3data1.mat and ex4data1.mat
TURNED = ", turned upright"


def load_mat(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a MATLAB file, as EMNIST, SVHN and older copies of MNIST are published.

    Known are EMNIST's structure ``dataset.train.images`` and Coursera's ``ex3data1.mat`` (rows of
    400 pixels, labels 1 to 10), whose images lie on their side and are turned upright; a table with
    one column per image and 70,000 of them (``mnist-original.mat``), of which the first 60,000 are
    for training; and SVHN's ``X`` of shape (32, 32, 3, n), which becomes grey. Otherwise arrays are
    found by their names, as in `load_npz`, and are not turned. Values are 0–255, or booleans or
    floats 0–1, which become 0–255; the label 10 stays 10.

    Parameters
    ----------
    path : str or path-like
        A ``.mat`` file of MATLAB 4 to 7.2; 7.3 has another format, HDF5.
    subset, as_frame, return_X_y
        As for `load_data`; arrays whose names have no part are returned for both subsets.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As `load_data` returns it.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `load_data`. If the file is damaged or of MATLAB 7.3, or its arrays are not images and labels.
    """
    return read_mat(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_mat(path: StrPath, subset: str) -> Samples:
    """Read the samples of `load_mat`.

    Parameters
    ----------
    path, subset
        As for `load_mat`.
    """
    path = existing(path, subset)
    with reading(path, "not a MATLAB file, or damaged"):
        variables = read_variables(path)
    if isinstance(variables.get("dataset"), dict):
        images, labels = _emnist(variables["dataset"], subset, path)
        where, lies = f"{path} (dataset.{subset})", True
    else:
        arrays = {name: value for name, value in variables.items() if hasattr(value, "dtype")}
        images, labels, names = _find(arrays, subset, path)
        where, lies = f"{path} ({names})", _is_coursera(arrays, images, labels)
    side = math.isqrt(images.shape[-1])
    if lies and images.ndim == 2 and side**2 == images.shape[1]:
        images = images.reshape(-1, side, side).transpose(0, 2, 1)
    return make_samples(images, labels, where, subset=subset, note=TURNED if lies else "")


def _find(
    arrays: dict[str, np.ndarray], subset: str, path: Path
) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Images, labels or None, and the names of both."""
    found = find_arrays(arrays, subset, path)
    if found is None:
        known = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"{path} holds {known[:100] or 'no arrays'}; expected arrays such as X and y, data and "
            "label, or train_images and train_labels."
        )
    images, labels = found
    return arrays[images], arrays.get(labels or ""), " and ".join(filter(None, found))


def _emnist(dataset: dict[str, Any], subset: str, path: Path) -> tuple[np.ndarray, Any]:
    part = dataset.get(subset)
    part = part if isinstance(part, dict) else {}
    images, labels = part.get("images"), part.get("labels")
    if not isinstance(images, np.ndarray):
        raise ValueError(f"{path}: dataset.{subset}.images is missing; EMNIST's files have it.")
    return images, labels


def _is_coursera(arrays: dict[str, Any], images: np.ndarray, labels: np.ndarray | None) -> bool:
    """Whether X and y are exercises of Coursera's course: columns first, and 10 for 0."""
    is_table = images.ndim == 2 and images.shape[1] == COURSERA and images.dtype.kind == "f"
    has_ten = labels is not None and labels.dtype.kind in "uif" and 10 in labels
    return {"X", "y"} <= set(arrays) and is_table and has_ten
