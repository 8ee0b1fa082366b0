import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from skdigits.datasets import load_digits

DIGITS = load_digits()
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", PYTHON, ids=range(1, len(PYTHON) + 1))
def test_the_readmes_python_runs(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    digit = np.pad(255 - DIGITS.images[0].repeat(6, 0).repeat(6, 1), 9, constant_values=255)
    Image.fromarray(digit.astype(np.uint8)).save("photo.png")
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    plt.close("all")
    if "read" in names:
        assert [reading.text for reading in names["read"]("photo.png")] == ["0"]
        assert capsys.readouterr().out.startswith("0 ")
    elif "EpochSearchCV" in names:
        assert names["search"].best_score_ > 0.95
    elif "search" in names:
        assert names["search"].score(names["X_test"], names["y_test"]) > 0.97
        assert "cnn__epochs" in capsys.readouterr().out
    elif "recognizer" in names:
        assert names["recognizer"].score(names["X"], names["y"]) > 0.92
    elif "detector" in names:
        assert names["is_digit"].mean() > 0.9
    elif "PictureCleaner" in names:
        pictures = [255 - np.pad(image.repeat(6, 0).repeat(6, 1), 9) for image in DIGITS.images]
        pipeline = names["pipeline"].fit(pictures[:400], DIGITS.target[:400])
        assert pipeline.score(pictures[400:600], DIGITS.target[400:600]) > 0.8  # of other writers
    else:
        assert (names["labels"] == names["bunch"].target).mean() > 0.97


def test_there_is_python_to_run():
    assert len(PYTHON) == 7
    assert README.index("skdigits read") < README.index("```python") < 1000


def test_tables_are_those_of_the_results():
    script = runpy.run_path(str(ROOT / "benchmarks" / "write_tables.py"))
    assert set(script["TABLES"]) == {ROOT / "README.md", ROOT / "benchmarks" / "README.md"}
    for file in script["TABLES"]:
        assert script["replaced"](file) == file.read_text(encoding="utf-8"), file


@pytest.mark.parametrize("folder", [ROOT, ROOT / "benchmarks"], ids=["README", "benchmarks"])
def test_links_and_pictures_are_there(folder):
    targets = re.findall(r"\]\(([^)]+)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert len(targets) >= 3
    for target in targets:
        assert (folder / target).exists(), target


def test_it_is_short_enough_to_read():
    assert README.count("\n") <= 240


def test_the_benchmarks_readme_names_every_script():
    folder = ROOT / "benchmarks"
    text = (folder / "README.md").read_text(encoding="utf-8")
    scripts = {file.name for file in folder.glob("*.py")}
    assert scripts == set(re.findall(r"`(\w+\.py)", text))
