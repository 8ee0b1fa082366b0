"""The description of a training; without TensorFlow."""

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
        Class indices; for sequences rows of the width of the image, the digits, then -1.
    weight : ndarray of shape (n_samples,) or None, default=None
        Factor of each sample's loss.
    indices : ndarray of int or None, default=None
        Which samples to use; None is all.
    others : ndarray of int, default=()
        Samples of which each epoch uses some more.
    n_others : int, default=0
        How many of them.
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
        """Draw the samples that one epoch uses besides those that every epoch uses.

        Parameters
        ----------
        rng : numpy.random.Generator
            Random generator, not used where there are none.

        Returns
        -------
        ndarray of int
            Indices of `n_others` samples.
        """
        return rng.choice(self.others, self.n_others) if self.n_others else np.empty(0, int)

    def used(self) -> np.ndarray:
        """Indices of the samples to use.

        Returns
        -------
        ndarray of int
            All of them where `indices` is None.
        """
        return np.arange(len(self.y)) if self.indices is None else self.indices


@dataclass(frozen=True, eq=False)
class TrainingTask:
    """Everything that determines a training.

    Parameters
    ----------
    start : TrainedNetwork
        The network that training starts from, with the key of the program to use.
    draw : callable
        Function from the number of an epoch to its `Samples`; their number is always the same.
    draws_anew : bool
        Whether each epoch has new samples.
    validation : Samples or None
        Samples that are evaluated after each epoch.
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
        Arrays and values that determine, with the seed, what `draw` returns; empty where it always
        returns the same.
    checkpoint : str, path-like or None
        Folder for the state after each epoch.
    n_resumed : int
        How many of the epochs were trained before; their state is in the checkpoint.
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
    """Hold samples out for validation, the same share of each class.

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
        `samples`, divided.

    Raises
    ------
    ValueError
        If there are too few samples for every class to be on both sides.
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
