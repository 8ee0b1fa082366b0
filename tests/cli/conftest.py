import pytest

from skdigits.cli import main
from skdigits.datasets import load_digits


def _run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code or 0


@pytest.fixture(scope="session")
def run():
    """Run a command in this process; return its exit code."""
    return _run


@pytest.fixture(scope="session")
def write_idx():
    """Write images and labels to a folder as IDX files."""

    def write(folder, subset, images, labels):
        header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in images.shape)
        (folder / f"{subset}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = b"\0\0\x08\x01" + len(labels).to_bytes(4, "big")
        (folder / f"{subset}-labels-idx1-ubyte").write_bytes(header + labels.astype("u1").tobytes())

    return write


@pytest.fixture(scope="session")
def csv_folder(tmp_path_factory):
    """The first 600 bundled digits to train on and 100 to predict, as Kaggle's files."""
    folder = tmp_path_factory.mktemp("kaggle")
    frame = load_digits(as_frame=True).frame
    frame[:600].to_csv(folder / "train.csv", index=False)
    frame[600:700].drop(columns="label").to_csv(folder / "test.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def trained(run, csv_folder, tmp_path_factory):
    """Folder that the command train has written into."""
    folder = tmp_path_factory.mktemp("trained")
    options = "--epochs", 4, "--validation-fraction", 0.1
    assert run("train", csv_folder, "-o", folder, *options) == 0
    return folder


@pytest.fixture(scope="session")
def trained_recognizer(run, csv_folder, tmp_path_factory):
    """Folder that the command train --sequences has written into."""
    folder = tmp_path_factory.mktemp("recognizer")
    options = "--sequences", "--style", "tiles", "--epochs", 2, "--sequences-per-epoch", 5000
    assert run("train", csv_folder, *options, "-o", folder) == 0
    return folder
