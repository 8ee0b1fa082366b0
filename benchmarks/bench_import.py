"""How long does importing skdigits take, and does training print no messages of TensorFlow?

    python benchmarks/bench_import.py [--quick]

Each import runs in a new process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from measuring import Checks, figure, finish, medians, parser

MOST_MILLISECONDS = 50
HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "scikeras")
SIMILAR = "sklearn.svm, model_selection"
TIMED = """
import json, sys, time
start = time.perf_counter()
import {what}
elapsed = time.perf_counter() - start
print(json.dumps([elapsed, [name for name in {heavy} if name in sys.modules]]))
"""
CASES = {
    "sklearn": "sklearn",
    "skdigits": "skdigits",
    "skdigits.DigitClassifier": "skdigits; skdigits.DigitClassifier",
    SIMILAR: "sklearn.svm, sklearn.model_selection",
    "scikeras.wrappers": "scikeras.wrappers",
    "tensorflow": "tensorflow",
}


def main():
    args = parser(__doc__).parse_args()
    runs = args.runs or (3 if args.quick else 11)
    seconds, loaded = {name: [] for name in CASES}, {}
    for run in range(runs + 1):
        for name, what in CASES.items():
            if args.quick and run > 1 and name in ("tensorflow", "scikeras.wrappers"):
                continue
            code = TIMED.format(what=what, heavy=HEAVY)
            command = [sys.executable, "-c", code]
            output = subprocess.run(command, check=True, capture_output=True).stdout
            elapsed, loaded[name] = json.loads(output)
            if run:  # the first run fills the file cache
                seconds[name].append(elapsed)
    median = medians(seconds)
    for name, value in median.items():
        print(f"{name:30s} {value * 1e3:8.0f} ms   loads {', '.join(loaded[name]) or 'none'}")

    checks = Checks()
    checks.at_most("import skdigits", median["skdigits"] * 1e3, MOST_MILLISECONDS, "ms")
    beyond = (median["skdigits.DigitClassifier"] - median[SIMILAR]) * 1e3
    what = f"import skdigits.DigitClassifier, beyond {SIMILAR}"
    checks.at_most(what, beyond, MOST_MILLISECONDS, "ms")
    # scikit-learn imports pandas if pandas is installed.
    more = set(loaded["skdigits.DigitClassifier"]) - set(loaded["sklearn"])
    checks.at_most("heavy packages that DigitClassifier loads, but sklearn does not", len(more), 0)
    what = "bytes that skdigits train writes to standard error"
    checks.at_most(what, len(errors_of_training()), 0)
    details = {"median_seconds": median, "seconds": seconds, "loaded": loaded}
    finish("bench_import", args, checks, details, plot(median))


def errors_of_training():
    """Return the standard error of `skdigits train`; TensorFlow logs its start there."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "skdigits", "train", "--epochs", "1", "-o", folder]
        return subprocess.run(command, check=True, capture_output=True).stderr


def plot(median):
    fig, ax = figure(1)
    milliseconds = [value * 1e3 for value in median.values()][::-1]
    bars = ax.barh(list(median)[::-1], milliseconds)
    ax.bar_label(bars, [f"{value:.0f}" for value in milliseconds], padding=3)
    ax.set(xlabel="milliseconds", title="import")
    ax.margins(x=0.15)
    return fig


if __name__ == "__main__":
    main()
