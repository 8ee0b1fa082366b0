"""The network "compact" trained by other libraries, each as a scikit-learn estimator.

All estimators accept float32 images of shape (n, height, width, 1) with values from 0 to 1. They
train with Adam at Keras's default learning rate. Each library is used as its documentation shows.
"""

from __future__ import annotations

import contextlib
import io
import secrets
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skdigits.networks.spec import NetworkSpec
from skdigits.training.plain_keras import build
from skdigits.training.tensorflow import keras

LOSS = "sparse_categorical_crossentropy"


def network(image_shape, n_classes, architecture="compact"):
    """Build the network with new random weights."""
    spec = NetworkSpec.of(architecture, image_shape, n_classes, (), "float32")
    return build(spec, seed=secrets.randbelow(2**31))


def compiled(image_shape, n_classes):
    model = network(image_shape, n_classes)
    # On a CPU, jit_compile="auto" means no XLA either.
    model.compile("adam", LOSS, metrics=["accuracy"], jit_compile=False)
    return model


class BareKeras(ClassifierMixin, BaseEstimator):
    """Bare ``keras.Model.fit``; the model is built and compiled only once."""

    def __init__(self, image_shape, n_classes, epochs=1, batch_size=32):
        self.image_shape = image_shape
        self.n_classes = n_classes
        self.epochs = epochs
        self.batch_size = batch_size

    def prepare(self):
        """Set new random weights and reset the optimizer; the first call builds the model."""
        if not hasattr(self, "model_"):
            self.model_ = compiled(self.image_shape, self.n_classes)
            self.model_.optimizer.build(self.model_.trainable_variables)
            self.initial_ = [v.numpy() for v in self.model_.optimizer.variables]
        self.model_.set_weights(network(self.image_shape, self.n_classes).get_weights())
        for variable, value in zip(self.model_.optimizer.variables, self.initial_, strict=True):
            variable.assign(value)
        return self

    def fit(self, X, y):
        self.model_.fit(X, y, epochs=self.epochs, batch_size=self.batch_size, verbose=0)
        return self

    def predict(self, X):
        return self.model_.predict(X, verbose=0).argmax(axis=1)


def scikeras(image_shape, n_classes, epochs=1, batch_size=32):
    from scikeras.wrappers import KerasClassifier

    # A function as in SciKeras's documentation, because clones deep-copy the parameters.
    build = partial(compiled, image_shape, n_classes)
    return KerasClassifier(model=build, epochs=epochs, batch_size=batch_size, verbose=0)


def keras_wrapper(image_shape, n_classes, epochs=1, batch_size=32):
    """Make the network with Keras's scikit-learn wrapper, which gets flat rows."""

    def build(X, y):
        model = network(image_shape, n_classes)
        front = [keras.Input((X.shape[1],)), keras.layers.Reshape(image_shape)]
        model = keras.Sequential([*front, model])
        model.compile("adam", "categorical_crossentropy", jit_compile=False)
        return model

    class Flat(keras.wrappers.SKLearnClassifier):
        def fit(self, X, y):
            fit_arguments = {"epochs": epochs, "batch_size": batch_size, "verbose": 0}
            return super().fit(X.reshape(len(X), -1), y, **fit_arguments)

        def predict(self, X):
            with contextlib.redirect_stdout(io.StringIO()):  # hides the progress bar
                return super().predict(X.reshape(len(X), -1))

    return Flat(model=build)


def skorch(image_shape, n_classes, epochs=1, batch_size=32):
    """Make the network in PyTorch; return None if PyTorch or skorch is missing."""
    try:
        import torch
        from skorch import NeuralNetClassifier
    except ImportError:
        return None
    from torch import nn

    side = max(image_shape[0], 28)
    module = nn.Sequential(
        nn.Upsample((side, side), mode="bilinear") if side > image_shape[0] else nn.Identity(),
        nn.Conv2d(1, 4, 5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.1),
        nn.Conv2d(4, 4, 5),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * (side // 2 - 4) ** 2, n_classes),
    )
    for layer in module:
        if hasattr(layer, "weight"):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    class Images(NeuralNetClassifier):
        def fit(self, X, y):
            return super().fit(channels_first(X), y)

        def predict(self, X):
            return super().predict(channels_first(X))

    def channels_first(X):
        return np.ascontiguousarray(X.transpose(0, 3, 1, 2))

    return Images(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=epochs,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
