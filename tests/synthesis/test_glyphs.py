import re
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from skdigits.synthesis import glyphs


def test_every_face_has_ten_digits_cut_to_their_ink():
    typefaces = glyphs.typefaces()
    assert set(typefaces) == {"printed", "handwritten", "segments"}
    for digits in (digits for of_kind in typefaces.values() for digits in of_kind):
        assert len(digits) == 10
        for digit in digits:
            assert digit.getbbox() == (0, 0, *digit.size)
        assert 38 <= np.median([digit.height for digit in digits]) <= 42


def test_the_table_names_every_face_with_its_kind_and_licence():
    rows = re.findall(
        r"^\| (.+?) \| (\w+) \| (.+?) \|",
        Path(glyphs.FILE).with_name("GLYPHS.md").read_text("utf-8"),
        re.MULTILINE,
    )[1:]
    with np.load(glyphs.FILE) as archive:
        typefaces = list(zip(archive["names"].tolist(), archive["kinds"].tolist(), strict=True))
    assert sorted((name, kind) for name, kind, _ in rows) == sorted(typefaces)
    assert {licence for *_, licence in rows} <= {
        "OFL-1.1",
        "Apache-2.0",
        "GUST Font License",
        "public domain",
        "MIT",
        "BSD-3-Clause",
        "BSD-2-Clause",
        "Bitstream Vera and DejaVu",
        "Unlicense",
    }


def test_digits_of_one_kind_differ_from_each_other():
    typefaces = glyphs.typefaces()["printed"]
    small = np.array(
        [
            [np.asarray(digit.resize((16, 16)), float).ravel() for digit in digits]
            for digits in typefaces
        ]
    )
    means = small.mean(axis=0)
    distance = ((small[:, :, None] - means) ** 2).sum(axis=3)
    assert (distance.argmin(axis=2) == np.arange(10)).mean() > 0.9


def test_digits_are_cut_off_at_each_side():
    images = glyphs.typeface_images(28)
    whole, *cut = (
        np.array([_aspect(digit) for typeface in typefaces for digit in typeface])
        for typefaces in (images["printed"], *(images["cut"][side::4] for side in range(4)))
    )
    assert [len(aspects) for aspects in cut] == [len(whole)] * 4
    wider = [np.mean(aspects > whole) for aspects in cut]
    assert min(wider[::2]) > 0.8  # a part is missing above or below
    assert max(wider[1::2]) < 0.2


def test_boxes_have_up_to_four_sides_around_a_whole_digit():
    digit, rng = Image.new("L", (20, 40), 255), np.random.default_rng(0)
    remnants = []
    for sides in range(4):
        boxed = [np.asarray(glyphs._boxed(digit, sides, rng)) for _ in range(50)]
        assert all(ndimage.minimum_filter(image, (40, 20)).any() for image in boxed)
        remnants.append(np.mean([(image > 0).sum() - 800 for image in boxed]))
    assert remnants == sorted(remnants, reverse=True)
    assert remnants[-1] > 10


def test_boxes_of_small_digits_are_seen():
    digit, rng = Image.new("L", (3, 6), 255), np.random.default_rng(0)
    assert all(glyphs._boxed(digit, 0, rng).size > (3, 6) for _ in range(50))


def _aspect(image):
    return image.any(axis=0).sum() / image.any(axis=1).sum()


def test_images_of_a_face_are_as_grey_as_its_digits():
    digit = np.full((20, 20), 255, np.uint8)
    digit[:, 10:] = 128
    images = glyphs.centred([[Image.fromarray(digit)] * 10], 28)
    assert images.shape == (1, 10, 28, 28)
    assert set(images.ravel()) == {0, 128, 255}
