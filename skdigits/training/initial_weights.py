"""Draw the initial weights of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import Weights
from skdigits.training import plain_keras

if TYPE_CHECKING:
    from skdigits.typing import KerasModel


def draw(spec: NetworkSpec, seed: int) -> Weights:
    """Draw initial weights from a seed: an array per variable of `plain_keras.state_variables`."""
    network = plain_keras.build(spec, seed=seed)
    _redraw(network, np.random.default_rng(seed))
    return plain_keras.read(plain_keras.state_variables(network))


def _redraw(network: KerasModel, rng: np.random.Generator) -> None:
    """Draw weights again if Keras drew them with Python's global random generator.

    Other threads may use that generator too. Weights that an architecture function set, and weights
    from initializers with a seed, are kept.
    """
    for layer in network.layers:
        if hasattr(layer, "layers"):
            _redraw(layer, rng)
            continue
        for variable in layer.weights:
            initializer: Any = getattr(layer, f"{variable.name}_initializer", None)
            if not hasattr(initializer, "seed") or initializer.get_config()["seed"] is not None:
                continue
            config = {**initializer.get_config(), "seed": int(rng.integers(2**31))}
            first = initializer(variable.shape, variable.dtype)
            if np.array_equal(variable, first):
                again = type(initializer).from_config(config)
                variable.assign(again(variable.shape, variable.dtype))
        if getattr(layer, "seed_generator", None) is not None:
            layer.seed_generator.state.assign([int(rng.integers(2**31)), 0])
