import importlib
import inspect
import pkgutil
import runpy
from pathlib import Path

import pytest

import skdigits

MODULES = [m.name for m in pkgutil.walk_packages(skdigits.__path__, "skdigits.")]
SCRIPT = Path(__file__).parent / "typing" / "user_script.py"


def test_what_type_checkers_accept_runs(capsys):
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "Reading(text='47205'" in capsys.readouterr().out


@pytest.mark.parametrize("module", MODULES)
def test_all_signatures_have_types(module):
    module = importlib.import_module(module)
    for function in _functions(module, module.__file__):
        signature = inspect.signature(function)
        parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
        missing = [p.name for p in parameters if p.annotation is p.empty]
        assert not missing, f"{function.__qualname__}: {missing}"
        assert signature.return_annotation is not signature.empty, function.__qualname__


def _functions(owner, file):
    """Yield the functions and methods that a file defines."""
    for thing in vars(owner).values():
        thing = inspect.unwrap(getattr(thing, "__func__", thing))  # the function of a class method
        if inspect.isclass(thing) and thing.__module__ == getattr(
            owner, "__module__", owner.__name__
        ):
            yield from _functions(thing, file)
        elif inspect.isfunction(thing) and thing.__code__.co_filename == file:
            yield thing
