"""The zip file: a document, arrays and networks; sizes are checked before anything is unpacked."""

from __future__ import annotations

import json
import math
import re
import sys
import zipfile
from typing import IO, Any

import numpy as np

DOCUMENT, NETWORK = "estimator.json", "network.onnx"
DOCUMENT_BYTES = 2**20
ARRAY_DTYPE = re.compile(r"\|[biu]1|[<>][iuf][248]|[<>]U\d{1,6}")
SLACK_BYTES = 2**24  # that a file may be larger than twice its packed size when it is unpacked


def write(
    file: IO[bytes], document: dict[str, Any], arrays: list[np.ndarray], networks: list[bytes]
) -> None:
    """Write an archive.

    Parameters
    ----------
    file : file object
        A binary file.
    document : dict
        JSON.
    arrays : list of ndarray
        The arrays.
    networks : list of bytes
        ONNX models.

    Raises
    ------
    ValueError
        If the document is larger than `load` would read.
    """
    text = json.dumps(document)
    if len(text) > DOCUMENT_BYTES:
        raise ValueError(
            f"The estimator needs {len(text):,} bytes besides its weights, and a file can hold "
            f"{DOCUMENT_BYTES:,}. Keep fewer epochs (keep_epochs), or pickle it."
        )
    entries: list[tuple[str, str | bytes]] = [(DOCUMENT, text)]
    entries += [(f"array-{i}", array.tobytes()) for i, array in enumerate(arrays)]
    entries += [(network_name(i), content) for i, content in enumerate(networks)]
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries:
            # With a fixed date, so that equal estimators give equal files. Without compression,
            # which saves little of weights, so that no honest file grows when it is unpacked.
            archive.writestr(zipfile.ZipInfo(name), content)


def network_name(i: int) -> str:
    """Name of the entry of an ONNX model.

    Parameters
    ----------
    i : int
        Its number.

    Returns
    -------
    str
        The name.
    """
    return NETWORK if i == 0 else f"network-{i}.onnx"


class Archive:
    """An archive that is read.

    Parameters
    ----------
    file : zipfile.ZipFile
        The zip file.
    n_bytes : int
        Its size.

    Attributes
    ----------
    document : dict
        The JSON.

    Raises
    ------
    ValueError
        If its directory has equal names, or much larger sizes than the file.
    """

    def __init__(self, file: zipfile.ZipFile, n_bytes: int) -> None:
        self._file = file
        entries = file.infolist()
        self._sizes = {entry.filename: entry.file_size for entry in entries}
        if len(self._sizes) < len(entries):
            raise ValueError("it has two entries of one name")
        if {entry.compress_type for entry in entries} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError("it is compressed in an unknown way")
        if sum(self._sizes.values()) > 2 * n_bytes + SLACK_BYTES:
            raise ValueError(
                f"it would be {sum(self._sizes.values()):,} bytes when unpacked, from {n_bytes:,}"
            )
        self._unread = set(self._sizes)
        self.document = json.loads(self._read(DOCUMENT, DOCUMENT_BYTES))

    def _read(self, name: str, limit: int) -> bytes:
        if name not in self._sizes:
            raise ValueError(f"it has no entry {name}")
        if self._sizes[name] > limit:
            raise ValueError(f"{name} has {self._sizes[name]:,} bytes instead of {limit:,}")
        if name not in self._unread:
            raise ValueError(f"{name} is used twice")
        self._unread.remove(name)
        return self._file.read(name)

    def array(self, number: Any, dtype: Any, shape: Any) -> np.ndarray:
        """Read an array.

        Parameters
        ----------
        number : int
            Its number.
        dtype : str
            Type of numbers or strings, as ``numpy.dtype.str`` describes it.
        shape : list of int
            Shape.

        Returns
        -------
        ndarray
            The array.

        Raises
        ------
        ValueError
            If it is not described so, or the entry has another size or holds no such values.
        """
        if (
            type(number) is not int
            or not isinstance(dtype, str)
            or not ARRAY_DTYPE.fullmatch(dtype)
        ):
            raise ValueError(
                f"it has an array of type {str(dtype)[:50]!r}, with the number {str(number)[:50]}"
            )
        if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"it has an array of shape {str(shape)[:50]}")
        kind, name = np.dtype(dtype), f"array-{number}"
        n_bytes = math.prod(shape) * kind.itemsize
        content = self._read(name, n_bytes)
        if len(content) != n_bytes:
            raise ValueError(f"{name} has {len(content):,} bytes instead of {n_bytes:,}")
        array = np.frombuffer(bytearray(content), kind).reshape(shape)
        if kind.kind == "U":
            characters = np.frombuffer(content, f"{dtype[0]}u4")
            if characters.max(initial=0) > sys.maxunicode:
                raise ValueError(f"{name} has a character that does not exist")
        elif kind.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
            raise ValueError(f"{name} has other values than True and False")
        return array

    def network(self, i: int, limit: int) -> bytes:
        """Read an ONNX model.

        Parameters
        ----------
        i : int
            Its number.
        limit : int
            Maximum size in bytes.

        Returns
        -------
        bytes
            The model.
        """
        return self._read(network_name(i), limit)

    def check_complete(self) -> None:
        """Raise a ValueError if there are entries that nothing refers to."""
        if self._unread:
            raise ValueError(f"it has an entry {min(self._unread)[:50]!r} that belongs to nothing")
