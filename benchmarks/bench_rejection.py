"""Are images without digits rejected?

    python benchmarks/bench_rejection.py DATA [--quick] [--resume]

Networks are trained on MNIST's training images. Two scores are compared: the probability of the
predicted label, and scikit-learn's local outlier factor of the network's features. The threshold of
each score accepts 95 % of the test digits. Images without digits should score below the threshold.
"""

from __future__ import annotations

import statistics
import string
from pathlib import Path

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
from PIL import Image, ImageDraw, ImageFont
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline

from skdigits import DigitClassifier
from skdigits.metrics import coverage_curve
from skdigits.preprocessing import clean_picture

SEEDS = (0, 1, 2)
NETWORKS = ("compact", "lenet", "deep")
BEST = ("deep", "neighbours")
KEPT = 0.95
LEAST_REJECTED = 0.9
N_IMAGES = 1000
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSerif-Italic",
    "DejaVuSansMono",
    "STIXGeneral",
    "cmr10",
)
SYMBOLS = "#$%&@?!+=<>*{}()"
# Each of these characters looks exactly like a digit in some font.
LOOK_ALIKES = "BDIOSZbgiloqsz!()"
AMBIGUOUS = "letters shaped like a digit"


def main():
    args = parser(__doc__, data=MNIST, resumable=True).parse_args()
    train, test = load_mnist(args)
    kinds = other_images(test.data)
    parts = Parts("bench_rejection", args)
    found = {}
    for network in NETWORKS:
        runs = [
            parts.measure(
                f"{network}, seed {seed}",
                DigitClassifier(network, random_state=seed).get_params(),
                measure,
                *(network, seed, train, test, kinds),
            )
            for seed in SEEDS[: 1 if args.quick else args.runs]
        ]
        found[network] = runs
    checks = Checks()
    network, score = BEST
    for kind in kinds:
        if kind != AMBIGUOUS:
            rejected = statistics.mean(run[score]["rejected"][kind] for run in found[network])
            checks.at_least(f"{network}, {score}: {kind} rejected", rejected, LEAST_REJECTED)
    finish("bench_rejection", args, checks, {"networks": found}, plot(found))


def other_images(digits):
    """Make images without digits by kind, as flat rows of 784 pixels like MNIST's."""
    rng = np.random.default_rng(0)
    characters = [*string.ascii_letters, *SYMBOLS]
    return {
        "letters and symbols": draw([c for c in characters if c not in LOOK_ALIKES]),
        AMBIGUOUS: draw(LOOK_ALIKES),
        "shuffled pixels": rng.permuted(digits[:N_IMAGES], axis=1),
        "uniform noise": rng.integers(0, 256, (N_IMAGES, 784)).astype(np.uint8),
        "normal noise": rng.normal(0, 60, (N_IMAGES, 784)).clip(0, 255).astype(np.uint8),
        "blank": np.zeros((1, 784), np.uint8),
    }


def draw(characters):
    """Draw characters in each font, black on white; return cleaned images as flat rows."""
    import matplotlib as mpl

    images = []
    for name in FONTS:
        font = ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), 80)
        for character in characters:
            picture = Image.new("L", (140, 140), 255)
            ImageDraw.Draw(picture).text((70, 70), character, font=font, fill=0, anchor="mm")
            images.append(clean_picture(np.array(picture)).ravel())
    return np.array(images, np.uint8)


def measure(network, seed, train, test, kinds):
    """Train a network; compute the rejected share of each kind and the coverage curve by score."""
    classifier = DigitClassifier(network, random_state=seed).fit(train.data, train.target)
    detector = make_pipeline(
        FrozenEstimator(classifier),
        LocalOutlierFactor(metric="cosine", novelty=True, contamination=1 - KEPT),
    ).fit(train.data)
    scores = {
        "probability": classifier.predict_confidence,
        "neighbours": detector.score_samples,
    }
    predicted = classifier.predict(test.data)
    run = {"seed": seed, "kept by the detector": float((detector.predict(test.data) == 1).mean())}
    for name, score in scores.items():
        digit_scores = score(test.data)
        threshold = np.quantile(digit_scores, 1 - KEPT)
        rejected = {kind: float((score(X) < threshold).mean()) for kind, X in kinds.items()}
        coverage, accuracy, _ = coverage_curve(test.target, predicted, digit_scores)
        run[name] = {
            "rejected": rejected,
            "accuracy of those kept": float(accuracy[np.searchsorted(coverage, KEPT)]),
            "curve": thinned_coverage(test.target, predicted, digit_scores),
        }
        print(f"{network}, seed {seed}, {name}: {rejected}", flush=True)
    return run


def plot(found):
    fig, (left, right) = figure(2)
    for network, runs in found.items():
        coverage, accuracy = np.array(runs[0]["probability"]["curve"])
        left.plot(coverage, 1 - accuracy, label=network)
    left.set(xlabel="share of digits kept, by probability", ylabel="mistakes among them")
    left.set(xlim=(0.8, 1), ylim=(0, None))
    left.grid(alpha=0.3)
    left.legend()
    cases = [(network, score) for network in found for score in ("probability", "neighbours")]
    kinds = list(found[NETWORKS[0]][0]["probability"]["rejected"])
    height = 0.8 / len(cases)
    for i, (network, score) in enumerate(cases):
        shares = [
            statistics.mean(run[score]["rejected"][kind] for run in found[network])
            for kind in kinds
        ]
        right.barh(np.arange(len(kinds)) + i * height, shares, height, label=f"{network}, {score}")
    right.set_yticks(np.arange(len(kinds)) + 0.4 - height / 2, kinds)
    right.set(xlabel=f"share rejected, {KEPT:.0%} of digits kept", xlim=(0, 1))
    right.invert_yaxis()
    right.legend(fontsize="x-small", loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=3)
    return fig


if __name__ == "__main__":
    main()
