"""Keras models whose programs are compiled once, and whose state can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdigits.networks.trained import ProgramKey, TrainedNetwork, Weights
from skdigits.training import plain_keras
from skdigits.training.plain_keras import assign, read
from skdigits.training.schedules import make_optimizer
from skdigits.training.tensorflow import keras, tf

if TYPE_CHECKING:
    from skdigits.typing import StrPath, Tensor


class CompiledModel(keras.Model):
    """A network, its optimizer and averaged weights, and their compiled programs.

    The state (weights and variables of the optimizer) is loaded from arrays and read as arrays. The
    programs do not depend on the state.
    """

    _task: Any  # the TrainingTask of the running fit, else None
    _raw_weights: Weights | None  # set while the network holds averaged weights

    @classmethod
    def from_key(cls, key: ProgramKey) -> Self:
        """Build and compile a network; its weights are arbitrary."""
        network = plain_keras.build(key.spec, faster=True)
        model = cls(network.inputs, network.outputs)
        model.dtype_policy = key.spec.dtype  # instead of Keras's global policy
        model._key, model._float_dtype = key, key.spec.dtype
        model.compile(
            optimizer=make_optimizer(key.optimizer),
            loss=plain_keras.LOSS,
            jit_compile=False,  # XLA is several times slower for these convolutions on a CPU
        )
        model.optimizer.build(model.trainable_variables)
        model._blank_optimizer = read(model.optimizer.variables)
        model._average = [tf.Variable(v) for v in model._float_variables()]
        model._programs = {}
        model._loaded = None
        return model

    # -- state ---------------------------------------------------------------------------

    @property
    def state_variables(self) -> list[Any]:
        """All variables of the network: the trainable ones, then the non-trainable ones."""
        return plain_keras.state_variables(self)

    def _float_variables(self) -> list[Any]:
        return [v for v in self.state_variables if "float" in str(v.dtype)]

    def load_state(self, network: TrainedNetwork) -> None:
        """Load weights and variables of the optimizer from a network with weights."""
        assign(self.state_variables, network.weights)
        assign(self._average, read(self._float_variables()))
        assign(self.state_variables, network.raw_weights)
        assign(self.optimizer.variables, network.optimizer_state or self._blank_optimizer)
        self._raw_weights = self._loaded = None

    def read_state(self) -> dict[str, Weights]:
        """Return a copy of the state, as fields of `TrainedNetwork`."""
        self._task = None  # an idle model should not keep a user's samples
        weights = self.read_weights()
        return {
            "weights": weights,
            "raw_weights": weights if self._raw_weights is None else list(self._raw_weights),
            "optimizer_state": read(self.optimizer.variables),
        }

    def read_weights(self) -> Weights:
        """Return a copy of the network's variables."""
        return read(self.state_variables)

    def read_training_state(self) -> dict[str, Weights]:
        """Return a copy of all variables after an epoch, for `resume`.

        Returns
        -------
        dict of str to list of ndarray
            ``weights`` (of the network), ``raw_weights`` (empty if the weights are not averages),
            ``average`` (averaged weights) and ``optimizer`` (variables of the optimizer).
        """
        return {
            "weights": self.read_weights(),
            "raw_weights": list(self._raw_weights or []),
            "average": read(self._average),
            "optimizer": read(self.optimizer.variables),
        }

    def resume(self, state: dict[str, Weights], stopped: bool) -> None:
        """Restore the state of an earlier epoch when training begins.

        Parameters
        ----------
        state : dict of str to list of ndarray
            Result of `read_training_state`.
        stopped : bool
            Whether training ended after that epoch.
        """
        self._raw_weights = list(state["raw_weights"]) or None
        weights = self._raw_weights if self._raw_weights and not stopped else state["weights"]
        assign(self.state_variables, weights)
        assign(self._average, state["average"])
        assign(self.optimizer.variables, state["optimizer"])
        self.stop_training = stopped

    def save(self, filepath: StrPath, overwrite: bool = True, **options: Any) -> None:
        """Save a plain model that accepts images, for callbacks such as ``ModelCheckpoint``.

        The parameters are those of ``keras.Model.save``.
        """
        network = replace(self._task.start, weights=self.read_weights())
        plain_keras.build_trained(network).save(filepath, overwrite=overwrite, **options)

    # -- compiled programs -----------------------------------------------------------------

    def _program(
        self, key: Hashable, make_function: Callable[[], Callable[..., Any]], signature: list[Any]
    ) -> Callable[..., Any]:
        """Return the compiled function of a key; it is traced on first use."""
        if key not in self._programs:
            program = tf.function(make_function(), input_signature=signature, autograph=False)
            self._programs[key] = program.get_concrete_function()
        return self._programs[key]

    def compute(
        self, weights: Weights, images: np.ndarray, *, features: bool = False
    ) -> np.ndarray:
        """Compute the output of the network with the given weights.

        Parameters
        ----------
        weights : list of ndarray
            An array per variable of `state_variables`; the list must never be modified.
        images : ndarray of shape (n, height, width, channels)
            Pixels in the dtype of the network, multiplied by its scale.
        features : bool, default=False
            Whether to compute the input of the last layer, flattened to rows.

        Returns
        -------
        ndarray of shape (n, …)
            The output, or features.
        """
        if self._loaded is not weights:
            assign(self.state_variables, weights)
            object.__setattr__(self, "_loaded", weights)  # Keras's __setattr__ would wrap the list
        return self._output_program(features)(tf.constant(images)).numpy()

    def _output_program(self, features: bool = False) -> Callable[..., Any]:
        """Return the compiled function that maps a batch of images to the output or to features."""

        def make_output() -> Callable[..., Any]:
            return lambda images: self(images, training=False)

        def make_features() -> Callable[..., Any]:
            network = plain_keras.without_last_layer(self)

            def features_of(images: Tensor) -> Tensor:
                found = network(images, training=False)
                return tf.reshape(found, [tf.shape(found)[0], -1])

            return features_of

        images = tf.TensorSpec([None, *self._key.spec.image_shape], self._float_dtype)
        make, key = (make_features, "features") if features else (make_output, "output")
        return self._program(key, make, [images])
