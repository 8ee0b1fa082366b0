"""Does a killed command give the correct result when it is run again?

    python benchmarks/bench_kill.py [--quick] [--runs KILLS] [--resume]

Each command runs once without interruption. Then it is killed by SIGKILL at random moments, one to
five times in a row; after that, it runs until it ends. Its files and output must equal those of the
uninterrupted run. After each kill, all files must be complete. At the end, no other file may be
left.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from measuring import Checks, Parts, finish, parser
from PIL import Image
from scipy.ndimage import zoom

import skdigits
from skdigits.datasets import load_digits

COMMAND = str(Path(sys.executable).with_name("skdigits"))
KILLS, QUICK_KILLS = 100, 1
MOST_IN_A_ROW = 5
N_PICTURES = 200
PRINTED = "printed"
OF_TRAINING = (".checkpoint", ".jsonl")  # files that change until a command ends


def main():
    args = parser(__doc__, resumable=True).parse_args()
    kills = args.runs or (QUICK_KILLS if args.quick else KILLS)
    checks, parts, details = Checks(), Parts("bench_kill", args), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in make_commands(Path(folder), args.quick).items():
            parameters = {"kills": kills, "version": skdigits.__version__}
            found = parts.measure(name, parameters, kill, arguments, Path(folder) / name, kills)
            details[name] = found
            print(f"{name:18s} {found}", flush=True)
            checks.at_least(f"{name}: kills", found["kills"], kills)
            checks.at_most(f"{name}: faults", len(found["faults"]), 0)
    finish("bench_kill", args, checks, {"commands": details})


def make_commands(folder, quick):
    """Return the arguments of the commands; {} stands for the folder of the results."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for i, image in enumerate(load_digits().images[:N_PICTURES]):
        Image.fromarray(255 - np.pad(zoom(image, 5, order=1), 15)).save(pictures / f"{i:03d}.png")
    digit = Path(skdigits.__file__).with_name("pretrained") / "digit.skdigits"
    sequences = ["--sequences", "--epochs", "6", "--sequences-per-epoch", "300"]
    grid = ["--architecture", "compact,lenet", "--epochs", "12", "--folds", "2"]
    longer = {
        "train --sequences": ["train", *sequences, "-o", "{}"],
        "search": ["search", *grid, "-o", "{}"],
    }
    return {
        "train": ["train", "--epochs", "12", "-o", "{}"],
        **({} if quick else longer),
        "predict": ["predict", str(digit), str(pictures), "-o", "{}/labels.csv"],
        "read --csv": ["read", "--csv", str(pictures)],
    }


def kill(arguments, folder, kills):
    """Kill a command at random moments and run it again; return the number of kills and faults."""
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    expected = result(arguments, folder / "undisturbed")
    seconds = time.perf_counter() - start
    done, faults = 0, []
    while done < kills:
        disturbed = Path(tempfile.mkdtemp(dir=folder))
        for _ in range(rng.integers(1, MOST_IN_A_ROW + 1)):
            process = subprocess.Popen(
                command(arguments, disturbed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                process.wait(rng.uniform(0, seconds))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                done += 1
            faults += half_written(disturbed, expected)
        faults += differences(expected, result(arguments, disturbed))
    return {"seconds": seconds, "kills": done, "faults": faults}


def command(arguments, folder):
    return [COMMAND, *(argument.replace("{}", str(folder)) for argument in arguments)]


def run(arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=True).stdout


def result(arguments, folder):
    """Run a command; return the contents of the files in its folder, or its output."""
    folder.mkdir(parents=True, exist_ok=True)
    printed = run(command(arguments, folder))
    found = {path.name: content(path) for path in folder.iterdir()}
    return found or {PRINTED: printed}


def content(path):
    """Return the content of a file without times; it must be the same in all runs."""
    if path.suffix == ".skdigits":
        with zipfile.ZipFile(path) as file:
            return {name: file.read(name) for name in file.namelist()}
    if path.suffix == ".json":
        values = json.loads(path.read_text())
        return {name: value for name, value in values.items() if "seconds" not in name}
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [{name: row[name] for name in row if "time" not in name} for row in rows]
    if path.suffix == ".png":
        Image.open(path).load()
    if path.suffix == ".jsonl":
        return sorted(path.read_text().splitlines())
    return None


def half_written(folder, expected):
    """Find visible files in a folder that are incomplete."""
    for path in folder.iterdir():
        if path.name.startswith(".") or path.suffix in OF_TRAINING:
            continue
        try:
            whole = content(path) == expected.get(path.name)
        except (OSError, ValueError, zipfile.BadZipFile):
            whole = False
        if not whole:
            yield f"{path.name} is incomplete"


def differences(expected, found):
    for name in expected.keys() | found.keys():
        if expected.get(name, 0) != found.get(name, 0):
            yield f"{name} differs, is missing or is left over"


if __name__ == "__main__":
    main()
