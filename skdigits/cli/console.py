"""What commands print: lines, errors and warnings; and how signals end them."""

from __future__ import annotations

import contextlib
import io
import re
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from skdigits.cli.packages import how_to_install

console = Console(highlight=False)
PLAIN: dict[str, Any] = {"box": None, "pad_edge": False}  # of Rich's tables
CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")


def print_line(text: str, style: str | None = None) -> None:
    """Print a line without markup and without wrapping.

    Parameters
    ----------
    text : str
        The line.
    style : str, default=None
        A style of Rich, such as ``"bold"``, for a terminal.
    """
    console.print(text, style=style, markup=False, soft_wrap=True)


def print_error(text: object) -> None:
    """Print a line about something that went wrong to standard error.

    Parameters
    ----------
    text : object
        The line, or an exception.
    """
    errors = Console(stderr=True, highlight=False)
    text = escape_controls(message(text))
    errors.print(f"skdigits: {text}", style="red", markup=False, soft_wrap=True)


def message(error: object) -> str:
    """What a user reads of an error: of a missing file or package, its name and the reason.

    Parameters
    ----------
    error : object
        An exception, or its text.

    Returns
    -------
    str
        The text.
    """
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, ModuleNotFoundError) and error.name:  # raised by Python, not by us
        return how_to_install(error.name.partition(".")[0])
    return str(error)


def escape_controls(text: str) -> str:
    """Write line breaks, tabs and other control characters as escapes, so that a line stays one.

    Parameters
    ----------
    text : str
        Text with the name of a file, which may hold any character.

    Returns
    -------
    str
        The text; all other characters are kept.
    """
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def accept_any_character() -> None:
    """Let characters that the console does not have be printed as escapes, so that no run ends."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def short_warnings() -> Iterator[None]:
    """Print warnings as one line each, without the place in the code, and each once."""
    shown = set()

    def show(message: Any, category: Any, *_: Any, **__: Any) -> None:
        if str(message) not in shown:
            shown.add(str(message))
            errors = Console(stderr=True, highlight=False)
            text = f"skdigits: {escape_controls(str(message))}"
            errors.print(text, style="yellow", markup=False, soft_wrap=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextlib.contextmanager
def end_at_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process as an error does: files are whole or not there."""
    words: dict[int, str] = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}

    def end(number: int, frame: object) -> None:
        print_error(f"{words[number]}.")
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in words}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
