"""Killed commands resume when they are given again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import skdigits
from skdigits.datasets import load_digits

COMMAND = Path(sys.executable).with_name("skdigits")
ENVIRONMENT = {**os.environ, "COLUMNS": "200"}
TRAIN = ("--epochs", "40", "--architecture", "compact", "--seed", "3")
SEARCH = ("--epochs", "20,40", "--architecture", "compact", "--folds", "2", "--batch-size", "64")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")


def end_after_an_epoch(arguments, folder, number):
    """Start a command; send it a signal when a fit has written its first checkpoint."""
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([COMMAND, *arguments], **pipes, env=ENVIRONMENT)
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(folder.glob("*.checkpoint")):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(number)
    _, errors = process.communicate()
    return process.returncode, errors


def assert_same_model(one, other):
    X, _ = load_digits(return_X_y=True)
    found = skdigits.load(one), skdigits.load(other)
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in found))
    assert found[0].history_ == found[1].history_


@pytest.mark.slow
@pytest.mark.parametrize(("command", "options"), [("train", TRAIN), ("search", SEARCH)])
def test_killed(command, options, run, csv_folder, tmp_path, capsys):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    disturbed.mkdir()
    assert run(command, csv_folder, *options, "-o", undisturbed) == 0
    arguments = [command, csv_folder, *options, "-o", disturbed]
    assert end_after_an_epoch(arguments, disturbed, signal.SIGKILL)[0] == -signal.SIGKILL
    capsys.readouterr()
    assert run(command, csv_folder, *options, "-o", disturbed) == 0
    if command == "train":
        assert "resuming after epoch" in capsys.readouterr().out
    assert_same_model(undisturbed / "model.skdigits", disturbed / "model.skdigits")
    assert {p.name for p in disturbed.iterdir()} == {p.name for p in undisturbed.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "message"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_ended_by_a_signal(number, code, message, csv_folder, tmp_path):
    (tmp_path / "model.skdigits").write_text("an older one")
    arguments = ["train", csv_folder, "--epochs", "4000", "-o", tmp_path]
    found, errors = end_after_an_epoch(arguments, tmp_path, number)
    assert found == code
    assert errors == f"skdigits: {message}.\n"
    assert (tmp_path / "model.skdigits").read_text() == "an older one"
    assert {p.suffix for p in tmp_path.iterdir()} <= {".skdigits", ".checkpoint"}
