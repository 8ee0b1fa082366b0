import copy
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from small_recognizers import (
    load_digits_28,
    quick,
)

from skdigits.datasets import make_digit_sequences
from skdigits.inference import lines as reading
from skdigits.inference.lines import score_frames
from skdigits.pictures.line_images import LineImages


def test_reads_sequences_of_digits_it_has_not_seen_and_longer_ones(reader, sequences):
    X, y, _ = sequences
    read = reader.predict(X)
    assert read.dtype.kind == "U"
    assert reader.score(X, y) == (read == y).mean() > 0.8
    longest = np.char.str_len(y) == 4  # trained on three
    assert (read == y)[longest].mean() > 0.7


def test_repeated_digits_are_not_merged(reader, sources):
    images, labels = sources[1]
    for digit in (0, 1, 7):
        same = images[labels == digit][:3]
        line = np.concatenate([same[0], same[1], same[2]], axis=1)
        assert reader.predict([line])[0] == str(digit) * 3


def test_confidence_tells_right_from_wrong(reader, sources):
    hard = {"lengths": (1, 4), "gap": (-6, 4), "rotation": 35, "noise": 20, "random_state": 2}
    X, y = make_digit_sequences(*sources[1], 200, **hard)
    confidence = reader.predict_confidence(X)
    assert confidence.shape == (200,)
    assert ((confidence > 0) & (confidence <= 1)).all()
    right = reader.predict(X) == y
    assert 20 < right.sum() < 180
    assert confidence[right].mean() > confidence[~right].mean() + 0.1


def test_top_k_are_ordered_probabilities_of_different_sequences(reader, sequences):
    found, probability = reader.predict_top_k(sequences[0], k=4)
    assert found.shape == probability.shape == (200, 4)
    np.testing.assert_array_equal(found[:, 0], reader.predict(sequences[0]))
    confidence = reader.predict_confidence(sequences[0])
    # Of several and of one they are computed by two programs, in float32.
    np.testing.assert_allclose(probability[:, 0], confidence, rtol=1e-5)
    assert all(len(set(row)) == 4 for row in found)
    assert (probability.sum(axis=1) <= 1 + 1e-6).all()
    assert (np.diff(probability, axis=1) <= 0).all()


@pytest.mark.slow
def test_the_first_of_any_k_is_what_predict_reads(reader, sources):
    hard = {"lengths": (1, 5), "gap": (-12, 0), "rotation": 40, "noise": 40, "random_state": 3}
    X, _ = make_digit_sequences(*sources[1], 300, **hard)
    read, confidence = reader.predict(X), reader.predict_confidence(X)
    assert (confidence < 0.5).sum() > 50
    for k in (1, 2, 3, 10):
        found, probability = reader.predict_top_k(X, k=k)
        np.testing.assert_array_equal(found[:, 0], read)
        np.testing.assert_allclose(probability[:, 0], confidence, atol=1e-5)


def test_a_pattern_chooses_among_the_probable_sequences(reader, sequences):
    X = sequences[0]
    every, its = reader.predict_top_k(X, k=10)
    found, probability = reader.predict_top_k(X, k=3, pattern=["d.d", "d.dd"])
    first, confidence = reader.predict_top_k(X, k=1, pattern=["d.d", "d.dd"])
    np.testing.assert_array_equal(found[:, 0], first[:, 0])
    np.testing.assert_allclose(probability[:, 0], confidence[:, 0], rtol=1e-5)
    assert all(re.fullmatch(r"\d\.\d\d?", text) for text in found.ravel())
    for i in range(len(X)):
        known = dict(zip(every[i], its[i], strict=True))
        best = next((text for text in every[i] if len(text) in (2, 3)), None)
        if best is not None:
            assert found[i, 0] == f"{best[0]}.{best[1:]}"
            assert probability[i, 0] == pytest.approx(known[best], rel=1e-5)
    few, its = reader.predict_top_k(X[:5], k=3, pattern=["7", "$8"])
    assert {frozenset(row) for row in few.tolist()} == {frozenset(["7", "$8", ""])}
    assert (its[:, 2] == 0).all()
    with pytest.raises(ValueError, match="got 'x' in 'dx'"):
        reader.predict_top_k("no images", pattern="dx")


@pytest.mark.filterwarnings("ignore:X has values from 0 to 9")
def test_ten_readings_of_a_single_frame(reader):
    found, probability = reader.predict_top_k(np.full((1, 28, 1), 9, np.uint8), k=10)
    assert len(set(found[0])) == 10
    assert 0.5 < probability.sum() <= 1 + 1e-6


def test_a_network_that_diverged_is_not_sure_of_anything(reader, sequences):
    diverged = copy.deepcopy(reader)
    for weight in diverged._network.weights:
        if weight.dtype.kind == "f":
            weight[...] = np.nan
    for k in (1, 3):
        _, probability = diverged.predict_top_k(sequences[0][:4], k=k)
        assert probability.shape == (4, k)
        assert not (probability > 0).any()


@pytest.mark.slow
def test_one_wide_picture_costs_the_others_nothing(reader, sequences, monkeypatch):
    X, y, _ = sequences
    batches, compute = [], reading.compute

    def watched(engine, network, images):
        batches.append((len(images), images[0].size))
        return compute(engine, network, images)

    monkeypatch.setattr(reading, "compute", watched)
    wide = np.concatenate(list(X), axis=1)
    alone = reader.predict([X[0], wide])[1]
    batches.clear()
    read = reader.predict([wide, *X])
    assert read[0] == alone
    assert (read[1:] == y).mean() == reader.score(X, y)
    assert {rows for rows, width in batches if width == wide.size} == {1}
    assert max(width for rows, width in batches if rows > 1) == X[0].size


def test_probabilities_are_those_of_all_alignments(reader):
    """On a narrow image every alignment can be counted."""
    import itertools

    image = np.random.RandomState(0).randint(0, 256, (1, 28, 6), np.uint8)
    found, probability = reader.predict_top_k(image, k=3)
    (scores,) = score_frames(*reader._check(image))
    assert scores.shape == (3, 11)
    total = {}
    for path in itertools.product(range(11), repeat=3):
        text = "".join(str(k) for k, _ in itertools.groupby(path) if k != 10)
        total[text] = total.get(text, 0) + np.exp(scores[range(3), path].sum())
    for text, its in zip(found[0], probability[0], strict=True):
        assert its == pytest.approx(total[text], rel=1e-4)


def test_locates_digits(reader, sequences):
    X, y, boxes = sequences
    found = reader.locate(X)
    right = np.flatnonzero(reader.predict(X) == y)
    overlaps = []
    for i in right:
        its, true = found[i, : len(y[i])], boxes[i, : len(y[i])]
        assert (found[i, len(y[i]) :] == -1).all()
        size = np.minimum(its, true)[:, 2:] - np.maximum(its, true)[:, :2]
        shared = np.clip(size, 0, None).prod(axis=1)
        areas = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (its, true)]
        overlaps.extend(shared / (sum(areas) - shared))
    assert np.mean(overlaps) > 0.78  # with the true centres it would be 0.83


def test_boxes_stay_in_the_picture_and_in_order(reader, sources):
    rng = np.random.RandomState(0)
    X, _ = make_digit_sequences(*sources[1], 60, lengths=(2, 6), gap=(-20, -12), random_state=0)
    sizes = zip(rng.randint(20, 80, 60), rng.randint(40, 200, 60), strict=True)
    pictures = [
        np.asarray(Image.fromarray(x).resize((width, height)))
        for x, (height, width) in zip(X, sizes, strict=True)
    ]
    for picture, boxes in zip(pictures, reader.locate(pictures), strict=True):
        boxes = boxes[boxes[:, 0] >= 0]
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= picture.shape[::-1]).all()
        assert (boxes[:, :2] < boxes[:, 2:]).all()
        assert (np.diff(boxes[:, 0]) > 0).all()


def test_padding_never_changes_a_result(reader, sequences):
    X, _, boxes = sequences
    cut = [x[:, : box.max() + 1 + i % 7] for i, (x, box) in enumerate(zip(X, boxes, strict=True))]
    together, confidence = reader.predict(cut), reader.predict_confidence(cut)
    for i in range(0, 200, 10):
        assert reader.predict([cut[i]])[0] == together[i]
        assert reader.predict_confidence([cut[i]])[0] == pytest.approx(confidence[i], abs=1e-5)
    wide = np.pad(X, [(0, 0), (0, 0), (0, 100)])
    sure = reader.predict_confidence(X) > 0.9
    assert sure.mean() > 0.5
    same = reader.predict(wide) == reader.predict(X)  # black is not padding
    assert same.mean() > 0.95  # a briefly trained reader wavers where it is not sure
    assert same[sure].mean() > 0.98


@pytest.mark.slow
def test_test_time_augmentation_is_the_mean_of_four_readings(reader, sequences):
    X, y, _ = sequences
    lines = LineImages(list(X))
    changed = [lines, *(lines.changed(*view) for view in reading.VIEWS)]
    found = [reader.predict_top_k(view.images, k=10) for view in changed]
    augmented = copy.deepcopy(reader).set_params(test_time_augmentation=True)
    texts, probability = augmented.predict_top_k(X, k=3)
    for i in range(len(X)):
        means = {
            text: np.mean([p[i][t[i] == text].sum() for t, p in found]) for text in found[0][0][i]
        }
        best = sorted(means.values(), reverse=True)[:3]
        np.testing.assert_allclose(probability[i], best, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose([means[t] for t in texts[i]], best, rtol=1e-6, atol=1e-12)
    # Without a beam search where all views agree.
    first, confidence = augmented.predict_top_k(X, k=1)
    np.testing.assert_array_equal(first[:, 0], texts[:, 0])
    np.testing.assert_allclose(confidence[:, 0], probability[:, 0], rtol=1e-6)
    assert 0 < (confidence > 0.5).mean() < 1
    assert (augmented.predict_confidence(X) <= 1).all()
    assert augmented.score(X, y) > reader.score(X, y) - 0.05
    assert augmented.locate(X).shape[0] == len(X)


def test_changed_lines_keep_their_middle():
    image = np.zeros((28, 40), np.uint8)
    image[:, 19:21] = 200
    lines = LineImages([image])
    narrow, upright = lines.changed(0.5, 0.0).images[0], lines.changed(1.0, 0.2).images[0]
    assert narrow.shape == (28, 20)
    assert upright.shape == (28, 46)
    above, below = (
        rows.sum(axis=0) @ np.arange(46) / rows.sum() for rows in (upright[:4], upright[-4:])
    )
    assert above - below == pytest.approx(0.2 * 24, abs=0.3)  # it leans to the right
    assert (above + below) / 2 == pytest.approx(22.5, abs=0.3)
    assert lines.changed(1.0, 0.0).images[0].tolist() == image.tolist()


def test_every_form_of_images_reads_the_same(reader, sequences):
    X, _, _ = sequences
    read = reader.predict(X)
    np.testing.assert_array_equal(reader.predict(X[..., None]), read)
    np.testing.assert_array_equal(reader.predict(list(X)), read)
    np.testing.assert_array_equal(reader.predict(X.astype(np.float32)), read)
    rows = clone(reader).set_params(image_shape=X.shape[1:], epochs=1, sequences_per_epoch=20)
    digits = make_digit_sequences(*load_digits_28(), 30, lengths=1, random_state=0)
    rows.set_params(image_shape=digits[0].shape[1:]).fit(digits[0].reshape(30, -1), digits[1])
    assert rows.image_shape_ == digits[0].shape[1:]


def test_rows_are_read_as_the_images_seen_in_fit(sequences):
    X, y, _ = sequences
    reader = quick().fit(X[:40], y[:40])
    assert X.shape[1] != X.shape[2]
    expected = reader.predict_confidence(X)
    np.testing.assert_array_equal(reader.predict_confidence(X.reshape(len(X), -1)), expected)


def test_image_shape_is_of_rows_alone(sequences):
    X, _, _ = sequences
    digits, labels = load_digits_28()
    reader = quick(image_shape=(28, 28), lengths=1)
    reader.fit(digits.reshape(len(digits), -1), labels)
    assert len(reader.predict(X)) == len(X)


def test_another_height_is_rescaled_keeping_the_aspect(reader, sequences):
    X, y, _ = sequences
    doubled = X.repeat(2, axis=1).repeat(2, axis=2)
    assert (reader.predict(doubled) == reader.predict(X)).mean() > 0.95
    boxes = reader.locate(doubled)
    assert boxes.max() > X.shape[2]
    assert reader.score(doubled, y) > 0.75


def test_a_blank_picture_reads_as_nothing(reader):
    assert reader.predict(np.zeros((2, 28, 60))).tolist() == ["", ""]
    assert reader.predict([np.zeros((28, 3)), np.zeros((9, 400))]).tolist() == ["", ""]
    assert (reader.locate(np.zeros((1, 28, 60))) == -1).all()
    assert reader.predict_confidence(np.zeros((1, 28, 60)))[0] > 0.5
