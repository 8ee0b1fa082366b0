import gzip
import socket
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from skdigits import datasets
from skdigits.datasets import (
    fetch_mnist,
    load_data,
    load_digits,
    load_idx,
    load_kaggle,
    load_pictures,
)

HEADER = "label,pixel0,pixel1,pixel2,pixel3\n"
ROWS = "7,0,10,200,255\n3,1,2,3,4\n"


def idx(values):
    """Bytes of an IDX file."""
    values = np.asarray(values, np.uint8)
    sizes = b"".join(int(n).to_bytes(4, "big") for n in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()


IMAGES = np.arange(24).reshape(2, 3, 4)


@pytest.fixture
def idx_folder(tmp_path):
    for subset, labels in (("train", [5, 9]), ("t10k", [1, 2])):
        (tmp_path / f"{subset}-images-idx3-ubyte").write_bytes(idx(IMAGES))
        (tmp_path / f"{subset}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return tmp_path


@pytest.fixture
def csv_folder(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + ROWS)
    (tmp_path / "test.csv").write_text("pixel0,pixel1,pixel2,pixel3\n9,8,7,6\n")
    return tmp_path


# -- what every loader returns -------------------------------------------------------------


@pytest.mark.parametrize("loader", ["digits", "idx", "kaggle"])
def test_every_loader_returns_the_same_form(loader, request):
    if loader == "digits":
        load = load_digits
    else:
        folder = request.getfixturevalue({"idx": "idx_folder", "kaggle": "csv_folder"}[loader])
        load = lambda **k: {"idx": load_idx, "kaggle": load_kaggle}[loader](folder, **k)  # noqa: E731
    bunch = load()
    n, n_features = bunch.data.shape
    assert bunch.data.dtype == np.uint8
    assert bunch.target.shape == (n,)
    assert bunch.target.dtype == np.int64
    np.testing.assert_array_equal(bunch.images.reshape(n, -1), bunch.data)
    assert bunch.feature_names == [f"pixel{i}" for i in range(n_features)]
    assert bunch.target_names.tolist() == sorted(set(bunch.target.tolist()))
    assert len(bunch.DESCR) > 40
    assert bunch.frame is None
    X, y = load(return_X_y=True)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)
    framed = load(as_frame=True)
    assert isinstance(framed.data, pd.DataFrame)
    assert isinstance(framed.target, pd.Series)
    assert framed.frame.shape == (n, n_features + 1)
    np.testing.assert_array_equal(framed.frame.drop(columns="label").to_numpy(), bunch.data)
    X, y = load(as_frame=True, return_X_y=True)
    assert list(X.columns) == bunch.feature_names
    assert y.name == "label"


def test_digits_are_scikit_learns_as_bytes():
    from sklearn.datasets import load_digits as original

    bunch = load_digits()
    assert (bunch.data.min(), bunch.data.max()) == (0, 255)
    np.testing.assert_allclose(bunch.data / 255, original().data / 16, atol=0.002)
    np.testing.assert_array_equal(bunch.target, original().target)


# -- Kaggle --------------------------------------------------------------------------------


def test_kaggle_train_and_test(csv_folder):
    train, test = load_kaggle(csv_folder), load_kaggle(csv_folder, subset="test")
    assert train.data.tolist() == [[0, 10, 200, 255], [1, 2, 3, 4]]
    assert train.target.tolist() == [7, 3]
    assert train.images.shape == (2, 2, 2)
    assert test.data.tolist() == [[9, 8, 7, 6]]
    assert test.target is None


def test_the_target_is_the_column_that_only_train_has(csv_folder):
    text = "pixel0,pixel1,digit,pixel2,pixel3\n1,2,five,3,4\n"
    (csv_folder / "train.csv").write_text(text)
    bunch = load_kaggle(csv_folder)
    assert bunch.target.tolist() == ["five"]
    assert bunch.data.tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzipped", "plain"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["unix", "windows"])
def test_files_by_name_gzipped_with_mark_and_line_ends(tmp_path, pack, mark, end):
    path = tmp_path / "digits.csv"
    path.write_bytes(pack(mark + (HEADER + ROWS).encode().replace(b"\n", end)))
    assert load_kaggle(path).target.tolist() == [7, 3]
    assert load_kaggle(path).data.tolist() == [[0, 10, 200, 255], [1, 2, 3, 4]]


def test_gzipped_files_in_a_folder(tmp_path):
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress((HEADER + ROWS).encode()))
    assert len(load_kaggle(tmp_path).data) == 2


def test_whole_numbers_written_as_floats_and_blank_lines(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + "7,0.0,1e1,200, 255\n\n3.0,1,2,3,4\n\n")
    bunch = load_kaggle(tmp_path)
    assert bunch.data.tolist() == [[0, 10, 200, 255], [1, 2, 3, 4]]
    assert bunch.target.tolist() == [7, 3]


def test_pixels_that_make_no_square(tmp_path):
    (tmp_path / "train.csv").write_text("label,a,b\n1,2,3\n")
    bunch = load_kaggle(tmp_path)
    assert bunch.data.shape == (1, 2)
    assert bunch.images is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n", "the file is empty"),
        (HEADER, "a header and no rows"),
        ("pixel0,pixel1\n1,2\n", "no column of labels.*subset='test'"),
        ("label\n1\n", "line 1: expected columns of pixels"),
        ("label,a,a\n1,2,3\n", "line 1: the column 'a' is there more than once"),
        ("5,0,0,0\n1,2,3,4\n", "line 1: expected a header .* found the numbers 5, 0, 0"),
        (HEADER + ROWS + "1,2,3,4\n", "line 4: 4 values; expected 5"),
        (HEADER + ROWS + "1,2,3,4,5,6\n", "line 4: 6 values; expected 5"),
        (HEADER + ROWS + "1,2,3,4,5,\n", "line 4: 6 values; expected 5"),
        (HEADER + "1,2,3,4,5,6\n" * 3, "line 2: 6 values; expected 5"),
        (HEADER + ROWS + "1,2,,4,5\n", "line 4: nothing in the column 'pixel1'"),
        (HEADER + ROWS + "1,2,x,4,5\n", "line 4: 'x' in the column 'pixel1'; expected a whole"),
        (HEADER + ROWS + "1,2,3,256,5\n", "line 4: '256' in the column 'pixel2'"),
        (HEADER + ROWS + "1,2,3,-1,5\n", "line 4: '-1' in the column 'pixel2'"),
        (HEADER + ROWS + "1,2,3,0.5,5\n", "line 4: '0.5' in the column 'pixel2'"),
        (HEADER + ROWS + "1,2,3,nan,5\n", "line 4: 'nan' in the column 'pixel2'"),
        (HEADER + ROWS + "1,2,3,99999999999999999999999,5\n", "line 4: '9{23}' in the column"),
        (HEADER + ROWS + ",2,3,4,5\n", "line 4: the column 'label' is empty"),
        (HEADER + '7,"0,10,200,255\n', "line 2: 2 values; expected 5"),
    ],
)
def test_a_bad_csv_gets_one_clear_error(tmp_path, text, message):
    path = tmp_path / "train.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        load_kaggle(path)
    assert str(path) in str(caught.value)


def test_a_fault_far_down_has_its_line(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + ROWS * 20 + "1,2,3,4,999\n" + ROWS)
    with pytest.raises(ValueError, match="line 42: '999'"):
        load_kaggle(tmp_path)


def test_train_and_test_with_different_pixels(csv_folder):
    (csv_folder / "test.csv").write_text("pixel0,pixel1,pixel2\n9,8,7\n")
    with pytest.raises(ValueError, match=r"train.csv has 5 columns and test.csv has 3"):
        load_kaggle(csv_folder)


def test_damaged_gzip_and_other_bytes(tmp_path):
    packed = gzip.compress((HEADER + ROWS * 1000).encode())
    for content in (
        packed[:60],
        packed[:-9],
        b"\x1f\x8b broken",
        b"label,\xff\xfe\n1,2\n",
        b"\0" * 50,
    ):
        (tmp_path / "train.csv").write_bytes(content)
        with pytest.raises(ValueError, match=r"train\.csv"):
            load_kaggle(tmp_path)


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load_kaggle(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"holds no train\.csv"):
        load_kaggle(tmp_path)
    with pytest.raises(ValueError, match="'train' or 'test'; got 'valid'"):
        load_kaggle(tmp_path, subset="valid")


GOOD = (HEADER + ROWS).encode()


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 3), st.binary(max_size=4)), max_size=4
    )
)
@example([(len(HEADER), 0, b'"')])
def test_fuzzed_csv_is_read_right_or_refused(tmp_path_factory, edits):
    content = GOOD
    for position, cut, insert in edits:
        content = content[:position] + insert + content[position + cut :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    path.write_bytes(content)
    try:
        bunch = load_kaggle(path)
    except ValueError as error:
        assert str(path) in str(error)
        return
    # What is accepted is what the text says, cell by cell.
    lines = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cells = [line.replace('"', "").split(",") for line in lines if line.strip()][1:]
    label = [n.strip().lower() for n in lines[0].replace('"', "").split(",")].index("label")
    said = [[int(float(c.strip())) for i, c in enumerate(row) if i != label] for row in cells]
    assert bunch.data.tolist() == said


# -- IDX -----------------------------------------------------------------------------------


def test_idx_train_and_test(idx_folder):
    train, test = load_idx(idx_folder), load_idx(idx_folder, subset="test")
    np.testing.assert_array_equal(train.images, IMAGES)
    assert train.target.tolist() == [5, 9]
    assert test.target.tolist() == [1, 2]
    assert train.images.flags.writeable


def test_idx_by_the_name_of_the_images(idx_folder):
    assert load_idx(idx_folder / "t10k-images-idx3-ubyte").target.tolist() == [1, 2]


def test_idx_with_other_names(tmp_path):
    (tmp_path / "emnist-letters-train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (tmp_path / "emnist-letters-train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx([1, 2])))
    assert load_idx(tmp_path).target.tolist() == [1, 2]
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx([3, 4]))
    with pytest.raises(ValueError, match=r"several collections; name one of the files: emnist-"):
        load_idx(tmp_path)
    assert load_idx(tmp_path / "train-images.idx3-ubyte").target.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (b"", idx([5, 9]), r"starts with the bytes \(none\).*00 00 08 03"),
        (b"\x89PNG1234", idx([5, 9]), "starts with the bytes 89 50 4e 47"),
        (idx([5, 9]), idx([5, 9]), "starts with the bytes 00 00 08 01; .* 3 dimensions"),
        (idx(IMAGES)[:9], idx([5, 9]), "ends at byte 9, inside its header"),
        (idx(IMAGES)[:-1], idx([5, 9]), r"24 values of shape \(2, 3, 4\); the file holds 23"),
        (idx(IMAGES) + b"!", idx([5, 9]), "the file holds more"),
        (b"\0\0\x08\x03" + b"\xff" * 12, idx([5, 9]), "the file holds 0"),
        (idx(np.zeros((0, 3, 4))), idx([]), r"shape \(0, 3, 4\); there is nothing"),
        (idx(IMAGES), idx([5, 9, 1]), "holds 2 images and .* holds 3 labels"),
        (gzip.compress(idx(IMAGES))[:-6], idx([5, 9]), "gzip file is damaged or truncated"),
        (b"\x1f\x8b\0\0\0\0\0\0\0\0\0", idx([5, 9]), "gzip file is damaged"),
    ],
)
def test_a_bad_idx_file_gets_one_clear_error(tmp_path, images, labels, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(images)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(labels)
    with pytest.raises(ValueError, match=message) as caught:
        load_idx(tmp_path)
    assert path.name in str(caught.value)


def test_missing_idx_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file of train images such as train-images"):
        load_idx(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load_idx(tmp_path / "train-images-idx3-ubyte")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    with pytest.raises(FileNotFoundError, match="expected train-labels-idx1-ubyte"):
        load_idx(tmp_path)
    bunch = load_idx(tmp_path / "train-images-idx3-ubyte", subset="test")
    assert bunch.target is None
    np.testing.assert_array_equal(bunch.images, IMAGES)
    assert "and no labels" in bunch.DESCR


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=40) | st.tuples(st.integers(0, 39), st.integers(0, 255)),
    st.booleans(),
)
def test_fuzzed_idx_is_read_right_or_refused(tmp_path_factory, damage, packed):
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    folder.mkdir(exist_ok=True)
    content = bytearray(gzip.compress(idx(IMAGES)) if packed else idx(IMAGES))
    if isinstance(damage, bytes):
        content = damage
    else:
        content[damage[0] % len(content)] = damage[1]
    (folder / "train-images-idx3-ubyte").write_bytes(content)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx([5, 9]))
    try:
        bunch = load_idx(folder)
    except ValueError:
        return
    assert bunch.data.size == 24
    assert len(bunch.target) == 2


# -- pictures ------------------------------------------------------------------------------


@pytest.fixture
def picture_folder(tmp_path):
    """Twelve bundled digits as PNG and JPEG, black on white, in a folder per label."""
    bunch = load_digits()
    for i in range(12):
        folder = tmp_path / str(bunch.target[i])
        folder.mkdir(exist_ok=True)
        large = np.pad(np.kron(255 - bunch.images[i], np.ones((6, 6), np.uint8)), 9, mode="edge")
        Image.fromarray(large).save(folder / f"{i:02d}{'.png' if i % 2 else '.JPG'}")
    (tmp_path / "3" / "notes.txt").write_text("not a picture")
    return tmp_path


def test_pictures_by_folder(picture_folder):
    bunch = load_pictures(picture_folder)
    assert bunch.data.shape == (12, 784)
    assert bunch.data.dtype == np.uint8
    assert bunch.target.tolist() == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(bunch.images.reshape(12, -1), bunch.data)
    assert [Path(name).parent.name for name in bunch.filenames] == bunch.target.astype(str).tolist()
    assert len(load_data(picture_folder).data) == 12


def test_pictures_without_labels(picture_folder):
    one = load_pictures(picture_folder / "3" / "03.png", subset="test")
    assert one.data.shape == (1, 784)
    assert one.target is None
    flat = load_data(picture_folder / "1", subset="test")
    assert len(flat.filenames) == 2
    with pytest.raises(ValueError, match="one subfolder per label, named after it"):
        load_pictures(picture_folder / "1")


def test_pictures_lying_on_their_side_and_of_sixteen_bits(picture_folder):
    upright = load_pictures(picture_folder).images[0]
    with Image.open(picture_folder / "0" / "00.JPG") as picture:
        exif = picture.getexif()
        exif[0x0112] = 6
        lying = picture.transpose(Image.Transpose.ROTATE_90)
        deep = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    lying.save(picture_folder / "0" / "lying.png", exif=exif)
    deep.save(picture_folder / "0" / "deep.png")
    for image in load_pictures(picture_folder).images[2:4]:
        np.testing.assert_allclose(image.astype(int), upright, atol=1)


def test_a_picture_beside_the_folders_is_named(picture_folder):
    (picture_folder / "3" / "03.png").rename(picture_folder / "stray.png")
    with pytest.raises(ValueError, match=r"named after it; stray\.png is in none"):
        load_pictures(picture_folder)


def test_folders_with_other_names(picture_folder):
    (picture_folder / "3").rename(picture_folder / "three")
    assert "three" in load_pictures(picture_folder, return_X_y=True)[1].tolist()
    (picture_folder / "three").rename(picture_folder / ("9" * 30))
    assert "9" * 30 in load_pictures(picture_folder, return_X_y=True)[1].tolist()


def test_bad_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load_pictures(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"holds no pictures \(\.bmp"):
        load_pictures(tmp_path)
    for content in (b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.png: not a picture, or damaged"):
            load_pictures(tmp_path, subset="test")


# -- any source ----------------------------------------------------------------------------


def test_load_data_looks_at_what_is_there(idx_folder):
    assert len(load_data().data) == len(load_data("digits").data) == 1797
    assert load_data(idx_folder).target.tolist() == [5, 9]
    assert load_data(idx_folder / "t10k-images-idx3-ubyte").target.tolist() == [1, 2]
    (idx_folder / "train.csv").write_text(HEADER + ROWS)
    assert load_data(idx_folder).target.tolist() == [7, 3]
    assert load_data(str(idx_folder / "train.csv"), return_X_y=True)[1].tolist() == [7, 3]
    assert load_data(idx_folder, subset="test").target.tolist() == [1, 2]


def test_load_data_says_what_it_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="'digits' for the bundled digits"):
        load_data("nowhere")
    with pytest.raises(FileNotFoundError, match=r"expected train\.csv, train\.csv\.gz, IDX"):
        load_data(tmp_path)


# -- OpenML --------------------------------------------------------------------------------


def _joined(chunks):
    data, target = zip(*chunks, strict=True)
    return np.concatenate(data), None if target[0] is None else np.concatenate(target), len(data)


@pytest.mark.parametrize("subset", ["train", "test"])
@pytest.mark.parametrize("source", ["csv_folder", "idx_folder", "picture_folder", "digits"])
def test_chunks_are_parts_of_the_whole(source, subset, request):
    source = source if source == "digits" else request.getfixturevalue(source)
    X, y = datasets.load_data(source, subset=subset, return_X_y=True)
    for chunk_size in (1, 2, max(1, len(X) - 1), len(X), 10_000):
        chunks = datasets.iter_data(source, subset=subset, chunk_size=chunk_size)
        data, target, n_chunks = _joined(chunks)
        assert n_chunks == -(-len(X) // chunk_size)
        np.testing.assert_array_equal(data.reshape(X.shape), X)
        np.testing.assert_array_equal(target, y)
        assert data.dtype == X.dtype


def test_chunks_of_floats_and_blank_lines(tmp_path):
    rows = [f"{i % 10},{i}.0,{i}" for i in range(30)]
    (tmp_path / "train.csv").write_text("\n".join(["label,a,b", *rows[:9], "", "", *rows[9:], ""]))
    X, y = load_kaggle(tmp_path, return_X_y=True)
    data, target, _ = _joined(datasets.iter_data(tmp_path, subset="train", chunk_size=10))
    np.testing.assert_array_equal(data, X)
    np.testing.assert_array_equal(target, y)


def test_a_fault_in_a_later_chunk_has_its_line(tmp_path):
    file = tmp_path / "test.csv"
    file.write_text("a,b\n" + "1,2\n" * 25 + "3,x\n" + "1,2\n" * 25)
    chunks = datasets.iter_data(file, chunk_size=10)
    assert len(next(chunks)[0]) == len(next(chunks)[0]) == 10
    with pytest.raises(ValueError, match="line 27: 'x' in the column 'b'"):
        next(chunks)
    file.write_text("a,b\n\n\n")
    with pytest.raises(ValueError, match="a header and no rows"):
        list(datasets.iter_data(file))


def test_a_truncated_file_is_refused_when_its_end_is_reached(idx_folder, tmp_path):
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        file = next(idx_folder.glob(f"{name}*"))
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
        (tmp_path / name).write_bytes(content)
    images = tmp_path / "t10k-images-idx3-ubyte"
    whole = images.read_bytes()
    images.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="the header promises"):
        list(datasets.iter_data(tmp_path, chunk_size=1))
    images.write_bytes(whole + b"\0")
    with pytest.raises(ValueError, match="the file holds more"):
        list(datasets.iter_data(tmp_path, chunk_size=1))


def test_fetch_mnist_without_a_network_names_the_other_ways(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(
        OSError, match=r"load_digits\(\).*load_idx\(folder\).*load_kaggle\(folder\)"
    ):
        fetch_mnist(data_home=tmp_path)


def test_fetch_mnist_makes_bytes_and_splits(monkeypatch):
    from sklearn.utils import Bunch

    data = np.zeros((70_000, 784), np.float32)
    data[59_999, 5], data[60_000, 6] = 255, 17
    labels = np.array(["3"] * 60_000 + ["8"] * 10_000, dtype=object)
    monkeypatch.setattr(
        datasets.openml,
        "fetch_openml",
        lambda *a, **k: Bunch(data=data, target=labels, DESCR="d" * 50),
    )
    train, test = fetch_mnist(subset="train"), fetch_mnist(subset="test")
    assert train.data.dtype == np.uint8
    assert train.data[-1, 5] == 255
    assert test.data[0, 6] == 17
    assert set(train.target) == {3}
    assert set(test.target) == {8}
    assert len(fetch_mnist(return_X_y=True)[1]) == 70_000
    with pytest.raises(ValueError, match="subset should be one of"):
        fetch_mnist(subset="valid")


# -- real files ----------------------------------------------------------------------------


def test_real_mnist(mnist_folder):
    train, test = load_idx(mnist_folder), load_data(mnist_folder, subset="test")
    assert train.images.shape == (60_000, 28, 28)
    assert test.images.shape == (10_000, 28, 28)
    assert np.bincount(train.target).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]


def test_kaggle_needs_little_memory(kaggle_folder):
    tracemalloc.start()
    bunch = load_kaggle(kaggle_folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bunch.data.shape == (42_000, 784)
    assert peak - bunch.data.nbytes < 100e6
