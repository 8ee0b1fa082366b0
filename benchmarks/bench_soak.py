"""Is one process stable during hours of mixed work?

    python benchmarks/bench_soak.py [--quick] [--minutes MINUTES]

The process fits images of 40 shapes, reads lines of different widths, saves and loads models,
predicts from eight threads, and runs searches with two workers, in turn. The numbers of file
handles and threads at the end are compared with those after a sixth of the time. The predictions at
the end are compared with those at the start. Memory fluctuates, so the median of the last sixth of
the time is compared with that of the second sixth.
"""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
from joblib.externals.loky import get_reusable_executor
from measuring import Checks, figure, finish, memory, parser

import skdigits
from skdigits import DigitClassifier, EpochSearchCV, load_pretrained
from skdigits.datasets import load_digits, make_digit_sequences

MINUTES, QUICK_MINUTES = 120, 3
PARTS = 6  # equal parts of the time; the first is the warm-up
MOST_GROWTH = 30  # MB
N_SHAPES = 40
N_THREADS = 8
SEARCH_EVERY = 25  # rounds
MEASURE_EVERY = 5


def main():
    options = parser(__doc__)
    options.add_argument("--minutes", type=float, help="duration; 120 by default")
    args = options.parse_args()
    seconds = 60 * (args.minutes or (QUICK_MINUTES if args.quick else MINUTES))
    with tempfile.TemporaryDirectory() as folder:
        found = soak(Work(Path(folder)), seconds)
    before, after = found["before"], found["after"]
    print(f"{found['rounds']} rounds; before {before}, after {after}")
    checks = Checks()
    work = f"{seconds / 60:g} minutes of mixed work"
    usual = [median_of_part(found["megabytes"], part, seconds / 60) for part in (1, PARTS - 1)]
    checks.at_most(f"{work}: growth of memory", usual[1] - usual[0], MOST_GROWTH, "MB")
    for what in ("handles", "threads"):
        checks.at_most(f"{work}: growth of the number of {what}", after[what] - before[what], 0)
    checks.at_most(f"{work}: predictions that changed", found["changed"], 0)
    finish("bench_soak", args, checks, found, plot(found["megabytes"]))


def soak(work, seconds):
    """Repeat the work; return the state after the warm-up and at the end, and the memory used."""
    start, rounds, megabytes, before = time.monotonic(), 0, [], None
    answers = work.answers()
    while (passed := time.monotonic() - start) < seconds:
        work.round(rounds)
        rounds += 1
        if before is None and passed > seconds / PARTS:
            before = state()
        if rounds % MEASURE_EVERY == 0:
            megabytes.append([passed / 60, memory() / 2**20])
    again = work.answers()
    changed = sum(not np.array_equal(a, b) for a, b in zip(answers, again, strict=True))
    return {
        "rounds": rounds,
        "before": before,
        "after": state(),
        "changed": changed,
        "megabytes": megabytes,
    }


def median_of_part(megabytes, part, minutes):
    return statistics.median(mb for at, mb in megabytes if int(at / minutes * PARTS) == part)


class Work:
    """The kinds of work that are done in turn."""

    def __init__(self, folder):
        self.folder = folder
        self.rng = np.random.default_rng(0)
        self.X, self.y = load_digits(return_X_y=True)
        self.images = self.X.reshape(-1, 8, 8)
        self.classifier, self.recognizer = load_pretrained("digit"), load_pretrained("sequence")
        self.enlarged = np.pad(self.images.repeat(2, 1).repeat(2, 2), [(0, 0), (6, 6), (6, 6)])

    def round(self, number):
        """Do each kind of work once; the sizes vary."""
        self.fit(number)
        self.read()
        self.save_and_load()
        self.predict_in_threads()
        if number % SEARCH_EVERY == 0:
            self.search()

    def answers(self):
        """Compute predictions that must be the same in every call."""
        fitted = DigitClassifier("compact", epochs=2, random_state=0).fit(
            self.X[:500], self.y[:500]
        )
        lines, _ = make_digit_sequences(self.images, self.y, 50, random_state=0)
        return [
            fitted.predict_proba(self.X[500:]),
            self.classifier.predict_proba(self.enlarged),
            self.recognizer.predict(lines),
            self.recognizer.predict_confidence(lines),
        ]

    def fit(self, number):
        """Fit and predict images of one of the shapes."""
        height, width = 8 + number % N_SHAPES, 8 + number * 7 % N_SHAPES
        n = int(self.rng.integers(60, 200))
        images = np.zeros((n, height, width), np.uint8)
        images[:, :8, :8] = self.images[:n]
        DigitClassifier("compact", epochs=1, random_state=0).fit(images, self.y[:n]).predict(images)

    def read(self):
        """Read lines of random widths."""
        longest = int(self.rng.integers(1, 12))
        n, seed = int(self.rng.integers(1, 40)), int(self.rng.integers(1000))
        lines, _ = make_digit_sequences(
            self.images, self.y, n, lengths=(1, longest), random_state=seed
        )
        self.recognizer.predict_top_k(lines, k=3)

    def save_and_load(self):
        """Save and load both networks."""
        for estimator in (self.classifier, self.recognizer):
            skdigits.load(skdigits.save(estimator, self.folder / "model.skdigits"))

    def predict_in_threads(self):
        """Predict from several threads at once."""
        sizes = self.rng.integers(1, 300, N_THREADS)
        with ThreadPoolExecutor(N_THREADS) as threads:
            list(threads.map(lambda n: self.classifier.predict(self.enlarged[:n]), sizes))

    def search(self):
        """Search with two worker processes, and then stop the workers."""
        grid = {"epochs": [1, 2], "batch_size": [32, 64]}
        search = EpochSearchCV(DigitClassifier("compact", random_state=0), grid, cv=2, n_jobs=2)
        with joblib.parallel_config("loky"):
            search.fit(self.X[:200], self.y[:200])
        get_reusable_executor().shutdown(wait=True)


def state():
    """Count the file handles and threads of this process."""
    gc.collect()
    return {
        "handles": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
    }


def plot(megabytes):
    fig, ax = figure(1)
    ax.plot(*zip(*megabytes, strict=True))
    ax.set(xlabel="minutes", ylabel="anonymous memory, MB", title="One process, mixed work")
    ax.set_ylim(bottom=0)
    ax.grid(alpha=0.3)
    return fig


if __name__ == "__main__":
    main()
