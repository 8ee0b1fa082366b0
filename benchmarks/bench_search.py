"""How long does a grid search over epochs and batch size take?

    python benchmarks/bench_search.py [--quick]

On the bundled digits, three folds, the same network and optimizer: GridSearchCV over
DigitClassifier beside GridSearchCV over SciKeras; and over DigitClassifier with two processes
beside one.
"""

from __future__ import annotations

import numpy as np
from bench_fit import as_floats
from measuring import Checks, alternate, figure, finish, medians, parser
from peers import scikeras
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skdigits import DigitClassifier
from skdigits.datasets import load_digits

MOST_RATIO = 0.35
MOST_RATIO_TWO_JOBS = 1.0
MOST_SCORE_DIFFERENCE = 0.015
EPOCHS = {False: [5, 10, 20], True: [2, 4]}
BATCH_SIZES = [32, 128]
SHAPE = (8, 8, 1)


def main():
    args = parser(__doc__).parse_args()
    X, y = load_digits(return_X_y=True)
    floats = as_floats(X, SHAPE)
    grid = {"epochs": EPOCHS[args.quick], "batch_size": BATCH_SIZES}
    folds = StratifiedKFold(3, shuffle=True, random_state=0)

    def search(estimator, images, n_jobs=None):
        return GridSearchCV(estimator, grid, cv=folds, n_jobs=n_jobs).fit(images, y)

    ours = DigitClassifier(schedule=None, learning_rate=1e-3)
    cases = {
        "skdigits": lambda: search(ours, X),
        "skdigits, n_jobs=2": lambda: search(ours, X, n_jobs=2),
        "SciKeras": lambda: search(scikeras(SHAPE, 10), floats),
    }
    best = {name: [] for name in cases}
    seconds, first = alternate(
        cases,
        args.runs or (1 if args.quick else 3),
        lambda name, fitted: best[name].append(float(fitted.best_score_)),
    )
    median = medians(seconds)
    for name, value in median.items():
        print(f"{name:20s} {value:7.1f} s, best score {np.mean(best[name]):.4f}")

    checks = Checks()
    ratio = median["skdigits"] / median["SciKeras"]
    checks.at_most("grid of 6 × 3 fits: time over SciKeras", ratio, MOST_RATIO)
    ratio = median["skdigits, n_jobs=2"] / median["skdigits"]
    checks.at_most("grid: n_jobs=2 over n_jobs=1", ratio, MOST_RATIO_TWO_JOBS)
    less = float(np.mean(best["SciKeras"]) - np.mean(best["skdigits"]))
    what = "grid: best score less than SciKeras's by"
    checks.at_most(what, less, MOST_SCORE_DIFFERENCE, readme=False)
    details = {
        "grid": grid,
        "median_seconds": median,
        "seconds": seconds,
        "first_seconds": first,
        "best_scores": best,
    }
    finish("bench_search", args, checks, details, plot(median))


def plot(median):
    picture, ax = figure(1)
    ax.barh(list(median)[::-1], list(median.values())[::-1])
    ax.set(xlabel="seconds", title="Grid search on the bundled digits, 3 folds")
    return picture


if __name__ == "__main__":
    main()
