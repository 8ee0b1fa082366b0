"""The files of a folder and its subfolders."""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path
from typing import Any


def files_in(folder: Path, *, levels: int | None = None) -> list[Path]:
    """List the files of a folder and its subfolders in natural order, without hidden files.

    `levels` limits the depth: 1 lists only `folder` itself, None lists all subfolders. A folder is
    listed once, even if links lead to it. Broken links and unreadable subfolders are listed too, so
    that the caller can report them.
    """
    top, seen = Path(os.path.realpath(folder)), set()
    files: list[Path] = []
    folders, links = deque([(folder, 1)]), deque[tuple[Path, int]]()
    while folders or links:  # links come last, so that folders keep their real names
        inner, level = folders.popleft() if folders else links.popleft()
        real = Path(os.path.realpath(inner))
        if real in seen or real in top.parents:
            continue
        seen.add(real)
        try:
            found = [inner / name for name in os.listdir(inner) if not name.startswith(".")]
        except OSError:
            if inner == folder:
                raise
            files.append(inner)
            continue
        for path in found:
            if not path.is_dir():
                if path.is_file() or path.is_symlink():
                    files.append(path)
            elif levels is None or level < levels:
                (links if path.is_symlink() else folders).append((path, level + 1))
    return sorted(files, key=lambda file: [_natural(n) for n in file.relative_to(folder).parts])


def _natural(name: str) -> Any:
    """Return a sort key for the natural order of names, in which numbers are sorted by value."""
    parts = re.split(r"(\d+)", name)
    return [(n.isdecimal(), int(n) if n.isdecimal() else n) for n in parts], name
