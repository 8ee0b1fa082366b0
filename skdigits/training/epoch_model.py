"""How a Keras model is trained fast: compiled epochs and schedules.

With `startup` and `programs` the one room that knows TensorFlow. All are imported inside
functions only, since importing them imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdigits.networks.layers import faster
from skdigits.networks.spec import NetworkSpec
from skdigits.training import plain_keras
from skdigits.training.augmentation import jitter
from skdigits.training.data import TrainingData, _Plan
from skdigits.training.plain_keras import assign, read, state_variables
from skdigits.training.schedules import OPTIMIZERS, set_rate
from skdigits.training.tensorflow import keras, tf

PREDICT_BATCH = 2048


@dataclass(frozen=True)
class Recipe:
    """How one call of `EpochModel.fit` trains.

    Parameters
    ----------
    seed : int
        Source of the order of the samples and of augmentation, in [0, 2**31).
    learning_rate : float
        Highest learning rate.
    schedule : {"averaged", "one_cycle", None}
        Course of the learning rate, and whether predictions use averaged weights.
    pixels : dtype
        Type that pixels take on the device: uint8, or that of the network.
    scale : float
        Factor by which pixels are multiplied.
    """

    seed: int
    learning_rate: float
    schedule: str | None
    pixels: np.dtype
    scale: float


# A network between two fits, as arrays: "weights" are what predicts (the trainable variables,
# then the others), "raw" what is trained on (the same unless weights are averaged), and
# "optimizer" the optimizer's variables (none before the first step).
TrainingState = dict[str, list[np.ndarray]]


class EpochModel(keras.Model):
    """A Keras model whose ``fit`` runs each epoch as one compiled loop.

    It takes flat rows of pixels rather than images: they are padded, shaped and rescaled
    batch by batch, inside the loop.
    """

    @classmethod
    def from_spec(cls, spec: NetworkSpec, optimizer: str, augment: float) -> EpochModel:
        """Build and compile the network of `spec`."""
        network = plain_keras.build(spec, replace=faster)
        model = cls(network.inputs, network.outputs)
        model._spec, model._real = spec, spec.dtype
        model.compile(
            optimizer=OPTIMIZERS[optimizer](),
            loss="sparse_categorical_crossentropy",
            jit_compile=False,  # XLA is several times slower for these convolutions on a CPU
        )
        model.optimizer.build(model.trainable_variables)
        model._blank_optimizer = read(model.optimizer.variables)
        model._average = [tf.Variable(v) for v in model._floats()]
        model._augment = augment
        model._programs = {}
        model._loaded = None
        return model

    # -- state ---------------------------------------------------------------------------

    @property
    def state_variables(self) -> list[Any]:
        """All variables of the network: the trainable ones, then the others."""
        return state_variables(self)

    def _floats(self):
        return [v for v in self.state_variables if "float" in str(v.dtype)]

    def load_state(self, state: TrainingState) -> None:
        """Take over the state of an earlier fit, or a fresh one."""
        assign(self.state_variables, state["weights"])
        assign(self._average, read(self._floats()))
        assign(self.state_variables, state["raw"])
        assign(self.optimizer.variables, state["optimizer"] or self._blank_optimizer)
        self._raw = self._loaded = None

    def read_state(self) -> TrainingState:
        """Copy the state out."""
        weights = self.read_weights()
        return {
            "weights": weights,
            "raw": weights if self._raw is None else list(self._raw),
            "optimizer": read(self.optimizer.variables),
        }

    def read_weights(self) -> list[np.ndarray]:
        """Copy the network's variables out."""
        return read(self.state_variables)

    def save(self, filepath, overwrite=True, **options):
        """Save a plain model that takes images, for callbacks such as ``ModelCheckpoint``.

        Parameters
        ----------
        filepath : str or path-like
            The file.
        overwrite : bool, default=True
            Whether to replace a file that is there.
        **options
            Further arguments of ``keras.Model.save``.
        """
        plain = plain_keras.build_trained(self._spec, self._scale, self.read_weights())
        plain.save(filepath, overwrite=overwrite, **options)

    # -- training ------------------------------------------------------------------------

    def fit(
        self,
        x,
        y,
        *,
        recipe: Recipe,
        epochs: int,
        batch_size: int,
        loss_weight=None,
        samples=None,
        validation_samples=None,
        draw: Callable[[int], tuple] | None = None,
        initial_epoch: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: int = 0,
        **unused,
    ):
        """Train for ``epochs - initial_epoch`` epochs.

        Parameters
        ----------
        x : ndarray of shape (n_samples, n_features)
            Rows of pixels.
        y : ndarray of shape (n_samples,)
            Class indices.
        recipe : Recipe
            How to train.
        epochs, initial_epoch : int
            Number of the last epoch, and of the one before the first.
        batch_size : int
            Samples per gradient step; the last batch may be shorter.
        loss_weight : ndarray of shape (n_samples,), optional
            Factor of each sample's loss. (SciKeras would round a `sample_weight` to float32.)
        samples : ndarray of int, optional
            Indices of the samples to train on; all by default.
        validation_samples : ndarray of int, optional
            Indices of the samples to evaluate after each epoch; none by default.
        draw : callable, optional
            From the number of an epoch to the samples and labels to train on in it, as many each
            time; `x`, `y` and `loss_weight` are then for validation only.
        callbacks : sequence of keras.callbacks.Callback
            Called as Keras does. Those with a hook for batches get every batch.
        verbose : int
            0 is silent, 1 a progress bar, 2 a line per epoch.
        **unused
            What SciKeras passes besides.

        Returns
        -------
        keras.callbacks.History
            Losses and accuracies per epoch.
        """
        y = self._as_labels(y)
        data = None
        if draw is not None:
            data = self._drawn(draw, initial_epoch, recipe)
            samples = np.arange(data.n_samples)
        elif samples is None:
            samples = np.arange(len(x))
        steps = -(-len(samples) // batch_size)
        chain = keras.callbacks.CallbackList(
            list(callbacks),
            add_history=True,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )
        stride = steps
        if any(map(_watches_batches, callbacks)):
            stride = 1
        elif verbose == 1:
            stride = -(-steps // 40)  # often enough for a progress bar
        if data is None:
            data = TrainingData(x, y, loss_weight, recipe.pixels, self._real)
        plan = _Plan(samples, batch_size, steps, min(stride, data.most_rows // batch_size or 1))
        self.stop_training = False
        self._scale = recipe.scale
        self.optimizer.learning_rate.assign(recipe.learning_rate)
        horizon = steps * (epochs - initial_epoch)
        chain.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            chain.on_epoch_begin(epoch)
            if draw is not None and epoch > initial_epoch:
                data = self._drawn(draw, epoch, recipe)
            progress = steps * (epoch - initial_epoch), horizon
            logs = self._epoch(data, plan, recipe, epoch, progress, chain)
            self._raw = self._swap_in_average(recipe)
            if validation_samples is not None:
                loss, accuracy = self._evaluate(recipe, validation_samples, x, y, loss_weight)
                logs |= {"val_loss": loss, "val_accuracy": accuracy}
            chain.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
            if self._raw is not None and epoch + 1 < epochs:
                assign(self.state_variables, self._raw)
        ended = self.read_weights()
        chain.on_train_end(logs)
        if any((a != b).any() for a, b in zip(ended, self.read_weights(), strict=True)):
            self._raw = None  # a callback went back to other weights: training goes on from them
        return self.history

    def _epoch(self, data, plan, recipe, epoch, progress, chain):
        order = self._order(data, plan, np.random.default_rng([recipe.seed, epoch]))
        program = self._program("train", recipe.pixels, data.n_features, recipe.schedule)
        done, horizon = progress
        total = np.zeros(2)
        for first in range(0, plan.steps, plan.stride):
            last = min(first + plan.stride, plan.steps)
            seen = min(last * plan.batch_size, len(order))
            chain.on_train_batch_begin(first)
            sums = program(
                *data.fetch(order[first * plan.batch_size : seen]),
                tf.constant([plan.batch_size, first, last], tf.int32),
                tf.constant([done + first, horizon], tf.float32),
                tf.constant([recipe.seed, epoch], tf.int32),
                tf.constant(recipe.scale, self._real),
            )
            total += np.array(sums, dtype=float)
            logs = {"accuracy": float(total[1] / seen), "loss": float(total[0] / seen)}
            chain.on_train_batch_end(last - 1, logs)
            if self.stop_training:
                break
        return logs

    def _drawn(self, draw, epoch, recipe):
        x, y = draw(epoch)
        return TrainingData(x, y, None, recipe.pixels, self._real)

    def _order(self, data, plan, rng):
        """The samples of an epoch in the order in which batches take them."""
        return plan.samples[rng.permutation(len(plan.samples))]

    def _swap_in_average(self, recipe):
        """Put the averaged weights in, as callbacks should see them; return the others."""
        if recipe.schedule != "averaged":
            return None
        raw = self.read_weights()
        assign(self._floats(), self._average)
        return raw

    def _evaluate(self, recipe, samples, x, y, loss_weight):
        """Mean loss and accuracy with the present weights."""
        losses, hits = self._judge(x, y, recipe, samples)
        weights = None if loss_weight is None else loss_weight[samples]
        # Not self.losses: that of an activity is a tensor of the program last traced.
        regular = [v for v in self.trainable_variables if v.regularizer is not None]
        penalty = sum(float(v.regularizer(v)) for v in regular)
        return float(np.average(losses, weights=weights)) + penalty, float(hits.mean())

    def _judge(self, x, y, recipe, samples):
        """Losses, and which samples are right, with the present weights."""
        probability = self._predict(x, recipe.pixels, recipe.scale, samples)
        losses = keras.losses.sparse_categorical_crossentropy(y[samples], probability).numpy()
        return losses, probability.argmax(axis=1) == y[samples]

    # -- compiled programs -----------------------------------------------------------------

    def _program(self, kind, pixels, n_features, schedule=None):
        """The compiled function for rows of this kind; traced once, for any number of them."""
        if self.input_shape[2] is None:
            n_features = None  # images of any width
        key = (kind, pixels, n_features, schedule)
        if key not in self._programs:
            rows = tf.TensorSpec([None, n_features], pixels)
            factor = tf.TensorSpec([], self._real)
            if kind != "train":
                function = self._predict_batch if kind == "predict" else self._features_of_batch()
                signature = [rows, factor]
            else:
                function = self._train_steps(schedule)
                signature = [
                    rows,
                    self._label_spec,
                    tf.TensorSpec([None], self._real),
                    tf.TensorSpec([None], tf.int32),
                    tf.TensorSpec([3], tf.int32),
                    tf.TensorSpec([2], tf.float32),
                    tf.TensorSpec([2], tf.int32),
                    factor,
                ]
            program = tf.function(function, input_signature=signature, autograph=False)
            self._programs[key] = program.get_concrete_function()
        return self._programs[key]

    def _images(self, rows, scale):
        """Rows of pixels as a batch of images: cast, rescaled, padded with zeros, shaped."""
        height, width, channels = self.input_shape[1:]
        missing = height * width * channels - rows.shape[1]
        rows = tf.cast(rows, self._real) * scale
        if missing:
            rows = tf.pad(rows, [[0, 0], [0, missing]])
        return tf.reshape(rows, [-1, height, width, channels])

    def _train_steps(self, schedule):
        """The loop over steps `first` to `last` of one epoch, whose samples are in `order`."""

        def train_steps(x, y, loss_weight, order, span, progress, seed, scale):
            batch_size, first, last = tf.unstack(span)
            start, horizon = tf.unstack(progress)
            peak = tf.identity(self.optimizer.learning_rate)

            def step(i, sums):
                begin = (i - first) * batch_size
                chosen = order[begin : begin + batch_size]
                labels = tf.gather(y, chosen)
                images = self._network_input(tf.gather(x, chosen), labels, scale)
                if self._augment:
                    draw = tf.stack([seed[0], seed[1] * 65536 + i])
                    images = jitter(images, draw, self._augment)
                number = start + tf.cast(i - first, tf.float32)
                set_rate(self.optimizer, schedule, peak, number, horizon)
                sums += self._step(images, labels, tf.gather(loss_weight, chosen))
                if schedule == "averaged":
                    self._update_average()
                return i + 1, sums

            zero = tf.zeros(2, self._real)
            _, sums = tf.while_loop(
                lambda i, _: i < last, step, [first, zero], parallel_iterations=1
            )
            self.optimizer.learning_rate.assign(peak)
            return sums

        return train_steps

    def _step(self, images, y, loss_weight):
        """One gradient step; returns the sums of losses and of right answers."""
        with tf.GradientTape() as tape:
            outputs = self(images, training=True)
            losses = tf.cast(self._sample_losses(y, outputs), self._real)
            loss = tf.reduce_mean(losses * loss_weight) + sum(self.losses)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        hits = tf.cast(self._hits(y, outputs), loss.dtype)
        return tf.stack([loss * tf.cast(tf.size(hits), loss.dtype), tf.reduce_sum(hits)])

    # -- what networks for other labels do in another way ------------------------------------

    _label_spec = tf.TensorSpec([None], tf.int32)

    def _as_labels(self, y):
        return np.asarray(y).reshape(-1)  # SciKeras makes it a column

    def _network_input(self, rows, y, scale):
        """What the network takes, from rows of pixels and their labels."""
        return self._images(rows, scale)

    def _sample_losses(self, y, outputs):
        return keras.losses.sparse_categorical_crossentropy(y, outputs)

    def _hits(self, y, outputs):
        """Which samples the network has right."""
        return tf.argmax(outputs, axis=1, output_type=tf.int32) == y

    def _update_average(self):
        """Average over about the last tenth of the steps so far, whatever their number.

        Karras et al., "Analyzing and improving the training dynamics of diffusion models"
        (2024), section 3.1: the power-function average, with exponent 9.
        """
        keep = (1 - 1 / tf.cast(self.optimizer.iterations, tf.float64)) ** 10
        for average, value in zip(self._average, self._floats(), strict=True):
            average.assign(value + tf.cast(keep, value.dtype) * (average - value))

    # -- predicting ------------------------------------------------------------------------

    def _predict_batch(self, rows, scale):
        return self(self._images(rows, scale), training=False)

    def predict_rows(
        self, weights, x: np.ndarray, pixels: np.dtype, scale: float, kind: str = "predict"
    ) -> np.ndarray:
        """Class probabilities of rows of pixels, with weights of the caller's.

        Parameters
        ----------
        weights : list of ndarray
            One per variable of `state_variables`; the list should never be changed.
        x : ndarray of shape (n_samples, n_features)
            Rows of pixels.
        pixels, scale
            As in `Recipe`.
        kind : {"predict", "features"}, default="predict"
            ``"features"`` gives what the last layer is given instead.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_features_out)
            Probabilities, or features.
        """
        self._load(weights)
        return self._predict(x, pixels, scale, kind=kind)

    def _features_of_batch(self):
        network = plain_keras.without_last_layer(self)

        def features_of_batch(rows, scale):
            features = network(self._images(rows, scale), training=False)
            return tf.reshape(features, [tf.shape(features)[0], -1])

        return features_of_batch

    def _load(self, weights):
        if self._loaded is not weights:
            assign(self.state_variables, weights)
            object.__setattr__(self, "_loaded", weights)  # Keras would wrap the list

    def _predict(self, x, pixels, scale, samples=None, kind="predict"):
        """Class probabilities, or features, with the present weights, batch by batch."""
        program = self._program(kind, pixels, x.shape[1])
        factor = tf.constant(scale, self._real)
        count = len(x) if samples is None else len(samples)
        parts = []
        for i in range(0, count, PREDICT_BATCH):
            chosen = slice(i, i + PREDICT_BATCH)
            rows = x[chosen if samples is None else samples[chosen]]
            parts.append(program(tf.constant(rows.astype(pixels, copy=False)), factor).numpy())
        return np.concatenate(parts)


def _watches_batches(callback):
    """Whether a callback has a hook of its own for training batches."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )
