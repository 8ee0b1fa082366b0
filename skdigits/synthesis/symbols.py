"""Symbols of lines: digits, and the signs before and after them.

A new sign needs strokes in ``pen.sign`` and an entry in ``pen.SIGNS``, in `BEFORE` or `AFTER`, and
in ``composition.DRAWN_SIGNS``. Points and commas are drawn in ``sheet.py``.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skdigits.synthesis.pen import SIGNS

NONE = -1  # value of an empty place in a line; digits have the values 0 to 9
SIGN = 10  # value of the first sign in `SIGNS`; the other signs follow
BEFORE = ("$", "=", "#", "-", "*", "€")  # signs before the digits; "/" and "(" look like a 1
AFTER = ("-", "-", "=", "=", "/", "#", "*", "x")
JOINED = (0, 2, 3, 5, 6, 8)  # digits that may be joined to the next one
COMMAS = 0.4  # share of the points that are commas


@dataclass(frozen=True)
class Symbols:
    """Digits and signs of all lines, in the order in which they are written.

    Parameters
    ----------
    line : ndarray of shape (n,), int
        Index of the line of each symbol.
    value : ndarray of shape (n,), int
        0 to 9 for a digit; `SIGN` or more for a sign.
    before, after : ndarray of shape (n,), int
        Value of the symbol before, and after, each symbol on its line, or `NONE`.
    n_left : ndarray of shape (n,), int
        Number of digits to the right of each digit.
    n_digits : ndarray of shape (n_lines,), int
        Number of digits of each line.
    """

    line: np.ndarray
    value: np.ndarray
    before: np.ndarray
    after: np.ndarray
    n_left: np.ndarray
    n_digits: np.ndarray

    @classmethod
    def around(cls, digits: np.ndarray, rng: np.random.Generator) -> Symbols:
        """Add signs before and after the digits of some lines; lines without digits stay empty.

        `digits` has the shape (n_lines, longest): the digits of each line, followed by `NONE`.
        """
        n, n_digits = len(digits), (digits != NONE).sum(axis=1)
        signs = np.stack([_signs(kinds, n, rng) for kinds in (BEFORE, AFTER, "-")], axis=1)
        is_there = (rng.random((n, 3)) < [0.12, 0.16, 0.25]) & (n_digits[:, np.newaxis] > 0)
        is_there[:, 2] &= is_there[:, 1]
        signs = np.where(is_there, signs, NONE)
        rows = np.concatenate([signs[:, :1], digits, signs[:, 1:]], axis=1)
        line, place = np.nonzero(rows != NONE)
        value = rows[line, place]
        is_same = line[1:] == line[:-1]
        before = np.append(NONE, np.where(is_same, value[:-1], NONE))[: len(line)]
        after = np.append(np.where(is_same, value[1:], NONE), NONE)[: len(line)]
        return cls(line, value, before, after, n_digits[line] - place, n_digits)

    @property
    def is_digit(self) -> np.ndarray:
        """True for digits, False for signs."""
        return self.value < SIGN

    def raised(self, rng: np.random.Generator) -> np.ndarray:
        """Choose raised digits at random: the last two digits of some lines, like cents.

        Returns an array of shape (n,), which is True for raised digits.
        """
        is_raised = (rng.random(len(self.n_digits)) < 0.04) & (self.n_digits > 2)
        return is_raised[self.line] & self.is_digit & (self.n_left < 2)

    def joined(self, share: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Choose at random which digits are joined to the digit before.

        Parameters
        ----------
        share : ndarray of shape (n,), float
            Probability of a join, which depends on the writer of each symbol.
        rng : numpy.random.Generator
            Random generator.

        Returns
        -------
        ndarray of shape (n,), bool
            True for joined digits.
        """
        is_joined = self.is_digit & np.isin(self.before, JOINED)
        return is_joined & (rng.random(len(share)) < share)

    def with_points(self, rng: np.random.Generator) -> np.ndarray:
        """Choose at random which digits have a point or a comma after them.

        Returns an array of shape (n,), which is True for these digits.
        """
        n_left = self.n_left
        share = np.where((n_left % 3 == 0) | (n_left == 2), 0.3, 0.02)
        share = np.where(n_left > 0, share, np.where(self.after == NONE, 0.08, 0))
        return self.is_digit & (rng.random(len(share)) < share)

    def texts(self, point: np.ndarray, signs: str) -> list[str]:
        """Return the text of each line.

        Parameters
        ----------
        point : ndarray of shape (n,), str
            The point or comma after each symbol, or ``""``.
        signs : str
            Signs that the texts contain; other signs are omitted.

        Returns
        -------
        list of str
            Digits and signs from left to right.
        """
        known = {*string.digits, *signs}
        written = [
            character if character in known else "" for character in (*string.digits, *SIGNS)
        ]
        after = np.where(np.isin(point, [*signs]), point, "")
        texts = [""] * len(self.n_digits)
        parts = zip(self.line.tolist(), self.value.tolist(), after.tolist(), strict=True)
        for line, value, mark in parts:
            texts[line] += written[value] + mark
        return texts


def _signs(kinds: Sequence[str], n: int, rng: np.random.Generator) -> np.ndarray:
    """Choose `n` signs of these kinds at random."""
    return SIGN + rng.choice([SIGNS.index(kind) for kind in kinds], n)
