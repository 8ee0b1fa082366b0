"""All imported packages are declared, and all declared packages are imported."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL = ("dask", "heic", "parquet")
IF_INSTALLED = {"xgboost"}  # optional; used only if it is installed


def declared(lines):
    return {
        canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)
    }


def imported(folder):
    """Return the distributions that the files of a folder import."""
    modules = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules.add((node.module or "").partition(".")[0])
    known = packages_distributions()
    others = modules - set(sys.stdlib_module_names) - {"skdigits"}
    return {canonicalize_name(known.get(module, [module])[0]) for module in others}


def test_declared_dependencies_are_those_imported():
    extras = PROJECT["optional-dependencies"]
    optional = declared(line for extra in OPTIONAL for line in extras[extra])
    expected = declared(PROJECT["dependencies"]).keys() | optional.keys()
    assert imported(ROOT / "skdigits") - IF_INSTALLED == expected


def test_lower_bounds_are_the_versions_that_are_tested():
    lines = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").split()
    oldest = {name: next(iter(r.specifier)).version for name, r in declared(lines).items()}
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for lines in extras.values() for line in lines)]
    for name, requirement in declared(lines).items():
        if name in oldest:
            (bound,) = requirement.specifier
            assert bound.operator == ">="
            parts = Version(bound.version).release
            assert Version(oldest[name]).release[: len(parts)] == parts, name
    assert declared(PROJECT["dependencies"]).keys() <= oldest.keys()
