"""Picture files: whatever Pillow reads, page by page, and HEIC."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

from skdigits.pictures.decoding import MAXIMUM_PIXELS, decoding
from skdigits.pictures.grey import LONGEST

FORMATS = "avif bmp gif heic heif jfif jpe jpeg jpg pbm pgm png pnm ppm tga tif tiff webp"
SUFFIXES = frozenset(f".{name}" for name in FORMATS.split())
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
PNG = b"\x89PNG\r\n\x1a\n"
PNG_CHUNK = 12  # bytes of a chunk besides its content: length, name, checksum
AVIF_EXIF, AVIF_NO_EXIF = b"Exif", b"none"  # type of an item; unknown types are skipped
MAXIMUM_BYTES = 4 * MAXIMUM_PIXELS  # of a file that is read as a whole
REDUCTION = "skdigits_reduction"  # in `info` of a page: pixels of its file per pixel


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
    path = Path(path)
    start = _first_bytes(path)
    if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS:
        yield from _open_heic(path)
        return
    with _open(path, start) as picture:
        with decoding(path, start):
            reduction = _limit_size(picture)
            page = picture.copy()
        for number in itertools.count(1):
            page.filename = str(path)  # as of a picture that Pillow opens; for messages
            page.info[REDUCTION] = reduction
            yield page
            with decoding(page_name(path, number), start):
                if not _seek(picture, number):
                    return
                page = picture.copy()


def count_pages(path) -> int:
    """Count the pages of a picture file, without decoding them.

    Parameters
    ----------
    path : str or path-like
        The file, as for `open_pictures`.

    Returns
    -------
    int
        Number of pages, at least 1; of a damaged file, of those before the damage.
    """
    path, number = Path(path), 1
    with contextlib.suppress(ValueError, OSError, ImportError):
        start = _first_bytes(path)
        if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS:
            open_heif = _heif_opener(path)
            with decoding(path):
                return len(open_heif(path))
        with _open(path, start) as picture, decoding(path):
            while _seek(picture, number):
                number += 1
    return number


def page_name(file, number) -> str:
    """Name a page of a picture file.

    Parameters
    ----------
    file : str or path-like
        Name of the file.
    number : int
        Number of the page, from 0.

    Returns
    -------
    str
        The name of the file, with ``#2`` and so on for further pages.
    """
    return f"{file}#{number + 1}" if number else str(file)


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
    open_heif = _heif_opener(path)
    with decoding(path):
        pages = list(open_heif(path))
    for number, encoded in enumerate(pages):
        with decoding(page_name(path, number)):
            page = encoded.to_pillow()
        page.filename = str(path)
        yield page


def _heif_opener(path):
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise ImportError(
            f"{path} is a HEIC file. Install pillow-heif to read it: "
            'pip install "skdigits[heic]"; or convert it to JPEG.'
        ) from error
    return open_heif


def _open(path, start):
    """Open a file with Pillow; without its EXIF data, if it cannot be opened with them."""
    from PIL import Image

    try:
        with decoding(path, start):
            return Image.open(path)
    except ValueError:
        content = _without_exif(path, start)
        if content is not None:
            with contextlib.suppress(ValueError), decoding(path, start):
                return Image.open(io.BytesIO(content))
        raise


def _without_exif(path, start):
    """The bytes of a file with its EXIF data hidden; None if Pillow opens it without them anyway.

    A PNG file with a damaged chunk, or an AVIF file with damaged EXIF data, is not opened by it.
    """
    is_png, is_avif = start.startswith(PNG), start[4:8] == b"ftyp"
    if not (is_png or is_avif) or path.stat().st_size > MAXIMUM_BYTES:
        return None
    content = path.read_bytes()
    if is_avif:
        return content.replace(AVIF_EXIF, AVIF_NO_EXIF)
    kept, at = [PNG], len(PNG)
    while at < len(content):
        after = at + PNG_CHUNK + int.from_bytes(content[at : at + 4])
        if content[at + 4 : at + 8] != b"eXIf":
            kept.append(content[at:after])
        at = after
    return b"".join(kept)


def _seek(picture, number):
    """Go to a page; whether there is one."""
    if picture.format == "MPO":  # a photograph, and smaller or other views of it
        return number == 0
    try:
        picture.seek(number + getattr(picture, "_min_frame", 0))
    except EOFError:
        return False
    return True


def _limit_size(picture):
    """Let a large JPEG be decoded at a smaller size; refuse what would need too much memory.

    Returns how many times smaller it is.
    """
    from PIL import Image

    full = max(picture.size)
    scale = min(1, LONGEST / max(picture.size))
    picture.draft(None, tuple(max(1, int(side * scale)) for side in picture.size))
    width, height = picture.size
    if width * height > MAXIMUM_PIXELS:
        raise Image.DecompressionBombError(f"{width}×{height} pixels")
    return full / max(picture.size)
