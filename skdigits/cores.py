"""Number of cores to use."""

from __future__ import annotations

import os


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
