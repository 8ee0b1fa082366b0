import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline

import skdigits
from skdigits import DigitSequenceRecognizer, EpochSearchCV, ImageReshaper
from skdigits.datasets import load_digits, make_digit_sequences
from skdigits.inference import lines as reading
from skdigits.inference.lines import score_frames
from skdigits.pictures.line_images import LineImages
from skdigits.synthesis.generators import TileGenerator


@pytest.fixture(scope="module")
def sources():
    """Bundled digits to train on and others to read."""
    X, y = load_digits(return_X_y=True)
    images = LineImages(X.reshape(-1, 8, 8)).as_bytes(0, 255).images
    return (images[:1300], y[:1300]), (images[1300:], y[1300:])


@pytest.fixture(scope="module")
def reader(sources):
    recognizer = DigitSequenceRecognizer(
        epochs=8,
        sequences_per_epoch=1500,
        batch_size=32,
        style="tiles",
        lengths=(1, 3),
        gap=(0, 6),
        random_state=0,
    )
    return recognizer.fit(*sources[0])


@pytest.fixture(scope="module")
def sequences(sources):
    return make_digit_sequences(
        *sources[1], 200, lengths=(1, 4), gap=(0, 6), random_state=1, return_boxes=True
    )


def quick(**parameters):
    defaults = {"epochs": 1, "sequences_per_epoch": 40, "batch_size": 20, "random_state": 0}
    defaults |= {"style": "tiles", "lengths": (1, 5)}
    return DigitSequenceRecognizer(**{**defaults, **parameters})


def weights_of(recognizer):
    return recognizer.to_keras().get_weights()


def assert_same_weights(a, b):
    for one, other in zip(weights_of(a), weights_of(b), strict=True):
        np.testing.assert_array_equal(one, other)


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

    def watched(network, images):
        batches.append((len(images), images[0].size))
        return compute(network, images)

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
    augmented = clone(reader).set_params(test_time_augmentation=True)
    augmented._network = reader._network
    texts, probability = augmented.predict_top_k(X, k=3)
    for i in range(len(X)):
        means = {
            text: np.mean([p[i][t[i] == text].sum() for t, p in found]) for text in found[0][0][i]
        }
        best = sorted(means.values(), reverse=True)[:3]
        np.testing.assert_allclose(probability[i], best, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose([means[t] for t in texts[i]], best, rtol=1e-6, atol=1e-12)
    first, confidence = augmented.predict_top_k(X, k=1)  # without a beam where all ways agree
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
    reader = DigitSequenceRecognizer(epochs=1, random_state=0).fit(X[:40], y[:40])
    assert X.shape[1] != X.shape[2]
    expected = reader.predict_confidence(X)
    np.testing.assert_array_equal(reader.predict_confidence(X.reshape(len(X), -1)), expected)


def test_image_shape_is_of_rows_alone(sequences):
    X, _, _ = sequences
    digits, labels = load_digits_28()
    options = {"epochs": 1, "sequences_per_epoch": 20, "lengths": 1, "random_state": 0}
    reader = DigitSequenceRecognizer(image_shape=(28, 28), **options)
    reader.fit(digits.reshape(len(digits), -1), labels)
    assert len(reader.predict(X)) == len(X)


def load_digits_28():
    X, y = load_digits(return_X_y=True)
    return LineImages(X.reshape(-1, 8, 8)[:100]).as_bytes(0, 255).images, y[:100]


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


@pytest.mark.slow
def test_trains_on_sequences_as_they_are(sequences):
    X, y, _ = sequences
    y = y.copy()
    X, y[:3] = X.copy(), ""
    X[:3] = 0
    recognizer = quick(epochs=2).fit(X, y)
    assert len(recognizer.history_["loss"]) == 2
    assert recognizer.image_shape_ == X.shape[1:]
    as_objects = quick(epochs=2).fit(X, y.astype(object))
    assert_same_weights(recognizer, as_objects)
    ragged = quick(epochs=2).fit([x[:, : 120 + i % 2] for i, x in enumerate(X)], y)
    assert not hasattr(ragged, "image_shape_")
    assert np.isfinite(ragged.history_["loss"]).all()


@pytest.mark.slow
def test_learns_sequences_as_they_are(sources):
    X, y = make_digit_sequences(*sources[0], 1500, lengths=(1, 2), gap=(0, 4), random_state=0)
    recognizer = DigitSequenceRecognizer(epochs=6, batch_size=32, random_state=0).fit(X, y)
    X, y = make_digit_sequences(*sources[1], 200, lengths=(1, 2), gap=(0, 4), random_state=0)
    assert recognizer.score(X, y) > 0.6
    assert recognizer.history_["accuracy"][-1] > recognizer.history_["accuracy"][0]


def test_the_same_random_state_gives_the_same_weights(sources):
    (X, y), _ = sources
    state = np.random.get_state()[1].copy()
    first, again, other = (quick(epochs=2, random_state=s).fit(X, y) for s in (0, 0, 1))
    assert_same_weights(first, again)
    assert (weights_of(first)[0] != weights_of(other)[0]).any()
    assert (np.random.get_state()[1] == state).all()
    assert_same_weights(pickle.loads(pickle.dumps(first)), first)


def test_each_epoch_trains_on_other_sequences(sources, monkeypatch):
    drawn = []
    original = TileGenerator.draw

    def draw(self, *args):
        lines = original(self, *args)
        drawn.append((len(self._source.images), lines.sequences.tobytes()))
        return lines

    monkeypatch.setattr(TileGenerator, "draw", draw)
    quick(epochs=3, validation_fraction=0.25).fit(*sources[0])
    assert [n for n, _ in drawn] == [325, 975, 975, 975]
    assert len({labels for _, labels in drawn}) == 4


@pytest.mark.slow
def test_lines_as_people_write_them_are_learnt(sources):
    options = {"epochs": 8, "sequences_per_epoch": 1000, "lengths": (0, 1), "batch_size": 16}
    recognizer = quick(style="mixed", **options).fit(*sources[0])
    assert recognizer.history_["loss"][-1] < 1.5  # 1.84 by the shares of the digits alone
    blank, _ = make_digit_sequences(*sources[1], 5, style="mixed", lengths=0, random_state=0)
    assert (recognizer.predict(blank) == "").all()


def test_lines_too_narrow_for_the_frames_are_widened(sources):
    (X, y), _ = sources
    ones = y == 1
    drawn = quick(style="handwritten", lengths=12, sequences_per_epoch=200)
    assert drawn.fit(X[ones], y[ones]).history_["loss"][0] < np.inf


def test_the_first_epochs_of_a_longer_fit_are_a_shorter_one(sources, sequences):
    (X, y), _ = sources
    long = quick(epochs=3, keep_epochs=True).fit(X, y)
    short = quick(epochs=2).fit(X, y)
    assert_same_weights(long.at_epoch(2), short)
    staged = list(long.staged_predict(sequences[0][:20]))
    assert len(staged) == 3
    np.testing.assert_array_equal(staged[1], short.predict(sequences[0][:20]))
    np.testing.assert_array_equal(staged[2], long.predict(sequences[0][:20]))
    warm = quick(epochs=2, warm_start=True).fit(X, y)
    warm.set_params(epochs=1).fit(X, y)
    assert warm.n_iter_ == 3
    assert_same_weights(warm, long)
    with pytest.raises(ValueError, match="warm_start continues with the network of the first fit"):
        warm.set_params(filters=4).fit(X, y)


def squeezed(images):
    return np.pad(images[:, ::2], [(0, 0), (7, 7), (0, 0)])


@pytest.mark.slow
def test_adapting_learns_few_lines(reader, sources, monkeypatch):
    """Lines that are squeezed to half their height are learnt from sixty of them.

    The generated lines that are mixed in are learnt too.
    """
    monkeypatch.setattr("skdigits.sequence.ADAPT_SEQUENCES", 300)
    style = {"lengths": (1, 3), "gap": (0, 6)}
    X, y = make_digit_sequences(*sources[0], 60, **style, random_state=5)
    X_test, y_test = make_digit_sequences(*sources[1], 100, **style, random_state=6)
    generated = make_digit_sequences(
        *sources[1], 200, style="mixed", lengths=(1, 3), random_state=7
    )
    before = reader.score(squeezed(X_test), y_test)
    adapted = copy.deepcopy(reader).set_params(warm_start="adapt", epochs=6, batch_size=16)
    weight = np.ones(60)
    adapted.fit(squeezed(X), y, sample_weight=weight)
    assert adapted.score(squeezed(X_test), y_test) > before + 0.5
    assert adapted.score(*generated) > reader.score(*generated) + 0.25
    assert adapted._network.learning_rate == pytest.approx(reader._network.learning_rate / 10)
    with pytest.raises(ValueError, match="adapts a fitted DigitSequenceRecognizer"):
        quick(warm_start="adapt").fit(X, y)


def test_early_stopping_goes_back_to_the_best_epoch(sources):
    (X, y), _ = sources
    diverging = {"optimizer": "sgd", "schedule": None, "learning_rate": 0.05}
    stopping = {"early_stopping": True, "patience": 1, "keep_epochs": True}
    stopped = quick(epochs=40, **diverging, **stopping).fit(X, y)
    losses = stopped.history_["val_loss"]
    assert len(losses) < 40
    assert len(losses) == np.argmin(losses) + 2
    best = stopped.at_epoch(int(1 + np.argmin(losses)))
    for found, expected in zip(weights_of(stopped), weights_of(best), strict=True):
        if found.dtype.kind == "f":  # not the state of dropout's generator
            np.testing.assert_array_equal(found, expected)
    assert {"val_loss", "val_accuracy", "loss", "accuracy"} == set(stopped.history_)


@pytest.mark.slow
def test_weights_of_digits_and_of_sequences(sources, sequences):
    (X, y), _ = sources
    kept = y < 5
    heavy = quick().fit(X, y, sample_weight=np.where(kept, 2.0, 0.0))
    assert_same_weights(heavy, quick().fit(X[kept], y[kept]))
    X, y, _ = sequences
    weight = np.ones(len(y))
    assert_same_weights(quick().fit(X, y, sample_weight=7 * weight), quick().fit(X, y, weight))
    weight[:100] = 3
    uneven = quick().fit(X, y, sample_weight=weight)
    assert (weights_of(uneven)[0] != weights_of(quick().fit(X, y))[0]).any()


@pytest.mark.slow
def test_works_in_scikit_learns_tools(sources, sequences):
    (X, y), _ = sources
    frame = pd.DataFrame(X[:60].reshape(60, -1))
    scores = cross_val_score(quick(), frame, y[:60], cv=KFold(2))
    assert scores.shape == (2,)
    search = GridSearchCV(quick(), {"epochs": [1, 2]}, cv=2).fit(X[:60], y[:60])
    assert search.best_estimator_.n_iter_ == search.best_params_["epochs"]
    epochs = EpochSearchCV(quick(), {"epochs": [1, 2]}, cv=2).fit(X[:60], y[:60])
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(epochs.cv_results_[name], search.cv_results_[name])
    pipeline = Pipeline([("images", ImageReshaper()), ("reader", quick())]).fit(frame, y[:60])
    assert pipeline.predict(frame).shape == (60,)
    X, texts, _ = sequences
    read = cross_val_predict(quick(), X, texts, cv=KFold(2))
    expected = quick().fit(X[100:], texts[100:]).predict(X[:100])
    np.testing.assert_array_equal(read[:100], expected)


def test_saves_and_loads_without_code(reader, sequences, tmp_path):
    path = skdigits.save(reader, tmp_path / "reader.skdigits")
    loaded = skdigits.load(path)
    np.testing.assert_array_equal(loaded.predict(sequences[0]), reader.predict(sequences[0]))
    assert loaded.get_params() == reader.get_params()


def test_the_keras_model_gives_the_same_frames(reader, sequences):
    X = sequences[0][:3, :, :100]
    scores = score_frames(reader._network, LineImages(X))
    logits = reader.to_keras().predict(X[..., None].astype(np.float32), verbose=0)
    logits -= np.log(np.exp(logits).sum(axis=2, keepdims=True))
    np.testing.assert_allclose(logits, np.stack(scores), atol=1e-3)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((3, 28, 40)), ["1", "a2", "3"], "Label 1 is 'a2'; it should consist of"),
        (np.ones((3, 28, 40)), ["1", " 2", "3"], "Label 1 is ' 2'"),
        (np.ones((3, 28, 40)), ["1", "-2", "3"], "Label 1 is '-2'"),
        (np.ones((3, 28, 40)), ["1", "²", "3"], "Label 1 is '²'"),
        (np.ones((3, 28, 40)), [1, 10, 3], "whole numbers from 0 to 9; got .10."),
        (np.ones((3, 28, 40)), [1.5, 1, 3], "whole numbers from 0 to 9; got .1.5."),
        (np.ones((3, 28, 40)), ["1", "2"], "inconsistent numbers of samples: 3 images"),
        (np.ones((3, 28, 40)), [["1", "2"]] * 3, "inconsistent numbers of samples"),
        (np.ones((3, 28, 40)), None, "requires y"),
        (np.ones((2, 28, 12)), ["1", "1234567"], "Image 1 is too narrow for its label '1234567'"),
        (np.ones((2, 28, 4)), ["1", "11"], "label '11': .* 4 pixels wide, and 3 times 2"),
        (np.ones((2, 56, 8)), ["1", "123"], "it is 4 pixels wide"),
        (np.ones((0, 28, 12)), [], "0 sample"),
        ([], [], "0 sample|Expected 2D array"),
        (np.ones((2, 28, 0)), ["1", "1"], "0 feature"),
        ([np.ones((28, 9)), np.ones((28, 0))], ["1", "1"], "Image 1 has shape .28, 0."),
        ([np.ones((28, 9)), np.ones((28, 8, 3))], ["1", "1"], "Image 1 has shape .28, 8, 3."),
        (np.full((2, 28, 12), np.nan), ["1", "1"], "contains NaN"),
        ([np.ones((28, 9)), np.full((28, 8), np.inf)], ["1", "1"], "Image 1 contains infinity"),
        (np.ones((2, 28, 12, 3)), ["1", "1"], "images of 3 channels; expected grey"),
        (np.full((2, 28, 12), "x"), ["1", "1"], "could not convert string|dtype"),
    ],
)
def test_bad_input_is_refused_before_training(X, y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        quick().fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lengths": (3, 1)}, "lengths should be"),
        ({"gap": "wide"}, "'gap' parameter"),
        ({"gap": (-40, 1)}, "lets 3 digits of 28 pixels overlap to 4 pixels in all; 5 times 2"),
        ({"gap": (-27, 1), "lengths": (1, 15)}, "lets 11 digits of 28 pixels overlap to 38"),
        ({"gap": 3, "style": "mixed"}, "gap belongs to style='tiles'; got style='mixed'"),
        ({"style": "cursive"}, "'style' parameter"),
        ({"shift": 28}, "shift=28 moves digits of 28 pixels out of the picture"),
        ({"sequences_per_epoch": 0}, "'sequences_per_epoch' parameter"),
        ({"optimizer": "adamm"}, "Did you mean 'adam'"),
        ({"rotation": -1}, "'rotation' parameter"),
        ({"validation_fraction": 0.9999}, "cannot be set aside"),
    ],
)
def test_bad_parameters_are_refused_before_training(sources, parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(*sources[0])


def test_bad_reading(reader, sequences):
    with pytest.raises(ValueError, match="k should be a whole number from 1 to 10; got 0"):
        reader.predict_top_k(sequences[0], k=0)
    with pytest.raises(ValueError, match="from 1 to 10; got 11"):
        reader.predict_top_k(sequences[0], k=11)
    with pytest.raises(NotFittedError):
        DigitSequenceRecognizer().predict(sequences[0])
    with pytest.raises(ValueError, match="contains NaN"):
        reader.predict(np.full((2, 28, 12), np.nan))
    with pytest.raises(AttributeError, match="no attribute .staged_predict"):
        list(reader.staged_predict(sequences[0]))


def test_one_picture_is_not_taken_for_rows_of_pixels(reader, sequences):
    X, y, _ = sequences
    with pytest.raises(ValueError, match=r"one image of 28×.* pixels, pass X\[np.newaxis\]"):
        reader.predict(X[0])
    ragged = quick().fit([X[0], X[1][:, :60]], y[:2])
    with pytest.raises(ValueError, match="expecting no features as input. If it is one image"):
        ragged.predict(X[0])
    assert ragged.predict(X[:1]).shape == (1,)


@pytest.mark.slow
def test_a_validation_set_of_the_user(sources, sequences):
    (X, y), (X_val, y_val) = sources
    images, texts, _ = sequences
    for validation in ((X_val, y_val), (images, texts)):
        recognizer = quick(sequences_per_epoch=200).fit(
            X, y, X_val=validation[0], y_val=validation[1]
        )
        assert_same_weights(recognizer, quick(sequences_per_epoch=200).fit(X, y))
        assert recognizer.history_["val_loss"][-1] > 0
    losses = recognizer.history_["val_accuracy"]
    assert losses[-1] == pytest.approx(np.mean(recognizer.predict(images) == texts), abs=0.05)
    other = quick().fit(images, texts, X_val=X_val, y_val=y_val)
    assert np.isfinite(other.history_["val_loss"][-1])


def test_no_kept_epoch_is_an_error(sources, sequences):
    recognizer = quick(keep_epochs=[7]).fit(*sources[0])
    with pytest.raises(ValueError, match="keep_epochs=\\[7\\]. Before fit, set it to True or to"):
        next(recognizer.staged_predict(sequences[0]))


def test_values_of_another_range_are_warned_of(reader, sequences):
    X = sequences[0]
    with pytest.warns(UserWarning, match="from 0 to 1, .*Scale them to the same range"):
        reader.predict(X[:5] / 255)
    with pytest.warns(UserWarning, match="inverted: pass 255 - X"):
        reader.predict(255 - X)


def test_rows_of_another_range_are_warned_of_when_training_goes_on(sources, sequences):
    recognizer = quick(warm_start=True).fit(*sources[0])
    with pytest.warns(UserWarning, match="Scale them to the same range"):
        recognizer.fit(sources[0][0] / 255, sources[0][1])
    with pytest.warns(UserWarning, match="Scale them to the same range"):
        quick().fit(*sources[0], X_val=sequences[0] / 255, y_val=sequences[1])


def test_rows_of_pixels_after_a_fit_on_images_of_several_widths(sequences):
    images, texts, _ = sequences
    ragged = [images[0], *(np.pad(image, [(0, 0), (4, 0)]) for image in images[1:])]
    rows = images[:3].reshape(3, -1)
    recognizer = quick().fit(ragged, texts)
    with pytest.raises(ValueError, match=r"if it is rows of pixels, reshape them to"):
        recognizer.predict(rows)
    recognizer.set_params(image_shape=images.shape[1:])
    np.testing.assert_array_equal(recognizer.predict(rows), recognizer.predict(images[:3]))


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs NumPy 2")
def test_labels_may_be_strings_of_variable_width(sequences, reader):
    images, texts = sequences[0][:40], sequences[1][:40]
    wide = texts.astype(np.dtypes.StringDType())
    assert reader.score(images, wide) == reader.score(images, texts) > 0.5
    assert quick().fit(images, wide, X_val=images, y_val=wide).score(images, wide) >= 0


def test_float64_is_computed_throughout():
    digits = load_digits()
    options = {"filters": 2, "epochs": 1, "sequences_per_epoch": 64, "style": "tiles"}
    reader = DigitSequenceRecognizer(dtype="float64", validation_fraction=0.2, **options)
    reader.fit(digits.images[:200], digits.target[:200])
    assert {w.dtype for w in reader._network.weights if w.dtype.kind == "f"} == {np.dtype("f8")}
    assert np.isfinite(reader.history_["loss"] + reader.history_["val_loss"]).all()
    assert reader.predict(digits.images[:3]).shape == (3,)
