import threading

from skdigits.inference.engines import map_batches


def test_batches_are_computed_by_as_many_threads_as_a_worker_may_use(monkeypatch):
    for share, expected in (("1", {1}), ("3", {1, 2, 3})):
        monkeypatch.setenv("OMP_NUM_THREADS", share)
        threads, barrier = set(), threading.Barrier(int(share))

        def function(batch, threads=threads, barrier=barrier):
            threads.add(threading.get_ident())
            barrier.wait(5)
            return 2 * batch

        assert map_batches(function, range(3)) == [0, 2, 4]
        assert len(threads) == max(expected)
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert map_batches(str, range(2)) == ["0", "1"]
    assert map_batches(str, []) == []
