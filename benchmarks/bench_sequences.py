"""How accurate is the recognizer on sequences of digits?

    python benchmarks/bench_sequences.py [DATA] [--quick] [--resume]

The recognizer is trained on sequences of MNIST's training digits. It is tested on 10,000 sequences
of test digits of each kind, generated with a fixed seed. Two other methods are measured on the same
sequences. The first cuts the image at gaps, and a DigitClassifier classifies the pieces. The second
is a network with one output for the length and one for each of five digits, as in Goodfellow et al.
(2013). Without DATA, only the default recognizer is measured, on the bundled digits.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from measuring import (
    MNIST,
    Checks,
    Parts,
    figure,
    finish,
    load_mnist,
    parser,
    thinned_coverage,
)
from sklearn.model_selection import train_test_split
from sklearn.utils import gen_batches

from skdigits import DigitClassifier, DigitSequenceRecognizer
from skdigits.datasets import iter_digit_sequences, load_digits, make_digit_sequences
from skdigits.metrics import (
    character_error_rate,
    coverage_at_accuracy,
    exact_match_score,
)
from skdigits.pictures.line_images import LineImages
from skdigits.preprocessing import clean_picture

SEEDS = (0, 1, 2)
N_TEST = 10_000
NEAR = {"lengths": (1, 5), "gap": (-6, 8)}
# By kind of sequences: parameters, and minimum exact match.
CASES = {
    "lengths 1–5": (NEAR, 0.990),
    "lengths 1–5, overlap 0–0.4": ({"lengths": (1, 5), "gap": (-11, 0)}, 0.987),
    "length 10, trained on 1–5": ({**NEAR, "lengths": 10}, 0.975),
    "length 20, trained on 1–5": ({**NEAR, "lengths": 20}, 0.945),
    "one digit five times": ({**NEAR, "lengths": 5}, 0.985),
    "rotated, shifted, noisy": ({**NEAR, "rotation": 15, "shift": 4, "noise": 20}, 0.970),
}
REPEATED = "one digit five times"
MOST_ERRORS = 0.004
LEAST_COVERAGE = 0.95
COVERAGE_AT = 0.998
MOST_MINUTES = 15
MOST_SECONDS_TO_PREDICT = 10
LEAST_BUNDLED = 0.92
MOST_MINUTES_BUNDLED = 3
INK = 128  # grey level
STYLE = {
    "style": "tiles",
    "lengths": (1, 5),
    "gap": (-11, 8),
    "shift": 3,
    "rotation": 12,
    "scale": 0.1,
    "noise": 8,
    "shear": 5,
    "elastic": 0.5,
}
RECIPE = {
    **STYLE,
    "filters": 24,
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "epochs": 26,
    "sequences_per_epoch": 30_000,
}
BUNDLED = {"style": "tiles", "lengths": (1, 5)}  # the other parameters are the defaults
CUT_RECIPE = {"architecture": "deep", "augment": True, "random_state": 0}
HEADS_RECIPE = {"learning_rate": 0.003, "weight_decay": 0.05, "warm_up": 0.1, "batch_size": 64}
QUICK = {"epochs": 2, "sequences_per_epoch": 1000}
N_TEST_QUICK = 100


def main():
    args = parser(__doc__, data=MNIST, resumable=True).parse_args()
    checks = Checks()
    parts = Parts("bench_sequences", args)
    details = {}
    if args.data or args.quick:
        details["recipe"] = RECIPE | (QUICK if args.quick else {})
        details |= mnist(args, parts, checks)
    details["bundled"] = bundled(args, parts, checks)
    finish("bench_sequences", args, checks, details, plot(details))


def mnist(args, parts, checks):
    train, test = load_mnist(args)
    tests = draw_tests(test, N_TEST_QUICK if args.quick else N_TEST)
    recipe = RECIPE | (QUICK if args.quick else {})
    cut = DigitClassifier(**CUT_RECIPE | ({"epochs": 1} if args.quick else {}))
    others = {
        "cut at gaps, DigitClassifier": parts.measure(
            "cut", cut.get_params(), cut_and_classify, cut, train, tests
        ),
        "length and five heads": parts.measure(
            "heads", recipe | HEADS_RECIPE, five_heads, recipe, train, tests
        ),
    }
    parameters = DigitSequenceRecognizer(**recipe).get_params()
    runs = [
        parts.measure(f"seed {seed}", parameters, measure, recipe, seed, train, tests)
        for seed in SEEDS[: 1 if args.quick else args.runs]
    ]
    for case, (_, least) in CASES.items():
        checks.at_least(f"{case}: exact match", mean_of(runs, case, "exact_match"), least)
    first = next(iter(CASES))
    rate = mean_of(runs, first, "character_error_rate")
    checks.at_most(f"{first}: character error rate", rate, MOST_ERRORS)
    covered = mean_of(runs, first, "coverage")
    what = f"{first}: coverage at {COVERAGE_AT} exact match"
    checks.at_least(what, covered, LEAST_COVERAGE)
    minutes = statistics.mean(run["seconds"] for run in runs) / 60
    checks.at_most("training", minutes, MOST_MINUTES, "min")
    seconds = statistics.median(run["reading_seconds"] for run in runs)
    what = f"predicting {len(tests[first][1])} sequences, {tests[first][0].shape[2]} pixels wide"
    checks.at_most(what, seconds, MOST_SECONDS_TO_PREDICT, "s")
    print_table(runs, others)
    return {"runs": runs, "others": others}


def bundled(args, parts, checks):
    """Measure the style "tiles" on sequences of one to three bundled digits of scikit-learn."""
    runs = [
        parts.measure(
            f"bundled, seed {seed}",
            DigitSequenceRecognizer(**BUNDLED, random_state=seed).get_params(),
            *(measure_bundled, args, seed),
        )
        for seed in SEEDS[: 1 if args.quick else args.runs]
    ]
    score = statistics.mean(run["exact_match"] for run in runs)
    checks.at_least("bundled digits, lengths 1–3: exact match", score, LEAST_BUNDLED)
    minutes = statistics.mean(run["seconds"] for run in runs) / 60
    checks.at_most("bundled digits: training", minutes, MOST_MINUTES_BUNDLED, "min")
    return runs


def measure_bundled(args, seed):
    X, y = load_digits(return_X_y=True)
    images = LineImages(X.reshape(-1, 8, 8)).as_bytes(0, 255).images
    train, test, y_train, y_test = train_test_split(
        images, y, test_size=0.2, stratify=y, random_state=seed
    )
    recipe = BUNDLED | (QUICK if args.quick else {})
    recognizer = DigitSequenceRecognizer(random_state=seed, **recipe)
    start = time.perf_counter()
    recognizer.fit(train, y_train)
    seconds = time.perf_counter() - start
    style = {"lengths": (1, 3), "random_state": 0}
    score = recognizer.score(*make_digit_sequences(test, y_test, 2000, **style))
    print(f"bundled digits, seed {seed}: {score:.4f} after {seconds:.0f} s", flush=True)
    return {"seed": seed, "seconds": seconds, "exact_match": score}


def draw_tests(digits, n_sequences):
    """Make test sequences of each kind from MNIST's test digits."""
    tests = {}
    for number, (case, (style, _)) in enumerate(CASES.items()):
        if case == REPEATED:
            parts = [
                make_digit_sequences(
                    digits.images[chosen],
                    digits.target[chosen],
                    n_sequences // 10,
                    random_state=100 + digit,
                    **style,
                )
                for digit in range(10)
                for chosen in [digits.target == digit]
            ]
            X, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        else:
            X, y = make_digit_sequences(
                digits.images, digits.target, n_sequences, random_state=number, **style
            )
        tests[case] = X, y
    return tests


def measure(recipe, seed, train, tests):
    """Train one recognizer, and measure it on every kind of sequences."""
    recognizer = DigitSequenceRecognizer(**recipe, random_state=seed)
    start = time.perf_counter()
    recognizer.fit(train.images, train.target)
    run = {"seed": seed, "seconds": time.perf_counter() - start}
    print(f"seed {seed}: trained in {run['seconds'] / 60:.1f} min", flush=True)
    for case, (X, y) in tests.items():
        recognizer.predict(X[:100])
        start = time.perf_counter()
        predicted, confidence = (found[:, 0] for found in recognizer.predict_top_k(X, k=1))
        seconds = time.perf_counter() - start
        run[case] = {
            "exact_match": exact_match_score(y, predicted),
            "character_error_rate": character_error_rate(y, predicted),
            "coverage": coverage_at_accuracy(y, predicted, confidence, accuracy=COVERAGE_AT),
        }
        if "reading_seconds" not in run:  # the first case
            run["reading_seconds"] = seconds
            run["curve"] = thinned_coverage(y, predicted, confidence)
        print(f"  {case:30s} {run[case]['exact_match']:.4f}", flush=True)
    return run


def cut_and_classify(classifier, train, tests):
    """Cut each image at columns without ink, classify each piece, and score the sequences."""
    classifier.fit(train.images, train.target)
    scores = {}
    for case, (X, y) in tests.items():
        pieces, counts = [], []
        for image in X:
            ink = np.pad((image > INK).any(axis=0).astype(int), 1)
            edges = np.flatnonzero(np.diff(ink))
            pieces += [
                clean_picture(255 - np.pad(image[:, left:right], 4))
                for left, right in edges.reshape(-1, 2)
            ]
            counts.append(len(edges) // 2)
        digits = "".join(map(str, classifier.predict(np.stack(pieces))))
        ends = np.cumsum(counts)
        predicted = [digits[end - count : end] for end, count in zip(ends, counts, strict=True)]
        scores[case] = exact_match_score(y, predicted)
    return scores


def five_heads(recipe, train, tests):
    """Train a Keras network with outputs for the length and for each of five digits; score it."""
    width = next(iter(tests.values()))[0].shape[2]
    model = heads_network(width, recipe)
    stream = iter_digit_sequences(
        train.images,
        train.target,
        recipe["sequences_per_epoch"],
        width=width,
        random_state=0,
        **STYLE,
    )
    for _, (X, y) in zip(range(recipe["epochs"]), stream, strict=False):
        X, lengths = to_the_left(X), np.char.str_len(y)
        digits = np.array([list(text.ljust(5, "0")) for text in y.tolist()], dtype=int).T
        # Positions after the last digit have weight 0 in the loss.
        weights = [np.ones(len(y)), *((lengths > i).astype(float) for i in range(5))]
        for batch in gen_batches(len(y), HEADS_RECIPE["batch_size"]):
            targets = [target[batch] for target in (lengths, *digits)]
            model.train_on_batch(X[batch], targets, [weight[batch] for weight in weights])
    scores = {}
    for case, (X, y) in tests.items():
        if X.shape[2] > width:
            continue  # the sequences have more digits than the network has outputs
        X = to_the_left(np.pad(X, [(0, 0), (0, 0), (0, width - X.shape[2])]))
        lengths, *digits = (p.argmax(axis=1) for p in model.predict(X, batch_size=256, verbose=0))
        texts = ["".join(map(str, row)) for row in np.transpose(digits)]
        predicted = [text[:n] for text, n in zip(texts, lengths, strict=True)]
        scores[case] = exact_match_score(y, predicted)
    return scores


def heads_network(width, recipe):
    """Build and compile the network with six outputs for images of this width."""
    from skdigits.training.tensorflow import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((28, width, 1))
    x = layers.Rescaling(1 / 255)(inputs)
    for filters in (16, 32, 64):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(2)(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Dropout(0.3)(layers.Dense(256, activation="relu")(layers.Flatten()(x)))
    heads = [layers.Dense(n, activation="softmax")(x) for n in (6, *[10] * 5)]
    model = keras.Model(inputs, heads)
    steps = recipe["epochs"] * -(-recipe["sequences_per_epoch"] // HEADS_RECIPE["batch_size"])
    warm_up = round(HEADS_RECIPE["warm_up"] * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=HEADS_RECIPE["learning_rate"], warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=HEADS_RECIPE["weight_decay"])
    model.compile(optimizer, ["sparse_categorical_crossentropy"] * 6, jit_compile=False)
    return model


def to_the_left(images):
    """Move the digits of each image to its left edge, so that their positions are similar."""
    margins = (images > INK).any(axis=1).argmax(axis=1)
    columns = margins[:, np.newaxis] + np.arange(images.shape[2])
    padded = np.pad(images, [(0, 0), (0, 0), (0, images.shape[2])])
    return np.take_along_axis(padded, columns[:, np.newaxis], axis=2)


def mean_of(runs, case, name):
    return statistics.mean(run[case][name] for run in runs)


def print_table(runs, others):
    print(f"\n{'exact match':32s} {'ours':>8s}", *(f"{name:>30s}" for name in others))
    for case in CASES:
        row = [f"{scores[case]:.4f}" if case in scores else "–" for scores in others.values()]
        ours = mean_of(runs, case, "exact_match")
        print(f"{case:32s} {ours:8.4f}", *(f"{score:>30s}" for score in row))


def plot(details):
    if "runs" not in details:
        return None
    fig, (left, right) = figure(2)
    names = list(CASES)
    scores = {"skdigits": {case: mean_of(details["runs"], case, "exact_match") for case in names}}
    scores |= details["others"]
    for i, (name, values) in enumerate(scores.items()):
        positions = np.arange(len(names)) + 0.27 * i
        left.barh(positions, [values.get(case, 0) for case in names], 0.27, label=name)
    left.set_yticks(np.arange(len(names)) + 0.27, names)
    left.set(xlabel="exact match", xlim=(0, 1))
    left.invert_yaxis()
    left.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=3)
    for run in details["runs"]:
        coverage, accuracy = np.array(run["curve"])
        right.plot(coverage, 1 - accuracy, label=f"seed {run['seed']}")
    right.axhline(1 - COVERAGE_AT, color="gray", linestyle=":")
    right.set(xlabel="share of sequences kept", ylabel="mistakes among them", xlim=(0.8, 1))
    right.legend()
    return fig


if __name__ == "__main__":
    main()
