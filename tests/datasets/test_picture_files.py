from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from skdigits.datasets import load_data, load_pictures
from skdigits.datasets.picture_files import iter_pictures, load_lines


def test_pictures_by_folder(picture_folder):
    bunch = load_pictures(picture_folder)
    assert bunch.data.shape == (12, 784)
    assert bunch.data.dtype == np.uint8
    assert bunch.target.tolist() == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(bunch.images.reshape(12, -1), bunch.data)
    assert [Path(name).parent.name for name in bunch.filenames] == bunch.target.astype(str).tolist()
    assert len(load_data(picture_folder).data) == 12


def test_pictures_without_labels(picture_folder):
    one = load_pictures(picture_folder / "3" / "03.png", subset="test")
    assert one.data.shape == (1, 784)
    assert one.target is None
    flat = load_data(picture_folder / "1", subset="test")
    assert len(flat.filenames) == 2
    with pytest.raises(ValueError, match="subfolders named after their labels"):
        load_pictures(picture_folder / "1")


def test_pictures_lying_on_their_side_and_of_sixteen_bits(picture_folder):
    upright = load_pictures(picture_folder).images[0]
    with Image.open(picture_folder / "0" / "00.JPG") as picture:
        exif = picture.getexif()
        exif[0x0112] = 6
        lying = picture.transpose(Image.Transpose.ROTATE_90)
        deep = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    lying.save(picture_folder / "0" / "lying.png", exif=exif)
    deep.save(picture_folder / "0" / "deep.png")
    for image in load_pictures(picture_folder).images[2:4]:
        np.testing.assert_allclose(image.astype(int), upright, atol=1)


def test_a_picture_beside_the_folders_is_named(picture_folder):
    (picture_folder / "3" / "03.png").rename(picture_folder / "stray.png")
    with pytest.raises(ValueError, match=r"stray\.png has no label\. Put training pictures"):
        load_pictures(picture_folder)


def test_labels_may_be_listed_in_a_file(picture_folder):
    files = sorted(picture_folder.glob("*/[0-9]*"))
    names = [f"page {number}{file.suffix}" for number, file in enumerate(files)]
    for name, file in zip(names, files, strict=True):
        file.rename(picture_folder / name)
    rows = [f"{name},{100 + number}" for number, name in enumerate(names)]
    rows[3] = f"{names[3]},"
    (picture_folder / "labels.csv").write_text("\n".join(["ImageId,Label", *rows]))
    with pytest.warns(
        UserWarning, match=r"line 5: 'page 3\.png' has an empty label, and is left out"
    ):
        bunch = load_data(picture_folder)
    assert bunch.target.tolist() == [100, 101, 102, *range(104, 112)]
    assert [Path(name).name for name in bunch.filenames][2:4] == [names[2], names[4]]
    with pytest.warns(UserWarning, match="is left out"):
        images, texts = load_lines(picture_folder)
    assert texts.tolist() == bunch.target.astype(str).tolist()
    assert {image.shape[0] for image in images} == {28}
    (picture_folder / "labels.csv").write_text("\n".join(["ImageId,Label", *rows[:-1]]))
    with pytest.raises(ValueError, match=r"page 11\..* has no label\. Put .* list them in labels"):
        load_pictures(picture_folder)
    with pytest.warns(UserWarning, match=r"page 11\..* The labels of labels\.csv are not used"):
        assert load_pictures(picture_folder, subset="test").target is None
    (picture_folder / "labels.csv").write_text("name;text\n1;2")
    with pytest.raises(ValueError, match=r"labels\.csv should have the columns ImageId"):
        load_pictures(picture_folder)


def test_folders_with_other_names(picture_folder):
    (picture_folder / "3").rename(picture_folder / "three")
    assert "three" in load_pictures(picture_folder, return_X_y=True)[1].tolist()
    (picture_folder / "three").rename(picture_folder / ("9" * 30))
    assert "9" * 30 in load_pictures(picture_folder, return_X_y=True)[1].tolist()


def test_chunks_have_the_names_of_their_files(picture_folder):
    chunks = list(iter_pictures(picture_folder, chunk_size=5))
    names = [name for chunk in chunks for name in chunk.names]
    whole = load_pictures(picture_folder)
    assert names == [Path(n).relative_to(picture_folder).as_posix() for n in whole.filenames]
    assert names[:2] == ["0/00.JPG", "0/10.JPG"]
    np.testing.assert_array_equal(np.concatenate([chunk.data for chunk in chunks]), whole.data)
    (one,) = iter_pictures(picture_folder / "3" / "03.png", subset="test")
    assert one.names.tolist() == ["03.png"]


def test_pictures_of_lines_have_strings_as_labels(picture_folder):
    (picture_folder / "3").rename(picture_folder / "03")
    (chunk,) = iter_pictures(picture_folder, lines=True)
    assert "03" in chunk.target.tolist()
    assert {image.shape[0] for image in chunk.data} == {28}


def test_bad_pictures(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        load_pictures(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"contains no pictures \(\.avif"):
        load_pictures(tmp_path)
    for content in (b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.png: not a picture, or damaged"):
            load_pictures(tmp_path, subset="test")


def test_a_bad_picture_gives_zeros_and_a_problem(picture_folder):
    (picture_folder / "3" / "bad.png").write_bytes(b"no picture")
    (chunk,) = iter_pictures(picture_folder)
    (problem,) = chunk.problems
    assert "bad.png: not a picture" in problem.text
    assert problem.name == "3/bad.png"
    assert [name for name, row in zip(chunk.names, chunk.data, strict=True) if not row.any()] == [
        "3/bad.png"
    ]
    assert len(chunk.target) == 13
    with pytest.raises(ValueError, match=r"bad\.png: not a picture"):
        load_pictures(picture_folder)


def test_every_page_of_a_file_has_the_label_of_the_file(picture_folder):
    first = Image.open(picture_folder / "3" / "03.png")
    second = first.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    first.save(picture_folder / "3" / "pages.tif", save_all=True, append_images=[second])
    chunks = list(iter_pictures(picture_folder, chunk_size=4))
    names = np.concatenate([chunk.names for chunk in chunks]).tolist()
    target = np.concatenate([chunk.target for chunk in chunks])
    at = names.index("3/pages.tif")
    assert names[at + 1] == "3/pages.tif#2"
    assert target[at : at + 2].tolist() == [3, 3]
    assert load_pictures(picture_folder).filenames[at + 1].endswith("pages.tif#2")


def test_pictures_of_several_digits_are_reported(picture_folder):
    (one, other) = (np.asarray(Image.open(picture_folder / "3" / "03.png")),) * 2
    Image.fromarray(np.hstack([one, other])).save(picture_folder / "3" / "two.png")
    with pytest.warns(UserWarning, match=r"1 of 13 pictures show several digits \(3/two\.png\)"):
        load_pictures(picture_folder)


def test_pictures_of_several_lines_are_named(tmp_path):
    picture = Image.new("L", (200, 150), 240)
    for top, text in ((10, "314"), (80, "159")):
        ImageDraw.Draw(picture).text((20, top), text, font=ImageFont.load_default(50), fill=30)
    picture.save(tmp_path / "two.png")
    with pytest.warns(UserWarning, match=r"1 of 1 pictures show several lines \(two\.png\); only"):
        list(iter_pictures(tmp_path, lines=True, subset="test"))


def test_a_warning_of_a_picture_is_not_reported_as_several_digits(picture_folder):
    exif = Image.Exif()
    exif[0x0112], exif[0x0131] = 1, "x" * 50
    file = picture_folder / "3" / "a.jpg"
    Image.open(picture_folder / "3" / "03.png").save(file, exif=exif)
    content = bytearray(file.read_bytes())
    content[content.find(b"MM\0*") + 9] = 40  # more tags than there are, of which Pillow warns
    file.write_bytes(content)
    assert load_pictures(picture_folder).target.tolist().count(3) == 2  # without a warning


def test_a_damaged_page_is_named_and_the_others_are_read(picture_folder):
    first = Image.open(picture_folder / "3" / "03.png")
    pages = [first.transpose(Image.Transpose.FLIP_TOP_BOTTOM), first]
    file = picture_folder / "3" / "pages.tif"
    first.save(file, save_all=True, append_images=pages)
    file.write_bytes(file.read_bytes()[:-200])
    (chunk,) = iter_pictures(picture_folder)
    (problem,) = chunk.problems
    names = chunk.names.tolist()
    damaged = problem.text.split(":")[0].split("/")[-1]
    assert damaged in ("pages.tif#2", "pages.tif#3")
    blank = [name for name, row in zip(names, chunk.data, strict=True) if not row.any()]
    assert blank == [f"3/{damaged}"]
    assert len(names) == len(set(names))


def test_whatever_a_decoder_raises_the_run_continues(picture_folder, monkeypatch):
    copy = Image.Image.copy

    def failing(picture):
        if str(picture.filename).endswith("03.png"):
            raise RuntimeError("Failed to decode image")
        return copy(picture)

    monkeypatch.setattr(Image.Image, "copy", failing)
    (chunk,) = iter_pictures(picture_folder)
    assert [problem.text.split("/")[-1] for problem in chunk.problems] == [
        "03.png: not a picture, or damaged (Failed to decode image)."
    ]
    assert len(chunk.data) == 12
