"""Scenes of print: receipts, forms, tables and text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from skdigits.synthesis.pages import spellings
from skdigits.synthesis.pages.materials import WRITTEN_SIGNS, Materials
from skdigits.synthesis.pages.page import Page, Run

AS_A_LINE = 0.6  # share of the handwritten numbers that are drawn as a whole line
LEADING = (1.4, 2.6)  # distance between two lines, in heights of a digit


def _ink(page: Page, rng: np.random.Generator) -> int:
    """Choose an ink that contrasts with the paper."""
    contrast = rng.uniform(60, 255) if rng.random() < 0.5 else 255
    return int(
        np.clip(page.paper - contrast if page.paper > 110 else page.paper + contrast, 0, 255)
    )


def _spacing(height: float, rng: np.random.Generator) -> float:
    return height * rng.uniform(0, 0.25) if rng.random() < 0.15 else 0.0


def _words(rng: np.random.Generator, share: float, width: float, height: float) -> str:
    """Draw words and numbers that fill a width; `share` is the share of numbers."""
    text = ""
    while len(text) * height * 0.8 < width:
        blank = " " * (1 if rng.random() < 0.9 else int(rng.integers(2, 6)))
        text += (blank if text else "") + spellings.token(rng, share)
    return text


def text(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Write lines of words and numbers."""
    path, ink = materials.font(rng), _ink(page, rng)
    leading = height * rng.uniform(*LEADING)
    share = rng.choice([0.0, 0.15, 0.4])
    top = rng.uniform(-height, leading)
    left = rng.uniform(-4, 2) * height
    while top < page.height:
        if rng.random() < 0.1:
            path = materials.font(rng)
        shift = left if rng.random() < 0.8 else rng.uniform(-3, 8) * height
        until = page.width if rng.random() < 0.8 else rng.uniform(0.2, 1) * page.width
        line = _words(rng, share, until - shift, height)
        page.write(line, shift, top, height, path, ink, spacing=_spacing(height, rng))
        top += leading


def receipt(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Write items with amounts at the right, totals, codes and dates."""
    path, ink = materials.font(rng), _ink(page, rng)
    leading = height * rng.uniform(1.35, 2.2)
    top = rng.uniform(-height, leading)
    width = page.width + rng.uniform(-0.3, 0.3) * page.width
    left = rng.uniform(-0.2, 0.2) * page.width
    spacing = _spacing(height, rng)
    while top < page.height:
        kind = rng.random()
        size = height * (rng.uniform(1.3, 1.9) if rng.random() < 0.05 else 1.0)
        if kind < 0.45:
            name = " ".join(spellings.token(rng, 0.12) for _ in range(rng.integers(1, 4)))
            page.write(name, left, top, size, path, ink, spacing=spacing)
            unit = rng.choice(["", "", "RM", "$", "€", "RM "])
            amount = unit + spellings.number(rng, kinds={spellings.amount: 5, spellings.count: 1})
            amount += rng.choice(["", "", "", " SR", " T", "*", " A"])
            if rng.random() < 0.12:
                amount = spellings.bracketed(amount, rng)
            page.write(amount, left + width, top, size, path, ink, spacing=spacing, right=True)
            if rng.random() < 0.4:
                count = spellings.number(rng, kinds={spellings.count: 1}, plain=True)[:2]
                place = left + rng.uniform(0.35, 0.7) * width
                page.write(count, place, top, size, path, ink, spacing=spacing)
        elif kind < 0.6:
            line = f"{spellings.word(rng)}{rng.choice([':', ' :', ': ', ' ', ' : '])}"
            line += spellings.token(rng, 0.95)
            if rng.random() < 0.4:
                line += " " + spellings.token(rng, 0.6)
            page.write(line, left, top, size, path, ink, spacing=spacing)
        elif kind < 0.85:
            n = rng.integers(2, 5)
            line = " ".join(spellings.token(rng, 0.35) for _ in range(n))
            shift = left + rng.uniform(0, 0.35) * width
            page.write(line, shift, top, size, path, ink, spacing=spacing)
        elif kind < 0.93:
            mark = rng.choice([*"-=*_.-"])
            page.write(mark * int(rng.integers(10, 60)), left, top, height, path, ink)
        top += leading * max(1.0, size / height * 0.8)


def form(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Draw fields with names, rules and boxes, filled in by print or by hand."""
    path, ink = materials.font(rng), _ink(page, rng)
    filled = materials.font(rng)
    leading = height * rng.uniform(1.9, 4)
    top = rng.uniform(-height, leading)
    line = max(1, round(height * rng.uniform(0.03, 0.15)))
    by_hand = rng.random() < 0.5
    while top < page.height:
        left = rng.uniform(-2, 4) * height
        while left < page.width:
            name = spellings.token(rng, 0.1) + rng.choice([":", "", " #", ":", " No."])
            left += page.write(name, left, top, height, path, ink) + rng.uniform(0.3, 2) * height
            width = rng.uniform(3, 12) * height
            _field(page, rng, left, top, width, height, path, ink, line)
            if rng.random() < 0.8:
                start = left + rng.uniform(0.3, 1) * height
                if by_hand:
                    handwritten_number(page, materials, rng, start, top, height, ink)
                else:
                    page.write(spellings.token(rng, 0.8), start, top, height, filled, ink)
            left += width + rng.uniform(0.5, 4) * height
        top += leading


def _field(
    page: Page,
    rng: np.random.Generator,
    left: float,
    top: float,
    width: float,
    height: float,
    path: Path,
    ink: int,
    line: int,
) -> None:
    """Draw a rule, a box or dots, or nothing."""
    kind = rng.random()
    below = top + height * rng.uniform(1.1, 1.4)
    if kind < 0.35:
        page.pen.line([left, below, left + width, below], fill=ink, width=line)
    elif kind < 0.65:
        shade = page.paper if rng.random() < 0.7 else int((page.paper * 4 + ink) / 5)
        box = [left, top - height * rng.uniform(0.25, 0.6), left + width, below + height * 0.2]
        page.pen.rectangle(box, outline=ink, fill=shade, width=line)
    elif kind < 0.75:
        page.write("." * int(width / height * 2), left, below - height, height, path, ink)


def table(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Draw a grid with numbers and words in its cells."""
    path, ink = materials.font(rng), _ink(page, rng)
    across, down = height * rng.uniform(3, 9), height * rng.uniform(1.6, 3)
    line = max(1, round(height * rng.uniform(0.03, 0.2)))
    upright, level = rng.random() < 0.6, rng.random() < 0.6
    x0, y0 = rng.uniform(-1, 0.5) * across, rng.uniform(-1, 0.5) * down
    by_hand = rng.random() < 0.3
    share = rng.choice([0.4, 0.8, 1.0])
    kinds: spellings.Kinds = {spellings.amount: 1, spellings.count: 2, spellings.decimal: 1}
    for top in np.arange(y0, page.height, down):
        if level:
            page.pen.line([0, top, page.width, top], fill=ink, width=line)
        for left in np.arange(x0, page.width, across):
            if upright:
                page.pen.line([left, 0, left, page.height], fill=ink, width=line)
            if rng.random() < 0.15:
                continue
            at = top + (down - height) / 2
            if by_hand and rng.random() < 0.7:
                handwritten_number(page, materials, rng, left + 0.4 * height, at, height, ink)
                continue
            is_number = rng.random() < share
            words = spellings.number(rng, kinds=kinds) if is_number else spellings.word(rng)
            words = words[: max(1, int(across / height / 0.75) - 1)]
            if is_number:
                page.write(words, left + across - 0.5 * height, at, height, path, ink, right=True)
            else:
                page.write(words, left + 0.5 * height, at, height, path, ink)


def handwritten_number(
    page: Page,
    materials: Materials,
    rng: np.random.Generator,
    left: float,
    top: float,
    height: float,
    ink: int,
) -> float:
    """Write a number by hand; return its width."""
    if rng.random() < AS_A_LINE:
        return _written_line(page, materials, rng, left, top, height, ink)
    kinds: spellings.Kinds = {
        spellings.count: 5,
        spellings.decimal: 4,
        spellings.amount: 1,
        spellings.code: 1,
        spellings.date: 1,
        spellings.padded: 0.5,
    }
    words = spellings.number(rng, kinds=kinds, plain=rng.random() < 0.8)
    words = "".join(c for c in words if c.isdigit() or c in WRITTEN_SIGNS)
    return write_by_hand(page, materials, rng, words, left, top, height, ink)


def _written_line(
    page: Page,
    materials: Materials,
    rng: np.random.Generator,
    left: float,
    top: float,
    height: float,
    ink: int,
) -> float:
    """Paste a line of `Materials.line`; return its width."""
    line = materials.line(rng)
    boxes = line.boxes * (height / np.median(line.boxes[:, 3] - line.boxes[:, 1]))
    scale = boxes[0, 2] / line.boxes[0, 2]
    size = [max(1, round(scale * side)) for side in line.image.shape[::-1]]
    piece = Image.fromarray(line.image).resize(size, Image.Resampling.BILINEAR)
    above = float(np.median(boxes[:, 1]))
    page.picture.paste(ink, (round(left), round(top - above)), piece)
    page.runs.append(
        Run(line.text, _edges(line.text, boxes, size[0]), left, top, top + height, True)
    )
    return float(size[0])


def _edges(text: str, boxes: np.ndarray, width: float) -> np.ndarray:
    """Return left and right of each character; `boxes` are those of the digits alone."""
    edges = np.full((len(text), 2), np.nan)
    edges[[character.isdigit() for character in text]] = boxes[:, [0, 2]]
    for i in np.flatnonzero(np.isnan(edges[:, 0])):
        before = edges[i - 1, 1] if i else 0.0
        after = edges[i + 1 :, 0]
        edges[i] = before, max(before, next((x for x in after if not np.isnan(x)), width))
    return edges


def write_by_hand(
    page: Page,
    materials: Materials,
    rng: np.random.Generator,
    text: str,
    left: float,
    top: float,
    height: float,
    ink: int,
) -> float:
    """Write digits and signs by hand; return their width."""
    pieces, lefts, tops = materials.written(text, height, rng)
    page.digits(text, pieces, left + lefts, top + tops, top, height, ink)
    return float(lefts[-1] + pieces[-1].width)


def handwriting(page: Page, materials: Materials, rng: np.random.Generator, height: float) -> None:
    """Write numbers and words by hand on blank, ruled or squared paper."""
    ink = _ink(page, rng)
    leading = height * rng.uniform(1.4, 3)
    rule = rng.random()
    shade = int(page.paper + (ink - page.paper) * rng.uniform(0.15, 0.7))
    first = rng.uniform(-height, leading)
    if rule < 0.5:
        for y in np.arange(first + 1.15 * height, page.height, leading):
            page.pen.line([0, y, page.width, y], fill=shade)
    if rule < 0.2:
        for x in np.arange(0, page.width, leading):
            page.pen.line([x, 0, x, page.height], fill=shade)
    path = materials.font(rng, "handwritten")
    for top in np.arange(first, page.height, leading):
        left = rng.uniform(-3, 3) * height
        while left < page.width:
            at = top + rng.normal(0, 0.1) * height
            if rng.random() < 0.6:
                left += handwritten_number(page, materials, rng, left, at, height, ink)
            else:
                left += page.write(spellings.token(rng, 0.15), left, at, height, path, ink)
            left += rng.uniform(0.9, 5) * height
