"""What does `skdigits read` read on a photographed page?

    python benchmarks/draw_page.py FOLDER [--quick]

FOLDER holds MNIST's IDX files. The page has lines of its test digits on squared paper, and a
shadow; with what was read it is the picture in the project's README, `results/read/page.png`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import MNIST, load_mnist, parser, require_data, results_folder
from photographs import page
from PIL import Image

KIND = "squared+shadow"
N_LINES = 5
SEED = 0


def main():
    args = parser(__doc__, data=MNIST).parse_args()
    require_data(args)
    _, test = load_mnist(args)
    rng = np.random.default_rng(SEED)
    picture, _, texts = page(test.images, test.target, KIND, rng, n_lines=N_LINES)
    target = results_folder(args) / "read"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        Image.fromarray(picture).save(path)
        command = [sys.executable, "-m", "skdigits", "read", str(path), "--draw", folder]
        subprocess.run(command, check=True)
        shutil.copy(*Path(folder).glob("*.boxes.png"), target / "page.png")
    print("written:", *texts)


if __name__ == "__main__":
    main()
