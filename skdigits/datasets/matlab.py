"""MATLAB's files: mnist-original.mat, SVHN, EMNIST, Coursera's ex3data1.mat."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.array_names import find_arrays
from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.contents import Samples, make_samples
from skdigits.datasets.matlab_tags import check_tags

if TYPE_CHECKING:
    from skdigits.typing import StrPath

COURSERA = 400  # pixels of ex3data1.mat and ex4data1.mat
TURNED = ", turned upright"


def load_mat(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from a MATLAB file, as EMNIST, SVHN and older copies of MNIST are published.

    =================   ==============
    Values                0–255, or booleans or floats 0–1, which become 0–255
    Source              e.g. EMNIST "emnist-digits.mat": 240,000 and 40,000 images of 28×28
    =================   ==============

    Known are EMNIST's structure ``dataset.train.images`` and Coursera's ``ex3data1.mat`` (rows of
    400 pixels, labels 1 to 10), whose images lie on their side and are turned upright; a table with
    one column per image and 70,000 of them (``mnist-original.mat``), of which the first 60,000 are
    for training; and SVHN's ``X`` of shape (32, 32, 3, n), which becomes grey. Otherwise arrays are
    found by their names, as in `load_npz`, and are not turned.

    Parameters
    ----------
    path : str or path-like
        A ``.mat`` file of MATLAB 4 to 7.2; 7.3 has another format, HDF5.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels. Arrays whose names have no part are
        returned for both.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, n_pixels), uint8; ``target`` of shape (n,), integers or strings, or
        None without labels, where 10 stays 10; ``images``, ``feature_names``, ``target_names``,
        ``frame``, ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged or of MATLAB 7.3, or its arrays are not images and labels.

    Warns
    -----
    UserWarning
        If digits lie on their side, or 10 is a label and 0 is not.
    """
    return _read(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def iter_mat(
    path: StrPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_mat`, and divide them.

    Parameters
    ----------
    path : str or path-like
        As for `load_mat`.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels.
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
        As for `load_mat`; raised at once.
    """
    return _read(path, subset).chunks(chunk_size, lines)


def _read(path: StrPath, subset: str) -> Samples:
    check_subset(subset)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    variables = _read_variables(path)
    if "dataset" in variables and variables["dataset"].dtype.names:
        images, labels, names = _emnist(variables["dataset"], subset, path)
        where = f"{path} ({names})"
        return make_samples(_turned(images), labels, where, subset=subset, note=TURNED)
    arrays = {name: a for name, a in variables.items() if a.dtype.kind in "buifU"}
    images, labels, names = _find(arrays, subset, path)
    where = f"{path} ({names})"
    if _is_coursera(arrays, images, labels):
        return make_samples(_turned(images), labels, where, subset=subset, note=TURNED)
    return make_samples(images, labels, where, subset=subset)


def _read_variables(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError, MatReadWarning

    try:
        check_tags(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", MatReadWarning)
            variables = loadmat(path, appendmat=False)
    except NotImplementedError as error:
        raise ValueError(
            f"{path} is a file of MATLAB 7.3 (HDF5), which is not read; in MATLAB save it with "
            "save(file, '-v7')."
        ) from error
    except Exception as error:  # SciPy's reader raises many types for damaged files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        kind = "damaged" if isinstance(error, MatReadError) else "not a MATLAB file, or damaged"
        raise ValueError(f"{path}: {kind} ({reason}).") from error
    return {name: value for name, value in variables.items() if isinstance(value, np.ndarray)}


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
    names = " and ".join(filter(None, found))
    return arrays[images], None if labels is None else arrays[labels], names


def _emnist(
    dataset: np.ndarray, subset: str, path: Path
) -> tuple[np.ndarray, np.ndarray | None, str]:
    part = _field(dataset, subset)
    images = None if part is None else _field(part, "images")
    if images is None:
        raise ValueError(f"{path}: dataset.{subset}.images is missing; EMNIST's files have it.")
    return images, _field(part, "labels"), f"dataset.{subset}"


def _field(structure: np.ndarray, name: str) -> Any:
    """A field of a MATLAB structure, or None; SciPy makes a matrix of one element of it."""
    names = structure.dtype.names or ()
    return structure[name].flat[0] if name in names and structure.size else None


def _is_coursera(
    arrays: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray | None
) -> bool:
    """Whether X and y are exercises of Coursera's course: columns first, and 10 for 0."""
    is_table = images.ndim == 2 and images.shape[1] == COURSERA and images.dtype.kind == "f"
    has_ten = labels is not None and labels.dtype.kind in "uif" and 10 in labels
    return {"X", "y"} <= set(arrays) and is_table and has_ten


def _turned(images: np.ndarray) -> np.ndarray:
    """Exchange rows and columns of square images in a table."""
    if images.ndim != 2 or math.isqrt(images.shape[1]) ** 2 != images.shape[1]:
        return images
    side = math.isqrt(images.shape[1])
    return images.reshape(-1, side, side).transpose(0, 2, 1)
