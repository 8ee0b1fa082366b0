"""Keras callbacks of a fit: recorder, checkpoints, the user's and scikit-learn's callbacks."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skdigits.networks.trained import TrainedNetwork, Weights
from skdigits.sklearn_compat import init_callback_context
from skdigits.training.checkpoints import Checkpoint, FitState
from skdigits.training.task import TrainingTask
from skdigits.training.tensorflow import keras

if TYPE_CHECKING:
    from skdigits.typing import Estimator


def copy_callbacks(callbacks: Sequence[Any]) -> list[Any]:
    """Copy a user's Keras callbacks, so that fits do not share them.

    A TypeError is raised if one of them is not a Keras callback, or cannot be copied.
    ``BackupAndRestore`` raises a ValueError.
    """
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                f"callbacks should be Keras callbacks; got {type(callback).__name__}. Set "
                "scikit-learn's callbacks with set_callbacks()."
            )
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            raise ValueError(
                "BackupAndRestore is not supported: after an interruption, the weights would "
                "differ from those of an uninterrupted fit. Set checkpoint to a folder instead, or "
                "use warm_start=True with few epochs per fit (not with early_stopping or "
                "schedule='one_cycle')."
            )
    try:
        return copy.deepcopy(list(callbacks))
    except TypeError as error:
        raise TypeError(
            f"callbacks are copied for each fit; these cannot be copied: {error}."
        ) from error


class Watch(keras.callbacks.LambdaCallback):
    """A callback that has no effect on the result; `checkpoints.digest_of` ignores it."""

    only_watches = True


class Recorder(keras.callbacks.Callback):
    """Record the metrics of all epochs, and the weights of the epochs to keep.

    Parameters
    ----------
    task : TrainingTask
        The training task.
    """

    def __init__(self, task: TrainingTask) -> None:
        super().__init__()
        self.task = task
        self.logs: list[dict[str, float]] = []
        self.kept: dict[int, Weights] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record the metrics of an epoch and, if `keep_epochs` contains it, the weights."""
        self.logs.append({name: float(value) for name, value in (logs or {}).items()})
        keep = self.task.keep_epochs
        if keep is True or (keep and epoch + 1 in keep):
            self.kept[epoch + 1] = self.model.read_weights()

    def network(self, **state: Any) -> TrainedNetwork:
        """Return the network after the epochs recorded so far.

        `state` is the weights and other fields of `TrainedNetwork`.
        """
        start = self.task.start
        return start.extended(self.logs, kept={**start.kept, **self.kept}, **state)


MOST_TIME = 0.03  # maximum share of the training time for writing checkpoints
STOPPING = ("best", "best_epoch", "wait", "stopped_epoch")  # attributes of EarlyStopping to save


class StateKeeper(keras.callbacks.Callback):
    """Write checkpoints after epochs, and resume from an existing one.

    If epochs are short, no checkpoint is written after some of them: writing takes at most the
    share `MOST_TIME` of the training time.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint of this fit.
    recorder : Recorder
        The recorder; Keras must call it before this callback.
    stopping : keras.callbacks.EarlyStopping or None
        Early stopping; Keras must call it before this callback.
    """

    def __init__(self, checkpoint: Checkpoint, recorder: Recorder, stopping: Any) -> None:
        super().__init__()
        self.checkpoint, self.recorder, self.stopping = checkpoint, recorder, stopping
        self.can_write, self.state = True, checkpoint.load()
        self._next = 0.0  # time of the next checkpoint

    @property
    def n_resumed(self) -> int:
        """Number of epochs in the checkpoint."""
        return 0 if self.state is None else len(self.state.values["logs"])

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Restore the state from the checkpoint, if there is one."""
        state = self.state
        if state is None:
            return
        self.recorder.logs, self.recorder.kept = list(state.values["logs"]), dict(state.kept)
        if self.stopping is not None:
            for name, value in state.values["stopping"].items():
                setattr(self.stopping, name, value)
            self.stopping.best_weights = state.arrays["best"] or None
        is_last = self.n_resumed == self.recorder.task.epochs
        self.model.resume(state.arrays, state.values["stopped"] or is_last)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the state, unless the last checkpoint is too recent."""
        start = time.perf_counter()
        if not self.can_write or start < self._next:
            return
        values = {"logs": self.recorder.logs, "stopped": bool(self.model.stop_training)}
        arrays = self.model.read_training_state()
        if self.stopping is not None:
            values["stopping"] = {name: getattr(self.stopping, name) for name in STOPPING}
            arrays["best"] = self.stopping.best_weights or []
        try:
            self.checkpoint.save(FitState(values, arrays, self.recorder.kept))
        except OSError as error:
            self.can_write = False
            warnings.warn(
                f"No checkpoint can be written to {self.checkpoint.folder}: {error.strerror}. "
                "Training continues without checkpoints.",
                UserWarning,
                stacklevel=2,
            )
        end = time.perf_counter()
        self._next = end + (end - start) / MOST_TIME


def call_sklearn(
    estimator: Estimator,
    fitted: dict[str, Any],
    fit_input: tuple[Any, Any, Any],
    recorder: Recorder,
) -> Any:
    """Make a Keras callback that calls the estimator's scikit-learn callbacks.

    The callbacks are notified of a task for the fit, and of a subtask per epoch.

    Parameters
    ----------
    estimator : estimator
        An estimator with ``CallbackSupportMixin``.
    fitted : dict of str to object
        Fitted attributes of the estimator. Together with ``_network``, they are sufficient to
        predict.
    fit_input : tuple of X, y and sample_weight
        Arguments of ``fit``.
    recorder : Recorder
        The recorder; Keras must call it before the new callback.

    Returns
    -------
    keras.callbacks.Callback
        The new callback.
    """
    X, y, sample_weight = fit_input
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    task = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
    root = init_callback_context(estimator, recorder.task.epochs)
    epochs: list[Any] = []

    def attributes() -> dict[str, Any]:
        return {**fitted, "_network": recorder.network(weights=recorder.model.read_weights())}

    def on_train_begin(logs: dict[str, float] | None) -> None:
        root.call_on_fit_task_begin(**task)

    def on_epoch_begin(epoch: int, logs: dict[str, float] | None) -> None:
        epochs.append(root.subcontext(task_name="epoch"))
        epochs[-1].call_on_fit_task_begin(**task)

    def on_epoch_end(epoch: int, logs: dict[str, float] | None) -> None:
        stop = epochs[-1].call_on_fit_task_end(**task, reconstruction_attributes=attributes)
        recorder.model.stop_training |= stop

    def on_train_end(logs: dict[str, float] | None) -> None:
        root.call_on_fit_task_end(**task, reconstruction_attributes=attributes)

    return keras.callbacks.LambdaCallback(
        on_train_begin=on_train_begin,
        on_epoch_begin=on_epoch_begin,
        on_epoch_end=on_epoch_end,
        on_train_end=on_train_end,
    )
