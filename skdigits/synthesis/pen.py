"""Draw digits and signs with a simulated pen, in shapes that MNIST lacks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw

HEIGHT = 40  # pixels; height of a digit
FINER = 3  # resolution of the drawing, relative to the result
BOW = 0.06  # standard deviation of the bow of a stroke, relative to its length
STEPS = 6  # number of straight segments of a bowed stroke

Stroke: TypeAlias = Sequence[tuple[float, float]]  # points (x, y): x to the right, y downwards
Strokes: TypeAlias = Sequence[Stroke]


def drawn_digits(n_each: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw digits in shapes that are usual outside the United States, where MNIST was collected.

    The shapes are zeros with tails, zeros and twos with loops, ones with flags and feet, ones as
    wide as a felt pen, open and closed fours, fives with a long bar or without a bar, crossed
    sevens, open eights, nines with a stem, and nines that look like a P.

    Parameters
    ----------
    n_each : int
        Number of images of each of the digits 0, 1, 2, 4, 5, 7, 8 and 9.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    images : ndarray of shape (8 * n_each, height, width), uint8
        Bright on black.
    labels : ndarray of shape (8 * n_each,), int
        The digits.
    """
    images, labels = [], []
    for digit, strokes in DIGITS.items():
        for _ in range(n_each):
            images.append(draw(strokes(rng), rng.uniform(0.06, 0.2), rng))
            labels.append(digit)
    return np.stack(images), np.array(labels)


def _arc(
    centre: tuple[float, float], radii: tuple[float, float], start: float, end: float
) -> Stroke:
    """Return points of an arc; angles are in turns, clockwise from the right."""
    angles = 2 * math.pi * np.linspace(start, end, max(4, round(14 * abs(end - start))))
    return [
        (centre[0] + radii[0] * math.cos(t), centre[1] + radii[1] * math.sin(t)) for t in angles
    ]


def _zero(rng: np.random.Generator) -> Strokes:
    """Draw a zero with a tail to the next digit, or with an initial stroke from above."""
    if rng.random() < 0.3:
        a, start = rng.uniform(0.2, 0.45), rng.uniform(-0.4, -0.1)
        tail = a + rng.uniform(-0.6, 1.2) * a, rng.uniform(-0.12, 0.02)
        return [[tail, *_arc((a, 0.5), (a, 0.5), start, start - rng.uniform(1, 1.1))]]
    a, start = rng.uniform(0.2, 0.45), rng.uniform(-0.35, -0.1)
    ring = _arc((a, 0.5), (a, 0.5), start, start - rng.uniform(1, 1.15))
    if rng.random() < 0.3:  # with an inner loop
        size = rng.uniform(0.3, 0.6) * a
        loop = _arc(
            (a, rng.uniform(0.15, 0.4)), (size, size), start - 1, start - rng.uniform(1.5, 2)
        )
        return [[*ring, *loop, (2 * a + rng.uniform(0, 0.35), rng.uniform(0.3, 0.6))]]
    return [[*ring, (2 * a + rng.uniform(0, 0.35), rng.uniform(-0.05, 0.35))]]


def _two(rng: np.random.Generator) -> Strokes:
    """Draw a two whose head has a loop or is a loop; its foot may have a loop."""
    width, loop, middle = rng.uniform(0.4, 0.7), rng.uniform(0.05, 0.16), rng.uniform(0.22, 0.34)
    head = _arc((loop, middle), (loop, loop), rng.uniform(-0.3, 0.1), 0.5)
    start = 0.5
    if rng.random() < 0.4:
        head, start = [], rng.uniform(0.1, 0.4)
    arch = _arc((width / 2, middle), (width / 2, middle), start, rng.uniform(1.0, 1.15))
    foot = (rng.uniform(-0.1, 0.15), rng.uniform(0.9, 1))
    if rng.random() < 0.25:  # the head is a tall narrow loop
        top, slim = rng.uniform(0.1, 0.2), rng.uniform(0.08, 0.16)
        rise = (foot[0] + rng.uniform(-0.05, 0.25), rng.uniform(0.35, 0.75))
        head, arch = [rise], _arc((width / 2, top), (slim, top), 0.5, rng.uniform(1, 1.15))
    curl = _arc((foot[0], 0.92), (0.08, 0.08), 0.2, 0.9) if rng.random() < 0.4 else [foot]
    return [[*head, *arch, *curl, (width + rng.uniform(-0.1, 0.3), rng.uniform(0.9, 1))]]


def _five(rng: np.random.Generator) -> Strokes:
    """Draw a five with a long bar or without a bar; some look like a root sign or an S."""
    kind = rng.random()
    if kind < 0.2:
        return [_bent_five(rng)]
    if kind < 0.4:
        a, b = rng.uniform(0.15, 0.3), rng.uniform(0.18, 0.26)
        above = _arc((a, b), (a, b), rng.uniform(-0.15, -0.02), -0.6)
        radii = a * rng.uniform(0.9, 1.4), 0.5 - b
        return [[*above, *_arc((a, 0.5 + b), radii, -0.2, rng.uniform(0.25, 0.5))]]
    end = rng.uniform(0.6, 1.1), rng.normal(0, 0.05)
    if kind < 0.6:
        low, high = rng.uniform(0.1, 0.25), rng.uniform(0.25, 0.45)
        return [[(0, rng.uniform(0.45, 0.75)), (low, 1), (high, 0.05)], [(high, 0.03), end]]
    stem, belly = rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.32)
    neck = rng.uniform(0.38, 0.5)
    radii = belly, (1 - neck) / 2
    arc = _arc((0.1, 1 - radii[1]), radii, rng.uniform(-0.35, -0.22), rng.uniform(0.25, 0.45))
    return [[(stem, 0), (0.02, neck + 0.04)], [(0.02, neck + 0.04), *arc], [(stem, 0.02), end]]


def _bent_five(rng: np.random.Generator) -> Stroke:
    """Draw a five with a small hook or nothing in place of its bar: the stem, then the belly."""
    stem, neck = rng.uniform(0.1, 0.45), rng.uniform(0.3, 0.5)
    hook = [(stem + rng.uniform(0.02, 0.2), rng.normal(0, 0.04))] if rng.random() < 0.4 else []
    belly = rng.uniform(0.2, 0.36), (1 - neck) / 2 + 0.02
    arc = _arc((0.1, 1 - belly[1]), belly, rng.uniform(-0.3, -0.2), rng.uniform(0.22, 0.36))
    return [*hook, (stem, 0), (0.02, neck), *arc]


def _one(rng: np.random.Generator) -> Strokes:
    """Draw a one: a stem and a flag, sometimes with a foot, sometimes drawn with a felt pen."""
    if rng.random() < 0.12:
        lean, flag = rng.normal(0, 0.08), rng.choice([0, rng.uniform(0.05, 0.3)])
        stems: Strokes = [
            [(x, 0), (x + lean, 1)] for x in np.arange(0, rng.uniform(0.06, 0.3), 0.05)
        ]
        return [*stems, [(-flag, flag * rng.uniform(0.5, 1.5)), (0, 0)]]
    width = rng.uniform(0.2, 0.65)
    reach = rng.uniform(max(0.1, 0.7 * width), 0.6)  # a flat flag would look like a seven's bar
    if rng.random() < 0.25:  # the upstroke is nearly as long as the stem
        width, reach = rng.uniform(0.15, 0.4), rng.uniform(0.55, 1)
    lean = rng.normal(0, 0.05)
    strokes: list[Stroke] = [[(-width, reach), (0, 0)], [(0, 0), (lean, 1)]]
    if rng.random() < 0.15:  # the foot is a hook
        hook = (lean - rng.uniform(0.1, 0.35), rng.uniform(0.92, 1))
        strokes[1] = [(0, 0), (lean, rng.uniform(0.8, 0.95)), hook]
        return strokes[rng.integers(2) :]
    if rng.random() < 0.2:
        left, right = rng.uniform(0.15, 0.45, 2)
        strokes.append([(lean - left, 1), (lean + right, 1)])
    return strokes


def _seven(rng: np.random.Generator) -> Strokes:
    """Draw a seven that is crossed, or has a serif, or both; some bars have a dip."""
    is_crossed = rng.random() < 0.85
    is_narrow = is_crossed and rng.random() < 0.3  # without its cross, it would look like a one
    width = rng.uniform(0.08, 0.3) if is_narrow else rng.uniform(0.25, 0.8)
    foot = rng.uniform(0, 0.4)
    bar = [(0, rng.normal(0, 0.04)), (width, 0)]
    if rng.random() < 0.3:
        bar.insert(1, (width * rng.uniform(0.2, 0.6), rng.uniform(0.06, 0.18)))
    strokes: list[Stroke] = [bar, [(width, 0), (foot * width, 1)]]
    if is_crossed:
        y = rng.uniform(0.38, 0.62)
        middle = width * (1 - y * (1 - foot))
        left, right = rng.uniform(0.15, 0.45, 2)
        tilt = rng.normal(0, 0.05)
        strokes.append([(middle - left, y + tilt), (middle + right, y - tilt)])
    if not is_crossed or rng.random() < 0.3:
        strokes.append([(0, 0), (rng.normal(0, 0.03), rng.uniform(0.1, 0.25))])
    return strokes


def _four(rng: np.random.Generator) -> Strokes:
    """Draw an open or a closed four."""
    width, bar = rng.uniform(0.45, 0.8), rng.uniform(0.5, 0.75)
    stem = width * rng.uniform(0.6, 0.9)
    is_closed = rng.random() < 0.5
    top = (stem, 0) if is_closed else (width * rng.uniform(0.05, 0.4), 0)
    start = 0 if is_closed else rng.uniform(0, 0.4)
    end = (stem + rng.normal(0, 0.06), 1)
    if rng.random() < 0.25:  # in one stroke, like a lightning bolt
        corner = (stem, bar + rng.normal(-0.02, 0.06))
        return [[(stem * rng.uniform(0.2, 0.8), 0), (0, bar)], [(0, bar), corner], [corner, end]]
    return [
        [top, (0, bar)],
        [(0, bar), (width, bar + rng.normal(0, 0.04))],
        [(stem, start), end],
    ]


def _eight(rng: np.random.Generator) -> Strokes:
    """Draw an eight whose ends do not meet, or cross above the top."""
    a, b = rng.uniform(0.16, 0.32), rng.uniform(0.2, 0.28)
    wider = rng.uniform(0.8, 1.4)
    ahead = _arc((0, b), (a, b), rng.uniform(-0.2, 0), -0.75)
    radii = a * wider, 0.5 - b
    below = _arc((0, 2 * b + radii[1]), radii, -0.25, rng.uniform(0.6, 0.75))
    end = a * rng.uniform(0.2, 1.3), rng.uniform(-0.1, 0.25)
    if rng.random() < 0.5:
        return [[*ahead, *below, (rng.normal(0, 0.1 * a), 2 * b), end]]
    return [[*ahead, *below, end]]


def _nine(rng: np.random.Generator) -> Strokes:
    """Draw a nine with a straight or bowed stem, at the side of the loop or below it."""
    a, b = rng.uniform(0.18, 0.32), rng.uniform(0.18, 0.3)
    kind = rng.random()
    if kind < 0.3:  # the stem starts at the left side of the loop, or below it
        loop = _arc((a, b), (a, b), rng.uniform(0.25, 0.42), rng.uniform(1.2, 1.45))
        turn = rng.uniform(0, 0.4) * a, rng.uniform(1.7, 2.3) * b
        return [[*loop, turn, (turn[0] + rng.normal(0, 0.08), 1.0)]]
    if kind < 0.7:
        foot = (rng.uniform(0.2, 1.6) * a, 1.0)
        if rng.random() < 0.5:
            loop = _arc((a, b), (a, b), rng.uniform(0.1, 0.55), rng.uniform(1.1, 1.3))
            return [[*loop, foot]]
        # The stroke starts below the loop, so that its ends cross.
        start = (a + rng.uniform(-0.1, 0.3), 2 * b + rng.uniform(0.02, 0.25))
        loop = [start, *_arc((a, b), (a, b), rng.uniform(0.15, 0.4), rng.uniform(1.15, 1.3))]
        if rng.random() < 0.5:
            return [[*loop, foot]]
        half = (0.95 - 2 * b) / 2
        bow = _arc((foot[0], 2 * b + half), (rng.uniform(0.06, 0.22), half), -0.2, 0.2)
        return [[*loop, *bow, (foot[0] - rng.uniform(0, 0.2), rng.uniform(0.92, 1))]]
    start = -rng.uniform(0, 0.11)
    loop = _arc((a, b), (a, b), start, start + 1)
    foot = 2 * a + rng.normal(-0.05, 0.08), 1.0
    stem = [(2 * a, rng.uniform(0, b)), foot]
    if rng.random() < 0.4:
        stem += [(rng.uniform(0.1, 0.6) * a, 1.0), (0, rng.uniform(0.8, 0.95))]
    return [loop, stem]


DIGITS = {
    0: _zero,
    1: _one,
    2: _two,
    4: _four,
    5: _five,
    7: _seven,
    8: _eight,
    9: _nine,
}  # functions that return strokes


# Segments of each digit; some digits have two forms. The segments a to f follow each other
# clockwise from the top; g is the middle bar.
SEGMENTS = (
    ("abcdef",),
    ("bc",),
    ("abdeg",),
    ("abcdg",),
    ("bcfg",),
    ("acdfg",),
    ("acdefg", "cdefg"),
    ("abc", "abcf"),
    ("abcdefg",),
    ("abcdfg", "abcfg"),
)


def seven_segment_digits(rng: np.random.Generator) -> list[np.ndarray]:
    """Draw the ten digits of one seven-segment display.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random generator of proportions, thickness and forms.

    Returns
    -------
    list of ndarray of shape (height, width), uint8
        Bright on black.
    """
    width, gap = rng.uniform(0.4, 0.65), rng.uniform(0.02, 0.07)
    thickness = rng.uniform(0.06, 0.15)
    corners = {(x, y): (x * width, y / 2) for x in (0, 1) for y in (0, 1, 2)}
    ends = {
        "a": ((0, 0), (1, 0)),
        "b": ((1, 0), (1, 1)),
        "c": ((1, 1), (1, 2)),
        "d": ((0, 2), (1, 2)),
        "e": ((0, 1), (0, 2)),
        "f": ((0, 0), (0, 1)),
        "g": ((0, 1), (1, 1)),
    }
    strokes = {}
    for name, (start, end) in ends.items():
        (x0, y0), (x1, y1) = corners[start], corners[end]
        along = np.sign([x1 - x0, y1 - y0]) * (gap + thickness / 2)
        strokes[name] = [(x0 + along[0], y0 + along[1]), (x1 - along[0], y1 - along[1])]
    forms = [rng.choice(forms) for forms in SEGMENTS]
    return [draw([strokes[name] for name in form], thickness, rng, bow=0) for form in forms]


def sign(kind: str, rng: np.random.Generator) -> Strokes:
    """Return the strokes of a sign.

    Parameters
    ----------
    kind : {"-", "=", "/", "$", "€", "#", "*", "x", "("}
        The sign.
    rng : numpy.random.Generator
        Random generator of its proportions.

    Returns
    -------
    list of list of (float, float)
        Points (x, y) of each stroke, in heights of a digit; y points downwards.
    """
    w, tilt = rng.uniform(0.3, 0.8), rng.normal(0, 0.06)

    def across(y: float) -> Stroke:
        return [(0.0, y + tilt), (w, y - tilt)]

    arc = [(0.25 * math.cos(t), 0.45 * math.sin(t)) for t in np.linspace(0.7, 5.6, 10)]
    strokes: dict[str, Callable[[], Strokes]] = {
        "-": lambda: [across(rng.uniform(0.4, 0.65))],
        "=": lambda: [across(0.42), across(0.62)],
        "/": lambda: [[(w, -0.1), (0, 1.1)]],
        "$": lambda: [
            [(w, 0.2), (w / 2, 0.08), (0, 0.28), (w, 0.7), (w / 2, 0.92), (0, 0.8)],
            [(w / 2 + tilt, -0.12), (w / 2 - tilt, 1.12)],
        ],
        "€": lambda: [
            [(0.35 + x, 0.5 + y) for x, y in arc],
            [(0, 0.42), (0.45, 0.42)],
            [(0, 0.58), (0.4, 0.58)],
        ],
        "#": lambda: [
            [(0.2, 0.05), (0.1, 0.95)],
            [(0.5, 0.05), (0.4, 0.95)],
            [(0, 0.35), (0.6, 0.35)],
            [(0, 0.65), (0.6, 0.65)],
        ],
        "*": lambda: [
            [
                (0.2 - 0.2 * math.cos(t), 0.4 - 0.2 * math.sin(t)),
                (0.2 + 0.2 * math.cos(t), 0.4 + 0.2 * math.sin(t)),
            ]
            for t in (0.2, 1.25, 2.3)
        ],
        "x": lambda: [[(0, 0.4), (0.5, 1)], [(0.5, 0.4), (0, 1)]],
        "(": lambda: [[(0.25, -0.05), (0, 0.5), (0.25, 1.05)]],
    }
    return strokes[kind]()


# Signs of generated lines; the texts of lines contain only the signs for which the user asks.
SIGNS = ("-", "=", "/", "$", "€", "#", "*", "x", "(")


def draw(
    strokes: Strokes, thickness: float, rng: np.random.Generator, bow: float = BOW
) -> np.ndarray:
    """Draw strokes with a round pen.

    Parameters
    ----------
    strokes : list of list of (float, float)
        Points (x, y) of each stroke, in heights of a digit; y points downwards.
    thickness : float
        Thickness of the pen, in heights of a digit.
    rng : numpy.random.Generator
        Random generator of the bows between two points.
    bow : float, default=BOW
        Standard deviation of the bow of a stroke, relative to its length.

    Returns
    -------
    ndarray of shape (HEIGHT + 16, 2 * HEIGHT), uint8
        Bright on black.
    """
    size, pen = HEIGHT * FINER, max(1, round(thickness * HEIGHT * FINER))
    picture = Image.new("L", (2 * size, size + 16 * FINER))
    pencil = ImageDraw.Draw(picture)
    strokes = [_bowed(stroke, bow, rng) for stroke in strokes]
    left = min(x for stroke in strokes for x, _ in stroke)
    shrunk = size - pen
    for stroke in strokes:
        points = [
            ((x - left) * shrunk + pen / 2 + 2 * FINER, y * shrunk + pen / 2 + 8 * FINER)
            for x, y in stroke
        ]
        pencil.line(points, fill=255, width=pen, joint="curve")
        for x, y in (points[0], points[-1]):
            pencil.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=255)
    return np.asarray(picture.reduce(FINER))


def _bowed(stroke: Stroke, deviation: float, rng: np.random.Generator) -> Stroke:
    """Bow the segments of a stroke slightly; leave strokes of more than four points unchanged."""
    if len(stroke) > 4:
        return stroke
    points = [stroke[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(stroke):
        bow = rng.normal(0, deviation)
        for t in np.linspace(0, 1, STEPS + 1)[1:]:
            out = 4 * bow * t * (1 - t)
            points.append(
                (x0 + t * (x1 - x0) - out * (y1 - y0), y0 + t * (y1 - y0) + out * (x1 - x0))
            )
    return points
