"""Digits and signs drawn by strokes of a pen: shapes that MNIST does not have."""

from __future__ import annotations

import itertools
import math

import numpy as np
from PIL import Image, ImageDraw

HEIGHT = 40  # pixels of a digit
FINER = 3  # pixels that are drawn per pixel
BOW = 0.06  # standard deviation of the bow of a stroke, in its lengths
STEPS = 6  # straight parts of a bowed stroke


def drawn_digits(n_each, rng):
    """Draw ones with flag and foot, crossed sevens, open and closed fours, nines with a stem.

    Parameters
    ----------
    n_each : int
        Number of images of each of these digits.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    images : ndarray of shape (4 * n_each, height, width), uint8
        Bright on black.
    labels : ndarray of shape (4 * n_each,), int
        The digits.
    """
    images, labels = [], []
    for digit, strokes in DIGITS.items():
        for _ in range(n_each):
            images.append(draw(strokes(rng), rng.uniform(0.06, 0.2), rng))
            labels.append(digit)
    return np.stack(images), np.array(labels)


def _one(rng):
    """Strokes of a one with a flag, and sometimes a foot."""
    width, reach = rng.uniform(0.2, 0.65), rng.uniform(0.1, 0.55)
    lean = rng.normal(0, 0.05)
    strokes = [[(-width, reach), (0, 0)], [(0, 0), (lean, 1)]]
    if rng.random() < 0.2:
        left, right = rng.uniform(0.15, 0.45, 2)
        strokes.append([(lean - left, 1), (lean + right, 1)])
    return strokes


def _seven(rng):
    """Strokes of a seven that is crossed, with a serif or both."""
    width, foot = rng.uniform(0.45, 0.8), rng.uniform(0, 0.4)
    strokes = [[(0, rng.normal(0, 0.04)), (width, 0)], [(width, 0), (foot * width, 1)]]
    is_crossed = rng.random() < 0.85
    if is_crossed:
        y = rng.uniform(0.38, 0.62)
        middle = width * (1 - y * (1 - foot))
        left, right = rng.uniform(0.15, 0.35, 2)
        tilt = rng.normal(0, 0.05)
        strokes.append([(middle - left, y + tilt), (middle + right, y - tilt)])
    if not is_crossed or rng.random() < 0.3:
        strokes.append([(0, 0), (rng.normal(0, 0.03), rng.uniform(0.1, 0.25))])
    return strokes


def _four(rng):
    """Strokes of an open or a closed four."""
    width, bar = rng.uniform(0.45, 0.8), rng.uniform(0.5, 0.75)
    stem = width * rng.uniform(0.6, 0.9)
    is_closed = rng.random() < 0.5
    top = (stem, 0) if is_closed else (width * rng.uniform(0.05, 0.4), 0)
    start = 0 if is_closed else rng.uniform(0, 0.4)
    return [
        [top, (0, bar)],
        [(0, bar), (width, bar + rng.normal(0, 0.04))],
        [(stem, start), (stem + rng.normal(0, 0.06), 1)],
    ]


def _nine(rng):
    """Strokes of a nine with a straight or a bowed stem."""
    a, b = rng.uniform(0.18, 0.32), rng.uniform(0.18, 0.3)
    angles = np.linspace(0, 2 * math.pi, 14) - rng.uniform(0, 0.7)
    loop = [(a + a * math.cos(t), b + b * math.sin(t)) for t in angles]
    foot = 2 * a + rng.normal(-0.05, 0.08), 1.0
    stem = [(2 * a, rng.uniform(0, b)), foot]
    if rng.random() < 0.4:
        stem += [(rng.uniform(0.1, 0.6) * a, 1.0), (0, rng.uniform(0.8, 0.95))]
    return [loop, stem]


DIGITS = {1: _one, 4: _four, 7: _seven, 9: _nine}  # functions that return strokes


def sign(kind, rng):
    """Strokes of a sign that is no digit.

    Parameters
    ----------
    kind : {"-", "=", "/", "$", "€", "#", "*", "x", "("}
        The sign.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    list of list of (float, float)
        Points of each stroke, across and downwards, in heights of a digit.
    """
    w, tilt = rng.uniform(0.3, 0.8), rng.normal(0, 0.06)

    def across(y):
        return [(0.0, y + tilt), (w, y - tilt)]

    arc = [(0.25 * math.cos(t), 0.45 * math.sin(t)) for t in np.linspace(0.7, 5.6, 10)]
    return {
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
    }[kind]()


SIGNS = ("-", "=", "/", "$", "€", "#", "*", "x", "(")


def draw(strokes, thickness, rng):
    """Draw strokes with a round pen.

    Parameters
    ----------
    strokes : list of list of (float, float)
        Points of each stroke, across and downwards, in heights of a digit.
    thickness : float
        Of the pen, in heights of a digit.
    rng : numpy.random.Generator
        Random generator of the bows between two points.

    Returns
    -------
    ndarray of shape (HEIGHT + 16, 2 * HEIGHT), uint8
        Bright on black.
    """
    size, pen = HEIGHT * FINER, max(1, round(thickness * HEIGHT * FINER))
    picture = Image.new("L", (2 * size, size + 16 * FINER))
    pencil = ImageDraw.Draw(picture)
    strokes = [_bowed(stroke, rng) for stroke in strokes]
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


def _bowed(stroke, rng):
    """Points of a stroke; the parts of strokes of two or three points are slightly bowed."""
    if len(stroke) > 4:
        return stroke
    points = [stroke[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(stroke):
        bow = rng.normal(0, BOW)
        for t in np.linspace(0, 1, STEPS + 1)[1:]:
            out = 4 * bow * t * (1 - t)
            points.append(
                (x0 + t * (x1 - x0) - out * (y1 - y0), y0 + t * (y1 - y0) + out * (x1 - x0))
            )
    return points
