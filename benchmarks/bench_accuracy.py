"""How accurate is each network on MNIST?

    python benchmarks/bench_accuracy.py DATA [--recipes NAME ...] [--quick] [--resume]

Each network is trained on MNIST's 60,000 training images with five seeds, and tested on the 10,000
test images. All choices were made on a part of the training images. ``--recipes`` measures the
named recipes and reads the results of the others from ``results/parts/``. ``--resume`` measures
only recipes without a result in that folder.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from measuring import MNIST, Checks, Parts, figure, finish, load_mnist, parser

from skdigits import DigitClassifier
from skdigits.metrics import probability_figures

SEEDS = (0, 1, 2, 3, 4)
# Parameters of the classifier, minimum mean accuracy, and maximum mean seconds of a fit.
RECIPES = {
    "compact": ({"architecture": "compact"}, 0.9865, 40),
    "compact, augmented": (
        {"architecture": "compact", "augment": True, "epochs": 50},
        0.9890,
        None,
    ),
    "tiny": ({"architecture": "tiny"}, 0.9915, None),
    "lenet": ({"architecture": "lenet"}, 0.9930, 60),
    "deep": ({"architecture": "deep"}, 0.9950, 240),
    "deep, augmented": ({"architecture": "deep", "augment": 2, "epochs": 80}, 0.9965, None),
}
# An ensemble averages the probabilities of all seeds, like VotingClassifier(voting="soft").
MEMBERS_OF = "deep, augmented"
LEAST_OF_ENSEMBLE = 0.9972
MOST_CALIBRATION_ERROR = 0.005
# Ticks of the axes of the plot.
SECONDS = (20, 50, 100, 200, 500, 1000, 2000)
ERRORS = (0.003, 0.004, 0.005, 0.007, 0.01, 0.014)


def main():
    options = parser(__doc__, data=MNIST, resumable=True)
    options.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    args = options.parse_args()
    train, test = load_mnist(args)
    parts = Parts("bench_accuracy", args)
    recipes = {name: RECIPES[name][0] | ({"epochs": 1} if args.quick else {}) for name in RECIPES}
    seeds = SEEDS[: 2 if args.quick else args.runs]
    parameters = {
        name: {**DigitClassifier(**recipe).get_params(), "random_state": seeds}
        for name, recipe in recipes.items()
    }
    for name in args.recipes:
        parts.measure(name, parameters[name], measure, name, recipes[name], seeds, train, test)
    found = {name: parts.last(name, parameters[name]) for name in RECIPES}
    found = {name: result for name, result in found.items() if result}
    finish("bench_accuracy", args, check(found), {"recipes": found}, plot(found))


def measure(name, parameters, seeds, train, test):
    """Fit a recipe with each seed; return the results of each fit and of the ensemble."""
    runs, probabilities = [], []
    for seed in seeds:
        classifier = DigitClassifier(**parameters, random_state=seed)
        start = time.perf_counter()
        classifier.fit(train.data, train.target)
        seconds = time.perf_counter() - start
        probabilities.append(classifier.predict_proba(test.data))
        runs.append(
            {"seed": seed, "fit_seconds": seconds, **figures(test.target, probabilities[-1])}
        )
        print(f"{name}, seed {seed}: {runs[-1]['accuracy']:.4f}, {seconds:.0f} s", flush=True)
    return {
        "parameters": parameters,
        "weights": classifier.to_keras().count_params(),
        "runs": runs,
        "ensemble": figures(test.target, np.mean(probabilities, axis=0)),
    }


def figures(target, probability):
    accuracy = float((probability.argmax(axis=1) == target).mean())
    return {"accuracy": accuracy, **probability_figures(target, probability, np.unique(target))}


def check(found):
    checks = Checks()
    for name, result in found.items():
        _, least, longest = RECIPES[name]
        checks.at_least(f"{name}: accuracy, mean of seeds", mean(result, "accuracy"), least)
        if longest is not None:
            checks.at_most(f"{name}: fit", mean(result, "fit_seconds"), longest, "s")
    if MEMBERS_OF in found:
        accuracy = found[MEMBERS_OF]["ensemble"]["accuracy"]
        checks.at_least(f"{MEMBERS_OF}: accuracy of the ensemble", accuracy, LEAST_OF_ENSEMBLE)
    if "compact" in found:
        error = mean(found["compact"], "calibration_error")
        checks.at_most("compact: expected calibration error", error, MOST_CALIBRATION_ERROR)
    return checks


def mean(result, name):
    return statistics.mean(run[name] for run in result["runs"])


def plot(found):
    fig, ax = figure(1)
    for name, result in found.items():
        seconds = [run["fit_seconds"] for run in result["runs"]]
        errors = [1 - run["accuracy"] for run in result["runs"]]
        ax.scatter(seconds, errors, label=f"{name} ({result['weights']:,} weights)")
    ax.set(xscale="log", yscale="log", xlabel="seconds to fit", ylabel="mistakes on test images")
    ax.set_xticks(SECONDS, [f"{value}" for value in SECONDS])
    ax.set_yticks(ERRORS, [f"{value:.1%}" for value in ERRORS])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend(fontsize="small")
    return fig


if __name__ == "__main__":
    main()
