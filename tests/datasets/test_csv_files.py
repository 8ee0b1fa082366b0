import gzip
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skdigits.datasets.csv_files import find_csv, iter_csv, load_csv

PIXELS = [[0, 10, 200, 255], [1, 2, 3, 4], [0, 0, 7, 0]]
LABELS = [7, 3, 5]


def table(columns, rows, delimiter=","):
    """Text of a CSV file; without a header if `columns` is None."""
    header = [] if columns is None else [columns]
    return "".join(delimiter.join(map(str, row)) + "\n" for row in [*header, *rows])


def labelled(pixels=PIXELS, labels=LABELS):
    """Rows with the label first."""
    return [[label, *row] for label, row in zip(labels, pixels, strict=True)]


def numbered(rows, start=0):
    return [[i, *row] for i, row in enumerate(rows, start)]


def names(n):
    return [f"pixel{i}" for i in range(n)]


def many(n, side=2, labels=(3, 1, 4, 1, 5)):
    """Labels and pixels of which the corners are black, as in most sets."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, side * side))
    pixels[:, [0, -1]] = 0
    return [labels[i % len(labels)] for i in range(n)], pixels.tolist()


def save(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding, newline="")
    return path


@pytest.fixture(params=["whole", "chunks"])
def read(request):
    """Pixels and labels of a file, read at once or two rows at a time; and the warnings."""

    def read(path, subset="train"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if request.param == "whole":
                data, target = load_csv(path, subset=subset, return_X_y=True)
            else:
                data, target, *_ = zip(*iter_csv(path, subset, 2), strict=True)
                data = np.concatenate(data)
                target = None if target[0] is None else np.concatenate(target)
        assert data.dtype == np.uint8
        assert all(len(str(w.message)) <= 300 for w in caught)
        return data.tolist(), None if target is None else target.tolist(), caught

    return read


@pytest.mark.parametrize(
    "name", ["label", "Label", "labels", "class", "CLASS", "target", "digit", "y"]
)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_names_of_the_label_column(tmp_path, read, name, place):
    columns, rows = names(4), [list(row) for row in PIXELS]
    columns.insert(place, name)
    for row, label in zip(rows, LABELS, strict=True):
        row.insert(place, label)
    file = save(tmp_path / "mnist_784.csv", table(columns, rows))
    assert read(file) == (PIXELS, LABELS, [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("columns", [None, ["label", *names(4)]], ids=["headerless", "header"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_delimiters_and_encodings(tmp_path, read, delimiter, encoding, columns, pack):
    rows = labelled([[0, 10, 200, 0], [0, 2, 3, 0], [0, 0, 7, 0]])
    file = tmp_path / "data"
    file.write_bytes(pack(table(columns, rows, delimiter).encode(encoding)))
    data, target, caught = read(file)
    assert (data, target, caught) == ([row[1:] for row in rows], LABELS, [])


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("header", ["none", "numbers"])
def test_labels_without_names_are_at_the_edge(tmp_path, read, first, header):
    labels, pixels = many(30, side=5)
    rows = [[y, *row] if first else [*row, y] for y, row in zip(labels, pixels, strict=True)]
    columns = None if header == "none" else [*range(26)]
    assert read(save(tmp_path / "a.csv", table(columns, rows)))[:2] == (pixels, labels)


def test_one_row_without_names(tmp_path, read):
    file = save(tmp_path / "a.csv", "7,0,10,200,0\n")
    assert read(file)[:2] == ([[0, 10, 200, 0]], [7])
    file = save(tmp_path / "a.csv", "9,8,7,6\n")
    assert read(file, "test")[:2] == ([[9, 8, 7, 6]], None)


@pytest.mark.parametrize("rows", [["7,0,1,2,3"], ["0,0,1,2,0"], ["3,0,1,2,3", "5,0,1,2,6"]])
def test_labels_at_either_edge_are_refused(tmp_path, rows):
    file = save(tmp_path / "a.csv", "\n".join(rows))
    with pytest.raises(ValueError, match="labels could be in the first or in the last"):
        load_csv(file)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("n", [2, 10])
def test_labels_that_count_like_an_index_are_reported(tmp_path, read, start, n):
    _, pixels = many(n)
    data, target, (warning,) = read(save(tmp_path / "a.csv", table(None, numbered(pixels, start))))
    assert (data, target) == (pixels, list(range(start, start + n)))
    assert "column 1 is read as labels, although it numbers the rows" in str(warning.message)


def test_floats_of_black_and_white_are_shares(tmp_path, read):
    file = save(tmp_path / "a.csv", table(["label", *names(4)], [[1, 0.0, 1.0, 1.0, 0.0]]))
    assert read(file)[0] == [[0, 255, 255, 0]]
    file = save(tmp_path / "a.csv", table(["label", *names(4)], [[1, 0.0, 2.0, 1.0, 0.0]]))
    assert read(file)[0] == [[0, 2, 1, 0]]


def test_labels_are_looked_for_only_among_whole_numbers(tmp_path, read):
    file = save(tmp_path / "a.csv", "3,0.25,1.0,0.0,0.5\n5,0.0,0.5,0.75,0.25\n")
    assert read(file)[:2] == ([[64, 255, 0, 128], [0, 128, 191, 64]], [3, 5])
    file = save(tmp_path / "a.csv", "0.5,0.25,1.0,0.0,0.5\n")
    with pytest.raises(ValueError, match="5 columns without names"):
        load_csv(file)


@pytest.mark.parametrize("name", ["emnist-digits-train.csv", "EMNIST.csv"])
def test_images_of_emnist_are_turned_upright(tmp_path, read, name):
    labels, pixels = many(12, side=4)
    lying = [np.reshape(row, (4, 4)).T.ravel().tolist() for row in pixels]
    file = save(tmp_path / name, table(None, labelled(lying, labels)))
    assert read(file)[:2] == (pixels, labels)
    assert "turned upright" in load_csv(file).DESCR
    other = save(tmp_path / "mnist.csv", table(None, labelled(lying, labels)))
    assert read(other)[:2] == (lying, labels)
    assert "turned upright" not in load_csv(other).DESCR


def test_digits_on_their_side_are_reported(tmp_path, digits):
    X, y = digits
    lying = X.reshape(-1, 8, 8).transpose(0, 2, 1).reshape(len(X), -1)
    file = save(tmp_path / "a.csv", table(["label", *names(64)], labelled(lying, y)))
    with pytest.warns(UserWarning, match="seem to be transposed"):
        load_csv(file)
    with pytest.warns(UserWarning, match="seem to be transposed"):
        next(iter_csv(file, "train", 8192))
    save(file, table(["label", *names(64)], labelled(X, y)))
    assert load_csv(file).target.tolist() == y.tolist()


SHARES = [[0.0, 0.5, 1.0, 0.003921568859368563], [0, 0.25, 1, 1e-3], [1.0, 0.9999, 0.4, 0.6]]


@pytest.mark.parametrize("blank", ["", "\n"], ids=["", "blank line"])
def test_numbers_from_0_to_1_are_multiplied(tmp_path, read, blank):
    file = save(tmp_path / "a.csv", table(["label", *names(4)], labelled(SHARES)) + blank)
    assert read(file)[0] == np.rint(np.array(SHARES) * 255).astype(int).tolist()
    assert "multiplied by 255" in load_csv(file).DESCR


def test_whole_numbers_with_decimal_points(tmp_path, read):
    rows = [[f"{value:.18e}" for value in row] for row in labelled()]  # as np.savetxt writes
    file = save(tmp_path / "a.csv", table(["label", *names(4)], rows))
    assert read(file) == (PIXELS, LABELS, [])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("2", "line 5: '2' in the column 'pixel1'; expected a number from 0 to 1, as in the rows"),
        ("-0.1", "line 5: '-0.1' in the column 'pixel1'"),
        ("nan", "line 5: 'nan' in the column 'pixel1'"),
        ("", "line 5: nothing in the column 'pixel1'"),
    ],
)
def test_a_wrong_number_among_those_from_0_to_1(tmp_path, read, cell, message):
    text = table(["label", *names(4)], [*labelled(SHARES), [1, 0.5, cell, 0.5, 0.5]])
    if cell in ("-0.1", "2"):  # far down, where it is not among the first rows
        text = table(["label", *names(4)], labelled(SHARES[1:2] * 6000, [1] * 6000))
        text += table(None, [[1, 0.5, cell, 0.5, 0.5]])
        message = message.replace("line 5", "line 6002")
        with pytest.raises(ValueError, match=message):
            read(save(tmp_path / "a.csv", text))
        return
    with pytest.raises(ValueError, match=message):
        read(save(tmp_path / "a.csv", text))


INDEX = ["Unnamed: 0", "Unnamed: 0.1", "level_0", "", "id", "ID", "index", "ImageId", "image_id"]


@pytest.mark.parametrize("name", INDEX)
@pytest.mark.parametrize("place", [0, 1, 5])
def test_an_index_is_recognized_by_its_name(tmp_path, read, name, place):
    columns, rows = ["label", *names(4)], labelled()
    columns.insert(place, name)
    for row, number in zip(rows, [52, 7, 19], strict=True):  # a shuffled table counts no more
        row.insert(place, number)
    data, target, caught = read(save(tmp_path / "a.csv", table(columns, rows)))
    assert (data, target) == (PIXELS, LABELS)
    (warning,) = caught
    assert "is treated as an index and left out." in str(warning.message)
    assert (f"column {name!r}" if name else "without a name") in str(warning.message)


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("end", ["left", "right"])
@pytest.mark.parametrize("label", ["first", "none"])
def test_an_index_is_recognized_because_it_counts(tmp_path, read, start, end, label):
    labels, pixels = many(200)
    rows = [[i, *row] if end == "left" else [*row, i] for i, row in enumerate(pixels, start)]
    columns = ["nr", *names(4)] if end == "left" else [*names(4), "nr"]
    if label == "first":
        rows, columns = labelled(rows, labels), ["label", *columns]
    file = save(tmp_path / "a.csv", table(columns, rows))
    data, target, caught = read(file, "train" if label == "first" else "test")
    assert data == pixels
    assert target == (labels if label == "first" else None)
    (warning,) = caught
    assert (
        f"'nr' is treated as an index and left out, because it contains {start}, {start + 1}"
        in str(warning.message)
    )


@pytest.mark.parametrize("start", [0, 1])
def test_an_index_without_a_header(tmp_path, read, start):
    labels, pixels = many(50, side=3)
    file = save(tmp_path / "a.csv", table(None, numbered(labelled(pixels, labels), start)))
    data, target, (warning,) = read(file)
    assert (data, target) == (pixels, labels)
    assert "the column '1' is treated as an index and left out" in str(warning.message)
    save(file, table(None, numbered(pixels, start)))
    assert read(file, "test")[:2] == (pixels, None)
    with pytest.raises(ValueError, match="no column of labels"):
        load_csv(file)


def test_the_frame_of_pandas_with_its_index(tmp_path, read):
    import pandas as pd

    labels, pixels = many(30)
    file = tmp_path / "a.csv"
    pd.DataFrame(labelled(pixels, labels)).to_csv(file)
    data, target, (warning,) = read(file)
    assert (data, target) == (pixels, labels)
    assert "the column 1 (without a name) is treated as an index and left out" in str(
        warning.message
    )


def test_an_index_that_stops_counting_is_refused(tmp_path, read):
    labels, pixels = many(20_000)
    rows = numbered(labelled(pixels, labels))
    rows[15_000][0] = 3
    file = save(tmp_path / "a.csv", table(["nr", "label", *names(4)], rows))
    message = "line 15002: '3' in the column 'nr' of row numbers; expected 15000"
    with pytest.raises(ValueError, match=message):
        read(file)


def test_an_index_of_images_that_are_no_squares(tmp_path, read):
    labels, pixels = many(20, side=5)
    pixels = [row[:14] for row in pixels]
    columns = ["nr", "label", *names(14)]
    file = save(tmp_path / "a.csv", table(columns, numbered(labelled(pixels, labels))))
    assert read(file)[:2] == (pixels, labels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            table(["label", "more", *names(4)], [[1, 9, *PIXELS[0]], [2, 7, *PIXELS[1]]]),
            "5 columns of pixels, one more than 2×2",
        ),
        (table(["more", *names(4)], [[9, *PIXELS[0]], [7, *PIXELS[1]]]), "5 columns of pixels"),
        (table(["label", "", *names(3)], [[1, *PIXELS[0]]]), "line 1: column 2 has no name"),
        (table(["label", "y", *names(4)], [[1, 2, *PIXELS[0]]]), "'label' and 'y' can both be"),
        (
            table(None, [[7, *[0] * 6]] * 3),
            "7 columns without names; neither 7 nor 6 is the number",
        ),
        ("5,0,0,x,0,0\n1,2,3,4,5,6\n", "line 1: found 'x' among numbers; expected a header"),
        ("label;a;b\n1;2,5;3\n", "line 2: '2,5' in the column 'a'"),
        ("label,a\n,1\n", "line 2: the column 'label' is empty"),
        (f"label,a\n{'7' * 101},1\n", "line 2: '7+…' in the column 'label'; expected a label"),
        ("label,a\n1," + "x" * 10_000, "line 2: 'x+…' in the column 'a'"),
        ("7,0,10,200,0\n3,0,2\n", "line 2: 3 values; expected 5, as in line 1"),
        ("7,0,10,200,0\n3,0,2,300,0\n", "line 2: '300' in the column '4'"),
        ("\n<!DOCTYPE html><html>,</html>", "a web page .HTML., not the data"),
        ("version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        ("\0" * 50, "not a text file, because line 1 contains zero bytes"),
        # Other libraries lift the limit of the csv module.
        ("label,a\n1," + "9" * 140_000, "field larger than field limit|'9+…' in the column 'a'"),
    ],
)
def test_what_is_unclear_or_wrong_is_refused(tmp_path, text, message):
    file = save(tmp_path / "a.csv", text)
    for subset in ("train", "test"):
        with pytest.raises(ValueError, match=message) as caught:
            load_csv(file, subset=subset)
        assert str(file) in str(caught.value)
        assert len(str(caught.value)) <= 300
        assert "\n" not in str(caught.value)


def test_an_index_that_completes_a_square_is_reported(tmp_path):
    labels, pixels = many(20, side=3)
    rows = numbered([row[1:] for row in pixels])
    file = save(tmp_path / "a.csv", table(["label", "nr", *names(8)], labelled(rows, labels)))
    with pytest.warns(UserWarning, match="'nr' numbers the rows, but is read as one of 9"):
        load_csv(file)


def test_pixels_sorted_by_name_are_put_in_order(tmp_path, read):
    labels, pixels = many(5, side=4)
    order = sorted(range(16), key=str)
    columns = ["label", *(f"pixel{i}" for i in order)]
    rows = labelled([[row[i] for i in order] for row in pixels], labels)
    save(tmp_path / "train.csv", table(columns, rows))
    save(tmp_path / "test.csv", table(names(16), pixels))
    data, target, (warning,) = read(tmp_path)
    assert (data, target) == (pixels, labels)
    assert "sorted by their numbers" in str(warning.message)
    with pytest.warns(UserWarning, match="sorted by their numbers"):
        assert load_csv(tmp_path).feature_names == names(16)
    assert read(tmp_path, "test") == (pixels, None, [])


@pytest.mark.parametrize("numbers", [[1, 10, 2, 30], [4, 3, 2, 1]], ids=["by name", "reversed"])
def test_pixels_whose_numbers_tell_their_order_are_sorted(tmp_path, read, numbers):
    columns = [f"pixel{number}" for number in numbers]
    file = save(tmp_path / "a.csv", table(columns, [numbers] * 3))
    data, _, (warning,) = read(file, "test")
    assert data == [sorted(numbers)] * 3
    assert "sorted by their numbers" in str(warning.message)


@pytest.mark.parametrize("columns", [["a3", "a2", "a1", "b0"], ["a9", "a1", "a2", "a3"], [*"dcba"]])
def test_other_names_of_pixels_tell_no_order(tmp_path, read, columns):
    assert read(save(tmp_path / "a.csv", table(columns, PIXELS)), "test") == (PIXELS, None, [])


def test_a_column_too_few_is_reported(tmp_path):
    file = save(tmp_path / "a.csv", table(["label", *names(63)], [[1, *[0] * 63]]))
    with pytest.warns(UserWarning, match="63 columns of pixels, one less than 8×8"):
        load_csv(file)


def test_labels_with_leading_zeros_stay_strings(tmp_path, read):
    file = save(tmp_path / "a.csv", table(["label", "a"], [["07", 1], ["12", 2]]))
    assert read(file)[1] == ["07", "12"]
    assert read(save(file, table(["label", "a"], [["07.0", 1], ["3.0", 2]])))[1] == ["07.0", "3.0"]
    assert read(save(file, table(["label", "a"], [["1e30", 1], ["3", 2]])))[1] == ["1e30", "3"]
    assert read(save(file, table(["label", "a"], [["0", 1], ["-3", 2]])))[1] == [0, -3]


PAIRS = [("mnist_{}.csv", bytes), ("emnist-digits-{}.csv.gz", gzip.compress), ("{}.CSV", bytes)]


@pytest.mark.parametrize(("name", "pack"), PAIRS)
def test_a_folder_of_files_with_a_prefix(tmp_path, read, name, pack):
    train, test = many(12), many(15, labels=(9, 8))
    for subset, (labels, pixels) in (("train", train), ("test", test)):
        # With corners alike, images of 2×2 look the same on their side.
        pixels[:] = [[0, row[1], row[1], 0] for row in pixels]
        content = table(None, labelled(pixels, labels)).encode()
        (tmp_path / name.format(subset)).write_bytes(pack(content))
    assert read(tmp_path)[:2] == (train[1], train[0])
    assert read(tmp_path, "test")[:2] == (test[1], test[0])


def test_files_of_several_collections(tmp_path):
    for name in ("mnist_train.csv", "fashion-mnist_train.csv"):
        save(tmp_path / name, "label,a\n1,2\n")
    with pytest.raises(ValueError, match="contains 2 data sets; pass one of the files, such as"):
        load_csv(tmp_path)
    save(tmp_path / "train.csv", "label,a\n5,2\n")
    assert find_csv(tmp_path, "train").name == "train.csv"
    save(tmp_path / "retrain.csv", "")
    assert find_csv(tmp_path, "test") is None


def test_train_with_labels_beside_test_with_ids(tmp_path, read):
    save(tmp_path / "train.csv", table(["label", *names(4)], labelled()))
    save(tmp_path / "test.csv", table(["id", *names(4)], numbered(PIXELS, 1)))
    assert read(tmp_path) == (PIXELS, LABELS, [])
    data, target, (warning,) = read(tmp_path, "test")
    assert (data, target) == (PIXELS, None)
    assert "test.csv: the column 'id' is treated as an index and left out" in str(warning.message)


def test_the_label_is_the_column_that_test_lacks_in_spite_of_an_index(tmp_path, read):
    save(tmp_path / "train.csv", table(["id", "number", *names(4)], numbered(labelled())))
    save(tmp_path / "test.csv", table(["", *names(4)], numbered(PIXELS)))
    assert read(tmp_path)[:2] == (PIXELS, LABELS)


def test_an_index_is_recognized_by_the_other_file(tmp_path, read):
    pixels = [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [0] * 6]
    save(tmp_path / "train.csv", table(["label", *names(6)], labelled(pixels)))
    save(tmp_path / "test.csv", table(["nr", *names(6)], numbered(pixels)))
    data, _, (warning,) = read(tmp_path, "test")
    assert data == pixels
    assert "'nr' is treated as an index and left out" in str(warning.message)


def test_other_pixels_in_the_other_file(tmp_path):
    save(tmp_path / "train.csv", table(["label", *names(4)], labelled()))
    save(tmp_path / "test.csv", table(["pixel0", "pixel2", "pixel3", "pixel4"], PIXELS))
    message = "the column 'pixel1' of train.csv is 'pixel2' in test.csv"
    for subset in ("train", "test"):
        with pytest.raises(ValueError, match=message):
            load_csv(tmp_path, subset=subset)
    save(tmp_path / "test.csv", table(None, [[1] * 9] * 2))
    with pytest.raises(ValueError, match=r"train.csv has 5 columns and test.csv has 9"):
        load_csv(tmp_path, subset="test")


CELLS = st.sampled_from(
    [
        "0",
        "1",
        "7",
        "255",
        "0.5",
        "1.0",
        "07",
        "256",
        "-1",
        "",
        "x",
        "label",
        "id",
        '"',
        "nan",
        "1e2",
    ]
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=7), min_size=1, max_size=6)


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=60)
    | st.tuples(ROWS, st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
    st.sampled_from(["train", "test"]),
)
@example(([["0", "0"], ["0", "1"]], ",", "utf-8"), "train")  # labels that count like an index
@example(([["id", "label", "a"], ["0", "7", "1"]], ",", "utf-8"), "train")
def test_any_cells_are_read_or_refused(tmp_path_factory, content, subset):
    if not isinstance(content, bytes):
        rows, delimiter, encoding = content
        content = "\n".join(map(delimiter.join, rows)).encode(encoding)
    file = tmp_path_factory.getbasetemp() / "cells.csv"
    file.write_bytes(content)
    try:
        with warnings.catch_warnings(record=True) as reported:
            warnings.simplefilter("always")
            bunch = load_csv(file, subset=subset)
            n_reported = len(reported)
            chunks = list(iter_csv(file, subset, 1))
    except ValueError as error:
        assert str(file) in str(error)
        assert len(str(error)) <= 300
        return
    assert bunch.data.dtype == np.uint8
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), bunch.data)
    if bunch.target is not None:
        assert sum(len(chunk.target) for chunk in chunks) == len(bunch.target) == len(bunch.data)
    messages = [str(warning.message) for warning in reported]
    assert messages[:n_reported] == messages[n_reported:]
    assert {warning.category for warning in reported} <= {UserWarning}
    assert all(message.startswith(f"{file}: ") and len(message) <= 300 for message in messages)
