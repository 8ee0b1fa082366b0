import os
import sys

import joblib
import pytest

from skdigits import cores
from skdigits.cores import available_cores, map_in_processes


def process_of(item):
    yield item
    yield os.getpid()


def in_processes(items, n_jobs=None):
    """Return the items of the results, and the IDs of the processes that computed them."""
    found = [list(results) for results in map_in_processes(process_of, items, n_jobs)]
    return [item for item, _ in found], [process for _, process in found]


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(cores, "PATIENCE", 0)


def test_short_work_is_done_in_this_process():
    items, processes = in_processes("abc", n_jobs=2)
    assert items == ["a", "b", "c"]
    assert set(processes) == {os.getpid()}


def test_long_work_continues_in_other_processes(impatient):
    items, processes = in_processes(range(30), n_jobs=2)
    assert items == list(range(30))
    assert processes[0] == os.getpid()
    assert os.getpid() not in processes[1:]


@pytest.mark.usefixtures("impatient")
def test_one_process_is_the_default():
    assert set(in_processes("abc")[1]) == {os.getpid()}
    with joblib.parallel_config(n_jobs=2):
        assert len(set(in_processes("abc")[1])) > 1


def test_items_and_results_come_at_their_turn():
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    first = next(map_in_processes(process_of, items(), n_jobs=2))
    assert taken == [0]
    assert next(iter(first)) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the cores of a process")
def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert available_cores() == len(os.sched_getaffinity(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert available_cores() == 3
