"""Is Kaggle's train.csv read as fast as by pandas, with less memory?

    python benchmarks/read_csv.py FOLDER [--quick]

FOLDER contains train.csv. With --quick and without FOLDER, a small file is generated.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import Checks, alternate, finish, medians, parser, require_data

from skdigits.datasets import load_kaggle

MOST_RATIO = 1.0
MOST_MEGABYTES = 100
N_QUICK_ROWS = 2000
READERS = {"pandas": pd.read_csv, "skdigits": load_kaggle}
MEMORY = """
import sys
import pandas
from measuring import memory
from skdigits.datasets import load_kaggle
# getrusage is not used: its peak includes that of the parent process.
before = memory("VmHWM")
result = {"pandas": pandas.read_csv, "skdigits": load_kaggle}[sys.argv[1]](sys.argv[2])
size = result.data.nbytes if sys.argv[1] == "skdigits" else 0
print((memory("VmHWM") - before - size) / 1e6)
"""


def main():
    args = parser(__doc__, data="folder that contains train.csv").parse_args()
    require_data(args)
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(args.data or temporary).resolve() / "train.csv"
        if args.data is None:
            write_random(file)
        measure(file, args)


def write_random(file):
    """Write a file in Kaggle's format, with random pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (N_QUICK_ROWS, 784))
    table = pd.DataFrame(pixels, columns=[f"pixel{i}" for i in range(784)])
    table.insert(0, "label", np.arange(N_QUICK_ROWS) % 10)
    table.to_csv(file, index=False)


def measure(file, args):
    cases = {name: lambda read=read: read(file) for name, read in READERS.items()}
    seconds, _ = alternate(cases, args.runs or (3 if args.quick else 9))
    median = medians(seconds)
    megabytes = {name: peak_megabytes(name, file) for name in READERS}
    for name in READERS:
        print(f"{name:10s} {median[name]:6.3f} s {megabytes[name]:8.0f} MB")
    ratio = median["skdigits"] / median["pandas"]
    checks = Checks()
    checks.at_most("read train.csv: time relative to pandas.read_csv", ratio, MOST_RATIO)
    checks.at_most(
        "read train.csv: memory beyond the result", megabytes["skdigits"], MOST_MEGABYTES, "MB"
    )
    details = {
        "ratio": ratio,
        "median_seconds": median,
        "seconds": seconds,
        "megabytes": megabytes,
        "megabytes_note": "skdigits: without the result; pandas: with the result",
    }
    finish("read_csv", args, checks, details)


def peak_megabytes(name, file):
    """Measure peak megabytes in a new process; for skdigits, without the size of the result."""
    command = [sys.executable, "-c", MEMORY, name, str(file)]
    folder = Path(__file__).parent  # contains `measuring`
    return float(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)


if __name__ == "__main__":
    main()
