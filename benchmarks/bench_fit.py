"""How long does fitting take, compared with bare Keras, SciKeras, keras.wrappers and skorch?

    python benchmarks/bench_fit.py [DATA] [--quick]

DATA is any data that ``skdigits train`` accepts; the published results use MNIST. All libraries
train the network "compact" with Adam at a constant learning rate of 0.001. For "Keras", only
``keras.Model.fit`` is timed; the model is built and traced, and the data is converted, before that.
For the other libraries, the time includes building a new estimator.
"""

from __future__ import annotations

import statistics

import numpy as np
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
from peers import BareKeras, keras_wrapper, network, scikeras, skorch
from sklearn.model_selection import train_test_split

from skdigits import DigitClassifier, ImageReshaper
from skdigits.datasets import load_data

MOST_RATIO = {32: 0.6, 128: 0.7, 600: 0.7}
MOST_ACCURACY_DIFFERENCE = 0.01
N_IMAGES = 20_000
EPOCHS = 3
PEERS = {"SciKeras": scikeras, "keras.wrappers": keras_wrapper, "skorch": skorch}
SIZES = (1000, 3000, 10_000, 30_000, 60_000)


def main():
    args = parser(__doc__, data="any data that `skdigits train` accepts").parse_args()
    X, X_test, y, y_test, shape = read(args.data)
    n_classes = len(np.unique(y))
    runs = args.runs or (2 if args.quick else 9)
    n, epochs = (6000, 1) if args.quick else (N_IMAGES, EPOCHS)
    checks, details = Checks(), {"n_images": min(n, len(y)), "epochs": epochs}
    for batch_size, limit in MOST_RATIO.items():
        result = compare(X[:n], y[:n], X_test, y_test, shape, n_classes, epochs, batch_size, runs)
        details[f"batch {batch_size}"] = result
        median = result["median_seconds"]
        ratio = median["skdigits"] / median["Keras"]
        checks.at_most(f"fit, batch {batch_size}: time relative to bare Keras", ratio, limit)
        for name in median:
            if name not in ("skdigits", "Keras"):
                ratio = median["skdigits"] / median[name]
                checks.at_most(
                    f"fit, batch {batch_size}: time relative to {name}",
                    ratio,
                    1.0,
                    readme=name == "skorch",
                )
        what = f"fit, batch {batch_size}: accuracy below that of bare Keras"
        result["accuracy"].check(checks, what, "Keras", MOST_ACCURACY_DIFFERENCE)
    sizes = list(SIZES[: 2 if args.quick else None])
    details["growth"] = growth(X, y, shape, n_classes, sizes, runs)
    finish("bench_fit", args, checks, details, plot(details))


def read(source):
    """Load training and test data; also return the shape of an image with its channels."""
    X, y = load_data(source, return_X_y=True)
    shape = ImageReshaper().fit_transform(X[:1]).shape[1:]
    X = X.reshape(len(X), *shape)
    return *train_test_split(X, y, test_size=1 / 7, stratify=y, random_state=0), shape


def ours(shape, epochs, batch_size):
    """Make a DigitClassifier with the network and the optimizer of the other libraries."""
    return DigitClassifier(
        "compact",
        optimizer="adam",
        schedule=None,
        learning_rate=1e-3,
        image_shape=shape,
        epochs=epochs,
        batch_size=batch_size,
    )


def as_floats(X, shape):
    return (X.reshape(-1, *shape) / np.float32(X.max())).astype(np.float32)


def estimator_fits(X, y, shape, epochs, batch_size):
    """Return functions by name; each fits a new estimator of skdigits or an installed peer."""
    floats, n_classes = as_floats(X, shape), len(np.unique(y))
    cases = {"skdigits": lambda: ours(shape, epochs, batch_size).fit(X, y)}
    for name, make in PEERS.items():
        if make(shape, n_classes, epochs, batch_size) is not None:
            cases[name] = lambda make=make: make(shape, n_classes, epochs, batch_size).fit(
                floats, y
            )
    return cases


class Accuracies(dict):
    """Accuracies of fitted estimators by name; `alternate` calls this object after each fit."""

    def __init__(self, X, y, shape):
        self.images, self.floats, self.labels = X, as_floats(X, shape), y

    def __call__(self, name, fitted):
        predicted = fitted.predict(self.images if name == "skdigits" else self.floats)
        self.setdefault(name, []).append(float(np.mean(predicted == self.labels)))

    def check(self, checks, what, peer, most_difference):
        """Check that the accuracy is not lower than a peer's by more than a bound or the noise."""
        spread = max(statistics.stdev(values) for values in self.values())
        allowed = max(most_difference, 3 * spread / len(self["skdigits"]) ** 0.5)
        less = statistics.mean(self[peer]) - statistics.mean(self["skdigits"])
        checks.at_most(what, less, round(allowed, 4), readme=False)


def compare(X, y, X_test, y_test, shape, n_classes, epochs, batch_size, runs):
    """Measure times and accuracies of all libraries in alternating fits."""
    floats, accuracy = as_floats(X, shape), Accuracies(X_test, y_test, shape)
    bare = BareKeras(shape, n_classes, epochs, batch_size).prepare()
    cases = estimator_fits(X, y, shape, epochs, batch_size)
    cases["Keras"] = lambda: bare.fit(floats, y)

    def after(name, fitted):
        accuracy(name, fitted)
        bare.prepare()

    seconds, first = alternate(cases, runs, after)
    print(f"\nbatch {batch_size}: {len(y)} images, {epochs} epochs")
    median = medians(seconds)
    for name, value in median.items():
        print(f"  {name:15s} {value:7.2f} s   accuracy {statistics.mean(accuracy[name]):.4f}")
    return {
        "median_seconds": median,
        "seconds": seconds,
        "first_seconds": first,
        "accuracy": accuracy,
    }


def growth(X, y, shape, n_classes, sizes, runs):
    """Measure seconds of one epoch by number of images (batch size 128), and the lower bound."""
    rate = matrix_rate()
    per_image = operations(network(shape, n_classes), training=True)
    result = {"sizes": sizes, "matrix_rate": rate, "operations_per_image": per_image}
    result["floor"] = [size * per_image / rate for size in sizes]
    for size in sizes:
        images, labels = np.resize(X, (size, *shape)), np.resize(y, size)
        floats, bare = as_floats(images, shape), BareKeras(shape, n_classes, 1, 128).prepare()
        cases = {
            "skdigits": lambda x=images, y=labels: ours(shape, 1, 128).fit(x, y),
            "Keras": lambda bare=bare, x=floats, y=labels: bare.fit(x, y),
        }
        for name, value in medians(alternate(cases, min(runs, 3))[0]).items():
            result.setdefault(name, []).append(value)
    return result


def plot(details):
    fig, (left, right) = figure(2)
    batches = list(MOST_RATIO)
    names = list(details[f"batch {batches[0]}"]["median_seconds"])
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        heights = [details[f"batch {b}"]["median_seconds"][name] for b in batches]
        positions = np.arange(len(batches)) + i * width
        left.bar(positions, heights, width, label=name, color=COLORS[name])
    left.set_xticks(np.arange(len(batches)) + 0.4 - width / 2, batches)
    left.set(
        xlabel="batch size",
        ylabel="seconds",
        title=f"Fit: {details['n_images']:,} images, {details['epochs']} epochs",
    )
    left.legend()
    draw_growth(right, details["growth"], ("Keras", "skdigits"))
    right.set_title("One epoch, batch size 128")
    return fig


if __name__ == "__main__":
    main()
