"""What does `skdigits read` find on generated photographs of a page and of a receipt?

    python benchmarks/draw_page.py [--quick]

The page has lines of handwriting-like digits on squared paper with a shadow; the receipt has words
and amounts. They are saved as the samples `tests/pictures/page.jpg` and `receipt.jpg`. The same
pictures with boxes and texts are saved in `results/read/`; the README shows them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib
import numpy as np
from measuring import parser, results_folder
from photographs import page
from PIL import Image

from skdigits.synthesis.glyphs import typefaces
from skdigits.synthesis.pages.page import Page

KIND = "squared+shadow"
N_LINES = 5
SEED = 4
TYPEFACE = 11  # index among the handwriting-like typefaces
SAMPLES = Path(__file__).parent.parent / "tests" / "pictures"
RECEIPT_SIZE = (560, 560)  # width and height
RECEIPT = (
    ("GREEN MARKET", ""),
    ("12 Mill Street", "Tel 555-0139"),
    ("2026-11-30", "14:05"),
    ("", ""),
    ("Apples", "3.80"),
    ("Bread x 2", "5.90"),
    ("Olive oil", "12.50"),
    ("Soap", "1.95"),
    ("Discount 10%", "-2.42"),
    ("", ""),
    ("TOTAL", "21.73"),
    ("Cash", "50.00"),
    ("Change", "28.27"),
    ("Receipt No. 00417", ""),
    ("Thank you!", ""),
)  # texts at the left and at the right


def main():
    args = parser(__doc__).parse_args()
    target = results_folder(args) / "read"
    target.mkdir(exist_ok=True)
    for name, picture in {"page": draw_page(), "receipt": draw_receipt()}.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.jpg"
            picture.save(path, quality=90)
            command = [sys.executable, "-m", "skdigits", "read", str(path), "--draw", folder]
            subprocess.run(command, check=True)
            shutil.copy(*Path(folder).glob("*.boxes.png"), target / f"{name}.png")
            if not args.quick:
                shutil.copy(path, SAMPLES / path.name)


def draw_page():
    digits = [np.asarray(digit) for digit in typefaces()["handwritten"][TYPEFACE]]
    rng = np.random.default_rng(SEED)
    picture, _, texts = page(digits, range(10), KIND, rng, n_lines=N_LINES)
    print("numbers on the page:", *texts)
    return Image.fromarray(picture)


def draw_receipt():
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"
    sheet = Page(*RECEIPT_SIZE, paper=250)
    for row, (left, right) in enumerate(RECEIPT):
        top = 30 + 34 * row
        sheet.write(left, 30, top, 17, font, 30)
        sheet.write(right, RECEIPT_SIZE[0] - 30, top, 17, font, 30, right=True)
    rng = np.random.default_rng(SEED)
    tilted = sheet.picture.rotate(1.5, Image.Resampling.BICUBIC, fillcolor=250)
    shade = np.linspace(0.6, 1, RECEIPT_SIZE[0]) * np.asarray(tilted, np.float32)
    noisy = shade + rng.normal(0, 4, shade.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
