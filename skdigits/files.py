"""Files that are written atomically: complete or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]


def check_destination(path, endings=()) -> Path:
    """Check that a file can have this name.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    endings : sequence of str, default=()
        Endings, such as ``".onnx"``, of which the name should have one.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If there is a folder of this name.
    ValueError
        If the name has another ending.
    """
    path = Path(path)
    if endings and path.suffix.lower() not in endings:
        raise ValueError(
            f"{path.name!r} should end in {' or '.join(endings)}; the ending selects the format."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: there is no such folder to write into.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected the name of a file.")
    return path


@contextlib.contextmanager
def atomic_write(path, mode="wb", **options):
    """Write a file that appears when it is complete, or not at all if the block raises.

    What a process that was killed has left of the same file is removed.

    Parameters
    ----------
    path : str or path-like
        The file to write; an existing one is replaced.
    mode : str, default="wb"
        ``"wb"`` for bytes or ``"w"`` for text.
    **options
        Further arguments of `open`.

    Yields
    ------
    file object
        A temporary file in the same folder, which is renamed to `path` at the end.

    Raises
    ------
    OSError
        As for `check_destination`, or if the file cannot be written; it names the file.
    """
    path = check_destination(path)
    for left in path.parent.glob(glob.escape(f".{path.name}.") + "[0-9a-f]" * 8):
        _remove_unless_written(left)
    with naming(path), _renamed_at_the_end(path, mode, options) as file:
        yield file


@contextlib.contextmanager
def naming(path):
    """Add the name of a file to errors of the operating system that have none, as of a full disk.

    Parameters
    ----------
    path : str or path-like
        The file that is written.

    Raises
    ------
    OSError
        Those of the block.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


@contextlib.contextmanager
def _renamed_at_the_end(path, mode, options):
    temporary, file = _open_locked(path, mode.replace("w", "x"), options)
    try:
        with file:
            yield file
            file.flush()
            if fcntl is not None:  # renamed while it is locked
                os.replace(temporary, path)
        if fcntl is None:
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _open_locked(path, mode, options):
    """Open a new temporary file beside a path, and lock it."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        file = open(temporary, mode, **options)  # noqa: SIM115 - the caller closes it
        if fcntl is not None:
            with contextlib.suppress(OSError):  # not every file system has locks
                fcntl.flock(file, fcntl.LOCK_EX)
        if temporary.exists():  # no other process has found it before it was locked
            return temporary, file
        file.close()


def _remove_unless_written(temporary):
    """Remove a temporary file, unless another process is writing it."""
    with contextlib.suppress(OSError):
        with open(temporary, "rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                temporary.unlink()
                return
        temporary.unlink()


def printable(name) -> str:
    """Write what is not text in a file name as escapes.

    Parameters
    ----------
    name : str or path-like
        A file name, which may hold bytes that are no UTF-8.

    Returns
    -------
    str
        The name, if it is text, as nearly all are.
    """
    return str(name).encode("utf-8", "backslashreplace").decode()
