"""What a user may write: type checkers find no error in it, and miss none of its mistakes.

`.ci/run` gives it to mypy and to pyright, which also report a comment that hides no error;
test_typing.py runs it.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import assert_type

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

import skdigits
from skdigits import (
    DigitClassifier,
    DigitSequenceRecognizer,
    EpochSearchCV,
    ImageReshaper,
    PictureCleaner,
    Reading,
    export,
    load,
    load_pretrained,
    read,
    save,
)
from skdigits.datasets import iter_data, load_data, load_digits, make_digit_sequences
from skdigits.inspection import (
    CleaningDisplay,
    CoverageDisplay,
    HistoryDisplay,
    ImageGridDisplay,
    LabelCountDisplay,
    SearchScoreDisplay,
    SequenceGridDisplay,
)
from skdigits.metrics import character_error_rate, coverage_curve, exact_match_score


def train(folder: Path) -> DigitClassifier:
    bunch = load_digits()
    X, y = bunch.data[:300], bunch.target[:300]
    classifier = DigitClassifier(
        "compact",
        learning_rate=0.01,
        epochs=2,
        batch_size=64,
        image_shape=(8, 8),
        class_weight={0: 2.0},
        keep_epochs=[1, 2],
        checkpoint=folder,
        random_state=np.random.RandomState(0),
    )
    assert_type(classifier.fit(X, y, X_val=X[:50], y_val=y[:50]), DigitClassifier)
    assert_type(classifier.predict(X[:5]), np.ndarray)
    assert_type(classifier.predict_proba(X.reshape(-1, 8, 8)[:5]), np.ndarray)
    assert_type(classifier.predict(X[:5].tolist()), np.ndarray)
    assert_type(classifier.predict_top_k(X[:5], k=2), tuple[np.ndarray, np.ndarray])
    assert_type(classifier.score(X, y), float)
    assert_type(classifier.set_params(patience=3), DigitClassifier)
    assert_type(classifier.history_, dict[str, list[float]])
    assert_type(classifier.at_epoch(1), DigitClassifier)
    for labels in classifier.staged_predict(X[:5]):
        print(labels.tolist(), classifier.classes_.dtype, classifier.n_iter_)
    frame = pd.DataFrame(X)
    return DigitClassifier("compact", epochs=1).fit(frame, pd.Series(y)).partial_fit(frame, y)


def search() -> EpochSearchCV:
    X, y = load_digits(return_X_y=True)
    grid = {"epochs": [1, 2], "learning_rate": [0.01, 0.02]}
    found = EpochSearchCV(
        DigitClassifier("compact", batch_size=64, random_state=0), grid, cv=2, scoring="accuracy"
    )
    found.fit(X[:100], y[:100])
    print(found.best_params_["epochs"], found.best_score_ > 0.9, found.predict(X[:5]).tolist())
    SearchScoreDisplay.from_estimator(found)
    return found


def recognize(folder: Path) -> list[str]:
    X, y = load_digits(return_X_y=True)
    images, texts = make_digit_sequences(X.reshape(-1, 8, 8), y, 4, lengths=(2, 3), random_state=0)
    recognizer = load_pretrained("sequence")
    assert_type(recognizer, DigitSequenceRecognizer)
    found = recognizer.predict(images)
    assert_type(found, np.ndarray)
    print(exact_match_score(texts, found), character_error_rate(texts, found))
    print(recognizer.predict([images[0], images[1][:, :40]]), recognizer.locate(images).shape)
    SequenceGridDisplay.from_estimator(recognizer, images, texts)
    return [str(text) for text in found]


def train_recognizer() -> DigitSequenceRecognizer:
    X, y = load_digits(return_X_y=True)
    recognizer = DigitSequenceRecognizer(style="mixed", lengths={3: 0.5, 4: 0.5}, epochs=1)
    return recognizer.fit(X.reshape(-1, 8, 8), y)


def read_picture(folder: Path) -> list[Reading]:
    picture = Image.new("L", (320, 120), 230)
    ImageDraw.Draw(picture).text((40, 20), "47205", fill=40, font=ImageFont.load_default(72))
    picture.save(folder / "number.png")
    for reading in read(folder / "number.png"):
        left, top, right, bottom = reading.box
        print(reading.text, round(reading.confidence), right - left, bottom - top)
    cleaner = PictureCleaner("line").fit([])
    CleaningDisplay.from_pictures([picture], output="line")
    print(len(cleaner.transform([picture, np.asarray(picture), str(folder / "number.png")])))
    with open(folder / "number.png", "rb") as file:
        print(read(file)[0].text, read((folder / "number.png").read_bytes())[0].text)
    print(read(picture, pattern="dd.ddd"), read(picture, pattern=["ddddd", "d+-d"]))
    return read(picture, digits=5, model=load_pretrained("sequence"))


def show(classifier: DigitClassifier) -> None:
    bunch = load_data()
    X, y = bunch.data[:100], bunch.target[:100]
    display = HistoryDisplay.from_estimator(classifier, metric="loss")
    print(display.figure_.get_size_inches(), display.ax_.get_title())
    CoverageDisplay.from_estimator(classifier, X, y, name="compact").plot()
    ImageGridDisplay.from_samples(X.reshape(-1, 8, 8), y, n_images=4)
    LabelCountDisplay.from_labels(y)
    coverage, accuracy, _ = coverage_curve(
        y, classifier.predict(X), classifier.predict_confidence(X)
    )
    print(coverage.max(), accuracy.max())


def keep(classifier: DigitClassifier, folder: Path) -> DigitClassifier:
    path = save(classifier, folder / "model.skdigits")
    print(export(classifier, str(folder / "model.onnx")).name, path.name)
    again: DigitClassifier = load(path)
    X, _ = load_digits(return_X_y=True)
    images = ImageReshaper().fit_transform(X)
    np.savez(folder / "images.npz", images=images)
    for data, target in iter_data(folder / "images.npz", chunk_size=1000):
        print(again.predict(data[:3]).tolist(), target)
    return again


def make_mistakes() -> None:
    """All of these are errors."""
    DigitClassifier(epochs="3")  # type: ignore[arg-type]
    DigitClassifier(warm_start="adopt")  # type: ignore[arg-type]
    DigitClassifier(optimizer=3)  # type: ignore[arg-type]
    DigitClassifier(epoch=3)  # type: ignore[call-arg]
    DigitClassifier().fit([[0, 1]], [0], epochs=3)  # type: ignore[arg-type]
    DigitSequenceRecognizer(style="handwriting")  # type: ignore[arg-type]
    read("page.png", digits="5")  # type: ignore[arg-type]
    save(DigitClassifier())  # type: ignore[call-arg]


if __name__ == "__main__":
    print(skdigits.__version__)
    with TemporaryDirectory() as name:
        trained = train(Path(name))
        search()
        print(recognize(Path(name)))
        print(read_picture(Path(name)))
        show(trained)
        print(keep(trained, Path(name)).epochs)
