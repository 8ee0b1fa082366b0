"""Commands that were killed go on when they are given again."""

import os
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


def kill_after_an_epoch(arguments, folder):
    """Start a command; kill it when a fit has written its first checkpoint."""
    process = subprocess.Popen([COMMAND, *arguments], stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(folder.glob("*.checkpoint")):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    assert process.wait() < 0  # it had not ended


def assert_same_model(one, other):
    X, _ = load_digits(return_X_y=True)
    found = skdigits.load(one), skdigits.load(other)
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in found))
    assert found[0].history_ == found[1].history_


@pytest.mark.parametrize(("command", "options"), [("train", TRAIN), ("search", SEARCH)])
def test_killed(command, options, run, csv_folder, tmp_path, capsys):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    disturbed.mkdir()
    assert run(command, csv_folder, *options, "-o", undisturbed) == 0
    kill_after_an_epoch([command, csv_folder, *options, "-o", disturbed], disturbed)
    capsys.readouterr()
    assert run(command, csv_folder, *options, "-o", disturbed) == 0
    if command == "train":
        assert "going on after epoch" in capsys.readouterr().out
    assert_same_model(undisturbed / "model.skdigits", disturbed / "model.skdigits")
    assert {p.name for p in disturbed.iterdir()} == {p.name for p in undisturbed.iterdir()}
