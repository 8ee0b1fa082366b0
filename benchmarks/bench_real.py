"""How accurate are the networks on real pictures outside MNIST, compared with other programs?

    python benchmarks/bench_real.py FOLDER [--mnist DATA] [--train] [--digit FILE] [--sequence FILE]

FOLDER contains a file NAME.npz per set, with `images` and `labels`. If the pictures are padded to
one size, it also contains `height` and `width`. A set whose labels have several digits shows lines.
By default, the networks of the package are measured; FILE is another saved network, and `--train`
trains new networks on MNIST in the folder DATA. The recipes were chosen on the pictures with even
numbers; the results on the pictures with odd numbers are reported. Neither half is used for
training. Only for the column "adapted", a network is fitted further on the even half. RapidOCR and
Tesseract are measured if they are installed.
"""

from __future__ import annotations

import copy
import shutil
import subprocess
import tempfile
import time
import warnings
from argparse import Namespace
from pathlib import Path

import numpy as np
from measuring import Checks, finish, load_mnist, mistakes_figure, parser
from photographs import page, photograph
from PIL import Image
from scipy.stats import binomtest

import skdigits
from skdigits import DigitClassifier, DigitSequenceRecognizer
from skdigits.datasets import load_idx
from skdigits.metrics import coverage_at_accuracy
from skdigits.pictures import clean_line, clean_picture

DIGIT_RECIPE = {"architecture": "deep", "style": "mixed", "epochs": 40, "random_state": 0}
SEQUENCE_RECIPE = {"epochs": 30, "random_state": 0}
# Minimum share of the odd half that is read without a mistake.
FLOORS = {
    "cheques": 0.68,
    "sudoku_printed": 0.98,
    "sudoku_handwritten": 0.95,
    "meters": 0.90,
    "optdigits": 0.975,
    "usps": 0.99,
}
LEAST_ON_MNIST = 0.995
LEAST_ADAPTED = {"cheques": 0.78, "meters": 0.95}
MOST_MINUTES_TO_ADAPT = 5
ADAPT_EPOCHS = 15
SURE = 0.9  # confidence from which a reading counts as sure
LEAST_OF_SURE = 0.98  # minimum share of sure readings that are correct
JUDGED_WHEN_SURE = "cheques"
BRIGHT_INK = ("optdigits", "usps")  # sets of bright ink on black, inverted for the peers
MOST_FOR_PEERS = 300  # pictures per set for the other programs, which are slow
PEER_HEIGHT = 48  # pixels: smaller pictures are enlarged for RapidOCR
SHOWN = 8  # mistakes that are drawn per set
N_QUICK = 20  # pictures per set with --quick
QUICK_DIGIT = {"epochs": 1}
QUICK_SEQUENCE = {"epochs": 1, "sequences_per_epoch": 1000}


def main():
    options = parser(__doc__, data="folder of the sets NAME.npz")
    options.add_argument("--mnist", help="folder of MNIST's IDX files; its test images are tested")
    options.add_argument("--train", action="store_true", help="train both networks on MNIST")
    options.add_argument("--digit", help="a saved DigitClassifier to measure")
    options.add_argument("--sequence", help="a saved DigitSequenceRecognizer to measure")
    args = options.parse_args()
    if not args.quick and (not args.data or (args.train and not args.mnist)):
        options.error("FOLDER is required; --train also requires --mnist DATA")
    warnings.simplefilter("ignore", UserWarning)  # "shows several digits"
    models = {"digit": load_or_train(args, "digit"), "line": load_or_train(args, "sequence")}
    sets = load_sets(args.data) if args.data else draw_sets()
    if args.quick:
        sets = {name: (p[:N_QUICK], labels[:N_QUICK]) for name, (p, labels) in sets.items()}
    programs = {"skdigits": lambda name, pictures: read(models, sets[name], pictures), **peers()}
    checks, details, mistakes = Checks(), {}, {}
    for name, (pictures, labels) in sets.items():
        details[name] = {"n": len(labels)}
        for program, function in programs.items():
            most = None if program == "skdigits" else MOST_FOR_PEERS
            found = measure(function, name, pictures, labels, most)
            details[name][program] = found["row"]
            print(f"{name:20s} {program:10s} {summary(found['row'])}", flush=True)
            if program == "skdigits":
                mistakes[name] = most_confident_mistakes(found, pictures, labels)
        judge(checks, name, details[name]["skdigits"])
        details[name]["adapted"] = adapt(args, checks, name, models, pictures, labels)
    if args.mnist:
        score = score_on_mnist(args, models["digit"])
        checks.at_least("MNIST's test images: accuracy", score, LEAST_ON_MNIST)
    details = {"sets": details, "bytes": {kind: size_of(model) for kind, model in models.items()}}
    finish("bench_real", args, checks, details, mistakes_figure(mistakes, SHOWN))


def load_or_train(args, kind):
    """Load an estimator from the given file or from the package, or train a new one."""
    if path := getattr(args, kind):
        return skdigits.load(path)
    if not args.train:
        return skdigits.load_pretrained(kind)
    recipe = DIGIT_RECIPE if kind == "digit" else SEQUENCE_RECIPE
    if args.quick:
        recipe = recipe | (QUICK_DIGIT if kind == "digit" else QUICK_SEQUENCE)
    make = DigitClassifier if kind == "digit" else DigitSequenceRecognizer
    start = time.perf_counter()
    train, _ = load_mnist(Namespace(data=args.mnist, quick=args.quick))
    model = make(**recipe).fit(train.images, train.target)
    print(f"{kind}: trained in {(time.perf_counter() - start) / 60:.1f} min", flush=True)
    return model


def load_sets(folder):
    """Load the pictures and labels of each set in a folder."""
    sets = {}
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path, allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"].astype(str)
            pictures = list(images)
            if "height" in archive.files:
                sizes = zip(archive["height"], archive["width"], strict=True)
                pictures = [p[:h, :w] for p, (h, w) in zip(images, sizes, strict=True)]
        sets[path.stem] = pictures, labels
    return sets


def draw_sets():
    """Generate a set of digits and a set of lines, for --quick."""
    _, test = load_mnist(Namespace(data=None, quick=True))
    rng = np.random.default_rng(0)
    digits = [photograph(image, "plain", rng) for image in test.images[:N_QUICK]]
    pages = [page(test.images, test.target, "plain", rng, n_lines=1) for _ in range(N_QUICK)]
    lines = [picture for picture, _, _ in pages], np.array([texts[0] for *_, texts in pages])
    return {"digits": (digits, test.target[:N_QUICK].astype(str)), "lines": lines}


# -- programs: from pictures to texts and confidences ----------------------------------------------


def read(models, labelled, pictures):
    kind, images = cleaned(pictures, labelled[1])
    texts, probabilities = models[kind].predict_top_k(images, k=1)
    return texts[:, 0].astype(str), probabilities[:, 0]


def cleaned(pictures, labels):
    """Return the kind of network for these pictures, and the cleaned images."""
    if len(max(labels, key=len)) > 1:
        return "line", list(map(clean_line, pictures))
    return "digit", np.stack(list(map(clean_picture, pictures)))


def peers():
    """Return a function for each of the other programs that is installed."""
    found = {}
    try:
        from rapidocr import RapidOCR
    except ImportError:
        pass
    else:
        engine = RapidOCR(params={"Global.log_level": "critical"})
        found["RapidOCR"] = lambda name, pictures: rapidocr(engine, for_peers(name, pictures))
    if shutil.which("tesseract"):
        found["Tesseract"] = lambda name, pictures: tesseract(name, for_peers(name, pictures))
    return found


def for_peers(name, pictures):
    """Convert pictures to grey; bright ink becomes dark ink on white paper with a margin."""
    for picture in pictures:
        grey = np.asarray(Image.fromarray(picture).convert("L"))
        if name in BRIGHT_INK:
            grey = 255 - np.pad(grey, max(2, len(grey) // 6))
        yield Image.fromarray(grey)


def rapidocr(engine, pictures):
    texts, confidences = [], []
    for picture in pictures:
        scale = max(1, PEER_HEIGHT / picture.height)
        size = round(picture.width * scale), round(picture.height * scale)
        image = np.asarray(picture.resize(size, Image.Resampling.BICUBIC).convert("RGB"))
        result = engine(image, use_det=False, use_cls=False, use_rec=True)
        texts.append(digits_of("".join(result.txts or ())))
        confidences.append(min(result.scores or (0.0,)))
    return np.array(texts), np.array(confidences)


def tesseract(name, pictures):
    texts = []
    layout = "7" if name == "cheques" else "10"  # a line, or one character
    with tempfile.TemporaryDirectory() as folder:
        for picture in pictures:
            size = 2 * picture.width, 2 * picture.height
            path = f"{folder}/picture.png"
            picture.resize(size, Image.Resampling.BICUBIC).save(path)
            command = ["tesseract", path, "-", "--psm", layout]
            command += ["-c", "tessedit_char_whitelist=0123456789"]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            texts.append(digits_of(run.stdout))
    return np.array(texts), np.ones(len(texts))


def digits_of(text):
    return "".join(character for character in text if character in "0123456789")


# -- results ---------------------------------------------------------------------------------------


def measure(function, name, pictures, labels, most):
    """Read a set with a program; return shares of correct texts, confidences and times."""
    chosen = np.arange(len(labels))
    if most and len(chosen) > most:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, most, replace=False))
    start = time.perf_counter()
    texts, confidence = function(name, [pictures[i] for i in chosen])
    milliseconds = 1000 * (time.perf_counter() - start) / len(chosen)
    right = texts == labels[chosen]
    sure = confidence >= SURE
    parts = {"all": right, "even": right[chosen % 2 == 0], "odd": right[chosen % 2 == 1]}
    row = {part: interval(flags) for part, flags in parts.items()}
    row |= {"milliseconds": milliseconds, "sure": float(sure.mean())}
    row["right_of_sure"] = float(right[sure].mean()) if sure.any() else 1.0
    row["coverage_at_0.98"] = coverage_at_accuracy(
        labels[chosen], texts, confidence, accuracy=LEAST_OF_SURE
    )
    return {"row": row, "texts": texts, "confidence": confidence, "right": right}


def interval(right):
    """Compute a share and its 95 % interval (Wilson, "Probable inference", 1927)."""
    found = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return [float(right.mean()), float(found.low), float(found.high)]


def summary(row):
    shares = "  ".join(f"{part} {row[part][0]:.4f}" for part in ("even", "odd", "all"))
    low, high = row["all"][1:]
    return (
        f"{shares} [{low:.3f}, {high:.3f}]  {row['milliseconds']:.1f} ms"
        f"  confidence ≥ {SURE}: share {row['sure']:.2f}, correct {row['right_of_sure']:.3f}"
    )


def judge(checks, name, row):
    if name in FLOORS:
        checks.at_least(f"{name}, odd half: right", row["odd"][0], FLOORS[name])
    if name == JUDGED_WHEN_SURE:
        what = f"{name}: correct texts among those with a confidence ≥ {SURE}"
        checks.at_least(what, row["right_of_sure"], LEAST_OF_SURE)


def adapt(args, checks, name, models, pictures, labels):
    """Adapt a network to the even half of a set, and measure its accuracy on the odd half."""
    kind, images = cleaned(pictures, labels)
    epochs = 1 if args.quick else ADAPT_EPOCHS
    model = copy.deepcopy(models[kind]).set_params(warm_start="adapt", epochs=epochs)
    start = time.perf_counter()
    model.fit(images[::2], labels[::2] if kind == "line" else labels[::2].astype(int))
    minutes = (time.perf_counter() - start) / 60
    right = interval(model.predict(images[1::2]).astype(str) == labels[1::2])
    print(f"{name:20s} adapted in {minutes:.1f} min: {right[0]:.4f}", flush=True)
    if name in LEAST_ADAPTED:
        checks.at_least(
            f"{name}, odd half after adaptation to the even half", right[0], LEAST_ADAPTED[name]
        )
        checks.at_most(f"{name}: time to adapt", minutes, MOST_MINUTES_TO_ADAPT, "min")
    forgotten = {}
    if kind == "digit" and args.mnist:
        forgotten["on_mnist"] = score_on_mnist(args, model)
        print(f"{'':20s} MNIST's test images: {forgotten['on_mnist']:.4f}")
    return {"odd": right, "minutes": minutes, **forgotten}


def score_on_mnist(args, model):
    test = load_idx(args.mnist, subset="test")
    return model.score(test.images, test.target)


def size_of(model):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skdigits"
        skdigits.save(model, path)
        return path.stat().st_size


def most_confident_mistakes(found, pictures, labels):
    wrong = np.flatnonzero(~found["right"])
    wrong = wrong[np.argsort(-found["confidence"][wrong])][:SHOWN]
    return [
        (pictures[i], f"{labels[i]} read as {found['texts'][i]}, {found['confidence'][i]:.2f}")
        for i in wrong
    ]


if __name__ == "__main__":
    main()
