import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from skdigits.datasets import iter_data, load_data
from skdigits.datasets.sources import iter_chunks


def test_load_data_looks_at_what_is_there(idx_folder):
    assert len(load_data().data) == len(load_data("digits").data) == 1797
    assert load_data(idx_folder).target.tolist() == [5, 9]
    assert load_data(idx_folder / "t10k-images-idx3-ubyte").target.tolist() == [1, 2]
    (idx_folder / "train.csv").write_text("label,a\n7,0\n3,1\n")
    assert load_data(idx_folder).target.tolist() == [7, 3]
    assert load_data(str(idx_folder / "train.csv"), return_X_y=True)[1].tolist() == [7, 3]
    assert load_data(idx_folder, subset="test").target.tolist() == [1, 2]


def test_load_data_says_what_it_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="'digits' for the bundled digits"):
        load_data("nowhere")
    with pytest.raises(FileNotFoundError, match=r"expected train\.csv, train\.csv\.gz, IDX"):
        load_data(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"expected test\.csv.*t10k-images"):
        iter_data(tmp_path)  # before the first chunk is asked for


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_the_format_is_recognized_by_content_not_by_name(tmp_path, idx_folder, pack):
    table = tmp_path / "my-idx-digits.csv"
    table.write_bytes(pack(b"label,a,b\n7,1,2\n"))
    assert load_data(table).data.tolist() == [[1, 2]]
    assert next(iter_data(table))[1].tolist() == [7]
    images = tmp_path / "digits"
    images.write_bytes(pack((idx_folder / "t10k-images-idx3-ubyte").read_bytes()))
    assert load_data(images, subset="test").images.shape == (2, 3, 4)


def test_a_folder_of_pictures_is_listed_once(picture_folder, monkeypatch):
    glob, listed = Path.glob, []

    def recording(self, pattern, **options):
        listed.append(pattern)
        return glob(self, pattern, **options)

    monkeypatch.setattr(Path, "glob", recording)
    (chunk,) = iter_chunks(picture_folder)
    assert len(chunk.data) == len(chunk.target) == len(chunk.names) == 12
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("source", ["csv_folder", "idx_folder", "picture_folder", "digits"])
def test_labels_of_lines_are_strings(source, request):
    source = source if source == "digits" else request.getfixturevalue(source)
    X, y = load_data(source, return_X_y=True)
    data, target = next(iter_data(source, subset="train", lines=True))
    assert target.tolist() == y.astype(str).tolist()
    assert len(data) == len(X)


FORMATS = {
    "arff": ("@relation a\n@attribute p real\n@attribute class {5,7}\n@data\n9,5\n8,7\n", "a.arff"),
    "libsvm": ("5 1:9 64:1\n7 1:8\n", "mnist.scale"),
}


def _write_table(kind, folder):
    """Two images with the labels 5 and 7, whose first pixels are 9 and 8."""
    X, y = np.array([[9, 0, 0, 1], [8, 0, 0, 0]], np.uint8), np.array([5, 7])
    file = folder / "table"
    if kind == "npz":
        with file.open("wb") as opened:
            np.savez(opened, X=X, y=y)
    elif kind == "mat":
        savemat(file, {"X": X, "y": y[:, np.newaxis]}, appendmat=False)
    elif kind == "parquet":
        pd.DataFrame(X, columns=list("abcd")).assign(label=y).to_parquet(file)
    elif kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("train.csv", "label,a,b,c,d\n5,9,0,0,1\n7,8,0,0,0\n")
    else:
        file.write_text(FORMATS[kind][0])
    return file


@pytest.mark.parametrize("kind", ["npz", "mat", "parquet", "zip", *FORMATS])
def test_every_format_is_loaded_and_read_in_chunks(tmp_path, kind):
    file = _write_table(kind, tmp_path)
    X, y = load_data(file, return_X_y=True)
    assert X[:, 0].tolist() == [9, 8]
    assert y.tolist() == [5, 7]
    chunks = list(iter_data(file, subset="train", chunk_size=1, lines=True))
    assert [data.ravel()[0] for data, _ in chunks] == [9, 8]
    assert [target.tolist() for _, target in chunks] == [["5"], ["7"]]
    assert load_data(file, as_frame=True).frame["label"].tolist() == [5, 7]


def test_a_picture_that_cannot_be_read_is_an_error_of_iter_data(picture_folder):
    (picture_folder / "3" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"bad\.png: not a picture"):
        list(iter_data(picture_folder))
    (chunk,) = iter_chunks(picture_folder)
    assert len(chunk.data) == 13
    assert len(chunk.problems) == 1


def _joined(chunks):
    data, target = zip(*chunks, strict=True)
    return np.concatenate(data), None if target[0] is None else np.concatenate(target), len(data)


@pytest.mark.parametrize("subset", ["train", "test"])
@pytest.mark.parametrize("source", ["csv_folder", "idx_folder", "picture_folder", "digits"])
def test_chunks_are_parts_of_the_whole(source, subset, request):
    source = source if source == "digits" else request.getfixturevalue(source)
    X, y = load_data(source, subset=subset, return_X_y=True)
    for chunk_size in (1, 2, max(1, len(X) - 1), len(X), 10_000):
        chunks = iter_data(source, subset=subset, chunk_size=chunk_size)
        data, target, n_chunks = _joined(chunks)
        assert n_chunks == -(-len(X) // chunk_size)
        np.testing.assert_array_equal(data.reshape(X.shape), X)
        np.testing.assert_array_equal(target, y)
        assert data.dtype == X.dtype


def test_a_folder_with_nothing_to_read_names_the_folders_in_it(tmp_path):
    for name in ("t10k-images-idx3-ubyte", ".git", *"abc"):
        (tmp_path / name).mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"It has the folders a/, b/, c/, …; pass one of"
    ) as e:
        load_data(tmp_path)
    assert len(str(e.value)) <= 300 + len(str(tmp_path))
    for name in "abc":
        (tmp_path / name).rmdir()
    with pytest.raises(
        FileNotFoundError, match=r"It has the folders t10k-images-idx3-ubyte/; pass"
    ):
        iter_data(tmp_path)
