"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


class replacing:
    """Context manager for a file that appears whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file to write.
    mode : str, default="wb"
        Mode of the temporary file that is yielded.
    **options
        Further arguments for opening it.
    """

    def __init__(self, path, mode="wb", **options):
        self.path = Path(path)
        self.mode = mode
        self.options = options

    def __enter__(self):
        folder = self.path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: there is no such folder to write into.")
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder; expected the name of a file.")
        self.unfinished = folder / f".{self.path.name}.{secrets.token_hex(4)}"
        self.file = open(self.unfinished, self.mode.replace("w", "x"), **self.options)
        return self.file

    def __exit__(self, kind, error, trace):
        try:
            self.file.close()
            if kind is None:
                os.replace(self.unfinished, self.path)
        finally:
            self.unfinished.unlink(missing_ok=True)
