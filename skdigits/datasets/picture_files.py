"""Picture files of digits or of lines: PNG, JPEG and whatever else Pillow reads."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skdigits.datasets.bunch import Chunk, check_subset, make_bunch, pixel_names
from skdigits.datasets.picture_labels import LABELS, Page, find_labels
from skdigits.pictures import clean_line, open_pictures
from skdigits.pictures.cleaning import clean_digit
from skdigits.pictures.opening import SUFFIXES

DESCR = """Images from picture files

{folder}: {n} pictures, each cleaned to {side}×{side} pixels in MNIST's style, {labels}.
"""
SIDE = 28
LOADED_AT_ONCE = 256  # pictures, before an error is raised for one of them
SHOWN = 3  # names of files in a message


class NoPicturesError(FileNotFoundError):
    """There is no picture in a folder."""


def load_pictures(path, *, subset="train", as_frame=False, return_X_y=False):
    """Load picture files of single digits, cleaned to MNIST's style.

    =================   ==============
    Features                       784
    Values                integers 0–255
    Source              a folder of the user
    =================   ==============

    Parameters
    ----------
    path : str or path-like
        A folder of pictures or one picture; for pictures with labels, a folder with one
        subfolder per label, named after the label, or with a file ``labels.csv``, whose columns
        ImageId and Label are the name and the label of each picture, as ``skdigits predict`` writes
        them; the second page of ``scan.tif`` is ``scan.tif#2``. The delimiter is a comma, a
        semicolon or a tab. A picture with an empty label there is left out, with a warning.
    subset : {"train", "test"}, default="train"
        Which pictures to load; only ``"train"`` requires labels.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, 784), uint8; ``target`` of shape (n,), integers if all names of
        subfolders are integers, else strings, or None without labels; ``images`` of shape
        (n, 28, 28); ``filenames``, sorted, with ``#2`` and so on for further pages of a file;
        ``feature_names``, ``target_names``, ``frame``, ``DESCR``. A picture without ink gives
        zeros.

    See Also
    --------
    skdigits.pictures.clean_picture : How each picture is cleaned.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or it contains no picture.
    ValueError
        If a file is not a picture, or if labels are required and missing or in doubt.
    ImportError
        If there is a HEIC file and pillow-heif is not installed.

    Warns
    -----
    UserWarning
        If pictures show several digits; if a label in ``labels.csv`` is empty, has a blank in it,
        or is that of a picture that is not there; if ``labels.csv`` is not used for ``"test"``,
        because a label is missing or in doubt.
    """
    chunks = []
    for chunk in iter_pictures(path, subset=subset, chunk_size=LOADED_AT_ONCE):
        if chunk.problems:
            raise ValueError(chunk.problems[0])
        chunks.append(chunk)
    data = np.concatenate([chunk.data for chunk in chunks])
    names = np.concatenate([chunk.names for chunk in chunks])
    target = None if chunks[0].target is None else np.concatenate([c.target for c in chunks])
    result = make_bunch(
        data,
        target,
        image_shape=(SIDE, SIDE),
        feature_names=pixel_names(SIDE * SIDE),
        descr=DESCR.format(
            folder=path,
            n=len(data),
            side=SIDE,
            labels="without labels" if target is None else _labelled_by(Path(path)),
        ),
        as_frame=as_frame,
        return_X_y=return_X_y,
    )
    if not return_X_y:
        folder = _folder_of(Path(path))
        result.filenames = [str(folder / name) for name in names]
    return result


def load_lines(path):
    """Load picture files of lines of digits with their labels.

    Parameters
    ----------
    path : str or path-like
        A folder of pictures, with labels as for `load_pictures`.

    Returns
    -------
    images : list of ndarray of shape (28, width), uint8
        Each line, cleaned by `skdigits.pictures.clean_line`.
    labels : ndarray of shape (n,), str
        Their digits.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `load_pictures`.
    """
    images: list[Any] = []
    labels: list[Any] = []
    for chunk in iter_pictures(path, lines=True, chunk_size=LOADED_AT_ONCE):
        if chunk.problems:
            raise ValueError(chunk.problems[0])
        images += chunk.data
        labels.append(chunk.target)
    return images, np.concatenate(labels)


def iter_pictures(path, *, subset="train", chunk_size=8192, lines=False) -> Iterator[Chunk]:
    """Read the pictures of `load_pictures` in chunks, so that memory is bounded.

    Parameters
    ----------
    path : str or path-like
        A folder, or one picture.
    subset : {"train", "test"}, default="train"
        Which pictures to load; only ``"train"`` requires labels.
    chunk_size : int, default=8192
        Maximum number of pictures in a chunk.
    lines : bool, default=False
        Whether a picture shows a line of digits; labels are then strings.

    Returns
    -------
    iterator of Chunk
        ``data`` of shape (n, 784), uint8, or for lines a list of ndarray of shape (28, width);
        ``target`` of shape (n,) or None; ``names`` of shape (n,), paths relative to `path` with
        ``/`` between folders, and with ``#2`` and so on for further pages of a file; ``problems``,
        what is wrong with the pictures that cannot be read, whose images are zeros.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or it contains no picture; raised at once.
    ValueError
        If labels are required and missing or in doubt; raised at once.

    Warns
    -----
    UserWarning
        As for `load_pictures`; of several digits only if `lines` is False.
    """
    path = Path(path)
    check_subset(subset)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    files = find_pictures(path)
    if not files:
        raise NoPicturesError(f"{path} holds no pictures ({', '.join(sorted(SUFFIXES))}).")
    labels = find_labels(path, files, subset, lines=lines)
    if labels is not None:
        files = labels.of(files, path)
    return _read_chunks(files, labels, _folder_of(path), chunk_size, lines)


def _read_chunks(files, labels, folder, chunk_size, lines):
    pages = _Pages([], [], [], [], [])
    for file in files:
        pages.add(file, folder, labels, lines)
        if len(pages.images) >= chunk_size:
            yield pages.chunk(labels, lines)
            pages = _Pages([], [], [], [], [])
    if pages.images:
        yield pages.chunk(labels, lines)


class _Pages(NamedTuple):
    """Pages of picture files that make a chunk."""

    images: list
    positions: list  # of their labels
    names: list
    problems: list
    crowded: list  # names of pictures of several digits

    def add(self, file, folder, labels, lines):
        """Clean the pages of a file; a picture that cannot be read has an image of zeros."""
        page = Page(file.relative_to(folder).as_posix(), 0)
        try:
            for picture in open_pictures(file):
                if labels is None or page not in labels.left_out:
                    position = 0 if labels is None else labels.position(page)
                    if position is None:
                        raise ValueError(f"{file}: {page.name} has no label.")
                    self._append(self._clean(picture, page.name, lines), page, position)
                page = page._replace(number=page.number + 1)
        except (ValueError, OSError, ImportError) as error:
            self.problems.append(str(error))
            position = None if labels is None else labels.position(page)
            self._append(np.zeros((SIDE, SIDE), np.uint8), page, position or 0)

    def _append(self, image, page, position):
        self.images.append(image)
        self.positions.append(position)
        self.names.append(page.name)

    def _clean(self, picture, name, lines):
        if lines:
            return clean_line(picture, height=SIDE)
        image, n_digits = clean_digit(picture, side=SIDE)
        if n_digits > 1:
            self.crowded.append(name)
        return image

    def chunk(self, labels, lines):
        """The chunk of these pages."""
        if self.crowded:
            shown = ", ".join(self.crowded[:SHOWN]) + ", …" * (len(self.crowded) > SHOWN)
            warnings.warn(
                f"{len(self.crowded)} of {len(self.images)} pictures show several digits "
                f"({shown[:120]}); only the largest digit of each is read. "
                "A model trained with --sequences reads all of them.",
                UserWarning,
                stacklevel=2,
            )
        data = self.images if lines else np.stack(self.images).reshape(len(self.images), -1)
        target = None if labels is None else labels.target[self.positions]
        return Chunk(data, target, np.array(self.names), tuple(self.problems))


def _labelled_by(path):
    return f"labelled by {LABELS}" if (path / LABELS).is_file() else "labelled by folder"


def _folder_of(path):
    return path if path.is_dir() else path.parent


def find_pictures(path) -> list[Path]:
    """List picture files in a folder and its subfolders.

    Parameters
    ----------
    path : Path
        A folder, or one file.

    Returns
    -------
    list of Path
        The files in natural order (2 before 10), without hidden files and folders.
    """
    if path.is_file():
        return [path]
    found = [
        file
        for pattern in ("[!.]*", "[!.]*/[!.]*")
        for file in path.glob(pattern)
        if file.suffix.lower() in SUFFIXES and file.is_file()
    ]
    return sorted(found, key=lambda file: [_natural(n) for n in file.relative_to(path).parts])


def _natural(name):
    """Key for the natural order of names: numbers in them are compared as numbers."""
    parts = re.split(r"(\d+)", name)
    return [(n.isdecimal(), int(n) if n.isdecimal() else n) for n in parts], name
