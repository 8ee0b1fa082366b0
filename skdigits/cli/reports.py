"""What the commands print and write: tables, figures, pictures."""

from __future__ import annotations

from rich.console import Console

out = Console(highlight=False)


def print_description(bunch):
    """Print what there is to say about images and labels.

    Parameters
    ----------
    bunch : sklearn.utils.Bunch
        As a loader gives it.
    """
    import pandas as pd
    from rich.table import Table

    from skdigits.validation import infer_image_shape

    pixels = bunch.data.shape[1]
    if bunch.images is None:
        height, width, _ = infer_image_shape(pixels)
        size = f"{height}×{width}, padded"
    else:
        size = "{}×{}".format(*bunch.images.shape[1:])
    facts = Table(show_header=False, box=None)
    facts.add_row("samples", f"{len(bunch.data)}")
    facts.add_row("pixels per image", f"{pixels}")
    facts.add_row("image size", size)
    facts.add_row("pixel range", f"{bunch.data.min()} to {bunch.data.max()}")
    facts.add_row("missing values", f"{int(pd.DataFrame(bunch.data).isna().sum().sum())}")
    out.print(facts)
    out.print(_labels_table(bunch.target))
    out.print(_describe_table(bunch.data))


def save_search(search, folder):
    """Print the results, best first, and write them as two tables and two pictures.

    Parameters
    ----------
    search : EpochSearchCV
        The fitted search.
    folder : Path
        Where to write.
    """
    import pandas as pd
    from rich.table import Table

    from skdigits.inspection import SearchHistoryDisplay, SearchScoreDisplay

    results = pd.DataFrame(search.cv_results_).drop(columns="params")
    results = results.sort_values("rank_test_score", kind="stable")
    names = [name for name in map(str, results) if name.startswith("param_")]
    table = Table("rank", *(name.removeprefix("param_") for name in names), "score", "± deviation")
    for row in results.to_dict("records"):
        values = [str(row[name]) for name in names]
        scores = [f"{row['mean_test_score']:.4f}", f"{row['std_test_score']:.4f}"]
        table.add_row(str(row["rank_test_score"]), *values, *scores)
    out.print(table)
    for data, name in ((results, "results.csv"), (pd.DataFrame(search.cv_curves_), "curves.csv")):
        _save_table(data, folder / name)
        say(f"Wrote {folder / name}")
    draw_off_screen()
    save_picture(SearchScoreDisplay.from_estimator(search), folder / "scores.png")
    save_picture(SearchHistoryDisplay.from_estimator(search), folder / "search_loss.png")


def save_classifier(classifier, X, y, folder, facts):
    """Test a classifier, and write the model, its history, the figures and the pictures.

    Parameters
    ----------
    classifier : DigitClassifier
        The fitted classifier.
    X : ndarray of shape (n, n_pixels) or (n, height, width)
        Images to test it on.
    y : ndarray of shape (n,)
        Their labels.
    folder : Path
        Where to write.
    facts : dict
        What else to write into ``metrics.json``.
    """
    _save_model(classifier, folder)
    probability = classifier.predict_proba(X)
    _print_report(classifier, y, probability, facts["fit_seconds"])
    _save_metrics(classifier, y, probability, folder / "metrics.json", **facts)
    _save_pictures(classifier, X, y, probability, folder)


def save_recognizer(recognizer, X, y, folder, facts):
    """Test a reader of sequences, and write the model, its history, the figures and the pictures.

    Parameters
    ----------
    recognizer : DigitSequenceRecognizer
        The fitted recognizer.
    X : ndarray of shape (n, height, width)
        Images to test it on.
    y : ndarray of shape (n,), str
        What they show.
    folder : Path
        Where to write.
    facts : dict
        What else to write into ``metrics.json``.
    """
    from skdigits import metrics
    from skdigits.inspection import CoverageDisplay, SequenceGridDisplay

    _save_model(recognizer, folder)
    read, confidence = (found[:, 0] for found in recognizer.predict_top_k(X, k=1))
    report = metrics.length_report(y, read)
    figures = {
        "exact_match": metrics.exact_match_score(y, read),
        "character_error_rate": metrics.character_error_rate(y, read),
        "coverage_at_0.998": metrics.coverage_at_accuracy(y, read, confidence),
        "n_test": len(y),
    }
    _print_lengths(report)
    out.print(
        f"{figures['exact_match']:.4f} of {len(y)} sequences of held-out digits read without a "
        f"mistake after {facts['fit_seconds']:.1f} s of training.",
        style="bold",
    )
    per_length = {name: values.tolist() for name, values in report.items()}
    figures |= {**facts, "per_length": per_length, "parameters": recognizer.get_params()}
    _save_json(figures, folder / "metrics.json")
    draw_off_screen()
    _save_curves(recognizer, folder)
    display = CoverageDisplay.from_predictions(y, read, confidence)
    save_picture(display, folder / "coverage.png")
    display = SequenceGridDisplay.from_estimator(recognizer, X, y)
    save_picture(display, folder / "sequences.png")


def save_comparison(found, folder, facts):
    """Print a comparison of classifiers, and write it as a table, JSON and pictures.

    Parameters
    ----------
    found : sklearn.utils.Bunch
        As `compare_classifiers` gives it.
    folder : Path
        Where to write.
    facts : dict
        What else to write into ``comparison.json``.
    """
    import pandas as pd

    from skdigits.inspection import ReliabilityDisplay, TradeOffDisplay
    from skdigits.networks.spec import ARCHITECTURES

    results = pd.DataFrame(found.table).sort_values("accuracy", ascending=False, kind="stable")
    _print_comparison(results)
    _save_table(results, folder / "comparison.csv")
    say(f"Wrote {folder / 'comparison.csv'}")
    figures = {**facts, "classifiers": results.to_dict("records")}
    _save_json(figures, folder / "comparison.json")
    draw_off_screen()
    trade_off = TradeOffDisplay(found.table, emphasized=ARCHITECTURES)
    for time in ("fit", "predict"):
        display = trade_off.plot(time=f"{time}_seconds")
        save_picture(display, folder / f"accuracy_and_{time}_time.png")
    display = ReliabilityDisplay(found.right, found.confidence).plot()
    save_picture(display, folder / "reliability.png")


def save_learning_curves(curves, folder):
    """Write learning curves as a table and a picture.

    Parameters
    ----------
    curves : dict of list
        As `learning_curves` gives them.
    folder : Path
        Where to write.
    """
    import pandas as pd

    from skdigits.inspection import TrainSizeDisplay
    from skdigits.networks.spec import ARCHITECTURES

    _save_table(pd.DataFrame(curves), folder / "learning_curves.csv")
    say(f"Wrote {folder / 'learning_curves.csv'}")
    draw_off_screen()
    display = TrainSizeDisplay(curves, emphasized=ARCHITECTURES).plot()
    save_picture(display, folder / "learning_curves.png")


def say(text):
    """Print a line as it is, however long.

    Parameters
    ----------
    text : str
        The line.
    """
    out.print(text, markup=False, soft_wrap=True)


def draw_off_screen():
    """Have matplotlib draw without a window."""
    import matplotlib

    matplotlib.use("Agg")


def save_picture(display, path):
    """Write a display's figure as PNG, whole or not at all, and close it.

    Parameters
    ----------
    display : object
        A display with ``figure_``.
    path : Path
        The file.
    """
    from matplotlib import pyplot as plt

    from skdigits.files import replacing

    with replacing(path) as file:
        display.figure_.savefig(file, format="png", dpi=120)
    plt.close(display.figure_)
    say(f"Wrote {path}")


def _labels_table(y):
    import pandas as pd
    from rich.table import Table

    table = Table("label", "samples", "share", title="Labels, most frequent first")
    for label, count in pd.Series(y).value_counts().items():
        table.add_row(str(label), str(count), f"{count / len(y):.1%}")
    return table


def _describe_table(data):
    import pandas as pd
    from rich.table import Table

    table = Table("statistic", "pixels", title="All pixels")
    for name, value in pd.Series(data.ravel()).describe().items():
        table.add_row(str(name), f"{value:.10g}" if name == "count" else f"{value:.2f}")
    return table


def _print_report(classifier, y, probability, seconds):
    from sklearn.metrics import classification_report

    predicted = classifier.classes_[probability.argmax(axis=1)]
    out.print(classification_report(y, predicted, digits=4, zero_division=0), markup=False)
    out.print(
        f"Test accuracy {(predicted == y).mean():.4f} on {len(y)} held-out images "
        f"after {seconds:.1f} s of training.",
        style="bold",
    )


def _print_comparison(results):
    """Two tables, as all columns in one do not fit a terminal's 80 characters."""
    from rich.table import Table

    of_quality = ("accuracy", "95 % interval", "log loss", "calibration", "p")
    of_cost = ("fit", "predict all", "predict one", "size")
    quality = Table("classifier", *of_quality, box=None, pad_edge=False)
    cost = Table("classifier", *of_cost, box=None, pad_edge=False)
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
    out.print(quality)
    out.print(
        "calibration: expected calibration error; p: McNemar's exact test against the most "
        "accurate of the others.\n"
    )
    out.print(cost)


def format_p_value(p):
    """Write a probability as short as its meaning allows.

    Parameters
    ----------
    p : float or None
        The probability; NaN or None where there is none.

    Returns
    -------
    str
        It to one digit.
    """
    if p is None or p != p:
        return "–"
    return "< 1e-9" if p < 1e-9 else f"{p:.1g}"


def _figure(value, form):
    return "–" if value != value else format(value, form)


def _save_model(estimator, folder):
    """Write a model and its history."""
    from skdigits import save

    say(f"Wrote {save(estimator, folder / 'model.skdigits')}")
    _save_history(estimator.history_, folder / "history.csv")


def _save_curves(estimator, folder):
    from skdigits.inspection import HistoryDisplay

    for metric in ("accuracy", "loss"):
        display = HistoryDisplay.from_estimator(estimator, metric=metric)
        save_picture(display, folder / f"{metric}.png")


def _save_history(history, path):
    import pandas as pd

    table = pd.DataFrame(history)
    table.insert(0, "epoch", range(1, len(table) + 1))
    _save_table(table, path)
    say(f"Wrote {path}")


def _save_metrics(classifier, y, probability, path, **facts):
    from sklearn.metrics import classification_report, log_loss

    predicted = classifier.classes_[probability.argmax(axis=1)]
    metrics = {
        "accuracy": float((predicted == y).mean()),
        "log_loss": float(log_loss(y, probability, labels=classifier.classes_)),
        "n_test": len(y),
        **facts,
        "per_class": classification_report(y, predicted, output_dict=True, zero_division=0),
        "parameters": classifier.get_params(),
    }
    _save_json(metrics, path)


def _save_pictures(classifier, X, y, probability, folder):
    from sklearn.metrics import ConfusionMatrixDisplay

    from skdigits.inspection import ImageGridDisplay

    draw_off_screen()
    predicted = classifier.classes_[probability.argmax(axis=1)]
    _save_curves(classifier, folder)
    display = ConfusionMatrixDisplay.from_predictions(y, predicted, cmap="Blues", colorbar=False)
    save_picture(display, folder / "confusion_matrix.png")
    display = ImageGridDisplay.from_predictions(X, y, probability, classifier.classes_)
    save_picture(display, folder / "mistakes.png")


def _save_table(table, path):
    from skdigits.files import replacing

    with replacing(path, "w", newline="", encoding="utf-8") as file:
        table.to_csv(file, index=False, lineterminator="\n")


def _known(value):
    """A value, or what is in it, with None for NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _known(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_known(item) for item in value]
    return None if isinstance(value, float) and value != value else value


def _save_json(metrics, path):
    import json

    from skdigits.files import replacing
    from skdigits.persistence import versions

    with replacing(path, "w", encoding="utf-8") as file:
        content = _known({**metrics, "versions": versions()})
        json.dump(content, file, indent=2, allow_nan=False)
        file.write("\n")
    say(f"Wrote {path}")


def _print_lengths(report):
    from rich.table import Table

    table = Table("length", "sequences", "read right", "wrong digits", "read right, with repeats")
    for length, count, right, errors, repeated in zip(*report.values(), strict=True):
        shares = (_figure(value, ".4f") for value in (right, errors, repeated))
        table.add_row(f"{length:.0f}", f"{count:.0f}", *shares)
    out.print(table)
