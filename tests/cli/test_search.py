import json

import pandas as pd
import pytest
from matplotlib import image

import skdigits

SEARCH = ["--epochs", "1,3", "--batch-size", "32,64", "--architecture", " compact", "--folds", 2]


@pytest.mark.slow
def test_search_writes_results_pictures_and_the_best_model(run, csv_folder, tmp_path, capsys):
    folder = tmp_path / "search"
    assert run("search", csv_folder, "-o", folder, *SEARCH) == 0
    shown = capsys.readouterr().out
    results = pd.read_csv(folder / "results.csv")
    assert results["rank_test_score"].tolist() == [1, 2, 3, 4]
    assert set(results["param_epochs"]) == {1, 3}
    assert f"{results['mean_test_score'][0]:.4f}" in shown
    curves = pd.read_csv(folder / "curves.csv")
    assert len(curves) == 2 * 2 * 3
    for name in ("scores.png", "search_loss.png", "mistakes.png", "confusion_matrix.png"):
        assert image.imread(folder / name).std() > 0.02, name
    best = skdigits.load(folder / "model.skdigits")
    assert best.epochs == results["param_epochs"][0]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["best_params"]["batch_size"] == best.batch_size
    assert f"Test accuracy {metrics['accuracy']:.4f}" in shown

    lines = (folder / "journal.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 2 * 2
    (folder / "journal.jsonl").write_text("\n".join(lines[:3]) + "\n")
    assert run("search", csv_folder, "-o", folder, *SEARCH) == 0
    assert len((folder / "journal.jsonl").read_text().splitlines()) == 1 + 2 * 2
    again = pd.read_csv(folder / "results.csv")
    assert again["mean_test_score"].tolist() == results["mean_test_score"].tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "5,x"], "--epochs should be a whole number; got 'x'"),
        (["--batch-size", "5,x"], "--batch-size should be a whole number or auto; got 'x'"),
        (["--epochs", "0,1"], "'epochs' parameter"),
        (["--architecture", "compakt"], "Did you mean 'compact'"),
        (["--filters", "4,-1"], "'filters' parameter"),
    ],
)
def test_a_grid_that_cannot_be_searched_is_refused(run, tmp_path, capsys, arguments, message):
    folder = tmp_path / "search"
    assert run("search", "-o", folder, *arguments) == 2
    assert message in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_a_search_that_has_diverged_saves_no_model(run, csv_folder, tmp_path, capsys):
    options = ["--learning-rate", 1e30, "--epochs", 1, "--architecture", "compact", "--folds", 2]
    assert run("search", csv_folder, "-o", tmp_path, *options) == 2
    assert "diverged, and no model is saved. Lower --learning-rate" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["journal.jsonl"]
