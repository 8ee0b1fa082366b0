import numpy as np
import pytest

from skdigits.checks.pixel_ranges import PixelRange
from skdigits.synthesis.glyphs import drawn_images, typeface_images
from skdigits.training.printed_samples import (
    digit_classes,
    takes_printed_digits,
    with_printed_digits,
)
from skdigits.training.task import Samples

BYTES = PixelRange(0, 255, 30)


def blank(n=60, side=8, dtype=np.uint8):
    return Samples(np.zeros((n, side * side), dtype), np.arange(n) % 10)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (np.arange(3), {0: 0, 1: 1, 2: 2}),
        (np.array([-1, 4, 44]), {4: 1}),
        (np.array([1.0, 7.0]), {1: 0, 7: 1}),
        (np.array(["0", "9", "x"]), {0: 0, 9: 1}),
        (np.array(["2", "dog"], object), {2: 0}),
        (np.array([False, True]), {}),
        (np.array(["a", ""]), {}),
    ],
)
def test_classes_that_are_digits(classes, expected):
    assert digit_classes(classes) == expected


def test_a_third_of_an_epoch_is_type_of_all_kinds():
    samples = with_printed_digits(blank(), np.arange(10), (8, 8, 1), BYTES)
    assert samples.n_per_epoch == 90
    drawn = samples.draw_others(np.random.default_rng(0))
    assert len(drawn) == 30
    assert drawn.min() >= 60
    assert not np.array_equal(drawn, samples.draw_others(np.random.default_rng(1)))
    assert set(samples.y[samples.others]) == set(range(10))
    images = typeface_images(8)
    shares = np.bincount(samples.others - 60, minlength=len(samples.x) - 60) / len(samples.others)
    ends = np.cumsum([10 * len(typefaces) for typefaces in images.values()])
    by_kind = [part.sum() for part in np.split(shares, ends)]
    np.testing.assert_allclose(by_kind, 1 / 6)
    np.testing.assert_array_equal(samples.y[60 + ends[-1] :], drawn_images(8)[1])
    first = next(iter(images.values()))[0]
    np.testing.assert_array_equal(samples.x[60:70].reshape(first.shape), first)
    assert samples.y[60:70].tolist() == list(range(10))


def test_labels_without_drawn_digits_get_type():
    samples = with_printed_digits(blank(), np.array([3, 6]), (8, 8, 1), BYTES)
    assert samples.others.min() >= 60
    assert set(samples.y[samples.others]) == {0, 1}


def test_any_share_of_an_epoch_can_be_type():
    for share, n_others in ((0.25, 20), (0.5, 60)):
        found = with_printed_digits(blank(), np.arange(10), (8, 8, 1), BYTES, share=share)
        assert found.n_others == n_others
    assert takes_printed_digits(np.array(["a", "7"]), (8, 8, 1))
    for classes, shape in ((["a", "b"], (8, 8, 1)), ([1, 2], (8, 9, 1)), ([1, 2], (8, 8, 3))):
        assert not takes_printed_digits(np.array(classes), shape)


def test_type_has_the_labels_weights_and_pixels_of_the_samples():
    samples = Samples(
        np.zeros((6, 64), np.float32), np.arange(6) % 3, np.full(6, 0.5), np.array([0, 1, 2])
    )
    found = with_printed_digits(samples, np.array(["1", "7", "x"]), (8, 8, 1), PixelRange(-1, 3, 0))
    assert found.used().tolist() == [0, 1, 2]
    assert found.n_others == 1
    assert set(found.y[6:]) == {0, 1}
    assert found.weight[:6].tolist() == [0.5] * 6
    assert set(found.weight[6:]) == {1.0}
    assert found.x.dtype == np.float32
    assert found.x[6:].min() == -1
    assert found.x[6:].max() == 3
    sevens = found.x[6:][found.y[6:] == 1].reshape(-1, 8, 8)
    assert sevens[:, :4].mean() > sevens[:, 4:].mean()


@pytest.mark.parametrize("dtype", [bool, np.int16, np.float64])
def test_type_has_the_dtype_of_the_samples(dtype):
    found = with_printed_digits(blank(dtype=dtype), np.arange(10), (8, 8, 1), PixelRange(0, 1, 0.5))
    assert found.x.dtype == dtype
    assert found.x[60:].max() == 1
    assert with_printed_digits(blank(dtype=dtype), np.arange(10), (8, 8, 1), None).x[60:].max() == 1


@pytest.mark.parametrize(
    ("classes", "shape", "message"),
    [
        (np.array(["a", "b"]), (8, 8, 1), "no label is a digit from 0 to 9; the labels are .'a'"),
        (
            np.arange(10),
            (4, 16, 1),
            "square grey images; X has images of 4×16 pixels with 1 channels",
        ),
        (
            np.arange(10),
            (4, 4, 4),
            "square grey images; X has images of 4×4 pixels with 4 channels",
        ),
    ],
)
def test_type_is_for_square_grey_digits(classes, shape, message):
    with pytest.raises(ValueError, match=message):
        with_printed_digits(blank(), classes, shape, BYTES)


def test_type_is_as_short_as_rows_that_are_less_than_a_square():
    found = with_printed_digits(blank(), np.arange(10), (9, 9, 1), BYTES)
    assert found.x.shape[1] == 64
    first = next(iter(typeface_images(9).values()))[0, 0]
    np.testing.assert_array_equal(found.x[60], first.ravel()[:64])
