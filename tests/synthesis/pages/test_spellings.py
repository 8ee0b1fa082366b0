import numpy as np
import pytest

from skdigits.synthesis.pages import spellings


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("12.50", ["12.50"]),
        ("-17", ["-17"]),
        ("RM5.00", ["5.00"]),
        ("B-52", ["52"]),
        ("$1,234.00", ["$1,234.00"]),
        ("45%", ["45%"]),
        ("17/05/2024 13:34", ["17/05/2024 13:34"]),
        ("No. 88213 of 14", ["88213", "14"]),
        ("03-7805", ["03-7805"]),
        ("4  17", ["4", "17"]),
        ("2&4,", ["2", "4"]),
        ("So Oil", []),
        ("", []),
    ],
)
def test_numbers_in_a_text(text, numbers):
    found = spellings.numbers_in(text)
    assert [text[start:stop] for start, stop in found] == numbers


def test_a_number_is_one_number():
    rng = np.random.default_rng(0)
    for _ in range(500):
        text = spellings.number(rng)
        assert spellings.numbers_in(text) == [(0, len(text))], text


def test_numbers_have_only_digits_signs_and_blanks():
    rng = np.random.default_rng(0)
    characters = set("".join(spellings.number(rng) for _ in range(2000)))
    assert characters == set("0123456789 " + spellings.SIGNS)


def test_share_of_tokens_with_a_number():
    rng = np.random.default_rng(0)
    n_numbers = sum(any(map(str.isdigit, spellings.token(rng, 0.4))) for _ in range(2000))
    assert 0.36 < n_numbers / 2000 < 0.44


def test_no_number_is_in_a_word():
    rng = np.random.default_rng(0)
    assert not any(spellings.numbers_in(spellings.word(rng)) for _ in range(2000))
