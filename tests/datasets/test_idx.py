import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdigits.datasets import load_data, load_idx
from skdigits.datasets.idx import iter_idx
from skdigits.datasets.recognition import format_of


def idx(values):
    """Bytes of an IDX file."""
    values = np.asarray(values, np.uint8)
    sizes = b"".join(int(n).to_bytes(4, "big") for n in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()


IMAGES = np.arange(24).reshape(2, 3, 4)


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
    with pytest.raises(ValueError, match=r"several data sets; pass one of the files: emnist-"):
        load_idx(tmp_path)
    assert load_idx(tmp_path / "train-images.idx3-ubyte").target.tolist() == [3, 4]


@pytest.mark.parametrize("name", ["emnist-digits-train", "EMNIST-letters-train"])
def test_images_of_emnist_are_turned_upright(tmp_path, name):
    (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(idx([1, 2]))
    file = tmp_path / f"{name}-images-idx3-ubyte"
    bunch = load_idx(file)
    np.testing.assert_array_equal(bunch.images, IMAGES.transpose(0, 2, 1))
    assert "turned upright" in bunch.DESCR
    assert bunch.data.flags.c_contiguous
    chunks = list(iter_idx(file, "train", 1))
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), bunch.images)


def test_digits_on_their_side_are_reported(tmp_path, digits):
    X, y = digits
    images, labels = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx(y))
    images.write_bytes(idx(X.reshape(-1, 8, 8).transpose(0, 2, 1)))
    with pytest.warns(UserWarning, match="seem to be transposed"):
        load_idx(tmp_path)
    with pytest.warns(UserWarning, match="seem to be transposed"):
        next(iter_idx(tmp_path, "train", 8192))
    images.write_bytes(idx(X.reshape(-1, 8, 8)))
    assert "turned" not in load_idx(tmp_path).DESCR


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (b"", idx([5, 9]), r"starts with the bytes \(none\).*00 00 08 03"),
        (b"\x89PNG1234", idx([5, 9]), "starts with the bytes 89 50 4e 47"),
        (idx([5, 9]), idx([5, 9]), "starts with the bytes 00 00 08 01; .* a 3-dimensional array"),
        (idx(IMAGES)[:9], idx([5, 9]), "ends at byte 9, inside its header"),
        (
            idx(IMAGES)[:-1],
            idx([5, 9]),
            r"expected 24 values of shape \(2, 3, 4\), as in the header; the file has 23",
        ),
        (idx(IMAGES) + b"!", idx([5, 9]), "the file has more"),
        (b"\0\0\x08\x03" + b"\xff" * 12, idx([5, 9]), "has 4294967295 images, but .* 2 labels"),
        (idx(np.zeros((0, 3, 4))), idx([]), r"shape \(0, 3, 4\)"),
        (idx(IMAGES), idx([5, 9, 1]), "has 2 images, but .* has 3 labels"),
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


def test_a_header_that_says_too_much_takes_no_memory(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)
    with pytest.raises(ValueError, match="the file has 0"):
        load_idx(path, subset="test")


def test_a_truncated_file_is_refused_when_its_end_is_reached(idx_folder, tmp_path):
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        file = next(idx_folder.glob(f"{name}*"))
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
        (tmp_path / name).write_bytes(content)
    images = tmp_path / "t10k-images-idx3-ubyte"
    whole = images.read_bytes()
    images.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="expected 12 values of .* header; the file has 11"):
        list(iter_idx(tmp_path, "test", 1))
    images.write_bytes(whole + b"\0")
    with pytest.raises(ValueError, match="the file has more"):
        list(iter_idx(tmp_path, "test", 1))


def test_missing_idx_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file of train images, such as train-images"):
        load_idx(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load_idx(tmp_path / "train-images-idx3-ubyte")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    with pytest.raises(FileNotFoundError, match="expected train-labels-idx1-ubyte"):
        load_idx(tmp_path)
    bunch = load_idx(tmp_path / "train-images-idx3-ubyte", subset="test")
    assert bunch.target is None
    np.testing.assert_array_equal(bunch.images, IMAGES)
    assert "no labels" in bunch.DESCR


def test_folders_with_the_names_of_files_are_no_files(idx_folder):
    images = idx_folder / "train-images-idx3-ubyte"
    images.with_name(f"{images.name}.gz").write_bytes(gzip.compress(images.read_bytes()))
    images.unlink()
    images.mkdir()
    (idx_folder / "train-labels-idx1-ubyte").mkdir()
    assert load_idx(idx_folder).target.tolist() == [5, 9]


def test_idx_files_are_recognized_by_their_content(tmp_path):
    file = tmp_path / "file"
    for content, expected in [
        (idx(IMAGES), "idx"),
        (gzip.compress(idx([5, 9])), "idx"),
        (b"label,pixel0\n1,2\n", "csv"),
        (gzip.compress(b"label,pixel0\n1,2\n"), "csv"),
        (b"\0\0\x07\x01", "csv"),
        (b"\0\0", "csv"),
    ]:
        file.write_bytes(content)
        assert format_of(file) == expected, content
    for content in (b"\x1f\x8b broken", b""):
        file.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged or truncated|is empty"):
            format_of(file)


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
