"""Parquet files: Hugging Face's MNIST, and tables of pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skdigits.datasets.array_names import is_image_name, part_of
from skdigits.datasets.bunch import Chunk, check_subset
from skdigits.datasets.contents import Samples, make_samples
from skdigits.datasets.csv_layout import LABEL_NAMES
from skdigits.datasets.named_columns import divide_columns
from skdigits.datasets.pixels import as_grey, compact

if TYPE_CHECKING:
    from skdigits.typing import StrPath

AT_ONCE = 4096  # rows
LARGEST = 1 << 22  # pixels of a picture; more are no digit


def load_parquet(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from Parquet files, as Hugging Face publishes MNIST. It needs pyarrow.

    =================   ==============
    Values                0–255, or booleans or floats 0–1, which become 0–255
    Source              e.g. Hugging Face "ylecun/mnist": 60,000 and 10,000 images of 28×28
    =================   ==============

    A file has a column ``image`` (or ``img``, ``data``, …) of pictures in PNG's format or of lists
    of pixels, or one column per pixel; and a column ``label`` (or ``class``, ``target``, …).
    Pictures become grey and are not cleaned; all of them have one size.

    Parameters
    ----------
    path : str or path-like
        A file, or a folder of files whose names begin with the part, such as
        ``train-00000-of-00001.parquet``; several files of a part are joined.
    subset : {"train", "test"}, default="train"
        Which files of a folder to load; only ``"train"`` requires labels.
    as_frame : bool, default=False
        Whether `data` is a DataFrame and `target` a Series.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        ``data`` of shape (n, n_pixels), uint8; ``target`` of shape (n,), integers or strings, or
        None without labels; ``images``, ``feature_names``, ``target_names``, ``frame``, ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is damaged, or its columns are not images and labels.
    ImportError
        If pyarrow is not installed: ``pip install "skdigits[parquet]"``.

    Warns
    -----
    UserWarning
        If a column is left out as an index, digits lie on their side, or 10 is a label and 0 is
        not.
    """
    return _read(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def iter_parquet(
    path: StrPath, *, subset: str = "train", chunk_size: int = 8192, lines: bool = False
) -> Iterator[Chunk]:
    """Read the images of `load_parquet`, and divide them.

    Parameters
    ----------
    path : str or path-like
        As for `load_parquet`.
    subset : {"train", "test"}, default="train"
        Which images to load; only ``"train"`` requires labels.
    chunk_size : int, default=8192
        Maximum number of images in a chunk.
    lines : bool, default=False
        Whether to return labels as strings.

    Returns
    -------
    iterator of Chunk
        Images and labels.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As for `load_parquet`; raised at once.
    """
    return _read(path, subset).chunks(chunk_size, lines)


def find_parquet(folder: Path, subset: str) -> list[Path]:
    """List the Parquet files of one subset in a folder.

    Parameters
    ----------
    folder : Path
        Folder to search.
    subset : {"train", "test"}
        The subset.

    Returns
    -------
    list of Path
        The files, sorted.
    """
    return sorted(file for file in folder.glob("[!.]*.parquet") if part_of(file.name) == subset)


def _read(path: StrPath, subset: str) -> Samples:
    check_subset(subset)
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    files = find_parquet(path, subset) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"{path} holds no file such as {subset}-00000-of-00001.parquet.")
    images: list[np.ndarray] = []
    labels: list[Any] = []
    for file in files:
        for pixels, target in _read_file(file):
            images.append(pixels)
            labels.append(target)
    if len({part.shape[1:] for part in images}) != 1 or len({t is None for t in labels}) != 1:
        raise ValueError(f"{path}: the images have different sizes, or there are none.")
    target = None if labels[0] is None else np.concatenate(labels)
    return make_samples(np.concatenate(images), target, str(path), subset=subset)


def _read_file(file: Path) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yield images and labels, or None without labels."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            f"{file} is a Parquet file. Install pyarrow to read it: "
            'pip install "skdigits[parquet]".'
        ) from error
    try:
        with parquet.ParquetFile(file) as opened:
            schema = opened.schema_arrow
            image, label, columns = _find_columns(schema, file)
            for batch in opened.iter_batches(AT_ONCE, columns=[*columns, *filter(None, [label])]):
                if len(batch):
                    yield _images(batch, image, columns, file), _labels(batch, label, file)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{file}: a damaged Parquet file ({reason}).") from error


def _find_columns(schema: Any, file: Path) -> tuple[str | None, str | None, list[str]]:
    """The column of whole images or None, that of labels or None, and all columns of pixels."""
    from pyarrow import types

    if len(set(schema.names)) < len(schema.names):
        raise ValueError(f"{file}: there is more than one column of one name.")
    nested = {field.name for field in schema if _holds_images(field.type, types)}
    if not nested:
        texts = {field.name for field in schema if not _is_number(field.type, types)}
        label, pixels = divide_columns(schema.names, texts, file)
        return None, label, pixels
    images = [name for name in nested if is_image_name(name)] or sorted(nested)
    labels = [name for name in schema.names if name.lower() in LABEL_NAMES and name not in images]
    if len(images) > 1 or len(labels) > 1:
        raise ValueError(
            f"{file}: the columns {', '.join(images + labels)[:100]}; expected one of images and "
            "one of labels."
        )
    return images[0], labels[0] if labels else None, images


def _holds_images(kind: Any, types: Any) -> bool:
    return types.is_struct(kind) or _is_list(kind, types) or _is_binary(kind, types)


def _is_list(kind: Any, types: Any) -> bool:
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _is_binary(kind: Any, types: Any) -> bool:
    return types.is_binary(kind) or types.is_large_binary(kind)


def _is_number(kind: Any, types: Any) -> bool:
    return types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)


def _labels(batch: Any, label: str | None, file: Path) -> np.ndarray | None:
    if label is None:
        return None
    column = batch.column(label)
    if column.null_count:
        raise ValueError(f"{file}: a label is missing in the column {label!r}.")
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(str) if values.dtype == object else values


def _images(batch: Any, image: str | None, columns: list[str], file: Path) -> np.ndarray:
    for name in columns:
        if batch.column(name).null_count:
            raise ValueError(f"{file}: a value is missing in the column {name!r}.")
    if image is None:
        columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in columns]
        return compact(np.stack(columns, axis=1))
    images = [_image(value, file) for value in batch.column(image).to_pylist()]
    if len({one.shape for one in images}) > 1:
        sizes = sorted({one.shape for one in images})[:2]
        raise ValueError(f"{file}: images of the sizes {sizes[0]} and {sizes[1]}; expected one.")
    return compact(np.stack(images))


def _image(value: Any, file: Path) -> np.ndarray:
    """A picture in bytes, alone or in Hugging Face's structure, or a nested list of pixels."""
    content = value.get("bytes") if isinstance(value, dict) else value
    if isinstance(content, bytes):
        return _decode(content, file)
    try:
        pixels = np.array(content)
    except ValueError:
        pixels = np.array(None)
    if pixels.dtype.kind not in "buif" or not 1 <= pixels.ndim <= 3:
        raise ValueError(
            f"{file}: an image is no picture in bytes and no list of numbers; files that only "
            "name the paths of pictures are not read."
        )
    return pixels


def _decode(content: bytes, file: Path) -> np.ndarray:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of sizes that are no digit's
            with Image.open(io.BytesIO(content)) as picture:
                if picture.width * picture.height > LARGEST:
                    raise ValueError(f"{picture.width}×{picture.height} pixels")
                if picture.mode in ("L", "1"):
                    return np.asarray(picture.convert("L"))
                return as_grey(np.asarray(picture.convert("RGB")))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        reason = str(error).split(" <_io")[0][:100]
        raise ValueError(f"{file}: an image is no picture, or damaged ({reason}).") from error
