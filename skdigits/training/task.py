"""Description of a training; without TensorFlow."""

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
    """Images as rows of pixels, their labels, and which of them to use.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_features)
        Rows of pixels.
    y : ndarray of shape (n_samples,) or (n_samples, n_columns), int
        Class indices; for sequences, rows with the width of the image, the digits, then -1.
    weight : ndarray of shape (n_samples,) or None, default=None
        Factor of each sample's loss.
    indices : ndarray of int or None, default=None
        Indices of the samples to use; None means all.
    others : ndarray of int, default=()
        Pool from which each epoch draws `n_others` additional samples.
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
        """Number of samples that an epoch uses."""
        return len(self.used()) + self.n_others

    def draw_others(self, rng: np.random.Generator) -> np.ndarray:
        """Draw the additional samples of one epoch.

        Parameters
        ----------
        rng : numpy.random.Generator
            Random generator; not used without additional samples.

        Returns
        -------
        ndarray of int
            Indices of `n_others` samples.
        """
        return rng.choice(self.others, self.n_others) if self.n_others else np.empty(0, int)

    def used(self) -> np.ndarray:
        """Return the indices of the samples to use.

        Returns
        -------
        ndarray of int
            All samples if `indices` is None.
        """
        return np.arange(len(self.y)) if self.indices is None else self.indices


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """Everything that determines a training.

    Parameters
    ----------
    start : TrainedNetwork
        The network from which training starts, with the key of the program.
    draw : callable
        Function from the number of an epoch to its `Samples`; the number of samples is constant.
    draws_anew : bool
        Whether each epoch has new samples.
    validation : Samples or None
        Samples to evaluate after each epoch.
    epochs : int
        Number of epochs to train.
    batch_size : int
        Samples per gradient step.
    learning_rate : float or "auto"
        Maximum learning rate; ``"auto"`` is `schedules.default_rate`, times `rate_factor`.
    schedule : {"averaged", "one_cycle", None}
        Learning-rate schedule, and whether predictions use averaged weights.
    pixel_dtype : dtype
        Type of the pixels on the device: uint8, or that of the network.
    patience : int or None
        Epochs without improvement before stopping early; None does not stop early.
    keep_epochs : bool or sequence of int
        Epochs, from 1, whose weights are kept.
    verbose : int
        0 is silent, 1 a progress bar, 2 a line per epoch.
    rate_factor : float
        Factor of the default learning rate.
    drawn_from : tuple
        Arrays and values that determine, with the seed, the result of `draw`; empty if it is
        constant.
    checkpoint : str, path-like or None
        Folder for the state after each epoch.
    n_resumed : int
        Number of epochs that are already trained; the checkpoint holds their state.
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
        Seed of the choice.

    Returns
    -------
    training, validation : ndarray of int
        The two parts of `samples`.

    Raises
    ------
    ValueError
        If there are too few samples for all classes to be in both parts.
    """
    labels = labels[samples]
    try:
        training, validation = train_test_split(
            samples, test_size=fraction, stratify=labels, random_state=seed
        )
    except ValueError as error:
        raise ValueError(
            f"A validation set of {fraction:.3g} of {len(samples)} samples of "
            f"{len(np.unique(labels))} classes cannot be set aside: {error} Change "
            "validation_fraction, or set early_stopping=False."
        ) from error
    return training, validation
