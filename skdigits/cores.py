"""Number of available cores, and calls of a function in several processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

PATIENCE = 1.0  # seconds of work before other processes start; starting them takes longer


def worker_threads() -> int:
    """Return the value of ``OMP_NUM_THREADS``, which joblib, Dask and Ray set for their workers.

    The result is 0 if the variable is not set, or is not a number.
    """
    share = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(share) if share.isdecimal() else 0


def available_cores() -> int:
    """Return the number of cores that this process may use.

    If `worker_threads` returns 0, this is the number of cores that the operating system allows;
    otherwise, it is the result of `worker_threads`.
    """
    if share := worker_threads():
        return share
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_processes(
    function: Callable[[Any], Iterable[Any]], items: Iterable[Any], n_jobs: int | None = None
) -> Iterator[Iterable[Any]]:
    """Call a function for each item, in several processes if the work takes more than a second.

    Parameters
    ----------
    function : callable
        Function that takes an item and returns an iterable of results.
    items : iterable
        The items; only a few of them are in memory at a time.
    n_jobs : int, default=None
        Number of processes; -1 means one per core. None means 1, unless ``joblib.parallel_config``
        sets another number or a cluster.

    Yields
    ------
    iterable
        The results of each item, in the order of the items.
    """
    import joblib

    remaining, start = iter(items), time.monotonic()
    is_parallel = joblib.effective_n_jobs(n_jobs) > 1
    for item in remaining:
        yield function(item)
        if is_parallel and time.monotonic() - start > PATIENCE:
            break
    else:
        return
    parallel = joblib.Parallel(n_jobs, return_as="generator", pre_dispatch="2 * n_jobs")
    yield from parallel(joblib.delayed(_call)(function, item) for item in remaining)


def _call(function: Callable[[Any], Iterable[Any]], item: Any) -> list[Any]:
    return list(function(item))
