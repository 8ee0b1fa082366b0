"""NumPy's files: .npz, such as Keras's mnist.npz and MedMNIST, and .npy."""

from __future__ import annotations

import contextlib
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.array_names import find_arrays, find_labels
from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.contents import N_DIGITS, Samples, make_samples

if TYPE_CHECKING:
    from skdigits.typing import StrPath

READING_ERRORS = (
    ValueError,
    EOFError,
    OSError,
    KeyError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    OverflowError,
    MemoryError,
    RuntimeError,  # an encrypted archive; a compression that is not known
    zipfile.BadZipFile,
    zlib.error,
)
LARGE = 1 << 28  # bytes, from which an array is refused that was packed suspiciously well
PACKED = 200  # times smaller than unpacked; images of digits are packed 10 times
SHOWN = 6  # names of arrays in a message


def load_npz(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from NumPy's files: Keras's ``mnist.npz``, MedMNIST, ``.npy`` and their like.

    =================   ==============
    Values                0–255, or booleans or floats 0–1, which become 0–255
    Source              e.g. Keras "mnist.npz": 60,000 and 10,000 images of 28×28
    =================   ==============

    The arrays of an archive are found by their names: ``x_train`` and ``y_train``,
    ``train_images`` and ``train_labels``, ``X`` and ``y``, ``images`` and ``labels``, ``data`` and
    ``target``; or, where one array can only be the images and one the labels, by their shapes. A
    ``.npy`` file holds the images; its labels are expected in the same folder, under the
    corresponding name: ``y_train.npy`` beside ``x_train.npy``. Python objects (pickles) are never
    read.

    Parameters
    ----------
    path : str or path-like
        An ``.npz`` or ``.npy`` file, or a folder of ``.npy`` files.
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
        None without labels; ``images``, ``feature_names``, ``target_names``, ``frame``, ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, or its arrays are not images and labels.

    Warns
    -----
    UserWarning
        If digits lie on their side, or 10 is a label and 0 is not.
    """
    return _read(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def iter_npz(
    path: StrPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_npz`, and divide them.

    Parameters
    ----------
    path : str or path-like
        As for `load_npz`.
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
        As for `load_npz`; raised at once.
    """
    return _read(path, subset).chunks(chunk_size, lines)


def find_npy(folder: Path, subset: str) -> Path | None:
    """Find the ``.npy`` file of images of one subset in a folder.

    Parameters
    ----------
    folder : Path
        Folder to search.
    subset : {"train", "test"}
        The subset.

    Returns
    -------
    Path or None
        The file, such as ``x_train.npy``.

    Raises
    ------
    ValueError
        If there are several, or only those of the other part.
    """
    found = find_arrays(_npy_stems(folder), subset, folder)
    return None if found is None else folder / f"{found[0]}.npy"


def _npy_stems(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("[!.]*.npy"))


def _read(path: StrPath, subset: str) -> Samples:
    check_subset(subset)
    path = Path(path)
    if path.is_dir():
        folder, path = path, find_npy(path, subset)
        if path is None:
            raise FileNotFoundError(f"{folder} holds no file of images such as x_{subset}.npy.")
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    if zipfile.is_zipfile(path):
        images, labels, names = _read_archive(path, subset)
        where = f"{path} ({names})"
    else:
        images, labels, where = _read_array(path), _labels_beside(path), str(path)
    return make_samples(images, labels, where, subset=subset)


def _labels_beside(path: Path) -> np.ndarray | None:
    name = find_labels(path.stem, _npy_stems(path.parent))
    return None if name is None else _read_array(path.with_name(f"{name}.npy"))


def _read_array(path: Path) -> np.ndarray:
    with path.open("rb") as file, _faults_named(path):
        array = np.load(file, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: an archive of arrays; expected a .npy file.")
    return array


def _read_archive(path: Path, subset: str) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Images, labels or None, and the names of both in the archive."""
    # NumPy leaves a damaged file open that it has opened itself.
    with path.open("rb") as file, contextlib.ExitStack() as stack:
        with _faults_named(path):
            archive = stack.enter_context(np.load(file, allow_pickle=False))
        for info in archive.zip.infolist():
            if info.file_size > LARGE and info.file_size > PACKED * info.compress_size:
                raise ValueError(
                    f"{path}: {info.filename[:60]} unpacks from {info.compress_size >> 10} kB to "
                    f"{info.file_size >> 20} MB; these are no images of digits."
                )
        found: Any = find_arrays(archive.files, subset, path)
        if found is None:
            arrays = {name: _read_member(archive, name, path) for name in archive.files}
            found = _find_by_shape(arrays, path)
        images, labels = (name and _read_member(archive, name, path) for name in found)
    return images, labels, " and ".join(filter(None, found))


def _read_member(archive: Any, name: str, path: Path) -> np.ndarray:
    with _faults_named(path):
        array = archive[name]
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name[:60]} is no array")
    return array


def _find_by_shape(arrays: dict[str, np.ndarray], path: Path) -> tuple[str, str | None]:
    """Find the only array of images, and the only one of labels or None."""
    is_labels = {name: _looks_like_labels(array) for name, array in arrays.items()}
    images = [name for name, array in arrays.items() if not is_labels[name] and array.ndim > 1]
    if len(images) == 1:
        shape = arrays[images[0]].shape
        n = (shape[0], shape[-1])
        labels = [name for name, array in arrays.items() if is_labels[name] and len(array) in n]
        if len(labels) < 2:
            return images[0], labels[0] if labels else None
    shown = ", ".join(f"{name} {array.shape}" for name, array in list(arrays.items())[:SHOWN])
    raise ValueError(
        f"{path} holds {shown[:100] or 'nothing'}; expected arrays such as x_train and y_train, or "
        "images and labels."
    )


def _looks_like_labels(array: np.ndarray) -> bool:
    return array.ndim == 1 or (array.ndim == 2 and {1, N_DIGITS} & set(array.shape[1:]) != set())


@contextlib.contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    """Raise a ValueError of one line for whatever is wrong with a file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            yield
    except READING_ERRORS as error:
        if "allow_pickle" in str(error):
            raise ValueError(
                f"{path} holds Python objects (a pickle), which can run code when they are read. "
                "Save plain arrays: np.savez(path, x_train=np.stack(images), y_train=labels)."
            ) from None
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"{path}: not NumPy arrays of images, or damaged ({reason}).") from error
