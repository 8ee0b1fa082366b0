import numpy as np
import pytest

from skdigits.inference.number_texts import split_numbers
from skdigits.networks.labels import DIGITS
from skdigits.pictures.number_images import OTHER

CHARACTERS = DIGITS + ".,-+/:%$ " + OTHER


def scores_of(text, probability=0.9):
    """Make scores in which each character has two frames, and a blank before and after."""
    blank = len(CHARACTERS)
    labels = [blank]
    for character in text:
        labels += [CHARACTERS.index(character)] * 2 + [blank]
    rest = (1 - probability) / blank
    shares = np.full((len(labels), blank + 1), rest)
    shares[np.arange(len(labels)), labels] = probability
    return np.log(shares)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("12.50", ["12.50"]),
        ("-12.50", ["-12.50"]),
        ("?5.00", ["5.00"]),
        ("12?34", ["12", "34"]),
        ("/12,", ["12"]),
        ("45%", ["45%"]),
        ("%45", ["45"]),
        ("$3.", ["$3"]),
        ("1 234", ["1 234"]),
        (" 12 ", ["12"]),
        ("?.-?", []),
        ("", []),
    ],
)
def test_letters_and_stray_signs_end_a_number(read, expected):
    scores = scores_of(read.replace("?", OTHER))
    assert [number.text for number in split_numbers(scores, CHARACTERS)] == expected


def test_confidence_and_place_are_those_of_the_number_alone():
    (number,) = split_numbers(scores_of("." + OTHER + "12"), CHARACTERS)
    assert number.confidence == pytest.approx(0.81)
    assert (number.start, number.stop) == (7, 12)


def test_a_wide_blank_ends_a_number():
    scores, blank = scores_of("12 34"), scores_of("")
    space = scores_of(" ")[1:-1]
    start = len(scores_of("12"))
    for n, expected in ((4, ["12 34"]), (8, ["12", "34"])):
        wide = np.concatenate(
            [scores[:start], *[blank] * n, space, *[blank] * n, scores[start + 2 :]]
        )
        assert [number.text for number in split_numbers(wide, CHARACTERS)] == expected
