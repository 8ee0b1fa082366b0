"""How long does a second small fit take in one process?

    python benchmarks/bench_refit.py [DATA] [--quick]

Cross-validation and grid search consist of such fits. Each fit trains a new estimator: the network
"compact", 1,200 images, ten epochs, batch size 128. skdigits reuses the compiled model of the first
fit; the other libraries build, compile and trace a new model.
"""

from __future__ import annotations

import statistics

import numpy as np
from bench_fit import Accuracies, estimator_fits, read
from measuring import Checks, alternate, figure, finish, medians, parser

MOST_RATIO = 0.35
MOST_ACCURACY_DIFFERENCE = 0.02
N_IMAGES, EPOCHS, BATCH_SIZE = 1200, 10, 128


def main():
    args = parser(__doc__, data="any data that `skdigits train` accepts").parse_args()
    X, X_test, y, y_test, shape = read(args.data)
    X, y = X[:N_IMAGES], y[:N_IMAGES]
    accuracy = Accuracies(X_test, y_test, shape)
    cases = estimator_fits(X, y, shape, EPOCHS, BATCH_SIZE)
    seconds, first = alternate(cases, args.runs or (3 if args.quick else 9), accuracy)
    median = medians(seconds)
    for name, value in median.items():
        score = statistics.mean(accuracy[name])
        print(f"{name:15s} first {first[name]:5.2f} s, then {value:5.2f} s, accuracy {score:.3f}")
    checks = Checks()
    ratio = median["skdigits"] / median["SciKeras"]
    checks.at_most("second small fit: time relative to SciKeras", ratio, MOST_RATIO)
    what = "second small fit: accuracy below that of SciKeras"
    accuracy.check(checks, what, "SciKeras", MOST_ACCURACY_DIFFERENCE)
    details = {
        "n_images": len(y),
        "median_seconds": median,
        "seconds": seconds,
        "first_seconds": first,
        "accuracy": accuracy,
    }
    finish("bench_refit", args, checks, details, plot(median, first))


def plot(median, first):
    fig, ax = figure(1)
    positions = np.arange(len(median))
    ax.bar(positions - 0.2, [first[name] for name in median], 0.4, label="first in the process")
    ax.bar(positions + 0.2, list(median.values()), 0.4, label="later fits")
    ax.set_xticks(positions, median)
    ax.set(ylabel="seconds", title=f"Fit of {N_IMAGES:,} images, {EPOCHS} epochs")
    ax.margins(y=0.25)
    ax.legend()
    return fig


if __name__ == "__main__":
    main()
