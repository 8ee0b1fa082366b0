"""MNIST from OpenML, downloaded by scikit-learn's client."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from skdigits.datasets.bunch import make_bunch, pixel_names

if TYPE_CHECKING:
    from skdigits.sklearn_compat import Bunch
    from skdigits.typing import StrPath

N_TRAIN = 60_000


@overload
def fetch_mnist(
    *,
    subset: str = ...,
    data_home: StrPath | None = ...,
    as_frame: bool = ...,
    return_X_y: Literal[False] = ...,
) -> Bunch: ...


@overload
def fetch_mnist(
    *,
    subset: str = ...,
    data_home: StrPath | None = ...,
    as_frame: bool = ...,
    return_X_y: bool = ...,
) -> Any: ...


def fetch_mnist(
    *,
    subset: str = "all",
    data_home: StrPath | None = None,
    as_frame: bool = False,
    return_X_y: bool = False,
) -> Any:
    """Download MNIST once; afterwards it is read from scikit-learn's cache.

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
        Folder of the cache; None is scikit-learn's default.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, 784), uint8; ``target`` of shape (n,), integers 0–9; ``images`` of
        shape (n, 28, 28); ``feature_names``, ``target_names``, ``frame``, ``DESCR``.

    Raises
    ------
    ValueError
        If `subset` is unknown.
    OSError
        If MNIST is not in the cache and cannot be downloaded.
    """
    from sklearn.datasets import fetch_openml  # here, as in `load_digits`

    part = {"all": slice(None), "train": slice(N_TRAIN), "test": slice(N_TRAIN, None)}
    if subset not in part:
        raise ValueError(f"subset should be one of {sorted(part)}; got {subset!r}.")
    try:
        with warnings.catch_warnings():
            # The error below says the same, and gives alternatives.
            warnings.filterwarnings("ignore", "A network error|Invalid cache")
            raw = fetch_openml(
                "mnist_784",
                version=1,
                as_frame=False,
                parser="liac-arff",
                data_home=data_home,
                n_retries=1,
                delay=0.1,
            )
    except OSError as error:
        raise OSError(
            f"MNIST could not be downloaded from OpenML ({error}). Without a network: "
            "load_digits() needs no file, load_idx(folder) reads the four files of MNIST, and "
            "load_kaggle(folder) reads Kaggle's train.csv and test.csv."
        ) from error
    return make_bunch(
        raw.data[part[subset]].astype(np.uint8),
        raw.target[part[subset]].astype(np.int64),
        image_shape=(28, 28),
        feature_names=pixel_names(784),
        descr=raw.DESCR,
        as_frame=as_frame,
        return_X_y=return_X_y,
    )
