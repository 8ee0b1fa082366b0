import itertools
import re

import numpy as np
import pytest

from skdigits.inference.patterns import MOST_STATES, SIGNS, Automaton
from skdigits.networks.labels import DIGITS, PADDING

# Sequences of digits that match, as a regular expression.
PATTERNS = {
    "d": r"\d",
    "ddd": r"\d{3}",
    "d+": r"\d+",
    "0d": r"0\d",
    "d+0": r"\d+0",
    "d5d+": r"\d5\d+",
    "d+dd": r"\d{3,}",
    "0.dd": r"0\d\d",
    "d+5d": r"\d+5\d",
    ("dd", "5ddd"): r"\d\d|5\d{3}",
    ("d+0", "0d+"): r"\d+0|0\d+",
    ("d", "0", "d"): r"\d",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_sequences_match_as_a_regular_expression(pattern):
    automaton = Automaton(pattern)
    assert automaton.matches(np.full((1, 1), PADDING)).tolist() == [False]
    assert automaton.text("") == ""
    for length in range(1, 6):
        digits = np.array([*itertools.product((0, 3, 5), repeat=length)])
        expected = [
            re.fullmatch(PATTERNS[pattern], "".join(map(str, row))) is not None
            for row in digits.tolist()
        ]
        longer = np.pad(digits, [(0, 0), (0, 2)], constant_values=PADDING)
        assert automaton.matches(longer).tolist() == expected
        texts = [automaton.text("".join(map(str, row))) for row in digits.tolist()]
        assert [bool(text) for text in texts] == expected


@pytest.mark.parametrize(
    ("pattern", "sequence", "text"),
    [
        ("ddddd.ddd", "04271305", "04271.305"),
        ("-d.d", "45", "-4.5"),
        ("€ d+,dd", "1299", "€ 12,99"),
        ("d+.-", "12", "12.-"),
        ("+dd", "12", "+12"),
        ("d++d", "123", "12+3"),
        ("5+d", "51", "5+1"),
        ("$+d", "5", "$+5"),
        (["dd.dd.dddd", "dd/dd/dddd"], "30112026", "30.11.2026"),
        (["dd/dd/dddd", "dd.dd.dddd"], "30112026", "30/11/2026"),
        (["d/d", "1-d"], "12", "1/2"),
        (["ddd", "d:d"], "12", "1:2"),
        (f"d{SIGNS}d", "12", f"1{SIGNS}2"),
    ],
)
def test_signs_without_a_label_are_where_the_pattern_has_them(pattern, sequence, text):
    assert Automaton(pattern).text(sequence) == text


def test_signs_with_a_label_are_read():
    automaton = Automaton("d+.d+%", characters=f"{DIGITS}.")
    assert automaton.steps.shape[1] == 12
    assert automaton.text("12.5") == "12.5%"
    assert Automaton("d~d", characters=f"{DIGITS}~").text("1~2") == "1~2"
    for other in ("125", "12.", ".5", "1.2.5"):
        assert automaton.text(other) == ""
    assert automaton.matches(np.array([[1, 2, 10, 5], [1, 2, 5, -1]])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("ddxd", "pattern should consist of d .*; got 'x' in 'ddxd'"),
        ("dd\n", r"got '\\n'"),
        ("٣", "got '٣'"),
        ("x" * 10_000, "got 'x' in 'xxx"),
        ("", "at least one d or digit; got ''"),
        (".+-", "at least one d or digit"),
        ([], r"a string such as 'ddddd', or a list of such strings; got \[\]"),
        (["d", ""], "at least one d or digit; got ''"),
        (["d", 5], r"list of such strings; got \['d', 5\]"),
        (5, "list of such strings; got 5"),
        ("d+.d+", r"'d\+.d\+' does not fix the position of '.'"),
        ("dd+.dd/0d+", r"does not fix the position of '/'"),
        ("d" * MOST_STATES, "pattern is too long: it has more than 60 states"),
        ("d+1" + "d" * 30, "pattern is too long"),
        (["d" * n for n in range(1, 300)], "pattern is too long"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern, message):
    with pytest.raises(ValueError, match=message) as raised:
        Automaton(pattern)
    assert len(str(raised.value)) <= 300


def test_a_place_is_known_if_digits_are_counted_on_one_side_or_a_sign_is_read():
    for pattern in ("d+.dd", "dd.d+", "d+.dd/dd", "d.d+d+", "d+d+.d"):
        Automaton(pattern)
    Automaton("d+.dd-d.d+", characters=f"{DIGITS}-")
    with pytest.raises(ValueError, match="the position of '.'"):
        Automaton("d+.dd-d.d+")


def test_the_longest_pattern_has_as_many_states_as_allowed():
    automaton = Automaton("d" * (MOST_STATES - 1))
    assert len(automaton.accepts) == MOST_STATES + 1  # and that of what does not match
    assert automaton.text("7" * (MOST_STATES - 1)) == "7" * (MOST_STATES - 1)


def test_patterns_of_one_digit():
    for pattern, expected in {"d": True, "d+%": True, "dd": False, ("dd", "-5"): True}.items():
        assert Automaton(pattern).allows_one_digit is expected
