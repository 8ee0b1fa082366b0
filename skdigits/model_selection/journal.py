"""The journal of a search, a file that records every fit as soon as it is finished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.files import flush, flush_folder, make_folder, naming
from skdigits.fingerprint import content_hash, fingerprint, versions
from skdigits.model_selection.scoring import FoldScores

if TYPE_CHECKING:
    from skdigits.typing import StrPath

FORMAT = 3


class Journal:
    """A file of JSON lines: the first identifies the search, the others are scores of fits.

    Parameters
    ----------
    path : str or path-like
        The file; it is created if it does not exist.
    search : object
        All values besides `fits` that determine the scores. They are identified by `fingerprint`,
        which includes the content of files.
    fits : list of object
        Parameters that identify each fit.

    Raises
    ------
    ValueError
        If the file is the journal of another search, was written with other versions of Python or
        the libraries, or is not a journal.
    TypeError
        If `search` or one of `fits` cannot be hashed.
    """

    def __init__(self, path: StrPath, search: Any, fits: Sequence[Any]) -> None:
        self.path = Path(path).absolute()
        self.fits = [content_hash(fit) for fit in fits]
        values = {"skdigits_journal": FORMAT, "versions": versions(), "search": fingerprint(search)}
        header = json.dumps(values)
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.exists() else ""
        if header.startswith(text):  # empty, or truncated, for example by a full disk
            make_folder(self.path.parent)
            self._append(header[len(text) :])
            flush_folder(self.path.parent)
        elif (first := text.partition("\n")[0]) != header:
            raise ValueError(
                f"{self.path} is not a journal of this search: {_difference(first, values)}. Pass "
                "another file, or delete this one to start a new search."
            )
        elif not text.endswith("\n"):
            self._append("")  # end a truncated line

    def read(self) -> list[FoldScores]:
        """Read the recorded scores of these fits.

        Returns
        -------
        list of FoldScores
            The scores in the order of the fits, without times. Truncated lines are skipped.
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
        """Record the scores of a finished fit in one fold."""
        values = {"test": scores.test, "train": scores.train, "history": scores.history}
        entry = {"fit": self.fits[scores.fit], "fold": scores.fold, "scores": values}
        self._append(json.dumps(entry))

    def _append(self, line: str) -> None:
        # One unbuffered write per line, in append mode, so that lines of two searches do not mix.
        data = f"{line}\n".encode()
        with naming(self.path), self.path.open("ab", buffering=0) as file:
            written = file.write(data)
            file.write(data[written:])  # raises the reason if the first write was incomplete
            flush(file)


def _difference(line: str, values: Any) -> Any:
    """Describe how the first line of another journal differs from this search."""
    found = _parse(line)
    versions = found.get("versions") if isinstance(found, dict) else None
    if not isinstance(versions, dict) or found.get("skdigits_journal") != FORMAT:
        return "it is not a journal, or another version of skdigits wrote it"
    for name, version in values["versions"].items():
        if versions.get(name) != version:
            return f"{name} was {versions.get(name, 'missing')} and is {version}"
    return "the data, the folds, the estimator or the scoring differ"


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
