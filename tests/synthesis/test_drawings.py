"""What is drawn stays what it was: networks learn from it, and its constants show nowhere else.

A change of a shape, a share or a range moves some of these figures. It is to be made on purpose,
and the figures with it.
"""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from skdigits.datasets import load_digits
from skdigits.synthesis import glyphs, handwriting, paper, pen
from skdigits.synthesis.composition import TileLayout
from skdigits.synthesis.shapes import Shapes

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
# Means of the absolute values of 400 writers, in the order of their fields; `drawn` is summed up.
WRITERS = {
    "writing": [
        0.2530787,
        1.066872,
        0.1514685,
        0.06994206,
        0.08286239,
        0.03237065,
        0.02986798,
        0.4743325,
        0.61,
        0.09058226,
        10.8525,
    ],
    "printing": [
        0.03179828,
        1.002733,
        0.2233746,
        0.0,
        0.0,
        0.01174576,
        0.0198,
        0.5,
        1.0,
        0.9347489,
        0.0,
        0.0,
    ],
}
# Mean of 100 images: mean and standard deviation of the grey levels, number of pixels, and the mean
# of grey levels times rows and times columns.
IMAGES = {
    "join": [1.200352, 12.47386, 48480.0, 96.74164, 234.1586],
    "point": [1.033875, 10.36686, 48480.0, 95.22869, 243.9485],
    "underline": [1.165595, 11.26245, 48480.0, 102.1327, 232.3778],
    "specks": [0.8699649, 8.561082, 48480.0, 81.79625, 215.5285],
    "sign": [1.610982, 15.6759, 48480.0, 123.0531, 315.008],
    "ink": [0.04783444, 0.2018199, 6528.77, 2.059684, 1.625064],
    "printed ink": [0.05206856, 0.20971, 6596.49, 2.252819, 1.777384],
    "thinned": [11.42253, 51.24619, 7680.0, 542.57, 428.3447],
    "pattern": [0.01457395, 0.01672627, 12000.0, 0.4308227, 1.450869],
    "photograph": [188.8019, 25.45333, 4645.6, 4625.791, 8632.722],
    "varied": [22.77616, 66.62839, 2042.32, 305.137, 659.282],
    "developed": [23.44176, 71.72898, 1960.0, 312.2018, 644.5221],
    "segments": [17.86746, 61.82848, 44800.0, 5250.463, 237.0013],
    "pen": [29.50133, 77.70469, 4480.0, 811.8444, 434.3048],
    "cut off": [30.01755, 82.08598, 1597.54, 365.2575, 709.4476],
    "boxed": [36.46134, 79.87617, 2858.25, 621.589, 1080.028],
}
# Of 150 lines: as of images; mean of the digits, and of the edges of their boxes; their number.
LINES = {
    "handwritten": [
        13.40405,
        45.76911,
        17599.36,
        626.324,
        1375.722,
        3.788187,
        96.11609,
        31.01018,
        125.1589,
        62.76986,
        491.0,
    ],
    "mixed": [
        13.06115,
        46.65824,
        17251.84,
        619.6085,
        1298.877,
        4.002037,
        92.81263,
        32.04073,
        119.5418,
        64.00611,
        491.0,
    ],
}


def of_points(drawings):
    points = np.array([point for strokes in drawings for stroke in strokes for point in stroke])
    return [len(points), *points.mean(axis=0), *points.std(axis=0)]


def of_writers(writers):
    values = [dataclasses.asdict(writer) | {"drawn": sum(writer.drawn)} for writer in writers]
    values = np.array([list(value.values()) for value in values], float)  # None is NaN
    return np.nanmean(np.abs(values[:, ~np.isnan(values).all(axis=0)]), axis=0).tolist()


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


def photograph(rng):
    """The picture that `photographed` cleans."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paper, "find_line", found.append)
        assert paper.photographed(small_frame() / np.float32(255), rng) is None
    return found[0]


def on_a_sheet(mark, rng):
    """What is drawn besides digits, around two blocks."""
    writer = handwriting.Writer(0.1, 1.1, 0.2, 0.05, 0.05, 0.02, 0.03)
    sheet = handwriting.Sheet(3, writer, rng)
    block = Image.new("L", (10, 20), 255)
    for _ in range(2):
        sheet.put(block, 0.1)
    sheet.canvas[:] = 0
    mark(sheet)
    sheet.canvas[-1] = sheet.x
    return sheet.canvas


DRAWN = {
    "join": lambda rng: on_a_sheet(handwriting.Sheet.join, rng),
    "point": lambda rng: on_a_sheet(handwriting.Sheet.point, rng),
    "underline": lambda rng: on_a_sheet(handwriting.Sheet.underline, rng),
    "specks": lambda rng: on_a_sheet(handwriting.Sheet.specks, rng),
    "sign": lambda rng: on_a_sheet(lambda s: s.put_sign(Image.new("L", (9, 19), 255), 0.3), rng),
    "ink": lambda rng: paper.inked(frame(), rng)[0],
    "printed ink": lambda rng: paper.inked(frame(), rng, is_print=True)[0],
    "thinned": lambda rng: np.asarray(paper.thinned(Image.fromarray(frame()), rng)),
    "pattern": lambda rng: paper.printed_pattern(60, 200, rng),
    "photograph": photograph,
    "varied": lambda rng: paper.varied(small_frame(), rng),
    "developed": lambda rng: paper.developed(small_frame(), rng),
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


@pytest.mark.parametrize("way", ["writing", "printing"])
def test_hands(way):
    rng = np.random.default_rng(0)
    found = of_writers(getattr(handwriting.Writer, way)(rng) for _ in range(400))
    assert found == pytest.approx(WRITERS[way], rel=1e-5)


@pytest.mark.parametrize("kind", DRAWN)
def test_images(kind):
    rng = np.random.default_rng(0)
    found = of_images(DRAWN[kind](rng) for _ in range(100))
    assert found == pytest.approx(IMAGES[kind], rel=1e-3 if kind == "photograph" else 1e-4)


@pytest.fixture(scope="module")
def shapes():
    bunch = load_digits()
    large = bunch.images[:300].astype(np.uint8).repeat(3, axis=1).repeat(3, axis=2)
    return Shapes(large, bunch.target[:300])


@pytest.mark.parametrize("style", handwriting.KINDS)
def test_lines(style, shapes, monkeypatch):
    def unchanged(canvas, boxes, rng, is_print):
        return canvas, np.array(boxes).reshape(-1, 4)

    monkeypatch.setattr(handwriting, "as_image", unchanged)
    synthesizer = handwriting.LineSynthesizer(shapes, style)
    lines = synthesizer.write_many(150, TileLayout((0, 6)), np.random.default_rng(0))
    boxes = np.concatenate([line.boxes for line in lines])
    digits = [digit for line in lines for digit in line.digits]
    found = [*of_images(line.image for line in lines), np.mean(digits)]
    found += [*boxes.mean(axis=0), len(boxes)]
    assert found == pytest.approx(LINES[style], rel=1e-3)
