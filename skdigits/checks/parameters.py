"""Checks of the values of parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral


def check_name(parameter: str, name: str, known: Iterable[str]) -> None:
    """Raise a ``ValueError`` that suggests similar names if a name is unknown.

    Parameters
    ----------
    parameter : str
        The parameter, for the message.
    name : str
        The value of the parameter.
    known : iterable of str
        The accepted names.
    """
    known = sorted(known)
    if name in known:
        return
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=2)
    hint = f" Did you mean {' or '.join(repr(lowered[word]) for word in near)}?" if near else ""
    raise ValueError(f"Unknown {parameter} {name!r}.{hint} Known names: {', '.join(known)}.")


def check_top(k: int, maximum: int) -> int:
    """Check the number of most probable predictions to return.

    Parameters
    ----------
    k : int
        The number.
    maximum : int
        The maximum.

    Returns
    -------
    int
        `k`.

    Raises
    ------
    ValueError
        If `k` is not a whole number from 1 to `maximum`.
    """
    if not isinstance(k, Integral) or not 1 <= int(k) <= maximum:
        raise ValueError(f"k should be a whole number from 1 to {maximum}; got {k!r}.")
    return int(k)
