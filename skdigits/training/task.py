"""Description of a training run, without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from skdigits.networks.trained import TrainedNetwork

OPTIMIZERS = ("adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd")
SCHEDULES = ("averaged", "one_cycle")


@dataclass(frozen=True, eq=False)
class Samples:
    """Images as rows of pixels, their labels, and the indices of the images to use.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_features)
        Rows of pixels.
    y : ndarray of shape (n_samples,) or (n_samples, n_columns), int
        Class indices. For sequences, each row has the image width, the labels, then -1.
    weight : ndarray of shape (n_samples,) or None, default=None
        Factor of the loss of each sample.
    indices : ndarray of int or None, default=None
        Indices of the samples to use; None means all samples.
    others : ndarray of int, default=()
        Indices of the samples from which each epoch draws `n_others` additional samples.
    n_others : int, default=0
        Number of additional samples per epoch.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    indices: np.ndarray | None = None
    others: np.ndarray | tuple[()] = ()
    n_others: int = 0

    @property
    def n_per_epoch(self) -> int:
        """Number of samples per epoch."""
        return len(self.used()) + self.n_others

    def draw_others(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the indices of the additional samples of an epoch."""
        return rng.choice(self.others, self.n_others) if self.n_others else np.empty(0, int)

    def used(self) -> np.ndarray:
        """Return the indices of the samples to use in every epoch."""
        return np.arange(len(self.y)) if self.indices is None else self.indices


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """Everything that determines a training run.

    Parameters
    ----------
    start : TrainedNetwork
        The network that training starts from.
    draw : callable
        Function that takes the number of an epoch and returns its `Samples`. The number of samples
        is the same in all epochs.
    draws_anew : bool
        Whether `draw` returns new samples for each epoch.
    validation : Samples or None
        Samples for validation after each epoch.
    epochs : int
        Number of epochs to train.
    batch_size : int
        Samples per gradient step.
    learning_rate : float or "auto"
        Maximum learning rate; ``"auto"`` means `schedules.default_rate` multiplied by
        `rate_factor`.
    schedule : {"averaged", "one_cycle", None}
        Learning-rate schedule, and whether predictions use averaged weights.
    pixel_dtype : dtype
        Dtype of the pixels on the device: uint8, or the dtype of the network.
    patience : int or None
        Number of epochs without improvement after which training stops; None means no early
        stopping.
    keep_epochs : bool or sequence of int
        Epochs, from 1, whose weights are kept.
    verbose : int
        0 prints nothing, 1 shows a progress bar, 2 prints a line per epoch.
    rate_factor : float
        Factor of the ``"auto"`` learning rate.
    drawn_from : tuple
        Arrays and values that, together with the seed, determine the results of `draw`; empty if
        the samples are the same in each epoch.
    checkpoint : str, path-like or None
        Folder for checkpoints.
    n_resumed : int
        Number of epochs that an interrupted fit has trained; the checkpoint holds their result.
    """

    start: TrainedNetwork
    draw: Callable[[int], Samples]
    draws_anew: bool
    validation: Samples | None
    epochs: int
    batch_size: int
    learning_rate: float | str
    schedule: str | None
    pixel_dtype: np.dtype
    patience: int | None = None
    keep_epochs: bool | tuple[int, ...] = False
    verbose: int = 0
    rate_factor: float = 1.0
    drawn_from: tuple[Any, ...] = ()
    checkpoint: str | os.PathLike[str] | None = None
    n_resumed: int = 0


def split_validation(
    samples: np.ndarray, labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hold out samples for validation, with the same share of each class.

    Parameters
    ----------
    samples : ndarray of int
        Indices of the samples to divide.
    labels : ndarray of shape (n_samples,)
        Labels of all samples.
    fraction : float
        Share to hold out, in (0, 1).
    seed : int
        Seed of the random choice.

    Returns
    -------
    training, validation : ndarray of int
        The two parts of `samples`.

    Raises
    ------
    ValueError
        If there are too few samples to have all classes in both parts.
    """
    labels = labels[samples]
    try:
        training, validation = train_test_split(
            samples, test_size=fraction, stratify=labels, random_state=seed
        )
    except ValueError as error:
        raise ValueError(
            f"Cannot hold out a share of {fraction:.3g} for validation; there are {len(samples)} "
            f"samples of {len(np.unique(labels))} classes. {str(error).rstrip('.')}. Change "
            "validation_fraction, or set early_stopping=False."
        ) from error
    return training, validation
