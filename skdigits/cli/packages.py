"""Packages that only some commands need."""

from __future__ import annotations

from importlib.util import find_spec

TRAINING = ("tensorflow", "keras", "scikeras")
DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn"}  # by module, if the names differ


def check_packages(*modules: str) -> None:
    """Raise an ImportError if a module is not installed; import nothing."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ImportError(how_to_install(*missing))


def how_to_install(*modules: str) -> str:
    """Return an error message that names missing packages and the command to install them."""
    names = [DISTRIBUTIONS.get(name, name) for name in modules]
    which = "which is" if len(names) == 1 else "which are"
    return (
        f"This command needs {', '.join(names)}, {which} not installed. Run: pip install "
        f"{' '.join(names)}"
    )
