"""Checks of parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral


def check_name(parameter: str, name: str, known: Iterable[str]) -> None:
    """Raise a ``ValueError`` that suggests the nearest known name.

    Parameters
    ----------
    parameter : str
        The parameter that took the name.
    name : str
        The name given.
    known : iterable of str
        The names accepted.
    """
    known = sorted(known)
    if name in known:
        return
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=2)
    hint = f" Did you mean {' or '.join(repr(lowered[word]) for word in near)}?" if near else ""
    raise ValueError(f"Unknown {parameter} {name!r}.{hint} Known names: {', '.join(known)}.")


def check_top(k: int, most: int) -> int:
    """Check the number of most probable predictions.

    Parameters
    ----------
    k : int
        The number.
    most : int
        The maximum.

    Returns
    -------
    int
        The same.

    Raises
    ------
    ValueError
        If it is not a whole number from 1 to `most`.
    """
    if not isinstance(k, Integral) or not 1 <= int(k) <= most:
        raise ValueError(f"k should be a whole number from 1 to {most}; got {k!r}.")
    return int(k)
