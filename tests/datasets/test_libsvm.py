import bz2
import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import dump_svmlight_file

from skdigits.datasets import load_digits, load_libsvm
from skdigits.datasets.libsvm import read_libsvm

DIGITS = load_digits()
LARGE = np.pad(np.kron(DIGITS.images[:50], np.ones((2, 2), np.uint8)), ((0, 0), (6, 6), (6, 6)))
ROWS, LABELS = LARGE.reshape(50, -1), DIGITS.target[:50]


def write(file, X, y=LABELS, zero_based=False):
    dump_svmlight_file(np.asarray(X, float), y[: len(X)], str(file), zero_based=zero_based)


@pytest.mark.parametrize("X", [ROWS, ROWS / 255, ROWS[:, :640]], ids=["mnist", "scale", "cut"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gz", "bz2"])
def test_the_last_pixels_may_be_missing(tmp_path, X, pack):
    write(tmp_path / "mnist", X)
    (tmp_path / "mnist").write_bytes(pack((tmp_path / "mnist").read_bytes()))
    with pytest.warns(UserWarning, match=r"the last pixel has the number \d{3}; .* read as 28×28"):
        bunch = load_libsvm(tmp_path / "mnist")
    np.testing.assert_array_equal(bunch.images, LARGE)
    assert bunch.target.tolist() == LABELS.tolist()
    assert bunch.target.dtype == np.int64


@pytest.mark.parametrize("subset", ["train", "test"])
def test_mnist_has_780_features(tmp_path, subset):
    (tmp_path / "mnist").write_text("5 153:3 780:255 \n0 1:7\n")
    X, y = load_libsvm(tmp_path / "mnist", subset=subset, return_X_y=True)
    assert X.shape == (2, 784)
    assert [X[0, 152], X[0, 779], X[1, 0], X.sum()] == [3, 255, 7, 265]
    assert y.tolist() == [5, 0]


def test_usps_is_scaled_from_minus_1_to_1(tmp_path):
    X = DIGITS.images[:50].repeat(2, axis=1).repeat(2, axis=2).reshape(50, -1)
    write(tmp_path / "usps", X / 127.5 - 1)
    np.testing.assert_array_equal(load_libsvm(tmp_path / "usps", return_X_y=True)[0], X)


@pytest.mark.parametrize("X", [np.tile(ROWS, (3, 1)), DIGITS.data[:150]], ids=["28", "8"])
@pytest.mark.filterwarnings("ignore:.*the last pixel has the number")
def test_pixels_that_are_numbered_from_0_are_reported(tmp_path, X):
    write(tmp_path / "a", X, y=np.resize(LABELS, len(X)), zero_based=True)
    with pytest.warns(UserWarning, match="numbered from 0, although LIBSVM counts from 1"):
        np.testing.assert_array_equal(load_libsvm(tmp_path / "a", return_X_y=True)[0], X)


def test_an_index_of_0_is_the_first_pixel(tmp_path):
    (tmp_path / "a").write_text("5 0:3 63:255\n")
    X, _ = load_libsvm(tmp_path / "a", return_X_y=True)
    assert [X[0, 0], X[0, 63], X.size] == [3, 255, 64]


@pytest.mark.filterwarnings("ignore:.*the last pixel has the number")
def test_chunks_are_parts_of_the_whole(tmp_path):
    write(tmp_path / "a", ROWS)
    chunks = list(read_libsvm(tmp_path / "a", "train").chunks(30, lines=True))
    assert [len(chunk.data) for chunk in chunks] == [30, 20]
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), ROWS)
    assert chunks[1].target.tolist() == LABELS[30:].astype(str).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5 1:1 785:2\n", "785 features, 1 more than 28×28 pixels"),
        ("5 0:1 784:2\n", "785 features, 1 more"),
        ("5 1:1 257:2\n", "257 features, 1 more than 16×16"),
        ("5 1:1 1500:2\n", "1500 features; expected pixels of square"),
        ("5 1:1 999999999:2\n", "999999999 features"),
        ("5 1:300\n", r"has values from 0 to 300"),
        ("5 1:-7\n", r"has values from -7 to 0"),
        ("5 1:nan\n", "missing or infinite"),
        ("5.5 1:1\n", r"not a whole number; found 5\.5"),
        ("1,2 1:1\n", "not a LIBSVM file"),
        ("a 1:1\n", "not a LIBSVM file"),
        ("5 1:1 x:2\n", "not a LIBSVM file"),
        ("5\n6\n", "the file has no values"),
        ("", "not a LIBSVM file, or damaged|no values"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*the last pixel has the number")
def test_what_is_refused_is_said(tmp_path, text, message):
    (tmp_path / "a").write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        load_libsvm(tmp_path / "a")
    assert len(str(caught.value)) <= 300


def test_damaged_and_missing_files_are_said(tmp_path):
    write(tmp_path / "a", ROWS)
    for pack in (gzip.compress, bz2.compress):
        (tmp_path / "b").write_bytes(pack((tmp_path / "a").read_bytes())[:-300])
        with pytest.raises(ValueError, match="or damaged"):
            load_libsvm(tmp_path / "b")
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_libsvm(tmp_path / "c")


TOKEN = st.sampled_from(
    [
        "5",
        "-1",
        "0.5",
        "1:1",
        "2:255",
        "3:0.5",
        "0:1",
        "64:9",
        "785:1",
        "1:1e9",
        ":1",
        "1:",
        "x",
        "07",
        "#",
        "qid:3",
        "1:nan",
    ]
)


@pytest.mark.filterwarnings("ignore:.*the last pixel has the number")
@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(TOKEN, max_size=5).map(" ".join), max_size=4).map("\n".join) | st.text())
def test_fuzzed_files_are_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzzed.libsvm"
    path.write_text(text, encoding="utf-8")
    try:
        bunch = load_libsvm(path)
    except ValueError as error:
        assert str(path) in str(error)
        assert len(str(error)) <= 300
        assert "\n" not in str(error)
        return
    assert bunch.data.dtype == np.uint8
    assert len(bunch.target) == len(bunch.data)


def test_a_column_too_many_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(1, 200, (1000, 26, 26))
    images = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    rows = np.pad(images.reshape(1000, -1), [(0, 0), (1, 0)])[:, :784]  # an empty first column
    dump_svmlight_file(rows, np.arange(1000) % 10, str(tmp_path / "shifted"), zero_based=False)
    with pytest.raises(
        ValueError, match="shifted to the right by a pixel. Probably the first feature"
    ):
        load_libsvm(tmp_path / "shifted")
    dump_svmlight_file(
        images.reshape(1000, -1), np.arange(1000) % 10, str(tmp_path / "right"), zero_based=False
    )
    assert load_libsvm(tmp_path / "right").images.shape == (1000, 28, 28)
