"""Does the reference recipe reproduce the reference system's training log?

    python benchmarks/reference_curve.py DATA [--log training_log.csv] [--quick]

DATA is any data that ``skdigits train`` accepts; 42,000 of its images are used. The log is a CSV
file with the columns epoch, loss and accuracy. Without a log, the three epochs in LOGGED are
compared.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import Checks, figure, finish, parser, require_data, results_folder

from skdigits import DigitClassifier
from skdigits.datasets import load_data

LEAST_ACCURACY = 0.985
MOST_LOSS = 0.045
N_IMAGES = 42_000
N_EPOCHS = 150
N_QUICK_EPOCHS = 10
SEED = 0
LOGGED = {
    "epoch": [1, 10, 150],
    "loss": [4.08, 0.3686, 0.0325],
    "accuracy": [0.7195, 0.9365, 0.9893],
}


def main():
    options = parser(__doc__, data="any data that `skdigits train` accepts")
    options.add_argument("--log", type=Path, help="training log of the reference system")
    args = options.parse_args()
    require_data(args)
    epochs = N_QUICK_EPOCHS if args.quick else N_EPOCHS
    X, y = load_data(args.data, return_X_y=True)
    chosen = np.random.default_rng(SEED).permutation(len(y))[:N_IMAGES]
    classifier = DigitClassifier(
        "compact",
        epochs=epochs,
        batch_size=600,
        rescale=False,
        optimizer="adam",
        schedule=None,
        verbose=2,
        random_state=SEED,
    )
    start = time.perf_counter()
    classifier.fit(X[chosen], y[chosen])
    seconds = time.perf_counter() - start

    ours = pd.DataFrame(classifier.history_)
    ours.insert(0, "epoch", range(1, len(ours) + 1))
    reference = pd.read_csv(args.log) if args.log else pd.DataFrame(LOGGED)
    both = reference.merge(ours, on="epoch", suffixes=("_reference", "_ours"))
    print(both[both["epoch"].isin(LOGGED["epoch"])].to_string(index=False))
    file = results_folder(args) / "reference_curve.csv"
    both.to_csv(file, index=False, float_format="%.5f")

    last = ours.iloc[-1]
    checks = Checks()
    after = f"after {epochs} epochs"
    what = f"reference recipe: training accuracy {after}"
    checks.at_least(what, last["accuracy"], LEAST_ACCURACY)
    checks.at_most(f"reference recipe: training loss {after}", last["loss"], MOST_LOSS)
    details = {
        "epochs": epochs,
        "accuracy": last["accuracy"],
        "loss": last["loss"],
        "fit_seconds": seconds,
        "n_images": len(chosen),
        "seed": SEED,
    }
    finish("reference_curve", args, checks, details, plot(reference, ours))


def plot(reference, ours):
    fig, axes = figure(2)
    for ax, metric in zip(axes, ("accuracy", "loss"), strict=True):
        marker = None if len(reference) > 3 else "o"
        ax.plot(reference["epoch"], reference[metric], label="reference", marker=marker)
        ax.plot(ours["epoch"], ours[metric], label="skdigits")
        ax.set(xlabel="epoch", ylabel=f"training {metric}")
        ax.grid(alpha=0.3)
        ax.legend()
    axes[1].set_yscale("log")
    return fig


if __name__ == "__main__":
    main()
