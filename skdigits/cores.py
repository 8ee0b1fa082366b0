"""How many cores to use."""

from __future__ import annotations

import os


def worker_threads() -> int:
    """Number of threads in ``OMP_NUM_THREADS``, which joblib, Dask and Ray set for their workers.

    Returns
    -------
    int
        0 if it is not set, or not a number.
    """
    share = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(share) if share.isdecimal() else 0


def available_cores() -> int:
    """Number of cores that this process may use.

    Returns
    -------
    int
        The share of a worker; else all that the system lets it use.
    """
    if share := worker_threads():
        return share
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
