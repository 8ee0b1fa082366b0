import contextlib

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skdigits import ImageReshaper


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
    with pytest.raises(ValueError, match=r"image_shape=\(3, 5\) means .* 15 numbers"):
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
    with pytest.raises(ValueError, match=r"\(2, 8, 1\) pixels per image"):
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
