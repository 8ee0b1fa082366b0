"""Handle the errors and warnings of Pillow while it decodes a picture."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skdigits.typing import StrPath

MAXIMUM_PIXELS = 90_000_000  # after reduction; a larger picture would take more than 300 MB
KNOWN = {b"%PDF": "a PDF document", b"<svg": "an SVG drawing", b"<?xml": "an XML document"}

# Warning filters are global: if two threads changed them at once, they would not be restored. A
# fork waits until no thread changes them.
_filters = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_filters.acquire,
        after_in_parent=_filters.release,
        after_in_child=_filters.release,
    )


@contextlib.contextmanager
def decoding(name: StrPath, start: bytes = b"") -> Iterator[None]:
    """Ignore Pillow's warnings, and convert its errors to a ValueError that names the picture.

    Pillow's decoders can raise any exception for damaged data. The ``with`` block must call
    only functions of Pillow, and must not contain a ``yield``, because `decoding` changes the
    global warning filters.

    Parameters
    ----------
    name : str or path-like
        Name of the picture in messages.
    start : bytes, default=b""
        First bytes of the file; they identify documents that are not pictures.

    Raises
    ------
    ValueError
        If the ``with`` block raises an exception.
    """
    from PIL import Image

    try:
        with _filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError as error:
        size, *_ = re.findall(r"[\d×]+ pixels", str(error)) or [str(error)]
        raise ValueError(
            f"{name} is too large ({size}); expected at most {MAXIMUM_PIXELS // 10**6} million "
            "pixels. Scale it down."
        ) from error
    except Exception as error:
        raise ValueError(f"{name}: not a picture, or damaged ({_reason(start, error)}).") from error


def _reason(start: bytes, error: Exception) -> str:
    """Return the reason of an error in a few words; name the format of known documents."""
    known = next((name for magic, name in KNOWN.items() if start.startswith(magic)), None)
    if known:
        return f"{known}; convert it to PNG or JPEG"
    lines = re.split(r" <_io| '", str(error))[0].splitlines()  # without the file's name
    return lines[0][:120] if lines and lines[0] else type(error).__name__
