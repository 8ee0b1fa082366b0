"""How much memory do many fits keep, and how much does a large array take to train on?

    python benchmarks/bench_memory.py [--quick]

Each case is a process of its own. Memory is what the process holds that is no file's: pages of a
memory-mapped file can be dropped at any time.
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
N_FITS = {"skdigits": 100, "SciKeras": 20}
N_ROWS = 1_500_000
N_CSV_ROWS = 20_000, 100_000


def main():
    options = parser(__doc__)
    options.add_argument("--case", nargs="+", help="run one case in this process")
    args = options.parse_args()
    if args.case:
        print(json.dumps(CASES[args.case[0]](*args.case[1:])))
        return
    checks = Checks()
    fits = {}
    for name, n_fits in N_FITS.items():
        if args.quick and name == "SciKeras":
            continue
        fits[name] = run("fits", name, n_fits)
        print(f"{n_fits} fits by {name}: +{fits[name][-1] - fits[name][0]:.0f} MB")
    growth = fits["skdigits"][-1] - fits["skdigits"][0]
    checks.at_most("memory kept by 100 fits after the first", growth, MOST_GROWTH, "MB")
    n_rows = 500_000 if args.quick else N_ROWS
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
    checks.at_most(f"fit on {size:.0f} MB of a file: own memory", fit, MOST_FOR_MAPPED, "MB")
    checks.at_most(f"predict {size:.0f} MB of a file: own memory", predict, MOST_FOR_PREDICT, "MB")
    few, many = (run("command", n) for n in N_CSV_ROWS)
    print(
        f"skdigits predict: +{few:.0f} MB for {N_CSV_ROWS[0]} rows, +{many:.0f} MB for five times"
    )
    what = f"skdigits predict: {N_CSV_ROWS[1]} rows of CSV, above {N_CSV_ROWS[0]}"
    checks.at_most(what, many - few, MOST_FOR_MORE_CSV, "MB")
    kept = run("candidates", 10 if args.quick else 100)
    print("kept by more candidates, per process:", *(f"{size:+.0f} MB" for size in kept))
    what = "memory kept by 100 candidates in two processes, the most of one"
    checks.at_most(what, max(kept), MOST_FOR_CANDIDATES, "MB")
    details = {
        "megabytes": fits,
        "candidates_megabytes": kept,
        "command_megabytes": [few, many],
        "mapped_megabytes": {"file": size, "fit": fit, "predict": predict},
    }
    finish("bench_memory", args, checks, details, plot(fits))


def run(*case):
    command = [sys.executable, __file__, "--case", *map(str, case)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def repeated_fits(name, n_fits):
    """Megabytes after each fit; batch sizes and epochs vary as in a grid."""
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
    """Megabytes above what a small fit needs, at most, in fit and in predict."""
    from bench_fit import ours

    X = np.load(file, mmap_mode="r")
    y = np.arange(len(X)) % 10
    classifier = ours((28, 28, 1), 1, 512)
    classifier.fit(X[:5000], y[:5000]).predict(X[:5000])
    watch = Watch()
    classifier.fit(X, y)
    fit = watch.above()
    watch = Watch()
    classifier.predict(X)
    return fit, watch.above()


def command(n_rows):
    """Megabytes that `skdigits predict` needs for so many rows of CSV, at most."""
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
        above = watch.above()
        assert output.read_text().count("\n") == int(n_rows) + 1
    return above


def candidates(n_candidates):
    """Megabytes that each process has more after a search than after one of a tenth of it."""
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
    """Numbers of the processes that this one started and that run Python."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += (task / "children").read_text().split()
    return [pid for pid in found if b"python" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class Watch:
    """The most memory of this process's own since the start, looked at in a thread."""

    def __init__(self):
        from threading import Event, Thread

        self.start = self.most = memory()
        self.ended = Event()
        self.thread = Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.ended.wait(0.01):
            self.most = max(self.most, memory())

    def above(self):
        self.ended.set()
        self.thread.join()
        return (self.most - self.start) / 1e6


def plot(fits):
    picture, ax = figure(1)
    for name, sizes in fits.items():
        ax.plot(np.array(sizes) - sizes[0], label=name)
    ax.set(xlabel="fits after the first", ylabel="MB more", title="Memory kept by fits")
    ax.grid(alpha=0.3)
    ax.legend()
    return picture


CASES = {"fits": repeated_fits, "mapped": mapped, "command": command, "candidates": candidates}

if __name__ == "__main__":
    main()
