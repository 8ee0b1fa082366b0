import json
import re

import pandas as pd
import pytest

from skdigits.cli.compare import format_p_value


@pytest.mark.slow
def test_compare_writes_tables_and_figures(run, tmp_path, capsys):
    folder = tmp_path / "out"
    assert run("compare", "--classifiers", "LinearSVC, KNeighbors", "-o", folder) == 0
    assert {file.name for file in folder.iterdir()} == {
        "comparison.csv",
        "comparison.json",
        "learning_curves.csv",
        "accuracy_and_fit_time.png",
        "accuracy_and_predict_time.png",
        "reliability.png",
        "learning_curves.png",
    }
    table = pd.read_csv(folder / "comparison.csv")
    assert table["classifier"].tolist() == ["KNeighbors", "LinearSVC"]
    assert table["accuracy"].min() > 0.9
    facts = json.loads((folder / "comparison.json").read_text())
    names = ("data", "folds", "seed", "n_train", "n_test")
    assert [facts[name] for name in names] == ["digits", 5, 0, 1437, 1797]
    shown = capsys.readouterr().out
    assert "1437 training images, 1797 test images." in shown
    assert re.search(r"KNeighbors +accuracy 0\.9\d+ after training on 1000 images", shown)
    assert "…" not in shown
    for row in table.to_dict("records"):
        assert f"{row['accuracy_low']:.4f} to {row['accuracy_high']:.4f}" in shown
        assert f"{row['megabytes']:.2f} MB" in shown
    assert run("compare", "--classifiers", "SVM", "-o", tmp_path / "no") == 2
    assert "Unknown classifier 'SVM'. Did you mean 'SVC'" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_p_values_have_one_digit():
    values = (0.0432, 1e-12, float("nan"), None)
    assert [format_p_value(p) for p in values] == ["0.04", "< 1e-9", "–", "–"]
