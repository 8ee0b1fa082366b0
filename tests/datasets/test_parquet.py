import io
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from skdigits.datasets import load_parquet
from skdigits.datasets.parquet import read_parquet

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
ROWS = IMAGES.reshape(3, -1)
NAMES = [f"pixel{i}" for i in range(16)]


def encoded(image, mode="L"):
    file = io.BytesIO()
    Image.fromarray(image).convert(mode).save(file, "PNG")
    return file.getvalue()


def hugging_face(images, labels, mode="L"):
    pictures = [{"bytes": encoded(image, mode), "path": None} for image in images]
    return pd.DataFrame({"image": pictures, "label": labels})


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("subset", ["train", "test"])
def test_hugging_face_is_read(tmp_path, mode, subset):
    file = tmp_path / "train-00000-of-00001.parquet"
    hugging_face(IMAGES, [5, 0, 4], mode).to_parquet(file)
    bunch = load_parquet(file, subset=subset)
    np.testing.assert_array_equal(bunch.images, IMAGES)
    assert bunch.target.tolist() == [5, 0, 4]
    assert bunch.target.dtype == np.int64


def test_files_of_a_part_are_joined(tmp_path):
    hugging_face(IMAGES[:2], [5, 0]).to_parquet(tmp_path / "train-00000-of-00002.parquet")
    hugging_face(IMAGES[2:], [4]).to_parquet(tmp_path / "train-00001-of-00002.parquet")
    hugging_face(IMAGES[:1], [9]).to_parquet(tmp_path / "test-00000-of-00001.parquet")
    X, y = load_parquet(tmp_path, return_X_y=True)
    np.testing.assert_array_equal(X, ROWS)
    assert y.tolist() == [5, 0, 4]
    assert load_parquet(tmp_path, subset="test").target.tolist() == [9]


@pytest.mark.parametrize("scale", [1, 255, 1.0])
def test_columns_of_pixels_in_the_order_of_their_numbers(tmp_path, scale):
    frame = pd.DataFrame(ROWS / scale if scale == 255 else ROWS.astype(type(scale)), columns=NAMES)
    frame.insert(3, "Class", ["7", "07", "x"])
    frame = frame[sorted(frame)]  # Class, pixel0, pixel1, pixel10, …
    frame.to_parquet(tmp_path / "a.parquet")
    bunch = load_parquet(tmp_path / "a.parquet")
    np.testing.assert_array_equal(bunch.data, ROWS)
    assert bunch.target.tolist() == ["7", "07", "x"]


@pytest.mark.parametrize("nest", [list, lambda image: image.ravel().tolist()], ids=["2d", "1d"])
def test_lists_of_pixels_are_read(tmp_path, nest):
    images = [nest(image) for image in IMAGES.astype(int)]
    pd.DataFrame({"pixels": images, "digit": [1, 2, 3]}).to_parquet(tmp_path / "a.parquet")
    np.testing.assert_array_equal(load_parquet(tmp_path / "a.parquet").data, ROWS)


def test_the_index_of_pandas_is_left_out_and_reported(tmp_path):
    frame = pd.DataFrame(ROWS, columns=NAMES, index=[4, 5, 6]).assign(label=[1, 2, 3])
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.warns(UserWarning, match="the column '__index_level_0__' is treated as an index"):
        np.testing.assert_array_equal(load_parquet(tmp_path / "a.parquet").data, ROWS)


def test_chunks_are_parts_of_the_whole(tmp_path):
    hugging_face(IMAGES, [5, 0, 4]).to_parquet(tmp_path / "a.parquet")
    chunks = list(read_parquet(tmp_path / "a.parquet", "train").chunks(2, lines=True))
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), IMAGES)
    assert np.concatenate([chunk.target for chunk in chunks]).tolist() == ["5", "0", "4"]


def _frame(**columns):
    return pd.DataFrame(columns)


PIXELS = {f"p{i}": [1, 2] for i in range(4)}
DIFFERENT = hugging_face([IMAGES[0], IMAGES[1, :3]], [1, 2])
REFUSED = {
    "unlabelled": (_frame(**PIXELS), "there are no labels"),
    "too_many": (_frame(**PIXELS, more=[1, 2], label=[1, 2]), "5 columns of pixels, one more"),
    "two_labels": (_frame(**PIXELS, label=[1, 2], y=[1, 2]), "label, y are not pixels"),
    "texts": (_frame(**PIXELS, a=["x", "y"], b=["x", "y"]), "a, b are not pixels"),
    "no_pixels": (_frame(label=[1, 2]), "0 columns of pixels"),
    "missing_pixel": (_frame(p=[1, None], label=[1, 2]), "a value is missing in the column 'p'"),
    "missing_label": (
        _frame(p=[1, 2], label=[1, None]),
        "a label is missing in the column 'label'",
    ),
    "range": (_frame(p=[1, 300], label=[1, 2]), "has values from 1 to 300"),
    "paths": (
        _frame(image=[{"bytes": None, "path": "a.png"}], label=[1]),
        "neither an encoded picture",
    ),
    "no_picture": (
        _frame(image=[b"<html>"], label=[1]),
        "an encoded picture is damaged or has an unknown format",
    ),
    "cut": (
        _frame(image=[encoded(IMAGES[0])[:-30]], label=[1]),
        "damaged or has an unknown format",
    ),
    "sizes": (DIFFERENT, r"sizes \(3, 4\) and \(4, 4\)"),
    "ragged": (_frame(image=[[[1, 2], [3]]], label=[1]), "nor a list of numbers"),
    "no_rows": (_frame(p=[], label=[]), "there are no images"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_said(tmp_path, case):
    frame, message = REFUSED[case]
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=message) as caught:
        load_parquet(tmp_path / "a.parquet")
    assert len(str(caught.value)) <= 300


def test_damaged_and_missing_files_are_said(tmp_path):
    file = tmp_path / "a.parquet"
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_parquet(file)
    with pytest.raises(FileNotFoundError, match="no file such as train-00000"):
        load_parquet(tmp_path)
    hugging_face(IMAGES, [5, 0, 4]).to_parquet(file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match="a damaged Parquet file"):
        load_parquet(file)


def test_the_extra_is_named_without_pyarrow(tmp_path, monkeypatch):
    hugging_face(IMAGES, [5, 0, 4]).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "skdigits\[parquet\]"'):
        load_parquet(tmp_path / "a.parquet")


def _content():
    file = io.BytesIO()
    hugging_face(IMAGES, [5, 0, 4]).to_parquet(file)
    return file.getvalue()


CONTENT = _content()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(CONTENT)), st.integers(0, 9), st.binary(max_size=6)),
        max_size=3,
    )
)
def test_fuzzed_files_are_read_or_refused(tmp_path_factory, edits):
    content = CONTENT
    for position, cut, insert in edits:
        content = content[:position] + insert + content[position + cut :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.parquet"
    path.write_bytes(content)
    try:
        bunch = load_parquet(path, subset="test")
    except ValueError as error:
        assert str(path) in str(error)
        assert len(str(error)) <= 300
        return
    assert bunch.data.dtype == np.uint8
    assert bunch.target is None or len(bunch.target) == len(bunch.data)
