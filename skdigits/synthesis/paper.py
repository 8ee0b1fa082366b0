"""Convert drawn shapes to images in the style of cleaned pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from skdigits.pictures.cleaning import POINT, WIDEST_IN_LINE
from skdigits.pictures.ink import InkContrast, strokes
from skdigits.pictures.normalization import EDGE, cut_out, normalize_line, place_line
from skdigits.synthesis.inking import Pens, developed, inked
from skdigits.synthesis.sheet import Sheet
from skdigits.synthesis.strips import Strip

HEIGHT = 28  # pixels; height of the images
END = HEIGHT // 7  # pixels; margin at both ends of an image
BLUR = 6  # pixels; margin around a line while it is blurred
AT_A_TIME = 24  # lines blurred at once; their arrays fit into the cache of a processor
PHOTOGRAPHED = 0.08  # share of lines that are drawn on paper, photographed and cleaned
ON_PHOTOGRAPH = 8  # lines on one photograph; they share paper, light and camera
LEAST_FOUND = 0.8  # of a line's height and width; if cleaning finds less, no photograph is used


@dataclass(frozen=True)
class Ink:
    """Ink of lines side by side.

    Parameters
    ----------
    strip : Strip
        The lines, with margins.
    boxes : ndarray of shape (n_lines, 4), int
        Left, top, right and bottom of the ink of each line in the strip.
    digit_height, middle : ndarray of shape (n_lines,), float
        Approximate median height of the digits, and row of their centre, from the top of the box.
    resolution : ndarray of shape (n_lines,), float
        Resolution to which each line is reduced before it is scaled; 1 for no reduction.
    """

    strip: Strip
    boxes: np.ndarray
    digit_height: np.ndarray
    middle: np.ndarray
    resolution: np.ndarray

    def scaled(self) -> list[np.ndarray]:
        """Scale the lines to images of shape (28, width) and dtype uint8."""
        picture, images = Image.fromarray(self.strip.pixels), []
        sizes = self.boxes[:, 2:] - self.boxes[:, :2]
        digit_height = np.minimum(self.digit_height, sizes[:, 1])
        scales, tops = place_line(sizes[:, 1], digit_height, self.middle, HEIGHT)
        sizes = np.maximum(1, np.rint(sizes * scales[:, np.newaxis])).astype(int)
        values = (part.tolist() for part in (self.boxes, self.resolution, sizes, tops))
        for box, resolution, size, top in zip(*values, strict=True):
            line = picture.crop(box)
            if resolution < 1:
                reduced = [max(1, round(side * resolution)) for side in line.size]
                line = line.resize(reduced, Image.Resampling.BILINEAR)
            line = line.resize(size, Image.Resampling.LANCZOS)
            images.append(np.zeros((HEIGHT, size[0] + 2 * END), np.uint8))
            images[-1][top : top + size[1], END:-END] = np.asarray(line)
        return images

    def photographed(self, rng: np.random.Generator) -> list[np.ndarray]:
        """Simulate a photograph of the lines on paper, and clean it.

        The steps are those of `find_line`, except that only specks are removed. The images have the
        shape (28, width) and the dtype uint8. If cleaning does not find a line, its image is that
        of `scaled`.
        """
        resolution = self.resolution[0]  # the lines of a photograph have the same resolution
        size = [max(1, round(side * resolution)) for side in self.strip.pixels.shape[::-1]]
        reduced = Image.fromarray(self.strip.pixels).resize(size, Image.Resampling.BILINEAR)
        grey = photograph(np.asarray(reduced) / np.float32(255), rng)
        window = max(5, round(WIDEST_IN_LINE * min(grey.shape)))
        contrast = InkContrast(grey, is_dark=True)(window)
        digit_height, middle = resolution * self.digit_height, resolution * self.middle
        mask = _without_specks(strokes(contrast), POINT * np.median(digit_height) ** 2)
        images = self.scaled()
        for i, box in enumerate(np.rint(resolution * self.boxes).astype(int).tolist()):
            left, top, right, bottom = box
            line, ink = mask[top:bottom, left:right], contrast[top:bottom, left:right]
            rows, columns = np.flatnonzero(line.any(axis=1)), np.flatnonzero(line.any(axis=0))
            least = LEAST_FOUND * (bottom - top), LEAST_FOUND * (right - left)
            if len(rows) and np.ptp(rows) + 1 >= least[0] and np.ptp(columns) + 1 >= least[1]:
                ink = cut_out(ink, line)
                usual = min(digit_height[i], len(ink))
                images[i] = normalize_line(ink, usual, middle[i] - rows[0], HEIGHT)
        return images


def _without_specks(mask: np.ndarray, area: float) -> np.ndarray:
    """Remove connected pieces of at most `area` pixels."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    is_large = np.bincount(labels.ravel()) > area
    return mask & is_large[labels]


def as_images(
    sheet: Sheet, is_print: np.ndarray, rng: np.random.Generator
) -> tuple[list[np.ndarray], np.ndarray]:
    """Simulate the ink of lines, and scale them to the height of the images.

    Parameters
    ----------
    sheet : Sheet
        The lines.
    is_print : ndarray of shape (n_lines,), bool
        True for printed lines; the thickness of their strokes hardly changes.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    images : list of ndarray of shape (28, width), uint8
        The lines; the image of a line without digits is black.
    boxes : ndarray of shape (n_digits, 4), float
        The boxes of the digits in pixels of the images.
    """
    n, starts = len(is_print), sheet.lines.starts
    pens, images = Pens.draw(is_print, rng), [np.zeros((HEIGHT, HEIGHT), np.uint8)] * n
    digit_height, middle = _digit_medians(sheet)
    digit_height *= np.exp(rng.normal(0, 0.06, n))
    # Position on the line of each image's upper left corner, and scale of each image.
    origins, scales = np.zeros((2, n, 2))
    used = sheet.lines.extents()
    for lines, is_photographed in _alike(np.unique(sheet.line), pens, used, rng):
        strip = inked(_cut(sheet.lines.pixels, used[lines]), pens[lines])
        boxes = strip.extents(255 * EDGE)
        boxes[:, 2] = np.maximum(boxes[:, 2], boxes[:, 0] + 1)  # one column if there is no ink
        origin = used[lines, :2] - BLUR + boxes[:, :2]  # left and top of the ink in its line
        origin[:, 0] -= starts[lines] + strip.starts[:-1]
        row = middle[lines] - origin[:, 1]
        ink = Ink(strip, boxes, digit_height[lines], row, pens.scale[lines])
        small = ink.photographed(rng) if is_photographed else ink.scaled()
        strip = Strip.of(small).brightened()
        columns, tops = np.diff(strip.starts) - 2 * END, strip.extents()[:, 1]
        scales[lines] = (columns / (boxes[:, 2] - boxes[:, 0]))[:, np.newaxis]
        origins[lines] = origin - np.stack([np.full_like(tops, END), tops], axis=1) / scales[lines]
        for i, image in zip(lines, developed(strip, rng), strict=True):
            images[i] = image
    line, corners = sheet.line, sheet.boxes.reshape(-1, 2, 2)
    corners = (corners - origins[line, np.newaxis]) * scales[line, np.newaxis]
    sizes = np.array([image.shape[::-1] for image in images])
    return images, corners.clip(0, sizes[line, np.newaxis]).reshape(-1, 4)


def _alike(
    lines: np.ndarray, pens: Pens, used: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, bool]]:
    """Yield groups of lines, and whether they are photographed.

    The lines of a group have similar heights, and their ink needs the same steps.
    """
    lines = lines[np.argsort((used[:, 3] - used[:, 1])[lines], kind="stable")]
    is_photographed = rng.random(len(lines)) < PHOTOGRAPHED
    steps = 2 * (pens.thinning[lines] > 0) + (pens.softness[lines] > 0)
    steps[is_photographed] = 4
    for step in range(5):
        chosen = lines[steps == step]
        size = ON_PHOTOGRAPH if step == 4 else AT_A_TIME
        for start in range(0, len(chosen), size):
            yield chosen[start : start + size], step == 4


def _cut(canvas: np.ndarray, boxes: np.ndarray) -> Strip:
    """Cut lines out of a sheet, with margins."""
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T + 2 * BLUR
    starts = np.cumsum([0, *widths])
    pixels = np.zeros((heights.max(), starts[-1]), np.uint8)
    for x, (left, top, right, bottom) in zip(
        (starts + BLUR).tolist(), boxes.tolist(), strict=False
    ):
        pixels[BLUR : BLUR + bottom - top, x : x + right - left] = canvas[top:bottom, left:right]
    return Strip(pixels, starts)


def _digit_medians(sheet: Sheet) -> tuple[np.ndarray, np.ndarray]:
    """Return the median height of the digits of each line, and the median row of their centres."""
    counts = np.bincount(sheet.line, minlength=len(sheet.lines.starts) - 1)
    first = np.cumsum(counts) - counts
    top, bottom = sheet.boxes[:, 1], sheet.boxes[:, 3]
    medians = []
    for values in (bottom - top, (bottom + top) / 2):
        ordered = np.append(values[np.lexsort([values, sheet.line])], 0)
        low, high = ordered[first + (counts - 1) // 2], ordered[first + counts // 2]
        medians.append((low + high) / 2)
    return medians[0], medians[1]


def photograph(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Simulate a photograph of ink on paper.

    Parameters
    ----------
    ink : ndarray of shape (height, width), float32
        Ink from 0 to 1.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (height, width), float
        Grey levels from 0 to 255.
    """
    height, width = ink.shape
    light = np.linspace(0, rng.normal(0, 0.15), width, dtype=np.float32)
    light = 1 + light + np.linspace(0, rng.normal(0, 0.1), height, dtype=np.float32)[:, np.newaxis]
    paper = rng.uniform(150, 240) * light * (1 - printed_pattern(height, width, rng))
    picture = paper * (1 - rng.uniform(0.3, 0.85) * ink)
    picture += rng.standard_normal(ink.shape, np.float32) * np.float32(rng.uniform(0, 7))
    grey = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    return np.asarray(as_jpeg(grey, int(rng.integers(25, 95))), np.float32)


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """Compress a picture as JPEG, and open it again."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


def printed_pattern(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the fine wavy lines that are printed on cheques and forms.

    Parameters
    ----------
    height, width : int
        Size in pixels.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (height, width), float32
        Share of the light that the lines absorb; 0 in more than half of the results.
    """
    pattern = np.zeros((height, width), np.float32)
    y, x = (side.astype(np.float32) for side in np.ogrid[:height, :width])
    for _ in range(rng.integers(3) if rng.random() < 0.5 else 0):
        wave = rng.uniform(0, 3) * np.sin(x / rng.uniform(8, 40) + rng.uniform(0, 6))
        phase = (y + rng.normal(0, 0.5) * x + wave) / rng.uniform(3, 9)
        lines = np.maximum(0, np.sin(2 * np.pi * phase)) ** 2
        np.maximum(pattern, rng.uniform(0.05, 0.25) * lines, out=pattern)
    return pattern


def varied(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Slightly change the slant, width, height and ink of a line at random.

    Parameters
    ----------
    image : ndarray of shape (28, width), uint8
        Bright on black.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    ndarray of shape (28, new_width), uint8
        The changed line.
    """
    slant, wider, taller = rng.normal(0, [0.12, 0.1, 0.05])
    wider, taller, shift = np.exp(wider), np.exp(taller), rng.uniform(-1.5, 1.5)
    middle = HEIGHT / 2
    width = max(1, round(image.shape[1] * wider + abs(slant) * HEIGHT))
    left = (image.shape[1] - width / wider) / 2 - slant * middle
    data = (1 / wider, slant, left, 0, 1 / taller, middle - (middle - shift) / taller)
    picture = Image.fromarray(image).transform(
        (width, HEIGHT), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
    )
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.7)))
    return developed(Strip.of([np.asarray(picture)]), rng).pixels
