"""Do the tests notice when a line of the code is wrong?

    python benchmarks/mutate.py [--quick] [--resume] [--seed N] [--rooms ROOM ...] [--jobs N]

One line at a time is changed in a copy of the project: a number, a comparison, a sign, "and" or
"or", or a call that is left out. The tests of the file of the same name are run, then those of its
room that execute the line; the quickest first, up to a minute of them. Changes that none of them
notices are listed. Messages, annotations and decorators are not changed.
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
ROOMS = {  # number of mutants, and the tests that concern the room
    "synthesis": (70, ("tests/synthesis",)),
    "reading": (5, ("tests/test_reading.py",)),
    "persistence": (25, ("tests/persistence",)),
    "inference": (40, ("tests/inference", *PAGES)),
    "pictures": (60, ("tests/pictures", *PAGES)),
}
PATIENCE = 60  # seconds of tests for one mutant, if they took as long as without a change
SLOWER, GRACE = 5, 60  # a mutant hangs after so many times their time, and so many seconds
PRELOADED = (  # so that the process of a mutant starts at once
    *("numpy", "scipy.ndimage", "sklearn.pipeline", "PIL.Image", "matplotlib.pyplot"),
    *("onnx", "rapidfuzz", "tensorflow", "keras"),
)


def main():
    arguments = parser(__doc__, resumable=True)
    arguments.add_argument("--seed", type=int, default=0, help="seed of the choice of lines")
    arguments.add_argument("--rooms", choices=ROOMS, nargs="+", default=list(ROOMS))
    arguments.add_argument("--jobs", type=int, default=2, help="mutants at a time")
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
    """Change so many lines of files, one at a time, and run tests."""
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
    """A copy of what the tests need, without compiled files, whose age could deceive."""
    for name in ("skdigits", "tests", "benchmarks"):
        ignored = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    return tree


@dataclass
class Test:
    """What a test takes and executes, by its name."""

    seconds: float = 0.0
    lines: set = field(default_factory=set)


def recorded(processes, tree, paths, files):
    """The tests by name, without those that fail as it is."""
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
    """Run tests and send which lines of some files each of them executes."""
    prepare(tree)
    recorder = Recorder(tree, files)
    pytest.main(["-q", "--no-header", *paths], plugins=[recorder])
    sender.send(recorder.tests())


def prepare(tree):
    """Import the copy, here and in processes that tests start."""
    os.chdir(tree)
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.path.insert(0, str(tree))
    assert "skdigits" not in sys.modules


class Recorder:
    """Plugin of pytest: the lines of files that each test executes, also in its fixtures."""

    def __init__(self, tree, files):
        self._names = {str(tree / file): file for file in files}
        self._tests, self._of_fixtures, self._fixtures_of = {}, {}, {}
        self._lines, self._failed = set(), set()

    def tests(self):
        """The tests that passed."""
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
    """So that each test executes all that it depends on."""
    for name, module in list(sys.modules.items()):
        if name.startswith("skdigits"):
            for value in list(vars(module).values()):
                getattr(value, "cache_clear", int)()


def outcomes_of(processes, trees, chosen, tests):
    """What becomes of each mutant: found, hung or survived."""
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
    """Names of the tests to run, in order, and the seconds they take without a change."""
    namesake = f"test_{Path(mutant.file).name}::"
    concerned = {
        name: test
        for name, test in tests.items()
        if namesake in name or test.lines & mutant.concerns
    }
    concerned = concerned or tests  # a line that only other processes execute

    names, seconds = [], 0.0
    for name in sorted(concerned, key=lambda name: concerned[name].seconds):
        if seconds + concerned[name].seconds < PATIENCE:
            names.append(name)
            seconds += concerned[name].seconds
    return sorted(names, key=lambda name: namesake not in name), seconds


def run(processes, tree, names, seconds):
    """Run tests, and stop all processes that they have started."""
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
    """Plugin of pytest: only some tests, in an order."""

    def __init__(self, names):
        self._ranks = {name: rank for rank, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        chosen = [item for item in items if item.nodeid in self._ranks]
        items[:] = sorted(chosen, key=lambda item: self._ranks[item.nodeid])


if __name__ == "__main__":
    main()
