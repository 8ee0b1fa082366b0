"""How long does a grid search over epochs and batch size take?

    python benchmarks/bench_search.py [--quick]

All searches use the bundled digits, three folds, the network "compact" and the same optimizer.
First, GridSearchCV with DigitClassifier is compared with GridSearchCV with SciKeras, and with
GridSearchCV in two processes. Then EpochSearchCV is compared with GridSearchCV with DigitClassifier
and with SciKeras. EpochSearchCV makes one fit per fold for all numbers of epochs.
"""

from __future__ import annotations

import time

import numpy as np
from bench_fit import as_floats
from measuring import Checks, alternate, figure, finish, medians, parser
from peers import scikeras
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skdigits import DigitClassifier, EpochSearchCV
from skdigits.datasets import load_digits

MOST_RATIO = 0.35
MOST_RATIO_TWO_JOBS = 1.0
MOST_RATIO_EPOCHS = {"skdigits, GridSearchCV": 0.12, "SciKeras, GridSearchCV": 0.05}
MOST_SCORE_DIFFERENCE = 0.015
EPOCHS = [5, 10, 20]
MANY_EPOCHS = list(range(1, 21))
BATCH_SIZES = [32, 128]
SHAPE = (8, 8, 1)


def main():
    args = parser(__doc__).parse_args()
    checks = Checks()
    batch_sizes = BATCH_SIZES[1:] if args.quick else BATCH_SIZES
    grid = {"epochs": [2, 4] if args.quick else EPOCHS, "batch_size": batch_sizes}
    few = compare_grids(grid, args.runs or (1 if args.quick else 3), checks, args.quick)
    grid = {"epochs": MANY_EPOCHS[: 8 if args.quick else None], "batch_size": batch_sizes}
    many = compare_epoch_search(grid, args.runs or 1, checks, args.quick)
    details = {"grid": few, "epoch_search": many}
    finish("bench_search", args, checks, details, plot(few, many))


def searches(quick):
    """Make both estimators with their images, the labels and the folds."""
    X, y = load_digits(return_X_y=True)
    ours = DigitClassifier(
        "compact", optimizer="adam", schedule=None, learning_rate=1e-3, random_state=0
    )
    folds = StratifiedKFold(2 if quick else 3, shuffle=True, random_state=0)
    return (ours, X), (scikeras(SHAPE, 10), as_floats(X, SHAPE)), y, folds


def compare_grids(grid, runs, checks, quick):
    (ours, X), (theirs, floats), y, cv = searches(quick)
    cases = {
        "skdigits": lambda: GridSearchCV(ours, grid, cv=cv).fit(X, y),
        "skdigits, n_jobs=2": lambda: GridSearchCV(ours, grid, cv=cv, n_jobs=2).fit(X, y),
        "SciKeras": lambda: GridSearchCV(theirs, grid, cv=cv).fit(floats, y),
    }
    best = {name: [] for name in cases}
    seconds, first = alternate(
        cases, runs, lambda name, fitted: best[name].append(float(fitted.best_score_))
    )
    median = medians(seconds)
    for name, value in median.items():
        print(f"{name:25s} {value:7.1f} s, best score {np.mean(best[name]):.4f}")
    n_fits = cv.n_splits * len(grid["epochs"]) * len(grid["batch_size"])
    ratio = median["skdigits"] / median["SciKeras"]
    checks.at_most(f"GridSearchCV, {n_fits} fits: time relative to SciKeras", ratio, MOST_RATIO)
    ratio = median["skdigits, n_jobs=2"] / median["skdigits"]
    checks.at_most(
        "GridSearchCV: time of n_jobs=2 relative to n_jobs=1", ratio, MOST_RATIO_TWO_JOBS
    )
    less = float(np.mean(best["SciKeras"]) - np.mean(best["skdigits"]))
    what = "GridSearchCV: best score below that of SciKeras"
    checks.at_most(what, less, MOST_SCORE_DIFFERENCE, readme=False)
    return {
        "grid": grid,
        "n_fits": n_fits,
        "median_seconds": median,
        "seconds": seconds,
        "first_seconds": first,
        "best_scores": best,
    }


def compare_epoch_search(grid, runs, checks, quick):
    (ours, X), (theirs, floats), y, cv = searches(quick)
    options = {"cv": cv, "refit": not quick}  # the refit takes equally long for all
    cases = {
        "skdigits, EpochSearchCV": lambda: EpochSearchCV(ours, grid, **options).fit(X, y),
        "skdigits, GridSearchCV": lambda: GridSearchCV(ours, grid, **options).fit(X, y),
        "SciKeras, GridSearchCV": lambda: GridSearchCV(theirs, grid, **options).fit(floats, y),
    }
    if quick:
        del cases["SciKeras, GridSearchCV"]
    fitted, seconds = {}, {name: [] for name in cases}
    ours_first, *others = cases
    order = [ours_first, *(turn for name in others for turn in (name, ours_first))]
    for name in order * runs:  # the previous comparison was the warm-up
        start = time.perf_counter()
        fitted[name] = cases[name]()
        seconds[name].append(time.perf_counter() - start)
    median = medians(seconds)
    for name, value in median.items():
        search = fitted[name]
        print(f"{name:25s} {value:7.1f} s, best {search.best_params_} {search.best_score_:.4f}")
    n_fits = cv.n_splits * len(grid["epochs"]) * len(grid["batch_size"])
    for name in [name for name in MOST_RATIO_EPOCHS if name in cases]:
        what = f"EpochSearchCV for {n_fits} fits: time relative to {name}"
        checks.at_most(
            what, median["skdigits, EpochSearchCV"] / median[name], MOST_RATIO_EPOCHS[name]
        )
    without_refit = {
        name: value - getattr(fitted[name], "refit_time_", 0) for name, value in median.items()
    }
    print("without the refit:", {name: round(value, 1) for name, value in without_refit.items()})
    results = [
        fitted[f"skdigits, {kind}"].cv_results_ for kind in ("EpochSearchCV", "GridSearchCV")
    ]
    scores = [[v for n, v in r.items() if "_test_" in n] for r in results]
    differing = sum(int((a != b).sum()) for a, b in zip(*scores, strict=True))
    checks.at_most("EpochSearchCV: scores and ranks that differ from GridSearchCV's", differing, 0)
    return {
        "grid": grid,
        "n_fits": n_fits,
        "median_seconds": median,
        "median_seconds_without_refit": without_refit,
        "seconds": seconds,
        "best": {n: [s.best_params_, float(s.best_score_)] for n, s in fitted.items()},
    }


def plot(few, many):
    fig, axes = figure(2)
    for ax, result in zip(axes, (few, many), strict=True):
        median = result["median_seconds"]
        grid = result["grid"]
        ax.barh(list(median)[::-1], list(median.values())[::-1])
        epochs = f"{grid['epochs'][0]} … {grid['epochs'][-1]}"
        ax.set(xlabel="seconds", title=f"Grid of {result['n_fits']} fits, epochs {epochs}")
    return fig


if __name__ == "__main__":
    main()
