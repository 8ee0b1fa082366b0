"""Do the tests notice a wrong line of code?

    python benchmarks/mutate.py [--quick] [--resume] [--seed N] [--rooms ROOM ...] [--jobs N]

One line at a time is changed in a copy of the project. A mutant changes a number, a comparison, a
sign, "and" or "or", or removes a call. Messages, annotations and decorators are not changed. First
the tests in the test file of the same name run, then other tests of the subpackage that execute the
line. The fastest tests are chosen, up to a minute in total. Changes that no test notices are
listed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import mutants
import pytest
from measuring import Checks, Parts, finish, parser

ROOT = Path(__file__).parent.parent
N_QUICK = 5
LEAST_FOUND = 0.9
PAGES = ("tests/test_reading.py", "tests/pretrained")
ROOMS = {  # number of mutants and paths of tests for each subpackage
    "synthesis": (70, ("tests/synthesis",)),
    "reading": (5, ("tests/test_reading.py",)),
    "persistence": (25, ("tests/persistence",)),
    "inference": (40, ("tests/inference", *PAGES)),
    "pictures": (60, ("tests/pictures", *PAGES)),
}
PATIENCE = 60  # maximum seconds of the tests for one mutant, as measured on unmodified code
SLOWER, GRACE = 5, 60  # time limit of a mutant: SLOWER × seconds of its tests + GRACE
PRELOADED = (  # modules imported in advance, so that the process of a mutant starts fast
    *("numpy", "scipy.ndimage", "sklearn.pipeline", "PIL.Image", "matplotlib.pyplot"),
    *("onnx", "rapidfuzz", "tensorflow", "keras"),
)


def main():
    arguments = parser(__doc__, resumable=True)
    arguments.add_argument(
        "--seed", type=int, default=0, help="random seed for the choice of lines"
    )
    arguments.add_argument("--rooms", choices=ROOMS, nargs="+", default=list(ROOMS))
    arguments.add_argument(
        "--jobs", type=int, default=2, help="number of mutants tested at the same time"
    )
    args = arguments.parse_args()
    if args.quick:
        files = [ROOT / "skdigits" / "synthesis" / "shapes.py"]
        tests = ("tests/synthesis/test_shapes.py",)
        rooms = {"synthesis": measure(files, tests, args.runs or N_QUICK, args)}
    else:
        parts, rooms = Parts("mutate", args), {}
        for room, (n, tests) in ROOMS.items():
            parameters = {"seed": args.seed, "n": args.runs or n}
            if room in args.rooms:
                wanted = files_of(room), tests, parameters["n"], args
                rooms[room] = parts.measure(room, parameters, measure, *wanted)
            elif found := parts.last(room, parameters):
                rooms[room] = found
    judge(rooms, args)


def judge(rooms, args):
    n_noticed = sum(found["noticed"] for found in rooms.values())
    n_survived = sum(len(found["survived"]) for found in rooms.values())
    checks = Checks()
    checks.at_least("changed lines", n_noticed + n_survived, sum(n for n, _ in ROOMS.values()))
    share = n_noticed / (n_noticed + n_survived)
    checks.at_least("share that the tests notice", share, LEAST_FOUND)
    finish("mutate", args, checks, {"seed": args.seed, "rooms": rooms})


def files_of(room):
    folder = ROOT / "skdigits" / room
    return sorted(folder.glob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def measure(files, paths, n, args):
    """Change `n` lines of the files, one at a time; count the changes that the tests notice."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(list(PRELOADED[:-2] if args.quick else PRELOADED))
    chosen = mutants.choose(ROOT, files, n, random.Random(args.seed))
    with tempfile.TemporaryDirectory() as folder:
        trees = [copied(Path(folder) / str(number)) for number in range(args.jobs)]
        concerned = {file for mutant in chosen for file, _ in mutant.concerns}
        tests = recorded(processes, trees[0], paths, concerned)
        outcomes = outcomes_of(processes, trees, chosen, tests)
    return {
        "noticed": sum(outcome != "survived" for outcome in outcomes),
        "of these by a time limit": outcomes.count("hung"),
        "survived": [
            f"{mutant.file}:{mutant.line}: {mutant.change}"
            for mutant, outcome in zip(chosen, outcomes, strict=True)
            if outcome == "survived"
        ],
    }


def copied(tree):
    """Copy the files that the tests need to a folder, without compiled files."""
    for name in ("skdigits", "tests", "benchmarks"):
        ignored = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    return tree


@dataclass
class Test:
    """Seconds of a test, and the lines that it executes."""

    seconds: float = 0.0
    lines: set = field(default_factory=set)


def recorded(processes, tree, paths, files):
    """Run the tests on unmodified code in a new process; return those that pass, by name."""
    receiver, sender = processes.Pipe(duplex=False)
    child = processes.Process(target=record, args=(tree, paths, files, sender))
    child.start()
    sender.close()
    tests = receiver.recv()
    child.join()
    seconds = sum(test.seconds for test in tests.values())
    print(f"{len(tests)} tests take {seconds:.0f} s", flush=True)
    return tests


def record(tree, paths, files, sender):
    """Run tests, and send the lines of `files` that each test executes."""
    prepare(tree)
    recorder = Recorder(tree, files)
    pytest.main(["-q", "--no-header", *paths], plugins=[recorder])
    sender.send(recorder.tests())


def prepare(tree):
    """Make this process, and the processes that tests start, import the copied package."""
    os.chdir(tree)
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.path.insert(0, str(tree))
    assert "skdigits" not in sys.modules


class Recorder:
    """Plugin of pytest that records which lines each test and its fixtures execute."""

    def __init__(self, tree, files):
        self._names = {str(tree / file): file for file in files}
        self._tests, self._of_fixtures, self._fixtures_of = {}, {}, {}
        self._lines, self._failed = set(), set()

    def tests(self):
        """Return the tests that passed."""
        for name in self._failed:
            del self._tests[name]
        for name, test in self._tests.items():
            for fixture in self._fixtures_of[name]:
                test.lines |= self._of_fixtures.get(fixture, set())
            test.lines = {(self._names[file], line) for file, line in test.lines}
        return self._tests

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        forget_caches()
        test = self._tests[item.nodeid] = Test()
        self._fixtures_of[item.nodeid] = item.fixturenames
        start = time.perf_counter()
        with self._recording(test.lines):
            result = yield
        test.seconds = time.perf_counter() - start
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        with self._recording(self._of_fixtures.setdefault(fixturedef.argname, set())):
            return (yield)

    def pytest_runtest_logreport(self, report):
        if not report.passed:
            self._failed.add(report.nodeid)

    @contextlib.contextmanager
    def _recording(self, lines):
        outer, self._lines = self._lines, lines
        sys.settrace(self._trace)
        threading.settrace(self._trace)
        try:
            yield
        finally:
            self._lines = outer

    def _trace(self, frame, event, _):
        file = frame.f_code.co_filename
        if file not in self._names:
            return None
        self._lines.add((file, frame.f_lineno))
        return self._trace


def forget_caches():
    """Clear the caches of skdigits, so that each test executes all code that it depends on."""
    for name, module in list(sys.modules.items()):
        if name.startswith("skdigits"):
            for value in list(vars(module).values()):
                getattr(value, "cache_clear", int)()


def outcomes_of(processes, trees, chosen, tests):
    """Test each mutant; return for each whether it was found, hung or survived."""
    free = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def outcome(mutant):
        tree = free.get()
        file = tree / mutant.file
        original = file.read_bytes()
        file.write_bytes(mutant.applied(original))
        try:
            result = run(processes, tree, *tests_for(mutant, tests))
        finally:
            file.write_bytes(original)
            free.put(tree)
        print(f"{result:8s} {mutant.file}:{mutant.line}: {mutant.change}", flush=True)
        return result

    with ThreadPoolExecutor(len(trees)) as threads:
        return list(threads.map(outcome, chosen))


def tests_for(mutant, tests):
    """Return the names of the tests for a mutant in order, and their seconds in total."""
    namesake = f"test_{Path(mutant.file).name}::"
    concerned = {
        name: test
        for name, test in tests.items()
        if namesake in name or test.lines & mutant.concerns
    }
    concerned = concerned or tests  # the line is executed only in other processes

    names, seconds = [], 0.0
    for name in sorted(concerned, key=lambda name: concerned[name].seconds):
        if seconds + concerned[name].seconds < PATIENCE:
            names.append(name)
            seconds += concerned[name].seconds
    return sorted(names, key=lambda name: namesake not in name), seconds


def run(processes, tree, names, seconds):
    """Run tests in a new process, and stop all processes that they started."""
    child = processes.Process(target=run_tests, args=(tree, names))
    child.start()
    child.join(SLOWER * seconds + GRACE)
    hangs = child.exitcode is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
    passed = child.exitcode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return "hung" if hangs else "survived" if passed else "found"


def run_tests(tree, names):
    os.setsid()
    prepare(tree)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    files = list(dict.fromkeys(name.split("::")[0] for name in names))
    sys.exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *files], plugins=[Order(names)]))


class Order:
    """Plugin of pytest that selects the named tests and runs them in this order."""

    def __init__(self, names):
        self._ranks = {name: rank for rank, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        chosen = [item for item in items if item.nodeid in self._ranks]
        items[:] = sorted(chosen, key=lambda item: self._ranks[item.nodeid])


if __name__ == "__main__":
    main()
