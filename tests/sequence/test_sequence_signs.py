import pickle
import re

import numpy as np
import pytest
from small_recognizers import quick

from skdigits import DigitSequenceRecognizer, load, load_pretrained, read, save
from skdigits.datasets import make_digit_sequences
from skdigits.inference import ctc
from skdigits.inference.lines import score_frames

TEXTS = np.array(["1.5", "-27", "", "30"])
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 28, 40), np.uint8)


@pytest.fixture(scope="module")
def fitted():
    return quick(signs=".-").fit(IMAGES, TEXTS)


def test_signs_are_characters_after_the_digits(fitted):
    assert fitted.characters_ == "0123456789.-"
    assert set("".join(fitted.predict_top_k(IMAGES, k=10)[0].ravel())) <= set("0123456789.-")
    assert fitted.to_keras().output_shape[-1] == 13
    assert load_pretrained("sequence").characters_ == "0123456789"


def test_signs_that_no_label_contains_are_named():
    with pytest.warns(UserWarning, match="No label contains '/' or '€', so the network cannot"):
        quick(signs=".€-/").fit(IMAGES, TEXTS)


def test_signs_have_boxes(fitted):
    texts, boxes = fitted.predict(IMAGES), fitted.locate(IMAGES)
    assert [(row >= 0).all(axis=1).sum() for row in boxes] == [len(text) for text in texts]


def test_signs_of_a_pattern_are_read(fitted):
    texts, probability = fitted.predict_top_k(IMAGES, k=3, pattern=["d.d", "$-d"])
    scores = score_frames(*fitted._check(IMAGES))
    for row, its, frames in zip(texts, probability, scores, strict=True):
        for text, one in zip(row, its, strict=True):
            assert re.fullmatch(r"\d\.\d|\$-\d", text)
            labels = [fitted.characters_.index(character) for character in text.lstrip("$")]
            expected = np.exp(ctc.log_probability_of(frames[np.newaxis], np.array([labels])))
            assert one == pytest.approx(expected[0], rel=1e-4)
    fitted.predict_top_k(IMAGES, pattern="d+.d+")
    with pytest.raises(ValueError, match="does not fix the position of ','"):
        fitted.predict_top_k(IMAGES, pattern="d+,d+")
    with pytest.raises(ValueError, match="does not fix the position of ','"):
        read("no picture", pattern="d+,d+", model=fitted)
    with pytest.raises(OSError, match="no picture"):
        read("no picture", pattern="d+.d+", model=fitted)


def test_signs_are_saved_and_pickled(fitted, tmp_path):
    save(fitted, tmp_path / "model")
    for copy in (load(tmp_path / "model"), pickle.loads(pickle.dumps(fitted))):
        assert copy.signs == ".-"
        assert copy.characters_ == fitted.characters_
        np.testing.assert_array_equal(copy.predict(IMAGES), fitted.predict(IMAGES))


@pytest.mark.parametrize(
    ("signs", "message"),
    [
        (".a", "signs should consist of signs such as '.,-'; got 'a' in '.a'"),
        ("-7", "got '7' in '-7'"),
        ("-\n", r"got '\\n'"),
        ("²", "got '²'"),
        (".-.", "each sign once; got '.-.'"),
        (None, "'signs' parameter"),
    ],
)
def test_bad_signs_are_refused(signs, message):
    with pytest.raises(ValueError, match=message):
        quick(signs=signs).fit(IMAGES, TEXTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1:5", "Label 0 is '1:5'; it should consist of the characters 0–9 and .-. To read ':'"),
        ("1a5", "Label 0 is '1a5'; it should consist of the characters 0–9 and .-.$"),
    ],
)
def test_a_character_that_is_not_read_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        quick(signs=".-").fit(IMAGES, [text, *TEXTS[1:]])


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ("tiles", "signs contains '.', but lines of the style 'tiles' have no signs"),
        ("mixed", "signs contains '%', but lines of the style 'mixed' have only .,-=/"),
    ],
)
def test_generated_lines_need_the_signs(sources, style, message):
    with pytest.raises(ValueError, match=message):
        quick(style=style, signs=".%").fit(*sources[0])


def test_a_warm_start_keeps_the_signs(fitted):
    more = pickle.loads(pickle.dumps(fitted)).set_params(warm_start=True, signs=".,")
    with pytest.raises(ValueError, match="reads the signs '.-'; got signs='.,'"):
        more.fit(IMAGES, np.array(["1.5", "27", "", "30"]))
    assert more.characters_ == "0123456789.-"
    more.set_params(signs=".-").fit(IMAGES, TEXTS)
    assert more.n_iter_ == 2


def test_generated_targets_have_the_signs_that_are_asked_for(sources):
    options = {"style": "handwritten", "random_state": 0}
    images, digits = make_digit_sequences(*sources[0], 300, **options)
    same, texts = make_digit_sequences(*sources[0], 300, **options, signs=".-")
    np.testing.assert_array_equal(same, images)
    assert set("".join(digits)) == set("0123456789")
    assert set("".join(texts)) == set("0123456789.-")
    assert [text.translate(str.maketrans("", "", ".-")) for text in texts] == digits.tolist()
    with pytest.raises(ValueError, match="'tiles' have no signs"):
        make_digit_sequences(*sources[0], signs=".")


@pytest.mark.slow
def test_generated_lines_teach_signs(sources):
    (images, digits), others = sources
    parameters = {"filters": 8, "epochs": 10, "sequences_per_epoch": 2000, "batch_size": 16}
    recognizer = DigitSequenceRecognizer(
        **parameters, style="mixed", lengths=(1, 4), signs=".,-$", random_state=0
    ).fit(images, digits)
    options = {"style": "mixed", "lengths": (1, 4), "signs": ".,-$", "random_state": 1}
    lines, texts = make_digit_sequences(*others, 400, **options)
    found = recognizer.predict(lines)
    has_signs = ~np.char.isdigit(texts)
    assert has_signs.sum() > 100
    assert (found == texts)[has_signs].mean() > 0.4
