import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageDraw, ImageFont

from skdigits import load_pretrained
from skdigits.inference import ctc, graphs
from skdigits.inference import lines as reading
from skdigits.inference.patterns import Automaton
from skdigits.pictures.line_images import HEIGHT, LineImages


@pytest.fixture(scope="module")
def network():
    return load_pretrained("sequence")._network


def typed(text, slant=0.0, gap=0):
    """A line of type in the style of cleaned lines, with columns to the right per row upwards."""
    picture = Image.new("L", (18 * len(text) + gap, 28))
    font = ImageFont.load_default(28)
    for i, digit in enumerate(text):
        ImageDraw.Draw(picture).text((4 + 16 * i + gap * (i > 0), 0), digit, font=font, fill=255)
    affine = (1, slant, -slant * 14, 0, 1, 0)
    return np.asarray(picture.transform(picture.size, Image.Transform.AFFINE, affine))


TEXTS = ["7", "47205", "80", "1234567890", "39", "660088"]


@pytest.fixture(scope="module")
def lines():
    return LineImages([typed(text) for text in TEXTS])


def as_text(digits):
    return "".join(str(digit) for digit in digits if digit >= 0)


@pytest.mark.parametrize("read", [reading.read_sequences, reading.read_views])
@pytest.mark.parametrize("top", [1, 4])
def test_lines_of_several_widths_are_read_as_each_alone(network, lines, read, top):
    digits, log_probability = read(network, lines, top=top)
    assert digits.shape == (len(TEXTS), top, digits.shape[2])
    assert [as_text(several[0]) for several in digits] == TEXTS
    assert read(network, lines)[1].shape == (len(TEXTS), 1)
    assert (np.diff(log_probability, axis=1) <= 0).all()
    assert (log_probability <= 0).all()
    for i, image in enumerate(lines.images):
        alone, its_log_probability = read(network, LineImages([image]), top=top)
        assert [as_text(one) for one in alone[0]] == [as_text(one) for one in digits[i]]
        np.testing.assert_allclose(its_log_probability[0], log_probability[i], atol=1e-3)


def test_batches_make_no_difference(network, lines, monkeypatch):
    expected = reading.read_sequences(network, lines, top=2)
    scores = reading.score_frames(network, lines)
    monkeypatch.setattr(reading, "BATCH_PIXELS", 28 * 100)
    for found, whole in zip(reading.read_sequences(network, lines, top=2), expected, strict=True):
        np.testing.assert_allclose(found, whole, atol=1e-3)
    columns = network.key.spec.columns_per_frame
    for image, found, whole in zip(
        lines.images, reading.score_frames(network, lines), scores, strict=True
    ):
        assert found.shape == (-(-image.shape[1] // columns), 11)
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)
        np.testing.assert_allclose(found, whole, atol=1e-3)


def test_the_probability_in_several_views_is_the_mean(network):
    lines = LineImages([typed(text, slant, 6) for text in TEXTS for slant in (-0.5, 0.9)])
    views = [lines, *(lines.changed(*view) for view in reading.VIEWS)]
    for top in (1, 3):
        digits, log_probability = reading.read_views(network, lines, top=top)
        for i in range(len(lines.images)):
            parts = [
                np.exp(
                    ctc.log_probability_of(
                        np.repeat(
                            reading.score_frames(network, LineImages([one.images[i]])), top, 0
                        ),
                        digits[i],
                    )
                )
                for one in views
            ]
            np.testing.assert_allclose(np.exp(log_probability[i]), np.mean(parts, 0), atol=0.01)


def test_each_view_can_be_read(network):
    """A view that is changed too much would only disturb the others."""
    lines = LineImages([typed(text, slant) for text in TEXTS for slant in (0, 0.4)])
    for view in reading.VIEWS:
        digits, log_probability = reading.read_sequences(network, lines.changed(*view))
        assert [as_text(one[0]) for one in digits] == np.repeat(TEXTS, 2).tolist(), view
        assert np.exp(log_probability).mean() > 0.9, view


def test_frames_of_a_line_do_not_depend_on_the_other_lines(network, lines):
    together = reading.score_frames(network, LineImages([*lines.images, *lines.images[:3]]))
    for image, found in zip(lines.images, together[: len(TEXTS)], strict=True):
        np.testing.assert_array_equal(reading.score_frames(network, LineImages([image]))[0], found)


def test_another_engine_computes_padded_batches(network, lines):
    model = graphs.build(network.key.spec, network.weights)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    shapes = []

    def engine(network, images, *, features):
        shapes.append(images.shape)
        return session.run(None, {graphs.INPUT: images})[0]

    found = reading.score_frames(network, lines, engine=engine)
    assert shapes == [(len(TEXTS), 28, lines.widths.max(), 1)]
    for one, expected in zip(found, reading.score_frames(network, lines), strict=True):
        np.testing.assert_allclose(np.exp(one), np.exp(expected), atol=1e-5)


@pytest.mark.parametrize("automaton", [None, Automaton("d+0d")])
def test_groups_make_no_difference(network, lines, monkeypatch, automaton):
    expected = reading.read_views(network, lines, top=2, automaton=automaton)
    monkeypatch.setattr(reading, "GROUP_PIXELS", 28 * 600)
    found = reading.read_views(network, lines, top=2, automaton=automaton)
    for one, whole in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, whole, atol=1e-9)
    scores = reading.score_frames(network, lines)
    assert [len(one) for one in scores] == [-(-image.shape[1] // 2) for image in lines.images]


def test_few_lines_are_computed_in_one_thread(network, lines, monkeypatch):
    calls = []

    def map_batches(engine, function, batches):
        calls.append(len(batches))
        return list(map(function, batches))

    monkeypatch.setattr(reading, "map_batches", map_batches)
    expected = reading.score_frames(network, lines)
    assert calls == []
    monkeypatch.setattr(reading, "BATCH_PIXELS", HEIGHT * lines.widths.sum() - 1)
    found = reading.score_frames(network, lines)
    assert calls == [len(set(lines.widths))]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("read", [reading.read_sequences, reading.read_views])
def test_lines_are_read_by_a_pattern(network, lines, read):
    plain, certain = read(network, lines)
    automaton = Automaton(["d", "d+.d0d", "8d"])
    for top in (1, 3):
        digits, log_probability = read(network, lines, top=top, automaton=automaton)
        assert automaton.matches(digits.reshape(-1, digits.shape[2])).all()
        matches = automaton.matches(plain[:, 0])
        assert matches.tolist() == [text in ("7", "47205", "80") for text in TEXTS]
        found = [as_text(several[0]) for several in digits]
        assert [found[i] for i in np.flatnonzero(matches)] == ["7", "47205", "80"]
        # The probability is among all sequences.
        np.testing.assert_allclose(log_probability[matches, 0], certain[matches, 0], atol=1e-3)
        assert (log_probability[~matches, 0] < np.log(0.05)).all()


def test_lines_are_decoded_in_smaller_groups_by_longer_patterns(network, lines, monkeypatch):
    n_at_once, most_probable = [], ctc.most_probable

    def watched(views, top, automaton):
        n_at_once.append(views.shape[1])
        return most_probable(views, top, automaton)

    monkeypatch.setattr(ctc, "most_probable", watched)
    monkeypatch.setattr(reading, "GROUP_PIXELS", 28 * 300)
    for pattern in ("d", "dddddddd"):
        reading.read_sequences(network, lines, automaton=Automaton(pattern))
    assert n_at_once[0] > 1
    assert n_at_once[-len(TEXTS) :] == [1] * len(TEXTS)
