import sys

import pytest

from skdigits.cli.console import message
from skdigits.cli.packages import check_packages


@pytest.mark.parametrize("command", ["inspect", "train", "search", "compare"])
def test_a_missing_package_is_named_before_any_work(run, tmp_path, capsys, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    assert run(command, "-o", tmp_path / "out") == 2
    shown = capsys.readouterr()
    assert shown.err == (
        "skdigits: This command needs matplotlib, which is not installed. "
        "Run: pip install matplotlib\n"
    )
    assert shown.out == ""
    assert not (tmp_path / "out").exists()


def test_all_missing_packages_are_named():
    with pytest.raises(ImportError, match=r"needs no_a, no_b, .* pip install no_a no_b$"):
        check_packages("json", "no_a", "no_b")


def test_the_module_that_python_does_not_find_is_named():
    error = ModuleNotFoundError("No module named 'PIL.Image'", name="PIL.Image")
    assert (
        message(error)
        == "This command needs pillow, which is not installed. Run: pip install pillow"
    )
    assert message(ModuleNotFoundError("This needs TensorFlow")) == "This needs TensorFlow"
