"""``skdigits compare``: compare the networks with scikit-learn's classifiers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skdigits.cli.console import PLAIN, console, print_line
from skdigits.cli.options import Data, Seed
from skdigits.cli.output import (
    check_folder,
    draw_off_screen,
    make_folder,
    save_figure,
    save_json,
    save_table,
)
from skdigits.cli.packages import TRAINING, check_packages
from skdigits.cli.reports import format_share
from skdigits.cli.samples import hold_out, read_images
from skdigits.cli.start_up import start_tensorflow

if TYPE_CHECKING:
    import pandas as pd

MAXIMUM_FOR_FOLDS = 5000  # images; with more, one test set replaces cross-validation

Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FOLDER", help="Folder for tables and figures.")
]
Classifiers = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...", help="Names of classifiers, separated by commas; all by default."
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=2,
        help="Number of cross-validation folds. The default is 5 for up to 5000 images, and no "
        "cross-validation for more images.",
    ),
]
TestFraction = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        min=0.01,
        max=0.9,
        help="Share of the images held out for testing if there is no cross-validation, and for "
        "learning curves.",
    ),
]
Curves = Annotated[bool, typer.Option(help="Also draw learning curves.")]


def compare(
    data: Data = None,
    output: Output = Path("skdigits-compare"),
    classifiers: Classifiers = None,
    folds: Folds = None,
    test_fraction: TestFraction = 0.4,
    curves: Curves = True,
    seed: Seed = 0,
) -> None:
    """Compare the networks with scikit-learn's classifiers.

    All classifiers are trained and tested on the same images.
    """
    from sklearn.model_selection import StratifiedKFold

    from skdigits.comparison import compare_classifiers, learning_curves, make_classifiers
    from skdigits.networks.architectures import ARCHITECTURES

    chosen = _choose(make_classifiers(seed), classifiers)
    has_networks = not set(ARCHITECTURES).isdisjoint(chosen)
    check_packages("matplotlib", *(TRAINING if has_networks else ()))
    check_folder(output)
    X, y = read_images(data)
    if folds is None and len(y) <= MAXIMUM_FOR_FOLDS:
        folds = 5
    held_out = hold_out(X, y, test_fraction, seed)
    splits = [held_out]
    if folds:
        splits = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, y))
    make_folder(output)
    n_train = sum(len(train) for train, _ in splits) // len(splits)
    n_test = sum(len(test) for _, test in splits)
    print_line(f"{n_train} training images, {n_test} test images.")
    if has_networks:
        start_tensorflow()
    found = compare_classifiers(chosen, X, y, splits, report=_report_classifier)
    facts = {"data": data or "digits", "n_train": n_train, "n_test": n_test, "folds": folds}
    save_comparison(found, output, facts | {"test_fraction": test_fraction, "seed": seed})
    if curves:
        table = learning_curves(chosen, X, y, held_out, report=_report_size)
        save_learning_curves(table, output)


def _choose(known: dict[str, Any], names: str | None) -> dict[str, Any]:
    """Select the classifiers that the user named."""
    from skdigits.checks.parameters import check_name

    if names is None:
        return known
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        check_name("classifier", name, known)
    return {name: known[name] for name in chosen}


def _report_classifier(name: str, row: dict[str, Any]) -> None:
    print_line(f"{name:22s} accuracy {row['accuracy']:.4f} after {row['fit_seconds']:6.1f} s")


def _report_size(name: str, size: int, accuracy: float) -> None:
    print_line(f"{name:22s} accuracy {accuracy:.4f} after training on {size} images")


def save_comparison(found: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Print the result of `compare_classifiers`, and write it as CSV, JSON and figures.

    The values of `facts` are also written to ``comparison.json``.
    """
    import pandas as pd

    from skdigits.inspection import ReliabilityDisplay, TradeOffDisplay
    from skdigits.networks.architectures import ARCHITECTURES

    results = pd.DataFrame(found.table).sort_values("accuracy", ascending=False, kind="stable")
    _print_comparison(results)
    save_table(results, folder / "comparison.csv")
    content = {**facts, "classifiers": results.to_dict("records")}
    save_json(content, folder / "comparison.json")
    draw_off_screen()
    trade_off = TradeOffDisplay(found.table, emphasized=ARCHITECTURES)
    for time in ("fit", "predict"):
        display = trade_off.plot(time=f"{time}_seconds")
        save_figure(display, folder / f"accuracy_and_{time}_time.png")
    display = ReliabilityDisplay(found.correct, found.confidence).plot()
    save_figure(display, folder / "reliability.png")


def save_learning_curves(curves: dict[str, list[Any]], folder: Path) -> None:
    """Write the result of `learning_curves` as CSV and as a figure."""
    import pandas as pd

    from skdigits.inspection import TrainSizeDisplay
    from skdigits.networks.architectures import ARCHITECTURES

    save_table(pd.DataFrame(curves), folder / "learning_curves.csv")
    draw_off_screen()
    display = TrainSizeDisplay(curves, emphasized=ARCHITECTURES).plot()
    save_figure(display, folder / "learning_curves.png")


def format_p_value(p: float | None) -> str:
    """Format a p-value with one significant digit; None and NaN become a dash."""
    if p is None or p != p:
        return "–"
    return "< 1e-9" if p < 1e-9 else f"{p:.1g}"


def _print_comparison(results: pd.DataFrame) -> None:
    """Print two tables, because one table would be wider than 80 characters."""
    from rich.table import Table

    of_quality = ("accuracy", "95 % interval", "log loss", "calibration", "p")
    of_cost = ("fit", "predict all", "predict one", "size")
    quality = Table("classifier", *of_quality, **PLAIN)
    cost = Table("classifier", *of_cost, **PLAIN)
    for row in results.to_dict("records"):
        quality.add_row(
            row["classifier"],
            f"{row['accuracy']:.4f}",
            f"{row['accuracy_low']:.4f} to {row['accuracy_high']:.4f}",
            format_share(row["log_loss"]),
            format_share(row["calibration_error"]),
            format_p_value(row["p_value"]),
        )
        cost.add_row(
            row["classifier"],
            f"{row['fit_seconds']:.1f} s",
            f"{row['predict_seconds']:.2f} s",
            f"{row['predict_one_seconds'] * 1e3:.2f} ms",
            f"{row['megabytes']:.2f} MB",
        )
    console.print(quality)
    print_line(
        "calibration: expected calibration error; p: p-value of McNemar's exact test against the "
        "most accurate classifier that is not a DigitClassifier.\n"
    )
    console.print(cost)
