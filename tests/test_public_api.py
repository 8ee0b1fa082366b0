import doctest
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys

import pytest

import skdigits
from skdigits import datasets
from skdigits.cli.commands import app

COMMANDS = [command.callback for command in app.registered_commands]  # documented by their --help
MODULES = [m.name for m in pkgutil.walk_packages(skdigits.__path__, "skdigits.")]
SENTENCE = re.compile(r"\S.*?\.(\s|$)", re.DOTALL)


def _public():
    """Return the functions and classes that users can import, and the bases of the classes."""
    found = set()
    modules = filter(inspect.ismodule, (getattr(skdigits, name) for name in dir(skdigits)))
    for module in (skdigits, *modules):
        names = getattr(module, "__all__", None) or [
            name
            for name, thing in vars(module).items()
            if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
        ]
        for thing in (getattr(module, name) for name in names):
            if inspect.isclass(thing):
                found.update(thing.__mro__)
            elif inspect.isfunction(thing):
                found.add(thing)
    return found


PUBLIC = _public()


def _source(module):
    return importlib.util.find_spec(module).loader.get_source(module)


def test_public_names():
    assert skdigits.__all__ == [
        "DigitClassifier",
        "DigitSequenceRecognizer",
        "EpochSearchCV",
        "ImageReshaper",
        "PictureCleaner",
        "Reading",
        "export",
        "load",
        "load_pretrained",
        "read",
        "read_many",
        "save",
    ]
    assert datasets.__all__ == [
        "fetch_mnist",
        "iter_data",
        "iter_digit_sequences",
        "load_arff",
        "load_csv",
        "load_data",
        "load_digits",
        "load_idx",
        "load_kaggle",
        "load_libsvm",
        "load_mat",
        "load_npz",
        "load_parquet",
        "load_pictures",
        "load_zip",
        "make_digit_sequences",
        "train_test_sequences",
    ]
    for name in skdigits.__all__:
        assert getattr(skdigits, name).__name__ == name
    assert set(skdigits.__all__) <= set(dir(skdigits))
    others = set(dir(skdigits)) - set(skdigits.__all__) - {"__version__"}
    assert all(inspect.ismodule(getattr(skdigits, name)) for name in others)
    assert not {name for name in others if name.startswith("_")}
    assert "importlib" not in others
    with pytest.raises(AttributeError, match="no attribute 'DigitClasifier'"):
        skdigits.DigitClasifier  # noqa: B018


def test_submodules_are_there_after_import_skdigits():
    code = (
        "import skdigits; skdigits.datasets.load_digits; skdigits.preprocessing.ImageReshaper; "
        "skdigits.metrics.exact_match_score; print('inspection' in dir(skdigits))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "True"


def test_importing_loads_nothing_heavy():
    code = (
        "import skdigits, skdigits.cli, sys; "
        "heavy = {'tensorflow', 'keras', 'scikeras', 'pandas', 'matplotlib', 'sklearn'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_estimators_and_datasets_load_no_tensorflow():
    code = (
        "import skdigits.datasets, skdigits.inspection, sys; skdigits.DigitClassifier(); "
        "skdigits.ImageReshaper(); skdigits.load; "
        "print(sorted({'tensorflow', 'keras', 'scikeras', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("module", MODULES)
def test_functions_and_classes_are_documented(module):
    """Public functions document all parameters; for other functions, a sentence is enough."""
    module = importlib.import_module(module)
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if thing in COMMANDS:
            continue
        for function, doc in _documented(thing):
            fault = _fault(function, doc or "", is_public=thing in PUBLIC)
            assert not fault, f"{module.__name__}.{function.__qualname__}: {fault}"


@pytest.mark.parametrize("module", [name for name in MODULES if ">>> " in _source(name)])
def test_examples_of_docstrings_give_what_they_show(module):
    run = doctest.testmod(importlib.import_module(module))
    assert run.attempted
    assert not run.failed  # doctest prints the differences


def _documented(thing):
    """Yield each function with the docstring that should list its parameters."""
    if inspect.isfunction(thing) and not hasattr(thing, "__wrapped__"):
        yield thing, inspect.getdoc(thing)
    elif inspect.isclass(thing) and not issubclass(thing, Exception):
        init = vars(thing).get("__init__")
        # The module differs for the __init__ that Python adds to a Protocol.
        if init is not None and init.__module__ == thing.__module__:
            yield thing.__init__, inspect.getdoc(thing)
        for name, member in vars(thing).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                yield member, inspect.getdoc(member)


def _parameters(doc):
    """Return the names in the section of parameters, in order."""
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", doc, re.DOTALL | re.MULTILINE
    )
    heads = re.findall(r"^(\S.*?)(?: :.*)?$", section[1], re.MULTILINE) if section else []
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def _fault(function, doc, *, is_public):
    """Return the fault of a docstring, or None."""
    if not SENTENCE.match(doc):
        return "no sentence"
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    if _parameters(doc) != names and (is_public or "Parameters\n---" in doc):
        return f"the section of parameters should list {names}"
    return None


def test_what_a_docstring_lacks_would_be_found():
    def function(a, b, *c): ...

    sentence, section = "Text.", "Parameters\n----------\na, b : int\n    Two.\n"
    whole = f"{sentence}\n\n{section}*c\n\nReturns\n-------\nd : x"
    assert _parameters(whole) == ["a", "b", "c"]
    assert not _fault(function, whole, is_public=True)
    assert not _fault(function, sentence, is_public=False)
    assert _fault(function, sentence, is_public=True)
    assert _fault(function, f"{sentence}\n\n{section}", is_public=False)  # c is missing
    assert _fault(function, "no sentence", is_public=False)


def test_public_is_what_users_can_import():
    public = {thing.__name__ for thing in PUBLIC}
    assert {"load_data", "read", "DigitClassifier", "NetworkEstimator", "find_lines"} <= public
    assert {"make_classifiers", "exact_match_score", "HistoryDisplay", "load_pretrained"} <= public
    assert not {"read_csv", "find_layout", "make_samples", "files_in"} & public
