import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from photographs import page
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import zoom

from skdigits import cores, load_pretrained, pictures, read, save
from skdigits.datasets import load_digits


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page of three lines, a single digit, a blank picture and a file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    bunch = load_digits()
    images = np.pad(zoom(bunch.images, (1, 2.5, 2.5), order=1), [(0, 0), (4, 4), (4, 4)])
    picture, _, _ = page(images, bunch.target, "plain", np.random.default_rng(0), n_lines=3)
    Image.fromarray(np.asarray(picture, np.uint8)).save(folder / "1 page.png")
    one = np.pad(255 - images[1], 8, constant_values=255)
    Image.fromarray(one).resize((120, 120)).save(folder / "2 digit.jpg")
    Image.new("L", (90, 60), 255).save(folder / "3 blank.png")
    (folder / "4 broken.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    return folder


def test_every_line_is_printed_and_the_rest_is_read_after_a_bad_file(run, folder, capsys):
    assert run("read", folder) == 1
    shown = capsys.readouterr()
    rows = [line.split("\t") for line in shown.out.splitlines()]
    assert [row[0].rsplit("/", 1)[1] for row in rows] == [
        *["1 page.png"] * 3,
        "2 digit.jpg",
        "3 blank.png",
    ]
    expected = read(folder / "1 page.png")
    assert [row[1] for row in rows[:3]] == [reading.text for reading in expected]
    assert [float(row[2]) for row in rows[:3]] == [round(r.confidence, 2) for r in expected]
    assert rows[3][1] == "1"
    assert rows[4][1:] == ["", ""]
    assert "4 broken.png: not a picture, or damaged" in shown.err
    assert "notes" not in shown.err


def test_csv_and_json_have_boxes(run, folder, capsys):
    assert run("read", folder / "1 page.png", "--csv") == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype={"text": str})
    assert list(table) == ["file", "text", "confidence", "left", "top", "right", "bottom"]
    expected = read(folder / "1 page.png")
    assert table["text"].tolist() == [reading.text for reading in expected]
    assert table[["left", "top", "right", "bottom"]].to_numpy().tolist() == [
        list(reading.box) for reading in expected
    ]
    assert run("read", folder / "1 page.png", folder / "3 blank.png", "--json") == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [found["text"] for found in objects] == [*table["text"].tolist(), ""]
    assert objects[0]["left"] == expected[0].box[0]
    assert objects[-1]["confidence"] is None
    assert run("read", folder, "--json", "--csv") == 2
    assert "omit one of them" in capsys.readouterr().err


TABLE = [
    ["4071", "38", "906"],
    ["25", "7413", "52"],
    ["963", "", "4480"],
    ["", "51", "27"],
    ["8206", "694", "35"],
    ["47", "83", "2519"],
    ["530", "9162", "64"],
    ["3894", "72", "805"],
]


def draw_table(path, degrees=0.0, rows=TABLE):
    """A picture of right-aligned columns."""
    picture = Image.new("L", (760, 60 + 70 * len(rows)), 250)
    pencil, font = ImageDraw.Draw(picture), ImageFont.load_default(36)
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            pencil.text((200 + 230 * x, 40 + 70 * y), text, 20, font, anchor="ra")
    picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=250).save(path)


def in_csv(text):
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("degrees", [-2, 0, 2])
def test_a_table_is_printed_as_rows_and_columns(run, tmp_path, capsys, degrees):
    draw_table(tmp_path / "table.png", degrees)
    assert run("read", tmp_path / "table.png", "--table") == 0
    assert in_csv(capsys.readouterr().out) == TABLE


def test_tables_of_several_files_have_their_names(run, tmp_path, capsys):
    draw_table(tmp_path / "a.png")
    draw_table(tmp_path / "c.png", rows=TABLE[:2])
    Image.new("L", (90, 60), 255).save(tmp_path / "b.png")
    assert run("read", tmp_path, "--table") == 0
    a, b, c = (str(tmp_path / f"{name}.png") for name in "abc")
    expected = [*([a, *row] for row in TABLE), [b], *([c, *row] for row in TABLE[:2])]
    assert in_csv(capsys.readouterr().out) == expected
    pages = [Image.open(tmp_path / f"{name}.png") for name in "ac"]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    assert run("read", tmp_path / "pages.tif", "--table") == 0
    names = [row[0] for row in in_csv(capsys.readouterr().out)]
    assert names == [f"{tmp_path}/pages.tif"] * 8 + [f"{tmp_path}/pages.tif#2"] * 2
    (tmp_path / "0.png").write_bytes(b"no picture")
    assert run("read", tmp_path / "0.png", tmp_path / "c.png", "--table") == 1
    assert in_csv(capsys.readouterr().out) == [[c, *row] for row in TABLE[:2]]
    assert run("read", tmp_path / "b.png", "--table") == 0
    assert capsys.readouterr().out == ""


def test_the_numbers_of_a_line_are_joined(run, tmp_path, capsys):
    draw_table(tmp_path / "table.png", 2)
    readings = read(tmp_path / "table.png")
    confidence = {reading.text: reading.confidence for reading in readings}
    box = {reading.text: reading.box for reading in readings}
    lines = [" ".join(filter(None, row)) for row in TABLE]
    lowest = [min(confidence[text] for text in line.split()) for line in lines]
    assert run("read", tmp_path / "table.png", "--lines") == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows] == lines
    assert [row[2] for row in rows] == [f"{value:.2f}" for value in lowest]
    assert run("read", tmp_path / "table.png", "--lines", "--json") == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert first["text"] == lines[0]
    boxes = np.array([box[text] for text in TABLE[0]])
    assert [first[side] for side in ("left", "top")] == boxes[:, :2].min(axis=0).tolist()
    assert [first[side] for side in ("right", "bottom")] == boxes[:, 2:].max(axis=0).tolist()
    Image.new("L", (90, 60), 255).save(tmp_path / "blank.png")
    assert run("read", tmp_path / "blank.png", "--lines") == 0
    assert capsys.readouterr().out == f"{tmp_path}/blank.png\t\t\n"


def test_uncertain_numbers_are_left_out_of_tables_and_lines(run, tmp_path, capsys):
    draw_table(tmp_path / "table.png")
    confidences = {r.text: r.confidence for r in read(tmp_path / "table.png")}
    threshold = sorted(confidences.values())[4]
    kept = [
        [text if confidences.get(text, 0) >= threshold else "" for text in row] for row in TABLE
    ]
    assert run("read", tmp_path / "table.png", "--table", "--reject-below", threshold) == 0
    assert in_csv(capsys.readouterr().out) == kept != TABLE
    assert run("read", tmp_path / "table.png", "--lines", "--reject-below", threshold) == 0
    texts = [line.split("\t")[1] for line in capsys.readouterr().out.splitlines()]
    assert texts == [
        " ".join(filter(None, row)) if row == k else "" for row, k in zip(TABLE, kept, strict=True)
    ]


@pytest.mark.parametrize("other", ["--csv", "--json", "--lines"])
def test_a_table_has_one_format(run, folder, capsys, other):
    assert run("read", folder / "1 page.png", "--table", other) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert "--table" in line
    assert other in line
    assert "omit one of them" in line


def test_standard_input_is_read(run, folder, capsys, monkeypatch):
    content = (folder / "2 digit.jpg").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert run("read", "-") == 0
    assert capsys.readouterr().out.startswith("-\t1\t")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"nothing")))
    assert run("read", "-") == 1
    assert capsys.readouterr().err.startswith("skdigits: -: not a picture")


def test_uncertain_texts_are_left_out(run, folder, capsys):
    assert run("read", folder / "1 page.png", "--reject-below", 1) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 3
    assert {row[1] for row in rows} <= {"", *(r.text for r in read(folder / "1 page.png"))}
    assert "" in {row[1] for row in rows}
    assert all(row[2] for row in rows)


def test_the_length_may_be_known(run, folder, capsys):
    n_digits = len(read(folder / "1 page.png")[0].text)
    assert run("read", folder / "1 page.png", "--digits", n_digits) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(rows[0][1]) == n_digits
    assert {len(row[1]) for row in rows} <= {0, n_digits}


def test_patterns_may_be_known(run, folder, capsys):
    expected = read(folder / "1 page.png")
    longest = max(len(reading.text) for reading in expected)
    patterns = ["$" + n * "d" for n in range(1, longest + 1)]
    options = [part for pattern in patterns for part in ("--pattern", pattern)]
    assert run("read", folder / "1 page.png", *options) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows] == [f"${reading.text}" for reading in expected]
    for wrong, message in {
        ("--pattern", "ddxd"): "got 'x' in 'ddxd'",
        ("--pattern", ""): "at least one d or digit",
        ("--pattern", "ddd", "--digits", 3): "digits=3 means pattern='ddd'",
    }.items():
        assert run("read", folder, *wrong) == 2
        shown = capsys.readouterr()
        assert message in shown.err
        assert shown.err.count("\n") == 1
        assert not shown.out


def test_pictures_are_drawn_with_boxes(run, folder, tmp_path):
    out = tmp_path / "drawn"
    assert run("read", folder / "1 page.png", folder / "2 digit.jpg", "--draw", out) == 0
    drawn = {file.name.split("_")[-1]: file for file in out.iterdir()}
    assert drawn.keys() == {"page.png.boxes.png", "digit.jpg.boxes.png"}
    before = np.asarray(Image.open(folder / "1 page.png").convert("RGB"), int)
    after = np.asarray(Image.open(drawn["page.png.boxes.png"]), int)
    left, top, right, bottom = read(folder / "1 page.png")[0].box
    outline = after[bottom + 1, left:right]
    assert (outline == outline[0]).all()
    assert tuple(outline[0]) in {(0, 0x72, 0xB2), (0xD5, 0x5E, 0)}  # blue or orange
    assert (after[top:bottom, left:right] == before[top:bottom, left:right]).all()
    (tmp_path / "file").write_text("")
    assert run("read", folder / "1 page.png", "--draw", tmp_path / "file") == 2


def test_a_model_of_ones_own_reads(run, folder, tmp_path, capsys):
    model = save(load_pretrained("sequence"), tmp_path / "model.skdigits")
    assert run("read", folder / "1 page.png", "--model", model) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 1
    assert run("read", folder / "1 page.png", "--model", folder / "notes.txt") == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [("missing.png", "there is no such file or folder"), ("empty", "contains no pictures")],
)
def test_sources_without_pictures(run, tmp_path, capsys, source, message):
    (tmp_path / "empty").mkdir()
    assert run("read", tmp_path / source) == 1
    assert message in capsys.readouterr().err


def test_drawing_never_replaces_a_picture(run, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = (folder / "1 page.png").read_bytes()
    for name in ("a_b.png", "a/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert run("read", "a_b.png", "a/b.png", "--draw", ".") == 0
    assert (tmp_path / "a_b.png").read_bytes() == content
    assert {p.name for p in tmp_path.iterdir()} == {
        "a",
        "a_b.png",
        "a_b.png.boxes.png",
        "a_b.png-2.boxes.png",
    }


def test_any_picture_is_drawn_as_it_looks(run, folder, tmp_path):
    grey = np.asarray(Image.open(folder / "1 page.png").convert("L"))
    transparent = np.zeros((*grey.shape, 4), np.uint8)
    transparent[..., 3] = 255 - grey
    long = "x" * 200
    Image.fromarray(grey.astype(np.uint16) * 200 + 3000).save(tmp_path / f"{long}.png")
    Image.fromarray(transparent).save(tmp_path / "transparent.png")
    assert run("read", tmp_path, "--draw", tmp_path / "drawn") == 0
    drawn = list((tmp_path / "drawn").iterdir())
    assert len(drawn) == 2
    for file in drawn:
        shown = np.asarray(Image.open(file).convert("L"), float)
        assert np.corrcoef(shown.ravel(), grey.ravel())[0, 1] > 0.5


@pytest.mark.parametrize(("mode", "name"), [("P", "palette.png"), ("CMYK", "printed.tif")])
def test_colours_stay_where_boxes_are_drawn(run, folder, tmp_path, mode, name):
    grey = np.asarray(Image.open(folder / "1 page.png").convert("L"))
    on_blue = np.stack([grey // 2, grey // 2, np.full_like(grey, 230)], axis=2)
    Image.fromarray(on_blue).convert(mode).save(tmp_path / name)
    assert run("read", tmp_path / name, "--draw", tmp_path / "drawn") == 0
    (file,) = (tmp_path / "drawn").iterdir()
    red, _, blue = np.asarray(Image.open(file), float).reshape(-1, 3).mean(axis=0)
    assert blue > red + 50


@pytest.mark.parametrize(
    ("stdin", "message"), [(None, "standard input is closed"), (b"", "standard input is empty")]
)
def test_standard_input_that_holds_nothing(run, capsys, monkeypatch, stdin, message):
    stream = None if stdin is None else io.TextIOWrapper(io.BytesIO(stdin))
    monkeypatch.setattr("sys.stdin", stream)
    assert run("read", "-") == 1
    assert capsys.readouterr().err == f"skdigits: -: {message}; expected a picture.\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_named_pipe_is_read(run, folder, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = (folder / "2 digit.jpg").read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    assert run("read", pipe) == 0
    writer.join()
    assert capsys.readouterr().out.startswith(f"{pipe}\t1\t")


def picture_in(folder, place):
    """A copy of the picture of a digit at another place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes((folder / "2 digit.jpg").read_bytes())


def test_links_are_followed_once_and_dangling_ones_are_named(run, folder, tmp_path, capsys):
    top = tmp_path / "top"
    picture_in(folder, top / "deep" / "deeper" / "a.jpg")
    picture_in(folder, tmp_path / "beside" / "b.jpg")
    (top / "again").symlink_to(top / "deep")
    (top / "itself").symlink_to(top)
    (top / "above").symlink_to(tmp_path)
    (top / "other").symlink_to(tmp_path / "beside")
    (top / "gone.png").symlink_to("nowhere.png")
    (top / "loop.png").symlink_to("loop.png")
    assert run("read", top) == 1
    shown = capsys.readouterr()
    names = [line.split("\t")[0] for line in shown.out.splitlines()]
    assert names == [f"{top}/deep/deeper/a.jpg", f"{top}/other/b.jpg"]
    assert [line.split(": a link")[0] for line in shown.err.splitlines()] == [
        f"skdigits: {top}/gone.png",
        f"skdigits: {top}/loop.png",
    ]


def test_names_stay_on_one_line_and_are_true_in_csv_and_json(run, folder, tmp_path, capsys):
    name = "a\tb\nc\x1b[31m\u2028.jpg"
    picture_in(folder, tmp_path / "p" / name)
    (tmp_path / "p" / "bad\n.png").write_bytes(b"no picture")
    assert run("read", tmp_path / "p") == 1
    shown = capsys.readouterr()
    assert shown.out.split("\t")[0] == rf"{tmp_path}/p/a\tb\nc\x1b[31m\u2028.jpg"
    assert len(shown.out.splitlines()) == len(shown.err.splitlines()) == 1
    assert r"p/bad\n.png: not a picture" in shown.err
    assert run("read", tmp_path / "p", "--csv") == 1
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert table["file"].tolist() == [f"{tmp_path}/p/{name}"]
    assert run("read", tmp_path / "p", "--json") == 1
    assert json.loads(capsys.readouterr().out)["file"] == f"{tmp_path}/p/{name}"


def test_files_without_ending_are_known_by_their_content(run, folder, tmp_path, capsys):
    picture_in(folder, tmp_path / "scan")
    (tmp_path / "README").write_text("no picture")
    (tmp_path / "empty").write_bytes(b"")
    assert run("read", tmp_path) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path / 'scan'}\t1\t")


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), SyntaxError("odd"), OSError(5, "I/O error")]
)
def test_whatever_is_raised_costs_one_picture(run, folder, capsys, monkeypatch, error):
    open_pictures = pictures.open_pictures

    def fail_once(path):
        if path.name.startswith("2"):
            raise error
        return open_pictures(path)

    monkeypatch.setattr(pictures, "open_pictures", fail_once)
    assert run("read", folder) == 1
    shown = capsys.readouterr()
    reason = getattr(error, "strerror", None) or str(error) or "ZeroDivisionError"
    assert f"skdigits: {folder}/2 digit.jpg: {reason}\n" in shown.err
    assert "3 blank.png" in shown.out


@pytest.mark.slow
def test_several_processes_print_the_same(run, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cores, "PATIENCE", 0)
    many = tmp_path / "pictures"
    many.mkdir()
    for number in range(10):
        for file in folder.iterdir():
            (many / f"{number} {file.name}").write_bytes(file.read_bytes())
    shown = []
    for jobs in (1, 2):
        assert run("read", many, "--jobs", jobs, "--draw", tmp_path / f"drawn {jobs}") == 1
        shown.append(capsys.readouterr())
    assert shown[0] == shown[1]
    assert shown[0].err.count("not a picture") == 10
    drawn = [{p.name: p.read_bytes() for p in (tmp_path / f"drawn {n}").iterdir()} for n in (1, 2)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 30


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_progress_is_shown_on_a_terminal_beside_the_output_in_a_file(folder, tmp_path):
    import pty

    for number in range(30):
        (tmp_path / f"{number:02d}.jpg").write_bytes((folder / "2 digit.jpg").read_bytes())
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "skdigits", "read", str(tmp_path), "--jobs", "1"]
    seen = []

    def collect():
        with contextlib.suppress(OSError):  # when the process has ended
            while part := os.read(terminal, 1 << 16):
                seen.append(part)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end) as process:
        os.close(end)
        reader = threading.Thread(target=collect)
        reader.start()
        out = process.communicate()[0].decode()
    reader.join()
    os.close(terminal)
    assert [line.split("\t")[1] for line in out.splitlines()] == ["1"] * 30
    assert b"/30" in b"".join(seen)
