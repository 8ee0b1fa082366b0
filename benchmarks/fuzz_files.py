"""Does `load` reject an altered file, or return an estimator that works?

    python benchmarks/fuzz_files.py [--quick]

Files written by ``skdigits.save`` are altered in thousands of ways. Values of the JSON are swapped,
deleted, nested, or replaced by huge numbers, NaN or wrong tags. Entries of the zip are renamed,
duplicated, emptied or exchanged. Bytes are changed. ``load`` must raise a ValueError, or all
prediction methods of the loaded estimator must work. A small file that would unpack to 1.5 GB must
be rejected before it is unpacked.
"""

from __future__ import annotations

import copy
import io
import json
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
from measuring import Checks, finish, memory, parser
from sklearn.pipeline import make_pipeline

import skdigits
from skdigits.datasets import load_digits

N_FILES, N_QUICK = 10_000, 400
SLACK = 50 * 2**20
VALUES = (
    *(None, True, False, 0, -1, 7, 2**31, 10**40, 0.5, -3.5, 1e308, float("nan"), float("inf")),
    *("", "x", "lenet", "|O", "<f4", [], {}, ["array", 0, "<f4", [1]], ["tuple", []]),
    *(["list", [1, 2]], ["dict", []], ["record", "TrainedNetwork", {}], ["strings", [1]], ["?"]),
)


def main():
    args = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder))
        rng = np.random.default_rng(0)
        n_files = args.runs or (N_QUICK if args.quick else N_FILES)
        counts = dict.fromkeys(("refused", "loaded", "failed"), 0)
        before = memory("VmHWM")
        for _ in range(n_files):
            name, how = altered(files, rng, Path(folder) / "altered.skdigits")
            result = outcome(Path(folder) / "altered.skdigits", name)
            counts["failed" if result.startswith("failed") else result] += 1
            if result.startswith("failed"):
                print(f"{name}, {how}: {result}", flush=True)
        grown = memory("VmHWM") - before
        bomb, bomb_bytes = unpacked_bytes(files["DigitClassifier"], Path(folder) / "bomb.skdigits")
    print(counts, f"peak memory grew by {grown / 2**20:.0f} MB")
    print(
        f"{bomb_bytes / 2**20:.1f} MB that unpack to 1.5 GB: memory grew by {bomb / 2**20:.0f} MB"
    )
    checks = Checks()
    checks.at_least("altered files", n_files, 5_000)
    checks.at_most(
        "altered files that load and fail later, or raise another error", counts["failed"], 0
    )
    checks.at_most("altered files: growth of peak memory", grown / 2**20, 50, "MB")
    limit = (2 * bomb_bytes + SLACK) / 2**20
    checks.at_most("memory for a file that unpacks to 1.5 GB", bomb / 2**20, limit, "MB")
    finish("fuzz_files", args, checks, {"counts": counts})


def make_files(folder):
    """Save small estimators of every kind; return the bytes of each file by name."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:200], y[:200]
    classifier = skdigits.DigitClassifier(
        "compact", filters=2, epochs=2, keep_epochs=True, random_state=0, validation_fraction=0.2
    )
    deep = skdigits.DigitClassifier("deep", filters=1, epochs=1, random_state=0)
    recognizer = skdigits.DigitSequenceRecognizer(
        filters=1,
        epochs=1,
        sequences_per_epoch=32,
        style="tiles",
        lengths=(1, 2),
        gap=1,
        random_state=0,
    )
    estimators = {
        "DigitClassifier": classifier.fit(X, y.astype(str)),
        "deep": deep.fit(X, y),
        "DigitSequenceRecognizer": recognizer.fit(X.reshape(-1, 8, 8), y),
        "Pipeline": make_pipeline(skdigits.ImageReshaper(), copy.deepcopy(classifier)).fit(X, y),
    }
    files = {}
    for name, estimator in estimators.items():
        files[name] = skdigits.save(estimator, folder / f"{name}.skdigits").read_bytes()
    return files


def altered(files, rng, path):
    """Write an altered file; return the name of the original and a description of the change."""
    name = str(rng.choice(list(files)))
    if rng.uniform() < 0.1:
        content = bytearray(files[name])
        for _ in range(rng.integers(1, 4)):
            content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(content)
        return name, "bytes"
    entries = read(files[name])
    how = str(rng.choice(["value", "value", "value", "delete", "nest", "swap", "entries"]))
    if how == "entries":
        how = alter_entries(entries, files, rng)
    else:
        document = json.loads(entries[0][1])
        how = alter_document(document, how, rng)
        entries[0] = entries[0][0], json.dumps(document).encode()
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # about duplicate names
        for entry, content in entries:
            archive.writestr(entry, content)
    return name, how


def read(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(entry, archive.read(entry)) for entry in archive.namelist()]


def places(value, path=()):
    """Yield each position in a JSON value: its container, its key, and its path for messages."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield value, key, (*path, key)
        if isinstance(item, (dict, list)):
            yield from places(item, (*path, key))


def alter_document(document, how, rng):
    """Alter one value of the JSON in place."""
    found = list(places(document))
    if rng.uniform() < 0.7:  # most values describe arrays, which are all checked alike
        found = [place for place in found if "array" not in map(str, place[0])]
    container, key, path = found[rng.integers(len(found))]
    if how == "delete":
        del container[key]
    elif how == "nest":
        container[key] = [container[key]] if rng.uniform() < 0.5 else {"value": container[key]}
    elif how == "swap":
        other, other_key, _ = found[rng.integers(len(found))]
        value, other_value = copy.deepcopy(container[key]), copy.deepcopy(other[other_key])
        container[key], other[other_key] = other_value, value
    else:
        container[key] = copy.deepcopy(VALUES[rng.integers(len(VALUES))])
    return f"{how} {path}"


def alter_entries(entries, files, rng):
    """Alter the list of entries of the zip in place."""
    how = str(rng.choice(["rename", "double", "empty", "remove", "exchange", "add", "onnx"]))
    i, j = rng.integers(len(entries), size=2)
    (name, content), (other, other_content) = entries[i], entries[j]
    if how == "rename":
        entries[i] = f"{name}0", content
    elif how == "double":
        entries.append((name, other_content))
    elif how == "empty":
        entries[i] = name, b""
    elif how == "remove":
        del entries[i]
    elif how == "exchange":
        entries[i], entries[j] = (name, other_content), (other, content)
    elif how == "add":
        entries.append(("more", content))
    else:
        stranger = dict(read(files[str(rng.choice(list(files)))]))["network.onnx"]
        wrong = stranger if rng.uniform() < 0.7 else b"\x08\x08" + bytes(rng.bytes(200))
        position = [entry for entry, _ in entries].index("network.onnx")
        entries[position] = "network.onnx", wrong
    return f"{how} {name} {other}"


def outcome(path, name):
    """Load an altered file and predict; return "refused", "loaded", or the reason of a failure."""
    try:
        estimator = skdigits.load(path)
    except ValueError:
        return "refused"
    except Exception as error:
        return f"failed in load: {error!r:.300}"
    X = load_digits().images[:5]
    X = X.reshape(5, -1) if name == "Pipeline" else X
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(last, skdigits.ImageReshaper):
                estimator.transform(X)
                return "loaded"
            estimator.predict(X)
            if hasattr(last, "locate"):
                estimator.locate(X)
            else:
                estimator.predict_proba(X)
                estimator.transform(X)
            if last is estimator and last.keep_epochs and last._network.kept:
                list(estimator.staged_predict(X))
                estimator.at_epoch(last.n_iter_).predict(X)
    except Exception as error:
        return f"failed after load: {error!r:.300}"
    return "loaded"


def unpacked_bytes(content, path):
    """Load a small file that would unpack to 1.5 GB; return the memory needed and its size."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in read(content):
            document = json.loads(part) if name == "estimator.json" else None
            if document:
                document["state"]["classes_"] = ["array", 999, "<f4", [375 * 2**20]]
                part = json.dumps(document)
            archive.writestr(name, part)
        with archive.open("array-999", "w", force_zip64=True) as entry:
            for _ in range(1500):
                entry.write(bytes(2**20))
    code = (
        "import re, sys, skdigits, skdigits.persistence\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status())[1]) * 1024\n"
        "before = peak()\n"
        "try:\n    skdigits.load(sys.argv[1])\n"
        "except ValueError as error:\n    print(peak() - before, error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    grown, _, message = run.stdout.partition(" ")
    assert "would unpack to" in message, message
    return int(grown), path.stat().st_size


if __name__ == "__main__":
    main()
