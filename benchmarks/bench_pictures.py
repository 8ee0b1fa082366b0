"""Are digits in photographs recognized, and are the lines of a page found?

    python benchmarks/bench_pictures.py DATA [--model FILE] [--quick]

MNIST's test digits are drawn on many kinds of paper in many kinds of light. `clean_picture` cleans
these pictures, and a network that was trained on MNIST only classifies them. `find_lines` searches
pages of one to eight lines. Blank paper should give a blank image. DATA is a folder of MNIST's IDX
files. FILE is a saved classifier; by default, `DigitClassifier("deep", augment=2, epochs=20)` is
trained.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
from measuring import MNIST, Checks, figure, finish, load_mnist, memory, parser
from photographs import KINDS, MIXTURES, page, photograph, shoot

import skdigits
from skdigits import DigitClassifier
from skdigits.pictures import clean_picture, find_lines

LEAST_ACCURACY = 0.97
LEAST_PLAIN = 0.993
LEAST_FOUND = 0.97
MOST_BLANK = 0.1  # maximum share of blank papers whose image has ink
MOST_MILLISECONDS = 5  # for a picture of 160×160
MOST_SECONDS = 0.2  # for 12 megapixels
MOST_MEGABYTES = 300
ALIKE = 0.6  # minimum intersection over union of a true and a found box


def main():
    options = parser(__doc__, data=MNIST)
    options.add_argument("--model", help="a saved DigitClassifier for 28×28 pixels")
    args = options.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # "shows several digits"
    train, test = load_mnist(args)
    model = skdigits.load(args.model) if args.model else fit(train, args.quick)
    n = 10 if args.quick else 400
    digits = {name: read(name, test, model, n) for name in (*KINDS, *MIXTURES)}
    pages = {name: search(name, test, 2 if args.quick else 40) for name in (*KINDS, *MIXTURES)}
    blank = {name: inked(name, n // 10) for name in KINDS}
    checks = Checks()
    judge(checks, digits, pages, blank)
    measure(checks, test)
    details = {"kinds": digits, "pages": pages, "blank": blank}
    finish("bench_pictures", args, checks, details, draw(test))


def fit(train, quick):
    recipe = {"epochs": 3} if quick else {"architecture": "deep", "augment": 2, "epochs": 20}
    return DigitClassifier(**recipe, random_state=0).fit(train.images, train.target)


def read(name, test, model, n):
    """Measure the accuracy on n generated pictures of a kind."""
    rng = np.random.default_rng(sum(map(ord, name)))
    chosen = rng.choice(len(test.images), n, replace=False)
    images = [clean_picture(photograph(test.images[i], name, rng)) for i in chosen]
    accuracy = float((model.predict(np.stack(images)) == test.target[chosen]).mean())
    print(f"{name:28s} {accuracy:.4f}", flush=True)
    return accuracy


def search(name, test, n):
    """Compute the share of lines found, and the number of false boxes per line."""
    rng = np.random.default_rng(sum(map(ord, name)))
    n_lines = n_found = n_false = 0
    for _ in range(n):
        picture, boxes, _ = page(test.images, test.target, name, rng)
        found = find_lines(picture)
        alike = overlaps(boxes, found) > ALIKE
        n_lines += len(boxes)
        n_found += int(alike.any(axis=1).sum())
        n_false += int((~alike.any(axis=0)).sum())
    result = {"found": n_found / n_lines, "false": n_false / n_lines}
    print(
        f"{name:28s} lines found {result['found']:.3f}, false boxes {result['false']:.3f}",
        flush=True,
    )
    return result


def overlaps(boxes, others):
    """Compute the intersection over union of each box with each of the others."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.prod((high - low).clip(0), axis=2)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, others)]
    return common / (areas[0][:, None] + areas[1] - common)


def inked(name, n):
    """Compute the share of blank papers whose image has ink."""
    rng = np.random.default_rng(sum(map(ord, name)))
    blank = [shoot(np.zeros((160, 160)), name, rng) for _ in range(max(n, 2))]
    return float(np.mean([clean_picture(picture).any() for picture in blank]))


def judge(checks, digits, pages, blank):
    plain = digits["plain"]
    checks.at_least("photographed digits, plain: accuracy", plain, LEAST_PLAIN)
    for what, names in (("kinds", KINDS), ("mixtures", MIXTURES)):
        worst = min(names, key=digits.get)
        what = f"{len(names)} {what} of photographed digits: lowest accuracy ({worst})"
        checks.at_least(what, digits[worst], LEAST_ACCURACY)
    for what, names in (("kinds", KINDS), ("mixtures", MIXTURES)):
        found = {name: pages[name]["found"] for name in names}
        worst = min(found, key=found.get)
        what = f"{len(names)} {what} of pages: lowest share of lines found ({worst})"
        checks.at_least(what, found[worst], LEAST_FOUND)
    checks.at_most(
        "pages of every kind: false boxes per line",
        np.mean([pages[name]["false"] for name in KINDS]),
        0.001,
    )
    worst = max(blank, key=blank.get)
    what = f"blank paper of every kind: highest share with ink ({worst})"
    checks.at_most(what, blank[worst], MOST_BLANK)


def measure(checks, test):
    """Measure time and memory of cleaning."""
    from PIL import Image

    rng = np.random.default_rng(0)
    size = (160, 160)
    pictures = [
        np.asarray(Image.fromarray(photograph(image, "plain", rng)).resize(size))
        for image in test.images[:60]
    ]
    what = "clean_picture, 160×160 pixels"
    checks.at_most(what, 1000 * seconds(clean_picture, pictures), MOST_MILLISECONDS, "ms")
    drawn, _, _ = page(test.images, test.target, "shadow", rng, n_lines=8)
    large = np.asarray(Image.fromarray(drawn).resize((4000, 3000)))
    before = memory("VmHWM")
    what = "clean_picture, 12 megapixels"
    checks.at_most(what, seconds(clean_picture, [large] * 5), MOST_SECONDS, "s")
    grown = (memory("VmHWM") - before) / 2**20
    checks.at_most("clean_picture, 12 megapixels: memory", grown, MOST_MEGABYTES, "MB")


def seconds(function, pictures):
    """Measure the median seconds of a call."""
    times = []
    for picture in pictures:
        start = time.perf_counter()
        function(picture)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def draw(test):
    """Draw three pictures of every kind before and after cleaning."""
    names = [*KINDS, *MIXTURES]
    half = -(-len(names) // 2)
    chart, columns = figure(2)
    chart.set_size_inches(11, 0.62 * half)
    for ax, part in zip(columns, (names[:half], names[half:]), strict=True):
        for row, name in enumerate(part):
            rng = np.random.default_rng(sum(map(ord, name)))
            for column in range(3):
                picture = photograph(test.images[rng.integers(len(test.images))], name, rng)
                image = 255 - clean_picture(picture)
                left = 3 + 2.2 * column
                ax.imshow(picture, extent=(left, left + 1, row + 0.97, row + 0.03))
                where = (left + 1.02, left + 2.02, row + 0.97, row + 0.03)
                ax.imshow(image, cmap="gray", extent=where, vmin=0, vmax=255)
            ax.text(2.9, row + 0.5, name.replace("+", "\n+ "), ha="right", va="center", fontsize=7)
        ax.set(xlim=(0.8, 9.7), ylim=(half, 0), aspect="equal")
        ax.set_axis_off()
    return chart


if __name__ == "__main__":
    main()
