"""How a Keras model is trained fast: compiled epochs and schedules.

With `startup` and `programs` the one room that knows TensorFlow. All are imported inside
functions only, since importing them imports TensorFlow.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skdigits.architectures import NetworkSpec
from skdigits.startup import keras, tf

OPTIMIZERS = {
    "adadelta": keras.optimizers.Adadelta,
    "adagrad": keras.optimizers.Adagrad,
    "adam": keras.optimizers.Adam,
    "adamax": keras.optimizers.Adamax,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
# Tuned for Adam on a validation split of MNIST; the other optimizers keep Keras's rate.
ADAM_RATES = {"averaged": 1e-2, "one_cycle": 1e-2}
WARM_UP_STEPS = 50
PREDICT_BATCH = 1024
# Training data up to the first size lies on the device whole; more is fetched in parts of the
# second, so that a memory-mapped array is never copied.
RESIDENT_BYTES = 2**28
PART_BYTES = 2**26


def default_rate(optimizer: str, schedule: str | None) -> float:
    """Return the learning rate that ``learning_rate="auto"`` means.

    Parameters
    ----------
    optimizer : str
        A name in ``OPTIMIZERS``.
    schedule : str or None
        A schedule of `Recipe`.

    Returns
    -------
    float
        The rate tuned for Adam with that schedule, else Keras's default for the optimizer.
    """
    if optimizer in ("adam", "adamw") and schedule is not None:
        return ADAM_RATES[schedule]
    return float(inspect.signature(OPTIMIZERS[optimizer]).parameters["learning_rate"].default)


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
    def from_spec(cls, spec: NetworkSpec, optimizer: str, augment: bool) -> EpochModel:
        """Build and compile the network of `spec`."""
        network = spec.build(replace=_faster)
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
        plain = build_keras(self._spec, self._scale, self.read_weights())
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
        y = np.asarray(y).reshape(-1)  # SciKeras makes it a column
        samples = np.arange(len(x)) if samples is None else samples
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
        data = _TrainingData(x, y, loss_weight, recipe.pixels, self._real)
        plan = _Plan(samples, batch_size, steps, min(stride, data.most_rows // batch_size or 1))
        self.stop_training = False
        self._scale = recipe.scale
        self.optimizer.learning_rate.assign(recipe.learning_rate)
        horizon = steps * (epochs - initial_epoch)
        chain.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            chain.on_epoch_begin(epoch)
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
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(plan.samples))
        order = plan.samples[order]
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

    def _swap_in_average(self, recipe):
        """Put the averaged weights in, as callbacks should see them; return the others."""
        if recipe.schedule != "averaged":
            return None
        raw = self.read_weights()
        assign(self._floats(), self._average)
        return raw

    def _evaluate(self, recipe, samples, x, y, loss_weight):
        """Mean loss and accuracy with the present weights."""
        probability = self._predict(x, recipe.pixels, recipe.scale, samples)
        losses = keras.losses.sparse_categorical_crossentropy(y[samples], probability).numpy()
        hits = probability.argmax(axis=1) == y[samples]
        weights = None if loss_weight is None else loss_weight[samples]
        penalty = float(sum(self.losses)) if self.losses else 0.0
        return float(np.average(losses, weights=weights)) + penalty, float(hits.mean())

    # -- compiled programs -----------------------------------------------------------------

    def _program(self, kind, pixels, n_features, schedule=None):
        """The compiled function for rows of this kind; traced once, for any number of them."""
        key = (kind, pixels, n_features, schedule)
        if key not in self._programs:
            rows = tf.TensorSpec([None, n_features], pixels)
            factor = tf.TensorSpec([], self._real)
            if kind == "predict":
                function, signature = self._predict_batch, [rows, factor]
            else:
                function = self._train_steps(schedule)
                signature = [
                    rows,
                    tf.TensorSpec([None], tf.int32),
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
                images = self._images(tf.gather(x, chosen), scale)
                if self._augment:
                    images = _jitter(images, tf.stack([seed[0], seed[1] * 65536 + i]))
                self._set_rate(schedule, peak, start + tf.cast(i - first, tf.float32), horizon)
                batch = images, tf.gather(y, chosen), tf.gather(loss_weight, chosen)
                sums += self._step(*batch)
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
            probability = self(images, training=True)
            losses = keras.losses.sparse_categorical_crossentropy(y, probability)
            losses = tf.cast(losses, self._real)
            loss = tf.reduce_mean(losses * loss_weight) + sum(self.losses)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        hits = tf.argmax(probability, axis=1, output_type=tf.int32) == y
        hits = tf.cast(hits, loss.dtype)
        return tf.stack([loss * tf.cast(tf.size(y), loss.dtype), tf.reduce_sum(hits)])

    def _set_rate(self, schedule, peak, step, horizon):
        if schedule == "one_cycle":
            self.optimizer.learning_rate.assign(peak * one_cycle(step / horizon))
        elif schedule == "averaged":
            step = tf.cast(self.optimizer.iterations, tf.float32) + 1
            self.optimizer.learning_rate.assign(peak * tf.minimum(1.0, step / WARM_UP_STEPS))

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

    def predict_rows(self, weights, x: np.ndarray, pixels: np.dtype, scale: float) -> np.ndarray:
        """Class probabilities of rows of pixels, with weights of the caller's.

        Parameters
        ----------
        weights : list of ndarray
            One per variable of `state_variables`; the list should never be changed.
        x : ndarray of shape (n_samples, n_features)
            Rows of pixels.
        pixels, scale
            As in `Recipe`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities.
        """
        if self._loaded is not weights:
            assign(self.state_variables, weights)
            object.__setattr__(self, "_loaded", weights)  # Keras would wrap the list
        return self._predict(x, pixels, scale)

    def _predict(self, x, pixels, scale, samples=None):
        """Class probabilities with the present weights, batch by batch."""
        program = self._program("predict", pixels, x.shape[1])
        factor = tf.constant(scale, self._real)
        count = len(x) if samples is None else len(samples)
        parts = []
        for i in range(0, count, PREDICT_BATCH):
            chosen = slice(i, i + PREDICT_BATCH)
            rows = x[chosen if samples is None else samples[chosen]]
            parts.append(program(tf.constant(rows.astype(pixels, copy=False)), factor).numpy())
        return np.concatenate(parts)


@dataclass(frozen=True)
class _Plan:
    """Which samples an epoch takes, in how many steps, and how many of them in one call."""

    samples: np.ndarray
    batch_size: int
    steps: int
    stride: int


class _TrainingData:
    """Samples, labels and weights: on the device whole, or fetched from memory in parts."""

    def __init__(self, x, y, loss_weight, pixels, real):
        if loss_weight is None:
            loss_weight = np.ones(len(y))
        self.n_features = x.shape[1]
        self._arrays = x, y, loss_weight
        self._types = pixels, np.int32, real
        row_bytes = self.n_features * pixels.itemsize
        self._resident = None
        self.most_rows = len(x)
        if len(x) * row_bytes <= RESIDENT_BYTES:
            self._resident = self._tensors(slice(None))
        else:
            self.most_rows = PART_BYTES // row_bytes

    def fetch(self, chosen):
        """Tensors of samples, labels and weights, and the indices of `chosen` in them."""
        if self._resident is not None:
            return *self._resident, tf.constant(chosen, tf.int32)
        ascending = np.argsort(chosen)  # a file is read from front to back
        ranks = np.empty_like(ascending)
        ranks[ascending] = np.arange(len(chosen))
        return *self._tensors(chosen[ascending]), tf.constant(ranks, tf.int32)

    def _tensors(self, which):
        return tuple(
            tf.constant(array[which].astype(dtype, copy=False))
            for array, dtype in zip(self._arrays, self._types, strict=True)
        )


class _MaskedDropout(keras.layers.Dropout):
    """Dropout with Keras's own random numbers, by a product instead of a choice.

    On a CPU TensorFlow's `select` takes several times as long, forwards and back.
    """

    def call(self, inputs, training=False):
        if not training or self.rate == 0 or self.noise_shape is not None:
            return super().call(inputs, training=training)
        seed = self.seed_generator.next()
        draw = tf.random.stateless_uniform(
            tf.shape(inputs), tf.cast(seed, tf.int32), dtype=inputs.dtype
        )
        kept = tf.cast(draw >= self.rate, inputs.dtype)
        return inputs * (kept / (1 - self.rate))


def _faster(layer):
    """The layer to train with in place of a layer of the same function and state."""
    if type(layer) is keras.layers.Dropout:
        return _MaskedDropout.from_config(layer.get_config())
    return layer


def build_keras(spec: NetworkSpec, scale: float, weights: list[np.ndarray]):
    """Build a plain Keras model of trained weights, from raw pixels to probabilities.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    scale : float
        Factor by which pixels are multiplied.
    weights : list of ndarray
        As in a `TrainingState`.

    Returns
    -------
    keras.Sequential
        The uncompiled model.
    """
    network = spec.build(scale)
    assign(state_variables(network), weights)
    return network


def state_variables(network) -> list:
    """List all variables of a network: the trainable ones, then the others.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    list of keras.Variable
        The variables.
    """
    return [*network.trainable_variables, *network.non_trainable_variables]


def read(variables) -> list[np.ndarray]:
    """Copy variables out.

    Parameters
    ----------
    variables : list of keras.Variable
        The variables.

    Returns
    -------
    list of ndarray
        Their values.
    """
    return [variable.numpy().copy() for variable in variables]


def assign(variables, values) -> None:
    """Copy values into variables.

    Parameters
    ----------
    variables : list of keras.Variable
        The variables.
    values : list of ndarray
        One per variable.
    """
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _watches_batches(callback):
    """Whether a callback has a hook of its own for training batches."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )


def one_cycle(progress):
    """Learning rate of the one-cycle schedule, as a share of its peak.

    Cosine from 1/25 up to 1 over the first 30 % of the steps, then down to nearly 0 (Smith and
    Topin, "Super-convergence", 2018).

    Parameters
    ----------
    progress : tensor of float
        Share of all steps taken, in [0, 1).

    Returns
    -------
    tensor of float
        Factor of the peak learning rate.
    """
    rise = 0.3
    up = 0.04 + 0.96 * (1 - tf.cos(np.pi * progress / rise)) / 2
    down = (1 + tf.cos(np.pi * (progress - rise) / (1 - rise))) / 2
    return tf.where(progress < rise, up, tf.maximum(down, 1e-3))


def _jitter(images, seed):
    """Rotate by up to 10°, zoom by up to 10 %, shift by up to 8 % of the side, all at random."""
    n, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    limits = tf.constant([np.pi / 18, 0.1, 0.08 * width, 0.08 * height], tf.float32)
    draw = tf.random.stateless_uniform([n, 4], seed, -1.0, 1.0) * limits
    angle, zoom, dx, dy = tf.unstack(draw, axis=1)
    cos, sin = tf.cos(angle) / (1 + zoom), tf.sin(angle) / (1 + zoom)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    zero = tf.zeros_like(angle)
    transform = tf.stack(
        [
            *(cos, -sin, cx - cos * cx + sin * cy + dx),
            *(sin, cos, cy - sin * cx - cos * cy + dy),
            *(zero, zero),
        ],
        axis=1,
    )
    return keras.ops.image.affine_transform(images, transform)
