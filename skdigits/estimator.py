"""What the estimators share: parameters, and the course of a fit."""

from __future__ import annotations

import copy
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdigits.compatibility import CallbackSupportMixin, Interval, StrOptions
from skdigits.networks.spec import NetworkSpec
from skdigits.validation import check_name

OPTIMIZERS = ("adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd")
SCHEDULES = ("averaged", "one_cycle")


def keeps_any(keep_epochs) -> bool:
    """Tell whether `keep_epochs` asks for any epoch.

    Parameters
    ----------
    keep_epochs : bool or list of int
        The parameter.

    Returns
    -------
    bool
        Whether it does.
    """
    return bool(keep_epochs) if isinstance(keep_epochs, (bool, np.bool_)) else True


def keeps_epochs(estimator) -> bool:
    """Tell whether an estimator has its staged methods.

    Parameters
    ----------
    estimator : NetworkEstimator
        The estimator.

    Returns
    -------
    bool
        Always True.

    Raises
    ------
    AttributeError
        If it was not told to keep epochs.
    """
    if not keeps_any(estimator.keep_epochs):
        raise AttributeError("Set keep_epochs=True, or to a list of epochs, before fit.")
    return True


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):
    """An estimator that trains a network in compiled epochs.

    A subclass sets ``_seed``, ``_spec``, ``_state``, ``_kept``, ``_key`` and ``_scale`` before
    the first epoch.
    """

    _seed: int
    _spec: NetworkSpec
    _state: dict[str, list[np.ndarray]]
    _kept: dict[int, list[np.ndarray]]
    _key: tuple[NetworkSpec, str, float]
    _calls: list[tuple[int, bool]]  # epochs before each call that trained, and if it stopped early
    _scale: float | None
    n_iter_: int
    history_: dict[str, list[float]]

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "filters": [Interval(Integral, 1, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left"), None],
        "l2": [Interval(Real, 0, None, closed="left")],
        "optimizer": [str],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "schedule": [str, None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "image_shape": ["array-like", None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "early_stopping": ["boolean"],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "keep_epochs": ["boolean", "array-like"],
        "callbacks": [list, tuple, None],
        "dtype": [StrOptions({"float32", "float64"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def _check_parameters(self):
        """Raise before any work if a parameter cannot be used."""
        self._validate_params()
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

    def _copied_callbacks(self):
        if not self.callbacks:
            return []
        from skdigits.training import callbacks

        return callbacks.copied(self.callbacks)

    def _network_options(self, *names):
        """What an architecture is given: those of the parameters that are set."""
        values = {name: getattr(self, name) for name in names} | {"l2": self.l2 or None}
        return tuple((name, value) for name, value in values.items() if value is not None)

    def _check_same_network(self, asked, parameters):
        """Raise if a warm start would need another network than that of the first fit."""
        if asked != self._spec:
            raise ValueError(
                f"warm_start goes on with the network of the first fit, so that {parameters} "
                f"cannot change: it was {self._spec}, now {asked}. "
                "Set warm_start=False to begin anew."
            )

    def _begin(self, spec):
        """Set what a first fit starts from, and draw the initial weights."""
        from skdigits.training import initial_weights

        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._state = initial_weights.fresh_state(spec, seed)
        self._seed, self._spec, self._kept = seed, spec, {}
        self._key = self._program_key()
        self.history_, self.n_iter_, self._calls = {}, 0, []

    def _program_key(self):
        return self._spec, self.optimizer, float(getattr(self, "augment", False))

    def _validation_share(self):
        return self.validation_fraction or (0.1 if self.early_stopping else None)

    def _run(self, fit, pixels, epochs, own, fit_input):
        """Train on a model lent by the cache, and copy the result out.

        ``fit(model, recipe=, epochs=, initial_epoch=, callbacks=)`` returns a history. Without
        `fit_input`, the arguments of a user's fit, training goes on with no known end.
        """
        from skdigits.training import epoch_model, model_cache, schedules

        self.__dict__.pop("_keras_classifier", None)
        # Without a known end, a cycle is a constant rate.
        endless = self.schedule == "one_cycle" and fit_input is None
        schedule = None if endless else self.schedule
        rate = self.learning_rate
        if rate == "auto":
            rate = schedules.default_rate(self.optimizer, schedule, self._spec.architecture)
        recipe = epoch_model.Recipe(self._seed, float(rate), schedule, pixels, self._scale or 1.0)
        kept: dict[int, list[np.ndarray]] = {}
        key = self._program_key()
        optimizer = self._state["optimizer"] if key == self._key else []
        # A user's callback may keep or change the model it is given, so that one is not lent.
        with model_cache.cache.borrow(*key, private=bool(own)) as model:
            model.load_state({**self._state, "optimizer": optimizer})
            history = fit(
                model,
                recipe=recipe,
                epochs=epochs,
                initial_epoch=self.n_iter_,
                callbacks=[*own, *self._callbacks(epochs, kept, fit_input)],
            )
            self._state = model.read_state()
        self._key = key
        self._kept = {**self._kept, **kept}
        before, self.n_iter_ = self.n_iter_, self.n_iter_ + len(history["loss"])
        self._calls = [*self._calls, (before, self.early_stopping and fit_input is not None)]
        for name in {**self.history_, **history}:
            # Epochs without validation have NaN, so that every list has one value per epoch.
            past = self.history_.get(name, [np.nan] * before)
            new = history.get(name, [np.nan] * (self.n_iter_ - before))
            self.history_[name] = [*past, *map(float, new)]
        self._rate = recipe.learning_rate
        if not np.isfinite(history["loss"][-1]):
            warnings.warn(
                f"The training loss is {history['loss'][-1]} after {self.n_iter_} epochs: the "
                "weights have diverged. Lower learning_rate, or set rescale=True.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return self

    def _callbacks(self, epochs, kept, fit_input):
        """Callbacks of our own: early stopping, kept epochs and scikit-learn's callbacks."""
        from skdigits.training import callbacks

        chain = []
        if self.early_stopping and fit_input is not None:
            chain.append(callbacks.stop_early(self.patience))
        if keeps_any(self.keep_epochs):
            everything = isinstance(self.keep_epochs, (bool, np.bool_))
            wanted = None if everything else self.keep_epochs
            chain.append(callbacks.keep_weights(wanted, kept))
        if fit_input is not None and hasattr(self, "_init_callback_context"):

            def fitted(weights, n_epochs):
                state = {**self._state, "weights": weights}
                return {"_state": state, "_key": self._key, "n_iter_": self.n_iter_ + n_epochs}

            chain.append(callbacks.call_sklearn(self, epochs, fit_input, fitted))
        return chain

    @available_if(keeps_epochs)
    def at_epoch(self, epoch):
        """Copy the estimator as it was after a kept epoch.

        Unless `schedule` is ``"one_cycle"``, that is what a fit of so many epochs would have
        given. With early stopping it has the weights of the best epoch up to that one in the same
        fit, as such a fit would, and epochs after the last are the last.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 1.

        Returns
        -------
        estimator
            A fitted copy with `epochs` set to `epoch`, which keeps no epochs.

        Raises
        ------
        ValueError
            If that epoch was not kept.
        """
        check_is_fitted(self)
        last = min(epoch, self.n_iter_)
        best = last
        start, early = max((call for call in self._calls if call[0] < last), default=(0, False))
        if early:
            losses = np.array(self.history_["val_loss"][start:last])
            best = start + 1 + (int(np.nanargmin(losses)) if np.isfinite(losses).any() else 0)
        if best not in self._kept:
            raise ValueError(
                f"The weights after epoch {best} were not kept; those of epochs "
                f"{sorted(self._kept)} were. Set keep_epochs before fit."
            )
        weights = self._kept[best]
        result = copy.copy(self)
        result.__dict__.pop("_keras_classifier", None)
        result.epochs, result.keep_epochs = epoch, False
        result.n_iter_, result._kept = last, {}
        result._calls = [call for call in self._calls if call[0] < last]
        result.history_ = {name: values[:last] for name, values in self.history_.items()}
        result._state = {"weights": weights, "raw": weights, "optimizer": []}
        return result

    def to_keras(self):
        """Copy the trained network into a plain Keras model.

        Returns
        -------
        keras.Sequential
            Uncompiled, from images of shape (n, height, width, channels), with pixels as they
            were given to fit, to what the architecture gives.
        """
        check_is_fitted(self)
        from skdigits.training import plain_keras

        return plain_keras.build_trained(self._spec, self._scale or 1.0, self._state["weights"])

    def __sklearn_is_fitted__(self):
        """Tell a finished fit from one that was broken off before its first epoch counted."""
        return getattr(self, "n_iter_", 0) > 0

    def __getstate__(self):
        """Leave out what is put together on first access."""
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_keras_classifier"}
