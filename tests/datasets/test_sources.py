import gzip
from pathlib import Path

import numpy as np
import pytest

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
