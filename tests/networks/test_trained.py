import numpy as np

from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import ProgramKey, TrainedNetwork


def test_rows_become_scaled_images():
    spec = NetworkSpec.of("compact", (28, 28, 1), 10, (), "float32")
    network = TrainedNetwork(ProgramKey(spec, "adam"), 0, scale=0.5)
    rows = np.arange(2 * 780, dtype=np.uint8).reshape(2, 780)
    images = network.as_images(rows)
    assert images.shape == (2, 28, 28, 1)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images.reshape(2, -1)[:, :780], rows / 2)
    assert not images.reshape(2, -1)[:, 780:].any()  # the missing pixels are black
