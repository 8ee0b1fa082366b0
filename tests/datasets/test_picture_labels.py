"""Labels of pictures in labels.csv: how people write it, and what is in doubt."""

import unicodedata
import warnings

import numpy as np
import pytest
from PIL import Image

from skdigits.datasets import load_data, load_pictures
from skdigits.datasets.picture_files import iter_pictures, load_lines

DIGIT = np.full((40, 40), 255, np.uint8)
DIGIT[8:32, 18:22] = 0
ROWS = ["a.png,1", "b.png,2", "in/c.png,3"]


@pytest.fixture
def folder(tmp_path):
    """Three pictures, one of them in a folder."""
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "in/c"):
        Image.fromarray(DIGIT).save(tmp_path / f"{name}.png")
    return tmp_path


def save_pages(path, n_pages):
    pages = [Image.fromarray(np.roll(DIGIT, i)) for i in range(n_pages)]
    pages[0].save(path, save_all=True, append_images=pages[1:])


def write(folder, rows, header="ImageId,Label", encoding="utf-8"):
    (folder / "labels.csv").write_bytes("\n".join([header, *rows, ""]).encode(encoding))


def labels(folder):
    bunch = load_pictures(folder)
    names = [name.removeprefix(f"{folder}/") for name in bunch.filenames]
    return dict(zip(names, bunch.target.tolist(), strict=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_as_spreadsheets_write_it(folder, delimiter, encoding):
    rows = [row.replace(",", delimiter) for row in ROWS]
    write(folder, [*rows, "", delimiter.strip(" ")], f"ImageId{delimiter}Label", encoding)
    assert labels(folder) == {"a.png": 1, "b.png": 2, "in/c.png": 3}
    assert load_lines(folder)[1].tolist() == ["1", "2", "3"]


def test_other_columns_and_quotes(folder):
    rows = [f'x,"{name}", "{label}" ,' for name, label in (row.split(",") for row in ROWS)]
    write(folder, rows, "note, imageid ,LABEL")
    assert labels(folder) == {"a.png": 1, "b.png": 2, "in/c.png": 3}


@pytest.mark.parametrize(
    "names",
    [
        ["./a.png", ".\\b.png", "in\\c.png"],
        ["a", "b", "in/c"],
        ["A.PNG", "b.png#1", "IN/c"],
        [" a.png ", "b#1", "in//c.png"],
    ],
)
def test_a_name_that_means_one_picture(folder, names):
    write(folder, [f"{name},{i}" for i, name in enumerate(names, 1)])
    assert labels(folder) == {"a.png": 1, "b.png": 2, "in/c.png": 3}


def test_an_exact_name_comes_before_a_similar_one(folder):
    Image.fromarray(DIGIT).save(folder / "A.png")
    Image.fromarray(DIGIT).save(folder / "a.png.gif")
    write(folder, ["A.png,4", "a.png.gif,5", *ROWS])
    assert labels(folder) == {"a.png": 1, "b.png": 2, "in/c.png": 3, "A.png": 4, "a.png.gif": 5}


def test_accents_are_the_same_however_they_are_composed(folder):
    (folder / "a.png").rename(folder / unicodedata.normalize("NFD", "é.png"))
    write(folder, ["é.png,1", *ROWS[1:]])
    assert labels(folder) == {"b.png": 2, unicodedata.normalize("NFD", "é.png"): 1, "in/c.png": 3}


def test_every_page_has_its_own_label(folder):
    save_pages(folder / "scan.tif", 3)
    write(folder, [*ROWS, "scan.tif,7", "scan#3,8", "scan.tif#2,9"])
    pages = {"scan.tif": 7, "scan.tif#2": 9, "scan.tif#3": 8}
    assert labels(folder) == {"a.png": 1, "b.png": 2, "in/c.png": 3, **pages}
    write(folder, [*ROWS, "scan.tif,", "scan.tif#2,9", "scan.tif#3,8"])
    with pytest.warns(UserWarning, match=r"line 5: 'scan\.tif' has an empty label, and is left"):
        assert labels(folder) == {
            "a.png": 1,
            "b.png": 2,
            "in/c.png": 3,
            "scan.tif#2": 9,
            "scan.tif#3": 8,
        }


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [*ROWS, "a.png,7"],
            "line 5: the label of 'a.png' is '7', but it is '1' in line 2; remove",
        ),
        ([*ROWS, "a,"], "line 5: the label of 'a' is '', but it is '1' in line 2"),
        (ROWS[:2], "c.png has no label"),
        ([*ROWS[:2], "in/c.png"], "line 4: 1 values; expected 2, as in line 1"),
        ([*ROWS[:2], "in/c.png,3,4"], "line 4: 3 values; expected 2"),
        ([*ROWS, ",3"], "line 5: the name of the picture is missing"),
        (["a.png,", "b.png,", "in/c.png,"], "all labels are empty"),
        ([*ROWS[:2], f"in/c.png,{'7' * 2000}"], "line 4: the label has 2000 characters"),
    ],
)
def test_what_is_in_doubt_is_named(folder, rows, message):
    write(folder, rows)
    for load in (load_pictures, load_lines, load_data):
        with pytest.raises(ValueError, match=message) as caught:
            load(folder)
        assert len(str(caught.value)) <= 300 + len(str(folder))
    with pytest.warns(UserWarning, match=rf"{message}.*The labels of labels\.csv are not used"):
        assert load_pictures(folder, subset="test").target is None


def test_a_name_that_may_mean_two_pictures(folder):
    Image.fromarray(DIGIT).save(folder / "a.gif")
    write(folder, ["a,1", *ROWS[1:], "a.gif,4"])
    with pytest.raises(ValueError, match=r"line 2: 'a' can be 'a\.gif' or 'a\.png'; write the"):
        load_pictures(folder)


@pytest.mark.parametrize("rows", [["scan.tif,7"], ["scan.tif,7", "scan.tif#3,8"]])
def test_a_page_that_is_not_listed_has_not_the_label_of_the_file(folder, rows):
    save_pages(folder / "scan.tif", 3)
    write(folder, [*ROWS, *rows])
    with pytest.raises(ValueError, match=r"line 5: 'scan\.tif' has several pages, and 'scan\.tif#"):
        load_pictures(folder)


@pytest.mark.parametrize(
    ("rows", "message", "target"),
    [
        ([*ROWS, "gone.png,5"], r"line 5: 'gone\.png' is not the name of a picture", [1, 2, 3]),
        ([*ROWS, "a.png#2,5"], r"line 5: 'a\.png#2' is not the name of a picture", [1, 2, 3]),
        (["a.png,", *ROWS[1:]], r"line 2: 'a\.png' has an empty label, and is left out", [2, 3]),
        (["a.png,", "b.png, ", ROWS[2]], r"line 2 \(as in 1 more\): 'a\.png' has an empty", [3]),
        (
            ["a.png,1 4", *ROWS[1:]],
            r"'a\.png' has the label '1 4', which contains a space",
            ["1 4", "2", "3"],
        ),
    ],
)
def test_what_is_left_out_or_odd_is_reported(folder, rows, message, target):
    write(folder, rows)
    with pytest.warns(UserWarning, match=message):
        assert load_pictures(folder).target.tolist() == target


def test_a_row_that_says_the_same_again_is_harmless(folder):
    write(folder, [*ROWS, "./a.png,1", "a,1"])
    assert list(labels(folder).values()) == [1, 2, 3]


@pytest.mark.parametrize("label", ["1 4", "12a", "٣"])
def test_labels_of_lines_have_no_letters_and_blanks(folder, label):
    write(folder, [*ROWS[:2], f'in/c.png,"{label}"'])
    with pytest.raises(ValueError, match=r"line 4: the label of 'in/c\.png' is .*digits and signs"):
        load_lines(folder)


def test_labels_of_lines_keep_their_zeros_and_signs(folder):
    write(folder, ["a.png,007", "b.png,-1.50", 'in/c.png,"3,5"'])
    assert load_lines(folder)[1].tolist() == ["007", "-1.50", "3,5"]


def test_whole_numbers_with_a_point_are_integers(folder):
    write(folder, ["a.png,1.0", "b.png,2.0", "in/c.png,3.0"])
    assert labels(folder) == {"a.png": 1, "b.png": 2, "in/c.png": 3}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b",\n,\n", "the file is empty"),
        (b"name;text\n1;2", "should have the columns ImageId .*; found 'name', 'text'"),
        (b"ImageId,Label,Label\n", "should have the columns ImageId"),
        ("ImageId,Label\né,1\n".encode("latin-1"), "not a CSV file in UTF-8 or UTF-16"),
        (b"<!doctype html><html>", "a web page"),
    ],
)
def test_a_file_of_another_form(folder, content, message):
    (folder / "labels.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"labels\.csv.*{message}"):
        load_pictures(folder)


def test_pictures_to_predict_are_never_left_out(folder):
    write(folder, ["a.png,", *ROWS[1:]])
    with pytest.warns(UserWarning, match=r"'a\.png' has an empty label\. The labels"):
        bunch = load_pictures(folder, subset="test")
    assert len(bunch.data) == 3
    assert bunch.target is None


def test_a_damaged_picture_keeps_the_labels_of_the_others(folder):
    save_pages(folder / "scan.tif", 3)
    whole = (folder / "scan.tif").read_bytes()
    (folder / "b.png").write_bytes(b"no picture")
    write(folder, [*ROWS, "scan.tif,7", "scan.tif#2,8", "scan.tif#3,9"])
    for length in range(100, len(whole), 500):
        (folder / "scan.tif").write_bytes(whole[:length])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*is not the name of a picture")
            (chunk,) = iter_pictures(folder, subset="test")
        names, target = chunk.names.tolist(), chunk.target.tolist()
        assert len(chunk.problems) == 2
        shown = {name for name, image in zip(names, chunk.data, strict=True) if image.any()}
        expected = {"a.png": 1, "in/c.png": 3, "scan.tif": 7, "scan.tif#2": 8, "scan.tif#3": 9}
        assert {name: target[names.index(name)] for name in shown}.items() <= expected.items()
        assert {"a.png", "in/c.png"} <= shown
