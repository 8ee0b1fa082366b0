from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from skdigits.checks.pixel_ranges import PixelRange
from skdigits.inference import ctc, graphs
from skdigits.networks.architectures import ARCHITECTURES, READERS
from skdigits.networks.spec import NetworkSpec
from skdigits.networks.trained import ProgramKey, TrainedNetwork
from skdigits.training import initial_weights, plain_keras

CASES = [
    *((name, (28, 28, 1), ()) for name in ARCHITECTURES),
    *((name, (8, 8, 1), (("filters", 3),)) for name in ARCHITECTURES),
    *((name, (31, 40, 3), ()) for name in ARCHITECTURES),
    *((name, (7, 30, 2), ()) for name in ARCHITECTURES),
    ("lenet", (24, 24, 1), (("kernel_size", 4),)),
    ("compact", (28, 28, 1), (("kernel_size", 2), ("dropout", 0.5), ("l2", 0.1))),
    *((name, (28, None, 1), ()) for name in READERS),
    *((name, (28, None, 1), (("filters", 5),)) for name in READERS),
]


def make_network(name, shape, options):
    reads = name in READERS
    spec = NetworkSpec.of(name, shape, 11 if reads else 7, options, "float32")
    rng = np.random.default_rng(0)
    weights = [
        (w * rng.uniform(0.5, 1.5, w.shape) + rng.uniform(0, 0.02, w.shape)).astype(w.dtype)
        if w.dtype.kind == "f"
        else w
        for w in initial_weights.draw(spec, 3)
    ]
    return TrainedNetwork(ProgramKey(spec, "adam"), 0, weights=weights)


def run(model, images):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {graphs.INPUT: images})[0]


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_the_model_computes_what_keras_computes(name, shape, options):
    network = make_network(name, shape, options)
    spec, keras_model = network.key.spec, plain_keras.build_trained(network)
    images = np.random.default_rng(1).uniform(0, 1, (5, *(side or 83 for side in shape)))
    if name in READERS:  # images of several widths
        images[1, :, 60:], images[2, :, 5:] = -1, -1
    images = images.astype(np.float32)
    expected = np.asarray(keras_model(images, training=False))
    np.testing.assert_allclose(
        run(graphs.build(spec, network.weights), images), expected, rtol=1e-4, atol=1e-5
    )
    if name in READERS:
        return
    before = np.asarray(plain_keras.without_last_layer(keras_model)(images, training=False))
    found = run(graphs.build(spec, network.weights, features=True), images)
    np.testing.assert_allclose(found, before.reshape(5, -1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(4, 4), (16, 36), (40, 8)])
def test_a_finder_computes_what_keras_computes(size):
    network = make_network("finder", (None, None, 1), (("filters", 6),))
    pictures = np.random.default_rng(1).uniform(-1, 1, (2, *size, 1)).astype(np.float32)
    found = run(graphs.build(network.key.spec, network.weights), pictures)
    expected = plain_keras.build_trained(network)(pictures, training=False)
    assert found.shape == (2, size[0] // 4, size[1] // 4, 7)
    np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_images_without_padding(name):
    network = make_network(name, (28, None, 1), ())
    spec, weights = network.key.spec, network.weights
    padded, plain = graphs.build(spec, weights), graphs.build(spec, weights, padded=False)
    for width in (1, 2, 5, 28, 30, 31, 63, 101):
        images = np.random.default_rng(1).uniform(0, 1, (2, 28, width, 1)).astype(np.float32)
        np.testing.assert_allclose(run(plain, images), run(padded, images), rtol=1e-4, atol=1e-5)
    multiplies = any(node.op_type == "Mul" for node in plain.graph.node)
    assert multiplies == (spec.columns_per_frame > 2)


@pytest.mark.parametrize("name", [*ARCHITECTURES, *READERS])
def test_weights_of_another_network_are_refused(name):
    shape = (28, None, 1) if name in READERS else (28, 28, 1)
    network = make_network(name, shape, ())
    spec, weights = network.key.spec, network.weights
    wrong = [weights[:-3], [*weights, weights[0]], weights[::-1], [weights[0].T, *weights[1:]]]
    for found in wrong:
        with pytest.raises(ValueError, match="weights"):
            graphs.build(spec, found)


@pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (-1.0, 3.0)])
def test_an_exported_reader_scales_pixels_to_bytes(low, high):
    network = make_network(next(iter(READERS)), (28, None, 1), (("filters", 2),))
    network = replace(
        network, pixel_range=PixelRange(low, high, 0.0), pixel_dtype="float32", scale=1 / 255
    )
    model = graphs.build_from_pixels(network, "pixels", "probabilities")
    dimensions = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dimensions] == ["n", 28, "width", 1]
    grey = np.random.default_rng(2).uniform(-0.2, 1.2, (2, 28, 40, 1)).astype(np.float32)
    scaled = np.rint(255 * grey.clip(0, 1)) / 255 if (low, high) != (0, 255) else grey
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = session.run(["probabilities"], {"pixels": low + (high - low) * grey})[0]
    logits = run(graphs.build(network.key.spec, network.weights), scaled.astype(np.float32))
    np.testing.assert_allclose(found, np.exp(ctc.log_softmax(logits)), atol=1e-4)


def test_an_exported_classifier_takes_pixels_of_its_dtype():
    network = make_network("compact", (8, 8, 1), ())
    for name, dtype in (("uint8", np.uint8), ("float32", np.float32), ("float64", np.float32)):
        scaled = replace(network, pixel_dtype=name, scale=0.5)
        model = graphs.build_from_pixels(scaled, "pixels", "probabilities")
        pixels = np.random.default_rng(0).integers(0, 9, (3, 8, 8, 1)).astype(dtype)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        found = session.run(["probabilities"], {"pixels": pixels})[0]
        expected = run(graphs.build(network.key.spec, network.weights), pixels.astype("f4") / 2)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_number_too_large_for_float32_is_refused():
    network = replace(make_network("compact", (8, 8, 1), ()), scale=1e39)
    with pytest.raises(ValueError, match="needs the number 1e.39, which is too large for float32"):
        graphs.build_from_pixels(network, "pixels", "probabilities")
