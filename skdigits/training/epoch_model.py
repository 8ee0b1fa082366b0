"""Keras models that run each epoch of training as a compiled loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.networks.trained import Weights
from skdigits.training.augmentation import augmented
from skdigits.training.compiled_model import CompiledModel
from skdigits.training.data import TrainingData
from skdigits.training.plain_keras import assign
from skdigits.training.schedules import set_rate
from skdigits.training.task import Samples, TrainingTask
from skdigits.training.tensorflow import keras, tf

if TYPE_CHECKING:
    from skdigits.typing import Tensor

PREDICT_BATCH = 2048
PROGRESS_UPDATES = 40  # updates of a progress bar per epoch


@dataclass(frozen=True)
class _EpochPlan:
    """Division of an epoch into batches; every epoch uses the samples at `indices`."""

    indices: np.ndarray
    batch_size: int
    n_steps: int
    steps_per_call: int
    first_epoch: int
    horizon: int


class EpochModel(CompiledModel):
    """A Keras model whose ``fit`` runs each epoch as one compiled loop.

    Training samples are flat rows of pixels. Inside the loop, each batch is rescaled, padded and
    reshaped to images.
    """

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
            Rows of pixels and labels that SciKeras passes; they replace those of the task.
        task : TrainingTask
            The training task.
        callbacks : sequence of keras.callbacks.Callback
            Callbacks, called at the same times as by Keras. If one of them has methods for batches,
            the compiled loop is called for each batch.
        verbose : int
            0 prints nothing, 2 prints a line per epoch. 1 shows a progress bar in a terminal or
            notebook; elsewhere, it prints a line per epoch.
        **unused
            Other arguments that SciKeras passes; they are ignored.

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
            samples = replace(samples, x=x, y=y.reshape(-1))  # SciKeras converts y to a column
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
        """Yield the number and the data of each epoch.

        During an epoch, a thread draws the data of the next epoch.
        """
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
        """Train on the samples of one epoch, and return its loss and accuracy."""
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
        """Return the indices of an epoch's samples in random order."""
        indices = np.concatenate([plan.indices, data.samples.draw_others(rng)])
        return indices[rng.permutation(len(indices))]

    def _swap_in_average(self) -> Weights | None:
        """Load the averaged weights, for validation and callbacks, and return the raw weights."""
        if self._task.schedule != "averaged":
            return None
        raw = self.read_weights()
        assign(self._float_variables(), self._average)
        return raw

    def _end_training(self, chain: Any, logs: dict[str, float]) -> None:
        """Call `on_train_end`; if a callback changes the weights, later fits start from these."""
        ended = self.read_weights()
        chain.on_train_end(logs)
        if any((a != b).any() for a, b in zip(ended, self.read_weights(), strict=True)):
            self._raw_weights = None

    def _evaluate(self, samples: Samples) -> dict[str, float]:
        """Compute mean loss and accuracy of validation samples with the current weights."""
        losses, correct = self._losses_and_correct(samples)
        weights = None if samples.weight is None else samples.weight[samples.used()]
        # Not `self.losses`, which contains tensors of the last traced program (activity losses).
        regular = [v for v in self.trainable_variables if v.regularizer is not None]
        penalty = sum(float(v.regularizer(v)) for v in regular)
        loss = float(np.average(losses, weights=weights)) + penalty
        return {"val_loss": loss, "val_accuracy": float(correct.mean())}

    def _losses_and_correct(self, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
        """Compute the loss of each sample, and whether its prediction is correct."""
        y, probability = samples.y[samples.used()], self._predict(samples)
        losses = keras.losses.sparse_categorical_crossentropy(y, probability).numpy()
        return losses, probability.argmax(axis=1) == y

    # -- compiled programs -----------------------------------------------------------------

    def _training_program(
        self, pixel_dtype: np.dtype, n_features: int | None, schedule: str | None
    ) -> Callable[..., Any]:
        """Return the compiled training loop for rows of one dtype and length.

        The loop is traced on first use.
        """
        if self._key.spec.reads_sequences:
            n_features = None  # images may have any width
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

    def _images(self, rows: Tensor, scale: Tensor) -> Tensor:
        """Convert rows of pixels to images: cast, rescale, pad with zeros, and reshape."""
        height, width, channels = self.input_shape[1:]
        missing = height * width * channels - rows.shape[1]
        rows = tf.cast(rows, self._float_dtype) * scale
        if missing:
            rows = tf.pad(rows, [[0, 0], [0, missing]])
        return tf.reshape(rows, [-1, height, width, channels])

    def _train_steps(self, schedule: str | None) -> Callable[..., Any]:
        """Make the function that runs a range of the steps of an epoch."""

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
        """Take a gradient step; return the sum of losses and the number of correct predictions."""
        with tf.GradientTape() as tape:
            outputs = self(images, training=True)
            losses = tf.cast(self._sample_losses(y, outputs), self._float_dtype)
            loss = tf.reduce_mean(losses * weight) + sum(self.losses)
        self._apply(tape.gradient(loss, self.trainable_variables))
        correct = tf.cast(self._is_correct(y, outputs), loss.dtype)
        return tf.stack([loss * tf.cast(tf.size(correct), loss.dtype), tf.reduce_sum(correct)])

    def _apply(self, gradients: list[Tensor]) -> None:
        """Update the weights with the optimizer.

        This runs in cross-replica context. In replica context, Keras would all-reduce the
        gradients, and TensorFlow would keep this operation and the whole program in memory forever.
        """
        tf.distribute.get_replica_context().merge_call(
            lambda strategy: self.optimizer.apply(gradients, self.trainable_variables)
        )

    # -- overridden by networks for sequences ------------------------------------

    _label_spec = tf.TensorSpec([None], tf.int32)

    def _network_input(self, rows: Tensor, y: Tensor, scale: Tensor) -> Tensor:
        """Convert rows of pixels to the input of the network; `y` are their labels."""
        return self._images(rows, scale)

    def _sample_losses(self, y: Tensor, outputs: Tensor) -> Tensor:
        return keras.losses.sparse_categorical_crossentropy(y, outputs)

    def _is_correct(self, y: Tensor, outputs: Tensor) -> Tensor:
        """Return a mask of the samples that are predicted correctly."""
        return tf.argmax(outputs, axis=1, output_type=tf.int32) == y

    def _update_average(self) -> None:
        """Update the average of the weights over about the last tenth of all steps.

        The average is a power-function average with exponent 9: Karras et al., "Analyzing and
        improving the training dynamics of diffusion models" (2024), section 3.1.
        """
        # Optimizers that accumulate gradients count a step only when they update the weights.
        n_steps = tf.maximum(1, tf.cast(self.optimizer.iterations, tf.int32))
        keep = (1 - 1 / tf.cast(n_steps, tf.float64)) ** 10
        for average, value in zip(self._average, self._float_variables(), strict=True):
            average.assign(value + tf.cast(keep, value.dtype) * (average - value))

    def _predict(self, samples: Samples) -> np.ndarray:
        """Predict class probabilities of samples with the current weights, batch by batch."""
        start, indices, program = self._task.start, samples.used(), self._output_program()
        parts = []
        for i in range(0, len(indices), PREDICT_BATCH):
            images = start.as_images(samples.x[indices[i : i + PREDICT_BATCH]])
            parts.append(program(tf.constant(images)).numpy())
        return np.concatenate(parts)


def _draws_bars(stream: Any) -> bool:
    """Return True if a progress bar can be drawn: in a terminal or notebook."""
    return "ipykernel" in sys.modules or (stream is not None and stream.isatty())


def _watches_batches(callback: Any) -> bool:
    """Return True if a callback has a method for training batches."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    return any(
        hook in vars(callback)
        or getattr(type(callback), hook) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )
