"""Plan of the fits of a search over epochs."""

from __future__ import annotations

import inspect
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skdigits.sklearn_compat import InvalidParameterError
from skdigits.wrappers import last_step, last_steps

if TYPE_CHECKING:
    from skdigits.typing import Estimator


@dataclass(frozen=True)
class SharedFit:
    """One fit per fold, shared by candidates that differ only in their number of epochs.

    Parameters
    ----------
    params : dict of str to object
        Parameters of the candidates, without the number of epochs.
    prefix : str, default=""
        Prefix of the network's parameters: ``"cnn__"`` in a Pipeline with the step "cnn".
    keep_all : bool, default=False
        Whether to keep all epochs, because early stopping may restore any of them.
    candidates : dict of int to int
        Number of epochs by index of the candidate.
    """

    params: dict[str, Any]
    prefix: str = ""
    keep_all: bool = False
    candidates: dict[int, int] = field(default_factory=dict)

    @property
    def epochs(self) -> list[int]:
        """Numbers of epochs of the candidates, ascending."""
        return sorted(set(self.candidates.values()))

    def estimator_params(self) -> dict[str, Any]:
        """Return the parameters of the estimator for this fit.

        Returns
        -------
        dict of str to object
            `params`, the largest number of epochs, and the epochs to keep.
        """
        keep = True if self.keep_all else self.epochs
        return {
            **self.params,
            f"{self.prefix}epochs": self.epochs[-1],
            f"{self.prefix}keep_epochs": keep,
        }


def plan_fits(estimator: Estimator, candidates: list[dict[str, Any]]) -> list[SharedFit]:
    """Group candidates that differ only in their number of epochs.

    Parameters
    ----------
    estimator : estimator
        The estimator of the search; it is not changed.
    candidates : list of dict
        Parameters of each candidate.

    Returns
    -------
    list of SharedFit
        The fits; each candidate belongs to one of them.

    Raises
    ------
    ValueError
        If the estimator cannot keep epochs, or the candidates have no valid numbers of epochs.
    """
    names = [name for name, _ in last_steps(estimator)]
    prefix = "".join(f"{name}__" for name in names)
    _check_keeps_epochs(last_step(estimator))
    _check_has_epochs(candidates, f"{prefix}epochs")
    fits: dict[Any, SharedFit] = {}
    separate: Counter[Any] = Counter()
    for i, candidate in enumerate(candidates):
        network = last_step(clone(estimator).set_params(**clone(candidate, safe=False)))
        _check_keeps_epochs(network)
        epochs = _check_epochs(network.epochs, f"{prefix}epochs")
        params = {name: value for name, value in candidate.items() if name != f"{prefix}epochs"}
        group = _grouping_key(params)
        if network.schedule == "one_cycle" or network.callbacks:
            separate[group] += 1
            group = i
        fit = fits.setdefault(group, SharedFit(params, prefix, bool(network.early_stopping)))
        fit.candidates[i] = epochs
    _warn_of_separate_fits(sum(count for count in separate.values() if count > 1))
    return list(fits.values())


def check_fit_parameters(estimator: Estimator, names: Iterable[str]) -> None:
    """Raise a TypeError if ``fit`` of an estimator or Pipeline lacks one of these parameters."""
    last = last_step(estimator)
    for full_name in names:
        step, name = _receiver(estimator, full_name)
        if hasattr(step, "fit") and not _has_fit_parameter(step, name, is_last=step is last):
            raise TypeError(_unknown_parameter(step, name, full_name))


def _receiver(estimator: Estimator, name: str) -> tuple[Estimator, str]:
    """Find the step that receives a parameter of fit, and the parameter's name in this step."""
    while isinstance(estimator, Pipeline):
        step, _, rest = name.partition("__")
        steps = dict(estimator.steps)
        if not rest or step not in steps:
            raise TypeError(
                f"fit() of a Pipeline takes parameters as step__name; got {name!r}. Its steps are "
                f"{', '.join(steps)}; an example is {estimator.steps[-1][0]}__sample_weight."
            )
        estimator, name = steps[step], rest
    return estimator, name


def _has_fit_parameter(step: Estimator, name: str, is_last: bool) -> bool:
    """Return True if ``fit`` of a step, or of a base class of the step, has this parameter.

    ``**unknown`` in the fit of the last step does not count; it only raises a helpful error.
    """
    fits = [vars(cls)["fit"] for cls in type(step).__mro__ if "fit" in vars(cls)]
    parameters = [p for fit in fits for p in inspect.signature(fit).parameters.values()]
    if not is_last and any(p.kind is p.VAR_KEYWORD for p in parameters):
        return True
    return name in {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}


def _unknown_parameter(step: Estimator, name: str, full_name: str) -> str:
    kind = type(step).__name__
    if name in step.get_params(deep=False):
        return (
            f"{name} is a constructor parameter, not a parameter of fit: use {kind}({name}=…), or "
            f"{full_name!r} in param_grid."
        )
    return f"fit() of {kind} has no parameter {name!r}."


def _grouping_key(params: dict[str, Any]) -> tuple[tuple[Any, ...], ...]:
    """Return a hashable key that is equal for equal parameters; 1, 1.0 and True are not equal.

    An unhashable value is equal only to itself. This is enough, because candidates of one grid
    share its objects.
    """
    return tuple((name, *_value_key(params[name])) for name in sorted(params))


def _value_key(value: Any) -> tuple[Any, Any]:
    try:
        hash(value)
    except TypeError:
        return id(value), None
    return type(value), value


def _check_keeps_epochs(network: Estimator) -> None:
    if not (hasattr(type(network), "at_epoch") and hasattr(network, "keep_epochs")):
        raise InvalidParameterError(
            "EpochSearchCV needs an estimator with epochs, keep_epochs and at_epoch, such as "
            "DigitClassifier, or a Pipeline that ends with such an estimator; got "
            f"{network!r:.60}. "
            "Use GridSearchCV for other estimators."
        )


def _check_has_epochs(candidates: list[dict[str, Any]], name: str) -> None:
    if not any(name in candidate for candidate in candidates):
        raise InvalidParameterError(
            f"param_grid should have {name!r}, because EpochSearchCV searches over epochs; "
            f"it has {sorted({key for candidate in candidates for key in candidate})}. "
            "Use GridSearchCV for a grid without epochs."
        )


def _check_epochs(epochs: Any, name: str) -> int:
    if not isinstance(epochs, Integral) or isinstance(epochs, bool):
        raise InvalidParameterError(f"{name} should be whole numbers; got {epochs!r}.")
    if epochs < 1:
        raise InvalidParameterError(f"{name} should be 1 or more; got {epochs!r}.")
    return int(epochs)


def _warn_of_separate_fits(count: int) -> None:
    if count:
        warnings.warn(
            f"{count} candidates are fitted separately: with schedule='one_cycle', or with Keras "
            "callbacks, the first epochs of a longer fit differ from those of a shorter fit.",
            stacklevel=4,
        )
