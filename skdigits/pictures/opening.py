"""Open the pages of picture files, in all formats of Pillow and in HEIC."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.pictures.decoding import MAXIMUM_PIXELS, decoding
from skdigits.pictures.grey import LONGEST

if TYPE_CHECKING:
    from PIL import Image

    from skdigits.typing import PictureFile, StrPath

FORMATS = "avif bmp gif heic heif jfif jpe jpeg jpg pbm pgm png pnm ppm tga tif tiff webp"
SUFFIXES = frozenset(f".{name}" for name in FORMATS.split())
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
PNG = b"\x89PNG\r\n\x1a\n"
PNG_CHUNK = 12  # bytes of a chunk without its content: length, name, checksum
AVIF_EXIF, AVIF_NO_EXIF = b"Exif", b"none"  # types of items; Pillow skips unknown types
MAXIMUM_BYTES = 4 * MAXIMUM_PIXELS  # maximum size of a file that is read into memory
REDUCTION = "skdigits_reduction"  # key in `info` of a page: factor by which it was reduced


def open_pictures(source: PictureFile) -> Iterator[Image.Image]:
    """Open a picture file, and yield its pages.

    Parameters
    ----------
    source : str, path-like, bytes or binary file object
        The file, or its content; the format is recognized from the content. Files in some formats,
        such as TIFF, GIF and WebP, can have several pages. In a multi-picture JPEG (MPO), only the
        first picture is read. A JPEG of more than 90 million pixels is decoded at a smaller size.

    Yields
    ------
    PIL.Image.Image
        A page.

    Raises
    ------
    ValueError
        If the file is not a picture, is damaged, or has too many pixels.
    ImportError
        If the file is a HEIC file and pillow-heif is not installed.
    OSError
        If the file cannot be read.
    """
    file, name = _readable(source)
    start = _first_bytes(file)
    if _is_heic(start):
        yield from _open_heic(file, name)
        return
    with _open(file, name, start) as picture:
        with decoding(name, start):
            reduction = _limit_size(picture)
        frames = _frames(picture)
        for number in itertools.count():
            with decoding(page_name(name, number), start):
                if next(frames, None) is None:
                    return
                page: Any = picture.copy()
            page.filename = name  # an attribute of Pillow; messages use it
            page.info[REDUCTION] = reduction
            yield page


def count_pages(path: Path) -> int:
    """Count the pages of a picture file, without decoding them.

    Parameters
    ----------
    path : str or path-like
        The file, as for `open_pictures`.

    Returns
    -------
    int
        Number of pages, at least 1. In a damaged file, only the pages before the damage count.
    """
    path, n_pages = Path(path), 1
    with contextlib.suppress(ValueError, OSError, ImportError):
        start = _first_bytes(path)
        if _is_heic(start):
            open_heif = _heif_opener(path)
            with decoding(path):
                return len(open_heif(path))
        with _open(path, str(path), start) as picture, decoding(path):
            for n_pages, _ in enumerate(_frames(picture), start=1):  # noqa: B007 - counts
                pass
    return n_pages


def page_name(file: str | Path, number: int) -> str:
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


def open_picture(source: PictureFile) -> Image.Image:
    """Open a picture file that has one page.

    Parameters
    ----------
    source : str, path-like, bytes or binary file object
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
        If the file is a HEIC file and pillow-heif is not installed.
    OSError
        If the file cannot be read.
    """
    pages: Any = open_pictures(source)
    picture = next(pages)
    if next(pages, None) is not None:
        name = picture.filename
        raise ValueError(f"{name} has several pages; expected one. Use `open_pictures` instead.")
    return picture


def _readable(source: PictureFile) -> tuple[Any, str]:
    """Return a path or a file in memory, and its name for messages."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(os.fsdecode(source))
        return path, str(path)
    content = source.read() if hasattr(source, "read") else source
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise ValueError(
            "Expected a path, bytes, or a file that is opened in binary mode, as in "
            f"open(path, 'rb'); got {type(content).__name__}."
        )
    name = getattr(source, "name", None)  # an int if the file was opened by its descriptor
    return io.BytesIO(content), name if isinstance(name, str) else "the picture"


def _first_bytes(file: Any) -> bytes:
    if isinstance(file, io.BytesIO):
        return file.getvalue()[:32]
    with file.open("rb") as opened:
        return opened.read(32)


def _is_heic(start: bytes) -> bool:
    return start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS


def _open_heic(file: Any, name: str) -> Iterator[Image.Image]:
    open_heif = _heif_opener(name)
    with decoding(name):
        pages = list(open_heif(file))
    for number, encoded in enumerate(pages):
        with decoding(page_name(name, number)):
            page = encoded.to_pillow()
        page.filename = name
        yield page


def _heif_opener(name: StrPath) -> Any:
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise ImportError(
            f"{name} is a HEIC file. Install pillow-heif to read it: "
            'pip install "skdigits[heic]"; or convert it to JPEG.'
        ) from error
    return open_heif


def _open(file: Any, name: str, start: bytes) -> Image.Image:
    """Open a file with Pillow; if that fails, open it without its EXIF data."""
    from PIL import Image

    try:
        with decoding(name, start):
            return Image.open(file)
    except ValueError:
        content = _without_exif(file, start)
        if content is not None:
            with contextlib.suppress(ValueError), decoding(name, start):
                return Image.open(io.BytesIO(content))
        raise


def _without_exif(file: Any, start: bytes) -> Any:
    """Return the content of a PNG or AVIF file without its EXIF data, or None.

    Pillow does not open PNG and AVIF files whose EXIF data are damaged. The result is None for
    other formats, and for files larger than `MAXIMUM_BYTES`.
    """
    is_png, is_avif = start.startswith(PNG), start[4:8] == b"ftyp"
    if not (is_png or is_avif):
        return None
    if isinstance(file, io.BytesIO):
        content = file.getvalue()
    elif file.stat().st_size <= MAXIMUM_BYTES:
        content = file.read_bytes()
    else:
        return None
    if is_avif:
        return content.replace(AVIF_EXIF, AVIF_NO_EXIF)
    kept, at = [PNG], len(PNG)
    while at < len(content):
        after = at + PNG_CHUNK + int.from_bytes(content[at : at + 4])
        if content[at + 4 : at + 8] != b"eXIf":
            kept.append(content[at:after])
        at = after
    return b"".join(kept)


def _frames(picture: Image.Image) -> Iterator[Image.Image]:
    """Iterate over the pages; each step moves the picture itself to the next page."""
    from PIL import ImageSequence

    if picture.format == "MPO":  # a photograph, with smaller copies or other exposures
        return iter([picture])
    return iter(ImageSequence.Iterator(picture))


def _limit_size(picture: Image.Image) -> float:
    """Tell Pillow to reduce a JPEG that is too large; raise an error if a picture stays so.

    Returns the factor of the reduction: 1 for pictures of at most 90 million pixels, which
    are decoded at full size.
    """
    from PIL import Image

    full = max(picture.size)
    if math.prod(picture.size) > MAXIMUM_PIXELS:
        width, height = (side * LONGEST // full for side in picture.size)
        picture.draft(None, (width, height))
    width, height = picture.size
    if width * height > MAXIMUM_PIXELS:
        raise Image.DecompressionBombError(f"{width}×{height} pixels")
    return full / max(picture.size)
