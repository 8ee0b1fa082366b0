"""Choose the properties of writers and of printed lines at random."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

STEEPEST = 0.9  # maximum slant, in columns per row
# For each digit, the share of writers that write it in a shape that MNIST lacks.
DRAWN = (0.2, 0.45, 0.2, 0, 0.2, 0.25, 0, 0.45, 0.15, 0.4)
ITALIC = 0.12  # share of writers with a large slant
ROLLING = 0.15  # share of printed lines that are the wheels of a meter


@dataclass(frozen=True)
class Writers:
    """Properties of the writers of lines, or of printed lines; lengths are in heights of a digit.

    Parameters
    ----------
    slant : ndarray of shape (n_lines,)
        Tangent of the angle to the vertical; positive if digits lean to the right.
    aspect : ndarray of shape (n_lines,)
        Factor of the width of digits.
    gap, gap_change : ndarray of shape (n_lines,)
        Mean and standard deviation of the gap between two digits.
    size_change : ndarray of shape (n_lines,)
        Relative standard deviation of the height of digits.
    slope : ndarray of shape (n_lines,)
        Slope of the baseline, in rows per column; positive if it falls to the right.
    wobble : ndarray of shape (n_lines,)
        Standard deviation of the vertical position of digits.
    thickness : ndarray of shape (n_lines,)
        Rank of the thickness of strokes, from 0 (thin) to 1 (thick).
    is_level : ndarray of shape (n_lines,), bool
        True if the digits stand on a baseline; False if they are centred vertically.
    cell : ndarray of shape (n_lines,)
        Width of the cells of a monospaced typeface; NaN without cells.
    joins : ndarray of shape (n_lines,)
        Share of neighbouring digits that are joined by a stroke.
    drawn : ndarray of shape (n_lines, 10), bool
        True for digits in a shape that MNIST lacks.
    """

    slant: np.ndarray
    aspect: np.ndarray
    gap: np.ndarray
    gap_change: np.ndarray
    size_change: np.ndarray
    slope: np.ndarray
    wobble: np.ndarray
    thickness: np.ndarray
    is_level: np.ndarray
    cell: np.ndarray
    joins: np.ndarray
    drawn: np.ndarray

    @classmethod
    def writing(cls, n: int, rng: np.random.Generator) -> Writers:
        """Choose the writers of `n` lines at random."""
        is_italic, joins = rng.random(n) < ITALIC, rng.random(n) < 0.15
        return cls(
            slant=np.where(is_italic, rng.uniform(0.3, STEEPEST, n), rng.normal(0.12, 0.22, n)),
            aspect=np.exp(rng.normal(0.05, 0.22, n)),
            gap=rng.normal(0.12, 0.14, n),
            gap_change=rng.uniform(0.02, 0.12, n),
            size_change=rng.uniform(0.02, 0.14, n),
            slope=rng.normal(0, 0.04, n),
            wobble=rng.uniform(0, 0.06, n),
            thickness=rng.random(n),
            is_level=rng.random(n) < 0.6,
            cell=np.full(n, np.nan),
            joins=np.where(joins, rng.uniform(0.2, 0.8, n), 0),
            drawn=rng.random((n, 10)) < DRAWN,
        )

    @classmethod
    def printing(cls, n: int, rng: np.random.Generator) -> Writers:
        """Choose the properties of `n` printed lines at random."""
        is_rolling = rng.random(n) < ROLLING
        has_cells = is_rolling | (rng.random(n) < 0.6)
        return cls(
            slant=rng.normal(0, 0.04, n),
            aspect=np.exp(rng.normal(0, 0.12, n)),
            gap=rng.uniform(0.05, 0.4, n),
            gap_change=np.zeros(n),
            size_change=np.zeros(n),
            slope=rng.normal(0, 0.015, n),
            wobble=np.where(is_rolling, 0.12, 0),
            thickness=np.full(n, 0.5),
            is_level=np.full(n, True),
            cell=np.where(has_cells, rng.uniform(0.65, 1.2, n), np.nan),
            joins=np.zeros(n),
            drawn=np.full((n, 10), False),
        )

    @classmethod
    def of(cls, is_print: np.ndarray, rng: np.random.Generator) -> Writers:
        """Choose the properties of written and printed lines at random.

        `is_print` has the shape (n_lines,) and is True for printed lines.
        """
        n = len(is_print)
        pairs = zip(cls.printing(n, rng)._values(), cls.writing(n, rng)._values(), strict=True)
        chosen = (np.where(is_print, a.T, b.T).T for a, b in pairs)
        return cls(*chosen)

    def __getitem__(self, lines: Any) -> Writers:
        """Return the writers of these lines."""
        return Writers(*(values[lines] for values in self._values()))

    def _values(self) -> list[np.ndarray]:
        return [getattr(self, field.name) for field in fields(self)]

    def __len__(self) -> int:
        return len(self.slant)
