"""Any source of images, found out by looking."""

from __future__ import annotations

from pathlib import Path

from skdigits.datasets.bundled import load_digits
from skdigits.datasets.idx import find_idx, load_idx
from skdigits.datasets.kaggle import find_csv, load_kaggle
from skdigits.datasets.openml import fetch_mnist
from skdigits.datasets.pictures import SUFFIXES, find_pictures, load_pictures


def load_data(source=None, *, subset="train", as_frame=False, return_X_y=False):
    """Load images from whatever `source` is.

    Parameters
    ----------
    source : str or path-like, default=None
        None or ``"digits"`` for `load_digits`; ``"mnist"`` for `fetch_mnist`; else a file or
        folder for `load_idx`, `load_kaggle` or `load_pictures`, told apart by what is in it.
    subset : {"train", "test"}, default="train"
        ``"train"`` needs labels. The bundled digits are one set: both give all of them.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As the loader gives it.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or nothing in it that can be read.
    ValueError
        If a file is damaged.
    OSError
        If MNIST cannot be downloaded.
    """
    form = {"as_frame": as_frame, "return_X_y": return_X_y}
    if source is None or source == "digits":
        return load_digits(**form)
    if source == "mnist":
        return fetch_mnist(subset=subset, **form)
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"{source}: there is no such file or folder. Expected IDX files, CSV files or "
            "pictures, 'digits' for the bundled digits, or 'mnist' to download MNIST."
        )
    if path.is_dir():
        if find_csv(path, subset):
            return load_kaggle(path, subset=subset, **form)
        if find_idx(path, subset):
            return load_idx(path, subset=subset, **form)
        if find_pictures(path):
            return load_pictures(path, subset=subset, **form)
        name = "train" if subset == "train" else "t10k"
        raise FileNotFoundError(
            f"{path} holds nothing to read; expected {subset}.csv, {subset}.csv.gz, IDX files "
            f"such as {name}-images-idx3-ubyte.gz, or pictures."
        )
    if path.suffix.lower() in SUFFIXES:
        return load_pictures(path, subset=subset, **form)
    if "idx" in path.name:
        return load_idx(path, subset=subset, **form)
    return load_kaggle(path, subset=subset, **form)
