"""Atomic writing of files: a file is written completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skdigits.typing import StrPath

try:
    import fcntl
except ImportError:  # Windows, which needs no locks, because it does not remove open files
    fcntl = None  # type: ignore[assignment]


def check_destination(path: StrPath, endings: Iterable[str] = ()) -> Path:
    """Check the name of a file to write, and return it as a Path.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    endings : iterable of str, default=()
        Allowed endings, such as ``".onnx"``; empty allows all.

    Returns
    -------
    Path
        The path of the file.

    Raises
    ------
    FileNotFoundError
        If the folder of the file does not exist.
    IsADirectoryError
        If `path` is a folder.
    ValueError
        If the ending is not allowed.
    """
    path = Path(path)
    if endings and path.suffix.lower() not in endings:
        raise ValueError(
            f"{path.name!r} should end in {' or '.join(endings)}; the ending selects the format."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The folder {path.parent} does not exist; create it first.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected the name of a file.")
    return path


@contextlib.contextmanager
def atomic_write(path: StrPath, mode: str = "wb", **options: Any) -> Iterator[Any]:
    """Write a file that appears only when it is complete, and not if the block raises an error.

    The new file is flushed to the disk before it replaces the old one, so that one of them survives
    a power failure. Temporary files of killed processes that wrote the same path are removed.

    Parameters
    ----------
    path : str or path-like
        The file to write. An existing file is replaced, and its permissions are kept. A symbolic
        link is followed. A device or a named pipe is written directly.
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
        As for `check_destination`, or if the file cannot be written; the error names the file.
    """
    path = check_destination(path)
    with naming(path):
        if path.exists() and not path.is_file():
            with open(path, mode, **options) as file:
                yield file
            return
        path = check_destination(_without_links(path))
        for left in path.parent.glob(glob.escape(f".{path.name}.") + "[0-9a-f]" * 8):
            _remove_unless_written(left)
        with _renamed_at_the_end(path, mode, options) as file:
            yield file
        flush_folder(path.parent)


@contextlib.contextmanager
def naming(path: StrPath) -> Iterator[None]:
    """Add the name of a file to errors of the system that name no file, such as for a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def make_folder(folder: StrPath) -> None:
    """Make a folder and its parents, unless they exist, and flush them to the disk."""
    folder = Path(folder)
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        flush_folder(folder.parent)


def flush(file: IO[Any]) -> None:
    """Flush the content of an open file to the disk, so that it survives a power failure.

    For devices and pipes, only the buffer is flushed, and no error is raised.
    """
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def flush_folder(folder: StrPath) -> None:
    """Flush the names of the files in a folder to the disk, if the system supports it."""
    with contextlib.suppress(OSError):  # Windows cannot open folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _without_links(path: Path) -> Path:
    """Return the target of a symbolic link, which may be missing; return other paths unchanged."""
    if not path.is_symlink():
        return path
    found = Path(os.path.realpath(path))
    if found.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return found


@contextlib.contextmanager
def _renamed_at_the_end(path: Path, mode: str, options: dict[str, Any]) -> Iterator[Any]:
    temporary, file = _open_locked(path, mode.replace("w", "x"), options)
    try:
        with file:
            yield file
            flush(file)
            if fcntl is not None:  # renamed while it is locked
                os.replace(temporary, path)
        if fcntl is None:
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _open_locked(path: Path, mode: str, options: dict[str, Any]) -> tuple[Path, Any]:
    """Create a temporary file beside a path, with the permissions of the old file, and lock it."""
    old = path.stat() if path.exists() else None
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        file = open(temporary, mode, opener=_opener(old), **options)  # noqa: SIM115 - caller closes
        if fcntl is not None:
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
        if temporary.exists():  # False if another process removed it before it was locked
            return temporary, file
        file.close()


def _opener(old: Any) -> Any:
    """Return an opener for a new file with the owner and at most the permissions of an old file."""
    if old is None or os.name != "posix":
        return None

    def opener(name: str, flags: int) -> int:
        descriptor, mode = os.open(name, flags, 0o600), stat.S_IMODE(old.st_mode) & 0o777
        for uid, gid in ((-1, old.st_gid), (old.st_uid, -1)):
            with contextlib.suppress(OSError):  # only an administrator may change the owner
                os.fchown(descriptor, uid, gid)
        if os.fstat(descriptor).st_gid != old.st_gid:
            mode &= ~stat.S_IRWXG
        with contextlib.suppress(OSError):  # some file systems have no permissions
            os.fchmod(descriptor, mode)
        return descriptor

    return opener


def _remove_unless_written(temporary: Path) -> None:
    """Remove a temporary file unless another process is writing it."""
    with contextlib.suppress(OSError):
        with open(temporary, "rb") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                temporary.unlink()
                return
        temporary.unlink()


def printable(name: StrPath) -> str:
    """Escape bytes in a file name that are not UTF-8."""
    return str(name).encode("utf-8", "backslashreplace").decode()
