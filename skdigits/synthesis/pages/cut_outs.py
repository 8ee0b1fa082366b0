"""Cut-outs of the numbers of a drawn page, with the characters that are seen in them."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from PIL import Image

from skdigits.pictures.number_images import DIGIT_ROWS, OTHER, ROWS, sampled
from skdigits.synthesis.pages.page import Run
from skdigits.synthesis.pages.page_samples import Sample, is_legible

MARGIN = (0.6, 1.4)  # before and after a number, in heights of a digit
LEGIBLE = 0.8  # minimum correlation with the clean image
AROUND = 100  # pixels that are added around a picture
MOST = 16  # cut-outs of a picture
LONGEST = 16  # heights of a digit
SHORTEST = 5  # pixels: digits of a smaller height are left out


def cut_numbers(
    sample: Sample,
    rng: np.random.Generator,
    *,
    margin: tuple[float, float] = MARGIN,
) -> list[tuple[np.ndarray, str]]:
    """Cut the numbers, and some words, out of a picture.

    Returns
    -------
    list of (ndarray of shape (ROWS, width), str)
        Grey levels, and the characters.
    """
    found = []
    for run in sample.runs:
        height = run.bottom - run.top
        if run.turn or height < SHORTEST or not len(run.edges):
            continue
        spans = run.numbers()
        if not spans or rng.random() < 0.1:
            spans = [*spans, (0, min(len(run.text), 8))]
        for start, stop in spans:
            left, right = run.left + run.edges[start, 0], run.left + run.edges[stop - 1, 1]
            if right - left > LONGEST * height:
                continue
            size = height * np.exp(rng.normal(0, 0.09))
            before, after = rng.uniform(*margin, 2) * height
            middle = (run.top + run.bottom) / 2 + rng.normal(0, 0.05) * height
            found.append((run, left, right, before, after, middle, size))
    chosen = rng.permutation(len(found))[:MOST]
    inverse = np.linalg.inv(np.vstack([sample.matrix, [0, 0, 1]]))
    cuts = []
    side = sample.picture.width
    # Margins can be outside the picture.
    picture, clean = (_with_margins(image) for image in (sample.picture, sample.clean))
    for i in chosen:
        run, start, end, before, after, middle, size = found[i]
        left, right = start - before, end + after
        scale = size / DIGIT_ROWS
        width = max(8, round((right - left) / scale))
        tilt = np.tan(rng.normal(0, 0.025))
        # From coordinates of the cut-out to those of the page, then of the picture.
        to_page = np.array(
            [
                [scale, 0, left],
                [scale * tilt, scale, middle - scale * (ROWS / 2 + tilt * width / 2)],
                [0, 0, 1],
            ]
        )
        to_picture = (inverse @ to_page)[:2]
        ends = (ROWS - DIGIT_ROWS) / 2, (ROWS + DIGIT_ROWS) / 2
        across = before / scale, width - after / scale
        corners = to_picture @ [[*across] * 2, np.repeat(ends, 2), [1] * 4]
        if corners.min() < -2 or corners.max() > side + 2:
            continue
        to_picture[:, 2] += AROUND
        cut, intended = (sampled(image, to_picture, width) for image in (picture, clean))
        if not is_legible(intended.astype(np.float32), cut.astype(np.float32), LEGIBLE):
            continue
        text = _visible(sample.runs, left, right, middle, size)
        if text is not None:
            cuts.append((cut, text))
    return cuts


def _with_margins(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.pad(np.asarray(image), AROUND, mode="edge"))


def _visible(runs: list[Run], left: float, right: float, middle: float, size: float) -> str | None:
    """Return the characters of a part of the page; None if they cannot be told."""
    pieces = []
    for run in runs:
        if run.turn or not len(run.edges):
            continue
        overlap = min(run.bottom, middle + size / 2) - max(run.top, middle - size / 2)
        if overlap < 0.4 * min(run.bottom - run.top, size):
            if overlap > 0.15 * size and run.left < right and run.right > left:
                return None
            continue
        numbers = run.numbers()
        inside = np.zeros(len(run.text), bool)
        for start, stop in numbers:
            inside[start:stop] = True
        starts, ends = run.left + run.edges[:, 0], run.left + run.edges[:, 1]
        seen = np.minimum(ends, right) - np.maximum(starts, left)
        share = seen / np.maximum(ends - starts, 1e-6)
        for i in np.flatnonzero(share > 0.15):
            character = run.text[i]
            if character.isspace():
                pieces.append((starts[i], ends[i], " "))
            elif inside[i] and share[i] >= 0.6:
                pieces.append((starts[i], ends[i], character))
            elif share[i] >= 0.3:
                pieces.append((starts[i], ends[i], OTHER))
    pieces.sort()
    if any(after[0] < before[1] - 0.3 * size for before, after in pairwise(pieces)):
        return None  # one is written over another
    text = ""
    previous = None
    for start, end, character in pieces:
        if previous is not None and start - previous > 0.35 * size and not text.endswith(" "):
            joined = any(run.is_joined and run.left <= start <= run.right for run in runs)
            text += "" if joined else " "
        previous = end
        text += character
    # Between numbers and other characters, spaces have no meaning.
    return re.sub(f" *{OTHER}[ {OTHER}]*", OTHER, re.sub(" +", " ", text)).strip()
