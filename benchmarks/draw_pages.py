"""What do drawn pages with numbers among words look like?

    python benchmarks/draw_pages.py DATA FOLDER_OF_FONTS [--photographs FOLDER] [--quick]

DATA is a folder of MNIST's IDX files; FOLDER_OF_FONTS is that of `make_glyphs.py`. Two pictures are
written to `results/parts/pages/`: fifty pages with their numbers marked, and cut-outs of numbers
with their characters. Each colour is a direction in which a number is turned.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from make_glyphs import typefaces
from measuring import MNIST, load_mnist, parser, results_folder
from PIL import Image, ImageDraw, ImageFont

from skdigits.pictures.number_images import OTHER
from skdigits.synthesis.pages.cut_outs import cut_numbers
from skdigits.synthesis.pages.materials import Materials
from skdigits.synthesis.pages.page_samples import IGNORED, draw_sample

PAGES = (5, 10)  # rows and columns
CUTS = (25, 6)
CUT_SIZE = (240, 44)
COLOURS = {1: "red", 2: "lime", 3: "blue", 4: "yellow", IGNORED: "gray"}
NEEDED = "0123456789AOaeos.,-/:%$"  # characters that a font must have
# Fonts that `make_glyphs.py` does not name are printed fonts, except those with such names.
DECORATIVE = ("dingbat", "dseg", "emoji", "math", "script", "symbol")
MOST_OTHERS = 4  # fonts per package that `make_glyphs.py` does not name
SUFFIXES = (".png", ".jpg", ".jpeg")


def main():
    options = parser(__doc__, data=MNIST)
    options.add_argument("fonts", nargs="?", type=Path, help="folder of fonts")
    options.add_argument("--photographs", type=Path, help="folder of pictures without numbers")
    args = options.parse_args()
    materials = load_materials(args)
    rng = np.random.default_rng(0)
    rows, columns = (1, 4) if args.quick else PAGES
    drawn = [draw_sample(materials, rng) for _ in range(rows * columns)]
    target = results_folder(args) / "parts" / "pages"
    target.mkdir(parents=True, exist_ok=True)
    sheet([marked(sample) for sample in drawn], columns, (260, 260)).save(target / "pages.png")
    cuts = [cut for sample in drawn for cut in cut_numbers(sample, rng)][: CUTS[0] * CUTS[1]]
    sheet([labelled(*cut) for cut in cuts], CUTS[1], CUT_SIZE).save(target / "cuts.png")
    print(f"{len(drawn)} pages, {len(cuts)} cut-outs: {target}")


def load_materials(args):
    """Load digits, fonts and photographs."""
    digits, _ = load_mnist(args)
    fonts = {"printed": [], "handwritten": []}
    if args.fonts is None:
        import matplotlib

        folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        fonts = {
            "printed": [folder / "DejaVuSans.ttf"],
            "handwritten": [folder / "DejaVuSerif.ttf"],
        }
    else:
        kinds = {path: kind for _, kind, *_, path in typefaces(args.fonts)}
        others = Counter()
        for path in sorted(args.fonts.rglob("*.[to]tf")):
            package = path.relative_to(args.fonts).parts[0]
            if path in kinds:
                if kinds[path] in fonts and has_characters(path):
                    fonts[kinds[path]].append(path)
            elif others[package] < MOST_OTHERS and not is_decorative(path) and has_characters(path):
                others[package] += 1
                fonts["printed"].append(path)
    files = sorted(args.photographs.iterdir()) if args.photographs else []
    photographs = [
        np.asarray(Image.open(file).convert("L")) for file in files if file.suffix in SUFFIXES
    ]
    return Materials(fonts, digits.images, digits.target, photographs)


def is_decorative(path):
    return any(name in path.as_posix().lower() for name in DECORATIVE)


def has_characters(path):
    """Return True if a font has the characters of words and numbers."""
    font = ImageFont.truetype(str(path), 40)
    missing = bytes(font.getmask("\uffff"))
    return all(bytes(font.getmask(character)) != missing for character in NEEDED)


def marked(sample):
    """Draw a sample with its numbers marked in colour."""
    picture = sample.picture.convert("RGB")
    for value, colour in COLOURS.items():
        mask = Image.fromarray((sample.target == value).astype(np.uint8) * 110)
        picture.paste(colour, (0, 0), mask.resize(picture.size, Image.Resampling.NEAREST))
    return picture


def labelled(image, text):
    """Draw a cut-out above the characters that are seen in it."""
    picture = Image.new("RGB", CUT_SIZE)
    picture.paste(Image.fromarray(image))
    ImageDraw.Draw(picture).text((0, 29), text.replace(OTHER, "?"), fill="yellow")
    return picture


def sheet(pictures, columns, size):
    """Put pictures side by side."""
    n_rows = -(-len(pictures) // columns)
    result = Image.new("RGB", (columns * size[0], max(1, n_rows) * size[1]), "gray")
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        result.paste(picture, (column * size[0], row * size[1]))
    return result


if __name__ == "__main__":
    main()
