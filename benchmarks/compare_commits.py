"""Does another version of skdigits give bit-identical weights and predictions?

    python benchmarks/compare_commits.py [CHECKOUT] [--quick]

CHECKOUT is a folder with another version; by default, this version is compared with itself. Each
version runs in a separate process. It trains all networks with different image sizes, options and
styles, and continues fits with every method. Differences are printed; a refactoring has none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
from measuring import Checks, finish, parser

HERE = Path(__file__).resolve().parent.parent
PARTS = ("weights", "optimizer", "predictions", "layers", "Keras's output")


def main():
    arguments = parser(__doc__)
    arguments.add_argument("checkout", nargs="?", default=str(HERE), help="the other version")
    arguments.add_argument(
        "--signatures", action="store_true", help="print the digests of this version as JSON"
    )
    args = arguments.parse_args()
    if args.signatures:
        print(json.dumps(signatures(args.quick)))
        return
    ours, theirs = (run(Path(folder).resolve(), args.quick) for folder in (HERE, args.checkout))
    different = [
        f"{name}: {part}"
        for name in ours
        for part, a, b in zip(PARTS, ours[name], theirs[name], strict=False)
        if a != b
    ]
    print("\n".join(different) or f"{len(ours)} cases: no difference")
    checks = Checks()
    checks.at_most("differences", len(different), 0)
    finish("compare_commits", args, checks, {"cases": list(ours), "different": different})


def run(folder, quick):
    """Compute the digests of all cases with one version, in a new process."""
    command = [sys.executable, __file__, "--signatures", *(["--quick"] if quick else [])]
    environment = {**os.environ, "PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def signatures(quick):
    """Compute the digests of each case with the imported version."""
    from skdigits.datasets import load_digits

    digits = load_digits()
    small, y = digits.images[:120], digits.target[:120]
    X = np.kron(small, np.ones((1, 4, 4), np.uint8))[:, 2:-2, 2:-2]
    architectures = ["lenet"] if quick else ["compact", "tiny", "lenet", "deep"]
    found = {}
    for name, images, parameters in classifiers(architectures, X, small):
        found[name] = of_classifier(images, y, parameters)
    for name, parameters in recognizers(["tiles"] if quick else ["tiles", "handwritten", "mixed"]):
        found[name] = of_recognizer(X, y, parameters)
    if not quick:
        found |= continued(X, y) | pretrained(X, y)
    return found


def classifiers(architectures, X, small):
    """Yield the name, images and parameters of each case of classifiers."""
    rgb, wide = np.stack([X] * 3, -1), np.pad(X, [(0, 0), (0, 0), (3, 8)])
    for name in architectures:
        yield name, X, {"architecture": name}
        yield (
            f"{name}, options",
            X,
            {"architecture": name, "filters": 3, "dropout": 0.4, "l2": 0.01},
        )
        yield f"{name}, small, float64", small, {"architecture": name, "dtype": "float64"}
        yield f"{name}, colours, augmented", rgb, {"architecture": name, "augment": True}
        yield (
            f"{name}, wide, sgd",
            wide,
            {"architecture": name, "optimizer": "sgd", "schedule": "one_cycle"},
        )
        yield (
            f"{name}, stopping early",
            X,
            {"architecture": name, "validation_fraction": 0.2, "early_stopping": True},
        )
        yield f"{name}, mixed", X, {"architecture": name, **style("mixed")}
    yield "lenet, kernels", X, {"architecture": "lenet", "kernel_size": 3}
    yield (
        "compact, kernels, not rescaled",
        small,
        {"architecture": "compact", "kernel_size": 4, "rescale": False},
    )


def style(name):
    """Return the parameter that selects a style; early versions call it `augment`."""
    from skdigits import DigitClassifier

    known = DigitClassifier().get_params()
    return {"style" if "style" in known else "augment": name}


def recognizers(styles):
    """Yield the name and parameters of each case of recognizers."""
    for name in styles:
        yield f"sequences, {name}", {"style": name}
    yield "sequences, validated", {"style": "tiles", "validation_fraction": 0.2}


def of_classifier(images, y, parameters):
    from skdigits import DigitClassifier

    return of_fitted(DigitClassifier(epochs=2, random_state=0, **parameters).fit(images, y), images)


def of_fitted(model, images):
    network, shaped = model._network, images if images.ndim == 4 else images[..., np.newaxis]
    shaped = shaped[:3].astype(network.key.spec.dtype)
    return [
        digest(network.weights),
        digest(network.optimizer_state),
        digest([model.predict_proba(images), model.transform(images)]),
        layers(model.to_keras()),
        digest([np.asarray(model.to_keras()(shaped, training=False))]),
    ]


def of_recognizer(X, y, parameters):
    from skdigits import DigitSequenceRecognizer

    options = {"epochs": 1, "sequences_per_epoch": 64, "filters": 4, "random_state": 0}
    return of_fitted_recognizer(DigitSequenceRecognizer(**options, **parameters).fit(X, y), X, y)


def of_fitted_recognizer(model, X, y):
    from skdigits.datasets import make_digit_sequences

    lines, _ = make_digit_sequences(X, y, 8, random_state=1)
    return [
        digest(model._network.weights),
        digest(model._network.optimizer_state),
        digest([model.predict_confidence(lines)]) + ",".join(model.predict(lines)),
        layers(model.to_keras()),
    ]


def continued(X, y):
    """Return digests of fits that continue earlier fits."""
    from skdigits import DigitClassifier, DigitSequenceRecognizer
    from skdigits.datasets import make_digit_sequences

    found = {}
    model = DigitClassifier("tiny", epochs=1, random_state=0).fit(X, y)
    found["warm start"] = of_fitted(model.set_params(warm_start=True).fit(X, y), X)
    found["adapted"] = of_fitted(model.set_params(warm_start="adapt").fit(X[:20], y[:20]), X)
    parts = DigitClassifier("compact", random_state=0).partial_fit(X, y, classes=range(10))
    found["in parts"] = of_fitted(parts.partial_fit(X[:50], y[:50], sample_weight=y[:50]), X)
    options = {"epochs": 1, "sequences_per_epoch": 64, "filters": 2, "random_state": 0}
    reader = DigitSequenceRecognizer(style="tiles", **options).fit(X, y)
    lines, texts = make_digit_sequences(X, y, 20, random_state=3)
    found["given lines"] = of_fitted_recognizer(reader.fit(lines, texts), X, y)
    reader.set_params(warm_start="adapt")
    found["adapted lines"] = of_fitted_recognizer(reader.fit(lines, texts), X, y)
    return found


def pretrained(X, y):
    """Return digests of the pretrained networks of the package."""
    from skdigits import load_pretrained

    model, reader = load_pretrained("digit"), load_pretrained("sequence")
    return {
        "pretrained digit": of_fitted(model, X),
        "pretrained sequence": of_fitted_recognizer(reader, X, y),
    }


def digest(arrays):
    found = sha256()
    for array in map(np.ascontiguousarray, arrays):
        found.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()


def layers(model):
    """List the class and name of each layer of a Keras model."""
    return [
        [type(layer).__name__, layer.name, layers(layer) if hasattr(layer, "layers") else []]
        for layer in model.layers
    ]


if __name__ == "__main__":
    main()
