"""Packages that only some commands need."""

from __future__ import annotations

from importlib.util import find_spec

TRAINING = ("tensorflow", "keras", "scikeras")
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn"}  # names that differ from the module's


def check_packages(*modules: str) -> None:
    """Check that packages are installed, without importing them.

    Parameters
    ----------
    *modules : str
        Names of the modules to import.

    Raises
    ------
    ImportError
        If a package is missing; the message says how to install it.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ImportError(how_to_install(*missing))


def how_to_install(*modules: str) -> str:
    """Make a message that packages are missing, and how to install them.

    Parameters
    ----------
    *modules : str
        Names of the missing modules.

    Returns
    -------
    str
        The message.
    """
    names = [DISTRIBUTIONS.get(name, name) for name in modules]
    return f"This needs {', '.join(names)}, which is not installed: pip install {' '.join(names)}"
