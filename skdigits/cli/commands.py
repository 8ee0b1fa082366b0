"""The command ``skdigits``: a new subcommand needs its own module and an entry in the loop here."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
import typer.core

import skdigits
from skdigits.cli.compare import compare
from skdigits.cli.console import (
    accept_any_character,
    console,
    end_at_signals,
    print_error,
    short_warnings,
)
from skdigits.cli.export import export
from skdigits.cli.inspect import inspect
from skdigits.cli.predict import predict
from skdigits.cli.read import read
from skdigits.cli.search import search
from skdigits.cli.train import train

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: wrapped paragraphs, no frames
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Read digits in pictures; train and use convolutional classifiers for digits.",
)


class PlainCommand(typer.core.TyperCommand):
    """A command whose help omits the backslashes that some Typer versions put before brackets."""

    def get_help(self, ctx: Any) -> str:
        """Return the text of the help."""
        return super().get_help(ctx).replace("\\[", "[")


for command in (inspect, train, search, compare, predict, read, export):
    app.command(cls=PlainCommand)(command)


def main(argv: list[str] | None = None) -> None:
    """Run the command ``skdigits``.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; None means ``sys.argv[1:]``.

    Raises
    ------
    SystemExit
        With status 0 after success, 1 if a picture could not be read or drawn, 2 after any other
        reported error, 130 after Ctrl-C, and 143 after SIGTERM.
    """
    accept_any_character()
    try:
        with short_warnings(), end_at_signals():
            app(args=argv, prog_name="skdigits")
    except (ValueError, TypeError, OSError, ImportError) as error:
        print_error(error)
        sys.exit(2)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(skdigits.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Parse the options that precede a command."""
