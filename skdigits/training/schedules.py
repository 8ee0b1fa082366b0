"""Optimizers, learning-rate schedules, and the default learning rate of each architecture."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.networks.architectures import READERS
from skdigits.training.tensorflow import keras, restart_names, tf

if TYPE_CHECKING:
    from skdigits.typing import Tensor

BY_NAME = {
    "adadelta": keras.optimizers.Adadelta,
    "adagrad": keras.optimizers.Adagrad,
    "adam": keras.optimizers.Adam,
    "adamax": keras.optimizers.Adamax,
    # Keras's default weight decay, 0.004, has no visible effect in a few thousand steps.
    "adamw": partial(keras.optimizers.AdamW, weight_decay=0.05),
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
# Rates for Adam, tuned on a validation split of MNIST; other optimizers have Keras's rates.
ADAM_RATE = 1e-2  # for users' architectures
ADAM_RATES = {
    **dict.fromkeys(("compact", "tiny"), 1e-2),
    **dict.fromkeys(("lenet", "deep", *READERS), 3e-3),
}
WARM_UP_STEPS = 50


def describe_optimizer(optimizer: Any) -> str:
    """Describe an optimizer as a string; equal strings mean equal optimizers.

    Parameters
    ----------
    optimizer : str or keras.optimizers.Optimizer
        A name in ``task.OPTIMIZERS``, or an optimizer.

    Returns
    -------
    str
        The name, or the optimizer serialized as JSON.

    Raises
    ------
    ValueError
        If `optimizer` is neither a string nor an optimizer. Also if an optimizer cannot be
        copied, has a Keras learning-rate schedule, or has settings that would have no effect.
    """
    if isinstance(optimizer, str):
        return optimizer
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer should be one of {', '.join(BY_NAME)}, or a Keras optimizer; "
            f"got {type(optimizer).__name__}."
        )
    config = keras.optimizers.serialize(optimizer)
    settings, kind = config["config"], type(optimizer).__name__
    if not isinstance(settings.get("learning_rate"), float):
        raise ValueError(
            f"The learning rate of the optimizer {kind} is not a number. Set it to a number, and "
            'choose schedule="averaged", "one_cycle" or None.'
        )
    for name in ("use_ema", "loss_scale_factor"):
        if settings.get(name):
            raise ValueError(
                f"The optimizer {kind} has {name}={settings[name]!r}, which would have no effect. "
                'Remove it; schedule="averaged" averages the weights.'
            )
    del settings["name"]  # Keras appends a number to it
    description = json.dumps(config, sort_keys=True)
    with contextlib.suppress(TypeError, ValueError):
        if type(make_optimizer(description)) is type(optimizer):
            return description
    raise ValueError(
        f"The optimizer {kind} cannot be copied from its configuration. Define get_config(), and "
        "decorate the class with keras.saving.register_keras_serializable()."
    )


@restart_names
def make_optimizer(description: str) -> Any:
    """Make a new Keras optimizer from the result of `describe_optimizer`."""
    if description in BY_NAME:
        return BY_NAME[description]()
    return keras.optimizers.deserialize(json.loads(description))


def default_rate(
    optimizer: str, schedule: str | None, architecture: str | Callable[..., Any]
) -> float:
    """Return the learning rate that ``learning_rate="auto"`` selects.

    Parameters
    ----------
    optimizer : str
        Result of `describe_optimizer`.
    schedule : str or None
        A schedule of `TrainingTask`.
    architecture : str or callable
        Architecture of the network.

    Returns
    -------
    float
        For a user's optimizer, its own rate. For ``"adam"`` and ``"adamw"`` with a schedule, the
        tuned rate; otherwise, Keras's default.
    """
    if optimizer not in BY_NAME:
        return float(json.loads(optimizer)["config"]["learning_rate"])
    if optimizer in ("adam", "adamw") and schedule is not None:
        return ADAM_RATES[architecture] if isinstance(architecture, str) else ADAM_RATE
    return float(inspect.signature(BY_NAME[optimizer]).parameters["learning_rate"].default)


def one_cycle(progress: Tensor) -> Tensor:
    """Compute the learning rate of the one-cycle schedule, relative to its peak.

    It rises from 0.04 to 1 over the first 30 % of the steps, and then falls to 0.001. The rise and
    the fall follow a cosine. Smith and Topin, "Super-convergence" (2018).

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


def set_rate(
    optimizer: Any, schedule: str | None, peak: Tensor, step: Tensor, horizon: Tensor
) -> None:
    """Set the learning rate of the next step.

    Parameters
    ----------
    optimizer : keras.Optimizer
        The optimizer.
    schedule : {"averaged", "one_cycle", None}
        Learning-rate schedule.
    peak : tensor of float
        Maximum learning rate.
    step, horizon : tensor of float
        Number of the next step, from 0, and total number of steps of this fit.
    """
    if schedule is None:
        return
    if schedule == "one_cycle":
        factor = one_cycle(step / horizon)
    else:
        taken = tf.cast(optimizer.iterations, tf.float32) + 1
        factor = tf.minimum(1.0, taken / WARM_UP_STEPS)
    # The rate is computed in float32; the variable's dtype depends on Keras's global setting.
    rate = tf.cast(peak, tf.float32) * factor
    optimizer.learning_rate.assign(tf.cast(rate, peak.dtype))
