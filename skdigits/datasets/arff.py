"""ARFF files: OpenML's mnist_784.arff."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.contents import Samples, make_samples
from skdigits.datasets.named_columns import Columns, divide_columns
from skdigits.datasets.pixels import compact
from skdigits.datasets.unpacking import open_unpacked

if TYPE_CHECKING:
    from skdigits.typing import StrPath

AT_ONCE = 4096  # rows
LONGEST_HEADER = 1 << 22  # bytes; that of mnist_784.arff has 20,000


def load_arff(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from an ARFF file, such as OpenML's ``mnist_784.arff``.

    =================   ==============
    Values                0–255, or floats 0–1, which become 0–255
    Source              e.g. OpenML "mnist_784": 70,000 images of 28×28
    =================   ==============

    The labels are the attribute named ``class``, ``label``, ``target``, ``digit`` or ``y``, or the
    only attribute that is no number; all others are pixels, in row-major order from the top left.
    Of MNIST's 70,000 images, the first 60,000 are for training.

    Parameters
    ----------
    path : str or path-like
        The file, packed with gzip or not.
    subset : {"train", "test"}, default="train"
        Which images of MNIST to load; only ``"train"`` requires labels. All images of other files
        are returned for both.
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
        If the file is damaged or sparse, or a value is missing or no pixel.

    Warns
    -----
    UserWarning
        If digits lie on their side, or 10 is a label and 0 is not.
    """
    return _read(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def iter_arff(
    path: StrPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_arff`, and divide them.

    Parameters
    ----------
    path : str or path-like
        As for `load_arff`.
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
        As for `load_arff`; raised at once.
    """
    return _read(path, subset).chunks(chunk_size, lines)


def _read(path: StrPath, subset: str) -> Samples:
    check_subset(subset)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    try:
        with open_unpacked(path, "rt", encoding="utf-8-sig") as file:
            attributes = _read_attributes(file, path)
            nominal = {name for name, kind in attributes.items() if kind != "numeric"}
            columns = divide_columns(list(attributes), nominal, path)
            images, labels = _read_data(file, list(attributes), columns, path)
    except (UnicodeError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path}: damaged ({_one_line(error)}).") from error
    return make_samples(images, labels, str(path), subset=subset)


def _read_attributes(file: TextIO, path: Path) -> dict[str, str]:
    """Types of the attributes, by their names; the file is then at its first row."""
    from scipy.io import arff

    header = []
    size = 0
    for line in file:
        header.append(line)
        size += len(line)
        if line.strip().lower() == "@data" or size > LONGEST_HEADER:
            break
    if not header or header[-1].strip().lower() != "@data":
        raise ValueError(f"{path}: an ARFF file without a line @data; it is truncated.")
    try:
        # SciPy's reader makes a list of Python objects of all rows; so it reads only the header.
        _, meta = arff.loadarff(io.StringIO("".join(header)))
    except Exception as error:  # it raises many types
        raise ValueError(f"{path}: not an ARFF file of numbers ({_one_line(error)}).") from error
    names = meta.names()
    if len(set(names)) < len(names) or len(names) < 2:
        raise ValueError(f"{path}: {len(names)} attributes; expected pixels and labels, once each.")
    return dict(zip(names, meta.types(), strict=True))


def _read_data(
    file: TextIO, names: list[str], columns: Columns, path: Path
) -> tuple[np.ndarray, np.ndarray | None]:
    import pandas as pd

    label, pixels = columns
    images, labels = [], []
    types = dict.fromkeys(names, str) | dict.fromkeys(pixels, np.float32)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = pd.read_csv(
                file,
                header=None,
                names=names,
                index_col=False,
                dtype=types,
                comment="%",
                quotechar="'",
                skipinitialspace=True,
                na_filter=False,
                chunksize=AT_ONCE,
            )
            for part in rows:
                images.append(compact(part[pixels].to_numpy()))
                if label:
                    _check_labels(part[label], len(names))
                    labels.append(part[label].to_numpy(dtype=str))
    except (ValueError, Warning) as error:  # pandas' errors are ValueErrors
        if "'{" in str(error):
            raise ValueError(
                f"{path}: the sparse form of ARFF is not read; save all values."
            ) from None
        raise ValueError(
            f"{path}: a row is no list of {len(names)} values ({_one_line(error)})."
        ) from error
    if not any(map(len, images)):
        raise ValueError(f"{path}: the file has no rows.")
    return np.concatenate(images), np.concatenate(labels) if label else None


def _check_labels(labels: Any, n_values: int) -> None:
    """Raise a ValueError for a row that ends before its label, the last value of most files."""
    if (labels == "").any():
        row = labels.index[labels == ""][0] + 1
        raise ValueError(f"row {row} has no label, or fewer than {n_values} values")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
