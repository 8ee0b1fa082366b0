"""Base class of both estimators: parameters, checks and the steps of a fit."""

from __future__ import annotations

import copy
import reprlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdigits.checks.parameters import check_name
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import ProgramKey, TrainedNetwork, Weights
from skdigits.sklearn_compat import (
    HAS_CALLBACKS,
    BaseEstimator,
    CallbackSupportMixin,
    HasMethods,
    Interval,
    StrOptions,
    available_if,
    validate_parameters,
)
from skdigits.training.task import OPTIMIZERS, SCHEDULES, TrainingTask

if TYPE_CHECKING:
    from skdigits.inference.batches import Engine
    from skdigits.typing import Estimator, KerasModel

EARLY_STOPPING_FRACTION = 0.1
ADAPT = "adapt"  # a value of warm_start: train on few samples without forgetting others
ADAPT_RATE = 0.1  # factor of the default learning rate


def engine_of(network: TrainedNetwork) -> Engine | None:
    """Choose the engine that runs a network.

    It is TensorFlow for float64 and for users' architectures; None means ONNX Runtime.
    """
    if network.key.spec.has_onnx_model:
        return None
    from skdigits.training.engine import run

    return run


def keeps_epochs(estimator: NetworkEstimator) -> bool:
    """Return True if an estimator keeps epochs for staged methods, else raise AttributeError."""
    if not estimator._epochs_to_keep():
        raise AttributeError("Set keep_epochs to True, or to a list of epochs, before fit.")
    return True


@dataclass(frozen=True, eq=False)
class CheckedFit:
    """The checked arguments of a fit.

    Parameters
    ----------
    estimator : NetworkEstimator
        A copy of the estimator, with the attributes that the fit has set.
    callbacks : list of keras.callbacks.Callback
        Copies of the user's callbacks.
    resume : bool
        Whether training continues from the previous fit.
    adapts : bool
        Whether ``warm_start="adapt"`` is set.
    training : object
        Training data.
    validation : object, optional
        Validation data.
    fraction : float, optional
        Share of `training` to hold out for validation if `validation` is None.
    """

    estimator: Any
    callbacks: list[Any]
    resume: bool
    adapts: bool
    training: Any
    validation: Any = None
    fraction: float | None = None


def resumes(estimator: Estimator) -> tuple[bool, bool]:
    """Return whether training continues from the previous fit, and whether it is an adaptation.

    An estimator with ``warm_start="adapt"`` that is not fitted raises a ValueError.
    """
    fitted, adapts = estimator.__sklearn_is_fitted__(), estimator.warm_start == ADAPT
    if adapts and not fitted:
        raise ValueError(
            f"warm_start={ADAPT!r} adapts a fitted {type(estimator).__name__}, and this one is not "
            "fitted. Load a fitted one, or set warm_start=False to train a new network."
        )
    return fitted and bool(estimator.warm_start), adapts


def copied_callbacks(estimator: Estimator) -> list[Any]:
    """Copy the Keras callbacks of an estimator, so that fits do not share them.

    A callback that is not a Keras callback, or cannot be copied, raises a TypeError.
    """
    if not estimator.callbacks:
        return []
    from skdigits.training.callbacks import copy_callbacks

    return copy_callbacks(estimator.callbacks)


def validation_share(estimator: Estimator, X_val: Any, y_val: Any) -> float | None:
    """Return the share of the samples to hold out for validation.

    The result is None if there is no validation, or if `X_val` is given. A ValueError is raised if
    only one of `X_val` and `y_val` is given, or if `X_val` and `validation_fraction` are combined.
    """
    if (X_val is None) != (y_val is None):
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(f"{given} was given without {missing}; pass both, or neither.")
    if X_val is None:
        default = EARLY_STOPPING_FRACTION if estimator.early_stopping else None
        return estimator.validation_fraction or default
    if estimator.validation_fraction is not None:
        raise ValueError(
            "X_val and validation_fraction were both given; set validation_fraction=None to "
            "validate on X_val."
        )
    return None


def check_parameters(estimator: Estimator) -> None:
    """If a parameter is not valid, raise an error that names the expected values."""
    estimator._check_parameters()


def network_of(estimator: Estimator) -> TrainedNetwork:
    """Return the trained network of a fitted estimator; this object never changes."""
    return estimator._network


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):
    """Base class of the estimators that train a network; a fit sets ``_network``."""

    _network: TrainedNetwork
    # Parameters that do not change the result; files and fingerprints do not contain them.
    observing: ClassVar[frozenset[str]] = frozenset({"checkpoint", "verbose"})

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "filters": [Interval(Integral, 1, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left"), None],
        "l2": [Interval(Real, 0, None, closed="left")],
        "optimizer": [str, HasMethods("get_config")],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "schedule": [str, None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "image_shape": ["array-like", None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean", StrOptions({ADAPT})],
        "keep_epochs": ["boolean", "array-like"],
        "callbacks": [list, tuple, None],
        "checkpoint": [str, HasMethods("__fspath__"), None],
        "dtype": [StrOptions({"float32", "float64"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    # -- the result of a fit --------------------------------------------------------------

    @property
    def n_iter_(self) -> int:
        """Number of epochs trained."""
        return self._trained_network("n_iter_").n_epochs

    @property
    def history_(self) -> dict[str, list[float]]:
        """Loss and accuracy per epoch."""
        return self._trained_network("history_").history

    def _trained_network(self, attribute: str) -> TrainedNetwork:
        """Return the trained network; before fit, raise an AttributeError for `attribute`."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{type(self).__name__} has no {attribute} before fit.")
        return self._network

    def __sklearn_is_fitted__(self) -> bool:
        """Return True if at least one epoch was trained."""
        return hasattr(self, "_network")

    def __getstate__(self) -> dict[str, Any]:
        """Leave out attributes that are created on first access."""
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_keras_classifier"}

    # -- checks ----------------------------------------------------------------------------

    def _check_parameters(self) -> None:
        """Raise an error if a parameter is not valid."""
        validate_parameters(self)
        for name, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            if isinstance(getattr(self, name), str):
                check_name(name, getattr(self, name), known)
        if not isinstance(self.keep_epochs, (bool, np.bool_)):
            kept = np.asarray(self.keep_epochs)
            if kept.ndim != 1 or not np.issubdtype(kept.dtype, np.integer) or (kept < 1).any():
                raise ValueError(
                    "keep_epochs should be True, False or a list of whole numbers from 1; "
                    f"got {self.keep_epochs!r}."
                )

    def _check_call(self, unknown: Mapping[str, object] | None = None) -> None:
        """Raise an error if fit got unknown arguments, or if a parameter is not valid."""
        for name, value in (unknown or {}).items():
            if name in self.get_params(deep=False):
                kind, value = type(self).__name__, reprlib.repr(value)
                raise TypeError(
                    f"{name} is a constructor parameter: use {kind}({name}={value}) or, for the "
                    f"step 'cnn' of a Pipeline, set_params(cnn__{name}={value}). fit takes X, y, "
                    "sample_weight, X_val and y_val."
                )
            hint = " Pass X_val and y_val." if name == "validation_data" else ""
            if name == "validation_split":
                hint = " Set validation_fraction in the constructor."
            raise TypeError(f"fit() has no parameter {name!r}.{hint}")
        self._check_parameters()

    # -- the description of a fit ------------------------------------------------------------

    def _start(
        self, spec: NetworkSpec, resume: bool, parameters: str, adapts: bool = False
    ) -> TrainedNetwork:
        """Return the network that training starts from.

        With `resume`, it is the current network, otherwise a new one.
        """
        key = self._program_key(spec)
        if not resume:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            return TrainedNetwork(key, seed)
        present = self._network
        if spec != present.key.spec:
            raise ValueError(
                f"warm_start continues with the network of the first fit, so {parameters} "
                "cannot change. Set warm_start=False to train a new network."
            )
        # An optimizer cannot use the state of another one.
        keeps_state = key.optimizer == present.key.optimizer and not adapts
        state = present.optimizer_state if keeps_state else []
        return replace(present, key=key, optimizer_state=state)

    def _program_key(self, spec: NetworkSpec) -> ProgramKey:
        return ProgramKey(spec, self._optimizer())

    def _optimizer(self) -> str:
        if isinstance(self.optimizer, str):
            return self.optimizer
        from skdigits.training.schedules import describe_optimizer

        return describe_optimizer(self.optimizer)

    def _network_options(self, *names: str) -> tuple[tuple[str, Any], ...]:
        """Return the keyword arguments of the architecture; None and ``l2=0`` are omitted."""
        values = {name: getattr(self, name) for name in names} | {"l2": self.l2 or None}
        return tuple((name, value) for name, value in values.items() if value is not None)

    def _epochs_to_keep(self) -> bool | tuple[int, ...]:
        """Return `keep_epochs` as a bool or a tuple of int."""
        if isinstance(self.keep_epochs, (bool, np.bool_)):
            return bool(self.keep_epochs)
        return tuple(int(epoch) for epoch in self.keep_epochs)

    def _task(self, start: TrainedNetwork, **options: Any) -> TrainingTask:
        """Return the training task of a fit; `options` replace fields of the task."""
        parameters = {
            "epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "schedule": self.schedule,
            "patience": self.patience if self.early_stopping else None,
            "keep_epochs": self._epochs_to_keep(),
            "verbose": min(int(self.verbose), 2),
            "checkpoint": self.checkpoint,
        }
        return TrainingTask(start=start, **{**parameters, **options})

    # -- training ----------------------------------------------------------------------------

    def _train(
        self,
        task: TrainingTask,
        checked: CheckedFit,
        fit_input: tuple[Any, Any, Any] | None = None,
    ) -> TrainedNetwork:
        """Run a training task; `fit_input` is passed to scikit-learn's callbacks."""
        from skdigits.training import callbacks, trainer

        make_observer = None
        if HAS_CALLBACKS and fit_input is not None:
            fitted = checked.estimator._fitted_attributes()
            make_observer = partial(callbacks.call_sklearn, self, fitted, fit_input)
        return trainer.train(task, checked.callbacks, make_observer)

    def _publish(self, checked: CheckedFit, network: TrainedNetwork) -> Self:
        """Set the result of a fit on the estimator.

        The estimator is updated only after training succeeds; concurrent predictions use the
        previous state.
        """
        checked.estimator._network = network
        outdated = self._fitted_attributes().keys()
        others = {name: value for name, value in vars(self).items() if name not in outdated}
        self.__dict__ = others | checked.estimator._fitted_attributes()
        loss = network.history["loss"][-1]
        if not np.isfinite(loss):
            warnings.warn(
                f"The training loss is {loss} after {network.n_epochs} epochs: the weights have "
                "diverged. Lower learning_rate, or set rescale=True.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return self

    def _fitted_attributes(self) -> dict[str, Any]:
        return {n: v for n, v in vars(self).items() if n.endswith("_") or n == "_network"}

    # -- the trained network -------------------------------------------------------------------

    @available_if(keeps_epochs)
    def at_epoch(self, epoch: int) -> Self:
        """Return a copy of the estimator with the weights of a kept epoch.

        Unless `schedule` is ``"one_cycle"``, the copy equals an estimator fitted with
        ``epochs=epoch``. With early stopping, the copy has the best weights up to this epoch. If
        `epoch` is greater than the number of trained epochs, the last epoch is used.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 1.

        Returns
        -------
        estimator
            A fitted copy with ``epochs=epoch`` and ``keep_epochs=False``.

        Raises
        ------
        ValueError
            If this epoch was not kept.
        """
        check_is_fitted(self)
        if not isinstance(epoch, Integral) or isinstance(epoch, bool) or epoch < 1:
            raise ValueError(f"epoch should be a whole number from 1; got {epoch!r}.")
        result = copy.copy(self)
        result._network = self._network.at_epoch(int(epoch))
        result.epochs, result.keep_epochs = epoch, False
        return result

    def _kept_weights(self) -> list[Weights]:
        """Return the weights of the kept epochs in order; raise an error if there are none."""
        kept = self._network.kept
        if not kept:
            raise ValueError(
                f"No epoch was kept: keep_epochs={self.keep_epochs!r}. Before fit, set it to True "
                f"or to a list of epochs from 1 to {self.n_iter_}."
            )
        return [kept[epoch] for epoch in sorted(kept)]

    def to_keras(self) -> KerasModel:
        """Copy the trained network into a plain Keras model.

        Returns
        -------
        keras.Sequential
            An uncompiled model, which ``keras.Model.export`` accepts. Its input is images of shape
            (n, height, width, channels) with pixel values as in fit. Its output is the output of
            the architecture.
        """
        check_is_fitted(self)
        from skdigits.training.plain_keras import build_trained

        return build_trained(self._network)
