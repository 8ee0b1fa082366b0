"""How long does predicting take, for one image and for 28,000 images?

    python benchmarks/bench_predict.py [DATA] [--quick]

The network "compact" is compared with the same network in SciKeras and in bare ONNX Runtime, and
with scikit-learn's classifiers. All are fitted on the same images. The time for 1,000 to 60,000
images is measured, too.
"""

from __future__ import annotations

import time

import numpy as np
import onnxruntime
from bench_fit import as_floats, ours, read
from measuring import (
    COLORS,
    Checks,
    alternate,
    draw_growth,
    figure,
    finish,
    matrix_rate,
    medians,
    operations,
    parser,
)
from peers import network, scikeras
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from skdigits.persistence.exporting import onnx_model

MOST_MILLISECONDS_ONE = 0.2
MOST_SECONDS_MANY = 0.35
N_MANY = 28_000
SIZES = (1000, 3000, 10_000, 30_000, 60_000)


def main():
    args = parser(__doc__, data="any data that `skdigits train` accepts").parse_args()
    X, X_test, y, _, shape = read(args.data)
    n_train, n_many = (2000, 5000) if args.quick else (10_000, N_MANY)
    fitted = fit_all(X[:n_train], y[:n_train], shape)
    many = np.resize(X_test, (n_many, *X.shape[1:]))

    checks = Checks()
    one = measure_one(fitted, many[:1], shape, 3 if args.quick else 10)
    whole = measure_many(fitted, many, shape, args.runs or (3 if args.quick else 7))
    checks.at_most(
        "predict one image", one["median_seconds"]["skdigits"] * 1e3, MOST_MILLISECONDS_ONE, "ms"
    )
    checks.at_most(
        f"predict {n_many:,} images", whole["median_seconds"]["skdigits"], MOST_SECONDS_MANY, "s"
    )
    details = {
        "n_train": n_train,
        "one": one,
        "many": {"n": n_many, **whole},
        "growth": growth(fitted, X, shape, SIZES[:3] if args.quick else SIZES),
    }
    finish("bench_predict", args, checks, details, plot(details))


def fit_all(X, y, shape):
    """Fit every classifier; those of scikit-learn get flat rows with values from 0 to 1."""
    floats = as_floats(X, shape)
    rows = floats.reshape(len(X), -1)
    classifier = ours(shape, 5, 128).fit(X, y)
    return {
        "skdigits": classifier,
        "ONNX Runtime": BareNetwork(classifier),
        "SciKeras": scikeras(shape, len(np.unique(y)), 5, 128).fit(floats, y),
        "SVC": SVC(C=10).fit(rows, y),
        "RandomForest": RandomForestClassifier(random_state=0).fit(rows, y),
        "kNN": KNeighborsClassifier(3).fit(rows, y),
        "MLP": MLPClassifier(random_state=0, early_stopping=True).fit(rows, y),
    }


class BareNetwork:
    """ONNX Runtime with its default threads, without checks of the images."""

    def __init__(self, classifier):
        content = onnx_model(classifier, {}).SerializeToString()
        self.session = onnxruntime.InferenceSession(content)

    def predict(self, images):
        return self.session.run(None, {"pixels": images})[0].argmax(axis=1)


def inputs(name, images, shape):
    if name == "skdigits":
        return images
    if name == "ONNX Runtime":
        return images.reshape(len(images), *shape)
    floats = as_floats(images, shape)
    return floats if name == "SciKeras" else floats.reshape(len(images), -1)


def measure_one(fitted, image, shape, rounds):
    """Time `predict` in rounds of 30 calls per classifier, without the first five of each."""
    given = {name: inputs(name, image, shape) for name in fitted}
    seconds = {name: [] for name in fitted}
    for _ in range(rounds):
        for name, estimator in fitted.items():
            for call in range(30):
                start = time.perf_counter()
                estimator.predict(given[name])
                if call >= 5:
                    seconds[name].append(time.perf_counter() - start)
    return summary("one image", seconds)


def measure_many(fitted, images, shape, runs):
    """Measure seconds of `predict`; a classifier that takes more than 2 s is timed only once."""
    given = {name: inputs(name, images, shape) for name in fitted}
    cases = {name: lambda e=e, x=given[name]: e.predict(x) for name, e in fitted.items()}
    once, first = alternate(cases, 1)
    quick = {name: case for name, case in cases.items() if first[name] <= 2}
    return summary(f"{len(images):,} images", once | alternate(quick, runs)[0])


def summary(title, seconds):
    """Print the medians; return the medians and the times of the first 20 calls."""
    median = medians(seconds)
    print(f"\n{title}")
    for name, value in median.items():
        ratio = value / median["skdigits"]
        print(f"  {name:15s} {value * 1e3:10.2f} ms   {ratio:8.1f} × skdigits")
    return {"median_seconds": median, "seconds": {n: s[:20] for n, s in seconds.items()}}


def growth(fitted, X, shape, sizes):
    """Measure seconds of `predict` by number of images, and the lower bound."""
    rate = matrix_rate()
    per_image = operations(network(shape, 10))
    result = {"sizes": list(sizes), "matrix_rate": rate, "operations_per_image": per_image}
    result["floor"] = [size * per_image / rate for size in sizes]
    for size in sizes:
        images = np.resize(X, (size, *X.shape[1:]))
        given = {name: inputs(name, images, shape) for name in ("skdigits", "SciKeras")}
        cases = {
            name: lambda name=name, given=given: fitted[name].predict(given[name]) for name in given
        }
        for name, value in medians(alternate(cases, 3)[0]).items():
            result.setdefault(name, []).append(value)
    return result


def plot(details):
    fig, (left, middle, right) = figure(3)
    for ax, key, title in (
        (left, "one", "one image"),
        (middle, "many", f"{details['many']['n']:,} images"),
    ):
        median = details[key]["median_seconds"]
        names = sorted(median, key=median.get, reverse=True)
        milliseconds = [median[name] * 1e3 for name in names]
        bars = ax.barh(names, milliseconds, color=[COLORS.get(name, "gray") for name in names])
        texts = [f"{v:,.0f}" if v >= 100 else f"{v:.2g}" for v in milliseconds]
        ax.bar_label(bars, texts, padding=3)
        ax.set(xscale="log", xlabel="milliseconds", title=f"Predict {title}")
        ax.margins(x=0.25)
    draw_growth(right, details["growth"], ("SciKeras", "skdigits"))
    right.set_title("Predict")
    return fig


if __name__ == "__main__":
    main()
