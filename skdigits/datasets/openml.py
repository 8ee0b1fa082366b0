"""MNIST from OpenML, downloaded by scikit-learn's client."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from skdigits.datasets.bunch import LoadedImages
from skdigits.datasets.contents import SUBSETS
from skdigits.typing import StrPath


def fetch_mnist(
    *,
    subset: str = "all",
    data_home: StrPath | None = None,
    as_frame: bool = False,
    return_X_y: bool = False,
) -> Any:
    """Load MNIST from scikit-learn's cache; the first call downloads it.

    =================   ==============
    Classes                         10
    Samples total                70000
    Features                       784
    Values                integers 0–255
    Source              OpenML "mnist_784", version 1
    =================   ==============

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        All 70,000 images, the first 60,000 (training) or the last 10,000 (test).
    data_home : str or path-like, default=None
        Folder of the cache; None means scikit-learn's default.
    as_frame, return_X_y : bool, default=False
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`; ``data`` has the shape (n, 784), ``target`` has integers 0–9.

    Raises
    ------
    ValueError
        If `subset` is unknown.
    OSError
        If MNIST is not in the cache and cannot be downloaded.
    """
    from sklearn.datasets import fetch_openml  # imported here, as in `load_digits`

    if subset not in SUBSETS:
        raise ValueError(f"subset should be one of {sorted(SUBSETS)}; got {subset!r}.")
    part, options = SUBSETS[subset], {"as_frame": False, "parser": "liac-arff"}
    try:
        with warnings.catch_warnings():
            # The error below contains the text of these warnings, and alternatives.
            warnings.filterwarnings("ignore", "A network error|Invalid cache")
            raw = fetch_openml(
                "mnist_784", version=1, data_home=data_home, n_retries=1, delay=0.1, **options
            )
    except OSError as error:
        raise OSError(
            f"MNIST could not be downloaded from OpenML ({error}). Without internet access: "
            "load_digits() needs no file, load_idx(folder) reads the four files of MNIST, and "
            "load_kaggle(folder) reads Kaggle's train.csv and test.csv."
        ) from error
    images, target = raw.data[part].astype(np.uint8), raw.target[part].astype(np.int64)
    samples = LoadedImages(images, target, "OpenML's mnist_784", f"\n{raw.DESCR}")
    return samples.bunch(as_frame=as_frame, return_X_y=return_X_y)
