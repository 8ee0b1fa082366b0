import numpy as np
import pytest

from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import ProgramKey, TrainedNetwork
from skdigits.training import epoch_model, initial_weights
from skdigits.training.task import Samples, TrainingTask

SPEC = NetworkSpec.of("compact", (28, 28, 1), 10, (("dropout", 0.0),), "float64")


@pytest.fixture(scope="session")
def images():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (70, 784), dtype=np.uint8)
    return X, rng.integers(0, 10, 70), rng.random(70) + 0.5


@pytest.fixture(scope="session")
def make_task(images):
    """Make a task on these images, with initial weights drawn."""

    def make(spec=SPEC, optimizer="adam", *, samples=None, **options):
        weights = initial_weights.draw(spec, seed=1)
        key = ProgramKey(spec, optimizer)
        start = TrainedNetwork(key, 3, scale=1 / 255, weights=weights, raw_weights=weights)
        samples = Samples(*images[:2]) if samples is None else samples
        defaults = {
            "draw": lambda epoch: samples,
            "draws_anew": False,
            "validation": None,
            "epochs": 2,
            "batch_size": 32,
            "learning_rate": 0.01,
            "schedule": None,
            "pixel_dtype": np.dtype("uint8"),
        }
        return TrainingTask(start, **{**defaults, **options})

    return make


@pytest.fixture
def run():
    """Train a new model on a task."""

    def run(task, callbacks=()):
        model = epoch_model.EpochModel.from_key(task.start.key)
        return model, model.fit(task=task, callbacks=callbacks).history

    return run
