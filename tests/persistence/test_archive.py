import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skdigits import load
from skdigits.persistence import archive

ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(["a", "bc"])]


def packed(document=None, arrays=ARRAYS, networks=(b"one", b"two")):
    file = io.BytesIO()
    archive.write(file, document or {"x": [1, None]}, arrays, list(networks))
    return file.getvalue()


def opened(content):
    return archive.Archive(zipfile.ZipFile(io.BytesIO(content)), len(content))


def changed(content, name, new, compression=zipfile.ZIP_STORED):
    """The archive with another content of an entry, or with a further entry."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", compression) as to:
        for entry in old.namelist():
            if entry != name:
                to.writestr(entry, old.read(entry))
        to.writestr(name, new)
    return file.getvalue()


def read_all(found):
    arrays = [found.array(i, a.dtype.str, list(a.shape)) for i, a in enumerate(ARRAYS)]
    networks = [found.network(i, 3) for i in range(2)]
    found.check_complete()
    return arrays, networks


def test_what_is_written_is_read():
    content = packed()
    found = opened(content)
    arrays, networks = read_all(found)
    assert found.document == {"x": [1, None]}
    for array, expected in zip(arrays, ARRAYS, strict=True):
        np.testing.assert_array_equal(array, expected)
        assert array.dtype == expected.dtype
        assert array.flags.writeable
    assert networks == [b"one", b"two"]
    assert packed() == content  # the same estimator gives the same file
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = ["estimator.json", "array-0", "array-1", "network.onnx", "network-1.onnx"]
        assert file.namelist() == names


def test_an_entry_that_belongs_to_nothing_is_refused():
    found = opened(changed(packed(), "more", b"x"))
    with pytest.raises(ValueError, match="its entry 'more' is not used"):
        read_all(found)
    with pytest.raises(ValueError, match="its entry 'array-0' is not used"):
        opened(packed()).check_complete()


def test_load_refuses_an_entry_that_belongs_to_nothing(tmp_path):
    content = (
        Path(__file__).with_name("files").joinpath("classifier-format-4.skdigits").read_bytes()
    )
    path = tmp_path / "model.skdigits"
    path.write_bytes(content)
    assert load(path).n_features_in_ == 64
    for name in ("more", "array-999", "network-1.onnx"):
        path.write_bytes(changed(content, name, b""))
        with pytest.raises(ValueError, match=f"its entry '{name}' is not used"):
            load(path)


def test_an_entry_is_read_once():
    found = opened(packed())
    found.network(0, 3)
    with pytest.raises(ValueError, match=r"network\.onnx is used twice"):
        found.network(0, 3)


@pytest.mark.parametrize(
    ("number", "dtype", "shape", "message"),
    [
        (0, "<f4", [3, 3], "has 24 bytes instead of 36"),
        (0, "<f8", [2, 3], "has 24 bytes instead of 48"),
        (0, "<f4", [-2, -3], "an array has the invalid shape"),
        (0, "<f4", [2.0, 3], "an array has the invalid shape"),
        (0, "f4", [2, 3], "has the invalid type 'f4'"),
        (0, "|O", [2, 3], "has the invalid type"),
        (0, "<M8[s]", [3], "has the invalid type"),
    ],
)
def test_arrays_are_of_the_type_and_shape_that_they_say(number, dtype, shape, message):
    with pytest.raises(ValueError, match=message):
        opened(packed()).array(number, dtype, shape)


@pytest.mark.parametrize("order", ["<", ">"])
def test_strings_have_characters_that_exist(order):
    for code, exists in ((0x10FFFF, True), (0x110000, False), (2**32 - 1, False)):
        codes = np.array([code, 0, 97, 98], f"{order}u4")
        found = opened(changed(packed(), "array-1", codes.tobytes()))
        if exists:
            assert found.array(1, f"{order}U2", [2]).tolist() == [chr(code), "ab"]
        else:
            with pytest.raises(ValueError, match="array-1 has an invalid character"):
                found.array(1, f"{order}U2", [2])


def test_truth_values_are_true_or_false():
    content = packed(arrays=[np.array([True, False])])
    assert opened(content).array(0, "|b1", [2]).tolist() == [True, False]
    with pytest.raises(ValueError, match="array-0 has values other than True and False"):
        opened(changed(content, "array-0", b"\1\2")).array(0, "|b1", [2])


def test_an_array_may_be_empty():
    empty = np.zeros((0, 3))
    assert opened(packed(arrays=[empty])).array(0, empty.dtype.str, [0, 3]).shape == (0, 3)


def test_a_network_is_not_larger_than_it_may_be():
    assert opened(packed()).network(1, 3) == b"two"
    with pytest.raises(ValueError, match=r"network-1\.onnx has 3 bytes; expected at most 2"):
        opened(packed()).network(1, 2)


def test_a_document_has_a_largest_size():
    largest = {"x": "y" * (2**20 - len(json.dumps({"x": ""})))}
    assert opened(packed(largest)).document == largest
    larger = {"x": largest["x"] + "y"}
    with pytest.raises(ValueError, match="needs 1,048,577 bytes; expected at most 1,048,576"):
        packed(larger)
    with pytest.raises(ValueError, match=r"estimator\.json has 1,048,577 bytes; expected at most"):
        opened(changed(packed(), "estimator.json", json.dumps(larger)))


@pytest.mark.parametrize(("megabytes", "is_read"), [(15, True), (17, False)])
def test_what_unpacks_to_much_more_is_refused(megabytes, is_read):
    content = changed(packed(), "array-9", bytes(megabytes * 2**20), zipfile.ZIP_DEFLATED)
    assert len(content) < 2**15 * 10
    if is_read:
        opened(content)
    else:
        with pytest.raises(ValueError, match="would unpack to"):
            opened(content)


def test_a_large_file_may_unpack_to_twice_its_size():
    content = changed(packed(), "array-9", bytes(38 * 2**20), zipfile.ZIP_DEFLATED)
    file = zipfile.ZipFile(io.BytesIO(content))
    archive.Archive(file, 12 * 2**20)  # as if it held much else
    with pytest.raises(ValueError, match="would unpack to"):
        archive.Archive(file, 10 * 2**20)


def test_equal_names_and_unknown_compression_are_refused():
    file = io.BytesIO(packed())
    with zipfile.ZipFile(file, "a") as double, pytest.warns(UserWarning, match="Duplicate name"):
        double.writestr("array-0", b"")
    with pytest.raises(ValueError, match="entries have the same name"):
        opened(file.getvalue())
    with pytest.raises(ValueError, match="compression method is not supported"):
        opened(changed(packed(), "array-0", bytes(24), zipfile.ZIP_BZIP2))
