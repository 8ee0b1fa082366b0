import gzip

import numpy as np
import pytest
from PIL import Image

from skdigits.datasets import load_digits

IMAGES = np.arange(24).reshape(2, 3, 4)


def idx(values):
    """Bytes of an IDX file."""
    values = np.asarray(values, np.uint8)
    sizes = b"".join(int(n).to_bytes(4, "big") for n in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()


@pytest.fixture
def idx_folder(tmp_path):
    """Two images of 3×4 pixels for training and for testing."""
    for subset, labels in (("train", [5, 9]), ("t10k", [1, 2])):
        (tmp_path / f"{subset}-images-idx3-ubyte").write_bytes(idx(IMAGES))
        (tmp_path / f"{subset}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return tmp_path


@pytest.fixture
def csv_folder(tmp_path):
    """Two labelled images of 2×2 pixels for training, and one for testing."""
    header = "pixel0,pixel1,pixel2,pixel3\n"
    (tmp_path / "train.csv").write_text(f"label,{header}7,0,10,200,255\n3,1,2,3,4\n")
    (tmp_path / "test.csv").write_text(f"{header}9,8,7,6\n")
    return tmp_path


@pytest.fixture
def picture_folder(tmp_path):
    """Twelve bundled digits as PNG and JPEG, black on white, in a folder per label."""
    bunch = load_digits()
    for i in range(12):
        folder = tmp_path / str(bunch.target[i])
        folder.mkdir(exist_ok=True)
        large = np.pad(np.kron(255 - bunch.images[i], np.ones((6, 6), np.uint8)), 9, mode="edge")
        Image.fromarray(large).save(folder / f"{i:02d}{'.png' if i % 2 else '.JPG'}")
    (tmp_path / "3" / "notes.txt").write_text("not a picture")
    return tmp_path
