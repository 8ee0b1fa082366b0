import subprocess
import sys
from pathlib import Path

import pandas as pd
from PIL import Image

import skdigits
from skdigits.datasets import load_digits

COMMAND = Path(sys.executable).with_name("skdigits")


def test_the_installed_command_has_help_and_a_version():
    for command in ([str(COMMAND)], [sys.executable, "-m", "skdigits"]):
        shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
        for name in ("inspect", "train", "search", "compare", "predict"):
            assert name in shown.stdout
    shown = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == skdigits.__version__


def test_the_installed_command_reports_errors_without_a_traceback(tmp_path):
    for arguments, message in [
        (["train", "nowhere"], "skdigits: nowhere: there is no such file or folder."),
        (["predict", "missing.skdigits", "digits"], "missing.skdigits"),
        (["train", "--epochs", "0"], "Invalid value for '--epochs'"),
    ]:
        failed = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, cwd=tmp_path)
        assert failed.returncode == 2
        assert message in failed.stderr
        assert "Traceback" not in failed.stderr
        assert failed.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_errors_name_the_options_of_the_command(write_idx, run, trained, tmp_path, capsys):

    Image.new("L", (30, 30)).save(tmp_path / "a.png")
    write_idx(tmp_path, "train", load_digits().images[:20], load_digits().target[:20])
    for arguments, message in (
        (["predict", trained, tmp_path], "is a folder; expected a file, such as model.skdigits"),
        (
            ["predict", trained / "model.skdigits", tmp_path / "a.png", "-o", tmp_path / "s.csv"],
            "DATA has images of 784 pixels, but the model was trained on images of 8×8 pixels.",
        ),
        (
            ["train", tmp_path, "-o", tmp_path / "out"],
            "--test-fraction is the share of the",
        ),
        (["compare", tmp_path, "-o", tmp_path / "out", "--test-fraction", 0.1], "--test-fraction"),
    ):
        assert run(*arguments) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "s.csv").exists()


def test_the_main_job_on_kaggles_files(run, kaggle_folder, tmp_path):
    """Both commands on the whole, at the defaults: the figure in the README."""
    assert run("train", kaggle_folder, "-o", tmp_path) == 0
    submission = tmp_path / "submission.csv"
    assert run("predict", tmp_path / "model.skdigits", kaggle_folder, "-o", submission) == 0
    ours, truth = pd.read_csv(submission), pd.read_csv(kaggle_folder / "test_labels.csv")
    assert len(ours) == 28_000
    assert (ours["ImageId"] == truth["ImageId"]).all()
    assert (ours["Label"] == truth["Label"]).mean() >= 0.982
