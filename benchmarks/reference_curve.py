"""Does the reference recipe reproduce the reference system's training log?

    python benchmarks/reference_curve.py DATA [--log training_log.csv]

DATA is whatever ``skdigits train`` takes; 42,000 of its images are used. The log is a CSV with
the columns epoch, loss and accuracy; without it the three epochs below are compared. Writes
results/reference_curve.json, .csv and .png, and exits with 1 when a threshold is missed.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from skdigits import DigitClassifier
from skdigits.datasets import load_data
from skdigits.persistence import versions

LEAST_ACCURACY = 0.985
MOST_LOSS = 0.045
N_IMAGES = 42_000
LOGGED = {
    "epoch": [1, 10, 150],
    "loss": [4.08, 0.3686, 0.0325],
    "accuracy": [0.7195, 0.9365, 0.9893],
}
RESULTS = Path(__file__).parent / "results"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    X, y = load_data(args.data, return_X_y=True)
    chosen = np.random.default_rng(args.seed).permutation(len(y))[:N_IMAGES]
    classifier = DigitClassifier(
        epochs=args.epochs,
        batch_size=600,
        rescale=False,
        optimizer="adam",
        schedule=None,
        verbose=2,
        random_state=args.seed,
    )
    start = time.perf_counter()
    classifier.fit(X[chosen], y[chosen])
    seconds = time.perf_counter() - start

    ours = pd.DataFrame(classifier.history_)
    ours.insert(0, "epoch", range(1, len(ours) + 1))
    reference = pd.read_csv(args.log) if args.log else pd.DataFrame(LOGGED)
    both = reference.merge(ours, on="epoch", suffixes=("_reference", "_ours"))
    print(both[both["epoch"].isin(LOGGED["epoch"])].to_string(index=False))

    RESULTS.mkdir(exist_ok=True)
    both.to_csv(RESULTS / "reference_curve.csv", index=False, float_format="%.5f")
    last = ours.iloc[-1]
    passed = bool(last["accuracy"] >= LEAST_ACCURACY and last["loss"] <= MOST_LOSS)
    facts = {
        "epochs": args.epochs,
        "accuracy": last["accuracy"],
        "loss": last["loss"],
        "least_accuracy": LEAST_ACCURACY,
        "most_loss": MOST_LOSS,
        "passed": passed,
        "fit_seconds": seconds,
        "n_images": len(chosen),
        "seed": args.seed,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": versions(),
    }
    (RESULTS / "reference_curve.json").write_text(json.dumps(facts, indent=2) + "\n")
    draw(reference, ours)
    print(
        f"accuracy {last['accuracy']:.4f}, loss {last['loss']:.4f}, {seconds:.0f} s: "
        f"{'reached' if passed else 'MISSED'}"
    )
    sys.exit(not passed)


def draw(reference, ours):
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for ax, metric in zip(axes, ("accuracy", "loss"), strict=True):
        marker = None if len(reference) > 3 else "o"
        ax.plot(reference["epoch"], reference[metric], label="reference", marker=marker)
        ax.plot(ours["epoch"], ours[metric], label="skdigits")
        ax.set(xlabel="epoch", ylabel=f"training {metric}")
        ax.grid(alpha=0.3)
        ax.legend()
    axes[1].set_yscale("log")
    figure.savefig(RESULTS / "reference_curve.png", dpi=110)


if __name__ == "__main__":
    main()
