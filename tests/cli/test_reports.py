import json

import numpy as np
import pytest

from skdigits import DigitClassifier
from skdigits.cli import reports
from skdigits.cli.reports import save_report


def test_log_loss_is_computed_in_double_precision(fitted, digits, tmp_path, monkeypatch):
    X, y = digits
    wrong = np.eye(10, dtype=np.float32)[(y + 1) % 10]
    monkeypatch.setattr(DigitClassifier, "predict_proba", lambda self, X: wrong)
    save_report(fitted, X, y, tmp_path, {"fit_seconds": 1.0})
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["accuracy"] == 0
    assert metrics["log_loss"] == pytest.approx(-np.log(np.finfo(np.float64).eps))
    assert metrics["calibration_error"] == 1


def test_every_figure_of_a_classifier_has_a_title(fitted, digits, tmp_path, monkeypatch):
    titles = {}

    def keep(display, path):
        titles[path.name] = display.ax_.get_title()

    monkeypatch.setattr(reports, "save_figure", keep)
    save_report(fitted, *digits, tmp_path, {"fit_seconds": 1.0})
    assert titles.pop("confusion_matrix.png") == "Confusion matrix of 300 test images"
    assert set(titles) == {"accuracy.png", "loss.png", "mistakes.png"}
    assert all(titles.values())
