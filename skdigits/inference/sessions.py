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
    """Sessions of ONNX Runtime, made on first use, and kept as long as their networks."""

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
    """Drop the sessions of the parent process; a thread may have held one during the fork."""
    global _sessions
    _sessions = _Sessions()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_sessions)


def run(network: TrainedNetwork, images: np.ndarray, *, features: bool = False) -> np.ndarray:
    """Compute the output of a network.

    Parameters
    ----------
    network : TrainedNetwork
        A network of this package, in float32.
    images : ndarray of shape (n, height, width, channels), float32
        Pixels, multiplied by the scale of the network; without padding.
    features : bool, default=False
        Whether to return the input of the last layer.

    Returns
    -------
    ndarray, float32
        Output of the model of `graphs.build`.
    """
    session = _sessions.get(network, features)
    return session.run([graphs.OUTPUT], {graphs.INPUT: images})[0]


def _make_session(network: TrainedNetwork, features: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # only errors, which are raised as exceptions
    # No thread pool, since its threads would be missing in a forked process.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = graphs.build(network.key.spec, network.weights, features=features, padded=False)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
