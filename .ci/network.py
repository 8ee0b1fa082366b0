"""Check that prediction looks up no host name: trace the sockets of a process for 40 seconds.

    python .ci/network.py

The script needs Linux and strace. A second process enables telemetry, which ONNX Runtime has since
version 1.32; its trace shows that sockets of the telemetry would be found.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 40
CODE = (
    "import time, numpy as np\n"
    "from skdigits import load_pretrained\n"
    "load_pretrained('digit').predict(np.zeros((1, 28, 28), np.uint8))\n"
    f"time.sleep({SECONDS})"
)


def start(folder, **variables):
    """Start a process with an empty home folder; its trace is written to `folder`."""
    home = folder / "home"
    home.mkdir(parents=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ORT_")}
    command = ["strace", "-f", "-qq", "-e", "trace=socket", "-o", str(folder / "trace")]
    return subprocess.Popen(
        [*command, sys.executable, "-c", CODE],
        env={**environment, "HOME": str(home), **variables},
    )


def sockets(folder):
    """Return the internet sockets that a process opened, and the files in its home folder."""
    lines = (folder / "trace").read_text().splitlines()
    return [line for line in lines if "AF_INET" in line], [*(folder / "home").rglob("*")]


def main():
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name, "ours"), Path(name, "theirs")
        processes = [start(ours), start(theirs, ORT_DISABLE_TELEMETRY="0")]
        assert [process.wait() for process in processes] == [0, 0]
        found, files = sockets(ours)
        assert not found, found
        assert not files, files
        control = len(sockets(theirs)[0])
    print(f"internet sockets in {SECONDS} s: 0; with telemetry: {control}")


if __name__ == "__main__":
    main()
