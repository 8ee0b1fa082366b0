"""Patterns that say which numbers are expected, compiled to automata.

A pattern is a row of elements: ``d`` is a digit, ``d+`` one digit or more, and any other digit or
sign is itself. A ``+`` is a repetition only right after ``d``.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skdigits.networks.labels import DIGITS

SIGNS = ".,-+/:%$€£#*()= "
MOST_STATES = 60  # each has its own beam
ELEMENT = re.compile(r"d\+?|.", re.DOTALL)


class Element(NamedTuple):
    """A part of a pattern.

    Parameters
    ----------
    allowed : str
        The characters that it can be; empty after the last element of a pattern.
    is_repeated : bool
        Whether there can be more than one.
    """

    allowed: str
    is_repeated: bool


class Automaton:
    """Deterministic automaton that accepts the sequences of labels that match a pattern.

    A sign that the network has no label for is in the text wherever the pattern has it. The first
    state is the start, the last one that of all sequences which cannot match any more; from each
    other state, a match can be reached.

    Parameters
    ----------
    pattern : str, or list or tuple of str
        A pattern, or several of which one must match.
    characters : str, default=DIGITS
        The characters that the network reads.

    Attributes
    ----------
    steps : ndarray of shape (n_states, n_labels + 1), int
        The state after each label, -1 for the last one. The last label is the blank, which changes
        no state.
    accepts : ndarray of shape (n_states,), bool
        True for the states of complete texts.

    Raises
    ------
    ValueError
        If the pattern is not valid, has too many states, or leaves open where a sign without a
        label is.
    """

    steps: np.ndarray
    accepts: np.ndarray

    def __init__(self, pattern: Any, characters: str = DIGITS) -> None:
        self._characters = characters
        self._elements: list[Element] = []
        self._start: dict[int, str] = {}
        for one in _as_list(pattern):
            elements = _elements(one, characters)
            _check_places(one, elements, characters)
            first = len(self._elements)
            self._elements += [*elements, Element("", False)]
            self._reach(self._start, first, "")
        self._number_states(pattern)

    def _number_states(self, pattern: Any) -> None:
        """Find the states: sets of elements, one of which is next."""
        numbers = {frozenset(self._start): 0}
        states, steps = [self._start], []
        for state in states:  # becomes longer
            moved = [self._step(state, character) for character in self._characters]
            for later in moved:
                if later and frozenset(later) not in numbers:
                    numbers[frozenset(later)] = len(states)
                    states.append(later)
            if len(states) > MOST_STATES:
                raise ValueError(
                    f"pattern is too long: it has more than {MOST_STATES} states; got "
                    f"{reprlib.repr(pattern)}. Shorten it, or pass fewer patterns."
                )
            steps.append([numbers.get(frozenset(later), -1) for later in moved])
        steps.append([-1] * len(self._characters))
        self.steps = np.column_stack([steps, np.arange(len(steps))])
        self.accepts = np.array([*map(self._is_complete, states), False])

    @property
    def allows_one_digit(self) -> bool:
        """Whether a text with a single label matches."""
        return bool(self.accepts[self.steps[0, :-1]].any())

    def text(self, sequence: str) -> str:
        """Return the text of a sequence of labels, with the signs that have no label.

        If several patterns match, it is that of the first.

        Parameters
        ----------
        sequence : str
            Characters that the network reads.

        Returns
        -------
        str
            The text; empty if no pattern matches.
        """
        state = self._start
        for character in sequence:
            state = self._step(state, character)
        complete = (text for i, text in state.items() if not self._elements[i].allowed)
        return next(complete, "")

    def matches(self, digits: np.ndarray) -> np.ndarray:
        """Return which sequences match.

        Parameters
        ----------
        digits : ndarray of shape (n, max_length), int
            Sequences of labels, -1 after the last one.

        Returns
        -------
        ndarray of shape (n,), bool
            True for sequences that match.
        """
        state = np.zeros(len(digits), np.intp)
        for label in digits.T:
            state = self.steps[state, label]  # -1 is the blank
        return self.accepts[state]

    def _is_complete(self, state: dict[int, str]) -> bool:
        return any(not self._elements[i].allowed for i in state)

    def _step(self, state: dict[int, str], character: str) -> dict[int, str]:
        """Return the elements that can follow a character, and the texts before them."""
        later: dict[int, str] = {}
        for i, text in state.items():
            if character in self._elements[i].allowed:
                if self._elements[i].is_repeated:
                    later[i] = text + character
                self._reach(later, i + 1, text + character)
        return later

    def _reach(self, state: dict[int, str], i: int, text: str) -> None:
        """Add an element to a state; signs without a label are passed."""
        while len(sign := self._elements[i].allowed) == 1 and sign not in self._characters:
            i, text = i + 1, text + sign
        state[i] = text


def _as_list(pattern: Any) -> Sequence[str]:
    """Return the patterns, of which there is at least one."""
    patterns = [pattern] if isinstance(pattern, str) else pattern
    is_list = isinstance(patterns, (list, tuple)) and len(patterns) > 0
    if not is_list or not all(isinstance(one, str) for one in patterns):
        raise ValueError(
            "pattern should be a string such as 'ddddd', or a list of such strings; got "
            f"{reprlib.repr(pattern)}."
        )
    return patterns


def _elements(pattern: str, characters: str) -> list[Element]:
    """Parse a pattern."""
    elements = []
    for part in ELEMENT.findall(pattern):
        if part not in ("d", "d+", *DIGITS, *SIGNS, *characters):
            raise ValueError(
                "pattern should consist of d (a digit), d+ (one digit or more), digits and the "
                f"signs {' '.join(SIGNS.strip())} and space; got {part!r} in "
                f"{reprlib.repr(pattern)}."
            )
        elements.append(Element(DIGITS if part[0] == "d" else part, part == "d+"))
    if not any(element.allowed[0] in DIGITS for element in elements):
        raise ValueError(
            f"pattern should have at least one d or digit; got {reprlib.repr(pattern)}."
        )
    return elements


def _check_places(pattern: str, elements: list[Element], characters: str) -> None:
    """Check that it is known where signs without a label are.

    Otherwise the text would be invented: "d+.d+" would make "1.234" or "123.4" of 1234.
    """
    has_repeated, sign = False, ""
    for allowed, is_repeated in elements:
        if is_repeated and sign:
            raise ValueError(
                f"pattern {reprlib.repr(pattern)} does not say where {sign!r} is, and the network "
                "does not read this sign. Use d for each digit before or after it."
            )
        has_repeated |= is_repeated
        if allowed[0] not in DIGITS and allowed in characters:
            has_repeated, sign = False, ""
        elif allowed[0] not in DIGITS and has_repeated:
            sign = allowed
