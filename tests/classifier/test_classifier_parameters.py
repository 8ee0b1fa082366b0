import numpy as np
import pytest
from sklearn.base import clone
from small import assert_same_weights, quick, shallow, weights_of

import skdigits
from skdigits import DigitClassifier
from skdigits.synthesis import glyphs


def test_every_parameter_survives_set_params_and_clone():
    other = {
        "architecture": "lenet",
        "filters": 3,
        "kernel_size": 3,
        "dropout": 0.3,
        "l2": 1e-4,
        "optimizer": "adadelta",
        "learning_rate": 0.5,
        "schedule": None,
        "epochs": 7,
        "batch_size": 9,
        "image_shape": (4, 16),
        "rescale": False,
        "validation_fraction": 0.3,
        "early_stopping": True,
        "patience": 2,
        "class_weight": "balanced",
        "warm_start": True,
        "keep_epochs": [1, 2],
        "callbacks": [],
        "checkpoint": "folder",
        "augment": True,
        "style": "mixed",
        "dtype": "float64",
        "verbose": 2,
        "random_state": 5,
    }
    assert other.keys() == DigitClassifier().get_params().keys()
    assert clone(DigitClassifier(**other)).get_params() == other
    assert DigitClassifier().set_params(**other).get_params() == other


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"architecture": "lenett"}, "Did you mean 'lenet'"),
        ({"optimizer": "adma"}, "Did you mean 'adamax' or 'adam'"),
        ({"schedule": "onecycle"}, "Did you mean 'one_cycle'"),
        ({"epochs": 0}, "'epochs' parameter of DigitClassifier must be an int in the range"),
        ({"batch_size": 2.5}, "'batch_size' parameter"),
        ({"learning_rate": -1.0}, "'learning_rate' parameter"),
        ({"augment": 15}, r"'augment' .* 'bool' .* in the range \[0.0, 10.0\]"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"dtype": "float16"}, "'dtype' parameter"),
        ({"keep_epochs": [0, 1]}, "whole numbers from 1"),
        ({"keep_epochs": [1.5]}, "whole numbers from 1"),
        ({"kernel_size": 29}, "could not be built for images of shape"),
        ({"callbacks": ["early"]}, "callbacks should be Keras callbacks; got str"),
    ],
)
def test_a_bad_parameter_gets_one_clear_error(digits, parameters, message):
    with pytest.raises((ValueError, TypeError), match=message):
        quick(**parameters).fit(*digits)


def test_parameters_change_the_network(digits):
    X, y = digits
    count = quick(epochs=1, filters=2, kernel_size=3).fit(X, y).to_keras().count_params()
    assert count == (9 * 2 + 2) + (9 * 2 * 2 + 2) + (12 * 12 * 2 * 10 + 10)
    small = quick(epochs=4, l2=1.0).fit(X, y)
    assert (
        np.abs(weights_of(small)[0]).max() < np.abs(weights_of(quick(epochs=4).fit(X, y))[0]).max()
    )


@pytest.mark.parametrize(
    "optimizer", ["adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "rmsprop", "sgd"]
)
def test_every_optimizer_learns(digits, optimizer):
    rate = {"adadelta": 10.0, "adagrad": 0.3, "sgd": 0.1}.get(optimizer, 0.01)
    classifier = quick(optimizer=optimizer, learning_rate=rate, epochs=6).fit(*digits)
    assert classifier.history_["loss"][-1] < 0.7 * classifier.history_["loss"][0]


@pytest.mark.parametrize("schedule", ["averaged", "one_cycle", None])
def test_every_schedule_learns(digits, schedule):
    assert quick(schedule=schedule, epochs=12).fit(*digits).score(*digits) > 0.9


def test_augmentation_changes_training_and_still_learns(digits):
    augmented = quick(augment=True, epochs=8).fit(*digits)
    plain = quick(epochs=8).fit(*digits)
    more = quick(augment=2, epochs=8).fit(*digits)
    losses = [fitted.history_["loss"][-1] for fitted in (plain, augmented, more)]
    assert losses == sorted(losses)
    assert augmented.score(*digits) > 0.8
    assert quick(augment=1.0, epochs=8).fit(*digits).history_ == augmented.history_


@pytest.mark.slow
def test_handwritten_style_repeats_and_still_learns(digits, tmp_path):
    styled = quick(style="handwritten", architecture="lenet", epochs=8, keep_epochs=[3])
    styled.fit(*digits)
    assert styled.score(*digits) > 0.8
    assert clone(styled).fit(*digits).history_ == styled.history_
    short = clone(styled).set_params(epochs=3, keep_epochs=False).fit(*digits)
    assert_same_weights(styled.at_epoch(3), short)
    assert short.history_ != quick(architecture="lenet", epochs=3).fit(*digits).history_
    skdigits.save(styled, tmp_path / "model.skdigits")
    loaded = skdigits.load(tmp_path / "model.skdigits")
    assert loaded.get_params()["style"] == "handwritten"
    np.testing.assert_array_equal(loaded.predict(digits[0]), styled.predict(digits[0]))
    assert_same_weights(
        loaded.set_params(warm_start=True, epochs=1).fit(*digits),
        styled.set_params(warm_start=True, epochs=1).fit(*digits),
    )


@pytest.mark.parametrize("options", [{"dtype": "float64"}, {"rescale": False}, {"epochs": 1}])
def test_handwritten_style_with_other_parameters(digits, options):
    classifier = quick(style="handwritten", **options).fit(*digits)
    assert np.isfinite(classifier.history_["loss"]).all()


@pytest.mark.slow
def test_mixed_style_reads_type_of_other_faces(digits, tmp_path, monkeypatch):
    X, y = digits
    all_typefaces = glyphs.typeface_images(8)
    known, others = ({k: v[i::2] for k, v in all_typefaces.items()} for i in range(2))
    monkeypatch.setattr(glyphs, "typeface_images", lambda side: known)
    rows = np.concatenate(list(others.values())).reshape(-1, 64)
    labels = np.arange(len(rows)) % 10
    options = {"architecture": "lenet", "epochs": 8, "validation_fraction": 0.1}
    mixed, other = (quick(style=a, **options).fit(X, y) for a in ("mixed", "handwritten"))
    assert mixed.score(rows, labels) > other.score(rows, labels) + 0.05
    assert mixed.score(X, y) > 0.8
    again = clone(mixed).set_params(epochs=2, keep_epochs=[1]).fit(X, y.astype(str))
    assert again.history_["loss"] == mixed.history_["loss"][:2]
    assert_same_weights(again.at_epoch(1), clone(again).set_params(epochs=1).fit(X, y.astype(str)))
    skdigits.save(mixed, tmp_path / "model.skdigits")
    assert skdigits.load(tmp_path / "model.skdigits").style == "mixed"


def test_mixed_style_keeps_weights_and_works_in_partial_fit(digits):
    X, y = digits
    weighted = quick(style="mixed", class_weight="balanced", epochs=1)
    weighted.fit(X, y, sample_weight=np.where(y < 9, 2.0, 0.0))
    whole = quick(style="mixed").fit(X, y)
    parts = quick(style="mixed").partial_fit(X, y, classes=range(10)).partial_fit(X, y)
    assert_same_weights(whole, parts)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.eye(64)[:4], ["a", "b", "a", "b"], "no label is a digit"),
        (
            np.ones((4, 8, 8, 3)),
            [1, 2, 1, 2],
            "square grey images; X has images of 8×8 pixels with 3",
        ),
        (np.ones((4, 8, 9)), [1, 2, 1, 2], "square grey images; X has images of 8×9 pixels"),
    ],
)
def test_mixed_style_is_for_square_grey_digits(X, y, message):
    with pytest.raises(ValueError, match=message):
        quick(style="mixed").fit(X, y)


def test_a_function_as_architecture(digits):
    X, y = digits
    classifier = quick(architecture=shallow, dropout=0.2, epochs=5).fit(X, y)
    assert classifier.to_keras().count_params() == 28 * 28 * 10 + 10
    assert classifier.score(X, y) > 0.8
    assert clone(classifier).architecture is shallow


def test_a_function_is_not_asked_for_what_it_does_not_know(digits):
    with pytest.raises(ValueError, match="takes no filters"):
        quick(architecture=shallow, filters=3).fit(*digits)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda image_shape, n_classes: "network", "returned str; it should return a keras.Model"),
        (lambda image_shape, n_classes: shallow(image_shape, 3), r"outputs of shape \(None, 10\)"),
    ],
)
def test_a_function_that_returns_something_else_is_refused(digits, function, message):
    with pytest.raises(ValueError, match=message):
        quick(architecture=function).fit(*digits)
