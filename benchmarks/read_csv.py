"""Is reading Kaggle's train.csv as fast as plain pandas, in less memory?

    python benchmarks/read_csv.py FOLDER

FOLDER holds train.csv. Writes results/read_csv.json; exits with 1 when a threshold is missed.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from skdigits.datasets import load_kaggle
from skdigits.persistence import versions

MOST_RATIO = 1.0
MOST_MEGABYTES = 100
RESULTS = Path(__file__).parent / "results"
MEMORY = """
import re, sys
import pandas
from skdigits.datasets import load_kaggle
# Not getrusage: its peak is inherited from the process that started this one.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
before = peak()
result = {"pandas": pandas.read_csv, "skdigits": load_kaggle}[sys.argv[1]](sys.argv[2])
size = result.data.nbytes if sys.argv[1] == "skdigits" else 0
print((peak() - before - size) / 1e6)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=9)
    args = parser.parse_args()
    file = args.folder / "train.csv"

    seconds = {"pandas": [], "skdigits": []}
    readers = {"pandas": pd.read_csv, "skdigits": load_kaggle}
    for run in range(args.runs + 1):
        for name, read in readers.items():
            start = time.perf_counter()
            read(file)
            if run:  # the first warms the file cache
                seconds[name].append(time.perf_counter() - start)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = median["skdigits"] / median["pandas"]
    megabytes = {
        name: float(
            subprocess.run(
                [sys.executable, "-c", MEMORY, name, str(file)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for name in readers
    }
    for name in readers:
        print(f"{name:10s} {median[name]:6.3f} s {megabytes[name]:8.0f} MB")
    passed = ratio <= MOST_RATIO and megabytes["skdigits"] <= MOST_MEGABYTES
    print(f"ratio {ratio:.2f}: {'reached' if passed else 'MISSED'}")
    facts = {
        "ratio": ratio,
        "most_ratio": MOST_RATIO,
        "median_seconds": median,
        "seconds": seconds,
        "megabytes": megabytes,
        "megabytes_note": "skdigits: above the result; pandas: in all",
        "most_megabytes": MOST_MEGABYTES,
        "passed": passed,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {**versions(), "pandas": pd.__version__},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "read_csv.json").write_text(json.dumps(facts, indent=2) + "\n")
    sys.exit(not passed)


if __name__ == "__main__":
    main()
