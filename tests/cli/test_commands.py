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
from PIL import Image

import skdigits
from skdigits import DigitSequenceRecognizer
from skdigits.cli import reports
from skdigits.datasets import load_digits
from skdigits.inspection import ImageGridDisplay
from skdigits.metrics import probability_figures
from skdigits.pictures.cutting import cut_lines

COMMAND = Path(sys.executable).with_name("skdigits")


def test_the_installed_command_has_help_and_a_version():
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


def test_errors_name_the_options_of_the_command(write_idx, run, trained, tmp_path, capsys):
    from PIL import Image

    Image.new("L", (30, 30)).save(tmp_path / "a.png")
    write_idx(tmp_path, "train", load_digits().images[:20], load_digits().target[:20])
    for arguments, message in (
        (["predict", trained, tmp_path], "is a folder; expected a file, such as a model.skdigits"),
        (
            ["predict", trained / "model.skdigits", tmp_path / "a.png", "-o", tmp_path / "s.csv"],
            "The model was trained on images of 8×8 pixels; these have 784.",
        ),
        (
            ["train", tmp_path, "-o", tmp_path / "out"],
            "--test-fraction is the share of the",
        ),
        (["compare", tmp_path, "-o", tmp_path / "out", "--test-fraction", 0.1], "--test-fraction"),
    ):
        assert run(*arguments) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_a_diverged_training_leaves_what_was_there(run, csv_folder, tmp_path, capsys):
    (tmp_path / "model.skdigits").write_text("old")
    assert run("train", csv_folder, "-o", tmp_path, "--learning-rate", 1e30) == 2
    assert "diverged, and no model is saved; lower --learning-rate" in capsys.readouterr().err
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
        ("--batch-size", "many", "--batch-size should be a number or auto; got 'many'"),
        ("--learning-rate", "fast", "--learning-rate should be a number or auto"),
        ("--architecture", "lenett", "Did you mean 'lenet'?"),
        ("--batch-size", "0", "The 'batch_size' parameter of DigitClassifier must be"),
    ]:
        assert run("train", "-o", tmp_path / "out", option, value) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_inspect_prints_and_draws(run, tmp_path, capsys):
    assert run("inspect", "-o", tmp_path) == 0
    printed = capsys.readouterr().out
    for fact in ("1797", "64", "8×8", "0 to 255", "missing values", "115008", "77.85"):
        assert fact in printed
    labels = re.findall(r"^(\d) +(\d{3}) +\d+\.\d%", printed, re.M)
    assert labels[0] == ("3", "183")
    assert labels[-1] == ("8", "174")
    assert {file.name for file in tmp_path.iterdir()} == {"labels.png", "samples.png", "means.png"}


@pytest.mark.parametrize("labelled", [True, False])
def test_inspect_draws_pictures_before_and_after(run, tmp_path, capsys, labelled):
    for i, digit in enumerate(load_digits().images[:8]):
        folder = tmp_path / "pictures" / (str(i % 2) if labelled else "")
        folder.mkdir(parents=True, exist_ok=True)
        large = np.pad(digit.repeat(6, axis=0).repeat(6, axis=1), 12)
        Image.fromarray(255 - large).save(folder / f"{i}.png")
    assert run("inspect", tmp_path / "pictures", "-o", tmp_path / "out") == 0
    drawn = {file.name for file in (tmp_path / "out").iterdir()}
    labels = {"labels.png", "means.png"} if labelled else set()
    assert drawn == {"samples.png", "cleaning.png"} | labels
    assert run("inspect", tmp_path / "pictures", "--sequences", "-o", tmp_path / "lines") == 0
    assert {file.name for file in (tmp_path / "lines").iterdir()} == {"cleaning.png"}
    assert run("inspect", "--sequences", "-o", tmp_path / "none") == 2
    assert "--sequences is for pictures of lines" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("--sequences",)])
def test_inspect_names_damaged_pictures_and_draws_the_others(run, tmp_path, capsys, options):
    (tmp_path / "p" / "0").mkdir(parents=True)
    large = np.pad(load_digits().images[0].repeat(6, axis=0).repeat(6, axis=1), 12)
    Image.fromarray(255 - large).save(tmp_path / "p" / "0" / "a.png")
    (tmp_path / "p" / "0" / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    (tmp_path / "p" / "0" / "c.png").symlink_to("gone.png")
    assert run("inspect", tmp_path / "p", *options, "-o", tmp_path / "out") == 1
    errors = capsys.readouterr().err
    assert "b.jpg: not a picture, or damaged" in errors
    assert "c.png: No such file or directory" in errors
    assert (tmp_path / "out" / "cleaning.png").is_file()
    (tmp_path / "p" / "0" / "a.png").unlink()
    assert run("inspect", tmp_path / "p", *options, "-o", tmp_path / "none") == 2
    assert "None of the pictures can be read" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_inspect_draws_the_lines_of_a_page(run, tmp_path, monkeypatch):
    page = Path(__file__).parent.parent / "pictures" / "page.jpg"
    shown = []
    monkeypatch.setattr(reports, "save_figure", lambda display, path: shown.append(display))
    assert run("inspect", page, "-o", tmp_path) == 0
    (display,) = shown
    assert display.captions == [f"page.jpg, line {i}" for i in range(1, 6)]
    for drawn, expected in zip(display.images, cut_lines(Image.open(page))[0], strict=True):
        np.testing.assert_array_equal(drawn, expected)


def test_inspect_takes_idx_files_and_pixels_that_make_no_square(
    write_idx, run, tmp_path, capsys, monkeypatch
):
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


def test_the_main_job_on_kaggles_files(run, kaggle_folder, tmp_path):
    """Both commands on the whole, at the defaults: the figure in the README."""
    assert run("train", kaggle_folder, "-o", tmp_path) == 0
    submission = tmp_path / "submission.csv"
    assert run("predict", tmp_path / "model.skdigits", kaggle_folder, "-o", submission) == 0
    ours, truth = pd.read_csv(submission), pd.read_csv(kaggle_folder / "test_labels.csv")
    assert len(ours) == 28_000
    assert (ours["ImageId"] == truth["ImageId"]).all()
    assert (ours["Label"] == truth["Label"]).mean() >= 0.982


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
        (("--style", "mixed", "--augment"), "leave out one of them"),
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
    assert "adapts to pictures of lines, and DATA holds none" in capsys.readouterr().err
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
    assert "are for single digits; leave them out" in capsys.readouterr().err
    assert run("train", "--sequences-per-epoch", 500, "-o", tmp_path / "out") == 2
    assert "--sequences-per-epoch is for --sequences" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


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
        (["--epochs", "5,x"], "--epochs should be a number; got 'x'"),
        (["--batch-size", "5,x"], "--batch-size should be a number or auto; got 'x'"),
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
    assert "diverged, and no model is saved; lower --learning-rate" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["journal.jsonl"]


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
    assert "1437 images to train on, 1797 to test on." in shown
    assert re.search(r"KNeighbors +0\.9\d+ after training on 1000 images", shown)
    assert "…" not in shown
    for row in table.to_dict("records"):
        assert f"{row['accuracy_low']:.4f} to {row['accuracy_high']:.4f}" in shown
        assert f"{row['megabytes']:.2f} MB" in shown
    assert run("compare", "--classifiers", "SVM", "-o", tmp_path / "no") == 2
    assert "Unknown classifier 'SVM'. Did you mean 'SVC'" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_export_writes_a_network_that_predicts_as_the_model(run, trained, csv_folder, tmp_path):
    import onnxruntime

    from skdigits import load
    from skdigits.datasets import load_data

    model, file = trained / "model.skdigits", tmp_path / "digits.onnx"
    assert run("export", model, "-o", file) == 0
    X = load_data(csv_folder, subset="test").images
    (found,) = onnxruntime.InferenceSession(file).run(None, {"pixels": X[..., np.newaxis]})
    np.testing.assert_allclose(found, load(model).predict_proba(X), atol=1e-6)


def test_export_refuses_other_formats_and_files(run, trained, tmp_path, capsys):
    model = trained / "model.skdigits"
    assert run("export", model, "-o", tmp_path / "model.h5") == 2
    assert "should end in .onnx or .keras or .tflite" in capsys.readouterr().err
    assert run("export", trained / "metrics.json", "-o", tmp_path / "model.onnx") == 2
    assert "cannot be read as a file written by skdigits.save" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_predict_with_a_pipeline(run, csv_folder, tmp_path):
    from sklearn.pipeline import make_pipeline

    from skdigits import DigitClassifier, ImageReshaper, save
    from skdigits.datasets import load_data

    X, y = load_data(csv_folder, return_X_y=True)
    pipeline = make_pipeline(ImageReshaper(), DigitClassifier("compact", epochs=2, random_state=0))
    model = save(pipeline.fit(X, y), tmp_path / "model.skdigits")
    assert run("predict", model, csv_folder, "-o", tmp_path / "labels.csv") == 0
    labels = pd.read_csv(tmp_path / "labels.csv")["Label"]
    test = load_data(csv_folder, subset="test").data
    np.testing.assert_array_equal(labels, pipeline.predict(test))
