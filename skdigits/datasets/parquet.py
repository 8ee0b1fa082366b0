"""Parquet files, such as Hugging Face's MNIST and tables of pixels; pyarrow parses them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skdigits.datasets.bunch import LoadedImages
from skdigits.datasets.contents import make_samples
from skdigits.datasets.input_files import existing, reading
from skdigits.datasets.names import divide_columns, is_image_name, is_label, part_of
from skdigits.datasets.pixels import as_grey, compact
from skdigits.typing import StrPath

AT_ONCE = 4096  # rows per batch
LARGEST = 1 << 22  # pixels; larger pictures are refused


def load_parquet(
    path: StrPath, *, subset: str = "train", as_frame: bool = False, return_X_y: bool = False
) -> Any:
    """Load images from Parquet files, such as Hugging Face's MNIST; pyarrow is required.

    A file has a column ``image`` (or ``img``, ``data``, …) of encoded pictures or lists of pixels,
    or one column per pixel. The labels are in a column ``label`` (or ``class``, ``target``, …). All
    pictures must have the same size; they are converted to grey, but not cleaned. Pixels are 0–255,
    or booleans or floats 0–1, which become 0–255.

    Parameters
    ----------
    path : str or path-like
        A file, or a folder of files whose names contain the subset, such as
        ``train-00000-of-00001.parquet``. Several files of a subset are concatenated.
    subset, as_frame, return_X_y
        As for `load_data`.

    Returns
    -------
    sklearn.utils.Bunch or tuple
        As for `load_data`, which also lists further errors and warnings.

    Raises
    ------
    ImportError
        If pyarrow is not installed; ``pip install "skdigits[parquet]"`` installs it.

    Warns
    -----
    UserWarning
        If a column of row numbers is left out.
    """
    return read_parquet(path, subset).bunch(as_frame=as_frame, return_X_y=return_X_y)


def read_parquet(path: StrPath, subset: str) -> LoadedImages:
    """Read the samples of `load_parquet`."""
    path = existing(path, subset)
    files = find_parquet(path, subset) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"{path} has no file such as {subset}-00000-of-00001.parquet.")
    parts = [part for file in files for part in _read_file(file)]
    if len({(images.shape[1:], target is None) for images, target in parts}) != 1:
        raise ValueError(
            f"{path}: there are no images, or the files differ. Expected images of one size, and "
            "labels in all files or in no file."
        )
    images, labels = zip(*parts, strict=True)
    target = None if labels[0] is None else np.concatenate(labels)
    return make_samples(np.concatenate(images), target, path, subset=subset)


def find_parquet(folder: Path, subset: str) -> list[Path]:
    """List the Parquet files of a subset in a folder."""
    return sorted(file for file in folder.glob("[!.]*.parquet") if part_of(file.name) == subset)


def _read_file(file: Path) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield batches of images, and of labels or None."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            f"{file} is a Parquet file. To read it, install pyarrow: "
            'pip install "skdigits[parquet]".'
        ) from error
    with reading(file, "a damaged Parquet file"), parquet.ParquetFile(file) as opened:
        image, label, columns = _find_columns(opened.schema_arrow, file)
        for batch in opened.iter_batches(AT_ONCE, columns=[*columns, *filter(None, [label])]):
            if not len(batch):
                continue
            for name in batch.schema.names:
                if batch.column(name).null_count:
                    what = "label" if name == label else "value"
                    raise ValueError(f"{file}: a {what} is missing in the column {name!r}.")
            labels: Any = None
            if label:
                labels = batch.column(label).to_numpy(zero_copy_only=False)
                labels = labels.astype(str) if labels.dtype == object else labels
            if image is None:
                pixels = [batch.column(name).to_numpy(zero_copy_only=False) for name in columns]
                yield compact(np.stack(pixels, axis=1)), labels
            else:
                images = [_image(value, file) for value in batch.column(image).to_pylist()]
                sizes = sorted({image.shape for image in images})
                if len(sizes) > 1:
                    raise ValueError(
                        f"{file}: images have sizes {sizes[0]} and {sizes[1]}; expected one size."
                    )
                yield compact(np.stack(images)), labels


def _find_columns(schema: Any, file: Path) -> tuple[str | None, str | None, list[str]]:
    """Return the names of the columns: images or None, labels or None, and all pixels."""
    from pyarrow import types

    def holds_images(kind: Any) -> bool:
        return types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind)

    def is_number(kind: Any) -> bool:
        return types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)

    if len(set(schema.names)) < len(schema.names):
        raise ValueError(f"{file}: several columns have the same name.")
    nested = {field.name for field in schema if holds_images(field.type)}
    if not nested:
        texts = {field.name for field in schema if not is_number(field.type)}
        return None, *divide_columns(schema.names, texts, file)
    images = [name for name in nested if is_image_name(name)] or sorted(nested)
    labels = [name for name in schema.names if is_label(name) and name not in images]
    if len(images) > 1 or len(labels) > 1:
        raise ValueError(
            f"{file} has the columns {', '.join(images + labels)[:100]}; expected one column of "
            "images and one of labels."
        )
    return images[0], labels[0] if labels else None, images


def _image(value: Any, file: Path) -> np.ndarray:
    """Convert an encoded picture, a dict with its bytes (Hugging Face), or a list to pixels."""
    content = value.get("bytes") if isinstance(value, dict) else value
    if isinstance(content, bytes):
        with (
            reading(file, "an encoded picture is damaged or has an unknown format"),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("error")  # Pillow warns of very large pictures
            return _decode(content)
    try:
        pixels = np.array(content)
    except ValueError:
        pixels = np.array(None)
    if pixels.dtype.kind not in "buif" or not 1 <= pixels.ndim <= 3:
        raise ValueError(
            f"{file}: an image is neither an encoded picture nor a list of numbers; files that "
            "contain only paths of pictures are not supported."
        )
    return pixels


def _decode(content: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        if picture.width * picture.height > LARGEST:
            raise ValueError(f"{picture.width}×{picture.height} pixels")
        if picture.mode in ("L", "1"):
            return np.asarray(picture.convert("L"))
        return as_grey(np.asarray(picture.convert("RGB")))
