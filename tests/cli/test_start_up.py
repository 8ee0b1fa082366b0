import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from skdigits.cli.start_up import without_start_up_lines

COMMAND = Path(sys.executable).with_name("skdigits")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}


@pytest.mark.slow
def test_the_command_shows_no_line_of_tensorflow(csv_folder, tmp_path):
    grid = ["--epochs", "1", "--batch-size", "32,64", "--architecture", "compact"]
    options = [*grid, "--folds", "2", "--jobs", "2"]
    command = [COMMAND, "search", csv_folder, "-o", tmp_path, *options]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert not re.search(r"oneDNN|cuda|absl|cpu_feature_guard|^[IWE]\d{4} ", run.stderr, re.M)
    assert "Wrote" in run.stdout


@pytest.mark.slow
def test_the_library_leaves_standard_error_and_the_log_level_alone():
    code = (
        "import os; calls, dup2 = [], os.dup2; "
        "os.dup2 = lambda *numbers, **options: calls.append(numbers) or dup2(*numbers, **options); "
        "import skdigits.training.tensorflow; "
        "print(calls, 'TF_CPP_MIN_LOG_LEVEL' in os.environ)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert run.stdout.strip() == "[] False"


def test_only_the_lines_of_tensorflow_are_removed(capfd):
    with without_start_up_lines():
        os.write(2, b"I0000 00:00:17 port.cc:153] oneDNN custom operations are on.\nmine\n")
        os.write(2, b"2026-01-01 10:00:00.1: W tensorflow/x.cc] y\nI am not one of them\n")
    os.write(2, b"E0000 after the start\n")
    assert capfd.readouterr().err == "mine\nI am not one of them\nE0000 after the start\n"
