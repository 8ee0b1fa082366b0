import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from sklearn.exceptions import ConvergenceWarning

import skdigits
from skdigits import DigitClassifier, DigitSequenceRecognizer, datasets
from skdigits.cli import main
from skdigits.datasets import load_digits
from skdigits.inspection import ImageGridDisplay

COMMAND = Path(sys.executable).with_name("skdigits")


def run(*arguments):
    """Run a command in this process; return its exit code."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code or 0


@pytest.fixture(scope="module")
def csv_folder(tmp_path_factory):
    """The bundled digits in Kaggle's shape."""
    folder = tmp_path_factory.mktemp("kaggle")
    frame = load_digits(as_frame=True).frame
    frame[:600].to_csv(folder / "train.csv", index=False)
    frame[600:700].drop(columns="label").to_csv(folder / "test.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def trained(csv_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    assert run("train", csv_folder, "-o", folder, "--epochs", 4, "--validation-fraction", 0.1) == 0
    return folder


def test_the_installed_command_helps_and_tells_its_version():
    for command in ([str(COMMAND)], [sys.executable, "-m", "skdigits"]):
        shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
        for name in ("inspect", "train", "search", "compare", "predict"):
            assert name in shown.stdout
    shown = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == skdigits.__version__


def test_the_installed_command_reports_errors_without_a_traceback(tmp_path):
    for arguments, message in [
        (["train", "nowhere"], "skdigits: nowhere: there is no such file or folder."),
        (["predict", "missing.skdigits", "digits"], "missing.skdigits"),
        (["train", "--epochs", "0"], "Invalid value for '--epochs'"),
    ]:
        failed = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, cwd=tmp_path)
        assert failed.returncode == 2
        assert message in failed.stderr
        assert "Traceback" not in failed.stderr
        assert failed.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_train_writes_all_there_is_to_know(trained, capsys):
    assert {file.name for file in trained.iterdir()} == {
        "model.skdigits",
        "history.csv",
        "metrics.json",
        "accuracy.png",
        "loss.png",
        "confusion_matrix.png",
        "mistakes.png",
    }
    history = pd.read_csv(trained / "history.csv")
    assert history.columns[0] == "epoch"
    assert set(history.columns[1:]) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["accuracy"] > 0.8
    assert metrics["n_train"] == 480
    assert metrics["n_test"] == 120
    assert metrics["seed"] == 0
    assert metrics["versions"]["skdigits"] == skdigits.__version__
    assert metrics["parameters"]["epochs"] == 4
    assert metrics["per_class"]["3"]["support"] == 12
    for picture in trained.glob("*.png"):
        assert image.imread(picture).std() > 0.05


def test_the_model_of_train_is_the_one_its_figures_are_of(trained, csv_folder):
    from sklearn.metrics import log_loss
    from sklearn.model_selection import train_test_split

    from skdigits.datasets import load_kaggle

    X, y = load_kaggle(csv_folder, return_X_y=True)
    _, X, _, y = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    model = skdigits.load(trained / "model.skdigits")
    metrics = json.loads((trained / "metrics.json").read_text())
    assert model.score(X, y) == metrics["accuracy"]
    assert log_loss(y, model.predict_proba(X)) == pytest.approx(metrics["log_loss"])
    assert pd.read_csv(trained / "history.csv")["loss"].tolist() == pytest.approx(
        model.history_["loss"]
    )


def test_train_prints_a_line_per_epoch_and_a_report(csv_folder, tmp_path, capsys):
    run("train", csv_folder, "-o", tmp_path, "--epochs", 2, "--architecture", "lenet")
    printed = capsys.readouterr().out
    assert len(re.findall(r"^epoch +\d  accuracy 0\.\d{4}  loss \d", printed, re.M)) == 2
    assert "480 images to train on, 120 held out" in printed
    assert "f1-score" in printed
    accuracy = json.loads((tmp_path / "metrics.json").read_text())["accuracy"]
    assert f"Test accuracy {accuracy:.4f} on 120 held-out images" in printed


def test_options_of_train_reach_the_classifier(csv_folder, tmp_path):
    options = "--epochs 3 --batch-size 50 --augment --learning-rate 0.002 --early-stopping"
    numbers = "--seed 4 --test-fraction 0.5"
    run("train", csv_folder, "-o", tmp_path, *options.split(), *numbers.split())
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    expected = {"batch_size": 50, "augment": True, "learning_rate": 0.002, "early_stopping": True}
    assert expected.items() <= metrics["parameters"].items()
    assert metrics["parameters"]["random_state"] == 4
    assert metrics["n_test"] == 300


def test_predict_writes_a_submission(trained, csv_folder, tmp_path, capsys):
    assert run("predict", trained / "model.skdigits", csv_folder, "-o", tmp_path / "s.csv") == 0
    table = pd.read_csv(tmp_path / "s.csv")
    assert list(table.columns) == ["ImageId", "Label"]
    assert table["ImageId"].tolist() == list(range(1, 101))
    truth = load_digits().target[600:700]
    assert (table["Label"] == truth).mean() > 0.8
    assert "100 labels" in capsys.readouterr().out


def test_predict_knows_the_accuracy_where_there_are_labels(trained, csv_folder, tmp_path, capsys):
    run("predict", trained / "model.skdigits", csv_folder / "train.csv", "-o", tmp_path / "s.csv")
    model = skdigits.load(trained / "model.skdigits")
    accuracy = model.score(*skdigits_digits(600))
    assert f"Accuracy on the labels given: {accuracy:.4f}" in capsys.readouterr().out


def test_predict_leaves_empty_what_is_not_sure(trained, csv_folder, tmp_path, capsys):
    model, output = trained / "model.skdigits", tmp_path / "s.csv"
    assert run("predict", model, csv_folder / "train.csv", "-o", output, "--reject-below", 0.9) == 0
    classifier, (X, y) = skdigits.load(model), skdigits_digits(600)
    kept = classifier.predict_confidence(X) >= 0.9
    assert 0 < kept.sum() < 600
    table = pd.read_csv(output, keep_default_na=False, dtype=str)
    expected = np.where(kept, classifier.predict(X).astype(str), "")
    assert table["Label"].tolist() == expected.tolist()
    told = capsys.readouterr().out
    assert (
        f"{600 - kept.sum()} of them are rejected, their labels empty: less probable than 0.9"
        in told
    )
    accuracy = classifier.score(X[kept], y[kept])
    assert f"Accuracy on the {kept.sum()} labels kept: {accuracy:.4f}" in told


def test_predict_names_pictures(csv_folder, tmp_path, capsys):
    from PIL import Image

    X, y = load_digits(return_X_y=True)
    images = np.kron(X.reshape(-1, 8, 8)[600:612], np.ones((3, 3), np.uint8))
    pictures = tmp_path / "pictures"
    (pictures / ".ipynb_checkpoints").mkdir(parents=True)
    for i in range(12):
        Image.fromarray(255 - np.pad(images[i], 4)).save(pictures / f"{i}.png")
    (pictures / ".ipynb_checkpoints" / "0.png").write_bytes((pictures / "0.png").read_bytes())
    output = tmp_path / "read.csv"
    classifier = skdigits.DigitClassifier(epochs=1, random_state=0)
    large = datasets.load_pictures(pictures, subset="test").data
    model = skdigits.save(classifier.fit(large, y[600:612]), tmp_path / "model.skdigits")
    assert run("predict", model, pictures, "-o", output) == 0
    table = pd.read_csv(output)
    assert table["ImageId"].tolist() == [f"{i}.png" for i in range(12)]
    assert table["Label"].tolist() == classifier.predict(large).tolist()
    assert run("predict", model, pictures / "7.png", "-o", output) == 0
    assert pd.read_csv(output)["ImageId"].tolist() == ["7.png"]


def test_predict_reads_idx_files_without_labels(trained, tmp_path, capsys):
    write_idx(tmp_path, "t10k", load_digits().images[:20], np.zeros(20, int))
    next(tmp_path.glob("*labels*")).unlink()
    output = tmp_path / "s.csv"
    assert run("predict", trained / "model.skdigits", tmp_path, "-o", output) == 0
    assert len(pd.read_csv(output)) == 20
    assert "Accuracy" not in capsys.readouterr().out


def test_what_cannot_be_done_is_told_in_the_commands_words(trained, tmp_path, capsys):
    from PIL import Image

    Image.new("L", (30, 30)).save(tmp_path / "a.png")
    write_idx(tmp_path, "train", load_digits().images[:20], load_digits().target[:20])
    for arguments, message in (
        (["predict", trained, tmp_path], "is a folder; expected a file, such as a model.skdigits"),
        (
            ["predict", trained / "model.skdigits", tmp_path / "a.png", "-o", tmp_path / "s.csv"],
            "The model reads images of 8×8 pixels; these have 784.",
        ),
        (["train", tmp_path, "-o", tmp_path / "out"], "--test-fraction is the share held out"),
        (["compare", tmp_path, "-o", tmp_path / "out", "--test-fraction", 0.1], "--test-fraction"),
    ):
        assert run(*arguments) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "s.csv").exists()


def test_a_diverged_training_leaves_what_was_there(csv_folder, tmp_path, capsys):
    (tmp_path / "model.skdigits").write_text("old")
    with pytest.warns(ConvergenceWarning):
        assert run("train", csv_folder, "-o", tmp_path, "--learning-rate", 1e30) == 2
    assert "diverged, nothing is saved; lower --learning-rate" in capsys.readouterr().err
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_folder_that_cannot_be_written_into_is_refused_before_training(
    csv_folder, tmp_path, capsys, monkeypatch
):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert run("train", csv_folder, "-o", tmp_path) == 2
    told = capsys.readouterr()
    assert f"Permission denied: '{tmp_path}'" in told.err
    assert "epoch" not in told.out


@pytest.mark.parametrize("sequences", [False, True])
def test_images_that_are_no_squares_are_read_as_they_are(tmp_path, sequences):
    images, labels = load_digits().images.astype(np.uint8)[:200], load_digits().target[:200]
    folder, output = tmp_path / "data", tmp_path / "out"
    folder.mkdir()
    for subset in ("train", "t10k"):
        write_idx(folder, subset, np.pad(images, [(0, 0), (0, 0), (1, 3)]), labels)
    options = ["--sequences"] if sequences else ["--architecture", "compact"]
    assert run("train", folder, "-o", output, "--epochs", 1, *options) == 0
    model = output / "model.skdigits"
    assert skdigits.load(model).image_shape_[:2] == (8, 12)
    assert run("predict", model, folder, "-o", tmp_path / "s.csv") == 0
    read = pd.read_csv(tmp_path / "s.csv", dtype=str, keep_default_na=False)["Label"]
    expected = skdigits.load(model).predict(np.pad(images, [(0, 0), (0, 0), (1, 3)]))
    assert read.tolist() == expected.astype(str).tolist()


def write_idx(folder, subset, images, labels):
    header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in images.shape)
    (folder / f"{subset}-images-idx3-ubyte").write_bytes(header + images.tobytes())
    header = b"\0\0\x08\x01" + len(labels).to_bytes(4, "big")
    (folder / f"{subset}-labels-idx1-ubyte").write_bytes(header + labels.astype("u1").tobytes())


def skdigits_digits(n):
    X, y = load_digits(return_X_y=True)
    return X[:n], y[:n]


def test_predict_writes_nothing_when_it_fails(trained, tmp_path, capsys):
    (tmp_path / "test.csv").write_text("pixel0,pixel1\n1,2\n")
    assert run("predict", trained / "model.skdigits", tmp_path, "-o", tmp_path / "s.csv") == 2
    assert "images of 8×8 pixels; these have 2." in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["test.csv"]
    (tmp_path / "test.csv").write_text("pixel0\n300\n")
    assert run("predict", trained / "model.skdigits", tmp_path, "-o", tmp_path / "s.csv") == 2
    assert "line 2: '300'" in capsys.readouterr().err
    assert run("predict", tmp_path / "test.csv", "digits", "-o", tmp_path / "s.csv") == 2
    assert "cannot be read as a file written by skdigits.save" in capsys.readouterr().err
    assert not (tmp_path / "s.csv").exists()
    assert (
        run("predict", trained / "model.skdigits", "digits", "-o", tmp_path / "no" / "s.csv") == 2
    )
    assert "there is no such folder to write into" in capsys.readouterr().err


def test_bad_options_are_refused_before_any_reading(tmp_path, capsys):
    for option, value, message in [
        ("--batch-size", "many", "--batch-size should be a number or auto; got 'many'"),
        ("--learning-rate", "fast", "--learning-rate should be a number or auto"),
        ("--architecture", "lenett", "Did you mean 'lenet'?"),
        ("--batch-size", "0", "The 'batch_size' parameter of DigitClassifier must be"),
    ]:
        assert run("train", "-o", tmp_path / "out", option, value) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_inspect_prints_and_draws(tmp_path, capsys):
    assert run("inspect", "-o", tmp_path) == 0
    printed = capsys.readouterr().out
    for fact in ("1797", "64", "8×8", "0 to 255", "missing values", "115008", "77.85"):
        assert fact in printed
    labels = re.findall(r"│ (\d) +│ (\d{3}) ", printed)
    assert labels[0] == ("3", "183")
    assert labels[-1] == ("8", "174")
    assert {file.name for file in tmp_path.iterdir()} == {"labels.png", "samples.png", "means.png"}


def test_inspect_takes_idx_files_and_pixels_that_make_no_square(tmp_path, capsys, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6), dtype=np.uint8)
    write_idx(tmp_path, "train", images, np.array([1, 2, 1, 2]))
    plot, drawn = ImageGridDisplay.plot, []
    monkeypatch.setattr(
        ImageGridDisplay,
        "plot",
        lambda self, **options: drawn.append(self.images.shape) or plot(self, **options),
    )
    unpacked = tmp_path / "train-images-idx3-ubyte"
    Path(f"{unpacked}.gz").write_bytes(gzip.compress(unpacked.read_bytes()))
    unpacked.unlink()
    assert run("inspect", tmp_path, "-o", tmp_path / "out") == 0
    assert "5×6" in capsys.readouterr().out
    assert drawn == [(4, 5, 6), (2, 5, 6)]
    (tmp_path / "train.csv").write_text("label,a,b\n1,2,3\n0,4,5\n")
    assert run("inspect", tmp_path, "-o", tmp_path / "out") == 0


def test_the_main_job_on_kaggles_files(kaggle_folder, tmp_path):
    """Both commands on the whole, at the defaults: the figure in the README."""
    assert run("train", kaggle_folder, "-o", tmp_path) == 0
    submission = tmp_path / "submission.csv"
    assert run("predict", tmp_path / "model.skdigits", kaggle_folder, "-o", submission) == 0
    ours, truth = pd.read_csv(submission), pd.read_csv(kaggle_folder / "test_labels.csv")
    assert len(ours) == 28_000
    assert (ours["ImageId"] == truth["ImageId"]).all()
    assert (ours["Label"] == truth["Label"]).mean() >= 0.982


def test_predict_reads_and_writes_in_chunks(trained, csv_folder, tmp_path, monkeypatch):
    import functools

    model, sizes = trained / "model.skdigits", []
    assert run("predict", model, csv_folder, "-o", tmp_path / "whole.csv") == 0
    predict = DigitClassifier.predict_proba
    monkeypatch.setattr(
        DigitClassifier, "predict_proba", lambda self, X: sizes.append(len(X)) or predict(self, X)
    )
    chunks = functools.partial(datasets.iter_data, chunk_size=30)
    monkeypatch.setattr(datasets, "iter_data", chunks)
    assert run("predict", model, csv_folder, "-o", tmp_path / "parts.csv") == 0
    assert sizes == [30, 30, 30, 10]
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_predict_leaves_no_half_written_file(trained, tmp_path, capsys):
    (tmp_path / "test.csv").write_text("a\n" + "1\n" * 9)
    output = tmp_path / "submission.csv"
    output.write_text("the last one")
    assert run("predict", trained / "model.skdigits", tmp_path / "test.csv", "-o", output) == 2
    assert "images of 8×8 pixels; these have 1." in capsys.readouterr().err
    text = ",".join(["0"] * 64)
    header = ",".join(f"pixel{i}" for i in range(64))
    (tmp_path / "test.csv").write_text(f"{header}\n" + f"{text}\n" * 9000 + f"{text}x\n")
    assert run("predict", trained / "model.skdigits", tmp_path / "test.csv", "-o", output) == 2
    assert "line 9002: '0x' in the column 'pixel63'" in capsys.readouterr().err
    assert output.read_text() == "the last one"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


@pytest.fixture(scope="module")
def reader_folder(csv_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    assert run("train", csv_folder, "--sequences", "-o", folder, "--epochs", 2) == 0
    return folder


def test_train_sequences_writes_all_there_is_to_know(reader_folder):
    text = (reader_folder / "metrics.json").read_text()
    metrics = json.loads(text, parse_constant=pytest.fail)  # NaN is no JSON
    assert metrics["per_length"]["repeated_exact_match"][0] is None
    assert metrics["exact_match"] > 0.5
    assert metrics["per_length"]["length"] == [1, 2, 3, 4, 5]
    assert metrics["n_test"] == sum(metrics["per_length"]["n_sequences"]) == 2000
    assert len(pd.read_csv(reader_folder / "history.csv")) == 2
    for name in ("accuracy.png", "loss.png", "coverage.png", "sequences.png"):
        assert image.imread(reader_folder / name).std() > 0.02, name
    assert isinstance(skdigits.load(reader_folder / "model.skdigits"), DigitSequenceRecognizer)


def test_predict_knows_a_reader_of_sequences(reader_folder, tmp_path, capsys):
    from PIL import Image

    from skdigits.inference.line_images import ImageLines

    X, y = load_digits(return_X_y=True)
    images = ImageLines(X.reshape(-1, 8, 8)[600:]).as_bytes(0, 255).images
    style = {"lengths": (2, 4), "gap": (2, 6), "random_state": 0}
    lines, texts = datasets.make_digit_sequences(images, y[600:], 12, **style)
    for i, (line, text) in enumerate(zip(lines, texts, strict=True)):
        folder = tmp_path / "lines" / text  # leading zeros count
        folder.mkdir(parents=True, exist_ok=True)
        dark_on_white = Image.fromarray(255 - np.pad(line, 10))
        dark_on_white.resize((2 * dark_on_white.width, 2 * dark_on_white.height)).save(
            folder / f"{i}.png"
        )
    output = tmp_path / "read.csv"
    command = "predict", reader_folder / "model.skdigits", tmp_path / "lines", "-o", output
    assert run(*command) == 0
    table = pd.read_csv(output, dtype=str, keep_default_na=False)
    names, read = table["ImageId"], table["Label"]
    assert sorted(names) == sorted(f"{text}/{i}.png" for i, text in enumerate(texts))
    right = np.array([name.split("/")[0] == text for name, text in zip(names, read, strict=True)])
    assert f"Accuracy on the labels given: {right.mean():.4f}" in capsys.readouterr().out
    assert right.mean() > 0.3

    recognizer = skdigits.load(reader_folder / "model.skdigits")
    ((pictures, _),) = datasets.iter_data(tmp_path / "lines", lines=True)
    confidence = recognizer.predict_confidence(pictures)
    threshold = float(np.median(confidence))
    kept = confidence >= threshold
    assert run(*command, "--reject-below", threshold) == 0
    table = pd.read_csv(output, dtype=str, keep_default_na=False)
    assert table["Label"].tolist() == np.where(kept, read, "").tolist()
    expected = f"Accuracy on the {kept.sum()} labels kept: {right[kept].mean():.4f}"
    assert expected in capsys.readouterr().out

    wide = pictures[0]
    rows = pd.DataFrame(wide.reshape(1, -1)).add_prefix("pixel")
    rows.insert(0, "label", ["00" + read[0]])
    rows.to_csv(tmp_path / "line.csv", index=False)
    ((_, label),) = datasets.iter_data(tmp_path / "line.csv", lines=True)
    assert label.tolist() == ["00" + read[0]]


def test_sequences_have_one_network(tmp_path, capsys):
    assert run("train", "--sequences", "--augment", "-o", tmp_path / "out") == 2
    assert "are for single digits, not --sequences" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


SEARCH = ["--epochs", "1,3", "--batch-size", "32,64", "--architecture", " compact", "--folds", 2]


def test_search_writes_results_pictures_and_the_best_model(csv_folder, tmp_path, capsys):
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
        (["--epochs", "5,x"], "--epochs should be a number; got 'x'"),
        (["--batch-size", "5,x"], "--batch-size should be a number or auto; got 'x'"),
        (["--epochs", "0,1"], "'epochs' parameter"),
        (["--architecture", "compakt"], "Did you mean 'compact'"),
        (["--filters", "4,-1"], "'filters' parameter"),
    ],
)
def test_a_grid_that_cannot_be_searched_is_refused(tmp_path, capsys, arguments, message):
    folder = tmp_path / "search"
    assert run("search", "-o", folder, *arguments) == 2
    assert message in capsys.readouterr().err
    assert not folder.exists()
