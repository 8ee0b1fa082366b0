"""Whatever Pillow raises or warns of, a picture is read or named; its caller is not disturbed."""

import io
import os
import random
import re
import signal
import struct
import threading
import time
import warnings

import numpy as np
import pytest
from PIL import Image, features

from skdigits.pictures import clean_picture, open_pictures, to_grey
from skdigits.pictures.decoding import decoding

RIGHT = 6  # value of EXIF's orientation: to be turned to the right
FORMATS = ["PNG", "TIFF", "GIF", "WEBP", "BMP", "PPM", "JPEG"]
FORMATS += ["AVIF"] if features.check("avif") else []
WITH_EXIF = [name for name in FORMATS if name in ("PNG", "WEBP", "JPEG", "AVIF")]


def encoded(name, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 48, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, name, **options)
    return file.getvalue()


def opened(path, content):
    path.write_bytes(content)
    return [to_grey(page) for page in open_pictures(path)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_with_other_bytes_is_read_or_named(tmp_path, name):
    rng, whole = random.Random(0), encoded(name)
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 2, 8])):
            content[rng.randrange(min(len(content), 400))] = rng.randrange(256)
        if rng.random() < 0.2:
            del content[rng.randrange(1, len(content)) :]
        try:
            opened(tmp_path / "a", content)
        except ValueError as error:
            assert str(error).startswith(str(tmp_path / "a"))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("no\nas follows"),
        TypeError(),
        ZeroDivisionError(),
        struct.error("x"),
        MemoryError(),
    ],
)
def test_any_error_of_a_decoder_names_the_page(tmp_path, monkeypatch, error):
    pages = [Image.new("L", (9, 9), i) for i in (1, 2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    copy = Image.Image.copy

    def failing(picture):
        if picture.tell():
            raise error
        return copy(picture)

    monkeypatch.setattr(Image.Image, "copy", failing)
    found = open_pictures(tmp_path / "a.tif")
    assert next(found).size == (9, 9)
    reason = re.escape((str(error) or type(error).__name__).split("\n")[0])
    with pytest.raises(ValueError, match=rf"a\.tif#2: not a picture, or damaged \({reason}\)"):
        next(found)


def test_a_picture_that_is_decoded_later_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded("PNG")[:200])
    with Image.open(tmp_path / "a.png") as picture, pytest.raises(ValueError, match=r"a\.png: not"):
        clean_picture(picture)
    with pytest.raises(ValueError, match="the picture: not a picture, or damaged"):
        clean_picture(Image.open(io.BytesIO(encoded("PNG")[:200])))


@pytest.mark.parametrize("name", WITH_EXIF)
def test_damaged_exif_data_do_not_lose_a_picture(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112], exif[0x0131] = RIGHT, "a camera"
    whole = encoded(name, exif=exif)
    (turned,) = opened(tmp_path / "a", whole)
    start = max(whole.find(b"MM\0*"), whole.find(b"II*\0"))
    rng = random.Random(0)
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(3):
            content[start + rng.randrange(len(exif.tobytes()) - 6)] = rng.randrange(256)
        (seen,) = opened(tmp_path / "a", content)
        assert seen.shape in (turned.shape, turned.shape[::-1])
        np.testing.assert_allclose(np.sort(seen, axis=None), np.sort(turned, axis=None), rtol=1e-5)
    content[start : start + 4] = b"none"
    (seen,) = opened(tmp_path / "a", content)
    if name != "AVIF":  # which turns pictures beside EXIF
        np.testing.assert_allclose(seen, np.rot90(turned), rtol=1e-5)


def test_the_orientation_is_read_beside_other_damaged_tags(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x0131] = RIGHT, "x" * 50
    whole = encoded("JPEG", exif=exif)
    content = bytearray(whole)
    content[whole.find(b"MM\0*") + 9] = 40  # entries announced, of 2
    np.testing.assert_array_equal(*opened(tmp_path / "a", content), *opened(tmp_path / "b", whole))


def test_a_long_and_narrow_photograph_is_read(tmp_path):
    Image.new("L", (12, 50_000), 200).save(tmp_path / "a.jpg")
    (page,) = open_pictures(tmp_path / "a.jpg")
    assert to_grey(page).mean() == pytest.approx(200, abs=1)


def test_warnings_of_the_caller_are_his(tmp_path):
    for name in ("a.tif", "b.tif"):
        Image.new("L", (9, 9)).save(
            tmp_path / name, save_all=True, append_images=[Image.new("L", (9, 9))]
        )
    before = warnings.filters[:]
    first, second = open_pictures(tmp_path / "a.tif"), open_pictures(tmp_path / "b.tif")
    next(first), next(second)
    with pytest.warns(UserWarning, match="of the caller"):
        warnings.warn("of the caller", UserWarning, stacklevel=1)
    assert warnings.filters == before
    first.close()
    second.close()
    assert warnings.filters == before


def test_warning_filters_outlast_two_threads():
    before = warnings.filters[:]
    first_in, first_out, second_in = (threading.Event() for _ in range(3))

    def first():
        with decoding("a"):
            first_in.set()
            second_in.wait(0.2)  # in vain: only one thread at a time changes the filters
        first_out.set()

    def second():
        first_in.wait()
        with decoding("b"):
            second_in.set()
            first_out.wait()

    threads = [threading.Thread(target=run) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_wait_for_a_thread_that_it_lacks():
    def hold():
        with decoding("a"):
            is_held.set()
            time.sleep(0.2)

    is_held, thread = threading.Event(), threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        child = os.fork()
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(5)  # ends a process that waits
        with decoding("b"):
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
