import keras
import numpy as np
import pytest

from skdigits import DigitClassifier
from skdigits.datasets import load_digits
from skdigits.training import schedules


def test_warm_up_and_one_cycle_set_the_rate(make_task, run):
    rates = {}

    class Rates(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            change = [
                np.abs(v.numpy() - old).max()
                for v, old in zip(self.model.trainable_variables, self.old, strict=True)
            ]
            rates.setdefault(schedule, []).append(max(change))

        def on_train_batch_begin(self, batch, logs=None):
            self.old = [v.numpy().copy() for v in self.model.trainable_variables]

    for schedule in ("averaged", "one_cycle"):
        run(make_task(optimizer="sgd", schedule=schedule, epochs=4, batch_size=7), [Rates()])
    averaged, cycle = np.array(rates["averaged"]), np.array(rates["one_cycle"])
    assert averaged[0] < averaged[20] / 5, "the rate grows from step to step"
    assert cycle[12] > 3 * cycle[0], "up …"
    assert cycle[12] > 10 * cycle[-1], "… and down"


@pytest.mark.parametrize(
    ("progress", "factor"), [(0.0, 0.04), (0.3, 1.0), (0.65, 0.5), (1.0, 1e-3)]
)
def test_one_cycle_at_marked_points(progress, factor):
    assert float(schedules.one_cycle(progress)) == pytest.approx(factor, abs=1e-6)


def test_a_described_optimizer_is_made_again():
    optimizer = keras.optimizers.SGD(0.02, momentum=0.7, nesterov=True, clipnorm=1.5)
    description = schedules.describe_optimizer(optimizer)
    assert description == schedules.describe_optimizer(
        keras.optimizers.SGD(0.02, momentum=0.7, nesterov=True, clipnorm=1.5)
    )
    made = schedules.make_optimizer(description)
    assert made is not optimizer
    assert made.get_config() | {"name": None} == optimizer.get_config() | {"name": None}
    assert schedules.default_rate(description, "averaged", "deep") == pytest.approx(0.02)


def test_an_optimizer_with_a_schedule_of_keras_is_refused():
    decay = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
    with pytest.raises(ValueError, match="rate of the optimizer Adam is not a number.*one_cycle"):
        schedules.describe_optimizer(keras.optimizers.Adam(decay))
    with pytest.raises(ValueError, match="or a Keras optimizer; got dict"):
        schedules.describe_optimizer({})


def test_accumulated_gradients_are_averaged():
    optimizer = keras.optimizers.Adam(1e-3, gradient_accumulation_steps=2)
    X, y = load_digits(return_X_y=True)
    found = DigitClassifier("compact", epochs=3, optimizer=optimizer, random_state=0)
    assert np.isfinite(found.fit(X[:300], y[:300]).predict_proba(X)).all()
    assert found.score(X[:300], y[:300]) > 0.2
