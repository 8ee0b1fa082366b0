import io

import numpy as np
import pytest
from photographs import page
from PIL import Image
from scipy.ndimage import zoom

from skdigits import DigitClassifier, Reading, load_pretrained, read
from skdigits.datasets import load_digits


@pytest.fixture(scope="module")
def digits():
    bunch = load_digits()
    images = zoom(bunch.images, (1, 2.5, 2.5), order=1)
    return np.pad(images, [(0, 0), (4, 4), (4, 4)]), bunch.target


def test_the_lines_of_a_page_are_read_in_order(digits):
    n_right = n_lines = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        picture, _, texts = page(*digits, "plain", rng, n_lines=4)
        found = read(picture)
        assert all(isinstance(reading, Reading) for reading in found)
        n_lines += len(texts)
        n_right += len(set(texts) & {reading.text for reading in found})
        tops = [reading.box[1] for reading in found]
        assert tops == sorted(tops)
        for reading in found:
            assert 0 < reading.confidence <= 1
            assert len(reading.box) == 4
            assert all(isinstance(n, int) for n in reading.box)
    assert n_right >= 0.7 * n_lines  # lines of 8×8 pixels a digit


def test_a_single_digit_is_a_line_of_one(digits):
    images, labels = digits
    chosen = range(0, 200, 10)
    found = [read(np.pad(255 - images[i], 6, constant_values=255)) for i in chosen]
    texts = [readings[0].text if readings else "" for readings in found]
    assert np.mean(np.array(texts) == labels[::10][:20].astype(str)) >= 0.9


def test_a_file_a_picture_and_an_array_read_the_same(digits, tmp_path):
    picture, _, _ = page(*digits, "plain", np.random.default_rng(3), n_lines=2)
    picture = Image.fromarray(np.asarray(picture, np.uint8))
    picture.save(tmp_path / "page.png")
    expected = read(np.asarray(picture))
    assert expected
    assert read(picture) == read(tmp_path / "page.png") == read(str(tmp_path / "page.png"))
    assert read(picture) == expected


def test_the_number_of_digits_may_be_known(digits):
    picture, _, texts = page(*digits, "plain", np.random.default_rng(4), n_lines=3)
    for n in (1, 3):
        assert all(len(reading.text) == n for reading in read(picture, digits=n))
    (longest,) = [len(max(texts, key=len))]
    assert len(read(picture, digits=longest)) >= 1
    for wrong in (0, 1.5, "3", True):
        with pytest.raises(ValueError, match="digits should be a whole number from 1"):
            read(picture, digits=wrong)


def test_a_model_of_ones_own(digits):
    images, labels = digits
    picture = np.pad(255 - images[3], 6, constant_values=255)
    named = DigitClassifier("compact", epochs=2, random_state=0)
    named.fit(images[:500], np.array(list("abcdefghij"))[labels[:500]])
    (reading,) = read(picture, model=named)
    assert reading.text in "abcdefghij"
    assert reading.box[2] > reading.box[0]
    (reading,) = read(picture, model=load_pretrained("sequence"))
    assert reading.text.isdigit()


def test_what_is_no_picture_is_refused_and_what_is_blank_has_no_lines(tmp_path):
    assert read(np.full((100, 100), 255, np.uint8)) == []
    (tmp_path / "text.png").write_bytes(io.BytesIO(b"no picture").getvalue())
    with pytest.raises(ValueError, match="not a picture, or damaged"):
        read(tmp_path / "text.png")
    with pytest.raises(ValueError, match="picture should be an array of shape"):
        read(np.zeros(7))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing.png")
