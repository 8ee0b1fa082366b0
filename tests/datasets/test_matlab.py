import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from skdigits.datasets import load_digits, load_mat
from skdigits.datasets.matlab import read_mat, read_variables

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 4, 4), dtype=np.uint8)
TURNED = IMAGES.transpose(0, 2, 1).reshape(3, 16)  # as MATLAB's reshape writes rows


def test_emnist_is_turned_upright(tmp_path):
    part = {"images": TURNED, "labels": np.array([[1], [2], [3]]), "writers": np.zeros((3, 1))}
    other = {"images": TURNED[:1], "labels": np.array([[7]])}
    mapping = np.array([[0, 48], [1, 49]])
    savemat(tmp_path / "e.mat", {"dataset": {"train": part, "test": other, "mapping": mapping}})
    bunch = load_mat(tmp_path / "e.mat")
    np.testing.assert_array_equal(bunch.images, IMAGES)
    assert bunch.target.tolist() == [1, 2, 3]
    assert "(dataset.train), turned upright: 3 images" in bunch.DESCR
    bunch = load_mat(tmp_path / "e.mat", subset="test")
    np.testing.assert_array_equal(bunch.images, IMAGES[:1])


@pytest.mark.parametrize("subset", ["train", "test"])
def test_mnist_original_has_a_column_per_image(tmp_path, subset):
    data = np.zeros((784, 70_000), np.uint8)
    data[1, 59_999:60_001] = 5, 6
    labels = np.repeat([0.0, 9.0], [60_000, 10_000])[np.newaxis]
    savemat(tmp_path / "m.mat", {"data": data, "label": labels}, do_compression=True)
    bunch = load_mat(tmp_path / "m.mat", subset=subset)
    edge = {"train": (-1, 5), "test": (0, 6)}[subset]
    assert bunch.images[edge[0], 0, 1] == edge[1]
    assert len(bunch.data) == {"train": 60_000, "test": 10_000}[subset]
    assert set(bunch.target.tolist()) == {0 if subset == "train" else 9}


def test_svhn_becomes_grey_and_its_10_is_reported(tmp_path):
    X = np.repeat(IMAGES.transpose(1, 2, 0)[:, :, np.newaxis], 3, axis=2)
    savemat(tmp_path / "s.mat", {"X": X, "y": np.array([[1], [10], [9]], np.uint8)})
    with pytest.warns(UserWarning, match="10 means the digit 0. The labels are not changed"):
        bunch = load_mat(tmp_path / "s.mat")
    np.testing.assert_array_equal(bunch.images, IMAGES)
    assert bunch.target.tolist() == [1, 10, 9]


def test_coursera_is_turned_upright(tmp_path):
    images = RNG.random((3, 20, 20)) * 1.2 - 0.1
    X = images.transpose(0, 2, 1).reshape(3, 400)
    savemat(tmp_path / "ex3data1.mat", {"X": X, "y": np.array([[10], [1], [2]], np.uint8)})
    with pytest.warns(UserWarning, match="10 means the digit 0"):
        bunch = load_mat(tmp_path / "ex3data1.mat")
    expected = np.rint(np.clip(images.astype(np.float32), 0, 1) * np.float32(255))
    np.testing.assert_array_equal(bunch.images, expected)


def test_logical_images_are_black_and_white(tmp_path):
    savemat(tmp_path / "l.mat", {"X": TURNED > 127, "y": np.array([3, 1, 2])})
    np.testing.assert_array_equal(load_mat(tmp_path / "l.mat").data, (TURNED > 127) * 255)


def test_usps_has_one_hot_columns(tmp_path):
    patterns = (TURNED.T / 127.5) - 1
    labels = 2 * np.eye(10)[:, [4, 0, 9]] - 1
    arrays = {"train_patterns": patterns, "train_labels": labels}
    savemat(tmp_path / "u.mat", arrays | {"test_patterns": patterns, "test_labels": labels})
    bunch = load_mat(tmp_path / "u.mat")
    np.testing.assert_array_equal(bunch.data, TURNED)
    assert bunch.target.tolist() == [4, 0, 9]


@pytest.mark.parametrize("subset", ["train", "test"])
def test_other_sets_are_not_turned_but_reported(tmp_path, subset):
    digits = load_digits()
    X = digits.images.transpose(0, 2, 1).reshape(-1, 64)
    savemat(tmp_path / "d.mat", {"X": X, "y": digits.target[:, np.newaxis]})
    with pytest.warns(UserWarning, match="seem to be transposed"):
        bunch = load_mat(tmp_path / "d.mat", subset=subset)
    np.testing.assert_array_equal(bunch.data, X)


def test_chunks_are_parts_of_the_whole(tmp_path):
    savemat(tmp_path / "d.mat", {"X": TURNED, "y": np.array([[3], [1], [2]])})
    chunks = list(read_mat(tmp_path / "d.mat", "train").chunks(2, lines=True))
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), TURNED)
    assert np.concatenate([chunk.target for chunk in chunks]).tolist() == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"theta": np.ones((3, 4))}, r"has theta \(3, 4\); expected arrays such as X and y"),
        ({"dataset": {"train": {"x": 1}}}, r"dataset\.train\.images is missing"),
        ({"X": TURNED}, "there are no labels"),
        ({"X": TURNED, "y": np.arange(5)}, "there are 5 labels"),
        ({"X": TURNED * 2.5, "y": np.arange(3)}, "has values from"),
        (b"", r"damaged \(ValueError: its header is not that of a MATLAB file\)"),
        (bytes(range(9, 250)), "not a MATLAB file, or damaged"),
        (b"MATLAB 7.3 MAT-file" + bytes(105) + b"\x00\x02IM" + bytes(600), r"7\.3 \(HDF5\)"),
        (b"MATLAB 5.0 MAT-file" + bytes(105) + b"\x00\x01IM" + bytes(9), "damaged"),
        (b"label,a\n1,2\n" * 90, "not a MATLAB file, or damaged"),
    ],
)
def test_what_is_refused_is_said(tmp_path, content, message):
    file = tmp_path / "a.mat"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        savemat(file, content)
    with pytest.raises(ValueError, match=message) as caught:
        load_mat(file)
    assert len(str(caught.value)) <= 300


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_mat(tmp_path / "a.mat")


def _content():
    file = io.BytesIO()
    savemat(file, {"X": TURNED, "y": np.array([[1], [2], [3]])})
    return file.getvalue()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 420), st.integers(0, 9), st.binary(max_size=6)), max_size=3)
)
def test_fuzzed_files_are_read_or_refused(tmp_path_factory, edits):
    content = CONTENT
    for position, cut, insert in edits:
        content = content[:position] + insert + content[position + cut :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.mat"
    path.write_bytes(content)
    try:
        bunch = load_mat(path, subset="test")
    except ValueError as error:
        assert str(path) in str(error)
        assert len(str(error)) <= 300
        return
    assert bunch.data.dtype == np.uint8
    assert bunch.target is None or len(bunch.target) == len(bunch.data)


CONTENT = _content()


VARIABLES = {
    "arrays": {"X": np.arange(48, dtype=np.uint8).reshape(3, 16), "y": np.array([[1], [2], [3]])},
    "structure": {"dataset": {"train": {"images": np.ones((2, 4)), "labels": np.ones((2, 1))}}},
    "others": {
        "text": "text",
        "accents": np.array(["été", "7"]),
        "nothing": "",
        "cell": np.array([1, "a"], object),
        "empty": np.zeros((0, 0)),
        "logical": np.array([[True]]),
    },
}


def saved(variables, **options):
    file = io.BytesIO()
    savemat(file, variables, **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"do_compression": True}, {"format": "4"}], ids=str)
@pytest.mark.parametrize("kind", VARIABLES)
def test_variables_are_those_of_scipy(tmp_path, kind, options):
    kind = "arrays" if "format" in options else kind  # MATLAB 4 has no others
    (tmp_path / "a.mat").write_bytes(saved(VARIABLES[kind], **options))
    variables, expected = read_variables(tmp_path / "a.mat"), loadmat(tmp_path / "a.mat")
    if kind == "structure":
        variables, expected = (
            variables["dataset"]["train"],
            expected["dataset"]["train"][0, 0][0, 0],
        )
    for name in ("images", "labels") if kind == "structure" else {*VARIABLES[kind]} - {"cell"}:
        np.testing.assert_array_equal(variables[name], expected[name])
        assert variables[name].shape == expected[name].shape


# SciPy crashes or does not return for these, where a byte of the file is another.
CHANGES = {
    "unknown type": ("arrays", 176, 0x90, "type 144"),
    "complex without a second part": ("arrays", 145, 0x08, "class 9 is not a plain array"),
    "text of one dimension": ("others", 156, 4, "class, shape and name"),
    "text of another shape": ("others", 160, 9, "class 4 is not a plain array"),
    "names of a length of 300 million": ("structure", 191, 0x13, "class 2 is not a plain array"),
    "longer than the file": ("arrays", 133, 0x40, "the file ends|an element"),
}


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_does_not_survive_is_refused(tmp_path, case, compressed):
    kind, position, value, message = CHANGES[case]
    content = bytearray(saved(VARIABLES[kind]))
    content[position] = value
    if compressed:
        if case == "longer than the file":
            message = "the file ends"
        end = 136 + int.from_bytes(content[132:136], "little")
        packed = zlib.compress(content[128:end])
        content[128:end] = b"\x0f\0\0\0" + len(packed).to_bytes(4, "little") + packed
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_variables(tmp_path / "a.mat")


def test_structures_inside_one_another_have_a_bound(tmp_path):
    inner = {"a": np.ones(1)}
    for _ in range(20):
        inner = {"a": inner}
    (tmp_path / "a.mat").write_bytes(saved({"s": inner}))
    with pytest.raises(ValueError, match="nested structures"):
        read_variables(tmp_path / "a.mat")
