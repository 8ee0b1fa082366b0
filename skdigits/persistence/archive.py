"""Zip files with a JSON document, arrays and networks; sizes are checked before unpacking."""

from __future__ import annotations

import json
import math
import re
import sys
import zipfile
from typing import IO, Any

import numpy as np

DOCUMENT, NETWORK = "estimator.json", "network.onnx"
DOCUMENT_BYTES = 2**20  # maximum size of the JSON document
ARRAY_DTYPE = re.compile(r"\|[biu]1|[<>][iuf][248]|[<>]U\d{1,6}")
SLACK_BYTES = 2**24  # by which the unpacked size of a file can exceed twice its packed size


def write(
    file: IO[bytes], document: dict[str, Any], arrays: list[np.ndarray], networks: list[bytes]
) -> None:
    """Write an archive.

    Parameters
    ----------
    file : file object
        A binary file.
    document : dict
        The content of the JSON document.
    arrays : list of ndarray
        The arrays.
    networks : list of bytes
        ONNX models.

    Raises
    ------
    ValueError
        If the document is larger than `load` accepts.
    """
    text = json.dumps(document)
    if len(text) > DOCUMENT_BYTES:
        raise ValueError(
            f"Besides its weights, the estimator needs {len(text):,} bytes; expected at most "
            f"{DOCUMENT_BYTES:,}. Keep fewer epochs (keep_epochs), or use pickle."
        )
    entries: list[tuple[str, str | bytes]] = [(DOCUMENT, text)]
    entries += [(f"array-{i}", array.tobytes()) for i, array in enumerate(arrays)]
    entries += [(network_name(i), content) for i, content in enumerate(networks)]
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries:
            # `ZipInfo` has a fixed date, so that equal estimators give equal files. Entries are not
            # compressed: weights hardly shrink, and the size check of `Archive` can be strict.
            archive.writestr(zipfile.ZipInfo(name), content)


def network_name(i: int) -> str:
    """Return the name of the entry with the ONNX model number `i`."""
    return NETWORK if i == 0 else f"network-{i}.onnx"


class Archive:
    """An archive to read.

    Parameters
    ----------
    file : zipfile.ZipFile
        The zip file.
    n_bytes : int
        Size of the file.

    Attributes
    ----------
    document : dict
        The content of the JSON document.

    Raises
    ------
    ValueError
        If two entries have the same name, an entry is compressed by an unsupported method, or the
        unpacked size is more than twice the size of the file plus 16 MiB.
    """

    def __init__(self, file: zipfile.ZipFile, n_bytes: int) -> None:
        self._file = file
        entries = file.infolist()
        self._sizes = {entry.filename: entry.file_size for entry in entries}
        if len(self._sizes) < len(entries):
            raise ValueError("two of its entries have the same name")
        if {entry.compress_type for entry in entries} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise ValueError("its compression method is not supported")
        if (total := sum(self._sizes.values())) > (most := 2 * n_bytes + SLACK_BYTES):
            raise ValueError(
                f"it has {n_bytes:,} bytes and would unpack to {total:,}; expected at most {most:,}"
            )
        self._unread = set(self._sizes)
        self.document = json.loads(self._read(DOCUMENT, DOCUMENT_BYTES))

    def _read(self, name: str, limit: int) -> bytes:
        if name not in self._sizes:
            raise ValueError(f"it has no entry {name}")
        if self._sizes[name] > limit:
            raise ValueError(f"{name} has {self._sizes[name]:,} bytes; expected at most {limit:,}")
        if name not in self._unread:
            raise ValueError(f"{name} is used twice")
        self._unread.remove(name)
        return self._file.read(name)

    def array(self, number: Any, dtype: Any, shape: Any) -> np.ndarray:
        """Read an array.

        Parameters
        ----------
        number : int
            Number of the array.
        dtype : str
            Dtype of numbers or strings, in the form of ``numpy.dtype.str``.
        shape : list of int
            Shape of the array.

        Returns
        -------
        ndarray
            The array.

        Raises
        ------
        ValueError
            If an argument is not valid, or the entry does not match dtype and shape.
        """
        if (
            type(number) is not int
            or not isinstance(dtype, str)
            or not ARRAY_DTYPE.fullmatch(dtype)
        ):
            raise ValueError(
                f"its array {str(number)[:50]} has the invalid type {str(dtype)[:50]!r}"
            )
        if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"an array has the invalid shape {str(shape)[:50]}")
        kind, name = np.dtype(dtype), f"array-{number}"
        n_bytes = math.prod(shape) * kind.itemsize
        content = self._read(name, n_bytes)
        if len(content) != n_bytes:
            raise ValueError(f"{name} has {len(content):,} bytes instead of {n_bytes:,}")
        array = np.frombuffer(bytearray(content), kind).reshape(shape)
        if kind.kind == "U":
            characters = np.frombuffer(content, f"{dtype[0]}u4")
            if characters.max(initial=0) > sys.maxunicode:
                raise ValueError(f"{name} has an invalid character")
        elif kind.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
            raise ValueError(f"{name} has values other than True and False")
        return array

    def network(self, i: int, limit: int) -> bytes:
        """Read an ONNX model.

        Parameters
        ----------
        i : int
            Number of the model.
        limit : int
            Maximum size in bytes.

        Returns
        -------
        bytes
            The model.
        """
        return self._read(network_name(i), limit)

    def check_complete(self) -> None:
        """Raise a ValueError if there are entries that were not read."""
        if self._unread:
            raise ValueError(f"its entry {min(self._unread)[:50]!r} is not used")
