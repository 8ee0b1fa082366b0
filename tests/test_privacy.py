"""skdigits records and sends no usage data."""

import os
import subprocess
import sys

import pytest

PREDICT = """
import os, skdigits, numpy as np

def threads():
    return len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0

before = threads()
import onnxruntime
print(threads() - before)
print(skdigits.load_pretrained("digit").predict(np.zeros((1, 28, 28), np.uint8)).shape)
"""


def run(code, home, **variables):
    environment = {name: value for name, value in os.environ.items() if name[:4] != "ORT_"}
    environment |= {"HOME": str(home), "USERPROFILE": str(home), **variables}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout.split("\n")


def test_predicting_leaves_nothing_in_the_home_folder(tmp_path):
    """Importing ONNX Runtime starts no thread that would look up a host and send events.

    `.ci/network.py` waits long enough to see that no host is looked up.
    """
    n_threads, shape, _ = run(PREDICT, tmp_path)
    assert list(tmp_path.rglob("*")) == []
    assert (n_threads, shape) == ("0", "(1,)")


@pytest.mark.parametrize("chosen", ["0", "", "1"])
def test_what_the_user_has_set_remains(chosen, tmp_path):
    code = "import os, skdigits; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert run(code, tmp_path, ORT_DISABLE_TELEMETRY=chosen) == [chosen, ""]


def test_it_is_off_for_the_processes_that_a_process_starts(tmp_path):
    """Workers of joblib or Dask may import ONNX Runtime before they import skdigits."""
    code = (
        "import subprocess, sys, skdigits\n"
        "code = 'import os; print(os.environ[\"ORT_DISABLE_TELEMETRY\"])'\n"
        "subprocess.run([sys.executable, '-c', code], check=True)"
    )
    assert run(code, tmp_path) == ["1", ""]
