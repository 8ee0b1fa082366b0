"""How much memory do many fits keep, and how much memory does a large array or file need?

    python benchmarks/bench_memory.py [--quick]

Each case runs in a new process. Anonymous memory is measured, without the pages of memory-mapped
files: the system can drop these at any time.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import Checks, figure, finish, memory, parser

MOST_GROWTH = 20
MOST_FOR_MAPPED = 300
MOST_FOR_PREDICT = 100
MOST_FOR_MORE_CSV = 20
MOST_FOR_CANDIDATES = 20
FULL = {
    "fits": {"skdigits": 100, "SciKeras": 20},
    "rows": 1_500_000,
    "csv_rows": (20_000, 100_000),
    "candidates": 100,
}
QUICK = {"fits": {"skdigits": 20}, "rows": 50_000, "csv_rows": (2000, 10_000), "candidates": 10}


def main():
    options = parser(__doc__)
    options.add_argument("--case", nargs="+", help="measure one case in this process")
    args = options.parse_args()
    if args.case:
        print(json.dumps(CASES[args.case[0]](*args.case[1:])))
        return
    sizes = QUICK if args.quick else FULL
    checks = Checks()
    fits = measure_fits(sizes["fits"], checks)
    details = {
        "megabytes": fits,
        "mapped_megabytes": measure_mapped(sizes["rows"], checks),
        "command_megabytes": measure_command(sizes["csv_rows"], checks),
        "candidates_megabytes": measure_candidates(sizes["candidates"], checks),
    }
    finish("bench_memory", args, checks, details, plot(fits))


def measure_fits(numbers, checks):
    fits = {}
    for name, n_fits in numbers.items():
        fits[name] = run("fits", name, n_fits)
        print(f"{n_fits} fits by {name}: +{fits[name][-1] - fits[name][0]:.0f} MB")
    what = f"memory kept by {numbers['skdigits']} fits after the first"
    checks.at_most(what, fits["skdigits"][-1] - fits["skdigits"][0], MOST_GROWTH, "MB")
    return fits


def measure_mapped(n_rows, checks):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "images.npy"
        rows = np.lib.format.open_memmap(file, "w+", np.uint8, (n_rows, 784))
        for part in np.array_split(rows, 20):
            part[:] = np.random.default_rng(0).integers(0, 256, part.shape, dtype=np.uint8)
        rows.flush()
        size = rows.nbytes / 1e6
        del rows
        fit, predict = run("mapped", file)
    print(f"{size:.0f} MB memory-mapped: fit +{fit:.0f} MB, predict +{predict:.0f} MB")
    file = f"a memory-mapped file of {size:.0f} MB: anonymous memory"
    checks.at_most(f"fit on {file}", fit, MOST_FOR_MAPPED, "MB")
    checks.at_most(f"predict {file}", predict, MOST_FOR_PREDICT, "MB")
    return {"file": size, "fit": fit, "predict": predict}


def measure_command(numbers, checks):
    few, many = (run("command", n) for n in numbers)
    print(f"skdigits predict: +{few:.0f} MB for {numbers[0]} rows, +{many:.0f} MB for {numbers[1]}")
    what = f"skdigits predict: {numbers[1]} rows of CSV, beyond {numbers[0]} rows"
    checks.at_most(what, many - few, MOST_FOR_MORE_CSV, "MB")
    return [few, many]


def measure_candidates(n_candidates, checks):
    kept = run("candidates", n_candidates)
    print(
        "growth with ten times as many candidates, per process:",
        *(f"{size:+.0f} MB" for size in kept),
    )
    what = f"memory kept by {n_candidates} candidates in two processes, maximum of a process"
    checks.at_most(what, max(kept), MOST_FOR_CANDIDATES, "MB")
    return kept


def run(*case):
    """Measure a case in a new process."""
    command = [sys.executable, __file__, "--case", *map(str, case)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def repeated_fits(name, n_fits):
    """Measure megabytes after each fit; batch size and epochs vary from fit to fit."""
    from bench_fit import as_floats, ours
    from peers import scikeras

    from skdigits.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    floats = as_floats(X, (8, 8, 1))
    sizes = []
    for i in range(int(n_fits) + 1):
        epochs, batch_size = 1 + i % 2, (32, 64, 128)[i % 3]
        if name == "skdigits":
            ours((8, 8, 1), epochs, batch_size).fit(X, y).predict(X)
        else:
            scikeras((8, 8, 1), 10, epochs, batch_size).fit(floats, y).predict(floats)
        sizes.append(memory() / 1e6)
    return sizes


def mapped(file):
    """Measure how many megabytes fit and predict need beyond those of a small fit."""
    from bench_fit import ours

    X = np.load(file, mmap_mode="r")
    y = np.arange(len(X)) % 10
    classifier = ours((28, 28, 1), 1, 512)
    classifier.fit(X[:5000], y[:5000]).predict(X[:5000])
    watch = Watch()
    classifier.fit(X, y)
    fit = watch.growth()
    watch = Watch()
    classifier.predict(X)
    return fit, watch.growth()


def command(n_rows):
    """Measure the growth of memory in `skdigits predict` on a CSV of `n_rows` rows, in MB."""
    from bench_fit import ours

    from skdigits import cli, save
    from skdigits.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    classifier = ours((28, 28, 1), 1, 128).fit(np.pad(X, [(0, 0), (0, 720)]), y)
    with tempfile.TemporaryDirectory() as folder:
        model = save(classifier, Path(folder) / "model.skdigits")
        rows = [",".join(map(str, row)) for row in np.pad(X, [(0, 0), (0, 720)])]
        header = ",".join(f"pixel{i}" for i in range(784))
        data, output = Path(folder) / "test.csv", Path(folder) / "submission.csv"
        with data.open("w") as file:
            file.write(header + "\n")
            for i in range(int(n_rows)):
                file.write(rows[i % len(rows)] + "\n")
        watch = Watch()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            cli.main(["predict", str(model), str(data), "-o", str(output)])
        growth = watch.growth()
        assert output.read_text().count("\n") == int(n_rows) + 1
    return growth


def candidates(n_candidates):
    """Measure the growth of each process after a search, following a search of a tenth the size."""
    from bench_fit import ours
    from sklearn.model_selection import GridSearchCV

    from skdigits.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    sizes = []
    for n in (max(4, int(n_candidates) // 10), int(n_candidates)):
        grid = {"learning_rate": np.geomspace(1e-4, 1e-2, n // 2), "batch_size": [32, 64]}
        search = GridSearchCV(ours((8, 8, 1), 1, 32), grid, cv=2, n_jobs=2, refit=False)
        search.fit(X[:300], y[:300])
        sizes.append({pid: memory(pid=pid) / 1e6 for pid in ("self", *children())})
    return [after - sizes[0][pid] for pid, after in sizes[1].items() if pid in sizes[0]]


def children():
    """List the IDs of the Python processes that this process started."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += (task / "children").read_text().split()
    return [pid for pid in found if b"python" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class Watch:
    """Peak anonymous memory of this process, sampled in a thread."""

    def __init__(self):
        from threading import Event, Thread

        self.start = self.peak = memory()
        self.ended = Event()
        self.thread = Thread(target=self._sample, daemon=True)
        self.thread.start()

    def _sample(self):
        while not self.ended.wait(0.01):
            self.peak = max(self.peak, memory())

    def growth(self):
        self.ended.set()
        self.thread.join()
        return (self.peak - self.start) / 1e6


def plot(fits):
    fig, ax = figure(1)
    for name, sizes in fits.items():
        ax.plot(np.array(sizes) - sizes[0], label=name)
    ax.set(xlabel="fits after the first", ylabel="growth, MB", title="Memory kept by fits")
    ax.grid(alpha=0.3)
    ax.legend()
    return fig


CASES = {"fits": repeated_fits, "mapped": mapped, "command": command, "candidates": candidates}

if __name__ == "__main__":
    main()
