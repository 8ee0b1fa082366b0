"""Run a training task, from the initial weights to the trained network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from skdigits.networks.trained import FitCall, TrainedNetwork
from skdigits.training import initial_weights, model_cache, schedules
from skdigits.training.callbacks import Recorder, StateKeeper
from skdigits.training.checkpoints import Checkpoint
from skdigits.training.keras_classifier import fit_through_scikeras
from skdigits.training.task import TrainingTask
from skdigits.training.tensorflow import keras

if TYPE_CHECKING:
    from skdigits.training.epoch_model import EpochModel


def train(
    task: TrainingTask,
    user_callbacks: Sequence[keras.callbacks.Callback] = (),
    make_observer: Callable[[Recorder], keras.callbacks.Callback] | None = None,
) -> TrainedNetwork:
    """Train a network.

    Parameters
    ----------
    task : TrainingTask
        The training task.
    user_callbacks : sequence of keras.callbacks.Callback, default=()
        The user's callbacks, called first. They may keep or change the model, so other fits do not
        reuse it.
    make_observer : callable, default=None
        Function that takes the `Recorder` and returns a callback. This callback is called after
        early stopping.

    Returns
    -------
    TrainedNetwork
        The trained network.
    """
    task = _prepared(task)
    recorder = Recorder(task)
    callbacks = [*user_callbacks, recorder]
    stopping = None
    if task.patience is not None:
        stopping = keras.callbacks.EarlyStopping(
            "val_loss", patience=task.patience, restore_best_weights=True
        )
        callbacks.append(stopping)
    if make_observer is not None:
        callbacks.append(make_observer(recorder))
    checkpoint = (
        None if task.checkpoint is None else Checkpoint(task.checkpoint, task, user_callbacks)
    )
    if checkpoint is not None:
        keeper = StateKeeper(checkpoint, recorder, stopping)
        callbacks.append(keeper)
        task = replace(task, n_resumed=keeper.n_resumed)
    fit = _fit if task.start.key.spec.reads_sequences else fit_through_scikeras
    with model_cache.cache.borrow(task.start.key, private=bool(user_callbacks)) as model:
        fit(model, task, callbacks)
        network = recorder.network(**model.read_state())
    if checkpoint is not None:
        checkpoint.remove()
    return network


def _prepared(task: TrainingTask) -> TrainingTask:
    """Return a copy of a task with initial weights, the learning rate, and this call of fit."""
    start = task.start
    rate = task.learning_rate
    if rate == "auto":
        architecture = start.key.spec.architecture
        rate = schedules.default_rate(start.key.optimizer, task.schedule, architecture)
        rate *= task.rate_factor
    if not start.weights:
        drawn = initial_weights.draw(start.key.spec, start.seed)
        start = replace(start, weights=drawn, raw_weights=drawn)
    call = FitCall(start.n_epochs, early_stopping=task.patience is not None)
    start = replace(start, learning_rate=float(rate), calls=(*start.calls, call))
    return replace(task, start=start, learning_rate=float(rate))


def _fit(model: EpochModel, task: TrainingTask, callbacks: list[Any]) -> None:
    model.fit(task=task, callbacks=callbacks, verbose=task.verbose)
