"""Callbacks: Keras's, scikit-learn's, and our own, which are Keras callbacks too."""

from __future__ import annotations

import copy

from skdigits.training.tensorflow import keras


def copied(callbacks) -> list:
    """Copy a user's Keras callbacks, so that fits do not share them.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback or None
        The user's.

    Returns
    -------
    list of keras.callbacks.Callback
        The copies.

    Raises
    ------
    TypeError
        If something else is among them, or one cannot be copied.
    """
    if not callbacks:
        return []
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise TypeError(
                f"callbacks should hold Keras callbacks; got {type(callback).__name__}. "
                "scikit-learn's callbacks are set with set_callbacks()."
            )
    try:
        return copy.deepcopy(list(callbacks))
    except TypeError as error:
        raise TypeError(f"callbacks are copied for each fit; these cannot be: {error}.") from error


def stop_early(patience: int):
    """Stop when ``val_loss`` no longer improves, and go back to the best weights.

    Parameters
    ----------
    patience : int
        Epochs without improvement before stopping.

    Returns
    -------
    keras.callbacks.EarlyStopping
        The callback.
    """
    return keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)


def keep_weights(epochs, kept: dict):
    """Keep the weights at the end of epochs.

    Parameters
    ----------
    epochs : collection of int or None
        Which, from 1; None keeps all.
    kept : dict
        Where they go, by epoch.

    Returns
    -------
    keras.callbacks.Callback
        The callback.
    """

    def keep(epoch, logs):
        if epochs is None or epoch + 1 in epochs:
            kept[epoch + 1] = callback.model.read_weights()

    callback = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    return callback


def call_sklearn(estimator, n_epochs: int, fit_input, fitted):
    """Call the estimator's scikit-learn callbacks: a task for the fit, a task per epoch in it.

    Parameters
    ----------
    estimator : estimator
        With ``CallbackSupportMixin``.
    n_epochs : int
        Epochs at most.
    fit_input : tuple of X, y and sample_weight
        What ``fit`` was given.
    fitted : callable
        From weights and the number of epochs trained to the attributes that make a copy of the
        estimator predict with them.

    Returns
    -------
    keras.callbacks.Callback
        The callback.
    """
    X, y, sample_weight = fit_input
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    task = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
    root = estimator._init_callback_context(max_subtasks=n_epochs)
    epochs: list = []

    def attributes():
        return fitted(callback.model.read_weights(), len(epochs))

    def on_train_begin(logs):
        root.call_on_fit_task_begin(**task)

    def on_epoch_begin(epoch, logs):
        epochs.append(root.subcontext(task_name="epoch"))
        epochs[-1].call_on_fit_task_begin(**task)

    def on_epoch_end(epoch, logs):
        stop = epochs[-1].call_on_fit_task_end(**task, reconstruction_attributes=attributes)
        callback.model.stop_training |= stop

    def on_train_end(logs):
        root.call_on_fit_task_end(**task, reconstruction_attributes=attributes)

    callback = keras.callbacks.LambdaCallback(
        on_train_begin=on_train_begin,
        on_epoch_begin=on_epoch_begin,
        on_epoch_end=on_epoch_end,
        on_train_end=on_train_end,
    )
    return callback
