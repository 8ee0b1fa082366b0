import warnings

import numpy as np
import photographs
import pytest
from PIL import Image

from skdigits.pictures import clean_line, clean_picture
from skdigits.pictures.cleaning import _whole_line, clean_and_count


def centre(image):
    image = image.astype(float)
    return [image.sum(axis=axis) @ np.arange(28) / image.sum() for axis in (1, 0)]


def test_a_picture_becomes_an_image_in_mnists_style(digit):
    image = clean_picture(digit)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() == 255
    rows, columns = np.nonzero(image > 60)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
    np.testing.assert_allclose(centre(image), 13.5, atol=0.5)
    assert np.median(image) == 0


def test_place_polarity_colour_and_transparency_do_not_matter(digit):
    image = clean_picture(digit)
    moved = np.full_like(digit, 255)
    moved[40:, :] = digit[:80]
    transparent = np.zeros((*digit.shape, 4), np.uint8)
    transparent[..., 3] = 255 - digit
    for same in (moved, 255 - digit, np.stack([digit] * 3, axis=-1), transparent,
                 Image.fromarray(digit), (digit // 2 + 60), digit.astype(float)):  # fmt: skip
        np.testing.assert_allclose(clean_picture(same).astype(int), image, atol=8)


def test_size_hardly_matters(digit):
    large = np.asarray(Image.fromarray(digit).resize((450, 600)))
    difference = clean_picture(large).astype(int) - clean_picture(digit)
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize("blank", [np.zeros((9, 9)), np.full((50, 40), 255), np.full((3, 3), 90)])
def test_a_blank_picture_gives_zeros(blank):
    np.testing.assert_array_equal(clean_picture(blank), np.zeros((28, 28)))
    for output in ("digit", "line"):
        assert clean_and_count(blank, output, 28)[1] == 0
    noise = np.random.default_rng(0).integers(-5, 6, blank.shape)
    assert clean_picture(np.clip(blank + noise, 0, 255)).max() == 0


def test_thin_and_tiny_pictures():
    line = np.zeros((200, 5), np.uint8)
    line[10:190, 2] = 255
    assert (clean_picture(line).max(axis=1) > 0).sum() == 20
    assert clean_picture([[0, 0, 0], [0, 255, 0], [0, 0, 0]]).max() == 255


def alike(image, other):
    return np.corrcoef(image.ravel(), other.ravel())[0, 1] > 0.85


@pytest.mark.parametrize("kind", [*photographs.KINDS, *photographs.MIXTURES])
def test_a_digit_on_any_paper_in_any_light(digits, kind):
    rng = np.random.default_rng(2)
    good = 0
    for image in digits[0][:20]:
        ink = photographs.place(image, rng)
        plain = clean_picture(photographs.shoot(ink, "plain", rng))
        good += alike(clean_picture(photographs.shoot(ink, kind, rng)), plain)
    assert good >= (17 if "+" not in kind else 13)  # of bundled digits, which are coarse


@pytest.mark.parametrize("kind", photographs.KINDS)
def test_paper_without_a_digit_gives_zeros(kind):
    rng = np.random.default_rng(4)
    blank = [photographs.shoot(np.zeros((160, 160)), kind, rng) for _ in range(10)]
    n_inked = sum(clean_picture(picture).any() for picture in blank)
    assert n_inked <= (4 if kind == "texture" else 2)  # strong grain may look like strokes


def test_a_small_digit_in_a_large_picture(digit):
    large = np.full((900, 700), 255, np.uint8)
    large[600:720, 500:590] = digit
    difference = clean_picture(large).astype(int) - clean_picture(digit)
    assert np.abs(difference).mean() < 6


def test_several_digits_in_a_picture_are_reported(digits):
    rng = np.random.default_rng(0)
    picture, _, (text,) = photographs.page(*digits, "plain", rng, n_lines=1)
    assert len(text) > 1
    with pytest.warns(
        UserWarning, match="several digits; .* to a DigitSequenceRecognizer"
    ) as reported:
        image = clean_picture(picture)
    assert reported[0].filename == __file__
    assert image.any()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clean_line(picture)


@pytest.mark.parametrize("kind", [*photographs.KINDS, *photographs.MIXTURES])
def test_a_line_on_any_paper_in_any_light(digits, kind):
    picture, _, _ = photographs.page(*digits, "plain", np.random.default_rng(7), n_lines=1)
    plain = clean_line(picture)
    assert plain.shape[0] == 28
    assert plain.dtype == np.uint8
    # The same seed draws the same ink before the paper is drawn.
    picture, _, _ = photographs.page(*digits, kind, np.random.default_rng(7), n_lines=1)
    image = clean_line(picture)
    assert abs(image.shape[1] - plain.shape[1]) <= 40  # specks beside the line may stay
    assert 0.5 < image.sum(dtype=float) / plain.sum(dtype=float) < 1.4


def test_the_height_of_a_line():
    rng = np.random.default_rng(0)
    page = np.full((60, 200), 240, np.uint8)
    for left in range(20, 180, 25):
        page[10:50, left : left + 6] = rng.integers(20, 40)
    page[45:48, 30:34] = 30  # a point
    line = clean_line(page)
    rows = np.flatnonzero(line.max(axis=1) > 128)
    assert rows.tolist() == list(range(4, 24))
    assert not clean_line(np.full((40, 90), 200, np.uint8)).any()
    assert clean_line(page, height=56).shape[0] == 56


def groups_of_a_line(gap, angle=0):
    """A line of three groups of two blocks of 30 pixels; between the groups `gap` heights."""
    page = np.full((160, round(200 + 2 * 30 * gap)), 240, np.uint8)
    for group in range(3):
        for block in range(2):
            left = round(40 + group * (40 + 30 * gap) + 20 * block)
            page[65:95, left : left + 10] = 30
    turned = Image.fromarray(page).rotate(angle, Image.Resampling.BICUBIC, fillcolor=240)
    return np.asarray(turned)


@pytest.mark.parametrize("gap", [1.6, 3, 3.4, 8])
@pytest.mark.parametrize("angle", [0, 2])
def test_a_line_is_kept_whole_however_wide_its_gaps_are(gap, angle):
    line = clean_line(groups_of_a_line(gap, angle))
    bright = (line > 128).any(axis=0)
    assert np.count_nonzero(np.diff(bright.astype(int)) == 1) == 6


def test_lines_that_are_left_out_are_named():
    page = np.full((300, 400), 240, np.uint8)
    for top, count in ((40, 8), (200, 3)):
        for i in range(count):
            page[top : top + 40, 40 + 40 * i : 52 + 40 * i] = 30
    with pytest.warns(
        UserWarning, match=r"several lines; .* skdigits.read\(\) reads all of them"
    ) as reported:
        line = clean_line(page)
    assert reported[0].filename == __file__
    assert np.count_nonzero(np.diff((line > 128).any(axis=0).astype(int)) == 1) == 8


def test_a_tilted_line_is_whole_in_any_order_of_its_groups():
    """Only neighbours are on one level."""
    tops = 8 * np.arange(5)
    groups = [
        np.array([[100 * i, top, 100 * i + 12, top + (24 if i == 2 else 20)]])
        for i, top in enumerate(tops)
    ]
    far = np.array([[500, 300, 512, 320]])
    line, others = _whole_line([groups[i] for i in (4, 0, 2, 3, 1)] + [far])
    np.testing.assert_array_equal(line, np.concatenate(groups))
    assert others == [far]
