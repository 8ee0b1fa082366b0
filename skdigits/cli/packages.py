"""Packages that some commands need and an installation that only predicts does not have."""

from __future__ import annotations

from importlib.util import find_spec

TRAINING = ("tensorflow", "keras", "scikeras")
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn"}  # where the name is not the module's


def check_packages(*modules: str) -> None:
    """Check, before any work, that packages are installed; nothing is imported.

    Parameters
    ----------
    *modules : str
        Names of the modules to import.

    Raises
    ------
    ImportError
        If some are missing; the message says how to install them.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ImportError(how_to_install(*missing))


def how_to_install(*modules: str) -> str:
    """Say that packages are missing, and how to install them.

    Parameters
    ----------
    *modules : str
        Names of the missing modules.

    Returns
    -------
    str
        A sentence for the user.
    """
    names = [DISTRIBUTIONS.get(name, name) for name in modules]
    return f"This needs {', '.join(names)}, which is not installed: pip install {' '.join(names)}"
