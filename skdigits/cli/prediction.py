"""Predict the images of a source in chunks, and write the labels to a CSV file."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from skdigits.cli.output import print_error
from skdigits.files import atomic_write, printable


@dataclass
class Totals:
    """Counts of the predictions that were written.

    Parameters
    ----------
    n_images : int, default=0
        Images predicted.
    n_kept : int, default=0
        Predictions that were not rejected.
    n_labelled : int, default=0
        Kept predictions whose true label is known.
    n_correct : int, default=0
        Kept predictions that equal their true label.
    n_blank : int, default=0
        Pictures without ink, whose label is empty.
    n_unreadable : int, default=0
        Files that are not pictures, or damaged; their label is empty.
    """

    n_images: int = 0
    n_kept: int = 0
    n_labelled: int = 0
    n_correct: int = 0
    n_blank: int = 0
    n_unreadable: int = 0

    @property
    def accuracy(self) -> float | None:
        """Accuracy of the kept predictions; None without true labels."""
        return self.n_correct / self.n_labelled if self.n_labelled else None

    def add(self, labels, kept, target) -> None:
        """Count the predictions of a chunk.

        Parameters
        ----------
        labels : ndarray of shape (n,)
            Predicted labels.
        kept : ndarray of shape (n,), bool
            Which predictions are not rejected.
        target : ndarray of shape (n,) or None
            True labels.
        """
        self.n_images += len(labels)
        self.n_kept += int(kept.sum())
        if target is not None:
            self.n_labelled += int(kept.sum())
            self.n_correct += int((labels.astype(str) == target.astype(str))[kept].sum())


def write_predictions(estimator, chunks, path, *, reject_below=0.0) -> Totals:
    """Predict chunks of images, and write the columns ImageId and Label.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer or Pipeline of one
        A fitted estimator.
    chunks : iterator of Chunk
        As `skdigits.datasets.sources.iter_chunks` returns it.
    path : Path
        The CSV file, which is written completely or not at all.
    reject_below : float, default=0.0
        Labels with a lower probability are left empty.

    Returns
    -------
    Totals
        Counts of predictions.

    Raises
    ------
    ValueError
        If the images do not have the size of the images that the estimator was trained on.
    """
    totals = Totals()
    with atomic_write(path, "w", newline="", encoding="utf-8") as file:
        for chunk, labels, kept in _predict_chunks(estimator, chunks, reject_below):
            for problem in chunk.problems:
                print_error(problem)
            if chunk.names is not None:
                ink = np.array([image.any() for image in chunk.data])
                totals.n_unreadable += len(chunk.problems)
                totals.n_blank += int((~ink).sum()) - len(chunk.problems)
                kept = kept & ink
            if chunk.names is None:  # numbers from 1, as in Kaggle's files
                names = np.arange(len(labels)) + totals.n_images + 1
            else:
                names = np.array([printable(name) for name in chunk.names])
            _write_rows(file, names, np.where(kept, labels, ""), header=not totals.n_images)
            totals.add(labels, kept, chunk.target)
    return totals


def _predict_chunks(estimator, chunks, reject_below):
    """Yield chunks, labels and which labels are kept; on a cluster, two chunks per core at once."""
    import joblib

    n_jobs = joblib.effective_n_jobs(None)
    n_chunks = 2 * n_jobs if n_jobs > 1 else 1
    while group := list(itertools.islice(chunks, n_chunks)):
        predictions = joblib.Parallel(batch_size=1)(
            joblib.delayed(_predict)(estimator, chunk.data, reject_below) for chunk in group
        )
        for chunk, (labels, kept) in zip(group, predictions, strict=True):
            yield chunk, labels, kept


def _predict(estimator, images, reject_below):
    if hasattr(estimator, "steps"):
        images = estimator[:-1].transform(images) if len(estimator) > 1 else images
        estimator = estimator[-1]
    _check_size(estimator, images)
    labels, confidence = (found[:, 0] for found in estimator.predict_top_k(images, k=1))
    return labels, (confidence >= reject_below) | (reject_below == 0)  # NaN is kept too


def _check_size(estimator, images):
    """Raise an error if images of single digits have a wrong size; sequences may have any width."""
    from skdigits import DigitClassifier

    if isinstance(estimator, DigitClassifier) and images[0].size != estimator.n_features_in_:
        height, width, _ = estimator.image_shape_
        size = "×".join(map(str, images.shape[1:]))
        raise ValueError(
            f"The model was trained on images of {height}×{width} pixels; these have {size}. "
            "Train a model on images of this size; picture files are converted to 28×28 pixels, as "
            "in MNIST."
        )


def _write_rows(file, names, labels, header):
    import pandas as pd

    table = pd.DataFrame({"ImageId": names, "Label": labels})
    table.to_csv(file, index=False, header=header, lineterminator="\n")
