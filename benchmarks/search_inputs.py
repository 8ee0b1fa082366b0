"""Is there an untested input that breaks a loader?

    python benchmarks/search_inputs.py [--quick]

In the test suite, Hypothesis tries the same inputs in every run. This script runs these tests with
many random seeds. Each seed draws hundreds of other inputs for each test. If a test fails, the
smallest failing input is printed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from measuring import Checks, finish, parser

N_SEEDS = 20
FAILED = 1  # exit status of pytest if a test fails if a test fails


def main():
    args = parser(__doc__).parse_args()
    n_seeds = args.runs or (1 if args.quick else N_SEEDS)
    failed = [seed for seed in range(n_seeds) if not passes(seed)]
    checks = Checks()
    checks.at_least("seeds", n_seeds, N_SEEDS)
    checks.at_most("seeds with an input that breaks a loader", len(failed), 0)
    finish("search_inputs", args, checks, {"failed": failed})


def passes(seed):
    """Return whether all Hypothesis tests pass with the inputs of a seed."""
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
