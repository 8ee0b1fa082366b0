"""Keras models that train and predict in compiled loops over rows of pixels."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.networks.trained import ProgramKey, TrainedNetwork, Weights
from skdigits.training import plain_keras
from skdigits.training.augmentation import augmented
from skdigits.training.data import TrainingData
from skdigits.training.plain_keras import assign, read
from skdigits.training.schedules import make_optimizer, set_rate
from skdigits.training.task import Samples, TrainingTask
from skdigits.training.tensorflow import keras, tf

if TYPE_CHECKING:
    from skdigits.typing import StrPath, Tensor

PREDICT_BATCH = 2048
PROGRESS_UPDATES = 40  # of a progress bar per epoch


@dataclass(frozen=True)
class _EpochPlan:
    """How the samples of an epoch are taken; `indices` are those that are in every one."""

    indices: np.ndarray
    batch_size: int
    n_steps: int
    steps_per_call: int
    first_epoch: int
    horizon: int


class EpochModel(keras.Model):
    """A Keras model whose ``fit`` runs each epoch as one compiled loop.

    Its input is flat rows of pixels rather than images: they are padded, shaped and rescaled
    batch by batch, inside the loop.
    """

    _task: Any  # the TrainingTask of the fit that runs, else None
    _raw_weights: Weights | None  # where the variables of the network are averages

    @classmethod
    def from_key(cls, key: ProgramKey) -> EpochModel:
        """Build and compile a network.

        Parameters
        ----------
        key : ProgramKey
            Network, optimizer and augmentation.

        Returns
        -------
        EpochModel
            With arbitrary weights.
        """
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
        """All variables of the network: the trainable ones, then the others."""
        return plain_keras.state_variables(self)

    def _float_variables(self) -> list[Any]:
        return [v for v in self.state_variables if "float" in str(v.dtype)]

    def load_state(self, network: TrainedNetwork) -> None:
        """Load the state of a network.

        Parameters
        ----------
        network : TrainedNetwork
            With weights.
        """
        assign(self.state_variables, network.weights)
        assign(self._average, read(self._float_variables()))
        assign(self.state_variables, network.raw_weights)
        assign(self.optimizer.variables, network.optimizer_state or self._blank_optimizer)
        self._raw_weights = self._loaded = None

    def read_state(self) -> dict[str, Weights]:
        """Return a copy of the state.

        Returns
        -------
        dict of str to list of ndarray
            Fields of `TrainedNetwork`.
        """
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
            Variables of the network, the raw ones if those are averages, averages, and variables of
            the optimizer.
        """
        return {
            "weights": self.read_weights(),
            "raw_weights": list(self._raw_weights or []),
            "average": read(self._average),
            "optimizer": read(self.optimizer.variables),
        }

    def resume(self, state: dict[str, Weights], stopped: bool) -> None:
        """Go on with a fit from the state after an epoch; called when training begins.

        Parameters
        ----------
        state : dict of str to list of ndarray
            Result of `read_training_state`.
        stopped : bool
            Whether training had ended after it.
        """
        self._raw_weights = list(state["raw_weights"]) or None
        weights = self._raw_weights if self._raw_weights and not stopped else state["weights"]
        assign(self.state_variables, weights)
        assign(self._average, state["average"])
        assign(self.optimizer.variables, state["optimizer"])
        self.stop_training = stopped

    def save(self, filepath: StrPath, overwrite: bool = True, **options: Any) -> None:
        """Save a plain model that accepts images, for callbacks such as ``ModelCheckpoint``.

        Parameters
        ----------
        filepath : str or path-like
            The file.
        overwrite : bool, default=True
            Whether to replace an existing file.
        **options
            Further arguments of ``keras.Model.save``.
        """
        network = replace(self._task.start, weights=self.read_weights())
        plain_keras.build_trained(network).save(filepath, overwrite=overwrite, **options)

    # -- training ------------------------------------------------------------------------

    def fit(
        self,
        x: np.ndarray | None = None,
        y: Any = None,
        *,
        task: TrainingTask,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: int = 0,
        **unused: Any,
    ) -> Any:
        """Train from the first to the last epoch of a task.

        Parameters
        ----------
        x, y : ndarray, optional
            Rows of pixels and labels from SciKeras, instead of those of the task.
        task : TrainingTask
            The training task.
        callbacks : sequence of keras.callbacks.Callback
            Called as by Keras. Callbacks with methods for batches are called for every batch.
        verbose : int
            0 is silent, 1 a progress bar where one can be drawn, 2 a line per epoch.
        **unused
            Other arguments that SciKeras passes.

        Returns
        -------
        keras.callbacks.History
            Losses and accuracies per epoch.
        """
        self._task = task
        self.load_state(task.start)
        first = task.start.n_epochs
        epochs = range(first + task.n_resumed, first + task.epochs)
        samples = task.draw(epochs.start)
        if x is not None:
            samples = replace(samples, x=x, y=y.reshape(-1))  # SciKeras makes y a column
        data = self._training_data(samples)
        if verbose == 1 and not _draws_bars(sys.stdout):
            verbose = 2
        plan = self._plan(data, callbacks, verbose)
        chain = keras.callbacks.CallbackList(
            list(callbacks),
            add_history=True,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=first + task.epochs,
            steps=plan.n_steps,
        )
        self.stop_training = False
        self.optimizer.learning_rate.assign(float(np.float32(task.learning_rate)))
        logs = {}
        chain.on_train_begin()
        with closing(self._draws(data, epochs)) as draws:
            for epoch, data in draws if not self.stop_training else ():
                chain.on_epoch_begin(epoch)
                logs = self._run_epoch(data, plan, epoch, chain)
                self._raw_weights = self._swap_in_average()
                if task.validation is not None:
                    logs |= self._evaluate(task.validation)
                chain.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
                if self._raw_weights is not None and epoch + 1 in epochs:
                    assign(self.state_variables, self._raw_weights)
        self._end_training(chain, logs)
        return self.history

    def _draws(
        self, data: TrainingData, epochs: range
    ) -> Generator[tuple[int, TrainingData], None, None]:
        """Yield each epoch with its data; that of the next one is drawn while one is trained."""
        with ThreadPoolExecutor(1) as thread:
            for epoch in epochs:
                drawn = None
                if self._task.draws_anew and epoch + 1 in epochs:
                    drawn = thread.submit(self._task.draw, epoch + 1)
                yield epoch, data
                if drawn is not None:
                    data = self._training_data(drawn.result())

    def _training_data(self, samples: Samples) -> TrainingData:
        return TrainingData(samples, self._task.pixel_dtype, self._float_dtype)

    def _plan(self, data: TrainingData, callbacks: Sequence[Any], verbose: int) -> _EpochPlan:
        task, indices = self._task, data.samples.used()
        n_steps = -(-data.samples.n_per_epoch // task.batch_size)
        steps_per_call = data.steps_per_call(n_steps, task.batch_size)
        if any(map(_watches_batches, callbacks)):
            steps_per_call = 1
        elif verbose == 1:
            steps_per_call = min(steps_per_call, -(-n_steps // PROGRESS_UPDATES))
        return _EpochPlan(
            indices=indices,
            batch_size=task.batch_size,
            n_steps=n_steps,
            steps_per_call=steps_per_call,
            first_epoch=task.start.n_epochs,
            horizon=n_steps * task.epochs,
        )

    def _run_epoch(
        self, data: TrainingData, plan: _EpochPlan, epoch: int, chain: Any
    ) -> dict[str, float]:
        """Train on the samples of one epoch; return its loss and accuracy."""
        task = self._task
        order = self._order(data, plan, np.random.default_rng([task.start.seed, epoch]))
        program = self._training_program(task.pixel_dtype, data.n_features, task.schedule)
        done = plan.n_steps * (epoch - plan.first_epoch)
        total = np.zeros(2)
        for first in range(0, plan.n_steps, plan.steps_per_call):
            last = min(first + plan.steps_per_call, plan.n_steps)
            seen = min(last * plan.batch_size, len(order))
            chain.on_train_batch_begin(first)
            sums = program(
                *data.fetch(order[first * plan.batch_size : seen]),
                tf.constant([plan.batch_size, first, last], tf.int32),
                tf.constant([done + first, plan.horizon], tf.float32),
                tf.constant([task.start.seed, epoch], tf.int32),
                tf.constant(task.start.scale, self._float_dtype),
            )
            total += np.array(sums, dtype=float)
            logs = {"accuracy": float(total[1] / seen), "loss": float(total[0] / seen)}
            chain.on_train_batch_end(last - 1, logs)
            if self.stop_training:
                break
        return logs

    def _order(self, data: TrainingData, plan: _EpochPlan, rng: np.random.Generator) -> np.ndarray:
        """The samples of an epoch in the order in which batches take them."""
        indices = np.concatenate([plan.indices, data.samples.draw_others(rng)])
        return indices[rng.permutation(len(indices))]

    def _swap_in_average(self) -> Weights | None:
        """Load the averaged weights, which callbacks should see; return the raw weights."""
        if self._task.schedule != "averaged":
            return None
        raw = self.read_weights()
        assign(self._float_variables(), self._average)
        return raw

    def _end_training(self, chain: Any, logs: dict[str, float]) -> None:
        """End the callbacks; if one restores other weights, training continues from those."""
        ended = self.read_weights()
        chain.on_train_end(logs)
        if any((a != b).any() for a, b in zip(ended, self.read_weights(), strict=True)):
            self._raw_weights = None

    def _evaluate(self, samples: Samples) -> dict[str, float]:
        """Mean loss and accuracy of validation samples with the current weights."""
        losses, correct = self._losses_and_correct(samples)
        weights = None if samples.weight is None else samples.weight[samples.used()]
        # Not self.losses: that of an activity is a tensor of the program last traced.
        regular = [v for v in self.trainable_variables if v.regularizer is not None]
        penalty = sum(float(v.regularizer(v)) for v in regular)
        loss = float(np.average(losses, weights=weights)) + penalty
        return {"val_loss": loss, "val_accuracy": float(correct.mean())}

    def _losses_and_correct(self, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
        """Losses of samples, and which are predicted correctly, with the current weights."""
        y, probability = samples.y[samples.used()], self._predict(samples)
        losses = keras.losses.sparse_categorical_crossentropy(y, probability).numpy()
        return losses, probability.argmax(axis=1) == y

    # -- compiled programs -----------------------------------------------------------------

    def _training_program(
        self, pixel_dtype: np.dtype, n_features: int | None, schedule: str | None
    ) -> Callable[..., Any]:
        """The compiled steps for rows of this kind; traced once, for any number of them."""
        if self._key.spec.reads_sequences:
            n_features = None  # images of any width
        signature = [
            tf.TensorSpec([None, n_features], pixel_dtype),
            self._label_spec,
            tf.TensorSpec([None], self._float_dtype),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([3], tf.int32),
            tf.TensorSpec([2], tf.float32),
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([], self._float_dtype),
        ]
        key = (pixel_dtype, n_features, schedule)
        return self._program(key, lambda: self._train_steps(schedule), signature)

    def _program(
        self, key: Hashable, make_function: Callable[[], Callable[..., Any]], signature: list[Any]
    ) -> Callable[..., Any]:
        """The compiled function of a key; made and traced once."""
        if key not in self._programs:
            program = tf.function(make_function(), input_signature=signature, autograph=False)
            self._programs[key] = program.get_concrete_function()
        return self._programs[key]

    def _images(self, rows: Tensor, scale: Tensor) -> Tensor:
        """Rows of pixels as a batch of images: cast, rescaled, padded with zeros, shaped."""
        height, width, channels = self.input_shape[1:]
        missing = height * width * channels - rows.shape[1]
        rows = tf.cast(rows, self._float_dtype) * scale
        if missing:
            rows = tf.pad(rows, [[0, 0], [0, missing]])
        return tf.reshape(rows, [-1, height, width, channels])

    def _train_steps(self, schedule: str | None) -> Callable[..., Any]:
        """The loop over steps `first` to `last` of one epoch, whose samples are in `order`."""

        def train_steps(
            x: Tensor,
            y: Tensor,
            weight: Tensor,
            order: Tensor,
            span: Tensor,
            progress: Tensor,
            seed: Tensor,
            scale: Tensor,
        ) -> Tensor:
            batch_size, first, last = tf.unstack(span)
            start, horizon = tf.unstack(progress)
            peak = tf.identity(self.optimizer.learning_rate)

            def step(i: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
                begin = (i - first) * batch_size
                chosen = order[begin : begin + batch_size]
                labels = tf.gather(y, chosen)
                images = self._network_input(tf.gather(x, chosen), labels, scale)
                if self._key.augment or self._key.restyle:
                    draw = tf.stack([seed[0], seed[1] * 65536 + i])
                    images = augmented(images, draw, self._key.augment, restyles=self._key.restyle)
                number = start + tf.cast(i - first, tf.float32)
                set_rate(self.optimizer, schedule, peak, number, horizon)
                sums += self._step(images, labels, tf.gather(weight, chosen))
                if schedule == "averaged":
                    self._update_average()
                return i + 1, sums

            zero = tf.zeros(2, self._float_dtype)
            _, sums = tf.while_loop(
                lambda i, _: i < last, step, [first, zero], parallel_iterations=1
            )
            self.optimizer.learning_rate.assign(peak)
            return sums

        return train_steps

    def _step(self, images: Tensor, y: Tensor, weight: Tensor) -> Tensor:
        """One gradient step; returns the sums of losses and of correct predictions."""
        with tf.GradientTape() as tape:
            outputs = self(images, training=True)
            losses = tf.cast(self._sample_losses(y, outputs), self._float_dtype)
            loss = tf.reduce_mean(losses * weight) + sum(self.losses)
        self._apply(tape.gradient(loss, self.trainable_variables))
        correct = tf.cast(self._is_correct(y, outputs), loss.dtype)
        return tf.stack([loss * tf.cast(tf.size(correct), loss.dtype), tf.reduce_sum(correct)])

    def _apply(self, gradients: list[Tensor]) -> None:
        """Let the optimizer update the weights.

        Not as a replica: Keras would sum the gradients of all of them by an operation whose own
        gradient TensorFlow registers for ever, and with it the whole program.
        """
        tf.distribute.get_replica_context().merge_call(
            lambda strategy: self.optimizer.apply(gradients, self.trainable_variables)
        )

    # -- what networks for other labels do in another way ------------------------------------

    _label_spec = tf.TensorSpec([None], tf.int32)

    def _network_input(self, rows: Tensor, y: Tensor, scale: Tensor) -> Tensor:
        """The input of the network, from rows of pixels and their labels."""
        return self._images(rows, scale)

    def _sample_losses(self, y: Tensor, outputs: Tensor) -> Tensor:
        return keras.losses.sparse_categorical_crossentropy(y, outputs)

    def _is_correct(self, y: Tensor, outputs: Tensor) -> Tensor:
        """Which samples are predicted correctly."""
        return tf.argmax(outputs, axis=1, output_type=tf.int32) == y

    def _update_average(self) -> None:
        """Average over about the last tenth of the steps taken, whatever their number.

        Karras et al., "Analyzing and improving the training dynamics of diffusion models"
        (2024), section 3.1: the power-function average, with exponent 9.
        """
        # An optimizer that accumulates gradients counts a step when it applies them.
        n_steps = tf.maximum(1, tf.cast(self.optimizer.iterations, tf.int32))
        keep = (1 - 1 / tf.cast(n_steps, tf.float64)) ** 10
        for average, value in zip(self._average, self._float_variables(), strict=True):
            average.assign(value + tf.cast(keep, value.dtype) * (average - value))

    # -- predicting ------------------------------------------------------------------------

    def compute(
        self, weights: Weights, images: np.ndarray, *, features: bool = False
    ) -> np.ndarray:
        """Compute the output of the network with the given weights.

        Parameters
        ----------
        weights : list of ndarray
            One per variable of `state_variables`; the list should never be changed.
        images : ndarray of shape (n, height, width, channels)
            Pixels in the dtype of the network, multiplied by its scale.
        features : bool, default=False
            Whether to compute the input of the last layer, as rows.

        Returns
        -------
        ndarray of shape (n, …)
            The output, or features.
        """
        if self._loaded is not weights:
            assign(self.state_variables, weights)
            object.__setattr__(self, "_loaded", weights)  # Keras would wrap the list
        return self._output_program(features)(tf.constant(images)).numpy()

    def _output_program(self, features: bool = False) -> Callable[..., Any]:
        """The compiled function from a batch of images to the output, or to features."""

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

    def _predict(self, samples: Samples) -> np.ndarray:
        """Class probabilities of samples with the current weights, batch by batch."""
        start, indices, program = self._task.start, samples.used(), self._output_program()
        parts = []
        for i in range(0, len(indices), PREDICT_BATCH):
            images = start.as_images(samples.x[indices[i : i + PREDICT_BATCH]])
            parts.append(program(tf.constant(images)).numpy())
        return np.concatenate(parts)


def _draws_bars(stream: Any) -> bool:
    """Whether a progress bar can be drawn: in a terminal or a notebook, not in a file or a pipe."""
    return "ipykernel" in sys.modules or (stream is not None and stream.isatty())


def _watches_batches(callback: Any) -> bool:
    """Whether a callback has a method for training batches."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )
