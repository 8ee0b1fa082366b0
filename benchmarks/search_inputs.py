"""Is there an input that breaks a loader, and that the tests do not try?

    python benchmarks/search_inputs.py [--quick]

Hypothesis tests try the same inputs in every run. Here they run with many seeds; each seed draws
hundreds of other inputs for each test. A seed that fails prints the smallest failing input.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from measuring import Checks, finish, parser

N_SEEDS = 20
FAILED = 1  # exit status of pytest


def main():
    args = parser(__doc__).parse_args()
    n_seeds = args.runs or (1 if args.quick else N_SEEDS)
    failed = [seed for seed in range(n_seeds) if not passes(seed)]
    checks = Checks()
    checks.at_least("seeds", n_seeds, N_SEEDS)
    checks.at_most("seeds with an input that breaks a reader", len(failed), 0)
    finish("search_inputs", args, checks, {"failed": failed})


def passes(seed):
    """Check whether all tests pass with the inputs of a seed."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "hypothesis", "-p", "no:cacheprovider"]
    command += ["--hypothesis-profile=search", f"--hypothesis-seed={seed}", "tests"]
    run = subprocess.run(
        command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False
    )
    print(f"seed {seed}:", run.stdout.strip().splitlines()[-1], flush=True)
    if run.returncode not in (0, FAILED):
        sys.exit(run.stdout + run.stderr)
    if run.returncode:
        print(run.stdout, flush=True)
    return run.returncode == 0


if __name__ == "__main__":
    main()
