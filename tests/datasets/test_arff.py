import bz2
import gzip

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skdigits.datasets import load_arff
from skdigits.datasets.arff import read_arff

PIXELS = "".join(f"@ATTRIBUTE pixel{i} real\n" for i in (1, 2, 3, 4))
HEADER = f"% a comment\n@RELATION mnist\n\n{PIXELS}@ATTRIBUTE class {{0,1,07,7}}\n\n@DATA\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gz", "bz2"])
def test_openml_is_read(tmp_path, pack):
    file = tmp_path / "mnist_784.arff"
    file.write_bytes(pack((HEADER + "0,10,200,255,7\n% a note\n\n 1, 2,3,4,'1'\n").encode()))
    bunch = load_arff(file)
    assert bunch.data.tolist() == [[0, 10, 200, 255], [1, 2, 3, 4]]
    assert bunch.target.tolist() == [7, 1]
    assert bunch.target.dtype == np.int64
    assert bunch.images.shape == (2, 2, 2)


@pytest.mark.parametrize(
    ("rows", "data", "labels"),
    [
        ("0,0.5,1,0,7\n1,1,1,1,07\n", [[0, 128, 255, 0], [255] * 4], ["7", "07"]),
        ("1,2,3,4.0,7\n", [[1, 2, 3, 4]], [7]),
    ],
)
def test_floats_and_leading_zeros(tmp_path, rows, data, labels):
    (tmp_path / "a.arff").write_text(HEADER + rows)
    bunch = load_arff(tmp_path / "a.arff")
    assert bunch.data.tolist() == data
    assert bunch.target.tolist() == labels


def test_one_scale_holds_for_all_parts_of_a_file(tmp_path):
    rows = "0,0,1,0,1\n" * 5000 + "0,0,0.2,0,7\n"
    (tmp_path / "a.arff").write_text(HEADER + rows)
    chunks = list(read_arff(tmp_path / "a.arff", "train").chunks(3000, lines=True))
    assert [len(chunk.data) for chunk in chunks] == [3000, 2001]
    assert chunks[0].data[0].tolist() == [0, 0, 255, 0]
    assert chunks[1].data[-1].tolist() == [0, 0, 51, 0]
    assert chunks[1].target[-1] == "7"


@pytest.mark.parametrize("names", ["label {5,6}", "digit numeric", "Target real", "Y {5,6}"])
def test_labels_come_first_or_last_under_any_usual_name(tmp_path, names):
    for head, row in (
        (PIXELS + f"@attribute {names}\n", "1,2,3,4,5"),
        (f"@attribute {names}\n" + PIXELS, "5,1,2,3,4"),
    ):
        (tmp_path / "a.arff").write_text(f"@relation a\n{head}@data\n{row}\n")
        bunch = load_arff(tmp_path / "a.arff")
        assert bunch.data.tolist() == [[1, 2, 3, 4]]
        assert bunch.target.tolist() == [5]


def test_pixels_are_ordered_by_their_numbers(tmp_path):
    pixels = "".join(f"@ATTRIBUTE pixel{i} real\n" for i in (1, 10, 2, 3))
    (tmp_path / "a.arff").write_text(
        f"@relation a\n{pixels}@attribute class {{5}}\n@data\n1,10,2,3,5\n"
    )
    assert load_arff(tmp_path / "a.arff").data.tolist() == [[1, 2, 3, 10]]


def test_row_numbers_are_left_out_and_reported(tmp_path):
    head = f"@relation a\n@attribute id numeric\n{PIXELS}@attribute class {{5}}\n@data\n"
    (tmp_path / "a.arff").write_text(head + "0,1,2,3,4,5\n")
    with pytest.warns(UserWarning, match="the column 'id' is treated as an index and left out"):
        assert load_arff(tmp_path / "a.arff").data.tolist() == [[1, 2, 3, 4]]


UNLABELLED = f"@relation a\n{PIXELS}@data\n1,2,3,4\n"


def test_without_labels_images_can_only_be_predicted(tmp_path):
    (tmp_path / "a.arff").write_text(UNLABELLED)
    assert load_arff(tmp_path / "a.arff", subset="test").target is None
    with pytest.raises(ValueError, match="there are no labels"):
        load_arff(tmp_path / "a.arff")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "1,2,3,255\n", "row 1 has no label or fewer than 5 values"),
        (HEADER + "1,2,3,4,5,7\n", "expected 5 values per row"),
        (HEADER + "1,2,3,4,7\n1,2,3\n", "expected 5 values per row"),
        (HEADER + "1,2,3,4,7\n" * 5000 + "1,2,3,4\n", "row 5001 has no label"),
        (HEADER + "1,?,3,4,7\n", r"expected 5 values per row, and numeric pixels.*'\?'"),
        (HEADER + "1,x,3,4,7\n", "'x'"),
        (HEADER + "1,nan,3,4,7\n", "missing or infinite|expected 5 values per row"),
        (HEADER + "1,2,3,300,7\n", "values from 1 to 300"),
        (HEADER + "{0 1, 4 7}\n", "sparse ARFF is not supported"),
        (HEADER, "no rows"),
        (HEADER[:60], "it has no line @data; the file may be truncated"),
        (HEADER.replace("real", "string"), "not an ARFF file of numbers"),
        (HEADER.replace("real", "{a,b}"), "are not pixels; expected one column of labels"),
        (
            HEADER.replace("@ATTRIBUTE class", "@ATTRIBUTE more real\n@ATTRIBUTE class"),
            "one more than 2×2",
        ),
        (HEADER.replace("pixel2", "pixel1"), "not an ARFF file of numbers|with different names"),
        ("@relation a\n@data\n1\n", "0 attributes"),
    ],
)
def test_what_is_refused_is_said(tmp_path, text, message):
    (tmp_path / "a.arff").write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        load_arff(tmp_path / "a.arff")
    assert str(caught.value).startswith(str(tmp_path))
    assert len(str(caught.value)) <= 300


def test_a_truncated_gzip_file_is_said(tmp_path):
    rows = "".join(f"{i % 256},{i % 7},3,4,7\n" for i in range(3000))
    (tmp_path / "a.arff.gz").write_bytes(gzip.compress((HEADER + rows).encode())[:-3000])
    with pytest.raises(ValueError, match="damaged"):
        load_arff(tmp_path / "a.arff.gz")
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_arff(tmp_path / "b.arff")


CELL = st.sampled_from(
    [
        *["0", "1", "5", "255", "256", "-1", "0.5", "?", "x", "{0", "'7'", "07", "%", "nan", "1e3"],
        "",
        "'",
        "\0",
        "é",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(CELL, max_size=6).map(",".join), max_size=4).map("\n".join),
    st.integers(0, len(HEADER)),
    st.sampled_from(["", "@", "\n", "{", ",", "'", "date"]),
)
@example("1,2,3,4,7", 0, "")
def test_fuzzed_files_are_read_or_refused(tmp_path_factory, rows, position, insert):
    path = tmp_path_factory.getbasetemp() / "fuzzed.arff"
    path.write_text(HEADER[:position] + insert + HEADER[position:] + rows, encoding="utf-8")
    try:
        bunch = load_arff(path, subset="test")
    except ValueError as error:
        assert str(path) in str(error)
        assert len(str(error)) <= 300
        assert "\n" not in str(error)
        return
    assert bunch.data.dtype == np.uint8
    assert bunch.target is None or len(bunch.target) == len(bunch.data)
