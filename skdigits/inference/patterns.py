"""Patterns that sequences must match, compiled to automata.

A pattern is a sequence of elements: ``d`` stands for a digit, and ``d+`` for one or more digits.
Digits and signs stand for themselves. A ``+`` directly after ``d`` is always a repetition.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skdigits.networks.labels import DIGITS

SIGNS = ".,-+/:%$€£#*()= "
MOST_STATES = 60  # the search has a beam for each state
ELEMENT = re.compile(r"d\+?|.", re.DOTALL)


class Element(NamedTuple):
    """An element of a pattern.

    Parameters
    ----------
    allowed : str
        The characters that match; empty for the element that marks the end of a pattern.
    is_repeated : bool
        Whether more than one character can match.
    """

    allowed: str
    is_repeated: bool


class Automaton:
    """Deterministic automaton that accepts the sequences of labels that match a pattern.

    Signs that the network has no label for are not part of these sequences; `text` inserts them at
    their positions in the pattern. The first state is the start. The last state means that no match
    is possible any more; all other states can still lead to a match.

    Parameters
    ----------
    pattern : str, or list or tuple of str
        A pattern, or several patterns; a sequence must match at least one of them.
    characters : str, default=DIGITS
        The characters that the network reads.

    Attributes
    ----------
    steps : ndarray of shape (n_states, n_labels + 1), int
        State after each label; -1 means the last state. The last column is the blank, which does
        not change the state.
    accepts : ndarray of shape (n_states,), bool
        True for states in which the text is complete.

    Raises
    ------
    ValueError
        If the pattern is not valid, has too many states, or does not fix the position of a sign
        that has no label.
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
        """Number the states; each state is the set of elements that can follow."""
        numbers = {frozenset(self._start): 0}
        states, steps = [self._start], []
        for state in states:  # the loop appends to this list
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
        """True if a text with a single label matches."""
        return bool(self.accepts[self.steps[0, :-1]].any())

    def text(self, sequence: str) -> str:
        """Return the text of a sequence of labels, with the signs that have no label.

        Parameters
        ----------
        sequence : str
            Characters that the network reads.

        Returns
        -------
        str
            The text for the first pattern that matches; empty if no pattern matches.
        """
        state = self._start
        for character in sequence:
            state = self._step(state, character)
        complete = (text for i, text in state.items() if not self._elements[i].allowed)
        return next(complete, "")

    def matches(self, digits: np.ndarray) -> np.ndarray:
        """Return a mask of the sequences that match; `digits` is padded with -1."""
        state = np.zeros(len(digits), np.intp)
        for label in digits.T:
            state = self.steps[state, label]  # the label -1 selects the column of the blank
        return self.accepts[state]

    def _is_complete(self, state: dict[int, str]) -> bool:
        return any(not self._elements[i].allowed for i in state)

    def _step(self, state: dict[int, str], character: str) -> dict[int, str]:
        """Return the elements that can follow a character, and the text before each of them."""
        later: dict[int, str] = {}
        for i, text in state.items():
            if character in self._elements[i].allowed:
                if self._elements[i].is_repeated:
                    later[i] = text + character
                self._reach(later, i + 1, text + character)
        return later

    def _reach(self, state: dict[int, str], i: int, text: str) -> None:
        """Add an element to a state, after skipping signs that have no label."""
        while len(sign := self._elements[i].allowed) == 1 and sign not in self._characters:
            i, text = i + 1, text + sign
        state[i] = text


def _as_list(pattern: Any) -> Sequence[str]:
    """Return a list of at least one pattern."""
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
                "pattern should consist of d (any digit), d+ (one or more digits), fixed digits "
                f"such as 7, spaces, and the signs {' '.join(SIGNS.strip())}; got {part!r} in "
                f"{reprlib.repr(pattern)}."
            )
        elements.append(Element(DIGITS if part[0] == "d" else part, part == "d+"))
    if not any(element.allowed[0] in DIGITS for element in elements):
        raise ValueError(
            f"pattern should have at least one d or digit; got {reprlib.repr(pattern)}."
        )
    return elements


def _check_places(pattern: str, elements: list[Element], characters: str) -> None:
    """Check that the pattern fixes the positions of signs that have no label.

    Otherwise the text would be a guess: with "d+.d+", "1234" could mean "1.234" or "123.4".
    """
    has_repeated, sign = False, ""
    for allowed, is_repeated in elements:
        if is_repeated and sign:
            raise ValueError(
                f"pattern {reprlib.repr(pattern)} does not fix the position of {sign!r}, and the "
                "network does not read this sign. Use d for each digit before or after it."
            )
        has_repeated |= is_repeated
        if allowed[0] not in DIGITS and allowed in characters:
            has_repeated, sign = False, ""
        elif allowed[0] not in DIGITS and has_repeated:
            sign = allowed
