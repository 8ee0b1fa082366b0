import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdigits.datasets import load_digits, load_npz
from skdigits.datasets.numpy_files import read_npz

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
OTHERS = IMAGES[:1] + 100


@pytest.mark.parametrize(
    "names",
    [
        "x_train y_train x_test y_test",
        "train_images train_labels test_images test_labels",
        "X_train Y_train X_t10k Y_t10k",
        "trainX trainY testX testY",
        "mnist_train_data mnist_train_target mnist_test_data mnist_test_target",
    ],
)
def test_parts_are_found_by_their_names(tmp_path, names):
    arrays = (IMAGES, np.array([5, 0]), OTHERS, np.array([[9]]))
    names = names.split()
    np.savez_compressed(
        tmp_path / "a.npz", **dict(zip(names, arrays, strict=True)), val_images=IMAGES
    )
    bunch = load_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(bunch.images, IMAGES)
    assert bunch.target.tolist() == [5, 0]
    assert bunch.target.dtype == np.int64
    assert f"({names[0]} and {names[1]}): 2 images of 12 pixels, with labels" in bunch.DESCR
    bunch = load_npz(tmp_path / "a.npz", subset="test")
    np.testing.assert_array_equal(bunch.images, OTHERS)
    assert bunch.target.tolist() == [9]


@pytest.mark.parametrize("names", ["X y", "images labels", "data target", "arr_0 arr_1", "p q"])
@pytest.mark.parametrize("subset", ["train", "test"])
def test_arrays_without_a_part_are_returned_for_both(tmp_path, names, subset):
    images, labels = names.split()
    np.savez(tmp_path / "a", **{labels: np.array(["07", "7"]), images: IMAGES.reshape(2, -1) / 255})
    bunch = load_npz(tmp_path / "a.npz", subset=subset)
    np.testing.assert_array_equal(bunch.data, IMAGES.reshape(2, -1))
    assert bunch.target.tolist() == ["07", "7"]


def test_one_hot_labels_are_numbers(tmp_path):
    np.savez(tmp_path / "a", x_train=IMAGES, y_train=np.eye(10)[[3, 9]])
    assert load_npz(tmp_path / "a.npz").target.tolist() == [3, 9]


@pytest.mark.parametrize(
    ("images", "labels"),
    [("x_train", "y_train"), ("train_images", "train_labels"), ("images", "label"), ("X", "y")],
)
def test_labels_of_an_npy_file_are_in_the_same_folder(tmp_path, images, labels):
    np.save(tmp_path / f"{images}.npy", IMAGES)
    np.save(tmp_path / f"{labels}.npy", np.array([5, 0]))
    np.save(tmp_path / "y_test.npy", np.array([1, 2]))
    for path in (tmp_path / f"{images}.npy", tmp_path):
        bunch = load_npz(path)
        np.testing.assert_array_equal(bunch.images, IMAGES)
        assert bunch.target.tolist() == [5, 0]


def test_an_npy_file_alone_can_be_predicted(tmp_path):
    np.save(tmp_path / "scans.npy", IMAGES)
    assert load_npz(tmp_path / "scans.npy", subset="test").target is None
    with pytest.raises(ValueError, match="there are no labels.*subset='test'"):
        load_npz(tmp_path / "scans.npy")


def test_chunks_are_parts_of_the_whole(tmp_path):
    X, y = load_digits(return_X_y=True)
    np.savez(tmp_path / "a", X=X, y=y)
    chunks = list(read_npz(tmp_path / "a.npz", "train").chunks(1000, lines=True))
    assert [len(chunk.data) for chunk in chunks] == [1000, 797]
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), X)
    assert chunks[1].target.tolist() == y[1000:].astype(str).tolist()


def test_a_set_on_its_side_and_a_label_10_are_reported(tmp_path):
    bunch = load_digits()
    np.savez(tmp_path / "a", X=bunch.images.transpose(0, 2, 1), y=bunch.target)
    with pytest.warns(UserWarning, match=r"a\.npz \(X and y\): the digits seem to be transposed"):
        load_npz(tmp_path / "a.npz")
    np.savez(tmp_path / "b", X=IMAGES, y=[10, 1])
    with pytest.warns(UserWarning, match=r"labels are 1 to 10, without 0.*y % 10"):
        assert load_npz(tmp_path / "b.npz").target.tolist() == [10, 1]


def test_mnist_in_one_table_is_divided(tmp_path):
    X = np.zeros((70_000, 784), np.uint8)
    X[59_999:60_001, 0] = 1, 2
    np.savez(tmp_path / "a", X=X, y=np.zeros(70_000, np.uint8))
    train, test = (load_npz(tmp_path / "a.npz", subset=part) for part in ("train", "test"))
    assert (len(train.data), len(test.data)) == (60_000, 10_000)
    assert (train.data[-1, 0], test.data[0, 0]) == (1, 2)
    assert "the last 10,000 images" in test.DESCR


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def _bomb(file):
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("X.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(bytes(1 << 20))


REFUSED = {
    "objects": ({"X": np.array([Harmful()]), "y": [1]}, r"Python objects \(a pickle\)"),
    "label_objects": ({"X": IMAGES, "y": np.array([Harmful(), 1])}, r"Python objects \(a pickle\)"),
    "other_part": (
        {"x_test": IMAGES, "y_test": [1, 2]},
        "no train images; it has x_test, y_test",
    ),
    "unclear": ({"a": IMAGES, "b": IMAGES}, r"has a \(2, 3, 4\), b \(2, 3, 4\); expected"),
    "several": ({"x": IMAGES, "images": IMAGES, "y": [1, 2]}, "several data sets: x, images"),
    "nothing": ({}, "has no arrays"),
    "unlabelled": ({"x_train": IMAGES}, "there are no labels"),
    "too_few": ({"X": IMAGES, "y": [1, 2, 3]}, "but there are 3 labels"),
    "scaled": ({"X": IMAGES * 35.5, "y": [1, 2]}, r"\(X and y\) has values from 0 to 816\.5"),
    "fractions": ({"X": IMAGES, "y": [0.5, 1]}, "not a whole number; found 0.5, 1"),
    "missing": ({"X": IMAGES, "y": [np.nan, 1]}, "missing or not a whole number"),
    "empty": ({"X": IMAGES, "y": ["", "1"]}, "a label is empty"),
    "matrix": ({"X": IMAGES, "y": np.ones((2, 3))}, r"labels have the shape \(2, 3\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_said(tmp_path, case, capsys):
    arrays, message = REFUSED[case]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        load_npz(tmp_path / "a.npz")
    assert len(str(caught.value)) <= 300
    assert capsys.readouterr().out == ""  # no code was run


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path):
    _bomb(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"X\.npy unpacks from \d+ kB to 300 MB"):
        load_npz(tmp_path / "a.npz")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_npz(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError, match=r"such as x_train\.npy"):
        load_npz(tmp_path)


def _contents():
    npy, npz = io.BytesIO(), io.BytesIO()
    np.save(npy, IMAGES)
    np.savez(npz, X=IMAGES, y=np.array([1, 2]))
    return npy.getvalue(), npz.getvalue()


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(_contents()),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 9), st.binary(max_size=6)), max_size=3),
)
def test_fuzzed_arrays_are_read_or_refused(tmp_path_factory, content, edits):
    for position, cut, insert in edits:
        content = content[:position] + insert + content[position + cut :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.npz"
    path.write_bytes(content)
    try:
        bunch = load_npz(path, subset="test")
    except ValueError as error:
        assert str(path) in str(error)
        assert len(str(error)) <= 300 + len(str(path))
        assert "\n" not in str(error)
        return
    assert bunch.data.dtype == np.uint8
    assert bunch.data.ndim == 2
    assert bunch.target is None or len(bunch.target) == len(bunch.data)


def test_labels_beside_a_file_belong_to_one_file_of_images(tmp_path):
    images = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)
    np.save(tmp_path / "digits.npy", images)
    np.save(tmp_path / "digits_labels.npy", np.array([3, 1, 2]))
    assert load_npz(tmp_path / "digits.npy").target.tolist() == [3, 1, 2]
    np.save(tmp_path / "x_train.npy", images)
    np.save(tmp_path / "images_train.npy", images)
    np.save(tmp_path / "y_train.npy", np.array([7, 8, 9]))
    with pytest.raises(ValueError, match="several data sets"):
        load_npz(tmp_path / "images_train.npy")
