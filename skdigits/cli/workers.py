"""Execution by several processes or on a Dask cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from skdigits.cli.console import print_line

if TYPE_CHECKING:
    import numpy as np


@contextlib.contextmanager
def workers(
    address: str | None, *arrays: np.ndarray, n_jobs: int | None = 1, quiet: bool = False
) -> Iterator[None]:
    """Run joblib's tasks in processes of this machine, or on a Dask cluster.

    Parameters
    ----------
    address : str or None
        Address of the scheduler; None runs the tasks on this machine.
    *arrays : ndarray
        Arrays to copy to every worker, so that they survive the death of a worker.
    n_jobs : int or None, default=1
        Number of processes on this machine; None means one per core.
    quiet : bool, default=False
        Whether to omit the line about the workers, so that only data is printed.

    Raises
    ------
    ValueError
        If Dask is not installed.
    OSError
        If there is no scheduler at this address.
    """
    import joblib

    if address is None:
        with joblib.parallel_config(n_jobs=n_jobs or -1):
            yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("--dask needs Dask. Install it: pip install 'skdigits[dask]'.") from None
    with Client(address) as client:
        if not quiet:
            print_line(f"Workers at {address}: {len(client.nthreads())}.")
        manages_memory = client.amm.running()
        client.amm.stop()  # otherwise Dask removes all copies of an array except one
        try:
            with joblib.parallel_config("dask", client=client, scatter=list(arrays) or None):
                yield
        finally:
            if manages_memory:
                client.amm.start()
