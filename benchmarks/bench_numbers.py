"""Are the numbers of whole pictures found and read, with their signs?

    python benchmarks/bench_numbers.py FOLDER [--quick]

FOLDER has a subfolder per kind of picture, with pictures and `truth.json`: a list of objects with
`file`; `numbers`, a list of objects with `text` and `box`; `complete`, true if no number of the
picture is missing; and `boxes`, "word" if the boxes are those of single words. Texts are split at
blanks, and a number is what remains of a word without letters and without signs at its ends:
"RM5.00" counts as 5.00. RapidOCR reads the same pictures if it is installed. Choices are made on
the even half of the pictures in the order of `truth.json`; the odd half is reported. The most
confident mistakes are drawn in `results/parts/`. Without FOLDER, `--quick` reads drawn pages.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path

import numpy as np
from draw_pages import load_materials
from measuring import Checks, finish, memory, mistakes_figure, parser, results_folder
from PIL import Image
from scipy.optimize import linear_sum_assignment

from skdigits import read
from skdigits.synthesis.pages.page_samples import draw_sample

# Kind, measure, and its minimum on the odd half.
GOALS = {
    "receipts_sroie": ("F1", 0.93),
    "forms_funsd": ("F1", 0.66),
    "meters_mixed": ("recall", 0.75),
    "displays_fuel": ("recall", 1.0),
    "cells_meza": ("F1", 0.85),
}
MOST_SECONDS = ("receipts_sroie", 0.4)  # of CPU time per picture
RUN = re.compile(r"[0-9.,:/+%$-]+")
STRAY = ".,:/-+%$"  # signs that are left out at the ends of a number
GROWN = 0.5  # of its height, by which the box of a number is grown when boxes are compared
DRAWS = 1000  # of pictures, with replacement, for the intervals
SHOWN = 8  # mistakes that are drawn per kind
N_QUICK = 4


def main():
    args = parser(__doc__, data="folder with a subfolder per kind of picture").parse_args()
    if not args.data and not args.quick:
        raise SystemExit("FOLDER is required; --quick alone reads drawn pages.")
    checks, details, mistakes, installed = Checks(), {}, {}, programs()
    with tempfile.TemporaryDirectory() as drawn:
        folder = Path(args.data) if args.data else draw_folder(args, Path(drawn))
        for kind in sorted(path.parent for path in folder.glob("*/truth.json")):
            details[kind.name] = {}
            for program, function in installed.items():
                found = measure(function, kind, N_QUICK if args.quick else None)
                details[kind.name][program] = found["row"]
                print(f"{kind.name:18s} {program:9s} {summary(found['row'])}", flush=True)
                if program == "skdigits":
                    mistakes[kind.name] = drawn_mistakes(found["mistakes"])
            judge(checks, kind.name, details[kind.name]["skdigits"])
    details = {"kinds": details, "peak_bytes": memory("VmHWM")}
    target = results_folder(args) / "parts" / "bench_numbers.png"
    target.parent.mkdir(exist_ok=True)
    mistakes_figure(mistakes, SHOWN).savefig(target, dpi=110)
    finish("bench_numbers", args, checks, details)


def draw_folder(args, folder):
    """Draw pages with a known text into a folder."""
    args.fonts = args.photographs = None
    materials, rng, truth = load_materials(args), np.random.default_rng(1), []
    (folder / "drawn").mkdir()
    for number in range(N_QUICK):
        sample = draw_sample(materials, rng)
        sample.picture.save(folder / "drawn" / f"{number}.png")
        texts = [run.text[start:stop] for run in sample.runs for start, stop in run.numbers()]
        numbers = [{"text": text, "box": None} for text in texts]
        truth.append({"file": f"{number}.png", "numbers": numbers, "complete": False})
    (folder / "drawn" / "truth.json").write_text(json.dumps(truth))
    return folder


# -- programs: from the path of a picture to texts, boxes and confidences --------------------------


def programs():
    """Return a function for each program that is installed."""
    found = {"skdigits": read}
    try:
        from rapidocr import RapidOCR
    except ImportError:
        return found
    engine = RapidOCR(params={"Global.log_level": "critical"})

    def rapidocr(path):
        result = engine(str(path))
        if result.boxes is None:
            return []
        boxes = [(*np.min(corners, axis=0), *np.max(corners, axis=0)) for corners in result.boxes]
        return list(zip(result.txts, result.scores, boxes, strict=True))

    return {**found, "RapidOCR": rapidocr}


# -- results ---------------------------------------------------------------------------------------


def measure(function, kind, most):
    """Read the pictures of a kind; return shares with their intervals, seconds and mistakes."""
    truth = json.loads((kind / "truth.json").read_text())[:most]
    counts, mistakes = [], []
    seconds = cpu_seconds = 0.0
    for entry in truth:
        start, cpu_start = time.perf_counter(), time.process_time()
        readings = function(kind / entry["file"])
        seconds += time.perf_counter() - start
        cpu_seconds += time.process_time() - cpu_start
        expected, found = numbers_of_truth(entry), numbers_of_readings(readings)
        right = matched(expected, found, compare_boxes=entry.get("boxes") == "word")
        counts.append([len(expected), len(found), len(right), entry["complete"]])
        wrong = [number for i, number in enumerate(found) if i not in right]
        mistakes += [(kind / entry["file"], *number) for number in wrong if entry["complete"]]
    counts = np.array(counts)
    halves = {"all": counts, "even": counts[::2], "odd": counts[1::2]}
    row = {half: shares(part) for half, part in halves.items()}
    row["intervals"] = intervals(counts)
    row |= {"pictures": len(truth), "numbers": int(counts[:, 0].sum())}
    row |= {"seconds": seconds / len(truth), "cpu_seconds": cpu_seconds / len(truth)}
    mistakes.sort(key=lambda mistake: -mistake[2])
    return {"row": row, "mistakes": mistakes[:SHOWN]}


def core(text):
    """Return the numbers in a text: without letters, and without signs at their ends."""
    runs = (run.strip(STRAY) for word in text.split() for run in RUN.findall(word))
    return [run for run in runs if any(map(str.isdigit, run))]


def numbers_of_truth(entry):
    return [(text, number["box"]) for number in entry["numbers"] for text in core(number["text"])]


def numbers_of_readings(readings):
    return [
        (number, confidence, box) for text, confidence, box in readings for number in core(text)
    ]


def matched(expected, found, *, compare_boxes):
    """Match equal numbers one to one, as many as possible; return the indices of the found ones."""
    fits = np.array(
        [
            [text == other and (not compare_boxes or meet(box, at)) for other, _, at in found]
            for text, box in expected
        ],
        dtype=bool,
    ).reshape(len(expected), len(found))
    rows, columns = linear_sum_assignment(fits, maximize=True)
    return set(columns[fits[rows, columns]].tolist())


def meet(box, other):
    """Return True if a box, grown by a part of its height, meets another."""
    margin = GROWN * (box[3] - box[1])
    left, top, right, bottom = box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin
    return left < other[2] and other[0] < right and top < other[3] and other[1] < bottom


def shares(counts):
    """Compute recall over all pictures, and F1 over the complete ones; None without pictures."""
    n_expected, _, n_right, _ = counts.sum(axis=0)
    complete = counts[counts[:, 3] == 1].sum(axis=0)
    n_numbers = complete[0] + complete[1]
    return {
        "recall": float(n_right / n_expected) if n_expected else None,
        "F1": float(2 * complete[2] / n_numbers) if n_numbers else None,
    }


def intervals(counts):
    """Compute 95 % intervals of recall and F1 by drawing pictures with replacement."""
    rng = np.random.default_rng(0)
    drawn = [shares(counts[rng.integers(len(counts), size=len(counts))]) for _ in range(DRAWS)]
    found = {}
    for name in ("recall", "F1"):
        values = [share[name] for share in drawn if share[name] is not None]
        found[name] = np.quantile(values, [0.025, 0.975]).tolist() if values else None
    return found


def summary(row):
    texts = []
    for name in ("F1", "recall"):
        if row["all"][name] is None:
            continue
        low, high = row["intervals"][name]
        halves = "  ".join(
            f"{half} {row[half][name]:.3f}"
            for half in ("even", "odd")
            if row[half][name] is not None
        )
        texts.append(f"{name} {row['all'][name]:.3f} [{low:.3f}, {high:.3f}]  {halves}")
    return "   ".join(texts) + f"   {row['cpu_seconds']:.2f} s of CPU"


def judge(checks, kind, row):
    if kind in GOALS:
        name, least = GOALS[kind]
        checks.at_least(f"{kind}, odd half: {name}", row["odd"][name] or 0.0, least)
    if kind == MOST_SECONDS[0]:
        what = f"{kind}: CPU time per picture"
        checks.at_most(what, row["cpu_seconds"], MOST_SECONDS[1], "s")


def drawn_mistakes(mistakes):
    """Cut the most confident numbers that are not on the picture out of their pictures."""
    return [
        (around(Image.open(path).convert("L"), box), f"{text}, {confidence:.2f}")
        for path, text, confidence, box in mistakes
    ]


def around(picture, box):
    """Cut out a box with a margin of its height."""
    height = box[3] - box[1]
    part = box[0] - height, box[1] - height, box[2] + height, box[3] + height
    return picture.crop(tuple(map(int, part)))


if __name__ == "__main__":
    main()
