"""``skdigits search``: find the best classifier in a grid of values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skdigits.cli.console import PLAIN, console, print_line
from skdigits.cli.options import Dask, Data, Seed, parse_number
from skdigits.cli.output import check_folder, draw_off_screen, make_folder, save_figure, save_table
from skdigits.cli.packages import TRAINING, check_packages
from skdigits.cli.reports import check_convergence, save_report
from skdigits.cli.samples import read_images, split
from skdigits.cli.start_up import import_tensorflow_quietly, start_tensorflow
from skdigits.cli.workers import workers

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from skdigits.model_selection.epoch_search import EpochSearchCV

Output = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="FOLDER", help="Folder for results, model and figures."),
]
Epochs = Annotated[str, typer.Option(metavar="N,...", help="Numbers of epochs.")]
BatchSize = Annotated[str, typer.Option(metavar="N,...", help="Batch sizes, or auto.")]
LearningRate = Annotated[str, typer.Option(metavar="RATE,...", help="Learning rates, or auto.")]
Architecture = Annotated[
    str, typer.Option(metavar="NAME,...", help="Networks: lenet, compact, tiny or deep.")
]
Filters = Annotated[
    str | None, typer.Option(metavar="N,...", help="Numbers of filters of the first convolution.")
]
Dropout = Annotated[str | None, typer.Option(metavar="RATE,...", help="Dropout rates.")]
Folds = Annotated[
    int, typer.Option(metavar="N", min=2, help="Number of folds of the cross-validation.")
]
Jobs = Annotated[
    int, typer.Option(metavar="N", help="Number of parallel fits; -1 means one per core.")
]
TestFraction = Annotated[
    float,
    typer.Option(
        metavar="SHARE", min=0.01, max=0.9, help="Share of the images held out for testing."
    ),
]


def search(
    data: Data = None,
    output: Output = Path("skdigits-search"),
    epochs: Epochs = "5,10,15,20",
    batch_size: BatchSize = "auto",
    learning_rate: LearningRate = "auto",
    architecture: Architecture = "compact,lenet",
    filters: Filters = None,
    dropout: Dropout = None,
    folds: Folds = 3,
    jobs: Jobs = 1,
    dask: Dask = None,
    test_fraction: TestFraction = 0.2,
    seed: Seed = 0,
) -> None:
    """Search a grid of values, and save the best classifier.

    Separate the values of an option by commas. The output folder records every finished fit, and
    the state of each fit after each epoch. To resume an interrupted search, run the same command
    again.
    """
    check_packages("matplotlib", *TRAINING)
    grid = {
        "architecture": _names(architecture),
        "epochs": _numbers(epochs, int, "--epochs"),
        "batch_size": _numbers(batch_size, int, "--batch-size", auto=True),
        "learning_rate": _numbers(learning_rate, float, "--learning-rate", auto=True),
        "filters": _numbers(filters, int, "--filters"),
        "dropout": _numbers(dropout, float, "--dropout"),
    }
    grid = {name: values for name, values in grid.items() if values}
    _check_grid(grid)
    check_folder(output)
    samples = split(*read_images(data), test_fraction, seed)
    X_train, X_test, y_train, y_test = samples
    make_folder(output)
    print_line(f"{len(y_train)} images for the search, {samples.held_out}.")
    found = _make_search(grid, output, folds, None if dask else jobs, seed)
    start_tensorflow()
    with _quiet_workers(), workers(dask, X_train, y_train):
        found.fit(X_train, y_train)
    check_convergence(found.best_estimator_)
    found.best_estimator_.set_params(checkpoint=None)
    _save_results(found, output)
    facts = {"n_train": len(y_train), "fit_seconds": found.refit_time_, "data": data or "digits"}
    facts |= {"test_fraction": test_fraction, "seed": seed, "best_params": found.best_params_}
    save_report(found.best_estimator_, X_test, y_test, output, facts)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _numbers(
    text: str | None, kind: Callable[[str], Any], option: str, *, auto: bool = False
) -> list[Any] | None:
    if text is None:
        return None
    return [parse_number(number, kind, option, auto=auto) for number in _names(text)]


def _check_grid(grid: dict[str, Any]) -> None:
    """Raise an error if a value of the grid is not valid."""
    from sklearn.model_selection import ParameterGrid

    from skdigits import DigitClassifier
    from skdigits.estimator import check_parameters

    for candidate in ParameterGrid(grid):
        check_parameters(DigitClassifier(**candidate))


def _make_search(
    grid: dict[str, Any], folder: Path, folds: int, n_jobs: int | None, seed: int
) -> EpochSearchCV:
    from sklearn.model_selection import StratifiedKFold

    from skdigits import DigitClassifier, EpochSearchCV

    # Except for epochs, parameters with one value have no column in the results.
    searched = {n: values for n, values in grid.items() if n == "epochs" or len(values) > 1}
    fixed = {n: values[0] for n, values in grid.items() if n not in searched}
    search = EpochSearchCV(
        DigitClassifier(random_state=seed, checkpoint=folder, **fixed),
        searched,
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
        n_jobs=n_jobs,
        journal=folder / "journal.jsonl",
    )
    _show_progress(search)
    return search


def _show_progress(search: EpochSearchCV) -> None:
    """Show progress bars on a terminal if scikit-learn offers them, else print a line per fit."""
    try:
        from sklearn.callback import ProgressBar
    except ImportError:
        ProgressBar = None
    if ProgressBar is None or not console.is_terminal:
        search.set_params(verbose=2)
    else:
        search.set_callbacks(ProgressBar())


def _quiet_workers() -> Any:
    """Return a context in which joblib's local processes start TensorFlow without messages."""
    import joblib

    return joblib.parallel_config("loky", initializer=import_tensorflow_quietly)


def _save_results(search: EpochSearchCV, folder: Path) -> None:
    """Print the results of a search, best first, and write two tables and two figures."""
    import pandas as pd

    from skdigits.inspection import SearchHistoryDisplay, SearchScoreDisplay

    results = pd.DataFrame(search.cv_results_).drop(columns="params")
    results = results.sort_values("rank_test_score", kind="stable")
    console.print(_results_table(results))
    save_table(results, folder / "results.csv")
    save_table(pd.DataFrame(search.cv_curves_), folder / "curves.csv")
    draw_off_screen()
    save_figure(SearchScoreDisplay.from_estimator(search), folder / "scores.png")
    save_figure(SearchHistoryDisplay.from_estimator(search), folder / "search_loss.png")


def _results_table(results: pd.DataFrame) -> Table:
    from rich.table import Table

    names = [name for name in map(str, results) if name.startswith("param_")]
    titles = (name.removeprefix("param_") for name in names)
    table = Table("rank", *titles, "score", "± deviation", **PLAIN)
    for row in results.to_dict("records"):
        values = [str(row[name]) for name in names]
        scores = [f"{row['mean_test_score']:.4f}", f"{row['std_test_score']:.4f}"]
        table.add_row(str(row["rank_test_score"]), *values, *scores)
    return table
