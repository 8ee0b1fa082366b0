import json
import re
import tempfile

import numpy as np
import pandas as pd
import pytest
from matplotlib import image
from PIL import Image

import skdigits
from skdigits import DigitSequenceRecognizer
from skdigits.cli.train.progress import fit_with_progress
from skdigits.datasets import load_digits
from skdigits.metrics import probability_figures


def test_train_writes_model_metrics_and_figures(trained, capsys):
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
    from sklearn.model_selection import train_test_split

    from skdigits.datasets import load_kaggle

    X, y = load_kaggle(csv_folder, return_X_y=True)
    _, X, _, y = train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)
    model = skdigits.load(trained / "model.skdigits")
    metrics = json.loads((trained / "metrics.json").read_text())
    assert model.score(X, y) == metrics["accuracy"]
    figures = probability_figures(y, model.predict_proba(X), model.classes_)
    assert {name: metrics[name] for name in figures} == pytest.approx(figures)
    assert pd.read_csv(trained / "history.csv")["loss"].tolist() == pytest.approx(
        model.history_["loss"]
    )


def test_train_prints_a_line_per_epoch_and_a_report(run, csv_folder, tmp_path, capsys):
    run("train", csv_folder, "-o", tmp_path, "--epochs", 2, "--architecture", "lenet")
    printed = capsys.readouterr().out
    assert len(re.findall(r"^epoch +\d  accuracy 0\.\d{4}  loss \d", printed, re.M)) == 2
    assert "480 images to train on, 120 held out" in printed
    assert "f1-score" in printed
    accuracy = json.loads((tmp_path / "metrics.json").read_text())["accuracy"]
    assert f"Test accuracy {accuracy:.4f} on 120 held-out images" in printed


def test_options_of_train_reach_the_classifier(run, csv_folder, tmp_path):
    options = (
        "--epochs 3 --batch-size 50 --augment --augment --learning-rate 0.002 --early-stopping"
    )
    numbers = "--seed 4 --test-fraction 0.5"
    run("train", csv_folder, "-o", tmp_path, *options.split(), *numbers.split())
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    expected = {"batch_size": 50, "augment": 2, "learning_rate": 0.002, "early_stopping": True}
    assert expected.items() <= metrics["parameters"].items()
    assert metrics["parameters"]["random_state"] == 4
    assert metrics["n_test"] == 300


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_a_diverged_training_leaves_what_was_there(run, csv_folder, tmp_path, capsys):
    (tmp_path / "model.skdigits").write_text("old")
    assert run("train", csv_folder, "-o", tmp_path, "--learning-rate", 1e30) == 2
    assert "diverged, and no model is saved. Lower --learning-rate" in capsys.readouterr().err
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_folder_that_cannot_be_written_into_is_refused_before_training(
    run, csv_folder, tmp_path, capsys, monkeypatch
):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert run("train", csv_folder, "-o", tmp_path) == 2
    shown = capsys.readouterr()
    assert f"{tmp_path}: Permission denied" in shown.err
    assert "epoch" not in shown.out


@pytest.mark.slow
@pytest.mark.parametrize("sequences", [False, True])
def test_images_that_are_no_squares_are_read_as_they_are(write_idx, run, tmp_path, sequences):
    images, labels = load_digits().images.astype(np.uint8)[:200], load_digits().target[:200]
    folder, output = tmp_path / "data", tmp_path / "out"
    folder.mkdir()
    for subset in ("train", "t10k"):
        write_idx(folder, subset, np.pad(images, [(0, 0), (0, 0), (1, 3)]), labels)
    options = ["--architecture", "compact"]
    if sequences:
        options = ["--sequences", "--sequences-per-epoch", 500]
    assert run("train", folder, "-o", output, "--epochs", 1, *options) == 0
    model = output / "model.skdigits"
    assert skdigits.load(model).image_shape_[:2] == (8, 12)
    assert run("predict", model, folder, "-o", tmp_path / "s.csv") == 0
    read = pd.read_csv(tmp_path / "s.csv", dtype=str, keep_default_na=False)["Label"]
    expected = skdigits.load(model).predict(np.pad(images, [(0, 0), (0, 0), (1, 3)]))
    assert read.tolist() == expected.astype(str).tolist()


def test_bad_options_are_refused_before_any_reading(run, tmp_path, capsys):
    for option, value, message in [
        ("--batch-size", "many", "--batch-size should be a whole number or auto; got 'many'"),
        ("--learning-rate", "fast", "--learning-rate should be a number or auto"),
        ("--architecture", "lenett", "Did you mean 'lenet'?"),
        ("--batch-size", "0", "The 'batch_size' parameter of DigitClassifier must be"),
    ]:
        assert run("train", "-o", tmp_path / "out", option, value) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_train_sequences_writes_model_metrics_and_figures(trained_recognizer):
    text = (trained_recognizer / "metrics.json").read_text()
    metrics = json.loads(text, parse_constant=pytest.fail)  # NaN is no JSON
    assert metrics["per_length"]["repeated_exact_match"][0] is None
    assert metrics["exact_match"] > 0.5
    assert metrics["per_length"]["length"] == list(range(1, 9))
    assert metrics["n_test"] == sum(metrics["per_length"]["n_sequences"]) == 2000
    history = pd.read_csv(trained_recognizer / "history.csv")
    assert len(history) == 2
    assert history["val_accuracy"].iloc[-1] > 0.4  # of held-out digits, without any option
    for name in ("accuracy.png", "loss.png", "coverage.png", "sequences.png"):
        assert image.imread(trained_recognizer / name).std() > 0.02, name
    assert isinstance(skdigits.load(trained_recognizer / "model.skdigits"), DigitSequenceRecognizer)


@pytest.mark.slow
def test_training_in_a_style_of_real_pictures(run, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("train", "--style", "mixed", "--epochs", "1", "-o", out) == 0
    assert skdigits.load(out / "model.skdigits").style == "mixed"
    for options, message in (
        (("--style", "hand"), "--style"),
        (("--style", "mixed", "--augment"), "omit --augment"),
    ):
        assert run("train", *options, "-o", tmp_path / "other") == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_a_model_adapts_to_few_pictures(run, trained, trained_recognizer, tmp_path, capsys):
    """Mirrored digits are read after a further fit; so are lines of them."""
    images = 255 - np.kron(load_digits().images[:300], np.ones((4, 4)))
    labels = load_digits().target[:300]
    for number, (picture, label) in enumerate(zip(images[:60], labels[:60], strict=True)):
        folder = tmp_path / "digits" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        mirrored = np.pad(picture[:, ::-1], 4, constant_values=255)
        Image.fromarray(mirrored.astype(np.uint8)).save(folder / f"{number}.png")
    out = tmp_path / "adapted"
    n_before = skdigits.load_pretrained("digit").n_iter_
    assert run("train", tmp_path / "digits", "--from", "digit", "-o", out, "--epochs", 5) == 0
    model = out / "model.skdigits"
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["score_before"] < metrics["accuracy"]
    printed = capsys.readouterr().out
    assert f"Score before adaptation: {metrics['score_before']:.4f}" in printed
    assert re.findall(r"^epoch +(\d+) ", printed, re.M) == list("12345")
    assert skdigits.load(model).n_iter_ == n_before + 5
    for options, message in (
        (("--sequences",), "--from keeps the network"),
        (("--from", trained / "history.csv"), "history.csv"),
    ):
        given = ("train", tmp_path / "digits", "--from", model, *options, "-o", tmp_path / "no")
        assert run(*given) == 2
        assert message in capsys.readouterr().err
    lines = tmp_path / "lines"
    lines.mkdir()
    texts = ["".join(map(str, labels[i : i + 3])) for i in range(0, 60, 3)]
    for number, _ in enumerate(texts):
        line = np.hstack([np.pad(images[3 * number + i], 4, constant_values=255) for i in range(3)])
        Image.fromarray(line.astype(np.uint8)).save(lines / f"{number}.png")
    rows = [f"{number}.png,{text}" for number, text in enumerate(texts)]
    (lines / "labels.csv").write_text("\n".join(["ImageId,Label", *rows]))
    recognizer = trained_recognizer / "model.skdigits"
    assert run("train", lines, "--from", recognizer, "-o", tmp_path / "read", "--epochs", 1) == 0
    metrics = json.loads((tmp_path / "read" / "metrics.json").read_text())
    assert metrics["n_train"] == 16
    assert run("train", "digits", "--from", recognizer, "-o", tmp_path / "no") == 2
    assert "needs pictures of lines, but DATA contains no pictures" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


@pytest.mark.filterwarnings("ignore:.*several digits")
@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (["218", "0044"], ["--from", "digit"], r"lines of digits, such as '0044'.*--from sequence"),
        (["218", "0044"], ["--sequences"], r"lines of digits, such as '\d+'.*--from sequence"),
        (["3", "4"], ["--from", "sequence"], "pictures of single digits.*--from digit"),
        (["3", "x"], ["--from", "digit"], "the label 'x', which the model of --from does not know"),
        (["3", "x"], ["--sequences"], "the label 'x'.*labels are 0 to 9"),
    ],
)
def test_pictures_of_another_kind_name_the_right_option(
    run, tmp_path, capsys, labels, options, message
):
    images = 255 - np.pad(
        load_digits().images[:4].repeat(6, axis=1).repeat(6, axis=2), [(0,), (12,), (12,)]
    )
    for i, image_of_digit in enumerate(images):
        folder = tmp_path / "data" / labels[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image_of_digit.astype(np.uint8)).save(folder / f"{i}.png")
    options = [*options, "--test-fraction", 0.5]
    assert run("train", tmp_path / "data", *options, "-o", tmp_path / "out") == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("sequences", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_training_on_all_images_saves_a_model_without_a_test(
    run, csv_folder, tmp_path, capsys, sequences
):
    options = ["--architecture", "compact"]
    if sequences:
        options = ["--sequences", "--style", "tiles", "--sequences-per-epoch", 200]
    arguments = "train", csv_folder, *options, "--epochs", 1, "--test-fraction", 0, "-o", tmp_path
    assert run(*arguments) == 0
    shown = capsys.readouterr().out
    assert "600 images to train on, none held out for testing." in shown
    assert "No image was held out" in shown
    assert {file.name for file in tmp_path.iterdir()} == {
        *("model.skdigits", "history.csv", "metrics.json", "accuracy.png", "loss.png")
    }
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["n_train"], metrics["n_test"], metrics["test_fraction"]) == (600, 0, 0)
    assert not {"accuracy", "exact_match"} & metrics.keys()
    assert skdigits.load(tmp_path / "model.skdigits").n_iter_ == 1


def test_sequences_have_one_network(run, tmp_path, capsys):
    assert run("train", "--sequences", "--augment", "-o", tmp_path / "out") == 2
    assert "are for single digits; omit them" in capsys.readouterr().err
    assert run("train", "--sequences-per-epoch", 500, "-o", tmp_path / "out") == 2
    assert "--sequences-per-epoch needs --sequences" in capsys.readouterr().err
    assert run("train", "--signs", ".,", "-o", tmp_path / "out") == 2
    assert "--signs needs --sequences" in capsys.readouterr().err
    assert run("train", "--sequences", "--signs", "%", "-o", tmp_path / "out") == 2
    assert "signs contains '%', but lines of the style 'handwritten'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class Recorder:
    """An estimator that records on which images it is validated."""

    epochs, early_stopping, validation_fraction = 1, False, None

    def set_params(self, **params):
        return self

    def fit(self, X, y, X_val=None, y_val=None):
        self.validated_on = X_val


@pytest.mark.parametrize(
    ("parameters", "held_out", "expected"),
    [
        ({}, ("X", ["y"]), "X"),
        ({}, ("X", []), None),  # all images are trained on
        ({"validation_fraction": 0.1}, ("X", ["y"]), None),
        ({"early_stopping": True}, ("X", ["y"]), None),  # the test must not choose the epoch
    ],
)
def test_held_out_images_score_each_epoch_but_never_stop_training(parameters, held_out, expected):
    estimator = Recorder()
    vars(estimator).update(parameters)
    fit_with_progress(estimator, "X", "y", None, held_out)
    assert estimator.validated_on == expected
