"""Shared code of the benchmarks: arguments, data, timing, machine and results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "skdigits",
    "numpy",
    "scikit-learn",
    "scikeras",
    "keras",
    "tensorflow",
    "onnx",
    "onnxruntime",
    "pandas",
    "torch",
    "skorch",
)
MNIST = "folder of MNIST's IDX files; with --quick the bundled digits by default"
COLORS = {
    "skdigits": "tab:blue",
    "SciKeras": "tab:orange",
    "keras.wrappers": "tab:green",
    "skorch": "tab:red",
    "Keras": "tab:purple",
    "ONNX Runtime": "tab:cyan",
    "floor": "black",
}


def parser(doc, *, data=None, resumable=False):
    """Make the argument parser of a benchmark.

    `data` is the help text of the positional argument DATA; None means no such argument.
    `resumable` adds the option --resume, which `Parts` uses.
    """
    result = argparse.ArgumentParser(description=doc.splitlines()[0])
    if data is not None:
        result.add_argument("data", nargs="?", metavar="DATA", help=data)
    result.add_argument(
        "--quick",
        action="store_true",
        help="run a small version in about a minute, without judging thresholds",
    )
    result.add_argument("--runs", type=int, help="number of timed runs of each case, or of seeds")
    if resumable:
        result.add_argument(
            "--resume", action="store_true", help="reuse the recorded parts of an interrupted run"
        )
    return result


def require_data(args):
    """Exit if DATA is missing, except in quick mode."""
    if args.data is None and not args.quick:
        sys.exit("DATA is missing. Add its path, or --quick for a small run without DATA.")


def load_mnist(args):
    """Load MNIST's training and test images; without DATA in quick mode, the bundled digits."""
    from skdigits.datasets import load_idx

    require_data(args)
    if args.data is None:
        return _enlarged_digits()
    return tuple(load_idx(args.data, subset=subset) for subset in ("train", "test"))


def _enlarged_digits():
    """Load the bundled digits as 28×28 images with margins of 4, split into train and test."""
    from scipy.ndimage import zoom
    from sklearn.model_selection import train_test_split
    from sklearn.utils import Bunch

    from skdigits.datasets import load_digits

    digits = load_digits()
    images = np.pad(zoom(digits.images, (1, 2.5, 2.5), order=1), [(0, 0), (4, 4), (4, 4)])
    parts = train_test_split(
        images, digits.target, test_size=1 / 7, stratify=digits.target, random_state=0
    )
    return tuple(
        Bunch(data=part.reshape(len(part), -1), images=part, target=target)
        for part, target in zip(parts[:2], parts[2:], strict=True)
    )


class Parts:
    """Results of the parts of a long benchmark, recorded as soon as they are measured.

    With --resume, parts that were recorded with the same parameters are not measured again.
    """

    def __init__(self, name, args):
        self.file = results_folder(args) / "parts" / f"{name}.json"
        self.resume = args.resume
        self._known = json.loads(self.file.read_text()) if self.file.exists() else {}

    def measure(self, part, parameters, function, *args):
        """Call a function and record its result; with --resume, return the recorded result."""
        found = self.last(part, parameters) if self.resume else None
        if found is None:
            found = function(*args)
            self._known[part] = {"parameters": _as_json(parameters), "found": found}
            self.file.parent.mkdir(exist_ok=True)
            unfinished = self.file.with_suffix(".tmp")
            unfinished.write_text(json.dumps(self._known, indent=1) + "\n")
            unfinished.replace(self.file)
        return found

    def last(self, part, parameters):
        """Return the result of a part recorded with these parameters, or None."""
        known = self._known.get(part, {})
        return known["found"] if _as_json(parameters) == known.get("parameters") else None


def _as_json(value):
    return json.loads(json.dumps(value))


def results_folder(args):
    """Return the folder for results; results of quick mode have a separate, uncommitted folder."""
    folder = RESULTS / "quick" if args.quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def alternate(cases, runs, after=None):
    """Measure the seconds of each case in each run; return them, and those of a warm-up run.

    The cases alternate, so that other load on the machine affects all of them equally. The warm-up
    run builds and traces models and fills caches. ``after(name, result)`` is called after each
    case; its time is not measured.
    """
    first, seconds = {}, {name: [] for name in cases}
    for run in range(runs + 1):
        for name, case in cases.items():
            start = time.perf_counter()
            result = case()
            elapsed = time.perf_counter() - start
            if run:
                seconds[name].append(elapsed)
            else:
                first[name] = elapsed
            if after is not None:
                after(name, result)
    return seconds, first


def medians(seconds):
    return {name: statistics.median(values) for name, values in seconds.items() if values}


def memory(field="RssAnon", pid="self"):
    """Return the bytes of a process: RssAnon (current anonymous memory) or VmHWM (peak memory)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) * 1024


def matrix_rate(size=2048, runs=9):
    """Measure floating-point operations per second of a float32 matrix product."""
    a = np.random.default_rng(0).random((size, size), dtype=np.float32)
    seconds, _ = alternate({"product": lambda: a @ a}, runs)
    return 2 * size**3 / min(seconds["product"])


def operations(network, training=False):
    """Count the floating-point operations per image of convolutions and dense layers.

    Training also computes the gradient of the weights and, except in the first layer, of the input.
    """
    total, first = 0, True
    for layer in network.layers:
        if not hasattr(layer, "kernel"):
            continue
        positions = int(np.prod(layer.output.shape[1:-1]))
        forward = 2 * positions * int(np.prod(layer.kernel.shape))
        total += forward * (1 if not training else 2 if first else 3)
        first = False
    return total


class Checks:
    """Measured values, their thresholds, and whether each threshold is met."""

    def __init__(self):
        self.rows = []

    def at_most(self, what, value, limit, unit="", *, readme=True):
        self._add(what, value, "≤", limit, unit, readme, value <= limit)

    def at_least(self, what, value, limit, unit="", *, readme=True):
        self._add(what, value, "≥", limit, unit, readme, value >= limit)

    def _add(self, what, value, sign, limit, unit, readme, passed):
        row = {"what": what, "value": float(value), "sign": sign, "limit": limit, "unit": unit}
        self.rows.append({**row, "readme": readme, "passed": bool(passed)})


def thinned_coverage(y_true, y_pred, confidence):
    """Compute coverage and accuracy at 200 thresholds, for a plot."""
    # This import is local, so that bench_memory does not load skdigits.metrics.
    from skdigits.metrics import coverage_curve

    coverage, accuracy, _ = coverage_curve(y_true, y_pred, confidence)
    chosen = np.linspace(0, len(coverage) - 1, 200).astype(int)
    return [coverage[chosen].tolist(), accuracy[chosen].tolist()]


def facts():
    """Describe the machine and the versions of the packages."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    model = platform.processor()
    if (info := Path("/proc/cpuinfo")).exists():
        model = re.search(r"model name\s*: (.*)", info.read_text())[1]
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions,
    }


def finish(name, args, checks, details, figure=None):
    """Print the checks, write JSON and plot, and exit with status 1 if a threshold is missed.

    Quick mode measures too little to judge thresholds; its exit status is always 0.
    """
    folder = results_folder(args)
    print()
    for row in checks.rows:
        verdict = "" if args.quick else "reached" if row["passed"] else "MISSED"
        limit = f"{row['sign']} {row['limit']:g} {row['unit']}"
        print(f"{row['what']:66s} {row['value']:8.3f}  {limit:12s} {verdict}")
    if args.quick:
        print("Quick mode: thresholds are printed, but not judged.")
    passed = all(row["passed"] for row in checks.rows)
    data = " DATA" if getattr(args, "data", None) else ""
    content = {
        "passed": passed,
        "command": f"python benchmarks/{name}.py{data}",
        "checks": checks.rows,
        **facts(),
        **details,
    }
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    if figure is not None:
        figure.savefig(folder / f"{name}.png", dpi=110)
    sys.exit(not (passed or args.quick))


def figure(columns, rows=1, **options):
    """Make a figure with a grid of axes; return the figure and the axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    size = 5.5 * columns, 4.2 * rows
    return plt.subplots(rows, columns, figsize=size, layout="constrained", **options)


def mistakes_figure(mistakes, columns):
    """Draw a row of pictures with texts for each name; `mistakes` has the pairs of each name."""
    fig, axes = figure(columns, len(mistakes), squeeze=False)
    fig.set_size_inches(2 * columns, 1.3 * len(mistakes))
    for row, (name, shown) in zip(axes, mistakes.items(), strict=True):
        for ax in row:
            ax.set_axis_off()
        row[0].set_title(name, loc="left", fontsize="small", pad=14)
        for ax, (picture, text) in zip(row, shown, strict=False):
            ax.imshow(picture, cmap="gray")
            ax.text(0, -0.1, text, transform=ax.transAxes, fontsize="x-small", va="top")
    return fig


def draw_growth(ax, data, names):
    """Plot seconds by number of images, and the lower bound from the number of operations."""
    for name in names:
        ax.plot(data["sizes"], data[name], "o-", label=name, color=COLORS[name])
    label = "lower bound: operations at the rate of a matrix product"
    ax.plot(data["sizes"], data["floor"], "--", label=label, color=COLORS["floor"])
    ax.set(xscale="log", yscale="log", xlabel="images", ylabel="seconds")
    ax.set_ylim(top=10 * max(data[name][-1] for name in names))  # room for the legend
    ax.grid(alpha=0.3)
    ax.legend(loc="upper left", fontsize="small")
