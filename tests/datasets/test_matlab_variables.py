import io
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from skdigits.datasets.matlab_variables import read_variables

VARIABLES = {
    "arrays": {"X": np.arange(48, dtype=np.uint8).reshape(3, 16), "y": np.array([[1], [2], [3]])},
    "structure": {"dataset": {"train": {"images": np.ones((2, 4)), "labels": np.ones((2, 1))}}},
    "others": {
        "text": "text",
        "cell": np.array([1, "a"], object),
        "empty": np.zeros((0, 0)),
        "logical": np.array([[True]]),
    },
}


def saved(variables, **options):
    file = io.BytesIO()
    savemat(file, variables, **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"do_compression": True}, {"format": "4"}], ids=str)
@pytest.mark.parametrize("kind", VARIABLES)
def test_whole_files_pass(tmp_path, kind, options):
    kind = "arrays" if "format" in options else kind  # MATLAB 4 has no others
    (tmp_path / "a.mat").write_bytes(saved(VARIABLES[kind], **options))
    read_variables(tmp_path / "a.mat")
    assert loadmat(tmp_path / "a.mat")


# SciPy crashes or does not return for these, where a byte of the file is another.
CHANGES = {
    "unknown type": ("arrays", 176, 0x90, "type 144"),
    "complex without a second part": ("arrays", 145, 0x08, "class 9 that is no plain array"),
    "text of one dimension": ("others", 156, 4, "class, shape and name"),
    "text of another shape": ("others", 160, 9, "class 4 that is no plain array"),
    "names of a length of 300 million": ("structure", 191, 0x13, "class 2 that is no plain array"),
    "longer than the file": ("arrays", 133, 0x40, "the file ends|an element"),
}


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_does_not_survive_is_refused(tmp_path, case, compressed):
    kind, position, value, message = CHANGES[case]
    content = bytearray(saved(VARIABLES[kind]))
    content[position] = value
    if compressed:
        if case == "longer than the file":
            message = "the file ends"
        end = 136 + int.from_bytes(content[132:136], "little")
        packed = zlib.compress(content[128:end])
        content[128:end] = b"\x0f\0\0\0" + len(packed).to_bytes(4, "little") + packed
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_variables(tmp_path / "a.mat")


def test_structures_inside_one_another_have_a_bound(tmp_path):
    inner = {"a": np.ones(1)}
    for _ in range(20):
        inner = {"a": inner}
    (tmp_path / "a.mat").write_bytes(saved({"s": inner}))
    with pytest.raises(ValueError, match="structures inside one another"):
        read_variables(tmp_path / "a.mat")
