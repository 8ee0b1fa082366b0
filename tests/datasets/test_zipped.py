import gzip
import io
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdigits.datasets.kaggle import load_kaggle
from skdigits.datasets.sources import iter_chunks
from skdigits.datasets.zipped import find_zip, is_zip, iter_zip, load_zip

HEADER = "label,pixel0,pixel1,pixel2,pixel3\n"
TRAIN = HEADER + "7,0,10,200,255\n3,1,2,3,4\n"
TEST = "pixel0,pixel1,pixel2,pixel3\n9,8,7,6\n"
KAGGLE = {"sample_submission.csv": "ImageId,Label\n1,0\n", "test.csv": TEST, "train.csv": TRAIN}


def archive(members, method=zipfile.ZIP_DEFLATED):
    """Bytes of a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def kaggle_zip(tmp_path):
    path = tmp_path / "digit-recognizer.zip"
    path.write_bytes(archive(KAGGLE))
    return path


@pytest.mark.parametrize("load", [load_zip, load_kaggle])
def test_the_archive_of_kaggle(kaggle_zip, load):
    train, test = load(kaggle_zip), load(kaggle_zip, subset="test")
    assert train.data.tolist() == [[0, 10, 200, 255], [1, 2, 3, 4]]
    assert train.target.tolist() == [7, 3]
    assert test.data.tolist() == [[9, 8, 7, 6]]
    assert test.target is None
    assert "train.csv: 2 images" in train.DESCR


def test_the_archive_in_chunks(kaggle_zip):
    for chunks in (
        iter_zip(kaggle_zip, "train", 1, lines=True),
        iter_chunks(kaggle_zip, subset="train", chunk_size=1, lines=True),
    ):
        first, second = chunks
        assert first.data.tolist() == [[0, 10, 200, 255]]
        assert [*first.target, *second.target] == ["7", "3"]


def test_a_folder_that_holds_the_archive(kaggle_zip):
    folder = kaggle_zip.parent
    assert find_zip(folder) == kaggle_zip
    assert load_kaggle(folder).target.tolist() == [7, 3]
    assert len(next(iter_chunks(folder, subset="test")).data) == 1
    (folder / "train.csv").write_text("label,a\n5,1\n")
    assert load_kaggle(folder).target.tolist() == [5]
    (folder / "train.csv").unlink()
    (folder / "other.zip").write_bytes(kaggle_zip.read_bytes())
    assert find_zip(folder) is None
    with pytest.raises(FileNotFoundError, match=r"has no train\.csv"):
        load_kaggle(folder)


def test_the_archive_is_not_unpacked(kaggle_zip):
    load_kaggle(kaggle_zip)
    list(iter_chunks(kaggle_zip, subset="train"))
    assert list(kaggle_zip.parent.iterdir()) == [kaggle_zip]


@pytest.mark.parametrize(
    "members",
    [
        {"data/train.csv": TRAIN, "data/test.csv": TEST, "__MACOSX/data/._train.csv": "x"},
        {"a/b/mnist_train.csv.gz": gzip.compress(TRAIN.encode())},
        {"mnist_784.csv": TRAIN, "README.md": "text"},
    ],
    ids=["folder", "folders and gzip", "one file"],
)
def test_where_the_files_of_an_archive_are(tmp_path, members):
    path = tmp_path / "archive.zip"
    path.write_bytes(archive(members))
    assert load_zip(path).target.tolist() == [7, 3]
    assert next(iter_zip(path, "train", 8)).target.tolist() == [7, 3]


@pytest.mark.parametrize("folder", ["", "gzip/"])
def test_idx_files_in_an_archive(tmp_path, idx_folder, folder):
    files = {folder + file.name: file.read_bytes() for file in idx_folder.iterdir()}
    path = tmp_path / "mnist.zip"
    path.write_bytes(archive(files))
    train = load_zip(path)
    assert train.images.shape == (2, 3, 4)
    assert train.target.tolist() == [5, 9]
    (chunk,) = iter_zip(path, "test", 8)
    assert chunk.target.tolist() == [1, 2]


def test_labels_of_idx_files_in_an_archive_are_needed(tmp_path, idx_folder):
    name = "train-images-idx3-ubyte"
    path = tmp_path / "mnist.zip"
    path.write_bytes(archive({name: (idx_folder / name).read_bytes()}))
    with pytest.raises(FileNotFoundError, match="expected train-labels-idx1-ubyte"):
        load_zip(path)


def test_archives_are_recognized_by_their_content(tmp_path, kaggle_zip):
    file = tmp_path / "train.csv"
    file.write_bytes(kaggle_zip.read_bytes())
    assert is_zip(file)
    assert load_kaggle(file).target.tolist() == [7, 3]
    file.write_bytes(archive({}))
    assert is_zip(file)
    file.write_text("PK,a\n")
    assert not is_zip(file)
    assert not is_zip(tmp_path)
    assert not is_zip(tmp_path / "missing")


def test_the_only_table_of_an_archive_is_not_taken_for_another_subset(tmp_path):
    path = tmp_path / "a.zip"
    for name, found in {"mnist_train_small.csv": "train", "my_test.csv": "test"}.items():
        other = "test" if found == "train" else "train"
        path.write_bytes(archive({name: TRAIN}))
        assert len(load_zip(path, subset=found).data) == 2
        with pytest.raises(FileNotFoundError, match=f"contains neither {other}.csv"):
            load_zip(path, subset=other)


def _flipped(content, position):
    changed = bytearray(content)
    changed[position] ^= 0xFF
    return bytes(changed)


WHOLE = archive(KAGGLE)
STORED = archive({"train.csv": TRAIN}, zipfile.ZIP_STORED)
ENCRYPTED = bytearray(STORED)
ENCRYPTED[6] |= 1  # in the member's header, and in the directory
ENCRYPTED[STORED.index(b"PK\x01\x02") + 8] |= 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (WHOLE[:-30], "the zip archive is damaged, or its download was interrupted"),
        (WHOLE[: len(WHOLE) // 2], "the zip archive is damaged, or its download was interrupted"),
        (_flipped(STORED, STORED.index(b"200")), r"train\.csv: .* damaged \(BadZipFile"),
        (bytes(ENCRYPTED), r"train\.csv: .* damaged \(RuntimeError: .* encrypted"),
        (archive({"train.csv": "label,a\n1,x\n"}), r"a\.zip.train\.csv, line 2: 'x' in the column"),
        (archive({"train.csv": "label,pixel0\n" + "1,1\n" * 10 + "1"}), "line 12: 1 values"),
    ],
)
def test_a_bad_archive_gets_one_clear_error(tmp_path, content, message):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    for load in (load_zip, load_kaggle, lambda path: list(iter_zip(path, "train", 8))):
        with pytest.raises(ValueError, match=message) as caught:
            load(path)
        assert len(str(caught.value)) <= 300


def test_archives_without_data(tmp_path, kaggle_zip):
    path = tmp_path / "a.zip"
    for members in ({}, {"notes.txt": "x"}, {"a.csv": TRAIN, "b.csv": TRAIN}):
        path.write_bytes(archive(members))
        with pytest.raises(FileNotFoundError, match="contains neither train.csv nor an IDX file"):
            load_zip(path)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load_zip(tmp_path / "missing.zip")
    with pytest.raises(ValueError, match="'train' or 'test'; got 'valid'"):
        iter_zip(kaggle_zip, "valid")


@pytest.mark.parametrize("start", [b"", b"label,pixel0\n"], ids=["", "header"])
def test_a_zip_bomb_is_refused_in_little_memory(tmp_path, start):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("train.csv", "w") as f:
        f.write(start)
        for _ in range(200):
            f.write(b"1" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(ValueError, match="train.csv"):
        load_zip(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 150e6


@pytest.mark.parametrize("name", ["?", "/", "//", "//train.csv", "/train.csv", "a//train.csv"])
def test_names_that_make_python_search_for_ever_are_refused(tmp_path, name):
    content = archive({name: TRAIN}).replace(b"?", b"\0")  # a name ends at a zero
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match="damaged.*a member has the invalid name"):
        load_zip(tmp_path / "a.zip")


@settings(max_examples=200, deadline=None)
@given(st.tuples(st.integers(0, 2000), st.integers(0, 255)) | st.binary(max_size=40), st.booleans())
def test_a_fuzzed_archive_is_read_right_or_refused(tmp_path_factory, damage, stored):
    content = bytearray(STORED if stored else WHOLE)
    if isinstance(damage, bytes):
        content = b"PK\x03\x04" + damage
    else:
        content[damage[0] % len(content)] = damage[1]
    path = tmp_path_factory.getbasetemp() / "fuzzed.zip"
    path.write_bytes(content)
    try:
        bunch = load_zip(path)
    except (ValueError, FileNotFoundError) as error:
        assert len(str(error)) <= 300
        return
    np.testing.assert_array_equal(bunch.data, [[0, 10, 200, 255], [1, 2, 3, 4]])
    assert bunch.target.tolist() == [7, 3]


def test_no_archive_stays_open(kaggle_zip):
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        load_kaggle(kaggle_zip)
        next(iter_chunks(kaggle_zip))
