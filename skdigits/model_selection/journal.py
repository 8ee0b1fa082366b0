"""The journal of a search: a file that records every fit as soon as it is finished."""

from __future__ import annotations

import json
from pathlib import Path

from skdigits.files import naming
from skdigits.fingerprint import fingerprint
from skdigits.model_selection.scoring import FoldScores

FORMAT = 2


class Journal:
    """A file of JSON lines: the search it belongs to, then the scores of every finished fit.

    Parameters
    ----------
    path : str or path-like
        The file; created if it does not exist.
    search : object
        Everything besides the fits that determines the scores; it must have a fingerprint.
    fits : list of object
        What makes each fit different from the others.

    Raises
    ------
    ValueError
        If the file is the journal of another search, or is not a journal.
    TypeError
        If `search` or one of `fits` has no fingerprint.
    """

    def __init__(self, path, search, fits):
        self.path = Path(path).absolute()
        self.fits = [fingerprint(fit) for fit in fits]
        header = json.dumps({"skdigits_journal": FORMAT, "search": fingerprint(search)})
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        if header.startswith(text):  # a full disk may have cut it off
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append(header[len(text) :])
        elif text.partition("\n")[0] != header:
            raise ValueError(
                f"{self.path} is not a journal of this search: the data, the folds, the estimator, "
                "the scoring or the versions of Python or skdigits differ. Pass another file, or "
                "delete this one to start a new search."
            )
        elif not text.endswith("\n"):
            self._append("")  # ends a line that was cut off

    def read(self) -> list[FoldScores]:
        """Read the recorded scores of these fits.

        Returns
        -------
        list of FoldScores
            In the order of the fits, without times. A line that was cut off during writing is
            skipped.
        """
        entries = map(_parse, self.path.read_text(encoding="utf-8").splitlines()[1:])
        recorded = {
            (entry["fit"], entry["fold"]): entry["scores"]
            for entry in entries
            if isinstance(entry, dict) and "fit" in entry
        }
        return [
            FoldScores(i, fold, **scores)
            for i, fit in enumerate(self.fits)
            for (name, fold), scores in recorded.items()
            if name == fit
        ]

    def record(self, scores: FoldScores) -> None:
        """Record a finished fit.

        Parameters
        ----------
        scores : FoldScores
            Its scores in one fold.
        """
        values = {"test": scores.test, "train": scores.train, "history": scores.history}
        entry = {"fit": self.fits[scores.fit], "fold": scores.fold, "scores": values}
        self._append(json.dumps(entry))

    def _append(self, line):
        # One unbuffered write to a file opened for appending: lines of two searches do not mix.
        data = f"{line}\n".encode()
        with naming(self.path), self.path.open("ab", buffering=0) as file:
            written = file.write(data)
            file.write(data[written:])  # says why the first one was short


def _parse(line):
    try:
        return json.loads(line)
    except ValueError:
        return None
