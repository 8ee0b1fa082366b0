"""The command line."""

from skdigits.cli.commands import main

__all__ = ["main"]
