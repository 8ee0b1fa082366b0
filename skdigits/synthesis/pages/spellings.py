"""Numbers and words as they are spelled on pages."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

SIGNS = ".,-+/:%$€£#"  # signs that are part of numbers
# A run of digits with signs inside it; a sign before it belongs to it unless a letter is before.
NUMBER = re.compile(r"(?:(?<![A-Za-z0-9])[-+]?[$€£#]?)?[0-9](?:[0-9.,:/-]*[0-9])?%?")
FREQUENT = np.array([*b"etaoinsrhldcumfpgwybvkxjqz"]) - ord("a")
# Words, and letters that look like digits.
WORDS = str.split(
    "TOTAL SUBTOTAL CASH CHANGE TAX INVOICE GST ID NO. DATE TIME QTY PRICE AMOUNT ITEM DISCOUNT "
    "ROUNDING TEL FAX THANK YOU PLEASE COME AGAIN GOODS SOLD ARE NOT RETURNABLE SDN BHD JALAN "
    "TAMAN KUALA Street Road Page of Name Address Phone Company Signature Received From To "
    "Subject Report Account kWh V A Hz W °C mmHg LITRES ml kg m³ bar rpm km/h mA MONO TYPE "
    "SERIAL MODEL Made in MADE Max Min Order Ref Doc Ship Unit Volume Region Division Manager "
    "Brand Sample Study the and for with was are Item Oil So Is Be Go Bill lO IO OO Il ll SOS "
    "ZOO BOB GOLD LOSS solo bill Boss"
)
BEFORE = ["RM", "RM ", "Rs.", "USD ", "EUR ", "No.", "No. ", "@", "x", "X", "A", "B-", "CS", "OR"]
BRACKETS = ["()", "()", "( ", " )", "[]", "| ", "||", "@ ", "@ ", "@ ", "*)", "=|", "<>", "!!"]
AFTER = [
    "kWh",
    "kg",
    "x",
    "m",
    "A",
    "V",
    "pm",
    "am",
    "th",
    "-X",
    ")",
    "'s",
    " RM",
    " SR",
    "PC",
    "ml",
]


def numbers_in(text: str) -> list[tuple[int, int]]:
    """Find the numbers of a text.

    Parameters
    ----------
    text : str
        Words and numbers.

    Returns
    -------
    list of (int, int)
        Start and stop of each number. Numbers that only a blank separates are one number.
    """
    spans = [match.span() for match in NUMBER.finditer(text)]
    if not spans:
        return []
    joined = [spans[0]]
    for (_, stop), (start, end) in pairwise(spans):
        if text[stop:start] == " ":
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _digits(rng: np.random.Generator, n: Any) -> str:
    return "".join(string.digits[i] for i in rng.integers(10, size=n))


def amount(rng: np.random.Generator) -> str:
    """Draw an amount of money, with cents."""
    whole = int(10 ** rng.uniform(0, 5))
    cents = f"{rng.choice([0, 50, 90, 95, 99, int(rng.integers(100))]):02d}"
    point, thousands = (".", ",") if rng.random() < 0.75 else (",", ".")
    text = f"{whole:,}".replace(",", thousands) if rng.random() < 0.5 else str(whole)
    return text + point + cents


def decimal(rng: np.random.Generator) -> str:
    """Draw a number with one to three decimals."""
    point = "." if rng.random() < 0.7 else ","
    return str(int(10 ** rng.uniform(0, 3))) + point + _digits(rng, rng.integers(1, 4))


def date(rng: np.random.Generator) -> str:
    """Draw a date."""
    day, month = rng.integers(1, 32), rng.integers(1, 13)
    year = str(rng.integers(1950, 2040))
    sign = rng.choice([*"/-."])
    year = year if rng.random() < 0.6 else year[2:]
    if rng.random() < 0.3:
        return f"{year}{sign}{month:02d}{sign}{day:02d}"
    padded = "02d" if rng.random() < 0.6 else "d"
    return f"{day:{padded}}{sign}{month:{padded}}{sign}{year}"


def time(rng: np.random.Generator) -> str:
    """Draw a time of day."""
    text = f"{rng.integers(24)}:{rng.integers(60):02d}"
    return text + (f":{rng.integers(60):02d}" if rng.random() < 0.4 else "")


def phone(rng: np.random.Generator) -> str:
    """Draw a telephone number."""
    start = "+" if rng.random() < 0.3 else ""
    parts = [_digits(rng, rng.integers(2, 5)) for _ in range(rng.integers(2, 5))]
    return start + rng.choice([*"-- ."]).join(parts)


def code(rng: np.random.Generator) -> str:
    """Draw a code of 5 to 14 digits."""
    return _digits(rng, rng.integers(5, 15))


def count(rng: np.random.Generator) -> str:
    """Draw a whole number below 10,000."""
    return str(int(10 ** rng.uniform(0, 4)))


def padded(rng: np.random.Generator) -> str:
    """Draw a number with leading zeros."""
    return "0" * rng.integers(1, 4) + _digits(rng, rng.integers(1, 5))


def fraction(rng: np.random.Generator) -> str:
    """Draw a fraction, a range or a ratio."""
    return f"{rng.integers(1, 20)}{rng.choice([*'//-:'])}{rng.integers(1, 100)}"


Spelling = Callable[[np.random.Generator], str]
Kinds = dict[Spelling, float]  # weight of each kind of number
SPELLINGS: Kinds = {
    count: 6,
    amount: 8,
    decimal: 3,
    date: 2,
    time: 1.5,
    phone: 1.5,
    code: 3,
    padded: 1,
    fraction: 1,
}


def number(rng: np.random.Generator, *, kinds: Kinds = SPELLINGS, plain: bool = False) -> str:
    """Draw a number at random.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random generator.
    kinds : dict of callable to float
        Weight of each kind of number.
    plain : bool, default=False
        Whether the number has no sign before or behind it.

    Returns
    -------
    str
        Digits and signs.
    """
    weights = np.array([*kinds.values()])
    text = [*kinds][rng.choice(len(kinds), p=weights / weights.sum())](rng)
    if plain or not text[0].isdigit():
        return text
    chance = rng.random()
    if chance < 0.07:
        return rng.choice([*"-+-"]) + text
    if chance < 0.15:
        return rng.choice([*"$€£#$"]) + text
    if chance < 0.19:
        return text + "%"
    return text


def word(rng: np.random.Generator) -> str:
    """Draw a word, or letters and marks that are none, at random."""
    if rng.random() < 0.4:
        return str(rng.choice(WORDS))
    ranks = np.minimum(rng.geometric(0.12, rng.integers(1, 11)) - 1, 25)
    text = "".join(string.ascii_lowercase[FREQUENT[rank]] for rank in ranks)
    style = rng.random()
    text = text.upper() if style < 0.35 else text.capitalize() if style < 0.6 else text
    end = rng.random()
    if end < 0.12:
        return text + rng.choice([*".,:;)!?*'\"-="])
    return rng.choice([*"(-*&@\"'<[="]) + text if end < 0.16 else text


def bracketed(text: str, rng: np.random.Generator) -> str:
    """Put brackets or other marks, which may look like 0 or 1, before and behind a number."""
    before, behind = rng.choice(BRACKETS)
    percent = "%" if text.isdigit() and rng.random() < 0.2 else ""
    return f"{before}{text}{percent}{behind}".strip()


def token(rng: np.random.Generator, share: float = 0.4) -> str:
    """Draw a word, a number, or a number with letters beside it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random generator.
    share : float, default=0.4
        Share of tokens with a number.

    Returns
    -------
    str
        The token.
    """
    if rng.random() >= share:
        return word(rng)
    text = number(rng)
    chance = rng.random()
    if chance < 0.12:
        return rng.choice(BEFORE) + text.lstrip("-+")
    if chance < 0.2:
        return text + rng.choice(AFTER)
    if chance < 0.34:
        return bracketed(text, rng)
    if chance < 0.38:
        return f"{word(rng)[:3]}{rng.choice([*'-/. #:'])}{text}"
    return text
