"""On a full disk a command ends with one line, and what was there stays."""

import contextlib

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import zoom

from skdigits.datasets import load_digits

resource = pytest.importorskip("resource", reason="limits of a process are POSIX's")

pytestmark = pytest.mark.filterwarnings("ignore:No checkpoint:UserWarning")

LITTLE = ("--architecture", "compact", "--epochs")


@contextlib.contextmanager
def files_of_at_most(size):
    """As a full disk does, let writing fail in the middle of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "digit.png"
    ink = np.pad(zoom(load_digits().images[0], 8, order=1), 30)
    Image.fromarray(np.uint8(255 - 15 * ink)).save(path)
    return path


@pytest.mark.parametrize(
    ("command", "file", "code"),
    [
        (["train", "{data}", *LITTLE, "2", "-o", "{out}"], "model.skdigits", 2),
        (["search", "{data}", *LITTLE, "1,2", "--folds", "2", "-o", "{out}"], "journal.jsonl", 2),
        (["predict", "{model}", "{data}", "-o", "{out}/labels.csv"], "labels.csv", 2),
        (["read", "{picture}", "--draw", "{out}"], "digit.png.boxes.png", 1),
        (["export", "{model}", "-o", "{out}/model.onnx"], "model.onnx", 2),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_full_disk(command, file, code, run, csv_folder, trained, picture, tmp_path, capsys):
    (tmp_path / "labels.csv").write_text("old")
    places = {"data": csv_folder, "model": trained / "model.skdigits", "picture": picture}
    arguments = [argument.format(out=tmp_path, **places) for argument in command]
    with files_of_at_most(200):
        assert run(*arguments) == code
    errors = [line for line in capsys.readouterr().err.splitlines() if "skdigits:" in line]
    assert errors[-1].endswith(f"{file}: File too large")
    assert {path.name for path in tmp_path.iterdir()} <= {"labels.csv", "journal.jsonl"}
    assert (tmp_path / "labels.csv").read_text() == "old"
