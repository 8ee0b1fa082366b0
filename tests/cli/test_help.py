"""What the help of the commands looks like, in a terminal of 80 columns and in a pipe."""

import fnmatch
import inspect
import itertools
from pathlib import Path

import pytest

from skdigits.cli import commands

COMMANDS = ("inspect", "train", "search", "compare", "predict", "read", "export")
WIDTH = 78


@pytest.fixture
def show(run, capsys, monkeypatch):
    """The help of a command, or of all."""
    monkeypatch.setenv("COLUMNS", "80")

    def show(*arguments):
        assert run(*arguments) == 0
        return capsys.readouterr().out

    return show


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_is_plain_text(show, command):
    shown = show(*command, "-h")
    assert shown == show(*command, "--help")
    assert shown.isascii()
    assert "\\" not in shown
    assert "<bool>" not in shown
    assert max(map(len, shown.splitlines())) <= WIDTH


@pytest.mark.parametrize("command", COMMANDS)
def test_paragraphs_of_help_are_filled(show, command):
    description = show(command, "--help").split("Arguments:")[0].splitlines()[2:]
    for line, after in itertools.pairwise(description):
        if line and after:
            assert len(f"{line} {after.split()[0]}") > WIDTH


def test_the_list_of_commands_cuts_no_sentence(show):
    listed = show("--help").split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert not [line for line in listed if line.endswith("...")]


def test_default_outputs_are_ignored_by_git():
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().split()
    for name in COMMANDS:
        output = inspect.signature(getattr(commands, name)).parameters.get("output")
        if output is not None:
            name = str(output.default)
            assert any(fnmatch.fnmatch(name, line.rstrip("/")) for line in ignored), name
