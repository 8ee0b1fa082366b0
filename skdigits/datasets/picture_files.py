"""Picture files of digits or of lines: PNG, JPEG and whatever else Pillow reads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skdigits.datasets.bunch import Chunk, Problem, check_subset, make_bunch, pixel_names
from skdigits.datasets.folders import files_in
from skdigits.datasets.picture_labels import LABELS, Page, find_labels
from skdigits.pictures import find_lines, open_pictures
from skdigits.pictures.cleaning import clean_and_count
from skdigits.pictures.opening import SUFFIXES

if TYPE_CHECKING:
    from PIL import Image

    from skdigits.datasets.picture_labels import PictureLabels
    from skdigits.typing import FoundPath, StrPath

DESCR = """Images from picture files

{folder}: {n} pictures, each cleaned to {side}×{side} pixels in MNIST's style, {labels}.
"""
SIDE = 28
LOADED_AT_ONCE = 256  # pictures, before an error is raised for one of them
SHOWN = 3  # names of files in a message
ADVICE = {
    "digit": ("digit", "A model trained with --sequences reads all of them."),
    "line": ("line", "`skdigits read` reads all of them."),
}  # where a picture shows several of them


class NoPicturesError(FileNotFoundError):
    """There is no picture in a folder."""


def load_pictures(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
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
            raise ValueError(chunk.problems[0].text)
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


def load_lines(path: StrPath) -> tuple[list[np.ndarray], np.ndarray]:
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
            raise ValueError(chunk.problems[0].text)
        images += chunk.data
        labels.append(chunk.target)
    return images, np.concatenate(labels)


class Cleaning(NamedTuple):
    """How pictures are converted to images; the parameters of a PictureCleaner.

    Parameters
    ----------
    output : {"digit", "line"}
        What the pictures show.
    height : int, default=28
        Height of the images in pixels; of digits also their width.
    """

    output: str
    height: int = SIDE


def iter_pictures(
    path: StrPath,
    *,
    subset: str = "train",
    chunk_size: int = 8192,
    lines: bool = False,
    cleaning: Cleaning | None = None,
) -> Iterator[Chunk]:
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
    cleaning : Cleaning, default=None
        How pictures are cleaned; None is ``Cleaning("line" if lines else "digit")``.

    Returns
    -------
    iterator of Chunk
        ``data`` of shape (n, 784), uint8, or for lines a list of ndarray of shape (28, width);
        ``target`` of shape (n,) or None; ``names`` of shape (n,), paths relative to `path` with
        ``/`` between folders, and with ``#2`` and so on for further pages of a file; ``problems``,
        what is wrong with the pictures that cannot be read, whose images are zeros; ``pages``.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or it contains no picture; raised at once.
    ValueError
        If labels are required and missing or in doubt; raised at once.

    Warns
    -----
    UserWarning
        As for `load_pictures`; with `lines`, if pictures show several lines.
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
    cleaning = cleaning or Cleaning("line" if lines else "digit")
    return _read_chunks(files, labels, _folder_of(path), chunk_size, cleaning)


def _read_chunks(
    files: list[Path], labels: Any, folder: Path, chunk_size: int, cleaning: Any
) -> Iterator[Chunk]:
    pages = _Pages([], [], [], [], [], [])
    for file in files:
        pages.add(file, folder, labels, cleaning)
        if len(pages.images) >= chunk_size:
            yield pages.chunk(labels, cleaning)
            pages = _Pages([], [], [], [], [], [])
    if pages.images:
        yield pages.chunk(labels, cleaning)


class _Pages(NamedTuple):
    """Pages of picture files that make a chunk."""

    images: list[Any]
    positions: list[Any]  # of their labels
    names: list[Any]
    problems: list[Any]
    crowded: list[Any]  # names of pictures of several digits, or lines
    blank: list[Any]  # names of pictures in which no digit is found, but lines of them

    def add(
        self, file: Path, folder: Path, labels: PictureLabels | None, cleaning: Cleaning
    ) -> None:
        """Clean the pages of a file; a picture that cannot be read has an image of zeros."""
        page = Page(file.relative_to(folder).as_posix(), 0)
        try:
            for picture in open_pictures(file):
                if labels is None or page not in labels.left_out:
                    position = 0 if labels is None else labels.position(page)
                    if position is None:
                        raise ValueError(f"{file}: {page.name} has no label.")
                    image = self._clean(picture, page.name, cleaning)
                    self._append(image, page, position)
                page = page._replace(number=page.number + 1)
        except Exception as error:  # whatever it is, it costs one picture and not the others
            self.problems.append(Problem(page.name, _reason(file, error)))
            position = None if labels is None else labels.position(page)
            image = np.zeros((cleaning.height, cleaning.height), np.uint8)
            self._append(image, page, position or 0)

    def _append(self, image: np.ndarray, page: Page, position: int) -> None:
        self.images.append(image)
        self.positions.append(position)
        self.names.append(page.name)

    def _clean(self, picture: Image.Image, name: str, cleaning: Cleaning) -> np.ndarray:
        image, n = clean_and_count(picture, cleaning.output, cleaning.height)
        if n > 1:
            self.crowded.append(name)
        if not image.any() and len(find_lines(picture)):
            self.blank.append(name)
        return image

    def chunk(self, labels: PictureLabels | None, cleaning: Cleaning) -> Chunk:
        """The chunk of these pages."""
        if self.crowded:
            shown = ", ".join(self.crowded[:SHOWN]) + ", …" * (len(self.crowded) > SHOWN)
            kind, advice = ADVICE[cleaning.output]
            warnings.warn(
                f"{len(self.crowded)} of {len(self.images)} pictures show several {kind}s "
                f"({shown[:120]}); only the largest {kind} of each is read. {advice}",
                UserWarning,
                stacklevel=2,
            )
        is_digit, n = cleaning.output == "digit", len(self.images)
        data = np.stack(self.images).reshape(n, -1) if is_digit else self.images
        target = None if labels is None else labels.target[self.positions]
        names = np.array(self.names)
        return Chunk(data, target, names, tuple(self.problems), tuple(self.blank))


def _reason(file: FoundPath, error: Exception) -> str:
    """What is wrong with a picture file, with its name."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text if text.startswith(str(file)) else f"{file}: {text}"


def _labelled_by(path: FoundPath) -> str:
    return f"labelled by {LABELS}" if (path / LABELS).is_file() else "labelled by folder"


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def find_pictures(path: Path) -> list[Path]:
    """List picture files in a folder and its subfolders.

    Parameters
    ----------
    path : Path
        A folder, or one file.

    Returns
    -------
    list of Path
        The files as `files_in` lists them; among them links to files that do not exist.
    """
    if path.is_file():
        return [path]
    return [file for file in files_in(path, levels=2) if file.suffix.lower() in SUFFIXES]
