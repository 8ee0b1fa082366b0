"""Checks of the values of parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from numbers import Integral


def check_name(parameter: str, name: str, known: Iterable[str]) -> None:
    """Raise a ValueError if a name is unknown; the message suggests similar names.

    `parameter` is the name of the parameter, `name` its value, `known` the accepted values.
    """
    known = sorted(known)
    if name in known:
        return
    lowered = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=2)
    hint = f" Did you mean {' or '.join(repr(lowered[word]) for word in near)}?" if near else ""
    raise ValueError(f"Unknown {parameter} {name!r}.{hint} Known names: {', '.join(known)}.")


def check_top(k: int, maximum: int) -> int:
    """Return `k` as an int; raise a ValueError if it is not a whole number from 1 to `maximum`."""
    if not isinstance(k, Integral) or not 1 <= int(k) <= maximum:
        raise ValueError(f"k should be a whole number from 1 to {maximum}; got {k!r}.")
    return int(k)
