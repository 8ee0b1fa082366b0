"""Prediction in chunks, written to a CSV file."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from skdigits.cli.console import print_error
from skdigits.cli.predict.totals import Totals
from skdigits.files import atomic_write, printable

if TYPE_CHECKING:
    from skdigits.datasets.bunch import Chunk
    from skdigits.datasets.picture_files import Cleaning
    from skdigits.typing import Estimator


def cleaning_of(estimator: Estimator) -> Cleaning | None:
    """Return the parameters of the PictureCleaner that is the first step of a Pipeline, or None."""
    from skdigits import PictureCleaner
    from skdigits.datasets.picture_files import Cleaning

    cleaner = _steps(estimator)[0]
    is_cleaner = isinstance(cleaner, PictureCleaner)
    return Cleaning(cleaner.output, cleaner.height) if is_cleaner else None


def write_predictions(
    estimator: Estimator,
    chunks: Iterator[Chunk],
    path: Path,
    *,
    reject_below: float = 0.0,
    cluster: bool = False,
) -> Totals:
    """Predict chunks of images, and write the columns ImageId and Label.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer or Pipeline that ends with one of them
        A fitted estimator. If its first step is a PictureCleaner, picture files skip this step,
        because they are cleaned when they are read.
    chunks : iterator of Chunk
        The result of `skdigits.datasets.sources.iter_chunks` with the ``cleaning`` of
        `cleaning_of`.
    path : Path
        The CSV file, which is written atomically.
    reject_below : float, default=0.0
        Labels with a lower probability are written as empty.
    cluster : bool, default=False
        Whether a cluster, set by ``joblib.parallel_config``, computes the predictions.

    Returns
    -------
    Totals
        Counts of predictions.

    Raises
    ------
    ValueError
        If the size of the images differs from that of the training images.
    """
    totals, steps = Totals(), _steps(estimator)
    with atomic_write(path, "w", newline="", encoding="utf-8") as file:
        for chunk, labels, kept in _predict_chunks(steps, chunks, reject_below, cluster):
            for problem in chunk.problems:
                print_error(problem.text)
            if chunk.names is not None:
                ink = np.array([image.any() for image in chunk.data])
                totals.n_unreadable += len(chunk.problems)
                totals.n_pages += len(chunk.pages)
                totals.n_blank += int((~ink).sum()) - len(chunk.problems) - len(chunk.pages)
                kept = kept & ink
            if chunk.names is None:  # numbers from 1, as in Kaggle's files
                names = np.arange(len(labels)) + totals.n_images + 1
            else:
                names = np.array([printable(name) for name in chunk.names])
            _write_rows(file, names, np.where(kept, labels, ""), header=not totals.n_images)
            totals.add(labels, kept, chunk.target, functools.partial(_can_give, steps[-1]))
    return totals


def _steps(estimator: Estimator) -> list[Any]:
    """Return the steps of a Pipeline and of nested pipelines, or the estimator itself."""
    from sklearn.pipeline import Pipeline

    if not isinstance(estimator, Pipeline):
        return [estimator]
    steps = (step for _, step in estimator.steps if step is not None and step != "passthrough")
    return [inner for step in steps for inner in _steps(step)]


def _can_give(estimator: Estimator, label: str) -> bool:
    """Return True if a classifier or recognizer can predict a label."""
    from skdigits import DigitClassifier

    if isinstance(estimator, DigitClassifier):
        return label in estimator.classes_.astype(str)
    return set(estimator.characters_).issuperset(label)


def _predict_chunks(
    steps: list[Any], chunks: Iterator[Chunk], reject_below: float, cluster: bool
) -> Iterator[tuple[Chunk, np.ndarray, np.ndarray]]:
    """Yield chunks, labels and masks of kept labels. A cluster gets two chunks per core at once."""
    import joblib

    # On this machine, the networks use all cores from one process.
    n_jobs = None if cluster else 1
    n_chunks = 2 * joblib.effective_n_jobs(None) if cluster else 1
    while group := list(itertools.islice(chunks, n_chunks)):
        predictions = joblib.Parallel(n_jobs, batch_size=1)(
            joblib.delayed(_predict)(*_remaining(steps, chunk), reject_below) for chunk in group
        )
        for chunk, (labels, kept) in zip(group, predictions, strict=True):
            yield chunk, labels, kept


def _remaining(steps: list[Any], chunk: Chunk) -> tuple[list[Any], Any]:
    """Return the steps that a chunk still needs, and its images in the shape that they expect."""
    from skdigits import PictureCleaner

    cleaner, images = steps[0], chunk.data
    if not isinstance(cleaner, PictureCleaner):
        return steps, images
    if chunk.names is None:  # arrays or rows of a table, not picture files
        return steps, _as_images(images)
    if cleaner.output == "digit":
        images = images.reshape(len(images), cleaner.height, cleaner.height)
    return steps[1:], images


def _as_images(rows: Any) -> Any:
    """Reshape rows of pixels to square images for a PictureCleaner."""
    side = math.isqrt(rows.shape[1]) if rows.ndim == 2 else 0
    return rows.reshape(-1, side, side) if side * side == rows[0].size else rows


def _predict(steps: list[Any], images: Any, reject_below: float) -> tuple[np.ndarray, np.ndarray]:
    *transformers, estimator = steps
    for transformer in transformers:
        images = transformer.transform(images)
    _check_size(estimator, images)
    labels, confidence = (found[:, 0] for found in estimator.predict_top_k(images, k=1))
    return labels, (confidence >= reject_below) | (reject_below == 0)  # 0 keeps NaN too


def _check_size(estimator: Estimator, images: Any) -> None:
    """Raise an error if images of single digits have a wrong size; lines can have any width."""
    from skdigits import DigitClassifier

    if isinstance(estimator, DigitClassifier) and images[0].size != estimator.n_features_in_:
        height, width, _ = estimator.image_shape_
        size = "×".join(map(str, images[0].shape))
        raise ValueError(
            f"DATA has images of {size} pixels, but the model was trained on images of "
            f"{height}×{width} pixels. Train a model on images of the same size. Picture files are "
            "converted to 28×28 pixels, as in MNIST."
        )


def _write_rows(file: TextIO, names: np.ndarray, labels: np.ndarray, header: bool) -> None:
    import pandas as pd

    table = pd.DataFrame({"ImageId": names, "Label": labels})
    table.to_csv(file, index=False, header=header, lineterminator="\n")
