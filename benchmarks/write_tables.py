"""Write the tables of README.md and benchmarks/README.md from the results of the benchmarks.

python benchmarks/write_tables.py
"""

from __future__ import annotations

import json
import re
import statistics
import tomllib
from pathlib import Path

from skdigits import DigitClassifier
from skdigits.cli.compare import format_p_value

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results"
REAL = {
    "cheques": "amounts on bank cheques: read without a mistake",
    "sudoku_handwritten": "single digits written with a pen, by phone camera: accuracy",
    "sudoku_printed": "printed digits, by phone camera: accuracy",
}
PEERS = ("RapidOCR", "Tesseract")
SUPPORTED = ("scikit-learn", "tensorflow", "keras", "numpy", "pandas", "scikeras")
PERFORMANCE = (
    "bench_fit",
    "bench_refit",
    "bench_search",
    "bench_predict",
    "bench_cold_start",
    "bench_import",
    "fuzz_files",
    "bench_memory",
    "bench_soak",
    "bench_kill",
    "read_csv",
    "reference_curve",
)


def versions():
    """Tabulate the oldest supported versions, which CI installs."""
    oldest = dict(re.findall(r"^(.+)==(.+)$", (ROOT / ".ci" / "oldest.txt").read_text(), re.M))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    row = [", ".join(pythons), *(f"≥ {oldest[name]}" for name in SUPPORTED)]
    return _table(["Python", *SUPPORTED], [row])


def results():
    """Tabulate the most important results beside the results of other libraries."""
    rows = [
        *_accuracy_rows(),
        _comparison_row(),
        *_speed_rows(),
        *_search_rows(),
        _sequence_row(),
        *_real_rows(),
        _rejection_row(),
    ]
    return _table(["what", "skdigits", "compared with", "script in `benchmarks/`"], rows)


def _accuracy_rows():
    recipes = _read("bench_accuracy")["recipes"]
    for recipe in recipes["lenet"], recipes["deep, augmented"]:
        what = f"MNIST's test images, {_classifier(recipe['parameters'])}: accuracy"
        scores = [run["accuracy"] for run in recipe["runs"]]
        yield [what, _mean_and_deviation(scores), "", "`bench_accuracy.py`"]


def _comparison_row():
    result = _read("compare_mnist/comparison")
    n_test, n_train = result["n_test"], result["n_images"] - result["n_test"]
    figures = {
        row["classifier"]: f"{row['accuracy']:.4f}, {row['fit_seconds']:.0f} s, "
        f"{row['predict_seconds']:.1f} s"
        for row in result["classifiers"]
    }
    what = f"MNIST: accuracy, time to fit {n_train:,} images, time to predict {n_test:,}"
    others = f"`SVC`: {figures['SVC']}"
    return [what, figures["lenet"], others, "`compare_classifiers.py`"]


def _speed_rows():
    fit = _read("bench_fit")
    what = f'fit "compact": {fit["n_images"]:,} images, {fit["epochs"]} epochs, batch size 128'
    peers = {"Keras": "`keras.Model.fit`", "SciKeras": "SciKeras", "skorch": "skorch"}
    yield _time_row(what, fit["batch 128"], "skdigits", peers, "`bench_fit.py`")
    predict = _read("bench_predict")["one"]
    what = 'predict one image with "compact"'
    peers = {"SciKeras": "SciKeras", "SVC": "`SVC`"}
    yield _time_row(what, predict, "skdigits", peers, "`bench_predict.py`")
    start = _read("bench_cold_start")["library"]
    what = "new process: `load` and one `predict`, without the time of `import sklearn.base`"
    peers = {"TensorFlow": "with TensorFlow"}
    yield _time_row(what, start, "skdigits", peers, "`bench_cold_start.py`")


def _search_rows():
    result = _read("bench_search")
    search = result["epoch_search"]
    what = f"`EpochSearchCV`: scores of {search['n_fits']} fits"
    peers = {
        "skdigits, GridSearchCV": "`GridSearchCV`",
        "SciKeras, GridSearchCV": "`GridSearchCV` with SciKeras",
    }
    yield _time_row(what, search, "skdigits, EpochSearchCV", peers, "`bench_search.py`")


def _sequence_row():
    result, case = _read("bench_sequences"), "lengths 1–5"
    scores = [run[case]["exact_match"] for run in result["runs"]]
    others = "; ".join(f"{name}: {other[case]:.4f}" for name, other in result["others"].items())
    what = "sequences of one to five digits: exact match"
    return [what, _mean_and_deviation(scores), others, "`bench_sequences.py`"]


def _real_rows():
    """Tabulate results on real pictures that were not used for training."""
    sets = _read("bench_real")["sets"]
    for name, what in REAL.items():
        others = (f"{peer}: {_share(row['all'])}" for peer, row in _peer_rows(sets[name]))
        yield [what, _share(sets[name]["skdigits"]["all"]), "; ".join(others), "`bench_real.py`"]


def _peer_rows(found):
    """Return the names and results of the other programs that were measured on a set."""
    return [(name, found[name]) for name in PEERS if name in found]


def _share(interval):
    share, low, high = interval
    return f"{share:.3f} ({low:.3f}–{high:.3f})"


def _rejection_row():
    runs = _read("bench_rejection")["networks"]["deep"]
    kinds = ("letters and symbols", "uniform noise")
    ours, others = (
        ", ".join(
            f"{statistics.mean(run[score]['rejected'][kind] for run in runs):.0%}" for kind in kinds
        )
        for score in ("neighbours", "probability")
    )
    what = f'{", ".join(kinds)}: rejected by "deep", with 95 % of the digits kept'
    return [what, ours, f"by probability alone: {others}", "`bench_rejection.py`"]


def _time_row(what, result, ours, peers, script):
    times = {name: _time(seconds) for name, seconds in result["median_seconds"].items()}
    others = "; ".join(f"{name}: {times[peer]}" for peer, name in peers.items())
    return [what, times[ours], others, script]


def performance():
    """Tabulate the checks of speed and memory that a benchmark marks for the README."""
    rows = [
        [row["what"], *_value_and_target(row), f"`{name}.py`"]
        for name in PERFORMANCE
        for row in _read(name)["checks"]
        if row["readme"]
    ]
    return _table(["what", "measured", "target", "script"], rows)


def accuracy():
    """Tabulate the results of each network on MNIST, as means over seeds."""
    rows = []
    for recipe in _read("bench_accuracy")["recipes"].values():
        columns = {name: [run[name] for run in recipe["runs"]] for name in recipe["runs"][0]}
        rows.append(
            [
                _classifier(recipe["parameters"]),
                f"{recipe['weights']:,}",
                _mean_and_deviation(columns["accuracy"]),
                f"{statistics.mean(columns['fit_seconds']):.0f} s",
                f"{statistics.mean(columns['calibration_error']):.4f}",
                _score(recipe["ensemble"]["accuracy"]),
            ]
        )
    head = ["classifier", "parameters", "accuracy", "fit", "calibration error", "five together"]
    return _table(head, rows)


def rejection():
    """Tabulate the share rejected of each kind of image, by network and score."""
    rows = []
    for network, runs in _read("bench_rejection")["networks"].items():
        for score in ("probability", "neighbours"):
            found = [run[score]["rejected"] for run in runs]
            shares = [statistics.mean(one[kind] for one in found) for kind in found[0]]
            kept = statistics.mean(run[score]["accuracy of those kept"] for run in runs)
            rows.append([network, score, *(f"{share:.1%}" for share in shares), f"{kept:.4f}"])
    head = ["network", "score", *found[0], "accuracy of digits kept"]
    return _table(head, rows)


def sequences():
    """Tabulate the exact match of each method on each kind of sequences, and other checks."""
    result = _read("bench_sequences")
    others = result["others"]
    targets = {row["what"]: _value_and_target(row)[1] for row in result["checks"]}
    rows = []
    for case in others["cut at gaps, DigitClassifier"]:
        scores = [run[case]["exact_match"] for run in result["runs"]]
        ours = _mean_and_deviation(scores)
        of_others = (_score(other.get(case)) for other in others.values())
        rows.append([case, ours, targets[f"{case}: exact match"], *of_others])
    head = ["exact match", "DigitSequenceRecognizer", "target", *others]
    checks = [
        [row["what"], *_value_and_target(row)]
        for row in result["checks"]
        if row["what"].removesuffix(": exact match") not in result["runs"][0]
    ]
    return _table(head, rows) + "\n" + _table(["what", "measured", "target"], checks)


def comparison():
    """Tabulate the comparison of the networks with other classifiers on MNIST."""
    rows = [
        [
            row["classifier"],
            f"{row['accuracy']:.4f}",
            f"{row['accuracy_low']:.4f}–{row['accuracy_high']:.4f}",
            _score(row["log_loss"]),
            _score(row["calibration_error"]),
            format_p_value(row["p_value"]),
            f"{row['fit_seconds']:.0f} s",
            f"{row['predict_seconds']:.2f} s",
            f"{row['predict_one_seconds'] * 1e3:.2f} ms",
            f"{row['megabytes']:.2f} MB",
        ]
        for row in sorted(
            _read("compare_mnist/comparison")["classifiers"], key=lambda row: -row["accuracy"]
        )
    ]
    head = ["classifier", "accuracy", "95 % interval", "log loss", "calibration error"]
    return _table([*head, "McNemar's p", "fit", "predict all", "one image", "size"], rows)


def pictures():
    """Tabulate the results on each kind of generated pictures."""
    result = _read("bench_pictures")
    rows = [
        [name.replace("_", " "), f"{accuracy:.4f}", f"{page['found']:.3f}", f"{page['false']:.3f}"]
        for (name, accuracy), page in zip(
            result["kinds"].items(), result["pages"].values(), strict=True
        )
    ]
    checks = _table(
        ["what", "measured", "target", "script"],
        [
            [row["what"], *_value_and_target(row), "`bench_pictures.py`"]
            for row in result["checks"]
            if row["readme"]
        ],
    )
    head = [
        "paper and light",
        "digits: accuracy",
        "lines found",
        "boxes that are no line, per line",
    ]
    return f"{_table(head, rows)}\n{checks}"


def real():
    """Tabulate the results of skdigits and of other programs on real pictures."""
    result = _read("bench_real")
    targets = {row["what"]: row for row in result["checks"]}
    rows = []
    for name, found in result["sets"].items():
        ours, peers = found["skdigits"], dict(_peer_rows(found))
        target = targets.get(f"{name}, odd half: right")
        rows.append(
            [
                name,
                str(found["n"]),
                _share(ours["even"]),
                _share(ours["odd"]),
                "–" if target is None else _value_and_target(target)[1],
                _share(found["adapted"]["odd"]),
                *(_share(peers[p]["all"]) if p in peers else "–" for p in PEERS),
                f"{ours['right_of_sure']:.3f} of {ours['sure']:.0%}",
                " / ".join(f"{peers[p]['milliseconds']:.0f}" if p in peers else "–" for p in PEERS),
                f"{ours['milliseconds']:.1f}",
            ]
        )
    head = ["set", "n", "even half", "odd half", "target of the odd half", "adapted", *PEERS]
    head += ["right of those with confidence ≥ 0.9", f"ms: {' / '.join(PEERS)}", "ms: skdigits"]
    checks = [
        [row["what"], *_value_and_target(row)]
        for row in result["checks"]
        if not row["what"].endswith("odd half: right")
    ]
    return _table(head, rows) + "\n" + _table(["what", "measured", "target"], checks)


def numbers():
    """Tabulate the numbers found on whole pictures by skdigits and RapidOCR."""
    result = _read("bench_numbers")
    targets = {
        row["what"].partition(",")[0]: row for row in result["checks"] if "half" in row["what"]
    }
    rows = []
    for kind, found in result["kinds"].items():
        ours, peer = found["skdigits"], found["RapidOCR"]
        name = targets[kind]["what"].rpartition(" ")[2]
        low, high = ours["intervals"][name]
        peer_low, peer_high = peer["intervals"][name]
        rows.append(
            [
                f"`{kind}`",
                f"{ours['pictures']}, {ours['numbers']}",
                name,
                f"{ours['even'][name]:.2f}",
                f"{ours['odd'][name]:.2f}",
                f"≥ {targets[kind]['limit']:g}",
                f"{ours['all'][name]:.2f} ({low:.2f}–{high:.2f})",
                f"{peer['all'][name]:.2f} ({peer_low:.2f}–{peer_high:.2f})",
                f"{ours['cpu_seconds']:.2f} / {peer['cpu_seconds']:.2f}",
            ]
        )
    head = [
        "kind",
        "pictures, numbers",
        "measure",
        "even half",
        "odd half",
        "target of the odd half",
    ]
    head += ["both halves", "RapidOCR", "CPU s: skdigits / RapidOCR"]
    return _table(head, rows)


def mutation():
    """Tabulate the number of changed lines per subpackage, and how many the tests detect."""
    rows = []
    for room, found in _read("mutate")["rooms"].items():
        n_changed = found["noticed"] + len(found["survived"])
        share = f"{found['noticed'] / n_changed:.0%}"
        rows.append([f"`{room}`", str(n_changed), str(found["noticed"]), share])
    checks = [[row["what"], *_value_and_target(row)] for row in _read("mutate")["checks"]]
    head = ["room", "changed lines", "noticed by the tests", "share"]
    return _table(head, rows) + "\n" + _table(["what", "measured", "target"], checks)


TABLES = {
    ROOT / "README.md": (versions, results),
    HERE / "README.md": (
        *(
            performance,
            accuracy,
            pictures,
            real,
            numbers,
            rejection,
            sequences,
            comparison,
            mutation,
        ),
    ),
}


def replaced(file):
    """Return the text of a file with new tables between its HTML comments."""
    text = file.read_text(encoding="utf-8")
    for make in TABLES[file]:
        start, end = f"<!-- {make.__name__} -->\n", f"<!-- end of {make.__name__} -->\n"
        before, rest = text.split(start)
        _, after = rest.split(end)
        text = f"{before}{start}\n{make()}\n{end}{after}"
    return text


def _read(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def _classifier(parameters):
    """Format the call of a recipe's classifier; its default architecture is "compact"."""
    given = {"architecture": "compact"} | parameters
    arguments = [f"{name}={value!r}" for name, value in given.items() if name != "architecture"]
    if given["architecture"] != DigitClassifier().architecture:
        arguments.insert(0, f'"{given["architecture"]}"')
    return f"`DigitClassifier({', '.join(arguments)})`"


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _value_and_target(row):
    target = f"{row['sign']} {row['limit']:g} {row['unit']}".strip()
    missed = "" if row["passed"] else ", missed"
    return [f"{row['value']:.3g} {row['unit']}".strip(), target + missed]


def _score(value):
    return "–" if value is None or value != value else f"{value:.4f}"


def _time(seconds):
    if seconds < 1:
        return f"{float(f'{seconds * 1e3:.2g}'):g} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _mean_and_deviation(scores):
    spread = f" ± {statistics.stdev(scores):.4f}" if len(scores) > 1 else ""
    return f"{statistics.mean(scores):.4f}{spread}"


if __name__ == "__main__":
    for path in TABLES:
        path.write_text(replaced(path), encoding="utf-8")
