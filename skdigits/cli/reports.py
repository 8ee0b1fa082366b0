"""What the commands report: tables, metrics and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from skdigits.cli.output import (
    console,
    draw_off_screen,
    print_line,
    save_figure,
    save_json,
    save_table,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from rich.table import Table

    from skdigits.classifier import DigitClassifier
    from skdigits.cli.prediction import Totals
    from skdigits.model_selection.search import EpochSearchCV
    from skdigits.sequence import DigitSequenceRecognizer
    from skdigits.typing import Estimator

PLAIN: dict[str, Any] = {"box": None, "pad_edge": False}  # of Rich's tables
SHOWN = 3  # labels in a message
LONGEST = 40  # characters of such a label


def report_data(bunch: Any, images: Any, folder: Path) -> None:
    """Print a description of images and labels, and draw them.

    Parameters
    ----------
    bunch : sklearn.utils.Bunch
        As a loader returns it.
    images : ndarray of shape (n, height, width) or (n, n_pixels)
        The images of the bunch.
    folder : Path
        Folder to write the figures to.
    """
    from skdigits.inspection import ImageGridDisplay, LabelCountDisplay

    console.print(_facts_table(bunch))
    if bunch.target is not None:
        print_line("\nLabels, most frequent first")
        console.print(_labels_table(bunch.target))
    print_line("\nAll pixels")
    console.print(_pixels_table(bunch.data))
    draw_off_screen()
    save_figure(ImageGridDisplay.from_samples(images, bunch.target), folder / "samples.png")
    if bunch.target is not None:
        save_figure(LabelCountDisplay.from_labels(bunch.target), folder / "labels.png")
        save_figure(ImageGridDisplay.from_means(images, bunch.target), folder / "means.png")


def draw_cleaning(pictures: Sequence[Path], output: Literal["digit", "line"], folder: Path) -> None:
    """Draw pictures before and after they are cleaned.

    Parameters
    ----------
    pictures : list of Path
        The picture files.
    output : {"digit", "line"}
        What they show.
    folder : Path
        Folder to write the figure to.
    """
    from skdigits.inspection import CleaningDisplay

    draw_off_screen()
    display = CleaningDisplay.from_pictures(pictures, output=output)
    save_figure(display, folder / "cleaning.png")


def save_search(search: EpochSearchCV, folder: Path) -> None:
    """Print the results of a search, the best first, and write two tables and two figures.

    Parameters
    ----------
    search : EpochSearchCV
        The fitted search.
    folder : Path
        Folder to write to.
    """
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


def save_classifier(
    classifier: DigitClassifier, X: Any, y: np.ndarray, folder: Path, facts: dict[str, Any]
) -> None:
    """Test a classifier, and write the model, its history, metrics and figures.

    Parameters
    ----------
    classifier : DigitClassifier
        The fitted classifier.
    X : ndarray of shape (n, n_pixels) or (n, height, width)
        Test images.
    y : ndarray of shape (n,)
        Labels of the test images.
    folder : Path
        Folder to write to.
    facts : dict
        Further content of ``metrics.json``; ``fit_seconds`` is printed too.
    """
    from sklearn.metrics import classification_report

    from skdigits.metrics import probability_figures

    _save_model(classifier, folder)
    probability = classifier.predict_proba(X)
    predicted = classifier.classes_[probability.argmax(axis=1)]
    accuracy = float((predicted == y).mean())
    console.print(classification_report(y, predicted, digits=4, zero_division=0), markup=False)
    print_line(
        f"Test accuracy {accuracy:.4f} on {len(y)} held-out images "
        f"after {facts['fit_seconds']:.1f} s of training.",
        style="bold",
    )
    metrics = {
        "accuracy": accuracy,
        **probability_figures(y, probability, classifier.classes_),
        "n_test": len(y),
        **facts,
        "per_class": classification_report(y, predicted, output_dict=True, zero_division=0),
        "parameters": classifier.get_params(),
    }
    save_json(metrics, folder / "metrics.json")
    _draw_classifier(classifier, X, y, predicted, probability, folder)


def save_recognizer(
    recognizer: DigitSequenceRecognizer, X: Any, y: np.ndarray, folder: Path, facts: dict[str, Any]
) -> None:
    """Test a recognizer, and write the model, its history, metrics and figures.

    Parameters
    ----------
    recognizer : DigitSequenceRecognizer
        The fitted recognizer.
    X : ndarray of shape (n, height, width)
        Test images.
    y : ndarray of shape (n,), str
        True sequences of the test images.
    folder : Path
        Folder to write to.
    facts : dict
        Further content of ``metrics.json``; ``fit_seconds`` is printed too.
    """
    from skdigits import metrics

    _save_model(recognizer, folder)
    predicted, confidence = (found[:, 0] for found in recognizer.predict_top_k(X, k=1))
    exact_match = metrics.exact_match_score(y, predicted)
    report = metrics.length_report(y, predicted)
    console.print(_lengths_table(report))
    print_line(
        f"{exact_match:.4f} of {len(y)} sequences of held-out digits recognized without a mistake "
        f"after {facts['fit_seconds']:.1f} s of training.",
        style="bold",
    )
    content = {
        "exact_match": exact_match,
        "character_error_rate": metrics.character_error_rate(y, predicted),
        "coverage_at_0.998": metrics.coverage_at_accuracy(y, predicted, confidence),
        "n_test": len(y),
        **facts,
        "per_length": {name: values.tolist() for name, values in report.items()},
        "parameters": recognizer.get_params(),
    }
    save_json(content, folder / "metrics.json")
    _draw_recognizer(recognizer, X, y, predicted, confidence, folder)


def save_untested(estimator: Estimator, folder: Path, facts: dict[str, Any]) -> None:
    """Write a model that was trained on all images, its history, metrics and figures of it.

    Parameters
    ----------
    estimator : DigitClassifier or DigitSequenceRecognizer
        The fitted estimator.
    folder : Path
        Folder to write to.
    facts : dict
        Content of ``metrics.json``; ``fit_seconds`` is printed too.
    """
    _save_model(estimator, folder)
    print_line(
        f"Trained in {facts['fit_seconds']:.1f} s. No image was held out, so that the accuracy on "
        "other images is not known.",
        style="bold",
    )
    content = {"n_test": 0, **facts, "parameters": estimator.get_params()}
    save_json(content, folder / "metrics.json")
    draw_off_screen()
    _draw_history(estimator, folder)


def save_comparison(found: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Print a comparison of classifiers, and write a table, JSON and figures.

    Parameters
    ----------
    found : sklearn.utils.Bunch
        As `compare_classifiers` returns it.
    folder : Path
        Folder to write to.
    facts : dict
        Further content of ``comparison.json``.
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
    """Write learning curves as a table and a figure.

    Parameters
    ----------
    curves : dict of list
        As `learning_curves` returns them.
    folder : Path
        Folder to write to.
    """
    import pandas as pd

    from skdigits.inspection import TrainSizeDisplay
    from skdigits.networks.architectures import ARCHITECTURES

    save_table(pd.DataFrame(curves), folder / "learning_curves.csv")
    draw_off_screen()
    display = TrainSizeDisplay(curves, emphasized=ARCHITECTURES).plot()
    save_figure(display, folder / "learning_curves.png")


def print_predictions(totals: Totals, path: Path, reject_below: float) -> None:
    """Print how many labels were written, why some are empty, and their accuracy if it is known.

    Parameters
    ----------
    totals : Totals
        As `write_predictions` returns them.
    path : Path
        The file that was written.
    reject_below : float
        The probability below which labels are empty.
    """
    print_line(f"Wrote {path}: {totals.n_images} labels.")
    n_empty = totals.n_images - totals.n_kept
    n_uncertain = n_empty - totals.n_blank - totals.n_pages - totals.n_unreadable
    reasons = {
        "no digit is found in the pictures": totals.n_blank,
        "the pictures show lines of digits; skdigits read reads them": totals.n_pages,
        "the files cannot be read": totals.n_unreadable,
        f"the probability is below {reject_below:g}": n_uncertain,
    }
    for reason, n in reasons.items():
        if n:
            print_line(f"{n} of them {'is' if n == 1 else 'are'} empty, because {reason}.")
    if totals.unknown:
        names = ", ".join(repr(name[:LONGEST]) for name in sorted(totals.unknown)[:SHOWN])
        more = ", …" if len(totals.unknown) > SHOWN else ""
        print_line(
            f"True labels that the model cannot give: {totals.unknown.total()} ({names}{more}); "
            "they do not count in the accuracy."
        )
    if totals.accuracy is not None:
        which = f"{totals.n_labelled} labels that are not empty" if n_empty else "labels"
        print_line(f"Accuracy of the {which}: {totals.accuracy:.4f}")


def format_p_value(p: float | None) -> str:
    """Format a p-value with one significant digit.

    Parameters
    ----------
    p : float or None
        The p-value; NaN or None if there is none.

    Returns
    -------
    str
        The text.
    """
    if p is None or p != p:
        return "–"
    return "< 1e-9" if p < 1e-9 else f"{p:.1g}"


def _save_model(estimator: Estimator, folder: Path) -> None:
    """Write a model and its history."""
    import pandas as pd

    from skdigits import save

    print_line(f"Wrote {save(estimator, folder / 'model.skdigits')}")
    history = pd.DataFrame(estimator.history_)
    history.insert(0, "epoch", range(1, len(history) + 1))
    save_table(history, folder / "history.csv")


def _draw_history(estimator: Estimator, folder: Path) -> None:
    from skdigits.inspection import HistoryDisplay

    for metric in ("accuracy", "loss"):
        display = HistoryDisplay.from_estimator(estimator, metric=metric)
        save_figure(display, folder / f"{metric}.png")


def _draw_classifier(
    classifier: DigitClassifier,
    X: Any,
    y: np.ndarray,
    predicted: np.ndarray,
    probability: np.ndarray,
    folder: Path,
) -> None:
    from sklearn.metrics import ConfusionMatrixDisplay

    from skdigits.inspection import ImageGridDisplay

    draw_off_screen()
    _draw_history(classifier, folder)
    display = ConfusionMatrixDisplay.from_predictions(y, predicted, cmap="Blues", colorbar=False)
    display.ax_.set_title(f"Confusion matrix of {len(y)} test images")
    save_figure(display, folder / "confusion_matrix.png")
    display = ImageGridDisplay.from_predictions(X, y, probability, classifier.classes_)
    save_figure(display, folder / "mistakes.png")


def _draw_recognizer(
    recognizer: DigitSequenceRecognizer,
    X: Any,
    y: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    folder: Path,
) -> None:
    from skdigits.inspection import CoverageDisplay, SequenceGridDisplay

    draw_off_screen()
    _draw_history(recognizer, folder)
    display = CoverageDisplay.from_predictions(y, predicted, confidence)
    save_figure(display, folder / "coverage.png")
    display = SequenceGridDisplay.from_estimator(recognizer, X, y)
    save_figure(display, folder / "sequences.png")


def _facts_table(bunch: Any) -> Table:
    import numpy as np
    import pandas as pd
    from rich.table import Table

    from skdigits.checks.image_shapes import infer_image_shape

    n_pixels = bunch.data.shape[1]
    if bunch.images is None:
        height, width, _ = infer_image_shape(n_pixels)
        size = f"{height}×{width}, padded"
    else:
        size = "{}×{}".format(*bunch.images.shape[1:])
    facts = Table(show_header=False, **PLAIN)
    facts.add_row("samples", f"{len(bunch.data)}")
    facts.add_row("pixels per image", f"{n_pixels}")
    facts.add_row("image size", size)
    facts.add_row("pixel range", f"{bunch.data.min()} to {bunch.data.max()}")
    facts.add_row("missing values", f"{int(np.sum(pd.isna(bunch.data)))}")
    return facts


def _labels_table(y: np.ndarray) -> Table:
    import pandas as pd
    from rich.table import Table

    table = Table("label", "samples", "share", **PLAIN)
    for label, count in pd.Series(y).value_counts().items():
        table.add_row(str(label), str(count), f"{count / len(y):.1%}")
    return table


def _pixels_table(data: np.ndarray) -> Table:
    import pandas as pd
    from rich.table import Table

    table = Table("statistic", "pixels", **PLAIN)
    for name, value in pd.Series(data.ravel()).describe().items():
        table.add_row(str(name), f"{value:.10g}" if name == "count" else f"{value:.2f}")
    return table


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


def _lengths_table(report: dict[str, np.ndarray]) -> Table:
    from rich.table import Table

    names = ("length", "sequences", "exact match", "error rate", "exact match, repeated digits")
    table = Table(*names, **PLAIN)
    for length, count, *shares in zip(*report.values(), strict=True):
        shares = [_figure(share, ".4f") for share in shares]
        table.add_row(f"{length:.0f}", f"{count:.0f}", *shares)
    return table


def _print_comparison(results: pd.DataFrame) -> None:
    """Print two tables, because one with all columns is wider than 80 characters."""
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
            _figure(row["log_loss"], ".4f"),
            _figure(row["calibration_error"], ".4f"),
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
        "most accurate of the other classifiers.\n"
    )
    console.print(cost)


def _figure(value: Any, form: str) -> str:
    return "–" if value != value else format(value, form)
