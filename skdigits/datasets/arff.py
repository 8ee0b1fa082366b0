"""ARFF files: OpenML's mnist_784.arff.

SciPy's reader converts all rows to Python objects: for 10,000 images of MNIST it takes five times
the time and memory of pandas. Therefore SciPy reads only the header, and pandas the rows.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, TextIO

import numpy as np

from skdigits.datasets.bunch import LoadedImages
from skdigits.datasets.contents import make_samples
from skdigits.datasets.input_files import existing, opened
from skdigits.datasets.names import divide_columns
from skdigits.datasets.pixels import compact
from skdigits.typing import StrPath

AT_ONCE = 4096  # rows per chunk
LONGEST_HEADER = 1 << 22  # bytes; the header of mnist_784.arff has 20,000


def load_arff(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from an ARFF file, such as OpenML's ``mnist_784.arff``.

    The labels are the attribute named ``class``, ``label``, ``target``, ``digit`` or ``y``, or the
    only attribute that is not numeric. All others are pixels in row-major order: 0–255, or floats
    0–1, which become 0–255.

    Parameters
    ----------
    path : str or path-like
        The file, gzipped or not.
    subset, as_frame, return_X_y
        As for `load_data`. For MNIST's 70,000 images, ``"train"`` returns the first 60,000 and
        ``"test"`` the last 10,000; for other files, both return all images.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As `load_data` returns it; with the errors and warnings of `load_data`.
    """
    return read_arff(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_arff(path: StrPath, subset: str) -> LoadedImages:
    """Read the samples of `load_arff`."""
    path = existing(path, subset)
    what = "not an ARFF file of numbers, or damaged"
    with opened(path, what, "rt", encoding="utf-8-sig") as file:
        names, texts = _read_attributes(file)
        label, pixels = divide_columns(names, texts, path)
        images, labels = _read_rows(file, names, label, pixels)
    return make_samples(images, labels, path, subset=subset)


def _read_attributes(file: TextIO) -> tuple[list[str], set[str]]:
    """Read up to the first row; return the names of all attributes and of those that are texts."""
    from scipy.io import arff

    header, size = [""], 0
    while header[-1].strip().lower() != "@data":
        header.append(file.readline(LONGEST_HEADER))
        size += len(header[-1])
        if not header[-1] or size > LONGEST_HEADER:
            raise ValueError("it has no line @data, so it is truncated")
    _, meta = arff.loadarff(io.StringIO("".join(header)))
    names = meta.names()
    if len(set(names)) < len(names) or len(names) < 2:
        raise ValueError(
            f"it has {len(names)} attributes; expected pixels and labels with different names"
        )
    kinds = zip(names, meta.types(), strict=True)
    return names, {name for name, kind in kinds if kind != "numeric"}


def _read_rows(
    file: TextIO, names: list[str], label: str | None, pixels: list[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    import pandas as pd

    images, labels = [], []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = pd.read_csv(
                file,
                header=None,
                names=names,
                index_col=False,
                dtype=dict.fromkeys(names, str) | dict.fromkeys(pixels, np.float32),
                comment="%",
                quotechar="'",
                skipinitialspace=True,
                na_filter=False,
                chunksize=AT_ONCE,
            )
            for part in rows:
                images.append(compact(part[pixels].to_numpy()))
                if label:
                    labels.append(part[label].to_numpy(str))
    except (ValueError, Warning) as error:  # pandas' errors are ValueErrors
        if "'{" in str(error):
            raise ValueError("sparse ARFF is not supported; save all values") from None
        raise ValueError(f"a row does not have {len(names)} values; {error}") from error
    if not any(map(len, images)):
        raise ValueError("the file has no rows")
    y = np.concatenate(labels) if label else None
    if y is not None and (y == "").any():  # truncated rows have no last value
        row = np.flatnonzero(y == "")[0] + 1
        raise ValueError(f"row {row} has no label or fewer than {len(names)} values")
    return np.concatenate(images), y
