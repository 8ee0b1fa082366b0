import contextlib

import numpy as np
import pandas as pd
import pytest
import sklearn
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skdigits import DigitClassifier, ImageReshaper, PictureCleaner, load, save
from skdigits.preprocessing import clean_line, clean_picture


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
@pytest.mark.parametrize("output", ["image", "flat"])
def test_dtype_and_values_stay(dtype, output):
    X = np.arange(2 * 64).reshape(2, 64).astype(dtype)
    changed = ImageReshaper(output=output).fit_transform(X)
    assert changed.dtype == dtype
    np.testing.assert_array_equal(changed.reshape(2, 64), X)


def test_rows_to_images_and_back():
    X = np.arange(3 * 784).reshape(3, 784)
    reshaper = ImageReshaper()
    images = reshaper.fit_transform(X)
    assert images.shape == (3, 28, 28, 1)
    assert images[1, 2, 5, 0] == X[1, 2 * 28 + 5]
    np.testing.assert_array_equal(reshaper.inverse_transform(images), X)


def test_images_to_rows_and_back():
    X = np.random.default_rng(0).random((3, 4, 5, 2))
    reshaper = ImageReshaper(output="flat")
    rows = reshaper.fit_transform(X)
    assert rows.shape == (3, 40)
    assert reshaper.image_shape_ == (4, 5, 2)
    np.testing.assert_array_equal(reshaper.inverse_transform(rows), rows)


def test_rows_that_are_no_square_are_padded_at_the_end():
    X = np.ones((2, 10), np.uint8)
    reshaper = ImageReshaper()
    with pytest.warns(UserWarning, match="padded with zeros to 4×4.*image_shape"):
        images = reshaper.fit_transform(X)
    assert images.shape == (2, 4, 4, 1)
    assert images.reshape(2, 16)[:, 10:].sum() == 0
    np.testing.assert_array_equal(reshaper.inverse_transform(images), X)


def test_image_shape_is_asked_for_and_checked():
    X = np.ones((2, 12))
    assert ImageReshaper(image_shape=(3, 4)).fit_transform(X).shape == (2, 3, 4, 1)
    with pytest.raises(ValueError, match=r"image_shape=\(3, 5\) means .* 15 values"):
        ImageReshaper(image_shape=(3, 5)).fit(X)
    with pytest.raises(ValueError, match=r"images of shape \(4, 3, 1\)"):
        ImageReshaper(image_shape=(3, 4)).fit(X.reshape(2, 4, 3))


def test_dataframes_and_their_names():
    frame = pd.DataFrame(np.zeros((2, 9), np.uint8), columns=list("abcdefghi"))
    reshaper = ImageReshaper().fit(frame)
    assert reshaper.transform(frame).dtype == np.uint8
    with pytest.raises(ValueError, match="feature names"):
        reshaper.transform(frame.rename(columns={"a": "z"}))


def test_rows_can_be_dataframes_and_images_stay_arrays():
    frame = pd.DataFrame(np.arange(18).reshape(2, 9), columns=list("abcdefghi"), index=[5, 7])
    rows = ImageReshaper(output="flat").set_output(transform="pandas").fit_transform(frame)
    pd.testing.assert_frame_equal(rows, frame)
    for context in (contextlib.nullcontext(), sklearn.config_context(transform_output="pandas")):
        with context:
            reshaper = ImageReshaper().set_output(transform="pandas")
            assert reshaper.fit_transform(frame).shape == (2, 3, 3, 1)
    both = make_pipeline(ImageReshaper(), ImageReshaper(output="flat")).set_output(
        transform="pandas"
    )
    assert list(both.fit_transform(frame).columns) == [f"x{i}" for i in range(9)]
    with pytest.warns(UserWarning, match="Rows of 8 pixels are not square images"):
        padded = ImageReshaper(output="flat").fit(frame.drop(columns="i"))
    assert list(padded.get_feature_names_out()) == [*"abcdefgh", "padding0"]


def test_another_size_is_refused():
    reshaper = ImageReshaper().fit(np.zeros((2, 16)))
    with pytest.raises(ValueError, match="X has 9 features"):
        reshaper.transform(np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"images of shape \(2, 8, 1\)"):
        reshaper.transform(np.zeros((2, 2, 8)))
    with pytest.raises(ValueError, match="9 pixels per image"):
        reshaper.inverse_transform(np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"images of shape \(2, 8, 1\)"):
        reshaper.inverse_transform(np.zeros((2, 2, 8)))
    with pytest.raises(ValueError, match="Expected 2D array"):
        reshaper.inverse_transform(np.zeros(16))


def test_output_is_checked_and_cloned():
    with pytest.raises(ValueError, match="'output' parameter"):
        ImageReshaper(output="rows").fit(np.zeros((2, 16)))
    assert clone(ImageReshaper(output="flat", image_shape=(2, 8))).image_shape == (2, 8)


def test_two_in_a_row_undo_each_other():
    X = np.arange(32.0).reshape(2, 16)
    both = make_pipeline(ImageReshaper(), ImageReshaper(output="flat"))
    np.testing.assert_array_equal(both.fit_transform(X), X)


# -- PictureCleaner --------------------------------------------------------------------------------


@pytest.fixture
def photographs(digits):
    """Pictures of bundled digits, of different sizes and types, and their labels."""
    X, y = digits
    result = []
    for i, image in enumerate(X[:40].reshape(-1, 8, 8)):
        large = np.pad(image.repeat(6 + i % 3, axis=0).repeat(6 + i % 3, axis=1), 9 + i % 4)
        result.append((255 - large, large, Image.fromarray(255 - large), large / 255)[i % 4])
    return result, y[:40]


def test_pictures_of_any_form_become_images(photographs):
    pictures, _ = photographs
    images = PictureCleaner().fit_transform(pictures)
    assert images.shape == (40, 28, 28)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images[2], clean_picture(pictures[2]))
    assert PictureCleaner(height=20).transform(pictures[:3]).shape == (3, 20, 20)


def test_files_give_what_pictures_give(photographs, tmp_path):
    pictures, _ = photographs
    files = []
    for i, picture in enumerate(pictures[:3]):
        files.append(tmp_path / f"{i}.png")
        (picture if i == 2 else Image.fromarray(picture)).save(files[-1])
    images = PictureCleaner().transform(pictures[:3])
    for same in (files, [str(file) for file in files], np.array(files, dtype=object)):
        np.testing.assert_array_equal(PictureCleaner().transform(same), images)
    np.testing.assert_array_equal(PictureCleaner().transform(pd.Series(files)), images)


def test_lines_become_images_of_different_widths(digits):
    X, _ = digits
    lines = [255 - np.hstack([np.pad(image, 2) for image in X[:n].reshape(-1, 8, 8)]).repeat(4, 0)
             .repeat(4, 1) for n in (2, 5)]  # fmt: skip
    images = PictureCleaner("line").fit_transform(lines)
    assert [image.shape[0] for image in images] == [28, 28]
    assert images[0].shape[1] < images[1].shape[1]
    np.testing.assert_array_equal(images[1], clean_line(lines[1]))


def test_a_pipeline_takes_pictures(photographs, tmp_path):
    pictures, y = photographs
    pipeline = make_pipeline(PictureCleaner(), DigitClassifier("compact", epochs=2, random_state=0))
    scores = cross_val_score(pipeline, pictures, y, cv=2)
    assert scores.shape == (2,)
    pipeline.fit(pictures, y)
    labels = pipeline.predict(pictures)
    save(pipeline, tmp_path / "pipeline.skdigits")
    np.testing.assert_array_equal(load(tmp_path / "pipeline.skdigits").predict(pictures), labels)
    assert clone(PictureCleaner("line", height=32)).get_params() == {"output": "line", "height": 32}


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ("a.png", "X should be a list of pictures or picture files; got str"),
        (Image.new("L", (5, 5)), "X should be a list of pictures or picture files; got Image"),
        (3, "X should be a list of pictures or picture files; got int"),
        ([], "X holds no picture"),
        ([np.zeros((9, 9)), np.zeros(9)], r"Picture 1: picture should be an array of shape"),
        ([np.zeros((9, 9)), None], r"Picture 1: picture should be an array"),
        (np.zeros((5, 784)), r"Picture 0: picture should be an array"),
    ],
)
def test_what_is_no_list_of_pictures(pictures, message):
    with pytest.raises(ValueError, match=message) as caught:
        PictureCleaner().transform(pictures)
    assert len(str(caught.value)) <= 300


def test_files_that_are_no_pictures_are_named(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"Picture 0: .*a\.png: not a picture"):
        PictureCleaner().transform([tmp_path / "a.png"])
    with pytest.raises(ValueError, match=r"Picture 0: .*nowhere\.png"):
        PictureCleaner().transform([tmp_path / "nowhere.png"])
    with pytest.raises(ValueError, match="'output' parameter of PictureCleaner"):
        PictureCleaner("page").fit([])
