"""How much time and memory does the first prediction of a new process take?

    python benchmarks/bench_cold_start.py [--quick]

A new process loads a saved model and predicts one image, in Python and with ``skdigits predict``.
The time is compared with importing only sklearn.base, and with a network in float64, which
TensorFlow runs. ``skdigits read`` reads one picture of 640×480 pixels with three lines, and 21 such
pictures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import Checks, figure, finish, medians, parser
from PIL import Image, ImageDraw, ImageFont

import skdigits
from skdigits.datasets import load_digits

MOST_SECONDS = 0.8
MOST_MEGABYTES = 250
MOST_RELATIVE = 0.4  # relative to the time with a network in float64
MOST_SECONDS_TO_READ = 2.5
MOST_SECONDS_FOR_FURTHER = 0.06
N_PAGES = 21
PEAK = "int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024"
FOOT = f"\nprint(json.dumps([time.perf_counter() - start, {PEAK}]))"
HEAD = "import json, re, sys, time\nstart = time.perf_counter()\n"
LOAD = "import numpy as np, skdigits\nmodel = skdigits.load(sys.argv[1])\n"
IMAGE = "np.zeros((1, 28, 28), np.uint8)"
COMMAND = (
    "import contextlib, skdigits.cli\nwith contextlib.suppress(SystemExit):\n"
    "    skdigits.cli.main([{}])"
)
PREDICT = COMMAND.format("'predict', sys.argv[1], sys.argv[4], '-o', sys.argv[5]")
READ_ONE, READ_MORE = "skdigits read", f"skdigits read, {N_PAGES} pictures"
TENSORFLOW, COMMAND_TENSORFLOW = "TensorFlow", "skdigits predict, TensorFlow"
CASES = {
    "sklearn.base": "import sklearn.base",
    "skdigits": f"{LOAD}model.predict({IMAGE})",
    "recognizer": f"{LOAD.replace('[1]', '[2]')}model.predict({IMAGE})",
    TENSORFLOW: f"{LOAD.replace('[1]', '[3]')}model.predict({IMAGE})",
    "skdigits predict": PREDICT,
    COMMAND_TENSORFLOW: PREDICT.replace("[1]", "[3]"),
    READ_ONE: COMMAND.format("'read', sys.argv[6] + '/00.png'"),
    READ_MORE: COMMAND.format("'read', sys.argv[6]"),
}


def main():
    args = parser(__doc__).parse_args()
    runs = args.runs or (2 if args.quick else 11)
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder))
        seconds, megabytes = measure(files, runs)
    median, memory = medians(seconds), medians(megabytes)
    for name, value in median.items():
        print(f"{name:20s} {value:6.2f} s {memory[name]:6.0f} MB")
    base = median.pop("sklearn.base")
    beyond = {name: median[name] - base for name in ("skdigits", "recognizer", TENSORFLOW)}
    checks = Checks()
    what = "new process: load, and predict one image, beyond sklearn.base"
    checks.at_most(what, beyond["skdigits"], MOST_SECONDS, "s")
    what = "new process: skdigits predict MODEL PICTURE, relative to a network in float64"
    relative = median["skdigits predict"] / median[COMMAND_TENSORFLOW]
    checks.at_most(what, relative, MOST_RELATIVE)
    what = "skdigits predict MODEL PICTURE: memory"
    checks.at_most(what, memory["skdigits predict"], MOST_MEGABYTES, "MB")
    checks.at_most(
        "new process: skdigits read PICTURE", median[READ_ONE], MOST_SECONDS_TO_READ, "s"
    )
    further = (median[READ_MORE] - median[READ_ONE]) / (N_PAGES - 1)
    what = "skdigits read: each further picture of 640×480"
    checks.at_most(what, further, MOST_SECONDS_FOR_FURTHER, "s")
    details = {
        "library": {"median_seconds": beyond, "sklearn.base": base},
        "seconds": seconds,
        "megabytes": memory,
    }
    finish("bench_cold_start", args, checks, details, plot(median, memory))


def make_files(folder):
    """Make two classifiers, a recognizer, a picture and a folder of pages; return all paths."""
    X, y = load_digits().images[:300], load_digits().target[:300]
    X = np.pad(X.repeat(2, axis=1).repeat(2, axis=2), [(0, 0), (6, 6), (6, 6)])
    names = ("digits", "sequences", "float64", "picture.png", "labels.csv", "pages")
    files = [folder / name for name in names]
    for dtype, file in (("float32", files[0]), ("float64", files[2])):
        classifier = skdigits.DigitClassifier(epochs=1, dtype=dtype, random_state=0)
        skdigits.save(classifier.fit(X, y), file)
    recognizer = skdigits.DigitSequenceRecognizer(epochs=1, sequences_per_epoch=64, random_state=0)
    skdigits.save(recognizer.fit(X, y), files[1])
    Image.fromarray(255 - X[0]).save(files[3])
    files[5].mkdir()
    font = ImageFont.load_default(72)
    for i in range(N_PAGES):
        page = Image.new("L", (640, 480), 230)
        for line in range(3):
            text = "".join(map(str, y[5 * i + line : 5 * i + 2 * line + 3]))
            ImageDraw.Draw(page).text((60, 40 + 130 * line), text, fill=40, font=font)
        page.save(files[5] / f"{i:02d}.png")
    return files


def measure(files, runs):
    """Measure seconds and megabytes of each case; cases alternate, each in a new process."""
    seconds, megabytes = {name: [] for name in CASES}, {name: [] for name in CASES}
    for run in range(runs + 1):
        for name, code in CASES.items():
            command = [sys.executable, "-c", HEAD + code + FOOT, *map(str, files)]
            found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            elapsed, peak = json.loads(found.splitlines()[-1])
            if run:  # the first run fills the file cache
                seconds[name].append(elapsed)
                megabytes[name].append(peak)
    return seconds, megabytes


def plot(median, memory):
    fig, (left, right) = figure(2)
    for ax, values, unit in ((left, median, "seconds"), (right, memory, "MB")):
        names = [name for name in reversed(CASES) if name in values]
        colors = ["tab:green" if TENSORFLOW in name else "tab:blue" for name in names]
        bars = ax.barh(names, [values[name] for name in names], color=colors)
        ax.bar_label(bars, fmt="%.3g", padding=3)
        ax.set(xlabel=unit, title="First prediction of a new process")
        ax.margins(x=0.2)
    return fig


if __name__ == "__main__":
    main()
