"""Train through SciKeras's ``KerasClassifier``.

SciKeras takes the compiled model, checks that images and labels match, encodes the labels, and
calls ``model.fit`` with batch size, callbacks and verbosity. After training, it provides users with
a fitted ``KerasClassifier``. `EpochModel.fit`, which SciKeras calls, handles compiled epochs,
schedules, validation and sample weights. `DigitClassifier` handles parameters, labels and random
state.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scikeras.wrappers import KerasClassifier

from skdigits.training import plain_keras, schedules
from skdigits.training.task import OPTIMIZERS, TrainingTask

if TYPE_CHECKING:
    from skdigits.networks.trained import TrainedNetwork
    from skdigits.training.epoch_model import EpochModel


def fit_through_scikeras(model: EpochModel, task: TrainingTask, callbacks: list[Any]) -> None:
    """Train a compiled model on the samples of a task, which are the same in each epoch."""
    samples = task.draw(task.start.n_epochs)
    n_classes = task.start.key.spec.n_outputs
    # SciKeras learns the classes from the labels of samples, which may lack some classes.
    one_of_each = np.zeros((n_classes, samples.x.shape[1]), samples.x.dtype)
    classifier = KerasClassifier(
        model=model,
        loss=plain_keras.LOSS,
        batch_size=task.batch_size,
        callbacks=callbacks,
        verbose=task.verbose,
        warm_start=True,
    ).initialize(one_of_each, np.arange(n_classes))
    # The model gets images and labels from SciKeras, and everything else from the task.
    others = replace(samples, x=samples.x[:0], y=samples.y[:0])
    classifier.fit(samples.x, samples.y, task=replace(task, draw=lambda epoch: others))


def make_fitted(
    network: TrainedNetwork, classes: np.ndarray, image_shape: tuple[int, ...], *, epochs: int
) -> Any:
    """Make a fitted ``KerasClassifier`` of a trained network.

    Parameters
    ----------
    network : TrainedNetwork
        The network.
    classes : ndarray of shape (n_classes,)
        Labels of the classes.
    image_shape : tuple of int
        Height, width and channels of the images.
    epochs : int
        Value of the estimator's parameter `epochs`.

    Returns
    -------
    scikeras.wrappers.KerasClassifier
        The estimator, with a separate Keras model that accepts images.
    """
    model = plain_keras.build_trained(network)
    optimizer = schedules.make_optimizer(network.key.optimizer)
    optimizer.learning_rate.assign(network.learning_rate)
    model.compile(optimizer, plain_keras.LOSS, metrics=["accuracy"], jit_compile=False)
    # SciKeras later accepts only images that can be cast to the dtype of these images.
    blank = np.zeros((len(classes), *image_shape), np.float64)
    name = network.key.optimizer if network.key.optimizer in OPTIMIZERS else optimizer
    classifier = KerasClassifier(
        model=model, loss=plain_keras.LOSS, optimizer=name, epochs=epochs, verbose=0
    ).initialize(blank, classes)
    classifier.history_ = copy.deepcopy(network.history)
    return classifier
