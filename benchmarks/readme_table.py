"""Write the README's tables from the results of the benchmarks.

python benchmarks/readme_table.py
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from skdigits.cli.reports import format_p_value

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
RESULTS = HERE / "results"


def performance():
    """What the benchmarks of speed and memory marked for the README."""
    rows = []
    for file in sorted(RESULTS.glob("bench_*.json")):
        if file.stem in ("bench_accuracy", "bench_rejection", "bench_sequences"):
            continue
        result = json.loads(file.read_text())
        rows += [
            [row["what"], *_value_and_target(row), f"`{result['command']}`"]
            for row in result["checks"]
            if row["readme"]
        ]
    return _table(["what", "measured", "target", "command"], rows)


def sequences():
    """How often sequences are read without a mistake, beside the alternatives."""
    result = _read("bench_sequences")
    if result is None or "runs" not in result:
        return ""
    others = result["others"]
    cases = [case for case, value in result["runs"][0].items() if "exact_match" in _dict(value)]
    goals = {row["what"]: _value_and_target(row)[1] for row in result["checks"]}
    rows = []
    for case in cases:
        scores = [run[case]["exact_match"] for run in result["runs"]]
        ours = _mean_and_deviation(scores)
        of_others = (_score(other.get(case)) for other in others.values())
        rows.append([case, ours, goals[f"{case}: exact match"], *of_others])
    head = ["exact match", "DigitSequenceRecognizer", "target", *others]
    checks = [
        [row["what"], *_value_and_target(row)]
        for row in result["checks"]
        if not row["what"].endswith(": exact match") or "bundled" in row["what"]
    ]
    return _table(head, rows) + "\n" + _table(["what", "measured", "target"], checks)


def accuracy():
    """The networks on MNIST, several seeds each."""
    result = _read("bench_accuracy")
    if result is None:
        return ""
    rows = []
    for recipe in result["recipes"].values():
        given = ", ".join(f"{name}={value!r}" for name, value in recipe["parameters"].items())
        columns = {name: [run[name] for run in recipe["runs"]] for name in recipe["runs"][0]}
        scores = columns["accuracy"]
        rows.append(
            [
                f"`DigitClassifier({given})`",
                f"{recipe['weights']:,}",
                _mean_and_deviation(scores),
                f"{statistics.mean(columns['fit_seconds']):.0f} s",
                f"{statistics.mean(columns['calibration_error']):.4f}",
                _score(recipe["ensemble"]["accuracy"]),
            ]
        )
    head = ["classifier", "parameters", "accuracy", "fit", "calibration error", "five together"]
    return _table(head, rows)


def rejection():
    """What is no digit, and is rejected, by network and score."""
    result = _read("bench_rejection")
    if result is None:
        return ""
    rows = []
    for network, runs in result["networks"].items():
        for score in ("probability", "neighbours"):
            found = [run[score]["rejected"] for run in runs]
            shares = [statistics.mean(one[kind] for one in found) for kind in found[0]]
            kept = statistics.mean(run[score]["accuracy of those kept"] for run in runs)
            rows.append([network, score, *(f"{share:.1%}" for share in shares), f"{kept:.4f}"])
    head = ["network", "score", *found[0], "accuracy of digits kept"]
    return _table(head, rows)


def comparison():
    """The networks beside other classifiers on MNIST."""
    result = _read("compare_mnist/comparison")
    if result is None:
        return ""
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
        for row in sorted(result["classifiers"], key=lambda row: -row["accuracy"])
    ]
    head = ["classifier", "accuracy", "95 % interval", "log loss", "calibration error"]
    return _table([*head, "McNemar's p", "fit", "predict all", "one image", "size"], rows)


TABLES = {
    "performance": performance,
    "accuracy": accuracy,
    "rejection": rejection,
    "sequences": sequences,
    "comparison": comparison,
}


def replaced(text):
    """The README's text with new tables between the marks."""
    for name, make in TABLES.items():
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        before, rest = text.split(start)
        _, after = rest.split(end)
        table = make()
        text = before + start + (f"\n{table}\n" if table else "") + end + after
    return text


def _read(name):
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None


def _table(head, rows):
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _value_and_target(row):
    target = f"{row['sign']} {row['limit']:g} {row['unit']}".strip()
    missed = "" if row["passed"] else ", missed"
    return [f"{row['value']:.3g} {row['unit']}".strip(), target + missed]


def _score(value):
    return "–" if value is None or value != value else f"{value:.4f}"


def _mean_and_deviation(scores):
    spread = f" ± {statistics.stdev(scores):.4f}" if len(scores) > 1 else ""
    return f"{statistics.mean(scores):.4f}{spread}"


def _dict(value):
    return value if isinstance(value, dict) else {}


if __name__ == "__main__":
    README.write_text(replaced(README.read_text(encoding="utf-8")), encoding="utf-8")
