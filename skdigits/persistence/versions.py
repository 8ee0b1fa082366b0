"""Versions of the packages that a fitted estimator depends on."""

from __future__ import annotations

import importlib.metadata

PACKAGES = ("skdigits", "numpy", "scikit-learn", "onnxruntime", "scikeras", "keras", "tensorflow")


def versions() -> dict[str, str]:
    """Look up the versions of the packages that are installed.

    Returns
    -------
    dict of str to str
        Version by package.
    """
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # predicting needs only some of them
    return found
