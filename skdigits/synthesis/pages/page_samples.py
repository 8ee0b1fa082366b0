"""Samples of drawn pages: pictures with the positions of their numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from skdigits.synthesis.pages import devices, printed, spellings
from skdigits.synthesis.pages.exposure import expose, smooth_noise
from skdigits.synthesis.pages.materials import Materials
from skdigits.synthesis.pages.page import Page, Run

SIDE = 256  # height and width of a picture in pixels
STRIDE = 4  # pixels of the picture per pixel of the target
CORE = (0.25, 0.75)  # part of a number's height that is marked
SMALLEST, LARGEST = 7, 56  # heights of digits that are marked
HEIGHTS = (8, 44)  # range of the heights of digits
IGNORED = 255  # in the target: numbers that no loss should count
LEGIBLE = 0.55  # minimum correlation of a number with its clean image
SCENES = {
    printed.text: 2.5,
    printed.receipt: 4,
    printed.form: 3,
    printed.table: 2,
    printed.handwriting: 4,
    devices.display: 3.5,
    devices.wheels: 3,
    devices.gauge: 0.8,
    devices.sudoku: 1.5,
    devices.cell: 3,
    None: 1.0,
}
LARGE = {devices.display, devices.wheels, devices.cell}


@dataclass
class Sample:
    """A picture and its numbers.

    Parameters
    ----------
    picture : PIL.Image.Image
        Grey levels.
    clean : PIL.Image.Image
        The picture before light, blur and noise.
    target : ndarray of shape (height / STRIDE, width / STRIDE), uint8
        0, 1 + the number of quarters by which a number is turned anticlockwise, or IGNORED.
    heights : ndarray of the same shape, float32
        Height of the number's digits in pixels; 0 elsewhere.
    runs : list of Run
        What was written, in coordinates of the page.
    matrix : ndarray of shape (2, 3)
        From coordinates of the picture to those of the page.
    """

    picture: Image.Image
    clean: Image.Image
    target: np.ndarray
    heights: np.ndarray
    runs: list[Run]
    matrix: np.ndarray


def _background(page: Page, materials: Materials, rng: np.random.Generator) -> None:
    """Put a texture or a photograph behind what is written."""
    chance = rng.random()
    size = page.picture.size
    if chance < 0.15 and materials.photographs:
        page.picture.paste(_part(materials, size, rng))
    elif chance < 0.3:
        grey = smooth_noise(size[::-1], int(rng.integers(3, 100)), rng) * rng.uniform(3, 40)
        page.picture = Image.fromarray((page.paper + grey).clip(0, 255).astype(np.uint8))
    page.pen = ImageDraw.Draw(page.picture)


def _part(materials: Materials, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    picture = Image.fromarray(materials.photographs[rng.integers(len(materials.photographs))])
    scale = max(size[0] / picture.width, size[1] / picture.height)
    scale *= np.exp(rng.uniform(0, 1.2))
    picture = picture.resize((round(picture.width * scale) + 1, round(picture.height * scale) + 1))
    left = int(rng.integers(picture.width - size[0] + 1))
    top = int(rng.integers(picture.height - size[1] + 1))
    return picture.crop((left, top, left + size[0], top + size[1]))


def _clutter(page: Page, rng: np.random.Generator) -> None:
    """Draw bars, gratings and rings, which are no numbers."""
    for _ in range(rng.integers(0, 4)):
        ink = int(rng.uniform(0, 255))
        kind = rng.integers(4)
        x, y = rng.uniform(0, page.width), rng.uniform(0, page.height)
        a, b = rng.uniform(5, 120, 2)
        width = int(rng.integers(1, 9))
        if kind == 0:
            page.pen.rectangle([x, y, x + a, y + b], outline=ink, width=width)
        elif kind == 1:
            page.pen.ellipse([x, y, x + a, y + b], outline=ink, width=width)
        elif kind == 2:
            step = rng.uniform(4, 20)
            for i in range(int(rng.integers(3, 20))):
                bar = rng.uniform(0.3, 0.9) * step if a > 60 else width
                page.pen.line([x + i * step, y, x + i * step, y + b], fill=ink, width=int(bar) + 1)
        else:
            page.pen.line([x, y, *rng.uniform(0, page.width, 2)], fill=ink, width=width)


def draw_sample(materials: Materials, rng: np.random.Generator) -> Sample:
    """Draw a page and photograph it.

    Parameters
    ----------
    materials : Materials
        What pages are made of.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    Sample
        The sample.
    """
    weights = np.array([*SCENES.values()])
    scene = [*SCENES][rng.choice(len(weights), p=weights / weights.sum())]
    margin = SIDE // 4
    whole = SIDE + 2 * margin
    least = 0 if rng.random() < 0.3 else 130
    paper = 255 if rng.random() < 0.4 else int(rng.uniform(least, 255))
    page = Page(whole, whole, paper)
    _background(page, materials, rng)
    if scene is None or rng.random() < 0.15:
        _clutter(page, rng)
    if scene is None:
        if materials.photographs and rng.random() < 0.8:
            page.picture.paste(_part(materials, page.picture.size, rng))
    else:
        low, high = np.log(HEIGHTS)
        low = low + 0.5 * (high - low) if scene in LARGE else low
        high = high if scene in LARGE or rng.random() < 0.15 else low + 0.75 * (high - low)
        scene(page, materials, rng, float(np.exp(rng.uniform(low, high))))
    if scene in (printed.form, printed.receipt, printed.text) and rng.random() < 0.15:
        _turned_number(page, materials, rng, margin)
    return _photographed(page, rng)


def _turned_number(page: Page, materials: Materials, rng: np.random.Generator, margin: int) -> None:
    """Write a number turned by a quarter on a free strip."""
    height = rng.uniform(9, 26)
    x = rng.uniform(margin, page.width - margin)
    page.pen.rectangle([x - height * 0.6, 0, x + 2.6 * height, page.height], fill=page.paper)
    covered = [run for run in page.runs if run.right > x - height and run.left < x + 3 * height]
    page.unknown += [[run.left, run.top, run.right, run.bottom] for run in covered]
    page.runs = [run for run in page.runs if all(run is not other for other in covered)]
    ink = 0 if page.paper > 110 else 255
    page.write(
        spellings.number(rng, kinds={spellings.code: 1}, plain=True),
        x,
        rng.uniform(0.2, 0.7) * page.height,
        height,
        materials.font(rng),
        ink,
        turn=int(rng.choice([1, 3])),
    )


def _rectangles(run: Run) -> list[np.ndarray]:
    """Return left, top, right and bottom of the core of each number, in the page."""
    found = []
    height = run.bottom - run.top
    for start, stop in run.numbers():
        left, right = run.edges[start, 0], run.edges[stop - 1, 1]
        top, bottom = (run.top + part * height for part in CORE)
        if run.turn == 0:
            found.append(np.array([run.left + left, top, run.left + right, bottom]))
            continue
        width = run.edges[-1, 1]
        across = [run.left + 2 + height // 2 + part * height for part in CORE]
        along = [run.top + 2 + edge for edge in (left, right)]
        if run.turn == 1:
            along = [run.top + 2 + width - edge for edge in (right, left)]
        found.append(np.array([across[0], along[0], across[1], along[1]]))
    return found


def _photographed(page: Page, rng: np.random.Generator) -> Sample:
    """Turn, tilt and crop a page, and expose it."""
    tilt = rng.normal(0, 2) if rng.random() < 0.6 else rng.uniform(-15, 15)
    angle = np.radians(tilt)
    scale = np.exp(rng.normal(0, 0.06))
    shear = rng.normal(0, 0.05)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = matrix @ np.array([[1, shear], [0, 1]])
    turn = int(rng.choice(4, p=[0.76, 0.08, 0.08, 0.08]))
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])  # of the picture, seen from the page
    matrix = matrix @ np.linalg.matrix_power(quarter, turn)
    centre = np.array([page.width / 2, page.height / 2])
    offset = centre - matrix @ np.array([SIDE / 2, SIDE / 2])
    full = np.column_stack([matrix, offset])
    picture = page.picture.transform(
        (SIDE, SIDE), Image.Transform.AFFINE, full.ravel().tolist(), Image.Resampling.BILINEAR
    )
    exposed = expose(picture, rng)
    target, heights = _target(page, full, turn, picture, exposed)
    return Sample(exposed, picture, target, heights, page.runs, full)


def is_legible(clean: np.ndarray, exposed: np.ndarray, least: float = LEGIBLE) -> bool:
    """Return True if a part of a picture correlates with the same part of the clean picture."""
    a, b = clean - clean.mean(), exposed - exposed.mean()
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return bool(size > 0 and (a * b).sum() > least * size and b.std() > 4)


def _target(
    page: Page,
    matrix: np.ndarray,
    turn: int,
    clean: Image.Image,
    exposed: Image.Image,
) -> tuple[np.ndarray, np.ndarray]:
    """Mark the cores of the legible numbers, at the resolution of the target."""
    side = clean.width
    before, after = (np.asarray(picture, np.float32) for picture in (clean, exposed))
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    mask = Image.new("L", page.picture.size)
    levels = Image.new("F", page.picture.size)
    pen, level_pen = ImageDraw.Draw(mask), ImageDraw.Draw(levels)
    for part in page.unknown:
        pen.rectangle(part, fill=IGNORED)
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    for run in page.runs:
        height = (run.bottom - run.top) / scale
        for box in _rectangles(run):
            value = 1 + (run.turn + turn) % 4
            if not SMALLEST <= height <= LARGEST:
                value = IGNORED
            corners = box.tolist()
            if corners[2] - corners[0] < 1 or corners[3] - corners[1] < 1:
                continue
            ends = inverse @ np.array([[corners[0], corners[2]], [corners[1], corners[3]], [1, 1]])
            (x0, x1), (y0, y1) = np.sort(ends[:2]).clip(0, side).astype(int)
            if x1 <= x0 or y1 <= y0:
                continue
            part = slice(y0, y1 + 1), slice(x0, x1 + 1)
            if not is_legible(before[part], after[part]):
                value = IGNORED
            pen.rectangle(corners, fill=value)
            level_pen.rectangle(corners, fill=height)
    small = side // STRIDE
    shrink = np.column_stack([matrix[:, :2] * STRIDE, matrix[:, 2] + matrix[:, :2] @ [1.5, 1.5]])
    arguments = (small, small), Image.Transform.AFFINE, shrink.ravel().tolist()
    return (
        np.array(mask.transform(*arguments, Image.Resampling.NEAREST)),
        np.array(levels.transform(*arguments, Image.Resampling.NEAREST)),
    )
