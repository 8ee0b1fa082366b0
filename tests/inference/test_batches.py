import threading
from functools import partial

from skdigits.inference import batches


def test_batches_are_computed_by_as_many_threads_as_a_worker_may_use(monkeypatch):
    map_batches = partial(batches.map_batches, None)
    for share, n_threads in (("1", 1), ("2", 2), ("3", 3), ("3,2", 3)):
        monkeypatch.setenv("OMP_NUM_THREADS", share)
        threads, barrier = set(), threading.Barrier(n_threads)

        def function(batch, threads=threads, barrier=barrier):
            threads.add(threading.get_ident())
            barrier.wait(5)
            return 2 * batch

        assert map_batches(function, range(6)) == [0, 2, 4, 6, 8, 10]
        assert len(threads) == n_threads
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert map_batches(str, range(2)) == ["0", "1"]
    assert map_batches(str, []) == []


def test_another_engine_computes_in_one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = batches.map_batches(print, lambda _: threading.get_ident(), range(5))
    assert set(found) == {threading.get_ident()}
