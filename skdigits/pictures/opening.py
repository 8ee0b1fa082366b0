"""Picture files: whatever Pillow reads, page by page, and HEIC."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from skdigits.pictures.grey import LONGEST

FORMATS = "avif bmp gif heic heif jfif jpe jpeg jpg pbm pgm png pnm ppm tga tif tiff webp"
SUFFIXES = frozenset(f".{name}" for name in FORMATS.split())
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
REDUCTION = "skdigits_reduction"  # in `info` of a page: pixels of its file per pixel
MAXIMUM_PIXELS = 90_000_000  # after reduction; more would take over 300 MB
KNOWN = {b"%PDF": "a PDF document", b"<svg": "an SVG drawing", b"<?xml": "an XML document"}


def open_pictures(path) -> Iterator:
    """Open a picture file, and yield its pages one after the other.

    Parameters
    ----------
    path : str or path-like
        The file; its format is recognized from its content. A TIFF, GIF or WebP file may have
        several pages; of the pictures in a JPEG file, the first is taken. A JPEG file much larger
        than needed is decoded at a smaller size.

    Yields
    ------
    PIL.Image.Image
        A page.

    Raises
    ------
    ValueError
        If the file is not a picture, is damaged, or has too many pixels.
    ImportError
        If it is a HEIC file and pillow-heif is not installed.
    OSError
        If the file cannot be read.
    """
    from PIL import Image, ImageSequence

    path = Path(path)
    start = _first_bytes(path)
    if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS:
        yield from _open_heic(path)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                reduction = _limit_size(picture)
                pages = [picture] if picture.format == "MPO" else ImageSequence.Iterator(picture)
                for page in pages:
                    copy = page.copy()
                    copy.info[REDUCTION] = reduction
                    yield copy
    except Image.DecompressionBombError as error:
        size, *_ = re.findall(r"[\d×]+ pixels", str(error)) or [str(error)]
        raise ValueError(
            f"{path} is too large ({size}): at most {MAXIMUM_PIXELS // 10**6} million are read. "
            "Scale it down."
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: not a picture, or damaged ({_reason(start, error)}).") from error


def open_picture(path):
    """Open a picture file that has one page.

    Parameters
    ----------
    path : str or path-like
        The file, as for `open_pictures`.

    Returns
    -------
    PIL.Image.Image
        The picture.

    Raises
    ------
    ValueError
        If the file is not a picture, is damaged, or has several pages.
    ImportError
        If it is a HEIC file and pillow-heif is not installed.
    OSError
        If the file cannot be read.
    """
    pages = open_pictures(path)
    picture = next(pages)
    if next(pages, None) is not None:
        raise ValueError(f"{path} has several pages; pass the pages of `open_pictures` instead.")
    return picture


def _first_bytes(path):
    with path.open("rb") as file:
        return file.read(32)


def _open_heic(path):
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise ImportError(
            f"{path} is a HEIC file. Install pillow-heif to read it: "
            'pip install "skdigits[heic]"; or convert it to JPEG.'
        ) from error
    try:
        for page in open_heif(path):
            yield page.to_pillow()
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: a damaged HEIC file ({_short(error)}).") from error


def _limit_size(picture):
    """Let a large JPEG be decoded at a smaller size; refuse what would need too much memory.

    Returns how many times smaller it is.
    """
    from PIL import Image

    full = max(picture.size)
    scale = min(1, LONGEST / max(picture.size))
    picture.draft(None, tuple(int(side * scale) for side in picture.size))
    width, height = picture.size
    if width * height > MAXIMUM_PIXELS:
        raise Image.DecompressionBombError(f"{width}×{height} pixels")
    return full / max(picture.size)


def _reason(start, error):
    """Say in few words what a file is instead of a picture, or what is wrong with it."""
    known = next((name for magic, name in KNOWN.items() if start.startswith(magic)), None)
    return f"{known}; convert it to PNG or JPEG" if known else _short(error)


def _short(error):
    return (
        str(error).split(" <_io")[0].splitlines()[0][:120] if str(error) else type(error).__name__
    )
