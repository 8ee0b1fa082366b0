import bz2
import gzip
import io
import pickle
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from skdigits.datasets import load_data
from skdigits.datasets.recognition import format_of, recognize

IMAGES = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
CSV = "label,pixel0,pixel1,pixel2,pixel3\n7,0,10,200,255\n3,1,2,3,4\n"
ARFF = "@relation a\n@attribute p numeric\n@attribute class {1,2}\n@data\n9,1\n8,2\n"


def made(write, *args, **options):
    """Bytes that a function writes into a file."""
    file = io.BytesIO()
    write(file, *args, **options)
    return file.getvalue()


def zipped(**members):
    def write(file):
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return made(write)


def idx(images):
    sizes = b"".join(n.to_bytes(4, "big") for n in images.shape)
    return bytes([0, 0, 8, images.ndim]) + sizes + images.tobytes()


PICTURE = Image.fromarray(IMAGES[0])
CONTENTS = {
    "csv": CSV.encode(),
    "idx": idx(IMAGES),
    "npz": made(np.savez, X=IMAGES, y=np.array([1, 2])),
    "npz (npy)": made(np.save, IMAGES),
    "mat": made(savemat, {"X": IMAGES.reshape(2, 16), "y": np.array([[1], [2]])}),
    "arff": ("% comment\n" * 3 + ARFF).encode(),
    "parquet": made(pd.DataFrame({"p": [1, 2], "label": [1, 2]}).to_parquet),
    "libsvm": b"0 \n5 1:3 780:255\n",
    "zip": zipped(**{"train.csv": CSV, "test.csv": "a,b\n1,2\n"}),
    "pictures (png)": made(PICTURE.save, "PNG"),
    "pictures (jpeg)": made(PICTURE.save, "JPEG"),
    "pictures (bmp)": made(PICTURE.save, "BMP"),
    "pictures (gif)": made(PICTURE.save, "GIF"),
    "pictures (tiff)": made(PICTURE.save, "TIFF"),
    "pictures (webp)": made(PICTURE.save, "WEBP"),
    "pictures (pgm)": made(PICTURE.save, "PPM"),
}
if ".avif" in Image.registered_extensions():  # since Pillow 11.3
    CONTENTS["pictures (avif)"] = made(PICTURE.save, "AVIF")
NAMES = ["x", "train_idx.csv", "x.png", "x.mat", "x.npz", "x.parquet", "mnist.pkl", "x-idx3-ubyte"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", CONTENTS)
def test_the_format_is_that_of_the_content_not_of_the_name(tmp_path, kind, name):
    (tmp_path / name).write_bytes(CONTENTS[kind])
    assert format_of(tmp_path / name) == kind.split()[0]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gz", "bz2"])
@pytest.mark.parametrize("kind", ["csv", "idx", "arff", "libsvm"])
def test_what_is_packed_is_looked_into(tmp_path, kind, pack):
    (tmp_path / "x").write_bytes(pack(CONTENTS[kind]))
    assert format_of(tmp_path / "x") == kind


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("1.png"), io.BytesIO())
    return file.getvalue()


PNG = CONTENTS["pictures (png)"]
PICKLES = [pickle.dumps((IMAGES, [1, 2]), protocol) for protocol in range(6)]
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 76775041\n"
REFUSED = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n \n", "the file is empty"),
    "empty.gz": (gzip.compress(b""), "the file is empty"),
    "lfs": (LFS, "a pointer of Git LFS, not the data; run `git lfs pull`"),
    "html": (b"\n<!DOCTYPE html><html>", r"a web page \(HTML\), not the data"),
    "html.gz": (gzip.compress(b"<html>"), "a web page"),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML document"),
    "pickle0": (PICKLES[0], "a pickle: reading it can run code"),
    "pickle2": (PICKLES[2], "a pickle: reading it can run code"),
    "pickle3": (PICKLES[3], "a pickle: reading it can run code"),
    "pickle4": (PICKLES[4], "a pickle: reading it can run code"),
    "pickle5.gz": (gzip.compress(PICKLES[5]), "a pickle: reading it can run code"),
    "mnist.pkl.gz": (gzip.compress(b"((cnumpy.core.multiarray\n_reconstruct"), "a pickle"),
    "torch": (zipped(**{"model/data.pkl": b"\x80\x02", "model/version": b"3"}), "a pickle"),
    "xlsx": (zipped(**{"[Content_Types].xml": "", "xl/workbook.xml": ""}), "Excel.*save it as CSV"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel.*save it as CSV"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "mat7.3": (b"MATLAB 7.3 MAT-file, Platform: GLNXA64", r"HDF5.*-v7"),
    "tar": (tar(), "packed as tar, which is not supported; unpack it first"),
    "tar.gz": (gzip.compress(tar()), "packed as tar"),
    "xz": (b"\xfd7zXZ\0\0", "packed as xz"),
    "7z": (b"7z\xbc\xaf\x27\x1c", "packed as 7z"),
    "zstd": (b"\x28\xb5\x2f\xfd\0", "packed as zstd"),
    "cut.gz": (gzip.compress(bytes(range(250)))[:-30], "the packed file is damaged or truncated"),
    "cut.bz2": (bz2.compress(bytes(range(250)))[:-30], "the packed file is damaged or truncated"),
    "bad.bz2": (b"BZh91AY&SY" + bytes(40), "the packed file is damaged or truncated"),
    "cut.zip": (CONTENTS["zip"][:-40], "zip archive is damaged, or its download was interrupted"),
    "cut.npz": (CONTENTS["npz"][:-40], "zip archive is damaged, or its download was interrupted"),
    "cut.npy": (CONTENTS["npz (npy)"][:-10], "not NumPy arrays of images, or damaged"),
    "cut.png": (PNG[: len(PNG) // 2], "not a picture, or damaged"),
    "cut.parquet": (CONTENTS["parquet"][:-10], "a damaged Parquet file"),
    "cut.idx": (CONTENTS["idx"][:-3], "the file has 29"),
    "noise": (bytes(range(255, 60, -1)), "not a CSV file of numbers, or damaged"),
}


@pytest.mark.parametrize("name", ["train.csv", "x.png", "mnist.pkl.gz"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_said(tmp_path, case, name):
    content, message = REFUSED[case]
    if (case, name) == ("noise", "x.png"):
        message = "not a picture, or damaged"
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        load_data(file, subset="test")
    assert str(caught.value).startswith(str(file))
    assert len(str(caught.value)) <= 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", ["lfs", "html", "pickle4", "xlsx", "empty"])
def test_what_is_refused_is_said_of_a_folder_too(tmp_path, case):
    content, message = REFUSED[case]
    (tmp_path / "train.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_data(tmp_path)
    (tmp_path / "train.csv").rename(tmp_path / "mnist.data")
    with pytest.raises(ValueError, match=message):
        load_data(tmp_path)


def write_pictures(folder, labels="37"):
    for label in labels:
        (folder / label).mkdir(parents=True)
        for i in range(2):
            PICTURE.save(folder / label / f"{i}.png")


@pytest.mark.parametrize(
    ("train", "test"),
    [("training", "testing"), ("train", "test"), ("Train", "valid"), ("train", "validation")],
)
def test_folders_of_parts_hold_pictures(tmp_path, train, test):
    write_pictures(tmp_path / train)
    write_pictures(tmp_path / test, "5")
    assert recognize(tmp_path, "train") == ("pictures", tmp_path / train)
    assert load_data(tmp_path).target.tolist() == [3, 3, 7, 7]
    assert load_data(tmp_path, subset="test").target.tolist() == [5, 5]


def test_a_test_part_comes_before_a_validation_part(tmp_path):
    write_pictures(tmp_path / "test", "5")
    write_pictures(tmp_path / "valid", "6")
    assert recognize(tmp_path, "test") == ("pictures", tmp_path / "test")


def test_a_folder_of_labels_is_not_a_folder_of_parts(tmp_path):
    write_pictures(tmp_path)
    assert recognize(tmp_path, "train") == ("pictures", tmp_path)


@pytest.mark.parametrize(
    ("files", "subset", "expected"),
    [
        ({"mnist.npz": "npz", "README.md": "csv"}, "train", "mnist.npz"),
        ({"digit-recognizer.zip": "zip"}, "test", "digit-recognizer.zip"),
        ({"train_32x32.mat": "mat", "test_32x32.mat": "mat"}, "train", "train_32x32.mat"),
        ({"train_32x32.mat": "mat", "test_32x32.mat": "mat"}, "test", "test_32x32.mat"),
        ({"mnist": "libsvm", "mnist.t": "libsvm"}, "train", "mnist"),
        ({"mnist": "libsvm", "mnist.t": "libsvm"}, "test", "mnist.t"),
        ({"mnist_784.arff": "arff"}, "train", "mnist_784.arff"),
        ({"mnist.parquet": "parquet", ".hidden.npz": "npz"}, "train", "mnist.parquet"),
        ({"train-0.parquet": "parquet", "train-1.parquet": "parquet"}, "train", "."),
        ({"x_train.npy": "npz (npy)", "y_train.npy": "npz (npy)"}, "train", "."),
        ({"mnist.npz": "npz", "train.csv": "csv"}, "train", "."),
    ],
)
def test_the_only_file_of_a_subset_in_a_folder_is_read(tmp_path, files, subset, expected):
    for name, kind in files.items():
        (tmp_path / name).write_bytes(CONTENTS[kind])
    kind, path = recognize(tmp_path, subset)
    assert path == tmp_path / expected
    assert kind == ("csv" if "train.csv" in files else next(iter(files.values())).split()[0])


def test_several_files_of_a_subset_are_refused(tmp_path):
    for name in ("a.npz", "b.npz"):
        (tmp_path / name).write_bytes(CONTENTS["npz"])
    with pytest.raises(ValueError, match=r"pass one of them: a\.npz, b\.npz"):
        recognize(tmp_path, "train")


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=300)
    | st.text(max_size=60).map(str.encode)
    | st.tuples(
        st.sampled_from([*CONTENTS.values(), *(content for content, _ in REFUSED.values())]),
        st.integers(0, 300),
        st.binary(max_size=5),
    ).map(lambda edit: edit[0][: edit[1]] + edit[2] + edit[0][edit[1] :]),
    st.sampled_from(["x", "x.csv", "x.mat"]),
)
def test_fuzzed_files_have_a_format_or_are_refused(tmp_path_factory, content, name):
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    try:
        kind = format_of(path)
    except ValueError as error:
        assert len(str(error)) <= 300
        return
    assert kind in {name.split()[0] for name in CONTENTS}
