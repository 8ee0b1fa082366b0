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

COMMANDS = [command.callback for command in app.registered_commands]  # their --help describes them
MODULES = [m.name for m in pkgutil.walk_packages(skdigits.__path__, "skdigits.")]


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
def test_public_functions_and_classes_document_their_parameters(module):
    module = importlib.import_module(module)
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if thing in COMMANDS:
            continue
        for function, doc in _documented(thing):
            expected = [p for p in inspect.signature(function).parameters if p != "self"]
            assert _parameters(doc or "") == expected, f"{module.__name__}.{function.__qualname__}"


@pytest.mark.parametrize("module", [name for name in MODULES if ">>> " in _source(name)])
def test_examples_of_docstrings_give_what_they_show(module):
    run = doctest.testmod(importlib.import_module(module))
    assert run.attempted
    assert not run.failed  # what differs is printed


def _documented(thing):
    """Functions, and the docstring that should list their parameters."""
    if inspect.isfunction(thing) and not hasattr(thing, "__wrapped__"):
        yield thing, inspect.getdoc(thing)
    elif inspect.isclass(thing) and not issubclass(thing, Exception):
        init = vars(thing).get("__init__")
        if init is not None and init.__module__ == thing.__module__:  # not that of a Protocol
            yield thing.__init__, inspect.getdoc(thing)
        for name, member in vars(thing).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                yield member, inspect.getdoc(member)


def _parameters(doc):
    """Names in the section of parameters, in their order."""
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", doc, re.DOTALL | re.MULTILINE
    )
    heads = re.findall(r"^(\S.*?)(?: :.*)?$", section[1], re.MULTILINE) if section else []
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def test_a_missing_parameter_would_be_found():
    assert _parameters(inspect.getdoc(datasets.load_digits)) == ["as_frame", "return_X_y"]
    doc = "Text.\n\nParameters\n----------\na, b : int\n    Two.\n*c\n\nReturns\n-------\nd : x"
    assert _parameters(doc) == ["a", "b", "c"]
