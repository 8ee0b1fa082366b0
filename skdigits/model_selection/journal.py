"""The journal of a search: what is finished, on disk, as soon as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import BaseEstimator

FORMAT = 1


class Journal:
    """A file of lines of JSON: which search it is of, then the scores of every finished fit.

    Any number of processes may write to it at once.

    Parameters
    ----------
    path : str or path-like
        The file; begun if it is not there.
    *search
        Whatever determines the search.

    Raises
    ------
    ValueError
        If the file is the journal of another search, or none.
    """

    def __init__(self, path, *search):
        self.path = Path(path).absolute()
        self.header = {"skdigits_journal": FORMAT, "search": joblib.hash(search)}
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        if not text:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append(json.dumps(self.header))
        elif _parse(text.partition("\n")[0]) != self.header:
            raise ValueError(
                f"{self.path} is no journal of this search: the data, the folds, the estimator or "
                "the scoring differ. Name another file, or delete that one to begin anew."
            )
        elif not text.endswith("\n"):
            self._append("")  # ends a line that was broken off

    def read(self) -> dict:
        """Scores by key of the fit, fold and part.

        Returns
        -------
        dict of str to dict of int to dict of str to dict
            A line that was broken off in writing is left out.
        """
        finished: dict = {}
        for line in self.path.read_text(encoding="utf-8").splitlines()[1:]:
            entry = _parse(line)
            if isinstance(entry, dict) and "fit" in entry:  # two processes may both have begun
                folds = finished.setdefault(entry["fit"], {})
                folds.setdefault(entry["fold"], {})[entry["part"]] = entry["scores"]
        return finished

    def write(self, grid, epochs, fold: int, part: str, scores: dict) -> None:
        """Record the scores of one fit.

        Parameters
        ----------
        grid : dict of str to list
            The grid of the fit.
        epochs : list of int
            All epochs that the search asks for.
        fold : int
            Number of the fold.
        part : {"train", "test"}
            What was scored.
        scores : dict of str to float
            The scores.
        """
        entry = {"fit": self.key(grid, epochs), "fold": fold, "part": part, "scores": scores}
        self._append(json.dumps(entry))

    @staticmethod
    def key(grid, epochs) -> str:
        """Name a fit.

        Parameters
        ----------
        grid : dict of str to list
            The grid of the fit.
        epochs : list of int
            All epochs that the search asks for.

        Returns
        -------
        str
            Equal for equal fits.
        """
        return f"{ {name: describe(grid[name]) for name in sorted(grid)} } of {epochs}"

    @staticmethod
    def mark(X) -> str:
        """Name samples.

        Parameters
        ----------
        X : array-like
            The samples.

        Returns
        -------
        str
            Equal for equal samples.
        """
        return joblib.hash(np.array(X, copy=True))

    def _append(self, line):
        # One write to a file opened to append: lines of several processes do not mix.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)


def describe(value) -> str:
    """Write a parameter's value, the same in every process.

    Parameters
    ----------
    value : object
        The value; a function in it is written by its name.

    Returns
    -------
    str
        Equal for equal values.
    """
    if isinstance(value, dict):
        return f"{ {name: describe(value[name]) for name in value} }"
    if isinstance(value, (list, tuple)):
        return f"{[describe(item) for item in value]}"
    if isinstance(value, BaseEstimator):  # its own text has the addresses of functions
        return describe(type(value)) + describe(value.get_params(deep=False))
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return repr(value)


def _parse(line):
    try:
        return json.loads(line)
    except ValueError:
        return None
