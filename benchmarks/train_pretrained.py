"""Train the pretrained networks of the package.

    python benchmarks/train_pretrained.py FOLDER [--only digit|sequence] [--quick]

FOLDER contains MNIST's IDX files. Both networks are trained with a fixed seed; this takes about two
hours on two cores. They are written to `skdigits/pretrained/`, without the training state. The
model cards in the same folder are written by hand, with the results of `bench_real.py`.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from measuring import MNIST, load_mnist, parser, require_data

import skdigits
from skdigits import DigitClassifier, DigitSequenceRecognizer

FOLDER = Path(skdigits.__file__).parent / "pretrained"
RECIPES = {
    "digit": (
        DigitClassifier,
        {
            "architecture": "deep",
            "filters": 24,
            "style": "mixed",
            "epochs": 40,
            "schedule": "one_cycle",
        },
    ),
    "sequence": (
        DigitSequenceRecognizer,
        {"style": "mixed", "lengths": (1, 8), "epochs": 100, "schedule": "one_cycle"},
    ),
}
ADAPT_EPOCHS = 15  # default number of epochs of a user's further fit
QUICK = {
    "digit": {"architecture": "compact", "epochs": 1},
    "sequence": {"epochs": 1, "sequences_per_epoch": 500},
}


def main():
    options = parser(__doc__, data=MNIST)
    options.add_argument("--only", choices=RECIPES, help="train one of the networks")
    args = options.parse_args()
    require_data(args)
    train, _ = load_mnist(args)
    with tempfile.TemporaryDirectory() as elsewhere:
        folder = Path(elsewhere) if args.quick else FOLDER
        for name in [args.only] if args.only else RECIPES:
            make, recipe = RECIPES[name]
            recipe = recipe | (QUICK[name] if args.quick else {})
            start = time.perf_counter()
            recipe["keep_epochs"] = [recipe["epochs"]]
            estimator = make(**recipe, random_state=0, verbose=0 if args.quick else 2)
            estimator.fit(train.images, train.target)
            path = skdigits.save(finished(estimator), folder / f"{name}.skdigits")
            minutes = (time.perf_counter() - start) / 60
            print(f"{name}: {minutes:.1f} min, {path.stat().st_size / 2**20:.2f} MB", flush=True)


def finished(estimator):
    """Return the estimator to publish: without training state, with parameters for adaptation."""
    estimator = estimator.at_epoch(estimator.n_iter_)
    estimator.set_params(warm_start="adapt", epochs=ADAPT_EPOCHS, schedule="averaged", verbose=0)
    if isinstance(estimator, DigitSequenceRecognizer):
        estimator.set_params(test_time_augmentation=True)
    return estimator


if __name__ == "__main__":
    main()
