import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from skdigits.pictures import clean_picture, open_picture, open_pictures
from skdigits.pictures.opening import PNG, SUFFIXES, _without_exif, count_pages


def test_every_format_gives_the_same_digit(digit, tmp_path):
    image = clean_picture(digit).astype(int)
    registered = Image.registered_extensions()
    written = {suffix for suffix in SUFFIXES if registered.get(suffix) in Image.SAVE}
    assert len(written) >= 14  # AVIF since Pillow 11.3
    for suffix in written - {".heic", ".heif", ".pbm"}:
        Image.fromarray(digit).save(tmp_path / f"digit{suffix}")
        picture = open_picture(tmp_path / f"digit{suffix}")
        assert np.abs(clean_picture(picture) - image).mean() < 4, suffix
    Image.fromarray(digit > 127).save(tmp_path / "digit.pbm")
    bilevel = clean_picture(open_picture(tmp_path / "digit.pbm"))
    np.testing.assert_array_equal(bilevel, clean_picture(digit > 127))


def test_the_name_does_not_matter(digit, tmp_path):
    Image.fromarray(digit).save(tmp_path / "digit.png")
    (tmp_path / "digit.png").rename(tmp_path / "digit.csv")
    assert open_picture(tmp_path / "digit.csv").size == (90, 120)


@pytest.mark.parametrize("suffix", [".tif", ".gif", ".webp"])
def test_pages_one_after_the_other(digit, tmp_path, suffix):
    path = tmp_path / f"pages{suffix}"
    pages = [Image.fromarray(page) for page in (digit, digit[::-1].copy(), 255 - digit)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    opened = list(open_pictures(path))
    assert len(opened) == count_pages(path) == 3
    for page, saved in zip(opened, pages, strict=True):
        difference = np.asarray(page.convert("L"), int) - np.asarray(saved, int)
        assert np.abs(difference).mean() < 3
    with pytest.raises(ValueError, match="several pages"):
        open_picture(path)


def test_heic(digit, tmp_path):
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "photograph.jpg"  # as some phones name it
    heif.from_pillow(Image.fromarray(np.stack([digit] * 3, -1))).save(tmp_path / "a.heic")
    (tmp_path / "a.heic").rename(path)
    assert np.abs(clean_picture(open_picture(path)).astype(int) - clean_picture(digit)).mean() < 4
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=r"photograph\.jpg: not a picture, or damaged"):
        open_picture(path)


def test_heic_without_its_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "photograph.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    with pytest.raises(ImportError, match=r'is a HEIC file.*pip install "skdigits\[heic\]"'):
        open_picture(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a picture, or damaged"),
        (b"no picture", "not a picture, or damaged"),
        (b"\x89PNG\r\n\x1a\n broken", "not a picture, or damaged"),
        (b"%PDF-1.4", "a PDF document; convert it to PNG"),
        (b"<svg></svg>", "an SVG drawing; convert it to PNG"),
    ],
)
def test_what_is_no_picture(tmp_path, content, message):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        open_picture(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(path))
    assert count_pages(path) == 1


def test_a_truncated_picture(digit, tmp_path):
    Image.fromarray(digit).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not a picture, or damaged"):
        open_picture(tmp_path / "a.png")


def test_large_pictures(tmp_path):
    for size, opened in (((4000, 3000), (4000, 3000)), ((10_000, 9_100), (2500, 2275))):
        Image.new("L", size, 200).save(tmp_path / "large.jpg")
        assert open_picture(tmp_path / "large.jpg").size == opened
    sizes = {(10_000, 10_000): "10000×10000", (16_000, 13_000): "208000000"}  # by us, and by Pillow
    for size, reported in sizes.items():
        Image.new("1", size).save(tmp_path / "large.png")
        with pytest.raises(
            ValueError, match=rf"large \({reported} pixels\); expected at most 90 million"
        ):
            open_picture(tmp_path / "large.png")


@pytest.mark.parametrize(("n_bytes", "is_read"), [(360_000_000, True), (360_000_001, False)])
def test_a_damaged_file_is_read_as_a_whole_up_to_some_size(n_bytes, is_read):
    file = SimpleNamespace(stat=lambda: SimpleNamespace(st_size=n_bytes), read_bytes=lambda: PNG)
    assert _without_exif(file, PNG) == (PNG if is_read else None)
