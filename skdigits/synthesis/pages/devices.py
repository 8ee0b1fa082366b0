"""Scenes of devices: displays, counter wheels, gauges, sudokus."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from skdigits.synthesis.pages import spellings
from skdigits.synthesis.pages.materials import Materials, segment_pieces, slanted
from skdigits.synthesis.pages.page import Page, Run, digit_bounds, font_of, relative_height
from skdigits.synthesis.pages.printed import handwritten_number, write_by_hand


def _label(
    page: Page,
    materials: Materials,
    rng: np.random.Generator,
    left: float,
    top: float,
    height: float,
    ink: int,
    share: float = 0.1,
) -> None:
    page.write(spellings.token(rng, share), left, top, height, materials.font(rng), ink)


def _labels(page: Page, materials: Materials, rng: np.random.Generator, ink: int) -> None:
    """Write words and a few numbers around a device."""
    for _ in range(rng.integers(0, 8)):
        height = rng.uniform(8, 20)
        left, top = rng.uniform(-20, page.width), rng.uniform(0, page.height)
        _label(page, materials, rng, left, top, height, ink, share=0.3)


def _contrasting(level: float, rng: np.random.Generator, least: float) -> int:
    up = 255 - level >= least and (level < least or rng.random() < 0.5)
    return int(rng.uniform(level + least, 255) if up else rng.uniform(0, max(0, level - least)))


def display(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Draw a device with seven-segment displays, perhaps with unlit segments."""
    _labels(page, materials, rng, _contrasting(page.paper, rng, 60))
    panel = int(rng.uniform(0, 255))
    least = rng.uniform(25, 140)
    lit = _contrasting(panel, rng, least)
    x0, y0 = rng.uniform(-0.5, 1.5) * height, rng.uniform(-0.5, 1.5) * height
    box = [x0, y0, rng.uniform(0.6, 1.1) * page.width, rng.uniform(0.4, 1.1) * page.height]
    box[2], box[3] = max(box[2], x0 + 20), max(box[3], y0 + 20)
    frame = int(rng.uniform(0, 255))
    page.pen.rectangle(box, fill=panel, outline=frame, width=int(rng.integers(0, 8)))
    top = y0 + rng.uniform(0.2, 1) * height
    while top + height < box[3]:
        size = height * rng.uniform(0.6, 1.2)
        left = x0 + rng.uniform(0.3, 3) * size
        while left + size < box[2]:
            smaller = rng.uniform(0.45, 0.8) if rng.random() < 0.2 else 1.0
            shift = (1 - smaller) * size
            left += _segments(page, rng, left, top + shift, smaller * size, panel, lit)
            left += rng.uniform(0.7, 2) * size
            if rng.random() < 0.3:
                _label(page, materials, rng, left, top, size * rng.uniform(0.3, 0.6), lit)
                left += size
        top += size * rng.uniform(1.2, 2)


def _segments(
    page: Page,
    rng: np.random.Generator,
    left: float,
    top: float,
    height: float,
    panel: int,
    lit: int,
) -> float:
    """Show a number on a seven-segment display; return its width."""
    kinds: spellings.Kinds = {
        spellings.count: 4,
        spellings.decimal: 4,
        spellings.time: 2,
        spellings.padded: 1,
        spellings.code: 0.4,
    }
    text = spellings.number(rng, kinds=kinds, plain=True).replace(",", ".")
    if rng.random() < 0.08:
        text = "-" + text
    seed = int(rng.integers(2**31))
    pieces, lefts, _ = segment_pieces(text, height, np.random.default_rng(seed))
    if rng.random() < 0.3:  # unlit segments
        faint = int(panel + (lit - panel) * rng.uniform(0.08, 0.35))
        eights = "".join("8" if c.isdigit() else c for c in text)
        unlit, at, _ = segment_pieces(eights, height, np.random.default_rng(seed))
        for piece, x in zip(unlit, at, strict=True):
            page.picture.paste(faint, (round(left + x), round(top)), piece)
    slant = rng.normal(0, 0.06) if rng.random() < 0.5 else 0.0
    tops = np.full(len(text), top)
    for i, character in enumerate(text):
        if character == ".":
            tops[i] = top + height - pieces[i].height
        elif character == "-":
            tops[i] = top + height / 2
    if slant:
        pieces = [slanted(piece, piece.size, slant) for piece in pieces]
    page.digits(text, pieces, left + lefts, tops, top, height, lit, is_joined=True)
    return float(lefts[-1] + pieces[-1].width)


def wheels(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Draw a meter: digits on wheels behind windows, some of them between two digits."""
    _labels(page, materials, rng, _contrasting(page.paper, rng, 60))
    n = int(rng.integers(3, 9))
    path = materials.font(rng)
    pitch = height * rng.uniform(0.75, 1.9)
    window = height * rng.uniform(1.15, 1.9)
    left = rng.uniform(0.3, max(0.4, page.width / height - n * pitch / height)) * height
    top = rng.uniform(0.5, max(0.6, page.height / height - 2)) * height
    wheel = int(rng.uniform(0, 110)) if rng.random() < 0.7 else int(rng.uniform(150, 255))
    ink = _contrasting(wheel, rng, 70)
    is_one_window = rng.random() < 0.4
    frame = int(rng.uniform(0, 255))
    margin = height * rng.uniform(0.05, 0.6)
    outer = [left - margin, top - margin, left + n * pitch + margin, top + window + margin]
    page.pen.rectangle(outer, fill=frame, outline=int(rng.uniform(0, 255)), width=2)
    gap = 0 if is_one_window else pitch * rng.uniform(0.02, 0.25)
    text = "".join(string.digits[i] for i in rng.integers(10, size=n))
    if rng.random() < 0.5:
        zeros = int(rng.integers(1, 4))
        text = ("0" * zeros + text)[:n]
    last = n - int(rng.integers(0, 4)) if rng.random() < 0.4 else n
    edges = []
    half = height * rng.uniform(0.0, 0.25)
    for i, character in enumerate(text):
        x = left + i * pitch
        shade = wheel if i < last else int(np.clip(wheel + rng.uniform(-60, 90), 0, 255))
        level = ink if i < last else _contrasting(shade, rng, 70)
        size = (max(4, round(pitch - gap)), max(6, round(window)))
        pane = Image.new("L", size, shade)
        rolled = rng.normal(0, 1) * half / 2 if i < n - 1 else rng.uniform(-0.45, 0.45) * height
        _on_wheel(pane, character, path, height, level, rolled)
        page.picture.paste(pane, (round(x + gap / 2), round(top)))
        middle = x + pitch / 2
        edges.append((middle - 0.32 * height, middle + 0.32 * height))
    start = edges[0][0]
    above = top + (window - height) / 2
    page.runs.append(Run(text, np.array(edges) - start, start, above, above + height, True))


def _on_wheel(
    pane: Image.Image, character: str, path: Path, height: float, ink: int, rolled: float
) -> None:
    """Draw a digit, and those above and below it, on a wheel that is turned by some pixels."""
    size = max(4, round(height / relative_height(path)))
    font, (above, below) = font_of(path, size), digit_bounds(path, size)
    pen = ImageDraw.Draw(pane)
    tall = below - above
    middle = (pane.height - tall) / 2
    step = tall * 1.45
    for offset in (-1, 0, 1):
        digit = str((int(character) + offset) % 10)
        width = font.getlength(digit)
        top = middle + offset * step + rolled - above
        pen.text(((pane.width - width) / 2, top), digit, fill=ink, font=font)


def gauge(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Draw a dial with ticks and numbers."""
    ink = _contrasting(page.paper, rng, 80)
    radius = rng.uniform(0.3, 0.7) * page.width
    cx, cy = rng.uniform(0.2, 0.8) * page.width, rng.uniform(0.2, 0.8) * page.height
    page.pen.ellipse([cx - radius, cy - radius, cx + radius, cy + radius], outline=ink, width=3)
    path = materials.font(rng)
    step = rng.choice([1, 2, 5, 10, 20, 50, 100])
    n = int(rng.integers(5, 13))
    for i in range(n):
        angle = np.pi * (0.75 + 1.5 * i / (n - 1))
        dx, dy = np.cos(angle), np.sin(angle)
        for inner in (0.98, 0.88):
            page.pen.line(
                [
                    cx + dx * radius,
                    cy + dy * radius,
                    cx + dx * radius * inner,
                    cy + dy * radius * inner,
                ],
                fill=ink,
                width=int(rng.integers(1, 4)),
            )
        text = str(i * step) if rng.random() < 0.9 else f"{i * step / 10:g}"
        x = cx + dx * radius * 0.72 - 0.3 * height * len(text)
        page.write(text, x, cy + dy * radius * 0.72 - height / 2, height, path, ink)
    angle = rng.uniform(0, 2 * np.pi)
    end = [cx + np.cos(angle) * radius * 0.8, cy + np.sin(angle) * radius * 0.8]
    page.pen.line([cx, cy, *end], fill=ink, width=int(rng.integers(1, 5)))
    _labels(page, materials, rng, ink)


def sudoku(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Draw a grid with single digits, printed or written."""
    ink = _contrasting(page.paper, rng, 90)
    cell = height * rng.uniform(1.4, 2.4)
    x0, y0 = rng.uniform(-1, 1, 2) * cell
    path = materials.font(rng)
    thin = max(1, round(height * rng.uniform(0.02, 0.08)))
    for i, x in enumerate(np.arange(x0, page.width, cell)):
        page.pen.line([x, 0, x, page.height], fill=ink, width=thin * (3 if i % 3 == 0 else 1))
    for i, y in enumerate(np.arange(y0, page.height, cell)):
        page.pen.line([0, y, page.width, y], fill=ink, width=thin * (3 if i % 3 == 0 else 1))
    by_hand = rng.choice([0.0, 0.0, 0.4, 1.0])
    for y in np.arange(y0, page.height, cell):
        for x in np.arange(x0, page.width, cell):
            if rng.random() < 0.5:
                continue
            top = y + (cell - height) / 2 + rng.normal(0, 0.05) * height
            left = x + (cell - 0.6 * height) / 2
            digit = str(rng.integers(1, 10))
            if rng.random() < by_hand:
                write_by_hand(page, materials, rng, digit, left, top, height, ink)
            else:
                page.write(digit, left, top, height, path, ink)


def cell(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Draw one number written in a large cell, with parts of its rules."""
    ink = _contrasting(page.paper, rng, 60)
    size = height * 1.5
    for y in np.arange(rng.uniform(0, size), page.height, 3 * size):
        for x in np.arange(rng.uniform(0, size), page.width, 5.5 * size):
            box = [x, y, x + 5 * size, y + 2.6 * size]
            page.pen.rectangle(box, outline=ink, width=int(rng.integers(1, 5)))
            if rng.random() < 0.75:
                at = y + rng.uniform(0.2, 1) * size
                handwritten_number(page, materials, rng, x + 0.5 * size, at, size, ink)
