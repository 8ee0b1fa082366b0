import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skdigits.datasets import load_kaggle
from skdigits.datasets.sources import iter_chunks

HEADER = "label,pixel0,pixel1,pixel2,pixel3\n"
ROWS = "7,0,10,200,255\n3,1,2,3,4\n"


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
        (HEADER, "a header but no rows"),
        ("pixel0,pixel1\n1,2\n", "no column of labels.*subset='test'"),
        ("label\n1\n", "line 1: there are no columns of pixels"),
        ("label,a,a\n1,2,3\n", "line 1: there is more than one column 'a'"),
        ("5,0,0,0\n1,2,3,4\n", "no column of labels. Expected a column 'label' in a header"),
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
    with pytest.raises(FileNotFoundError, match=r"has no train\.csv"):
        load_kaggle(tmp_path)
    with pytest.raises(ValueError, match="'train' or 'test'; got 'valid'"):
        load_kaggle(tmp_path, subset="valid")


def test_chunks_of_floats_and_blank_lines(tmp_path):
    rows = [f"{i % 10},{i}.0,{i}" for i in range(30)]
    (tmp_path / "train.csv").write_text("\n".join(["label,a,b", *rows[:9], "", "", *rows[9:], ""]))
    X, y = load_kaggle(tmp_path, return_X_y=True)
    chunks = list(iter_chunks(tmp_path, subset="train", chunk_size=10))
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), X)
    np.testing.assert_array_equal(np.concatenate([chunk.target for chunk in chunks]), y)


def test_a_fault_in_a_later_chunk_has_its_line(tmp_path):
    file = tmp_path / "test.csv"
    file.write_text("a,b\n" + "1,2\n" * 25 + "3,x\n" + "1,2\n" * 25)
    chunks = iter_chunks(file, subset="test", chunk_size=10)
    assert len(next(chunks).data) == len(next(chunks).data) == 10
    with pytest.raises(ValueError, match="line 27: 'x' in the column 'b'"):
        next(chunks)
    file.write_text("a,b\n\n\n")
    with pytest.raises(ValueError, match="a header but no rows"):
        list(iter_chunks(file, subset="test"))


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


def test_kaggle_needs_little_memory(kaggle_folder):
    tracemalloc.start()
    bunch = load_kaggle(kaggle_folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bunch.data.shape == (42_000, 784)
    assert peak - bunch.data.nbytes < 100e6
