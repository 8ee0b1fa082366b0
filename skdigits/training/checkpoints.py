"""Files with the state of a fit after an epoch; the same fit resumes from them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.files import atomic_write, make_folder
from skdigits.fingerprint import content_hash, versions
from skdigits.networks.trained import Weights
from skdigits.training.task import TrainingTask

if TYPE_CHECKING:
    from skdigits.typing import StrPath

FORMAT = 1
VALUES = "values"  # name of the entry that holds JSON


@dataclass(frozen=True, eq=False)
class FitState:
    """Everything that changes during a fit.

    Parameters
    ----------
    values : dict
        Values that JSON can hold.
    arrays : dict of str to list of ndarray
        Weights and other variables.
    kept : dict of int to list of ndarray
        The number of each kept epoch, from 1, and its weights.
    """

    values: dict[str, Any]
    arrays: dict[str, Weights]
    kept: dict[int, Weights] = field(default_factory=dict)


class Checkpoint:
    """Files with the state of one fit; each kept epoch has its own file.

    The file names contain a digest of everything that determines the fit, so that several fits can
    share a folder.

    Parameters
    ----------
    folder : str or path-like
        The folder; it is created if it does not exist.
    task : TrainingTask
        The fit, with initial weights and learning rate.
    callbacks : sequence of keras.callbacks.Callback, default=()
        The user's callbacks; callbacks with ``only_watches = True`` are ignored.

    Raises
    ------
    OSError
        If the folder cannot be created.
    TypeError
        If a function or callback cannot be identified in another process.
    """

    def __init__(self, folder: StrPath, task: TrainingTask, callbacks: Sequence[Any] = ()) -> None:
        self.folder, self.name = Path(folder), digest_of(task, callbacks)
        make_folder(self.folder)
        self._written: set[int] = set()

    def load(self) -> FitState | None:
        """Read the state; return None if there is no checkpoint, or if it cannot be read."""
        try:
            values, arrays = _read(self._path("checkpoint"))
            kept = {n: _read(self._path(f"epoch-{n}"))[1]["weights"] for n in values["kept"]}
        except Exception:  # a damaged file can raise any exception
            return None
        self._written = set(kept)
        return FitState(values["state"], arrays, kept)

    def save(self, state: FitState) -> None:
        """Write the state, in place of the previous one.

        If it cannot be written, an OSError is raised and the previous state is kept.
        """
        make_folder(self.folder)
        for epoch, weights in state.kept.items():
            path = self._path(f"epoch-{epoch}")
            if epoch not in self._written or not path.exists():
                _write(path, {}, {"weights": weights})
                self._written.add(epoch)
        values = {"state": state.values, "kept": sorted(state.kept)}
        _write(self._path("checkpoint"), values, state.arrays)

    def remove(self) -> None:
        """Remove the files, but not the folder."""
        for path in self.folder.glob(f"*{self.name}.*"):
            with contextlib.suppress(OSError):
                path.unlink()

    def _path(self, ending: str) -> Path:
        return self.folder / f"{self.name}.{ending}"


def digest_of(task: TrainingTask, callbacks: Sequence[Any] = ()) -> str:
    """Compute a digest, 32 hexadecimal digits, of everything that determines the result of a fit.

    Parameters
    ----------
    task : TrainingTask
        The training task, with initial weights and learning rate.
    callbacks : sequence of keras.callbacks.Callback, default=()
        As in `Checkpoint`.

    Returns
    -------
    str
        The digest.
    """
    digest = blake2b(digest_size=16)
    parts: dict[str, Any] = {part.name: getattr(task, part.name) for part in fields(task)}
    for name in ("draw", "verbose", "checkpoint", "n_resumed"):
        del parts[name]
    if not task.drawn_from:
        parts["drawn_from"] = task.draw(task.start.n_epochs)
    changing = [(type(c), vars(c)) for c in callbacks if not getattr(c, "only_watches", False)]
    parts["callbacks"] = content_hash(changing)
    for chunk in _chunks([FORMAT, versions(), parts]):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(value: Any) -> Iterable[bytes | memoryview]:
    """Yield bytes that differ for different values."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        yield f"{value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).data.cast("B") if value.size else b""
    elif is_dataclass(value) and not isinstance(value, type):
        yield f"{type(value).__module__}.{type(value).__qualname__}".encode()
        yield from _chunks({part.name: getattr(value, part.name) for part in fields(value)})
    elif isinstance(value, dict):
        yield from _chunks([*value.items()])
    elif isinstance(value, (list, tuple)):
        yield f"{len(value)} of".encode()
        for item in value:
            yield from _chunks(item)
    elif callable(value):
        yield content_hash(value).encode()
    else:
        yield f"{type(value).__name__} {value!r};".encode()


def _write(path: Path, values: dict[str, Any], arrays: dict[str, Weights]) -> None:
    """Write values and lists of arrays to a file."""
    entries: dict[str, Any] = {
        f"{name}-{i}": array for name, some in arrays.items() for i, array in enumerate(some)
    }
    entries[VALUES] = np.array(json.dumps([values, {n: len(some) for n, some in arrays.items()}]))
    with atomic_write(path) as file:
        np.savez(file, **entries)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Weights]]:
    """Read values and lists of arrays from a file."""
    content = io.BytesIO(path.read_bytes())  # NumPy would not close a damaged file
    with np.load(content, allow_pickle=False) as archive:
        values, counts = json.loads(str(archive[VALUES]))
        arrays = {name: [archive[f"{name}-{i}"] for i in range(n)] for name, n in counts.items()}
    return values, arrays
