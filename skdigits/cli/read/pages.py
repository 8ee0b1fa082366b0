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
        The lines.
    drawing : bytes, default=b""
        A PNG file of the page with the boxes of its lines, if it is asked for.
    """

    name: str
    readings: list[Any]
    drawing: bytes = b""


class Source(NamedTuple):
    """What is read at once.

    Parameters
    ----------
    name : str
        Its name, as the user wrote it.
    content : Path, bytes or None
        A file, or the content of a stream; None if there is a problem, or a stream is not read yet.
    problem : str, default=""
        An error message of one line.
    is_stream : bool, default=False
        Whether `content` has to be read by `load_stream`.
    """

    name: str
    content: Path | bytes | None
    problem: str = ""
    is_stream: bool = False


def read_pages(
    names: list[str], options: dict[str, Any], watch: Callable[[int, int], None] | None
) -> Iterator[Page | str]:
    """Read the pages of files, folders and streams, in their order.

    ``joblib.parallel_config`` sets the number of processes or a cluster.

    Parameters
    ----------
    names : list of str
        As for `find_sources`.
    options : dict
        Further parameters of `read_source`.
    watch : callable or None
        Function that is called with the number of files that are read, and of all files.

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
    """Find the files of folders; streams are not read.

    Parameters
    ----------
    names : list of str
        Files, folders, named pipes, or ``"-"`` for standard input.

    Yields
    ------
    Source
        In the order of `names`; the files of a folder are sorted.
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
            yield Source(name, None, escape_controls(f"{name} holds no pictures."))
        yield from (Source(str(file), file) for file in files)


def load_stream(source: Source) -> Source:
    """Read the content of a stream.

    Parameters
    ----------
    source : Source
        Any source.

    Returns
    -------
    Source
        A source with the content of the stream, or with a problem; files are returned unchanged.
    """
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
        What to read.
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
                warnings.simplefilter("ignore", UserWarning)  # about pictures of several digits
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
    """Return files with the ending of a picture, and files without ending that are pictures."""
    from skdigits.datasets.folders import files_in
    from skdigits.datasets.recognition import format_of
    from skdigits.pictures.opening import SUFFIXES

    def is_picture(file: Path) -> bool:
        if file.suffix or not file.is_file():
            return file.suffix.lower() in SUFFIXES or file.is_dir()  # a folder that is not readable
        with contextlib.suppress(ValueError, OSError):
            return format_of(file) == "pictures"
        return False

    return [file for file in files_in(folder) if is_picture(file)]


def _stream(source: str) -> bytes:
    """Read standard input or a pipe completely, because Pillow must seek.

    Raises
    ------
    ValueError
        If it is closed, empty or larger than `MAXIMUM_STREAM`.
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
