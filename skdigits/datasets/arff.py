"""ARFF files, such as OpenML's mnist_784.arff.

SciPy's reader converts all rows to Python objects. For 10,000 images of MNIST, it needs five times
as much time and memory as pandas. Therefore SciPy reads only the header, and pandas reads the rows.
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
LONGEST_HEADER = 1 << 22  # bytes; the header of mnist_784.arff has 20,000 bytes


def load_arff(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from an ARFF file, such as OpenML's ``mnist_784.arff``.

    The labels are the attribute named ``class``, ``label``, ``labels``, ``target``, ``digit`` or
    ``y``, or else the only attribute that is not numeric. An attribute of row numbers is left out
    with a warning. All other attributes are pixels in row-major order: 0–255, or floats 0–1, which
    become 0–255.

    Parameters
    ----------
    path : str or path-like
        The file, which can be packed with gzip or bzip2.
    subset, as_frame, return_X_y
        As for `load_data`. For MNIST's 70,000 images, ``"train"`` returns the first 60,000 and
        ``"test"`` the last 10,000. For other files, both values return all images.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`, which also lists the errors and warnings.
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
    """Read the header; return the names of all attributes and of the non-numeric attributes."""
    from scipy.io import arff

    header, size = [""], 0
    while header[-1].strip().lower() != "@data":
        header.append(file.readline(LONGEST_HEADER))
        size += len(header[-1])
        if not header[-1] or size > LONGEST_HEADER:
            raise ValueError("it has no line @data; the file may be truncated")
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
            raise ValueError("sparse ARFF is not supported; save all values, also zeros") from None
        raise ValueError(
            f"expected {len(names)} values per row, and numeric pixels; {error}"
        ) from error
    if not any(map(len, images)):
        raise ValueError("the file has no rows")
    y = np.concatenate(labels) if label else None
    if y is not None and (y == "").any():  # a truncated row lacks its last value
        row = np.flatnonzero(y == "")[0] + 1
        raise ValueError(f"row {row} has no label or fewer than {len(names)} values")
    return np.concatenate(images), y
