"""The weights that training starts from."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdigits.networks.spec import NetworkSpec
from skdigits.training import plain_keras


def fresh_state(spec: NetworkSpec, seed: int) -> dict[str, list[np.ndarray]]:
    """Draw initial weights.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    seed : int
        The weights depend on it alone.

    Returns
    -------
    dict of str to list of ndarray
        The state before the first step.
    """
    network = plain_keras.build(spec, seed=seed)
    _draw(network, np.random.default_rng(seed))
    weights = plain_keras.read(plain_keras.state_variables(network))
    return {"weights": weights, "raw": weights, "optimizer": []}


def _draw(network, rng):
    """Draw again what Keras drew with Python's global generator, which any thread may use.

    Weights that an architecture function set, and those of an initializer with a seed, stay.
    """
    for layer in network.layers:
        if hasattr(layer, "layers"):
            _draw(layer, rng)
            continue
        for variable in layer.weights:
            initializer: Any = getattr(layer, f"{variable.name}_initializer", None)
            if not hasattr(initializer, "seed") or initializer.get_config()["seed"] is not None:
                continue
            config = {**initializer.get_config(), "seed": int(rng.integers(2**31))}
            drawn, again = (
                draw(variable.shape, variable.dtype)
                for draw in (initializer, type(initializer).from_config(config))
            )
            if np.array_equal(variable, drawn):
                variable.assign(again)
        if getattr(layer, "seed_generator", None) is not None:
            layer.seed_generator.state.assign([int(rng.integers(2**31)), 0])
