"""Result of a fit as NumPy arrays, without Keras objects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skdigits.checks.pixel_ranges import PixelRange
from skdigits.networks.spec import NetworkSpec

Weights = list[np.ndarray]  # the trainable variables of a network, then the non-trainable ones


@dataclass(frozen=True)
class ProgramKey:
    """Key of a compiled training program.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    optimizer : str
        Name of an optimizer, or a Keras optimizer serialized as JSON.
    augment : float, default=0.0
        Strength of ``training.augmentation.jitter``; 0 means no jitter.
    restyle : bool, default=False
        Whether the style augmentation ``training.augmentation.restyle`` is applied.
    """

    spec: NetworkSpec
    optimizer: str
    augment: float = 0.0
    restyle: bool = False


@dataclass(frozen=True)
class FitCall:
    """A call of fit or partial_fit.

    Parameters
    ----------
    first : int
        Number of epochs trained before this call.
    early_stopping : bool
        Whether the call used early stopping, which restores the best weights.
    """

    first: int
    early_stopping: bool


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """State of a network after a fit: everything that predictions and later fits need.

    Parameters
    ----------
    key : ProgramKey
        Network, optimizer and augmentation.
    seed : int
        Seed of all random draws, in [0, 2**31).
    pixel_range : PixelRange or None
        Pixel range of the training images of the first fit; None if all images so far were blank.
    pixel_dtype : str
        Dtype in which the training images of the first fit can be stored, such as uint8.
    scale : float
        Factor by which pixels are multiplied.
    learning_rate : float
        Maximum learning rate of the last fit.
    weights : list of ndarray
        Weights for predictions; empty before the initial weights are drawn.
    raw_weights : list of ndarray
        Weights from which training continues; they differ from `weights` if `weights` are averages.
    optimizer_state : list of ndarray
        Variables of the optimizer; empty before its first step.
    history : dict of str to list of float
        Losses and accuracies per epoch; NaN for epochs in which the value is missing.
    calls : tuple of FitCall
        All calls of fit and partial_fit that trained the network.
    kept : dict of int to list of ndarray
        The number of each kept epoch, from 1, and its weights.
    """

    key: ProgramKey
    seed: int
    pixel_range: PixelRange | None = None
    pixel_dtype: str = "float32"
    scale: float = 1.0
    learning_rate: float = 0.0
    weights: Weights = field(default_factory=list)
    raw_weights: Weights = field(default_factory=list)
    optimizer_state: Weights = field(default_factory=list)
    history: dict[str, list[float]] = field(default_factory=dict)
    calls: tuple[FitCall, ...] = ()
    kept: dict[int, Weights] = field(default_factory=dict)

    @property
    def n_epochs(self) -> int:
        """Number of epochs trained."""
        return len(self.history.get("loss", []))

    def as_images(self, rows: np.ndarray) -> np.ndarray:
        """Convert rows of pixels to the input of the network.

        Parameters
        ----------
        rows : ndarray of shape (n_samples, n_features)
            Rows of pixels; they are padded with zeros if the images have more pixels.

        Returns
        -------
        ndarray of shape (n_samples, height, width, channels)
            Pixels in the dtype of the network, multiplied by `scale`.
        """
        height, width, channels = self.key.spec.image_shape
        dtype = np.dtype(self.key.spec.dtype)
        missing = (height or 1) * (width or 1) * channels - rows.shape[1]
        if missing:
            rows = np.pad(rows, [(0, 0), (0, missing)])
        scaled = np.multiply(rows, dtype.type(self.scale), dtype=dtype, casting="unsafe")
        return scaled.reshape(-1, height, width, channels)

    def extended(self, logs: list[dict[str, float]], **changes: Any) -> TrainedNetwork:
        """Return a copy with the logs of further epochs added to `history`.

        `changes` are other fields to replace.
        """
        names = dict.fromkeys([*self.history, *(name for values in logs for name in values)])
        missing = [np.nan] * self.n_epochs
        history = {
            name: [*self.history.get(name, missing), *(float(v.get(name, np.nan)) for v in logs)]
            for name in names
        }
        return replace(self, history=history, **changes)

    def at_epoch(self, epoch: int) -> TrainedNetwork:
        """Return a copy with the weights of a kept epoch, and without other kept epochs.

        With early stopping, the copy has the best weights up to this epoch.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 1; if it is greater than the number of epochs, the last epoch
            is used.

        Returns
        -------
        TrainedNetwork
            The copy.

        Raises
        ------
        ValueError
            If the weights were not kept.
        """
        last = min(epoch, self.n_epochs)
        best = self._best_epoch(last)
        if best not in self.kept:
            raise ValueError(
                f"The weights after epoch {best} were not kept; the kept epochs are "
                f"{sorted(self.kept)}. Set keep_epochs before fit."
            )
        return replace(
            self,
            weights=self.kept[best],
            raw_weights=self.kept[best],
            optimizer_state=[],
            history={name: values[:last] for name, values in self.history.items()},
            calls=tuple(call for call in self.calls if call.first < last),
            kept={},
        )

    def _best_epoch(self, last: int) -> int:
        """Return the epoch whose weights would be the result of a fit of `last` epochs."""
        call = max((call for call in self.calls if call.first < last), key=lambda c: c.first)
        if not call.early_stopping:
            return last
        losses = np.array(self.history["val_loss"][call.first : last])
        if not np.isfinite(losses).any():
            return call.first + 1  # as in Keras's EarlyStopping
        return call.first + 1 + int(np.nanargmin(losses))
