"""Console output of commands, and signal handling."""

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
PLAIN: dict[str, Any] = {"box": None, "pad_edge": False}  # options of a Rich table
CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")


def print_line(text: str, style: str | None = None) -> None:
    """Print a line without markup and without wrapping.

    `style` is a style of Rich, such as ``"bold"``; it has an effect only on a terminal.
    """
    console.print(text, style=style, markup=False, soft_wrap=True)


def print_error(text: object) -> None:
    """Print an exception, or the text of an error message, to standard error on one line."""
    errors = Console(stderr=True, highlight=False)
    text = escape_controls(message(text))
    errors.print(f"skdigits: {text}", style="red", markup=False, soft_wrap=True)


def message(error: object) -> str:
    """Return the message of an exception; text is returned unchanged.

    The message of a file error is the name of the file and the reason. For a missing package, the
    message says how to install it.
    """
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, ModuleNotFoundError) and error.name:  # raised by an import statement
        return how_to_install(error.name.partition(".")[0])
    return str(error)


def escape_controls(text: str) -> str:
    """Escape line breaks, tabs and other control characters, which file names may contain."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def accept_any_character() -> None:
    """Escape characters that the console cannot print, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def short_warnings() -> Iterator[None]:
    """Print each warning once, on one line, without the name and line of the source file."""
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
    """Raise SystemExit at Ctrl-C and SIGTERM, so that temporary files are removed."""
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
