"""Generate pictures like photographs: digits and pages of numbers, on many kinds of paper.

The ink of MNIST's digits (0 to 1) is put on paper; then light and noise are added. All random
numbers come from one generator, so that a seed determines the pictures.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy import ndimage

KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def photograph(image, name, rng):
    """Generate a picture of one of MNIST's digits, of shape (side, side, 3), uint8.

    `name` is a name in KINDS, or several of these names joined by +.
    """
    return shoot(place(image, rng), name, rng)


def shoot(ink, name, rng):
    """Generate a picture of the ink of a digit, as `photograph` does."""
    return develop(ink, 0.57 * len(ink), name, rng)


def develop(ink, digit, name, rng):
    """Put ink on paper, and take the picture; `digit` is the height of the digits in pixels."""
    scene = Scene(ink, digit, rng)
    for part in name.split("+"):
        KINDS[part](scene, rng)
    return scene.develop(rng)


def place(image, rng):
    """Put a digit at a random position; its longer side is 40 to 75 % of the picture's side."""
    rows, columns = np.nonzero(image > 40)
    digit = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    side = int(rng.integers(120, 241))
    scale = side * rng.uniform(0.4, 0.75) / max(digit.shape)
    size = [max(1, round(n * scale)) for n in digit.shape[::-1]]
    large = np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.BICUBIC), float) / 255
    large = sharpened(large)
    canvas = np.zeros((side, side))
    margin = round(0.09 * side)
    top, left = (int(rng.integers(margin, side - n - margin + 1)) for n in large.shape)
    canvas[top : top + large.shape[0], left : left + large.shape[1]] = large
    return canvas


def sharpened(ink):
    """Sharpen edges of ink to one or two pixels, as if the picture had not been enlarged."""
    return np.clip((ink - 0.4) * 4 + 0.5, 0, 1)


class Scene:
    """Scene in front of the camera: paper, ink and light, and settings of the camera."""

    def __init__(self, ink, digit, rng):
        self.shape = ink.shape
        self.digit = digit  # height of the digits in pixels
        self.ink = ink
        self.paper = np.full((*ink.shape, 3), rng.uniform(0.86, 0.98))
        self.ink_colour = np.full(3, rng.uniform(0.05, 0.25))
        self.strength = 1.0
        self.light = np.ones(ink.shape)
        self.noise = 0.006
        self.blur = 0.6
        self.quality = None
        self.inverted = False

    def draw(self, cover, colour, strength=1.0):
        """Draw rules, frames or specks on the paper; `cover` is their opacity (0 to 1)."""
        cover = (cover * strength)[..., None]
        self.paper = self.paper * (1 - cover) + np.asarray(colour) * cover

    def develop(self, rng):
        cover = (self.ink * self.strength)[..., None]
        picture = self.paper * (1 - cover) + np.minimum(self.ink_colour, self.paper) * cover
        if self.inverted:
            picture = 1.03 - picture
        picture = picture * self.light[..., None]
        picture = ndimage.gaussian_filter(picture, (self.blur, self.blur, 0))
        picture = picture + rng.normal(0, self.noise, picture.shape)
        picture = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
        if self.quality:
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "JPEG", quality=self.quality)
            picture = np.asarray(Image.open(file))
        return picture


def grid(shape):
    """Return the y and x coordinates of all pixels, from 0 to 1."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return y / (shape[0] - 1), x / (shape[1] - 1)


def smooth_noise(shape, size, rng):
    """Generate noise with standard deviation 1; `size` is the size of its grain in pixels."""
    noise = ndimage.gaussian_filter(rng.normal(size=shape), size, mode="wrap")
    return noise / noise.std()


@kind
def plain(scene, rng):
    """Dark ink on white paper."""


@kind
def chalk(scene, rng):
    """Bright strokes on a dark background."""
    scene.inverted = True


@kind
def falling_light(scene, rng):
    """Light that falls off towards one side, or towards the corners."""
    y, x = grid(scene.shape)
    angle, least = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.5)
    way = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    if rng.random() < 0.3:
        way = -((x - 0.5) ** 2 + (y - 0.5) ** 2)
    way = (way - way.min()) / np.ptp(way)
    scene.light = scene.light * (least + (1 - least) * way)


@kind
def shadow(scene, rng):
    """Shadow on a part of the paper, with a sharp or soft edge."""
    y, x = grid(scene.shape)
    angle = rng.uniform(0, 2 * np.pi)
    way = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) - rng.uniform(-0.25, 0.25)
    softness = rng.choice([0.004, 0.01, 0.03, 0.1])
    scene.light = scene.light * (1 - rng.uniform(0.3, 0.7) / (1 + np.exp(-way / softness)))


@kind
def frame(scene, rng):
    """Dark frame near the border, like the frame of a scanned box."""
    side = scene.shape[0]
    inside = int(rng.integers(0, max(2, side // 30)))
    width = int(rng.integers(2, max(4, side // 20)))
    cover = np.zeros(scene.shape)
    for edge in range(4):
        if rng.random() < 0.9:
            turned = np.rot90(cover, edge)
            turned[inside : inside + width] = 1
    scene.draw(cover, np.full(3, rng.uniform(0, 0.4)))


@kind
def pencil(scene, rng):
    """Grey strokes with gaps, on rough paper."""
    tooth = smooth_noise(scene.shape, rng.uniform(0.7, 1.5), rng)
    scene.ink = scene.ink * np.clip(0.75 + 0.35 * tooth, 0, 1)
    scene.ink_colour = np.full(3, rng.uniform(0.35, 0.6))
    scene.paper = scene.paper + (smooth_noise(scene.shape, 1.0, rng) * 0.012)[..., None]


def rules(scene, rng, *, both):
    y, x = np.mgrid[: scene.shape[0], : scene.shape[1]].astype(float)
    angle = np.radians(rng.uniform(-3, 3))
    pitch = scene.shape[0] * rng.uniform(0.1, 0.35)
    width = rng.uniform(0.8, 2.2)
    colour = np.array([[0.45, 0.6, 0.85], [0.6, 0.6, 0.6], [0.85, 0.55, 0.55]][rng.integers(3)])
    ways = [y * np.cos(angle) + x * np.sin(angle)]
    if both:
        ways.append(x * np.cos(angle) - y * np.sin(angle))
    for way in ways:
        distance = np.abs((way + rng.uniform(0, pitch)) % pitch - pitch / 2)
        scene.draw(np.clip(width / 2 + 0.5 - distance, 0, 1), colour, rng.uniform(0.5, 1))


@kind
def ruled(scene, rng):
    """Ruled paper."""
    rules(scene, rng, both=False)


@kind
def squared(scene, rng):
    """Squared paper."""
    rules(scene, rng, both=True)


@kind
def texture(scene, rng):
    """Texture of recycled or woven paper, or a pattern as on banknotes."""
    strength = rng.uniform(0.015, 0.05)
    pattern = smooth_noise(scene.shape, rng.uniform(0.8, 6), rng)
    if rng.random() < 0.4:
        y, x = np.mgrid[: scene.shape[0], : scene.shape[1]]
        pitch = rng.uniform(6, 20)
        pattern = np.sin(2 * np.pi * (x + y * rng.uniform(-1, 1)) / pitch) * 1.4
    scene.paper = (scene.paper + strength * pattern[..., None]).clip(0, 1)


@kind
def specks(scene, rng):
    """Dust, dots and crumbs."""
    cover = np.zeros(scene.shape)
    y, x = np.mgrid[: scene.shape[0], : scene.shape[1]]
    for _ in range(rng.integers(5, 40)):
        radius = rng.uniform(0.6, 2.5)
        cy, cx = rng.uniform(0, scene.shape)
        cover = np.maximum(cover, np.clip(radius + 0.5 - np.hypot(y - cy, x - cx), 0, 1))
    scene.draw(cover, np.full(3, rng.uniform(0, 0.4)))


@kind
def colour(scene, rng):
    """Coloured ink on coloured paper."""
    inks = [(0.1, 0.15, 0.6), (0.75, 0.1, 0.1), (0.05, 0.45, 0.15), (0.45, 0.1, 0.5)]
    papers = [(0.95, 0.92, 0.6), (0.75, 0.9, 0.75), (0.98, 0.8, 0.8), (0.8, 0.85, 0.98)]
    scene.ink_colour = np.array(inks[rng.integers(4)])
    scene.paper = scene.paper * np.array(papers[rng.integers(4)])


@kind
def faint(scene, rng):
    """Faint ink: its strength is 8 to 20 % of normal ink."""
    scene.strength = rng.uniform(0.08, 0.2)
    scene.noise = 0.004


@kind
def noisy(scene, rng):
    """Picture taken in the dark."""
    scene.noise = rng.uniform(0.04, 0.1)
    scene.light = scene.light * rng.uniform(0.5, 1)


@kind
def blurred(scene, rng):
    """Picture out of focus."""
    scene.blur = scene.digit * rng.uniform(0.02, 0.045)


@kind
def jpeg(scene, rng):
    """Strong JPEG compression."""
    scene.quality = int(rng.integers(10, 35))


MIXTURES = (
    "shadow+ruled",
    "falling_light+squared",
    "pencil+squared",
    "pencil+shadow",
    "texture+shadow+jpeg",
    "frame+falling_light",
    "specks+texture+noisy",
    "colour+ruled+falling_light",
    "blurred+falling_light+jpeg",
    "frame+shadow+specks",
)


def page(images, labels, name, rng, n_lines=None):
    """Generate a page of numbers; return the picture, and the boxes and texts of its lines."""
    n_lines = n_lines or int(rng.integers(1, 9))
    digit = int(rng.integers(24, 44))
    pitch = digit * rng.uniform(1.6, 2.4)
    width = int(digit * rng.uniform(12, 18))
    height = int(pitch * (n_lines + 1) + digit)
    ink = np.zeros((height, width))
    boxes, texts = [], []
    for line in range(n_lines):
        chosen = rng.integers(len(images), size=rng.integers(1, 8))
        y, x = int(digit * 0.8 + pitch * (line + 0.2)), rng.uniform(0.6, 3) * digit
        left, top, right, bottom = width, height, 0, 0
        for i in chosen:
            glyph = cut(images[i], digit * rng.uniform(0.9, 1.1))
            dy = y + int(rng.integers(-2, 3)) + (digit - glyph.shape[0]) // 2
            dx = int(x)
            part = ink[dy : dy + glyph.shape[0], dx : dx + glyph.shape[1]]
            np.maximum(part, glyph[: part.shape[0], : part.shape[1]], out=part)
            left, right = min(left, dx), max(right, dx + glyph.shape[1])
            top, bottom = min(top, dy), max(bottom, dy + glyph.shape[0])
            x += glyph.shape[1] + digit * rng.uniform(0.05, 0.35)
        boxes.append((left, top, right, bottom))
        texts.append("".join(str(labels[i]) for i in chosen))
    return develop(ink, digit, name, rng), np.array(boxes), texts


def cut(image, height):
    """Crop a digit to its ink, and scale its longer side to `height` pixels."""
    rows, columns = np.nonzero(image > 40)
    digit = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = height / max(digit.shape)
    size = [max(1, round(n * scale)) for n in digit.shape[::-1]]
    return sharpened(
        np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.BICUBIC)) / 255
    )
