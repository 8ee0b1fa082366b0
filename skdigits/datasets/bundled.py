"""The digits bundled with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from skdigits.datasets.bunch import LoadedImages

if TYPE_CHECKING:
    from skdigits.sklearn_compat import Bunch

NOTE = """
Handwritten digits of 13 people, with 8×8 pixels: the test part of the UCI data set "Optical
Recognition of Handwritten Digits" of 1998. Its pixels 0–16 are rescaled to bytes 0–255.
"""


@overload
def load_digits(*, as_frame: bool = ..., return_X_y: Literal[False] = ...) -> Bunch: ...


@overload
def load_digits(
    *, as_frame: Literal[False] = ..., return_X_y: Literal[True]
) -> tuple[np.ndarray, np.ndarray]: ...


@overload
def load_digits(*, as_frame: bool = ..., return_X_y: bool = ...) -> Any: ...


def load_digits(*, as_frame: bool = False, return_X_y: bool = False) -> Any:
    """Load the 8×8 digits bundled with scikit-learn, as bytes; nothing is downloaded.

    =================   ==============
    Classes                         10
    Samples per class             ~180
    Samples total                 1797
    Features                        64
    Values                integers 0–255
    Source              UCI, through scikit-learn
    =================   ==============

    Parameters
    ----------
    as_frame, return_X_y : bool, default=False
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`; ``data`` has the shape (1797, 64), ``target`` has integers 0–9.

    Examples
    --------
    >>> from skdigits.datasets import load_digits
    >>> load_digits().images.shape
    (1797, 8, 8)
    """
    from sklearn import datasets  # imported here, so that predicting a picture starts quickly

    bundled = datasets.load_digits()
    images = np.rint(bundled.data * (255 / 16)).astype(np.uint8)
    samples = LoadedImages(images, bundled.target.astype(np.int64), "scikit-learn's digits", NOTE)
    return samples.bunch(as_frame=as_frame, return_X_y=return_X_y)
