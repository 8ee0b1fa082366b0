"""Report of a fit: the model, its history, metrics and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from skdigits.cli.console import PLAIN, console, print_line
from skdigits.cli.output import draw_off_screen, save_figure, save_json, save_table

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

    from skdigits.classifier import DigitClassifier
    from skdigits.sequence import DigitSequenceRecognizer
    from skdigits.typing import Estimator


def check_convergence(estimator: Estimator) -> None:
    """Raise a ValueError if training has diverged, that is, if a weight is not finite."""
    import numpy as np

    if not all(np.isfinite(weights).all() for weights in estimator.to_keras().get_weights()):
        raise ValueError("Training has diverged, and no model is saved. Lower --learning-rate.")


def save_report(
    estimator: Estimator, X: Any, y: np.ndarray, folder: Path, facts: dict[str, Any]
) -> None:
    """Test an estimator, and write the model, its history, metrics and figures.

    Parameters
    ----------
    estimator : DigitClassifier or DigitSequenceRecognizer
        The fitted estimator.
    X : ndarray of shape (n, n_pixels) or (n, height, width), or list of ndarray
        Test images; if there are none, the estimator is not tested.
    y : ndarray of shape (n,)
        Labels of the test images; for a recognizer, the sequences as strings.
    folder : Path
        Folder to write to.
    facts : dict
        Values that are also written to ``metrics.json``; ``fit_seconds`` is printed, too.
    """
    from skdigits import DigitClassifier

    _save_model(estimator, folder)
    if not len(y):
        _report_untested(estimator, folder, facts)
    elif isinstance(estimator, DigitClassifier):
        _report_classifier(estimator, X, y, folder, facts)
    else:
        _report_recognizer(estimator, X, y, folder, facts)


def format_share(share: float) -> str:
    """Format a number with four decimals; NaN becomes a dash."""
    return "–" if share != share else f"{share:.4f}"


def _save_model(estimator: Estimator, folder: Path) -> None:
    """Write a model and its history."""
    import pandas as pd

    from skdigits import save

    print_line(f"Wrote {save(estimator, folder / 'model.skdigits')}")
    history = pd.DataFrame(estimator.history_)
    history.insert(0, "epoch", range(1, len(history) + 1))
    save_table(history, folder / "history.csv")


def _report_untested(estimator: Estimator, folder: Path, facts: dict[str, Any]) -> None:
    """Report on an estimator that was trained on all images."""
    print_line(
        f"Trained in {facts['fit_seconds']:.1f} s. No image was held out, so the accuracy on "
        "other images is unknown.",
        style="bold",
    )
    content = {"n_test": 0, **facts, "parameters": estimator.get_params()}
    save_json(content, folder / "metrics.json")
    _draw_history(estimator, folder)


def _report_classifier(
    classifier: DigitClassifier, X: Any, y: np.ndarray, folder: Path, facts: dict[str, Any]
) -> None:
    from sklearn.metrics import classification_report

    from skdigits.metrics import probability_figures

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

    _draw_history(classifier, folder)
    display = ConfusionMatrixDisplay.from_predictions(y, predicted, cmap="Blues", colorbar=False)
    display.ax_.set_title(f"Confusion matrix of {len(y)} test images")
    save_figure(display, folder / "confusion_matrix.png")
    display = ImageGridDisplay.from_predictions(X, y, probability, classifier.classes_)
    save_figure(display, folder / "mistakes.png")


def _report_recognizer(
    recognizer: DigitSequenceRecognizer, X: Any, y: np.ndarray, folder: Path, facts: dict[str, Any]
) -> None:
    from skdigits import metrics

    predicted, confidence = (found[:, 0] for found in recognizer.predict_top_k(X, k=1))
    exact_match = metrics.exact_match_score(y, predicted)
    report = metrics.length_report(y, predicted)
    console.print(_lengths_table(report))
    print_line(
        f"Exact match {exact_match:.4f} on {len(y)} test sequences after "
        f"{facts['fit_seconds']:.1f} s of training.",
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


def _lengths_table(report: dict[str, np.ndarray]) -> Table:
    from rich.table import Table

    names = ("length", "sequences", "exact match", "error rate", "exact match, repeated digits")
    table = Table(*names, **PLAIN)
    for length, count, *shares in zip(*report.values(), strict=True):
        table.add_row(f"{length:.0f}", f"{count:.0f}", *map(format_share, shares))
    return table


def _draw_recognizer(
    recognizer: DigitSequenceRecognizer,
    X: Any,
    y: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    folder: Path,
) -> None:
    from skdigits.inspection import CoverageDisplay, SequenceGridDisplay

    _draw_history(recognizer, folder)
    display = CoverageDisplay.from_predictions(y, predicted, confidence)
    save_figure(display, folder / "coverage.png")
    display = SequenceGridDisplay.from_estimator(recognizer, X, y)
    save_figure(display, folder / "sequences.png")


def _draw_history(estimator: Estimator, folder: Path) -> None:
    from skdigits.inspection import HistoryDisplay

    draw_off_screen()
    for metric in ("accuracy", "loss"):
        display = HistoryDisplay.from_estimator(estimator, metric=metric)
        save_figure(display, folder / f"{metric}.png")
