import importlib
import re
import runpy
import shutil
from pathlib import Path

import numpy as np
import pdoc
import pytest
import typer
from matplotlib import pyplot as plt

import skdigits
from skdigits.cli.commands import app
from skdigits.datasets import load_digits

DIGITS = load_digits()
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE, LINES = "tests/pictures/page.jpg", ["9046236", "4853", "32861", "2833319", "3"]
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
TRAINS_LONG = re.compile("SearchCV|DigitSequenceRecognizer|LocalOutlierFactor")
SNIPPETS = [
    pytest.param(code, id=str(i), marks=[pytest.mark.slow] * bool(TRAINS_LONG.search(code)))
    for i, code in enumerate(PYTHON, start=1)
]


@pytest.mark.parametrize("code", SNIPPETS)
def test_the_readmes_python_runs(code, tmp_path, monkeypatch, capsys):
    (tmp_path / "tests" / "pictures").mkdir(parents=True)
    shutil.copy(ROOT / PICTURE, tmp_path / PICTURE)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    plt.close("all")
    printed = capsys.readouterr().out
    assert printed
    drawn = re.findall(r'savefig\("(.*)"\)', code)
    assert all((tmp_path / figure).exists() for figure in drawn)
    if "read" in names:
        assert [line.split()[0] for line in printed.splitlines()[:5]] == LINES
    elif "EpochSearchCV" in names:
        assert names["search"].best_score_ > 0.95
    elif "search" in names:
        assert names["search"].score(names["X_test"], names["y_test"]) > 0.97
        assert "cnn__epochs" in printed
    elif "recognizer" in names:
        assert names["recognizer"].score(names["X"], names["y"]) > 0.92
    elif "detector" in names:
        assert names["is_digit"].mean() > 0.9
    elif "PictureCleaner" in names:
        pictures = [255 - np.pad(image.repeat(6, 0).repeat(6, 1), 9) for image in DIGITS.images]
        pipeline = names["pipeline"].fit(pictures[:400], DIGITS.target[:400])
        # Other writers wrote these test digits.
        assert pipeline.score(pictures[400:600], DIGITS.target[400:600]) > 0.8
    else:
        assert names["classifier"].score(names["bunch"].data, names["bunch"].target) > 0.97
        assert drawn
        assert re.search(r"^\[\d( \d){9}\]$", printed, re.MULTILINE)


def test_there_is_python_to_run():
    assert len(PYTHON) == 7
    assert README.index("skdigits read") < README.index("```python") < 1000


def test_it_is_installed_before_it_reads_a_picture_that_is_there():
    assert README.index("pip install .") < README.index("skdigits read")
    (pictures,) = re.findall(r"^skdigits read (.+)$", README, re.MULTILINE)
    assert pictures.split()[0] == PICTURE
    assert all((ROOT / picture).exists() for picture in pictures.split())


def test_its_options_are_those_of_the_commands():
    commands = typer.main.get_command(app).commands.values()
    known = {option for command in commands for p in command.params for option in p.opts}
    named = re.findall(r"`(skdigits [^`]*|--[^`]*)`|^(skdigits .*)$", README, re.MULTILINE)
    options = {option for texts in named for option in re.findall(r"--[a-z-]+", "".join(texts))}
    assert {"--reject-below", "--from", "--augment"} <= options <= known


@pytest.mark.slow
def test_the_whole_api_is_shown_in_a_browser(tmp_path):
    modules = re.search(r"`pdoc -d numpy ([^`]*)`", README)[1].split()
    pdoc.render.configure(docformat="numpy")
    pdoc.pdoc(*modules, output_directory=tmp_path)  # a warning is an error
    for name in modules:
        page = (tmp_path / f"{name.replace('.', '/')}.html").read_text(encoding="utf-8")
        module = importlib.import_module(name)
        own = (n for n, v in vars(module).items() if getattr(v, "__module__", None) == name)
        for public in getattr(module, "__all__", [n for n in own if not n.startswith("_")]):
            assert f'id="{public}"' in page, f"{name}.{public}"
    # The page of skdigits documents the names of these modules.
    elsewhere = {"model_selection", "persistence", "preprocessing", "pretrained"}
    assert {f"skdigits.{name}" for name in skdigits._submodules - elsewhere} < set(modules)


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
