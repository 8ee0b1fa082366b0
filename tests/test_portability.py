"""The source contains no code that is known to fail on Windows or macOS."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "skdigits").rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
# Functions of `os` and modules that exist on POSIX systems, but not on Windows.
POSIX_ONLY = {"fork", "forkpty", "getuid", "geteuid", "mkfifo", "killpg", "setsid", "uname"}
POSIX_MODULES = {"fcntl", "grp", "pwd", "resource", "termios", "pty", "tty"}
GUARDED = {"files.py": {"fcntl"}}  # imported only where it exists


def calls():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                function = node.func
                name = getattr(function, "attr", getattr(function, "id", ""))
                yield f"{path.relative_to(ROOT)}:{node.lineno}", name, node


def mode_of(node):
    """Return the mode of a call that may open a file, or '' if the call has no mode."""
    given = [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
    given += node.args[1:2]
    return given[0].value if given and isinstance(given[0], ast.Constant) else ""


def test_text_files_have_an_encoding():
    missing = []
    for place, name, node in calls():
        has_encoding = any(keyword.arg in ("encoding", None) for keyword in node.keywords)
        if name in ("read_text", "write_text") and not has_encoding:
            missing.append(place)
        builtin = name == "open" and isinstance(node.func, ast.Name)
        mode = mode_of(node) if builtin or name == "atomic_write" else "b"
        is_text = isinstance(mode, str) and "b" not in (mode or ("r" if builtin else "wb"))
        if is_text and not has_encoding:
            missing.append(place)
    assert missing == []


def test_no_file_is_renamed_onto_another():
    names = [(place, name) for place, name, _ in calls() if name in ("rename", "renames")]
    frames = [  # DataFrame.rename of pandas
        (place, name) for place, name, node in calls() if name == "rename" and node.keywords
    ]
    assert [found for found in names if found not in frames] == []  # os.replace is used


def test_nothing_that_only_posix_has():
    found = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in POSIX_ONLY:
                found.append(f"{path.name}:{node.lineno} {node.attr}")
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names} & POSIX_MODULES
                found += [
                    f"{path.name}:{node.lineno} {n}" for n in names - GUARDED.get(path.name, set())
                ]
    assert found == []


def test_no_path_is_put_together_or_taken_apart_as_text():
    joined = []
    for place, name, node in calls():
        texts = [
            a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
        if name in ("Path", "open", "load", "joinpath") and any(
            "/" in t or "\\" in t for t in texts
        ):
            joined.append(place)
    assert joined == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not in a repository")
def test_names_of_files_can_be_written_everywhere():
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = run.stdout.splitlines()
    bad = [
        n
        for n in names
        for part in n.split("/")
        if RESERVED.match(part) or re.search(r'[<>:"|?*\\]|[. ]$', part)
    ]
    assert bad == []
    assert len({name.lower() for name in names}) == len(names)
