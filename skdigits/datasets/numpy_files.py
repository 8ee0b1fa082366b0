"""NumPy files: .npy, and .npz, such as Keras's mnist.npz and MedMNIST."""

from __future__ import annotations

import contextlib
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skdigits.datasets.bunch import LoadedImages
from skdigits.datasets.contents import N_DIGITS, make_samples
from skdigits.datasets.input_files import LARGE, PACKED, existing, reading
from skdigits.datasets.names import find_arrays, find_labels
from skdigits.typing import StrPath

SHOWN = 6  # names of arrays in a message


def load_npz(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from NumPy files, such as Keras's ``mnist.npz``, MedMNIST and ``.npy`` files.

    The arrays of an archive are found by their names: ``x_train`` and ``y_train``,
    ``train_images`` and ``train_labels``, ``X`` and ``y``, ``images`` and ``labels``, ``data`` and
    ``target``; otherwise by their shapes, if these are unambiguous. A ``.npy`` file contains the
    images; the labels must be in the same folder under the corresponding name, such as
    ``y_train.npy`` for ``x_train.npy``. Values are 0–255, or booleans or floats 0–1, which become
    0–255. Python objects (pickles) are never read.

    Parameters
    ----------
    path : str or path-like
        An ``.npz`` or ``.npy`` file, or a folder of ``.npy`` files.
    subset, as_frame, return_X_y
        As for `load_data`. Arrays whose names contain no subset are returned for both subsets.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`, which also lists the errors and warnings.
    """
    return read_npz(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_npz(path: StrPath, subset: str) -> LoadedImages:
    """Read the samples of `load_npz`."""
    path = existing(path, subset)
    if path.is_dir():
        folder, path = path, find_npy(path, subset)
        if path is None:
            raise FileNotFoundError(f"{folder} has no file of images such as x_{subset}.npy.")
    if zipfile.is_zipfile(path):
        images, labels, names = _read_archive(path, subset)
        return make_samples(images, labels, f"{path} ({names})", subset=subset)
    name = find_labels(path.stem, _npy_stems(path.parent))
    labels = None if name is None else _read_array(path.with_name(f"{name}.npy"))
    return make_samples(_read_array(path), labels, path, subset=subset)


def find_npy(folder: Path, subset: str) -> Path | None:
    """Find the ``.npy`` file of images of a subset in a folder, such as ``x_train.npy``, or None.

    A ValueError is raised if several files match, or if only files of the other subset exist.
    """
    found = find_arrays(_npy_stems(folder), subset, folder)
    return None if found is None else folder / f"{found[0]}.npy"


def _npy_stems(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("[!.]*.npy"))


def _read_array(path: Path) -> np.ndarray:
    with _reading(path), path.open("rb") as file:
        array = np.load(file, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it is an archive of arrays; expected a .npy file")
    return array


def _read_archive(path: Path, subset: str) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Return the images, the labels or None, and the names of both in the archive."""
    # The file is opened here, because NumPy does not close a damaged file that it opens by name.
    with _reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        for info in archive.zip.infolist():
            if info.file_size > LARGE and info.file_size > PACKED * info.compress_size:
                raise ValueError(
                    f"{path}: {info.filename[:60]} unpacks from {info.compress_size >> 10} kB to "
                    f"{info.file_size >> 20} MB, too much for images of digits; save the "
                    "arrays with np.savez."
                )
        found: Any = find_arrays(archive.files, subset, path)
        if found is None:
            found = _find_by_shape({name: archive[name] for name in archive.files}, path)
        images, labels = archive[found[0]], found[1] and archive[found[1]]
        for array in (images, labels):
            if not isinstance(array, np.ndarray | None):
                raise ValueError("a member of the archive is not an array")
    return images, labels, " and ".join(filter(None, found))


def _find_by_shape(arrays: dict[str, Any], path: Path) -> tuple[str, str | None]:
    """Find the only array of images, and the only array of labels or None, by their shapes."""
    shapes = {name: array.shape for name, array in arrays.items() if array.ndim}
    labels = [name for name, (_, *rest) in shapes.items() if rest in ([], [1], [N_DIGITS])]
    images = [name for name in shapes if name not in labels]
    if len(images) == 1:
        first, *_, last = shapes[images[0]]
        labels = [name for name in labels if shapes[name][0] in (first, last)]
        if len(labels) < 2:
            return images[0], labels[0] if labels else None
    shown = ", ".join(f"{name} {array.shape}" for name, array in list(arrays.items())[:SHOWN])
    raise ValueError(
        f"{path} has {shown[:100] or 'no arrays'}; expected arrays such as x_train and y_train, or "
        "images and labels."
    )


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    with reading(path, "not NumPy arrays of images, or damaged"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about headers that Python 2 wrote
        try:
            yield
        except ValueError as error:
            if "allow_pickle" not in str(error):
                raise
            raise ValueError(
                f"{path} contains Python objects (a pickle), which can run code when read. Save "
                "plain arrays: np.savez(path, x_train=np.stack(images), y_train=labels)."
            ) from None
