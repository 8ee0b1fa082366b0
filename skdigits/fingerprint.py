"""Hashes that are equal for equal values in all processes with the same libraries."""

from __future__ import annotations

import copyreg
import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

SCALARS = (type(None), type(...), bool, int, float, complex, str)
# The packages, besides Python, on which weights, predictions and cleaned pictures depend.
PACKAGES = (
    *("skdigits", "numpy", "scipy", "scikit-learn", "pillow", "onnxruntime", "onnxruntime-gpu"),
    *("scikeras", "keras", "tensorflow", "tensorflow-cpu", "tf-nightly"),
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed `PACKAGES` by name; import nothing."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # no installation has all packages
    return found


def fingerprint(value: object) -> str:
    """Hash the content of a value together with the installed `versions`.

    Parameters
    ----------
    value : object
        The value, as for `content_hash`. If it contains paths of files, their content is hashed
        too.

    Returns
    -------
    str
        64 hexadecimal digits, equal for equal values in all processes with the same versions.

    Raises
    ------
    TypeError, OSError
        As for `content_hash`.
    """
    return _hash(sorted(versions().items()), content_hash(value, with_files=True))


def content_hash(value: object, *, with_files: bool = False) -> str:
    """Hash the content of a value.

    A function is identified by its module, name and code, and by the constants, defaults, enclosed
    variables, and global numbers and strings that it uses. The code of functions that it calls is
    not included. An estimator is identified by its parameters, a Keras object by its configuration
    and weights, and any other object by the data that pickle would store. The hash of a class or
    function includes the version of its package.

    Parameters
    ----------
    value : object
        The value.
    with_files : bool, default=False
        Whether to include the content of files whose names are in arrays, lists, tuples and dicts.
        Files that an estimator or another object names are never included.

    Returns
    -------
    str
        64 hexadecimal digits, equal for equal values in all processes of one Python version.

    Raises
    ------
    TypeError
        If the value, or a part of it, cannot be pickled.
    OSError
        If a file cannot be read.
    """
    return _content_hash(value, {}, 0, with_files)


def _content_hash(
    value: Any, known: dict[tuple[int, bool], tuple[Any, str]], depth: int, with_files: bool
) -> str:
    """Hash a value; `known` maps the id of each visited object to the object and its hash."""
    if with_files and isinstance(value, (str, os.PathLike)) and os.path.isfile(value):
        return _hash(_name(type(value)), os.fspath(value), _file_hash(value))
    if type(value) in SCALARS:
        return _hash(type(value).__name__, repr(value))
    key = id(value), with_files
    if key not in known:
        # A provisional hash for parts that refer back to the object. `known` keeps the object
        # alive, so that no other object gets its id.
        known[key] = value, f"object {depth} levels down"
        kind, parts, ordered = _take_apart(value)
        is_data = hasattr(value, "__array__") or type(value) in (list, tuple, dict)
        hashes = [_content_hash(part, known, depth + 1, with_files and is_data) for part in parts]
        known[key] = value, _hash(kind, *(hashes if ordered else sorted(hashes)))
    return known[key][1]


def _file_hash(path: Any) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(*texts: Any) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _take_apart(value: Any) -> tuple[str, list[Any], bool]:
    """Return the kind of an object, its parts, and whether the order of the parts matters."""
    kind = _name(type(value))
    match value:
        case type() | FunctionType() | CodeType():
            return kind, list(_parts_of_code(value)), True
        case ModuleType():
            return kind, [value.__name__], True
        case MethodType():
            return kind, [value.__func__, value.__self__], True
        case bytes() | bytearray():
            return kind, [hashlib.sha256(value).hexdigest()], True
        case list() | tuple():
            return kind, list(value), True
        case dict():
            return kind, list(value.items()), False
        case set() | frozenset():
            return kind, list(value), False
        case BaseEstimator():
            ignored = getattr(value, "observing", ())  # parameters that change no result
            parameters = value.get_params(deep=False)
            counting = {name: item for name, item in parameters.items() if name not in ignored}
            return kind, [type(value), counting], True
    if hasattr(value, "get_config"):
        # Keras numbers the names of its objects in the order in which a process creates them.
        config = {name: item for name, item in value.get_config().items() if name != "name"}
        weights = value.get_weights() if hasattr(value, "get_weights") else None
        return kind, [type(value), config, weights], True
    if hasattr(value, "__array__"):
        return kind, _parts_of_array(np.asarray(value)), True
    return kind, _parts_for_pickle(value), True


def _parts_of_code(value: Any) -> Iterator[Any]:
    """Yield the parts of a class, a function or a code object."""
    match value:
        case type():
            yield from (_name(value), _package_version(value))
            # A class that can be imported is identified by its name.
            if "<locals>" in value.__qualname__ or value.__module__ == "__main__":
                yield value.__bases__
                yield {
                    name: member
                    for name, member in vars(value).items()
                    if isinstance(member, FunctionType)
                    or (isinstance(member, SCALARS) and not name.startswith("__"))
                }
        case FunctionType():
            yield from (_name(value), _package_version(value))
            yield from (value.__code__, value.__defaults__, value.__kwdefaults__)
            yield [_cell_contents(cell) for cell in value.__closure__ or ()]
            used = _global_names(value.__code__) & value.__globals__.keys()
            values = {name: value.__globals__[name] for name in used}
            yield {n: v for n, v in values.items() if isinstance(v, SCALARS)}
        case CodeType():
            yield from (value.co_code, value.co_exceptiontable, value.co_consts, value.co_names)
            yield from (value.co_varnames, value.co_freevars, value.co_flags)
            yield from (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount)


def _package_version(value: Any) -> Any:
    """Return the ``__version__`` of the package of a class or function, or None."""
    package = sys.modules.get(str(value.__module__).partition(".")[0])
    version = getattr(package, "__version__", None)
    return version if isinstance(version, str) else None


def _cell_contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet assigned
        return "empty"


def _global_names(code: CodeType) -> set[str]:
    """Return the names that code and its inner functions may look up in the module."""
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_global_names, inner))


def _parts_of_array(array: np.ndarray) -> list[Any]:
    if array.dtype.hasobject or array.dtype.kind in "UT":  # texts can be names of files
        return [str(array.dtype), array.shape, array.ravel().tolist()]
    return [str(array.dtype), array.shape, array.tobytes()]


def _parts_for_pickle(value: Any) -> list[Any]:
    """Return the parts of an object that pickle would store, or the name for importing it."""
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        stored = reduce(value) if reduce else value.__reduce_ex__(4)
    except Exception as error:
        raise TypeError(
            f"A journal or checkpoint cannot identify {value!r:.60} of type "
            f"{type(value).__name__}, because it cannot be pickled ({error!s:.60}). Use a "
            "picklable object, or no journal and no checkpoint."
        ) from error
    if isinstance(stored, str):  # C functions, and functions wrapped in a cache
        return [_name(value, stored), getattr(value, "__wrapped__", None)]
    if isinstance(value, BuiltinFunctionType):
        return [value.__name__, value.__self__]
    return [list(part) if isinstance(part, Iterator) else part for part in stored]


def _name(value: Any, qualname: str | None = None) -> str:
    return f"{getattr(value, '__module__', None)}.{qualname or value.__qualname__}"
