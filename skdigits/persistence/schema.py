"""Validate loaded values, so that `load` refuses an invalid file and nothing fails later."""

from __future__ import annotations

import itertools
import json
import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.pipeline import Pipeline

from skdigits.checks.image_shapes import check_image_shape
from skdigits.checks.pixel_ranges import PixelRange
from skdigits.estimator import NetworkEstimator
from skdigits.estimator import check_parameters as check_network_parameters
from skdigits.networks.architectures import ARCHITECTURES, READERS
from skdigits.networks.labels import DIGITS
from skdigits.networks.layers import check_weights
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import FitCall, ProgramKey, TrainedNetwork
from skdigits.pictures.line_images import HEIGHT
from skdigits.preprocessing import PictureCleaner
from skdigits.sequence import DigitSequenceRecognizer
from skdigits.sklearn_compat import Interval, StrOptions, check_values, validate_parameters
from skdigits.training.task import OPTIMIZERS

if TYPE_CHECKING:
    from skdigits.typing import Estimator

LARGEST = 1e300  # maximum absolute value of a float64 pixel
COUNT = Interval(Integral, 1, None, closed="left")
NATURAL = Interval(Integral, 0, None, closed="left")
POSITIVE = Interval(Real, 0, None, closed="neither")
SEED = Interval(Integral, 0, 2**31 - 1, closed="both")
FIELDS: dict[str, dict[str, list[Any]]] = {
    "FitCall": {"first": [NATURAL], "early_stopping": ["boolean"]},
    "PixelRange": {
        "low": [Interval(Real, None, 0, closed="right")],
        "high": [Interval(Real, 0, None, closed="left")],
        "mean": [Real],
    },
    "ProgramKey": {
        "spec": [NetworkSpec],
        "optimizer": [str],
        "augment": [Interval(Real, 0, 10, closed="both")],
        "restyle": ["boolean"],
    },
    "NetworkSpec": {
        "architecture": [StrOptions({*ARCHITECTURES, *READERS}), callable],
        "image_shape": [tuple],
        "n_outputs": [Interval(Integral, 2, None, closed="left")],
        "options": [tuple],
        "dtype": [StrOptions({"float32", "float64"})],
        "reads_sequences": ["boolean"],
    },
    "TrainedNetwork": {
        "key": [ProgramKey],
        "seed": [SEED],
        "pixel_range": [PixelRange, None],
        "pixel_dtype": [StrOptions({"uint8", "float32", "float64"})],
        "scale": [POSITIVE],
        "learning_rate": [Interval(Real, 0, None, closed="left")],
        "weights": [list],
        "raw_weights": [list],
        "optimizer_state": [list],
        "history": [dict],
        "calls": [tuple],
        "kept": [dict],
    },
}
OPTIONS: dict[str, list[Any]] = {
    "filters": [COUNT],
    "kernel_size": [COUNT],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "l2": [POSITIVE],
}
FITTED: dict[str, list[Any]] = {
    "_network": [TrainedNetwork],
    "_sklearn_output_config": [dict],
    "characters_": [str],
    "classes_": [np.ndarray],
    "image_shape_": [tuple],
    "n_features_in_": [COUNT],
    "feature_names_in_": [np.ndarray],
}
ROWS = {"image_shape_", "n_features_in_", "feature_names_in_"}
ATTRIBUTES = {  # fitted attributes by class
    "DigitClassifier": ROWS | {"_network", "classes_", "_sklearn_output_config"},
    "DigitSequenceRecognizer": ROWS | {"_network", "characters_"},
    "ImageReshaper": ROWS | {"_sklearn_output_config"},
    "PictureCleaner": set(),
}
PIPELINE = Pipeline([]).get_params().keys()
STATE_ARRAYS = {  # number of state arrays per trainable variable, for each optimizer
    "adadelta": 2,
    "adagrad": 1,
    "adam": 2,
    "adamax": 2,
    "adamw": 2,
    "nadam": 2,
    "rmsprop": 1,
    "sgd": 0,
}
CONTAINERS = ({"transform": "default"}, {"transform": "pandas"}, {"transform": "polars"})
# Settings that all optimizers of Keras have. `KERAS_OPTIMIZERS` has the settings of each optimizer.
WITHOUT_EFFECT = {"use_ema", "loss_scale_factor"}  # `fit` refuses them, since they have no effect
SETTINGS = WITHOUT_EFFECT | {
    *("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "gradient_accumulation_steps"),
    *("ema_momentum", "ema_overwrite_frequency"),
}
ADAM = {"beta_1", "beta_2", "epsilon"}
KERAS_OPTIMIZERS: dict[str, set[str]] = {
    "Adadelta": {"rho", "epsilon"},
    "Adafactor": {"beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step"},
    "Adagrad": {"initial_accumulator_value", "epsilon"},
    "Adam": ADAM | {"amsgrad"},
    "AdamW": ADAM | {"amsgrad"},
    "Adamax": ADAM,
    "Ftrl": {
        *("learning_rate_power", "initial_accumulator_value", "beta"),
        *("l1_regularization_strength", "l2_regularization_strength"),
        "l2_shrinkage_regularization_strength",
    },
    "Lamb": ADAM,
    "Lion": {"beta_1", "beta_2"},
    "Muon": {
        *("adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "exclude_embeddings"),
        *("muon_a", "muon_b", "muon_c", "adam_lr_ratio", "momentum", "ns_steps", "nesterov"),
        *("adam_weight_decay", "rms_rate"),
    },
    "Nadam": ADAM,
    "RMSprop": {"rho", "momentum", "epsilon", "centered"},
    "SGD": {"momentum", "nesterov"},
}


def checked(record: Any) -> Any:
    """Check a record of a file.

    Parameters
    ----------
    record : FitCall, NetworkSpec, PixelRange, ProgramKey or TrainedNetwork
        The record.

    Returns
    -------
    record
        The same record.

    Raises
    ------
    ValueError
        If a value is not valid.
    """
    kind = type(record).__name__
    check_values(FIELDS[kind], vars(record), kind)
    CHECKS.get(kind, lambda record: None)(record)
    return record


def with_layers(spec: NetworkSpec) -> NetworkSpec:
    """Check a specification from a file, and add the layers of its architecture.

    Parameters
    ----------
    spec : NetworkSpec
        A specification without layers.

    Returns
    -------
    NetworkSpec
        The specification with layers; without them if the architecture is a user's function.

    Raises
    ------
    ValueError
        If a value is not valid.
    """
    checked(spec)
    return NetworkSpec.of(
        spec.architecture, spec.image_shape, spec.n_outputs, spec.options, spec.dtype
    )


def _check_pixel_range(found: PixelRange) -> None:
    bounded = max(-found.low, found.high) <= LARGEST and not math.isinf(found.mean)
    if not found.low < found.high or not bounded:
        raise ValueError(
            f"its pixel range, {found.low} to {found.high} with mean {found.mean}, is not valid"
        )


def _check_key(key: ProgramKey) -> None:
    """Raise a ValueError if the optimizer is neither a known name nor a plain Keras optimizer."""
    if key.optimizer in OPTIMIZERS:
        return
    match _parsed(key.optimizer):
        case {
            "module": "keras.optimizers",
            "class_name": str() as name,
            "config": {"learning_rate": rate, **settings},
            "registered_name": None,
            **rest,
        } if name in KERAS_OPTIMIZERS and not rest:
            check_values({"learning_rate": [POSITIVE]}, {"learning_rate": rate}, name)
            known = SETTINGS | KERAS_OPTIMIZERS[name]
            for setting, value in settings.items():
                if setting not in known or not _is_setting(setting, value):
                    raise ValueError(
                        f"its optimizer {name} has the invalid setting "
                        f"{setting!s:.50}={value!s:.50}"
                    )
        case {"class_name": name}:
            raise ValueError(f"its optimizer {str(name)[:50]!r} is unknown")
        case _:
            raise ValueError(f"its optimizer {key.optimizer[:50]!r} is unknown")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_setting(name: str, value: object) -> bool:
    if name in WITHOUT_EFFECT:
        return not value
    if isinstance(value, list):  # names of layers
        return all(isinstance(item, str) for item in value)
    return value is None or (isinstance(value, (bool, int, float)) and math.isfinite(value))


def _check_spec(spec: NetworkSpec) -> None:
    if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in spec.options):
        raise ValueError("the options of its network are not pairs")
    shape, options = spec.image_shape, dict(spec.options)
    if options.keys() - OPTIONS.keys() or len(options) != len(spec.options):
        raise ValueError(f"its network has the unknown options {str(list(options))[:99]}")
    check_values(OPTIONS, options, "NetworkSpec")
    if spec.reads_sequences != (spec.architecture in READERS):
        raise ValueError(
            f"reads_sequences={spec.reads_sequences} does not match the network {spec.name!r}"
        )
    if spec.reads_sequences:
        if shape != (HEIGHT, None, 1):
            raise ValueError(f"its network has the invalid image shape {shape}")
        if spec.n_outputs <= len(DIGITS):
            raise ValueError(
                f"its network has {spec.n_outputs} outputs, too few for ten digits and the blank"
            )
    elif len(shape) != 3 or not all(_is_count(side) for side in shape):
        raise ValueError(f"its network has the invalid image shape {shape}")


def _check_network(network: TrainedNetwork) -> None:
    if not (1 / LARGEST < network.scale < LARGEST and network.learning_rate < LARGEST):
        raise ValueError(
            f"its scale {network.scale} or learning rate {network.learning_rate} is not valid"
        )
    _check_history(network)
    weights = network.weights
    if not weights:
        raise ValueError("it has no weights")
    for found in (weights, network.raw_weights, *network.kept.values()):
        if not isinstance(found, list) or not all(map(_is_array_of_numbers, found)):
            raise ValueError("its weights are not arrays of numbers")
        if [(w.shape, w.dtype) for w in found] != [(w.shape, w.dtype) for w in weights]:
            raise ValueError("its weights have different shapes or dtypes in different epochs")
    spec = network.key.spec
    if callable(spec.architecture):
        from skdigits.training.plain_keras import build_trained

        build_trained(network)  # raises an error if the weights do not match the architecture
        return
    if {w.dtype for w in weights if w.dtype.kind == "f"} != {np.dtype(spec.dtype)}:
        raise ValueError("its weights do not have the dtype of the network")
    n_trainable = check_weights(spec.layers, spec.enlarged_shape(), weights)
    _check_optimizer_state(network, n_trainable)


def _check_history(network: TrainedNetwork) -> None:
    history, calls = network.history, network.calls
    lengths = {len(values) if isinstance(values, list) else 0 for values in history.values()}
    numbers = all(isinstance(v, float) for values in history.values() for v in values)
    named = "loss" in history and all(isinstance(name, str) for name in history)
    if not numbers or not named or len(lengths) != 1 or 0 in lengths:
        raise ValueError("its history does not have one number per epoch")
    firsts = [call.first for call in calls if isinstance(call, FitCall)]
    ascending = all(a < b for a, b in itertools.pairwise([-1, *firsts, network.n_epochs]))
    if not firsts or firsts[0] != 0 or len(firsts) != len(calls) or not ascending:
        raise ValueError("its calls to fit do not match its history")
    if any(call.early_stopping for call in calls) and "val_loss" not in history:
        raise ValueError("it has early stopping, but its history has no validation loss")
    if not all(_is_count(epoch) and epoch <= network.n_epochs for epoch in network.kept):
        raise ValueError("it has weights of epochs that were not trained")


def _check_optimizer_state(network: TrainedNetwork, n_trainable: int) -> None:
    """Raise a ValueError if an optimizer's state does not fit the optimizer and the weights."""
    name, state = network.key.optimizer, network.optimizer_state
    if not all(isinstance(v, (int, float)) or _is_array_of_numbers(v) for v in state):
        raise ValueError("the state of its optimizer has values that are not numbers")
    if not state or name not in OPTIMIZERS:
        return
    shapes = [w.shape for w in network.weights[:n_trainable] for _ in range(STATE_ARRAYS[name])]
    expected = [(), (), *shapes, *[()] * (name == "nadam")]
    if [np.shape(v) for v in state] != expected:
        raise ValueError("the state of its optimizer does not match the network")


CHECKS: dict[str, Any] = {
    "PixelRange": _check_pixel_range,
    "ProgramKey": _check_key,
    "NetworkSpec": _check_spec,
    "TrainedNetwork": _check_network,
}


# -- estimators ------------------------------------------------------------------------------------


def parameters(estimator: Estimator) -> set[str]:
    """Return the names of the parameters that files of an estimator contain.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer, ImageReshaper or PictureCleaner
        The estimator.

    Returns
    -------
    set of str
        The names.
    """
    return estimator.get_params().keys() - getattr(estimator, "observing", set())


def check_parameters(estimator: Estimator) -> None:
    """Check the parameters of an estimator, including those that only `fit` checks.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer, ImageReshaper or PictureCleaner
        The estimator.

    Raises
    ------
    ValueError
        If a value is not valid.
    """
    if isinstance(estimator, NetworkEstimator):
        check_network_parameters(estimator)
    else:
        validate_parameters(estimator)
    if getattr(estimator, "image_shape", None) is not None:
        check_image_shape(estimator.image_shape)
    if isinstance(getattr(estimator, "class_weight", None), dict):
        _check_class_weight(estimator.class_weight)


def check_fitted(estimator: Estimator) -> None:
    """Check the fitted attributes of an estimator.

    Parameters
    ----------
    estimator : DigitClassifier, DigitSequenceRecognizer, ImageReshaper or PictureCleaner
        The estimator.

    Raises
    ------
    ValueError
        If a value is not valid.
    """
    fitted = {name: vars(estimator)[name] for name in FITTED if name in vars(estimator)}
    check_values(FITTED, fitted, type(estimator).__name__)
    if fitted.get("_sklearn_output_config", CONTAINERS[0]) not in CONTAINERS:
        raise ValueError("its set_output setting is unknown")
    names, n_features = fitted.get("feature_names_in_"), fitted.get("n_features_in_")
    if names is not None and (names.shape != (n_features,) or names.dtype.kind != "O"):
        raise ValueError("feature_names_in_ does not have one name per feature")
    shape = fitted.get("image_shape_")
    if shape is not None:
        _check_shape(shape, n_features)
    _check_network_of(estimator, fitted)


def check_steps(steps: Any) -> None:
    """Check the names and the order of the steps of a Pipeline.

    Parameters
    ----------
    steps : list of (str, estimator)
        Names and checked estimators.

    Raises
    ------
    ValueError
        If a name is not valid, or a step before the last is not a transformer.
    """
    names = [name for name, _ in steps]
    for name in names:
        if not isinstance(name, str) or "__" in name or name in PIPELINE:
            raise ValueError(f"a step of the Pipeline has the invalid name {str(name)[:50]!r}")
    if not names or len(set(names)) < len(names):
        raise ValueError("the Pipeline has no steps, or two steps of the same name")
    for name, step in steps[:-1]:
        if step not in (None, "passthrough") and not hasattr(step, "transform"):
            raise ValueError(f"the step {name[:50]!r} of the Pipeline is not a transformer")


def _check_class_weight(weights: Any) -> None:
    for label, weight in weights.items():
        is_label = isinstance(label, (bool, int, float, str, np.generic))
        if not is_label or not isinstance(weight, Real) or not 0 <= float(weight) < math.inf:
            raise ValueError(
                f"class_weight has the invalid entry {str(label)[:50]!r}: {str(weight)[:50]}"
            )


def _check_shape(shape: Any, n_features: Any) -> None:
    if not all(_is_count(side) for side in (*shape, n_features)) or len(shape) not in (2, 3):
        raise ValueError(
            f"image_shape_={str(shape)[:50]} or n_features_in_={n_features} is not valid"
        )
    side = math.isqrt(n_features - 1) + 1
    if math.prod(shape) != n_features and shape not in ((side, side), (side, side, 1)):
        raise ValueError(f"images of shape {shape} do not have {n_features} pixels")


def _check_network_of(estimator: Estimator, fitted: dict[str, Any]) -> None:
    if isinstance(estimator, PictureCleaner):
        return
    if not isinstance(estimator, NetworkEstimator):
        if len(fitted.get("image_shape_", ())) != 3:
            raise ValueError("image_shape_ does not have height, width and channels")
        return
    if "_network" not in fitted:
        raise ValueError("it has no trained network")
    network = fitted["_network"]
    spec = network.key.spec
    if spec.reads_sequences != isinstance(estimator, DigitSequenceRecognizer):
        raise ValueError(f"its network {spec.name!r} belongs to another estimator")
    if spec.reads_sequences:
        if network.pixel_range is None or len(fitted.get("image_shape_", (1, 1))) != 2:
            raise ValueError("its pixel range is missing, or its image_shape_ is not valid")
        characters = fitted.get("characters_", "")
        is_valid = characters.startswith(DIGITS) and len({*characters}) == len(characters)
        if not is_valid or len(characters) + 1 != spec.n_outputs:
            raise ValueError("characters_ does not match the outputs of the network")
        return
    if fitted.get("image_shape_") != spec.image_shape or "n_features_in_" not in fitted:
        raise ValueError(
            "image_shape_ differs from that of the network, or n_features_in_ is missing"
        )
    classes = fitted.get("classes_")
    if classes is None or classes.shape != (spec.n_outputs,):
        raise ValueError("classes_ does not have one label per output of the network")
    if not np.array_equal(np.unique(classes), classes):
        raise ValueError("classes_ is not sorted")
    if classes.dtype.kind == "f" and (classes != np.rint(classes)).any():
        raise ValueError("classes_ has floats that are not whole numbers")


def _is_array_of_numbers(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31
