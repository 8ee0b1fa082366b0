import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from small_recognizers import assert_same_weights, quick

from skdigits import DigitSequenceRecognizer


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
        (np.ones((2, 28, 4)), ["1", "11"], "label '11': .* 4 pixels wide; it needs at least 5"),
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
        (
            {"gap": (-40, 1)},
            "3 digits of 28 pixels become a sequence of 4 pixels; the network needs at least 9",
        ),
        (
            {"gap": (-27, 1), "lengths": (1, 15)},
            "11 digits of 28 pixels become a sequence of 38",
        ),
        ({"gap": 3, "style": "mixed"}, "gap belongs to style='tiles'; got style='mixed'"),
        ({"style": "cursive"}, "'style' parameter"),
        ({"shift": 28}, "shift=28 moves digits of 28 pixels out of the image"),
        ({"sequences_per_epoch": 0}, "'sequences_per_epoch' parameter"),
        ({"optimizer": "adamm"}, "Did you mean 'adam'"),
        ({"rotation": -1}, "'rotation' parameter"),
        ({"validation_fraction": 0.9999}, "Cannot hold out a share of 1 for"),
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


def test_rows_of_another_range_are_warned_of_when_training_continues(sources, sequences):
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
