"""What does `skdigits read` find on a generated photograph of a page?

    python benchmarks/draw_page.py [--quick]

The page has lines of handwriting-like digits on squared paper with a shadow. It is saved as the
sample `tests/pictures/page.jpg`. The same page with boxes and texts is saved as
`results/read/page.png`, the picture in the README.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import parser, results_folder
from photographs import page
from PIL import Image

from skdigits.synthesis.glyphs import typefaces

KIND = "squared+shadow"
N_LINES = 5
SEED = 4
TYPEFACE = 11  # index among the handwriting-like typefaces
SAMPLE = Path(__file__).parent.parent / "tests" / "pictures" / "page.jpg"


def main():
    args = parser(__doc__).parse_args()
    digits = [np.asarray(digit) for digit in typefaces()["handwritten"][TYPEFACE]]
    rng = np.random.default_rng(SEED)
    picture, _, texts = page(digits, range(10), KIND, rng, n_lines=N_LINES)
    target = results_folder(args) / "read"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.jpg"
        Image.fromarray(picture).save(path, quality=90)
        command = [sys.executable, "-m", "skdigits", "read", str(path), "--draw", folder]
        subprocess.run(command, check=True)
        shutil.copy(*Path(folder).glob("*.boxes.png"), target / "page.png")
        if not args.quick:
            shutil.copy(path, SAMPLE)
    print("numbers on the page:", *texts)


if __name__ == "__main__":
    main()
