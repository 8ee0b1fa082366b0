"""Picture files of digits or of lines, in all formats that Pillow reads."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skdigits.cores import map_in_processes
from skdigits.datasets.bunch import Chunk, LoadedImages, Problem, without_problems
from skdigits.datasets.folders import files_in
from skdigits.datasets.input_files import existing
from skdigits.datasets.picture_labels import LABELS, Page, PictureLabels, find_labels
from skdigits.pictures import find_lines, open_pictures
from skdigits.pictures.cleaning import clean_and_count
from skdigits.pictures.opening import SUFFIXES
from skdigits.typing import StrPath

Watch = Callable[[int, int], None]

SIDE = 28
LOADED_AT_ONCE = 256  # pictures per chunk; an error is raised after the chunk of its picture
SHOWN = 3  # names of files in a message
ADVICE = {  # for pictures of several digits or several lines
    "digit": "A model trained with --sequences reads all of them.",
    "line": "`skdigits read` reads all of them.",
}


class NoPicturesError(FileNotFoundError):
    """A folder contains no picture."""


def load_pictures(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load picture files of single digits, and clean them to MNIST's style.

    Parameters
    ----------
    path : str or path-like
        A folder of pictures, or one picture. The labels are the names of subfolders, or are listed
        in a file ``labels.csv`` in the folder. Its columns ImageId and Label contain the name and
        the label of each picture, as in the output of ``skdigits predict``. The name of the second
        page of ``scan.tif`` is ``scan.tif#2``. The delimiter is a comma, a semicolon or a tab. A
        picture with an empty label is left out with a warning.
    subset, as_frame, return_X_y
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`; ``data`` has the shape (n, 784), and a picture without ink becomes
        zeros. The Bunch also has the sorted ``filenames``, with ``#2`` and so on for further pages.

    See Also
    --------
    skdigits.pictures.clean_picture : How each picture is cleaned.

    Raises
    ------
    ImportError
        If there is a HEIC file, and pillow-heif is not installed.

    Warns
    -----
    UserWarning
        If pictures show several digits; if a label in ``labels.csv`` is empty, contains a space, or
        belongs to a picture that does not exist. For ``"test"``, also if ``labels.csv`` is not
        used, because a label is missing or ambiguous.
    """
    found = iter_pictures(path, subset=subset, chunk_size=LOADED_AT_ONCE)
    chunks: list[Any] = list(without_problems(found))
    target = None if chunks[0].target is None else np.concatenate([c.target for c in chunks])
    labels = f"labelled by {LABELS if (Path(path) / LABELS).is_file() else 'folder'}"
    note = f"\nEach picture is cleaned to {SIDE}×{SIDE} pixels in MNIST's style; {labels}.\n"
    samples = LoadedImages(np.concatenate([c.data for c in chunks]), target, str(path), note)
    result = samples.bunch(as_frame=as_frame, return_X_y=return_X_y)
    if not return_X_y:
        folder, names = _folder_of(Path(path)), np.concatenate([c.names for c in chunks])
        result.filenames = [str(folder / name) for name in names]
    return result


def load_lines(path: StrPath) -> tuple[list[np.ndarray], np.ndarray]:
    """Load pictures of lines of digits, and their labels as strings.

    `path` is as for `load_pictures`. Each picture is cleaned by `skdigits.pictures.clean_line`, and
    becomes an array (28, width) of uint8.
    """
    found = iter_pictures(path, lines=True, chunk_size=LOADED_AT_ONCE)
    chunks: list[Any] = list(without_problems(found))
    images = [image for chunk in chunks for image in chunk.data]
    return images, np.concatenate([chunk.target for chunk in chunks])


class Cleaning(NamedTuple):
    """Parameters of a PictureCleaner, which converts pictures to images."""

    output: str  # content of the pictures, "digit" or "line"
    height: int = SIDE  # pixels; for digits also the width


def iter_pictures(
    path: StrPath,
    *,
    subset: str = "train",
    chunk_size: int = 8192,
    lines: bool = False,
    cleaning: Cleaning | None = None,
    watch: Watch | None = None,
) -> Iterator[Chunk]:
    """Read the pictures of `load_pictures` in chunks, so that memory is bounded.

    Without `cleaning`, pictures are cleaned to a height of 28 pixels, as lines or as single digits.
    Names are relative to the folder, with ``/`` between folders, and with ``#2`` and so on for
    further pages of a file. If there is no picture, or if a required label is missing or ambiguous,
    the error is raised by the call, not by the iterator. `watch` is called with the number of
    finished files and the number of all files. ``joblib.parallel_config`` sets the number of
    processes, which is one by default.
    """
    path = existing(path, subset)
    files = find_pictures(path)
    if not files:
        raise NoPicturesError(f"{path} contains no pictures ({', '.join(sorted(SUFFIXES))}).")
    labels = find_labels(path, files, subset, lines=lines)
    if labels is not None:
        files = labels.of(files, path)
    cleaning = cleaning or Cleaning("line" if lines else "digit")
    pages = _clean_files(files, labels, _folder_of(path), cleaning, watch)
    return _in_chunks(pages, labels, chunk_size, cleaning)


class _Cleaned(NamedTuple):
    """A cleaned page, or a page that could not be read."""

    image: np.ndarray
    page: Page
    problem: Problem | None = None
    is_crowded: bool = False  # whether it shows several digits, or several lines
    is_blank: bool = False  # whether the image is empty, because the page shows lines of digits


def _clean_files(
    files: list[Path],
    labels: PictureLabels | None,
    folder: Path,
    cleaning: Cleaning,
    watch: Watch | None,
) -> Iterator[_Cleaned]:
    left_out = defaultdict(set)
    for page in () if labels is None else labels.left_out:
        left_out[page.file].add(page.number)
    names = [file.relative_to(folder).as_posix() for file in files]
    sources = ((file, name, left_out[name]) for file, name in zip(files, names, strict=True))
    cleaned = map_in_processes(functools.partial(_clean_pages, cleaning=cleaning), sources)
    for n_read, pages in enumerate(cleaned, start=1):
        for page in pages:
            yield page if labels is None else _with_label(page, labels, folder)
        if watch is not None:
            watch(n_read, len(files))


def _with_label(cleaned: _Cleaned, labels: PictureLabels, folder: Path) -> _Cleaned:
    """Return a page, with a problem if it has no label because its file has changed meanwhile."""
    page = cleaned.page
    if cleaned.problem or labels.position(page) is not None:
        return cleaned
    text = f"{folder / page.file}: {page.name} has no label."
    zeros = np.zeros_like(cleaned.image)
    return _Cleaned(zeros, page, Problem(page.name, text))


def _in_chunks(
    pages: Iterator[_Cleaned], labels: PictureLabels | None, chunk_size: int, cleaning: Cleaning
) -> Iterator[Chunk]:
    while chunk := list(itertools.islice(pages, chunk_size)):
        _warn_of_crowded(chunk, cleaning)
        data: Any = [cleaned.image for cleaned in chunk]
        positions = None if labels is None else [labels.position(c.page) or 0 for c in chunk]
        yield Chunk(
            np.stack(data).reshape(len(data), -1) if cleaning.output == "digit" else data,
            None if labels is None else labels.target[positions],
            np.array([cleaned.page.name for cleaned in chunk]),
            tuple(cleaned.problem for cleaned in chunk if cleaned.problem),
            tuple(cleaned.page.name for cleaned in chunk if cleaned.is_blank),
        )


def _clean_pages(source: tuple[Path, str, set[int]], cleaning: Cleaning) -> Iterator[_Cleaned]:
    """Clean the pages of a file; a picture that cannot be read becomes an image of zeros."""
    file, name, left_out = source
    page = Page(name, 0)
    try:
        for picture in open_pictures(file):
            if page.number not in left_out:
                image, n = clean_and_count(picture, cleaning.output, cleaning.height)
                is_blank = not image.any() and len(find_lines(picture)) > 0
                yield _Cleaned(image, page, None, n > 1, is_blank)
            page = page._replace(number=page.number + 1)
    except Exception as error:  # any error is reported, and the other pictures are read
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        text = text if text.startswith(str(file)) else f"{file}: {text}"
        zeros = np.zeros((cleaning.height, cleaning.height), np.uint8)
        yield _Cleaned(zeros, page, Problem(page.name, text))


def _warn_of_crowded(pages: list[_Cleaned], cleaning: Cleaning) -> None:
    crowded = [cleaned.page.name for cleaned in pages if cleaned.is_crowded]
    if not crowded:
        return
    shown = ", ".join(crowded[:SHOWN]) + ", …" * (len(crowded) > SHOWN)
    kind = cleaning.output
    warnings.warn(
        f"{len(crowded)} of {len(pages)} pictures show several {kind}s "
        f"({shown[:120]}); only the largest {kind} of a picture is read. {ADVICE[kind]}",
        stacklevel=3,
    )


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def find_pictures(path: Path) -> list[Path]:
    """List the picture files in a folder and its direct subfolders; for a file, list this file."""
    if path.is_file():
        return [path]
    return [file for file in files_in(path, levels=2) if file.suffix.lower() in SUFFIXES]
