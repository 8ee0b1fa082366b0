"""IDX files: the format in which MNIST, EMNIST and Fashion-MNIST are published.

They are arrays behind a header of 4 bytes and 4 more for each dimension; NumPy is all that reading
them needs.
"""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skdigits.datasets.bunch import Chunk, Samples
from skdigits.datasets.faults import reading
from skdigits.datasets.orientation import TURNED, check_upright, is_emnist, turn_upright
from skdigits.datasets.unpacking import existing, open_unpacked

if TYPE_CHECKING:
    from skdigits.typing import DataPath, FoundPath

UNSIGNED_BYTE = 8
ELEMENT_TYPES = (UNSIGNED_BYTE, 9, 11, 12, 13, 14)  # the third byte of every IDX file
PIECE = 1 << 20  # bytes read at once
IMAGE_FILE_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<subset>train|t10k|test)-images[-.]idx[13]-ubyte(\.gz)?"
)
SUBSETS = {"train": "train", "t10k": "test", "test": "test"}  # by their names in files


def load_idx(
    path: DataPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images and labels from IDX files, gzipped or not.

    Parameters
    ----------
    path : str or path-like
        Folder with files named like MNIST's (``train-images-idx3-ubyte.gz``,
        ``train-labels-idx1-ubyte.gz``, ``t10k-…``), or an image file; its label file is expected in
        the same folder. EMNIST's files have a prefix, ``emnist-``, and their images, which lie on
        their side, are turned upright. If a folder contains several collections, pass an image
        file.
    subset, as_frame, return_X_y
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As `load_data` returns it.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file is not an IDX file of bytes, is damaged, or images and labels differ in number.
    """
    return read_idx(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


class IdxFiles(NamedTuple):
    """A file of images, and its file of labels.

    Parameters
    ----------
    images : Path or zipfile.Path
        The images.
    labels : Path, zipfile.Path or None
        The labels; None without labels.
    """

    images: FoundPath
    labels: FoundPath | None

    def bunch(self, *, as_frame: bool = False, return_X_y: bool = False) -> Any:
        """Load all images, as `load_idx` does.

        Parameters
        ----------
        as_frame, return_X_y : bool, default=False
            As for `load_data`.
        """
        (chunk,) = self.chunks(sys.maxsize)
        labels = f" and {self.labels.name}" if self.labels else ""
        note = f"\n{TURNED}\n" if is_emnist(self.images) else ""
        samples = Samples(chunk.data, chunk.target, f"{self.images.name}{labels}", note)
        return samples.bunch(as_frame=as_frame, return_X_y=return_X_y)

    def chunks(self, chunk_size: int, lines: bool = False) -> Iterator[Chunk]:
        """Read the images in chunks, so that memory is bounded.

        Parameters
        ----------
        chunk_size : int
            Maximum number of images in a chunk.
        lines : bool, default=False
            Whether to return labels as strings of digits.

        Yields
        ------
        Chunk
            ``data`` of shape (n, height, width), uint8. A damaged part is an error when it is
            reached.
        """
        with _opened(self.images) as file:
            n, height, width = _read_shape(file, self.images, ndim=3)
        labels = self._read_labels()
        if labels is not None and len(labels) != n:
            raise ValueError(
                f"{self.images} holds {n} images and its file of labels holds {len(labels)} "
                "labels; expected as many labels as images."
            )
        with _opened(self.images) as file:
            _read_shape(file, self.images, ndim=3)
            for start in range(0, n, chunk_size):
                stop = min(start + chunk_size, n)
                images = _read_values(file, self.images, (stop - start, height, width), stop == n)
                target = None if labels is None else labels[start:stop]
                if is_emnist(self.images):
                    images = turn_upright(images)
                check_upright(images, None if start else target, self.images)
                yield Chunk(images, target if target is None or not lines else target.astype(str))

    def _read_labels(self) -> np.ndarray | None:
        if self.labels is None:
            return None
        with _opened(self.labels) as file:
            shape = _read_shape(file, self.labels, ndim=1)
            return _read_values(file, self.labels, shape, ends=True).astype(np.int64)


@contextlib.contextmanager
def _opened(path: FoundPath) -> Iterator[Any]:
    with reading(path, "the zip or gzip file is damaged or truncated"), open_unpacked(path) as file:
        yield file


def _read_shape(file: Any, path: FoundPath, ndim: int) -> tuple[int, ...]:
    magic = file.read(4)
    expected = bytes([0, 0, UNSIGNED_BYTE, ndim])
    if magic != expected:
        raise ValueError(
            f"{path}: the file starts with the bytes {magic.hex(' ') or '(none)'}; an IDX file "
            f"of bytes with {ndim} dimension{'s' * (ndim > 1)} starts with {expected.hex(' ')}."
        )
    header = file.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise ValueError(f"{path}: the file ends at byte {4 + len(header)}, inside its header.")
    shape = tuple(np.frombuffer(header, ">u4").tolist())
    if 0 in shape:
        raise ValueError(f"{path}: the file is empty; its header gives the shape {shape}.")
    return shape


def _read_values(file: Any, path: FoundPath, shape: tuple[int, ...], ends: bool) -> np.ndarray:
    """Read the next values; with `ends` they are the last values, and nothing may follow."""
    size = math.prod(shape)
    values = bytearray()
    # Read in parts, so that memory is not allocated for more values than the file contains.
    while len(values) < size and (piece := file.read(min(size - len(values), PIECE))):
        values += piece
    more = ends and file.read(1)
    if len(values) != size or more:
        raise ValueError(
            f"{path}: the header says that {size} {'' if ends else 'more '}values of shape {shape} "
            f"follow; the file holds {'more' if more else len(values)}."
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def find_idx(folder: FoundPath, subset: str) -> list[Any]:
    """List the image files of one subset in a folder; folders of such names are ignored.

    Parameters
    ----------
    folder : Path or zipfile.Path
        Folder to search.
    subset : {"train", "test"}
        The subset.

    Returns
    -------
    list of Path or zipfile.Path
        One file per collection; the unpacked file if there is a gzipped one, too.
    """
    files: Any = folder.iterdir()
    found: dict[str, Any] = {}
    for file in sorted(files, key=lambda file: len(file.name)):
        match = IMAGE_FILE_NAME.fullmatch(file.name)
        if match and SUBSETS[match["subset"]] == subset and file.is_file():
            found.setdefault(match["prefix"], file)
    return list(found.values())


def read_idx(path: DataPath, subset: str) -> IdxFiles:
    """Find the files of `load_idx`.

    Parameters
    ----------
    path, subset
        As for `load_idx`.
    """
    file: Any = existing(path, subset)
    if file.is_dir():
        found, name = find_idx(file, subset), "train" if subset == "train" else "t10k"
        if not found:
            raise FileNotFoundError(
                f"{path} holds no file of {subset} images such as {name}-images-idx3-ubyte.gz."
            )
        if len(found) > 1:
            names = ", ".join(sorted(other.name for other in found)[:2])
            raise ValueError(
                f"{path} holds several collections; pass one of the files: {names}, …."
            )
        file = found[0]
    name = file.name.replace("-images", "-labels").replace("idx3", "idx1")
    plain = name.removesuffix(".gz")
    others = [file.parent / other for other in (name, plain, f"{plain}.gz") if other != file.name]
    labels = next((other for other in others if other.is_file()), None)
    if labels is None and subset == "train":
        raise FileNotFoundError(
            f"{file}: there is no file of labels in the same folder; expected {name}."
        )
    return IdxFiles(file, labels)
