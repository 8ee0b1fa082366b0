import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skdigits.cli import inspect
from skdigits.datasets import load_digits
from skdigits.inspection import ImageGridDisplay
from skdigits.pictures.cutting import cut_lines


def test_inspect_prints_and_draws(run, tmp_path, capsys):
    assert run("inspect", "-o", tmp_path) == 0
    printed = capsys.readouterr().out
    for fact in ("1797", "64", "8×8", "0 to 255", "missing values", "115008", "77.85"):
        assert fact in printed
    labels = re.findall(r"^(\d) +(\d{3}) +\d+\.\d%", printed, re.M)
    assert labels[0] == ("3", "183")
    assert labels[-1] == ("8", "174")
    assert {file.name for file in tmp_path.iterdir()} == {"labels.png", "samples.png", "means.png"}


@pytest.mark.parametrize("labelled", [True, False])
def test_inspect_draws_pictures_before_and_after(run, tmp_path, capsys, labelled):
    for i, digit in enumerate(load_digits().images[:8]):
        folder = tmp_path / "pictures" / (str(i % 2) if labelled else "")
        folder.mkdir(parents=True, exist_ok=True)
        large = np.pad(digit.repeat(6, axis=0).repeat(6, axis=1), 12)
        Image.fromarray(255 - large).save(folder / f"{i}.png")
    assert run("inspect", tmp_path / "pictures", "-o", tmp_path / "out") == 0
    drawn = {file.name for file in (tmp_path / "out").iterdir()}
    labels = {"labels.png", "means.png"} if labelled else set()
    assert drawn == {"samples.png", "cleaning.png"} | labels
    assert run("inspect", tmp_path / "pictures", "--sequences", "-o", tmp_path / "lines") == 0
    assert {file.name for file in (tmp_path / "lines").iterdir()} == {"cleaning.png"}
    assert run("inspect", "--sequences", "-o", tmp_path / "none") == 2
    assert "--sequences needs pictures, but DATA contains none" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("--sequences",)])
def test_inspect_names_damaged_pictures_and_draws_the_others(run, tmp_path, capsys, options):
    (tmp_path / "p" / "0").mkdir(parents=True)
    large = np.pad(load_digits().images[0].repeat(6, axis=0).repeat(6, axis=1), 12)
    Image.fromarray(255 - large).save(tmp_path / "p" / "0" / "a.png")
    (tmp_path / "p" / "0" / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    (tmp_path / "p" / "0" / "c.png").symlink_to("gone.png")
    assert run("inspect", tmp_path / "p", *options, "-o", tmp_path / "out") == 1
    errors = capsys.readouterr().err
    assert "b.jpg: not a picture, or damaged" in errors
    assert "c.png: No such file or directory" in errors
    assert (tmp_path / "out" / "cleaning.png").is_file()
    (tmp_path / "p" / "0" / "a.png").unlink()
    assert run("inspect", tmp_path / "p", *options, "-o", tmp_path / "none") == 2
    assert "None of the pictures can be read" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_inspect_draws_the_lines_of_a_page(run, tmp_path, monkeypatch):
    page = Path(__file__).parent.parent / "pictures" / "page.jpg"
    shown = []
    monkeypatch.setattr(inspect, "save_figure", lambda display, path: shown.append(display))
    assert run("inspect", page, "-o", tmp_path) == 0
    (display,) = shown
    assert display.captions == [f"page.jpg, line {i}" for i in range(1, 6)]
    for drawn, expected in zip(display.images, cut_lines(Image.open(page))[0], strict=True):
        np.testing.assert_array_equal(drawn, expected)


def test_inspect_takes_idx_files_and_pixels_that_make_no_square(
    write_idx, run, tmp_path, capsys, monkeypatch
):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6), dtype=np.uint8)
    write_idx(tmp_path, "train", images, np.array([1, 2, 1, 2]))
    plot, drawn = ImageGridDisplay.plot, []
    monkeypatch.setattr(
        ImageGridDisplay,
        "plot",
        lambda self, **options: drawn.append(self.images.shape) or plot(self, **options),
    )
    unpacked = tmp_path / "train-images-idx3-ubyte"
    Path(f"{unpacked}.gz").write_bytes(gzip.compress(unpacked.read_bytes()))
    unpacked.unlink()
    assert run("inspect", tmp_path, "-o", tmp_path / "out") == 0
    assert "5×6" in capsys.readouterr().out
    assert drawn == [(4, 5, 6), (2, 5, 6)]
    (tmp_path / "train.csv").write_text("label,a,b\n1,2,3\n0,4,5\n")
    assert run("inspect", tmp_path, "-o", tmp_path / "out") == 0
