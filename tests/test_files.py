import errno
import os
import stat
import subprocess
import sys
import threading

import pytest

from skdigits import files
from skdigits.files import atomic_write, check_destination, make_folder, printable


def test_a_destination_needs_a_folder_and_is_no_folder(tmp_path):
    assert check_destination(str(tmp_path / "new")) == tmp_path / "new"
    for check in (check_destination, lambda path: atomic_write(path).__enter__()):
        with pytest.raises(FileNotFoundError, match="missing does not exist; create it"):
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
        with atomic_write(path, "w") as second:  # must not remove the temporary file of the first
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


posix = pytest.mark.skipif(os.name != "posix", reason="links and permissions are POSIX's")


def write(path, text="new"):
    with atomic_write(path, "w") as file:
        file.write(text)


@posix
def test_a_symbolic_link_stays_and_its_file_is_replaced(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "real").write_text("old")
    (tmp_path / "link").symlink_to(folder / "real")
    (tmp_path / "relative").symlink_to("link")
    (tmp_path / "dangling").symlink_to(folder / "none yet")
    for name in ("link", "relative", "dangling"):
        write(tmp_path / name, name)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_text() == name
    assert {path.name for path in folder.iterdir()} == {"real", "none yet"}
    assert (folder / "real").read_text() == "relative"


@posix
def test_a_link_to_nowhere_is_named_and_stays(tmp_path):
    (tmp_path / "lost").symlink_to(tmp_path / "missing" / "file")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").symlink_to(tmp_path)
    for name, error in (
        ("lost", FileNotFoundError),
        ("loop", OSError),
        ("folder", IsADirectoryError),
    ):
        with pytest.raises(error, match=f"{tmp_path}"):
            write(tmp_path / name)
        assert (tmp_path / name).is_symlink()
    assert len([*tmp_path.iterdir()]) == 3


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o777])
def test_permissions_remain_and_are_never_wider(mode, tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    with atomic_write(path, "w") as file:
        file.write("new")
        written = os.stat(file.name).st_mode & 0o777
        assert written == mode
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == mode


@posix
def test_an_owner_that_cannot_be_kept_costs_the_group_its_permissions(tmp_path, monkeypatch):
    """Otherwise, another group could read a file that only the old group could read."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o664)
    stat = os.stat

    def other_group(name, *args, **options):
        found = stat(name, *args, **options)
        return os.stat_result((*found[:5], found.st_gid + 1, *found[6:10]))

    def refused(*args):
        raise PermissionError

    monkeypatch.setattr(os, "stat", other_group)
    monkeypatch.setattr(os, "fchown", refused)
    write(path)
    assert stat(path).st_mode & 0o777 == 0o604


@posix
def test_a_named_pipe_is_written_to_and_stays(tmp_path):
    path, found = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: found.append(path.read_text()))
    reader.start()
    write(path)
    reader.join(10)
    assert found == ["new"]
    assert path.is_fifo()
    assert [*tmp_path.iterdir()] == [path]


@pytest.fixture
def events(monkeypatch):
    """The order in which contents, renames and folders are written to the disk."""
    events = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        size = os.fstat(descriptor).st_size
        events.append("folder" if is_folder else f"{size} bytes")
        fsync(descriptor)

    def recorded_replace(source, target):
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    return events


@posix
def test_a_file_is_on_the_disk_before_it_has_its_name(events, tmp_path):
    """Otherwise, a power failure may leave an empty file in place of the old file."""
    write(tmp_path / "file", "four")
    assert events == ["4 bytes", "rename", "folder"]


@posix
def test_a_new_folder_is_on_the_disk(events, tmp_path):
    make_folder(tmp_path / "a" / "b")
    assert events == ["folder", "folder"]
    make_folder(tmp_path / "a" / "b")
    assert len(events) == 2
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")


@posix
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_leaves_the_old_file(number, tmp_path, monkeypatch):
    def fails(descriptor):
        raise OSError(number, os.strerror(number))

    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        write(tmp_path / "file")
    assert caught.value.filename == str(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "old"
    assert len([*tmp_path.iterdir()]) == 1


@posix
def test_a_system_that_cannot_flush_writes_all_the_same(tmp_path, monkeypatch):
    def cannot(descriptor):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", cannot)
    write(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "new"
