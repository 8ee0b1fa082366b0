"""Number of cores to use, and work on several cores."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

PATIENCE = 1.0  # seconds of work in this process, because starting others takes longer


def worker_threads() -> int:
    """Return the value of ``OMP_NUM_THREADS``, which joblib, Dask and Ray set for their workers.

    Returns
    -------
    int
        Number of threads; 0 if the variable is not set, or not a number.
    """
    share = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(share) if share.isdecimal() else 0


def available_cores() -> int:
    """Return the number of cores that this process may use.

    Returns
    -------
    int
        The number of threads of a worker, otherwise all cores that the system allows.
    """
    if share := worker_threads():
        return share
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_processes(
    function: Callable[[Any], Iterable[Any]], items: Iterable[Any], n_jobs: int | None = None
) -> Iterator[Iterable[Any]]:
    """Call a function for each item; after a second of work, in several processes.

    Parameters
    ----------
    function : callable
        Function of an item, which gives any number of results.
    items : iterable
        The items. They are taken one after the other, so that few are in memory.
    n_jobs : int, default=None
        Number of processes; -1 is one per core. None is 1, unless ``joblib.parallel_config`` sets
        another number or a cluster.

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
