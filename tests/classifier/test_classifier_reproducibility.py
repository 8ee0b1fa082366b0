import hashlib
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from small import quick, shallow, weights_of

from skdigits import DigitClassifier

# -- reproducibility -----------------------------------------------------------------------

DIGEST = """
import hashlib, sys
from skdigits import DigitClassifier
from skdigits.datasets import load_digits
X, y = load_digits(return_X_y=True)
model = DigitClassifier(epochs=2, random_state=7, augment=True).fit(X[:300], y[:300])
print(hashlib.sha256(b"".join(w.tobytes() for w in model.to_keras().get_weights())).hexdigest())
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_in_another_process(digits):
    import keras

    random.random(), np.random.random(3), keras.random.normal((3,))
    quick(random_state=1, architecture="lenet").fit(*digits)
    model = DigitClassifier(epochs=2, random_state=7, augment=True).fit(*digits)
    here = hashlib.sha256(b"".join(w.tobytes() for w in weights_of(model))).hexdigest()
    run = subprocess.run(
        [sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.strip() == here


def test_other_seeds_give_other_weights(digits):
    first, second = (quick(random_state=seed).fit(*digits) for seed in (0, 1))
    assert not np.array_equal(weights_of(first)[0], weights_of(second)[0])


def test_random_state_instance_is_drawn_from(digits):
    rng = np.random.RandomState(0)
    first, second = (quick(random_state=rng).fit(*digits) for _ in range(2))
    assert not np.array_equal(weights_of(first)[0], weights_of(second)[0])


def test_fit_leaves_no_global_trace(digits):
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.config import is_op_determinism_enabled
    from threadpoolctl import threadpool_info

    def draws():
        """What Keras and TensorFlow would draw next from their global seeds."""
        return keras.random.normal((2,)).numpy().tolist(), tf.random.normal((2,)).numpy().tolist()

    def state():
        return (
            random.getstate(),
            str(np.random.get_state()),
            dict(os.environ),
            is_op_determinism_enabled(),
            tf.config.threading.get_intra_op_parallelism_threads(),
            tf.config.threading.get_inter_op_parallelism_threads(),
            [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()],
            keras.config.floatx(),
            keras.config.dtype_policy().name,
        )

    def seed():
        keras.utils.clear_session()  # older Keras keeps its generator when a seed is set
        keras.utils.set_random_seed(3)

    seed()
    expected = draws()
    seed()
    before = state()
    fresh = lambda image_shape, n_classes: shallow(image_shape, n_classes)  # noqa: E731  builds anew
    quick(architecture=fresh, dtype="float64").fit(*digits).predict(digits[0])
    assert state() == before
    assert draws() == expected
