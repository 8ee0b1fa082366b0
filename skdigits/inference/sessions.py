"""Run networks with ONNX Runtime."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

import numpy as np
import onnxruntime

from skdigits.inference import graphs
from skdigits.networks.trained import TrainedNetwork


class _Sessions:
    """ONNX Runtime sessions; each is made on first use, and lives as long as its network."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: weakref.WeakKeyDictionary[TrainedNetwork, dict[bool, Any]]
        self._found = weakref.WeakKeyDictionary()

    def get(self, network: TrainedNetwork, features: bool) -> onnxruntime.InferenceSession:
        with self._lock:
            sessions = self._found.setdefault(network, {})
            if features not in sessions:
                sessions[features] = _make_session(network, features)
            return sessions[features]


_sessions = _Sessions()


def _forget_sessions() -> None:
    """Drop the sessions and the lock of the parent process.

    A thread of the parent may have held the lock during the fork.
    """
    global _sessions
    _sessions = _Sessions()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_sessions)


def run(network: TrainedNetwork, images: np.ndarray, *, features: bool = False) -> np.ndarray:
    """Run a network with ONNX Runtime.

    Parameters
    ----------
    network : TrainedNetwork
        A network of this package, in float32.
    images : ndarray of shape (n, height, width, channels), float32
        Pixels, multiplied by the scale of the network, without padding.
    features : bool, default=False
        Whether to return the input of the last layer.

    Returns
    -------
    ndarray, float32
        Output of the model that `graphs.build` makes.
    """
    session = _sessions.get(network, features)
    return session.run([graphs.OUTPUT], {graphs.INPUT: images})[0]


def _make_session(network: TrainedNetwork, features: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # log errors only; they are also raised as exceptions
    # One thread means no thread pool, whose threads would not exist in a forked process.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = graphs.build(network.key.spec, network.weights, features=features, padded=False)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
