"""Pages of picture files, and their readings."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from skdigits.cli.console import escape_controls, message
from skdigits.cli.read.drawing import draw_boxes
from skdigits.cores import map_in_processes

MISSING = "there is no such file or folder."
MAXIMUM_STREAM = 1 << 30  # bytes of standard input or a pipe


class Page(NamedTuple):
    """A page of a picture file, and its readings.

    Parameters
    ----------
    name : str
        Name of the file, with ``#2`` and so on for further pages.
    readings : list of Reading
        The lines of the page.
    drawing : bytes, default=b""
        A PNG file of the page with the boxes of its lines, if requested.
    """

    name: str
    readings: list[Any]
    drawing: bytes = b""


class Source(NamedTuple):
    """A file or a stream to read.

    Parameters
    ----------
    name : str
        The name for output and messages.
    content : Path, bytes or None
        A file, or the content of a stream; None before a stream is read, or if there is a problem.
    problem : str, default=""
        An error message of one line.
    is_stream : bool, default=False
        Whether `load_stream` still has to read the content.
    """

    name: str
    content: Path | bytes | None
    problem: str = ""
    is_stream: bool = False


def read_pages(
    names: list[str], options: dict[str, Any], watch: Callable[[int, int], None] | None
) -> Iterator[Page | str]:
    """Read the pages of files, folders and streams, in the order of their names.

    ``joblib.parallel_config`` sets the number of processes or a cluster.

    Parameters
    ----------
    names : list of str
        As for `find_sources`.
    options : dict
        Further parameters of `read_source`.
    watch : callable or None
        Function that is called with the number of finished files and the number of all files.

    Yields
    ------
    Page or str
        A page, or an error message of one line.
    """
    sources = list(find_sources(names))
    reader = functools.partial(read_source, **options)
    found = map_in_processes(reader, map(load_stream, sources))
    for n_read, pages in enumerate(found, start=1):
        yield from pages
        if watch is not None:
            watch(n_read, len(sources))


def find_sources(names: list[str]) -> Iterator[Source]:
    """List the files, the files of folders, and the streams; streams are not read yet.

    Parameters
    ----------
    names : list of str
        Files, folders, named pipes, or ``"-"`` for standard input.

    Yields
    ------
    Source
        The sources, in the order of `names`; the files of a folder are sorted.
    """
    for name in names:
        path = Path(name)
        try:
            if name == "-" or (path.exists() and not path.is_file() and not path.is_dir()):
                yield Source(name, None, is_stream=True)
                continue
            files = _pictures_in(path) if path.is_dir() else [path]
        except (ValueError, OSError) as error:
            yield Source(name, None, _problem(name, error))
            continue
        if not files:
            yield Source(name, None, escape_controls(f"{name} contains no pictures."))
        yield from (Source(str(file), file) for file in files)


def load_stream(source: Source) -> Source:
    """Return a stream with its content or with a problem; return a file unchanged."""
    if not source.is_stream:
        return source
    try:
        return Source(source.name, _stream(source.name))
    except (ValueError, OSError) as error:
        return Source(source.name, None, _problem(source.name, error))


def read_source(
    source: Source,
    *,
    pattern: str | list[str] | None,
    model: Any,
    drawn: bool,
    reject_below: float,
) -> Iterator[Page | str]:
    """Read the pages of a file or stream, one after the other.

    Parameters
    ----------
    source : Source
        The file, or the stream after `load_stream`.
    pattern : str, list of str or None
        As for `skdigits.read`.
    model : estimator or None
        As for `skdigits.read`.
    drawn : bool
        Whether pages are drawn with the boxes of their lines.
    reject_below : float
        As for `draw_boxes`.

    Yields
    ------
    Page or str
        A page, or an error message of one line.
    """
    from skdigits import read
    from skdigits.pictures import open_pictures
    from skdigits.pictures.opening import page_name

    name, file = source.name, source.content
    if file is None:
        yield source.problem
        return
    if not isinstance(file, Path):
        file = io.BytesIO(file)
        file.name = name  # for error messages
    try:
        if isinstance(file, Path) and not file.exists():
            what = "a link to a file that does not exist." if file.is_symlink() else MISSING
            raise ValueError(f"{file}: {what}")
        for number, picture in enumerate(open_pictures(file)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # pictures with several digits
                found = read(picture, pattern=pattern, model=model)
            drawing = draw_boxes(picture, found, reject_below=reject_below) if drawn else b""
            yield Page(page_name(name, number), found, drawing)
    except Exception as error:  # any error is reported, and the other pictures are read
        yield _problem(name, error)


def _problem(name: str, error: Exception) -> str:
    """Return an error message of one line that begins with the name of the source or file."""
    text = message(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    is_named = text.startswith((f"{name}:", f"{name}#", f"{name} is "))
    return escape_controls(text if is_named else f"{name}: {text}")


def _pictures_in(folder: Path) -> list[Path]:
    """Return the files with the ending of a picture, and pictures whose name has no ending."""
    from skdigits.datasets.folders import files_in
    from skdigits.datasets.recognition import format_of
    from skdigits.pictures.opening import SUFFIXES

    def is_picture(file: Path) -> bool:
        if file.suffix or not file.is_file():
            return file.suffix.lower() in SUFFIXES or file.is_dir()  # an unreadable folder
        with contextlib.suppress(ValueError, OSError):
            return format_of(file) == "pictures"
        return False

    return [file for file in files_in(folder) if is_picture(file)]


def _stream(source: str) -> bytes:
    """Read standard input or a pipe completely, because Pillow needs a seekable file.

    A ValueError is raised if the stream is closed, empty or larger than `MAXIMUM_STREAM`.
    """
    if source == "-" and sys.stdin is None:
        raise ValueError("standard input is closed; expected a picture.")
    name = "standard input" if source == "-" else "the pipe"
    with contextlib.nullcontext(sys.stdin.buffer) if source == "-" else open(source, "rb") as file:
        content = file.read(MAXIMUM_STREAM + 1)
    if not content:
        raise ValueError(f"{name} is empty; expected a picture.")
    if len(content) > MAXIMUM_STREAM:
        raise ValueError(f"{name} has more than {MAXIMUM_STREAM >> 20} MB; expected a picture.")
    return content
