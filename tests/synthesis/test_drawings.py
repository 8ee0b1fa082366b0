"""What is drawn stays what it was: networks learn from it, and its constants show nowhere else.

A change of a shape, a share or a range moves some of these figures. It is to be made on purpose,
and the figures with it.
"""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from plain_lines import blocks, plain

from skdigits.datasets import load_digits
from skdigits.synthesis import glyphs, handwriting, paper, pen, sheet
from skdigits.synthesis.composition import TileLayout
from skdigits.synthesis.inking import Pens, developed, inked
from skdigits.synthesis.shapes import Shapes
from skdigits.synthesis.strips import Strip
from skdigits.synthesis.symbols import COMMAS
from skdigits.synthesis.writers import Writers

# Number of points of 400 drawings, their means across and downwards, and standard deviations.
STROKES = {
    0: [7181, 0.3367893, 0.4115049, 0.2446491, 0.3448197],
    1: [2063, -0.05039851, 0.4460716, 0.1898908, 0.4550859],
    2: [7666, 0.1932407, 0.4466097, 0.2168134, 0.3516041],
    4: [2400, 0.2995935, 0.5158634, 0.2509964, 0.3434276],
    5: [4482, 0.2317219, 0.5092871, 0.2186829, 0.3583203],
    7: [2712, 0.2146616, 0.2883438, 0.270474, 0.3624007],
    8: [9421, -0.01904209, 0.501509, 0.1766065, 0.3226628],
    9: [6388, 0.2512387, 0.3218148, 0.1843124, 0.2706971],
    "-": [800, 0.2781633, 0.524553, 0.2972353, 0.09167813],
    "=": [1600, 0.2836964, 0.52, 0.3014755, 0.1164513],
    "/": [800, 0.2836964, 0.5, 0.3014755, 0.6],
    "$": [3200, 0.2836964, 0.4975, 0.2212123, 0.4168258],
    "€": [5600, 0.2836721, 0.4995908, 0.1819611, 0.2907477],
    "#": [3200, 0.3, 0.5, 0.2397916, 0.3354102],
    "*": [2400, 0.2, 0.4, 0.1416043, 0.1412382],
    "x": [1600, 0.25, 0.7, 0.25, 0.3],
    "(": [1200, 0.1666667, 0.5, 0.1178511, 0.4490731],
}
# Means of the absolute values of 4000 writers, in the order of their fields; `drawn` is summed up.
WRITERS = {
    "writing": [
        0.2493954,
        1.079209,
        0.1488996,
        0.06992077,
        0.07956255,
        0.03259403,
        0.03028278,
        0.5021928,
        0.6045,
        0.07714539,
        10.92175,
    ],
    "printing": [
        0.0317251,
        1.007678,
        0.2268681,
        0.0,
        0.0,
        0.01180372,
        0.0186,
        0.5,
        1.0,
        0.9252278,
        0.0,
        0.0,
    ],
}
# Mean of 100 images: mean and standard deviation of the grey levels, number of pixels, and the mean
# of grey levels times rows and times columns.
IMAGES = {
    "join": [1.923346, 21.79484, 11520.0, 89.35891, 103.0725],
    "point": [0.4055208, 9.650298, 11520.0, 26.0162, 37.85909],
    "underline": [0.1677622, 1.858618, 11520.0, 11.32783, 9.615963],
    "specks": [0.1210807, 3.716103, 11520.0, 5.832904, 7.555039],
    "sign": [17.24812, 63.96881, 10237.44, 787.4243, 785.8774],
    "ink": [12.60429, 52.8541, 7680.0, 598.7036, 472.6607],
    "printed ink": [13.35486, 54.58173, 7680.0, 634.3561, 500.8074],
    "developed": [23.09556, 70.73662, 1960.0, 307.603, 635.1014],
    "pattern": [0.01457395, 0.01672627, 12000.0, 0.4308227, 1.450869],
    "photograph": [181.0302, 36.16433, 1960.0, 2446.547, 6322.064],
    "varied": [22.48817, 65.53358, 2070.04, 297.3351, 660.3751],
    "segments": [17.86746, 61.82848, 44800.0, 5250.463, 237.0013],
    "pen": [29.50133, 77.70469, 4480.0, 811.8444, 434.3048],
    "cut off": [30.01755, 82.08598, 1597.54, 365.2575, 709.4476],
    "boxed": [36.46134, 79.87617, 2858.25, 621.589, 1080.028],
}
# Of 150 lines: as of images; mean of the digits, and of the edges of their boxes; their number.
LINES = {
    "handwritten": [
        13.29444,
        45.96009,
        17923.2,
        622.7111,
        1386.529,
        4.022403,
        96.87169,
        31.52749,
        126.1568,
        63.56212,
        491.0,
    ],
    "mixed": [
        12.66756,
        46.03415,
        17372.8,
        593.444,
        1271.752,
        4.022403,
        95.65784,
        31.43992,
        121.1874,
        63.37882,
        491.0,
    ],
}


def of_points(drawings):
    points = np.array([point for strokes in drawings for stroke in strokes for point in stroke])
    return [len(points), *points.mean(axis=0), *points.std(axis=0)]


def of_writers(writers):
    values = dataclasses.asdict(writers) | {"drawn": writers.drawn @ np.arange(10)}
    values = np.array(list(values.values()), float)  # without cells, they are NaN
    return np.nanmean(np.abs(values[~np.isnan(values).all(axis=1)]), axis=1).tolist()


def of_images(images):
    found = []
    for image in images:
        moments = [np.mean(image * position) for position in np.indices(image.shape)]
        found.append([image.mean(), image.std(), image.size, *moments])
    return np.mean(found, axis=0).tolist()


def draw_strokes(kind, rng):
    return pen.sign(kind, rng) if kind in pen.SIGNS else pen.DIGITS[kind](rng)


def frame():
    """A rectangle of 32 rows drawn by strokes of 5 pixels."""
    canvas = np.zeros((96, 80), np.uint8)
    canvas[32:64, 30:46] = 255
    canvas[37:59, 35:41] = 0
    return canvas


def small_frame():
    return frame()[20:76:2, 10:]


BOXES = np.tile([[32, 32, 48, 64], [60, 32, 76, 64]], (100, 1))
LINE, ENDS = np.repeat(np.arange(100), 2), np.full(100, 86.0)


def on_a_sheet(bars):
    """What is drawn besides digits, on 100 lines of two digits."""
    lines = Strip(np.zeros((96, 12000), np.uint8), np.arange(101) * 120)
    bars.paint(lines.pixels, lines.starts)
    return lines


def points(rng):
    drawn = sheet.Points.draw(np.arange(1, 200, 2), rng.random(100) < COMMAS, rng)
    ends = np.tile([54.0, 84.0], 100) + drawn.room().repeat(2)
    return drawn.bars(np.full(100, 64), LINE, ends, rng)


def signs(rng):
    tiles = blocks([(32, 16), (19, 9)] * 100, line=LINE, level=[np.nan, 0.3] * 100)
    return sheet.Sheet.write(tiles, plain(100, slope=0.02, wobble=0.03), rng).lines


def ink_of(is_print, rng):
    pens = Pens.draw(np.full(100, is_print), rng)
    return inked(Strip.of([frame()] * 100), pens)


DRAWN = {
    "join": lambda rng: on_a_sheet(sheet.joins(BOXES, LINE, np.arange(1, 200, 2), rng)),
    "point": lambda rng: on_a_sheet(points(rng)),
    "underline": lambda rng: on_a_sheet(sheet.underlines(BOXES[:, 3], LINE, ENDS, rng)),
    "specks": lambda rng: on_a_sheet(sheet.specks(ENDS, rng)),
    "sign": signs,
    "ink": lambda rng: ink_of(False, rng),
    "printed ink": lambda rng: ink_of(True, rng),
    "developed": lambda rng: developed(Strip.of([small_frame()] * 100), rng),
    "pattern": lambda rng: paper.printed_pattern(60, 200, rng),
    "photograph": lambda rng: paper.photograph(small_frame() / np.float32(255), rng),
    "varied": lambda rng: paper.varied(small_frame(), rng),
    "segments": lambda rng: np.concatenate(pen.seven_segment_digits(rng)),
    "pen": lambda rng: pen.draw(pen.sign("#", rng), rng.uniform(0.05, 0.2), rng),
    "cut off": lambda rng: glyphs._cut_off(small_frame(), int(rng.integers(4)), rng),
    "boxed": lambda rng: np.asarray(
        glyphs._boxed(Image.fromarray(small_frame()), int(rng.integers(4)), rng)
    ),
}


@pytest.mark.parametrize("kind", [*pen.DIGITS, *pen.SIGNS])
def test_strokes(kind):
    rng = np.random.default_rng(0)
    found = of_points(draw_strokes(kind, rng) for _ in range(400))
    assert found == pytest.approx(STROKES[kind], rel=1e-5)


@pytest.mark.parametrize("kind", ["writing", "printing"])
def test_writers(kind):
    found = of_writers(getattr(Writers, kind)(4000, np.random.default_rng(0)))
    assert found == pytest.approx(WRITERS[kind], rel=1e-5)


@pytest.mark.parametrize("kind", DRAWN)
def test_images(kind):
    rng = np.random.default_rng(0)
    drawn = DRAWN[kind](rng)
    images = (
        [drawn, *(DRAWN[kind](rng) for _ in range(99))] if isinstance(drawn, np.ndarray) else drawn
    )
    assert of_images(images) == pytest.approx(
        IMAGES[kind], rel=1e-3 if kind == "photograph" else 1e-4
    )


@pytest.fixture(scope="module")
def shapes():
    bunch = load_digits()
    large = bunch.images[:300].astype(np.uint8).repeat(3, axis=1).repeat(3, axis=2)
    return Shapes(large, bunch.target[:300])


@pytest.mark.parametrize("style", handwriting.KINDS)
def test_lines(style, shapes, monkeypatch):
    def unchanged(sheet, is_print, rng):
        return list(sheet.lines), sheet.boxes

    monkeypatch.setattr(handwriting, "as_images", unchanged)
    synthesizer = handwriting.LineSynthesizer(shapes, style)
    lines = synthesizer.write_many(150, TileLayout((0, 6)), np.random.default_rng(0))
    boxes = np.concatenate([line.boxes for line in lines])
    digits = [digit for line in lines for digit in line.digits]
    found = [*of_images(line.image for line in lines), np.mean(digits)]
    found += [*boxes.mean(axis=0), len(boxes)]
    assert found == pytest.approx(LINES[style], rel=1e-3)
