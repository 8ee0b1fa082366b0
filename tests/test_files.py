import errno
import os
import subprocess
import sys

import pytest

from skdigits import files
from skdigits.files import atomic_write, check_destination, printable


def test_a_destination_needs_a_folder_and_is_no_folder(tmp_path):
    assert check_destination(str(tmp_path / "new")) == tmp_path / "new"
    for check in (check_destination, lambda path: atomic_write(path).__enter__()):
        with pytest.raises(FileNotFoundError, match="missing: there is no such folder"):
            check(tmp_path / "missing" / "new")
        with pytest.raises(IsADirectoryError, match="is a folder; expected the name of a file"):
            check(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path, "w") as file:
        file.write("half")
        raise RuntimeError
    assert path.read_text() == "old"
    errors = IsADirectoryError, PermissionError
    with pytest.raises(errors), atomic_write(tmp_path / "new", "w") as file:
        (tmp_path / "new").mkdir()  # cannot be replaced by a file
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "new"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_new_file_has_the_permissions_of_any(tmp_path):
    (tmp_path / "any").write_text("")
    with atomic_write(tmp_path / "new", "w") as file:
        file.write("whole")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_what_a_killed_process_has_left_is_removed(tmp_path):
    path = tmp_path / "a [1].txt"
    code = (
        "import os, signal, sys; from skdigits.files import atomic_write\n"
        "with atomic_write(sys.argv[1], 'w') as file: os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_write(tmp_path / "other", "w") as file:
        file.write("other")
    assert len(list(tmp_path.iterdir())) == 2
    with atomic_write(path, "w") as file:
        file.write("first")
        with atomic_write(path, "w") as second:  # does not remove what the first one writes
            second.write("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert {p.name for p in tmp_path.iterdir()} == {path.name, "other"}


def test_file_names_that_are_no_text_are_printable():
    assert printable("numéro 7.png") == "numéro 7.png"
    assert printable(os.fsdecode(b"a\xff.png")) == r"a\udcff.png"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such locks")
def test_another_process_never_takes_a_new_file_for_a_leftover(tmp_path, monkeypatch):
    replace = os.replace

    def meddled(source, target):
        files._remove_unless_written(source)
        replace(source, target)

    monkeypatch.setattr(os, "replace", meddled)
    with atomic_write(tmp_path / "file", "w") as file:
        file.write("new")
    assert (tmp_path / "file").read_text() == "new"
    left = tmp_path / ".file.0123abcd"
    left.write_text("of a process that was killed")
    with atomic_write(tmp_path / "file", "w") as file:
        file.write("newer")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_of_the_system_names_the_file(tmp_path):
    with pytest.raises(OSError, match="No space left") as caught, atomic_write(tmp_path / "new"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "new")
