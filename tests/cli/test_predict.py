import functools
import io
import os
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw, ImageFont
from sklearn.pipeline import make_pipeline

import skdigits
from skdigits import DigitClassifier, ImageReshaper, PictureCleaner, cores, datasets
from skdigits.cli.predict.totals import Totals
from skdigits.cli.predict.writing import cleaning_of, write_predictions
from skdigits.datasets import load_digits, sources
from skdigits.datasets.bunch import Chunk
from skdigits.pictures.line_images import LineImages


def load_first(n):
    X, y = load_digits(return_X_y=True)
    return X[:n], y[:n]


def test_predict_writes_a_submission(run, trained, csv_folder, tmp_path, capsys):
    assert run("predict", trained / "model.skdigits", csv_folder, "-o", tmp_path / "s.csv") == 0
    table = pd.read_csv(tmp_path / "s.csv")
    assert list(table.columns) == ["ImageId", "Label"]
    assert table["ImageId"].tolist() == list(range(1, 101))
    truth = load_digits().target[600:700]
    assert (table["Label"] == truth).mean() > 0.8
    assert "100 labels" in capsys.readouterr().out


def test_the_accuracy_is_shown_where_there_are_labels(run, trained, csv_folder, tmp_path, capsys):
    run("predict", trained / "model.skdigits", csv_folder / "train.csv", "-o", tmp_path / "s.csv")
    model = skdigits.load(trained / "model.skdigits")
    accuracy = model.score(*load_first(600))
    assert f"Accuracy of the labels: {accuracy:.4f}" in capsys.readouterr().out


def test_labels_of_low_probability_are_left_empty(run, trained, csv_folder, tmp_path, capsys):
    model, output = trained / "model.skdigits", tmp_path / "s.csv"
    assert run("predict", model, csv_folder / "train.csv", "-o", output, "--reject-below", 0.9) == 0
    classifier, (X, y) = skdigits.load(model), load_first(600)
    kept = classifier.predict_confidence(X) >= 0.9
    assert 0 < kept.sum() < 600
    table = pd.read_csv(output, keep_default_na=False, dtype=str)
    expected = np.where(kept, classifier.predict(X).astype(str), "")
    assert table["Label"].tolist() == expected.tolist()
    shown = capsys.readouterr().out
    assert f"{600 - kept.sum()} of them are empty, because the probability is below 0.9" in shown
    accuracy = classifier.score(X[kept], y[kept])
    assert f"Accuracy of the {kept.sum()} labels that are not empty: {accuracy:.4f}" in shown


def test_predict_names_pictures(run, csv_folder, tmp_path, capsys):
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


def test_predict_reads_idx_files_without_labels(write_idx, run, trained, tmp_path, capsys):
    write_idx(tmp_path, "t10k", load_digits().images[:20], np.zeros(20, int))
    next(tmp_path.glob("*labels*")).unlink()
    output = tmp_path / "s.csv"
    assert run("predict", trained / "model.skdigits", tmp_path, "-o", output) == 0
    assert len(pd.read_csv(output)) == 20
    assert "Accuracy" not in capsys.readouterr().out


def test_predict_writes_nothing_when_it_fails(run, trained, tmp_path, capsys):
    (tmp_path / "test.csv").write_text("pixel0,pixel1\n1,2\n")
    assert run("predict", trained / "model.skdigits", tmp_path, "-o", tmp_path / "s.csv") == 2
    assert (
        "images of 2 pixels, but the model was trained on images of 8×8 pixels."
        in capsys.readouterr().err
    )
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
    assert "does not exist; create it first" in capsys.readouterr().err


def test_predict_reads_and_writes_in_chunks(run, trained, csv_folder, tmp_path, monkeypatch):
    model, sizes = trained / "model.skdigits", []
    assert run("predict", model, csv_folder, "-o", tmp_path / "whole.csv") == 0
    predict = DigitClassifier.predict_top_k

    def watched(self, X, k):
        sizes.append(len(X))
        return predict(self, X, k)

    monkeypatch.setattr(DigitClassifier, "predict_top_k", watched)
    in_chunks = functools.partial(sources.iter_chunks, chunk_size=30)
    monkeypatch.setattr(sources, "iter_chunks", in_chunks)
    assert run("predict", model, csv_folder, "-o", tmp_path / "parts.csv") == 0
    assert sizes == [30, 30, 30, 10]
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_predict_leaves_no_half_written_file(run, trained, tmp_path, capsys):
    (tmp_path / "test.csv").write_text("a\n" + "1\n" * 9)
    output = tmp_path / "submission.csv"
    output.write_text("the last one")
    assert run("predict", trained / "model.skdigits", tmp_path / "test.csv", "-o", output) == 2
    assert (
        "images of 1 pixels, but the model was trained on images of 8×8 pixels."
        in capsys.readouterr().err
    )
    text = ",".join(["0"] * 64)
    header = ",".join(f"pixel{i}" for i in range(64))
    (tmp_path / "test.csv").write_text(f"{header}\n" + f"{text}\n" * 9000 + f"{text}x\n")
    assert run("predict", trained / "model.skdigits", tmp_path / "test.csv", "-o", output) == 2
    assert "line 9002: '0x' in the column 'pixel63'" in capsys.readouterr().err
    assert output.read_text() == "the last one"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


@pytest.mark.slow
def test_a_recognizer_predicts_pictures_of_sequences(run, trained_recognizer, tmp_path, capsys):
    X, y = load_digits(return_X_y=True)
    images = LineImages(X.reshape(-1, 8, 8)[600:]).as_bytes(0, 255).images
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
    command = "predict", trained_recognizer / "model.skdigits", tmp_path / "lines", "-o", output
    assert run(*command) == 0
    table = pd.read_csv(output, dtype=str, keep_default_na=False)
    names, read = table["ImageId"], table["Label"]
    assert sorted(names) == sorted(f"{text}/{i}.png" for i, text in enumerate(texts))
    correct = np.array([name.split("/")[0] == text for name, text in zip(names, read, strict=True)])
    assert f"Accuracy of the labels: {correct.mean():.4f}" in capsys.readouterr().out
    assert correct.mean() > 0.3

    recognizer = skdigits.load(trained_recognizer / "model.skdigits")
    ((pictures, _),) = datasets.iter_data(tmp_path / "lines", lines=True)
    confidence = recognizer.predict_confidence(pictures)
    threshold = float(np.median(confidence))
    kept = confidence >= threshold
    assert run(*command, "--reject-below", threshold) == 0
    table = pd.read_csv(output, dtype=str, keep_default_na=False)
    assert table["Label"].tolist() == np.where(kept, read, "").tolist()
    expected = f"Accuracy of the {kept.sum()} labels that are not empty: {correct[kept].mean():.4f}"
    assert expected in capsys.readouterr().out

    wide = pictures[0]
    rows = pd.DataFrame(wide.reshape(1, -1)).add_prefix("pixel")
    rows.insert(0, "label", ["00" + read[0]])
    rows.to_csv(tmp_path / "line.csv", index=False)
    ((_, label),) = datasets.iter_data(tmp_path / "line.csv", lines=True)
    assert label.tolist() == ["00" + read[0]]


def test_totals_count_kept_and_correct_labels():
    totals = Totals()
    totals.add(np.array([1, 2, 3]), np.array([True, True, False]), None)
    assert (totals.n_images, totals.n_kept, totals.accuracy) == (3, 2, None)
    totals.add(np.array([1, 2, 3]), np.array([True, True, False]), np.array(["1", "7", "3"]))
    assert (totals.n_images, totals.n_kept, totals.accuracy) == (6, 4, 0.5)


def test_true_labels_that_the_model_cannot_give_do_not_count():
    totals = Totals()
    target = np.array(["1", "unknown", "7", "unknown"])
    totals.add(np.array([1, 2, 3, 4]), np.ones(4, bool), target, lambda label: label.isdigit())
    assert (totals.n_labelled, totals.accuracy) == (2, 0.5)
    assert totals.unknown == {"unknown": 2}
    totals = Totals()
    totals.add(np.array([1]), np.ones(1, bool), np.array(["?"]), str.isdigit)
    assert totals.accuracy is None


def photographs_of_digits(folder, n=6):
    """Bundled digits, black on white, as PNG files."""
    folder.mkdir()
    for i, image in enumerate(load_digits().images[:n]):
        large = np.pad(image.repeat(6, axis=0).repeat(6, axis=1), 12)
        Image.fromarray(255 - large).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A model for images of 28×28 pixels."""
    X, y = load_first(300)
    images = np.pad(X.reshape(-1, 8, 8).repeat(2, axis=1).repeat(2, axis=2), [(0,), (6,), (6,)])
    classifier = DigitClassifier("compact", epochs=1, random_state=0).fit(images, y)
    return skdigits.save(classifier, tmp_path_factory.mktemp("model") / "model.skdigits")


def read_table(path):
    return pd.read_csv(path, keep_default_na=False, dtype=str).set_index("ImageId")["Label"]


def test_a_blank_picture_has_no_label(run, reader, tmp_path, capsys):
    pictures = photographs_of_digits(tmp_path / "pictures")
    Image.new("RGB", (80, 90), "white").save(pictures / "blank.png")
    assert run("predict", reader, pictures, "-o", tmp_path / "s.csv") == 0
    labels = read_table(tmp_path / "s.csv")
    assert labels["blank.png"] == ""
    assert (labels.drop("blank.png") != "").all()
    assert (
        "1 of them is empty, because no digit is found in the pictures." in capsys.readouterr().out
    )


def test_a_bad_picture_does_not_end_the_run(run, reader, tmp_path, capsys):
    pictures = photographs_of_digits(tmp_path / "pictures")
    (pictures / "bad.png").write_text("no picture")
    (pictures / "bad too.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    assert run("predict", reader, pictures, "-o", tmp_path / "s.csv") == 1
    labels = read_table(tmp_path / "s.csv")
    assert len(labels) == 8
    assert (labels[["bad.png", "bad too.jpg"]] == "").all()
    assert (labels.drop(["bad.png", "bad too.jpg"]) != "").all()
    shown = capsys.readouterr()
    assert shown.err.count("not a picture, or damaged") == 2
    assert "bad.png" in shown.err
    assert "2 of them are empty, because the files cannot be read" in shown.out


@pytest.mark.filterwarnings("default:.*several digits")
def test_pictures_of_several_digits_are_named_with_the_way_out(run, reader, tmp_path, capsys):
    pictures = photographs_of_digits(tmp_path / "pictures")
    two = np.hstack([np.asarray(Image.open(pictures / f"{i}.png")) for i in (2, 3)])
    Image.fromarray(two).save(pictures / "two.png")
    assert run("predict", reader, pictures, "-o", tmp_path / "s.csv") == 0
    reported = capsys.readouterr().err
    assert "1 of 7 pictures show several digits (two.png)" in reported
    assert "--sequences" in reported
    assert "Warning" not in reported


def test_pages_of_a_file_have_rows_of_their_own(run, reader, tmp_path):
    pictures = photographs_of_digits(tmp_path / "pictures")
    pages = [Image.open(pictures / f"{i}.png") for i in range(3)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    assert run("predict", reader, tmp_path / "scan.tif", "-o", tmp_path / "s.csv") == 0
    run("predict", reader, pictures, "-o", tmp_path / "t.csv")
    labels = read_table(tmp_path / "s.csv")
    assert labels.index.tolist() == ["scan.tif", "scan.tif#2", "scan.tif#3"]
    assert labels.tolist() == read_table(tmp_path / "t.csv").tolist()[:3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*several digits")
def test_several_processes_write_the_same(run, reader, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cores, "PATIENCE", 0)
    pictures = photographs_of_digits(tmp_path / "pictures")
    pages = [Image.open(pictures / f"{i}.png") for i in range(3)]
    pages[0].save(pictures / "scan.tif", save_all=True, append_images=pages[1:])
    (pictures / "bad.png").write_text("no picture")
    for jobs in (1, 2):
        assert run("predict", reader, pictures, "-o", tmp_path / f"{jobs}.csv", "--jobs", jobs) == 1
        capsys.readouterr()
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert len(read_table(tmp_path / "1.csv")) == 10


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "cp437"])
@pytest.mark.skipif(sys.platform != "linux", reason="file names are text")
def test_any_console_and_any_file_name(run, reader, tmp_path, monkeypatch, encoding):
    pictures = photographs_of_digits(tmp_path / "pictures", n=2)
    odd = os.fsdecode(b"a\xff\xe9.png")
    (pictures / "1.png").rename(pictures / odd)
    shown = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", shown)
    assert run("inspect", pictures, "-o", tmp_path / "out") == 0
    assert run("predict", reader, pictures, "-o", tmp_path / "s.csv") == 0
    labels = read_table(tmp_path / "s.csv")
    assert labels.index.tolist() == ["0.png", r"a\udcff\udce9.png"]
    (pictures / "digits – копия.csv").write_text("no table")
    assert run("inspect", pictures / "digits – копия.csv", "-o", tmp_path / "out") == 2
    shown.flush()
    assert "labels." in shown.buffer.getvalue().decode(encoding)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Pictures of digits and of lines, each with a damaged one among them."""
    folder = tmp_path_factory.mktemp("pictures")
    photographs_of_digits(folder / "digit")
    (folder / "line").mkdir()
    for i in range(4):
        two = [np.asarray(Image.open(folder / "digit" / f"{i + j}.png")) for j in (0, 1)]
        Image.fromarray(np.hstack(two)).save(folder / "line" / f"{i}.png")
    for kind in ("digit", "line"):
        (folder / kind / "3 damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def pipeline_of(kind, form):
    """A Pipeline with a PictureCleaner: alone, before other steps, or within another Pipeline."""
    cleaner = PictureCleaner(kind)
    network = skdigits.load_pretrained("digit" if kind == "digit" else "sequence")
    if form == "nested":
        return make_pipeline("passthrough", make_pipeline(cleaner), make_pipeline(network))
    if form == "more steps":
        rows = ImageReshaper("flat").fit(np.zeros((1, 28, 28), np.uint8))
        return make_pipeline(cleaner, rows, network)
    return make_pipeline(cleaner, network)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("digit", "alone"),
        ("digit", "more steps"),
        ("digit", "nested"),
        ("line", "alone"),
        ("line", "nested"),
    ],
)
def test_a_pipeline_cleans_pictures_once_as_in_python(run, pictures, tmp_path, capsys, kind, form):
    pipeline, folder = pipeline_of(kind, form), pictures / kind
    model = skdigits.save(pipeline, tmp_path / "model.skdigits")
    assert run("predict", model, folder, "-o", tmp_path / "s.csv") == 1
    assert "3 damaged.png: not a picture, or damaged" in capsys.readouterr().err
    labels = read_table(tmp_path / "s.csv")
    assert labels.pop("3 damaged.png") == ""
    expected = pipeline.predict([folder / name for name in labels.index])
    assert labels.tolist() == expected.astype(str).tolist()


def test_a_pipeline_gets_images_that_are_no_pictures_as_they_are(tmp_path):
    images = np.zeros((3, 28, 28), np.uint8)
    images[:, 5:23, 12:16] = 255
    pipeline = pipeline_of("digit", "alone")
    rows = Chunk(images.reshape(3, -1), None)
    for chunk in (rows, Chunk(images, None)):
        write_predictions(pipeline, iter([chunk]), tmp_path / "s.csv")
        found = read_table(tmp_path / "s.csv").tolist()
        assert found == pipeline.predict(images).astype(str).tolist()


def test_pictures_are_cleaned_as_the_pipeline_would(pictures):
    files = sorted((pictures / "digit").glob("[0-9].png"))
    cleaner = PictureCleaner(height=20)
    cleaning = cleaning_of(make_pipeline(cleaner, skdigits.load_pretrained("digit")))
    (chunk,) = sources.iter_chunks(pictures / "digit", cleaning=cleaning)
    found = chunk.data[[not name.startswith("3 ") for name in chunk.names.tolist()]]
    np.testing.assert_array_equal(found.reshape(-1, 20, 20), cleaner.transform(files))
    assert cleaning_of(skdigits.load_pretrained("digit")) is None


def test_true_labels_of_a_folder_unknown_are_named(run, pictures, tmp_path, capsys):
    model = skdigits.save(skdigits.load_pretrained("digit"), tmp_path / "model.skdigits")
    for folder in ("unknown", "0"):
        (tmp_path / folder / folder).mkdir(parents=True)
        content = (pictures / "digit" / "0.png").read_bytes()
        (tmp_path / folder / folder / "0.png").write_bytes(content)
        assert run("predict", model, tmp_path / folder, "-o", tmp_path / "s.csv") == 0
        shown = capsys.readouterr().out
        known = folder == "0"
        assert ("label that the model cannot predict: 1 ('unknown')" in shown) == (not known)
        assert ("Accuracy of the labels: 1.0000" in shown) == known


def test_a_page_has_no_label_and_says_why(run, tmp_path, capsys):
    model = skdigits.save(skdigits.load_pretrained("digit"), tmp_path / "model.skdigits")
    page = Image.new("L", (900, 1200), 255)
    text = "\n".join("31415 92653 58979" for _ in range(16))
    ImageDraw.Draw(page).text((60, 40), text, font=ImageFont.load_default(50), fill=0)
    page.save(tmp_path / "page.png")
    assert run("predict", model, tmp_path / "page.png", "-o", tmp_path / "s.csv") == 0
    assert "1 of them is empty, because the pictures show lines" in capsys.readouterr().out


def test_predict_with_a_pipeline(run, csv_folder, tmp_path):
    X, y = datasets.load_data(csv_folder, return_X_y=True)
    pipeline = make_pipeline(ImageReshaper(), DigitClassifier("compact", epochs=2, random_state=0))
    model = skdigits.save(pipeline.fit(X, y), tmp_path / "model.skdigits")
    assert run("predict", model, csv_folder, "-o", tmp_path / "labels.csv") == 0
    labels = pd.read_csv(tmp_path / "labels.csv")["Label"]
    test = datasets.load_data(csv_folder, subset="test").data
    np.testing.assert_array_equal(labels, pipeline.predict(test))
