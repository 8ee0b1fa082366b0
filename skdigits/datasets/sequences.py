"""Sequences of digits, made by concatenating images of single digits."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from hashlib import blake2b
from numbers import Integral, Real

import numpy as np
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length, check_random_state

NOT_THERE = -1  # in boxes, where a sequence is shorter than the longest


def make_digit_sequences(
    images,
    labels,
    n_sequences=100,
    *,
    lengths=(1, 5),
    gap=(-6, 8),
    width=None,
    shift=0,
    rotation=0,
    scale=0,
    noise=0,
    random_state=None,
    return_boxes=False,
):
    """Make images of sequences of digits from images of single digits.

    Digits are drawn with replacement and put side by side; where they overlap, the brighter
    pixel is seen.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on black.
    labels : array-like of shape (n_images,)
        Their labels, whole numbers 0–9.
    n_sequences : int, default=100
        Number of sequences.
    lengths : tuple of (int, int), list of int or dict of int to float, default=(1, 5)
        Digits in a sequence: a range with both ends, numbers to choose from, or the weight of
        each number. 0 gives pictures without a digit.
    gap : int or tuple of (int, int), default=(-6, 8)
        Pixels between one digit's image and the next, or the range they are drawn from; an
        overlap is negative.
    width : int, default=None
        Width of the images made, in pixels; a sequence stands anywhere in it. None is the width
        of the widest that there can be.
    shift : int, default=0
        A digit is moved up or down by as many pixels at most.
    rotation : float, default=0
        A digit is rotated by as many degrees at most, to either side.
    scale : float, default=0
        A digit is enlarged or reduced by this share at most, below 1.
    noise : float, default=0
        Standard deviation of normal noise on every pixel, in grey levels of 255.
    random_state : int, RandomState instance or None, default=None
        Source of all draws; the same gives the same sequences.
    return_boxes : bool, default=False
        Whether to return where the digits are.

    Returns
    -------
    images : ndarray of shape (n_sequences, height, width), uint8
        The sequences.
    target : ndarray of shape (n_sequences,), str
        Their digits; ``""`` where there is none.
    boxes : ndarray of shape (n_sequences, max_length, 4), int64
        Left, top, right and bottom of every digit's ink in pixels, right and bottom outside of
        it; -1 behind the last digit. Only with `return_boxes`.

    Raises
    ------
    ValueError
        If an argument cannot be used; the message says why.

    See Also
    --------
    train_test_sequences : Train and test sequences without a digit in common.
    iter_digit_sequences : New sequences without end.

    Examples
    --------
    >>> from skdigits.datasets import load_digits, make_digit_sequences
    >>> digits = load_digits()
    >>> X, y = make_digit_sequences(digits.images, digits.target, gap=(0, 2), random_state=0)
    >>> X.shape, y[0]
    ((100, 8, 48), '0218')
    """
    source = DigitSource(images, labels)
    style = Style(lengths, gap, shift, rotation, scale, noise)
    rng = check_random_state(random_state)
    drawn = source.draw(n_sequences, style, rng)
    width = _canvas_width(width, style.widest(source.width))
    starts = rng.randint(0, width - drawn.widths + 1)
    if not return_boxes:
        return drawn.paint(width, starts, rng), drawn.target()
    boxes = np.full((n_sequences, style.longest, 4), NOT_THERE)
    return drawn.paint(width, starts, rng, boxes=boxes), drawn.target(), boxes


def iter_digit_sequences(images, labels, n_sequences=100, *, random_state=None, **options):
    """Make new sequences without end, for training on the fly.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on black.
    labels : array-like of shape (n_images,)
        Their labels, whole numbers 0–9.
    n_sequences : int, default=100
        Sequences in each item.
    random_state : int, RandomState instance or None, default=None
        The same gives the same items in the same order.
    **options
        Further arguments of `make_digit_sequences`.

    Yields
    ------
    tuple
        What `make_digit_sequences` returns, of other sequences each time.
    """
    seed = check_random_state(random_state).randint(2**31 - 1)
    for number in itertools.count():
        yield make_digit_sequences(
            images, labels, n_sequences, random_state=epoch_seed(seed, number), **options
        )


def train_test_sequences(
    images,
    labels,
    n_train=800,
    n_test=200,
    *,
    test_size=0.2,
    random_state=None,
    **options,
):
    """Make sequences to train on and to test on that have no digit in common.

    The digits are split first and concatenated afterwards: split sequences would share them.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on black.
    labels : array-like of shape (n_images,)
        Their labels, whole numbers 0–9.
    n_train, n_test : int, default=800 and 200
        Number of sequences to make of either kind.
    test_size : float, default=0.2
        Share of the digits that only test sequences are made of.
    random_state : int, RandomState instance or None, default=None
        Source of the split and of all draws.
    **options
        Further arguments of `make_digit_sequences`.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Images and digits, in the order of scikit-learn's ``train_test_split``; boxes behind them
        with ``return_boxes=True``.
    """
    rng = check_random_state(random_state)
    parts = train_test_split(
        np.asarray(images),
        np.asarray(labels),
        test_size=test_size,
        stratify=labels,
        random_state=rng,
    )
    made = [
        make_digit_sequences(digits, digit_labels, n_sequences, random_state=rng, **options)
        for digits, digit_labels, n_sequences in (
            (parts[0], parts[2], n_train),
            (parts[1], parts[3], n_test),
        )
    ]
    return tuple(array for arrays in zip(*made, strict=True) for array in arrays)


def epoch_seed(seed, number) -> int:
    """Derive the seed of one draw of many.

    Parameters
    ----------
    seed : int
        Seed of them all.
    number : int
        Number of the draw.

    Returns
    -------
    int
        A seed in [0, 2**32).
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


@dataclass(frozen=True)
class Style:
    """How digits are put together; parameters as in `make_digit_sequences`.

    Parameters
    ----------
    lengths, gap, shift, rotation, scale, noise
        As in `make_digit_sequences`.
    """

    lengths: tuple | list | dict
    gap: int | tuple
    shift: int = 0
    rotation: float = 0
    scale: float = 0
    noise: float = 0

    def __post_init__(self):
        for name in ("shift", "rotation", "scale", "noise"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
                raise ValueError(f"{name} should be a number of 0 or more; got {value!r}.")
        if not isinstance(self.shift, Integral):
            raise ValueError(f"shift should be a whole number of pixels; got {self.shift!r}.")
        if self.scale >= 1:
            raise ValueError(f"scale should be below 1; got {self.scale!r}.")
        self.length_weights()
        self.gaps()

    def length_weights(self):
        """Numbers of digits, and the share of sequences that have each.

        Returns
        -------
        numbers, shares : ndarray of shape (n,)
            They are in the order given.
        """
        given = self.lengths
        if isinstance(given, dict):
            numbers, weights = list(given), list(given.values())
        else:
            numbers = _range(given) if isinstance(given, tuple) else _listed(given)
            weights = [1] * len(numbers)
        whole = all(isinstance(number, Integral) and int(number) >= 0 for number in numbers)
        positive = all(isinstance(w, Real) and 0 <= float(w) < np.inf for w in weights) and sum(
            weights
        )
        if not (numbers and whole and positive):
            raise ValueError(
                "lengths should be a tuple (shortest, longest), a list of whole numbers from 0, or "
                f"a dict from such numbers to weights; got {given!r}."
            )
        return np.array(numbers, int), np.array(weights, float) / sum(weights)

    @property
    def longest(self) -> int:
        """Most digits that a sequence can have."""
        numbers, shares = self.length_weights()
        return int(numbers[shares > 0].max())

    def gaps(self) -> tuple[int, int]:
        """Least and greatest gap.

        Returns
        -------
        tuple of int
            In pixels.
        """
        gap = tuple(_listed(self.gap)) * (2 if isinstance(self.gap, Integral) else 1)
        if len(gap) != 2 or not all(isinstance(g, Integral) for g in gap) or gap[0] > gap[1]:
            raise ValueError(
                "gap should be a whole number of pixels or a tuple (least, greatest) of them; "
                f"got {self.gap!r}."
            )
        return gap

    def widest(self, digit_width) -> int:
        """Width of the widest sequence that there can be.

        Parameters
        ----------
        digit_width : int
            Width of a digit's image in pixels.

        Returns
        -------
        int
            Pixels; at least one digit's.
        """
        return digit_width + max(0, self.longest - 1) * max(0, digit_width + self.gaps()[1])


def _range(ends):
    """All whole numbers of a range with both ends; none where the ends are not two of them."""
    whole = len(ends) == 2 and all(isinstance(end, Integral) for end in ends)
    return list(range(ends[0], ends[1] + 1)) if whole else []


def _listed(values):
    return list(values) if np.iterable(values) and not isinstance(values, str) else [values]


class DigitSource:
    """Single digits that sequences are drawn from.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on black.
    labels : array-like of shape (n_images,)
        Whole numbers 0–9.
    weights : ndarray of shape (n_images,), optional
        How often each is drawn, in proportion; equally by default.
    """

    def __init__(self, images, labels, weights=None):
        images = np.asarray(images)
        if images.ndim != 3 or images.dtype != np.uint8:
            raise ValueError(
                "images should be an array of bytes (uint8) of shape (n_images, height, width); "
                f"got {images.dtype} of shape {images.shape}."
            )
        if not images.size:
            raise ValueError(f"There is no digit to draw from: images has shape {images.shape}.")
        check_consistent_length(images, labels)
        self.images = images
        self.labels = check_digits(labels)
        self.height, self.width = images.shape[1:]
        self._order = np.arange(len(images)) if weights is None else self._canonical_order()
        self._shares = None if weights is None else np.cumsum(weights[self._order])

    def _canonical_order(self):
        """An order that does not depend on the one given, so that weight 2 equals two copies."""
        keys = [
            blake2b(image.tobytes(), digest_size=8, salt=bytes([label])).digest()
            for image, label in zip(self.images, self.labels, strict=True)
        ]
        return np.argsort(np.array(keys), kind="stable")

    def draw(self, n_sequences, style, rng):
        """Draw digits and where they stand.

        Parameters
        ----------
        n_sequences : int
            Number of sequences.
        style : Style
            How they are put together.
        rng : RandomState
            Source of all draws.

        Returns
        -------
        Drawn
            The sequences, not painted yet.
        """
        if not isinstance(n_sequences, Integral) or n_sequences < 1:
            raise ValueError(f"n_sequences should be a whole number from 1; got {n_sequences!r}.")
        low, high = style.gaps()
        if low <= -self.width:
            raise ValueError(
                f"gap={style.gap!r} lets digits of {self.width} pixels overlap by all their width."
            )
        numbers, shares = style.length_weights()
        lengths = rng.choice(numbers, size=n_sequences, p=shares)
        total = int(lengths.sum())
        return Drawn(
            self,
            style.noise,
            lengths,
            digits=self._choose(total, rng),
            gaps=rng.randint(low, high + 1, size=total),
            shifts=rng.randint(-style.shift, style.shift + 1, size=total),
            angles=np.deg2rad(rng.uniform(-style.rotation, style.rotation, size=total)),
            zooms=rng.uniform(1 - style.scale, 1 + style.scale, size=total),
        )

    def _choose(self, n, rng):
        if self._shares is None:
            return rng.randint(len(self.images), size=n)
        drawn = rng.uniform(0, self._shares[-1], size=n)
        return self._order[np.searchsorted(self._shares, drawn, side="right")]


class Drawn:
    """Sequences that were drawn and not painted yet.

    Parameters
    ----------
    source : DigitSource
        Where the digits are from.
    noise : float
        Standard deviation of the noise.
    lengths : ndarray of shape (n_sequences,)
        Digits in each sequence.
    digits, gaps, shifts, angles, zooms : ndarray of shape (lengths.sum(),)
        Of each digit, one sequence behind the other: its number in the source, the gap behind it,
        pixels downwards, radians, and factor of its size.

    Attributes
    ----------
    widths : ndarray of shape (n_sequences,)
        Width of each sequence in pixels; that of a digit where there is none.
    """

    def __init__(self, source, noise, lengths, *, digits, gaps, shifts, angles, zooms):
        self.source, self.noise, self.lengths = source, noise, lengths
        self.digits, self.shifts, self.angles, self.zooms = digits, shifts, angles, zooms
        self._ends = np.cumsum(lengths)
        self._owners = np.repeat(np.arange(len(lengths)), lengths)
        steps = np.concatenate([[0], np.cumsum(source.width + gaps)])
        self._lefts = steps[:-1] - steps[(self._ends - lengths)[self._owners]]
        self.widths = np.full(len(lengths), source.width)
        some = lengths > 0
        self.widths[some] += self._lefts[self._ends[some] - 1]

    def target(self):
        """Spell the sequences.

        Returns
        -------
        ndarray of shape (n_sequences,), str
            Their digits.
        """
        text = "".join(map(str, self.source.labels[self.digits]))
        starts = self._ends - self.lengths
        spelled = [text[a:b] for a, b in zip(starts, self._ends, strict=True)]
        return np.array(spelled, dtype=str)

    def paint(self, width, starts, rng, *, boxes=None):
        """Paint the sequences.

        Parameters
        ----------
        width : int
            Width of the images in pixels.
        starts : ndarray of shape (n_sequences,)
            Where each begins, in pixels from the left.
        rng : RandomState
            Source of the noise.
        boxes : ndarray of shape (n_sequences, max_length, 4), optional
            Takes the boxes of the digits.

        Returns
        -------
        ndarray of shape (n_sequences, height, width), uint8
            The images.
        """
        height, digit_width = self.source.height, self.source.width
        canvas = np.zeros((len(self.lengths), height, width), np.uint8)
        lefts = self._lefts + starts[self._owners]
        places = np.arange(len(self.digits)) - (self._ends - self.lengths)[self._owners]
        for i, (owner, left) in enumerate(zip(self._owners, lefts, strict=True)):
            image, top = self._image(i), self.shifts[i]
            image = image[max(0, -top) : height - max(0, top)]
            part = canvas[owner, max(0, top) : height + min(0, top), left : left + digit_width]
            np.maximum(part, image, out=part)
            if boxes is not None:
                boxes[owner, places[i]] = _ink_box(image) + [left, max(0, top)] * 2
        if self.noise:
            _add_noise(canvas, self.noise, np.random.default_rng(rng.randint(2**31)))
        return canvas

    def _image(self, i):
        image, angle, zoom = self.source.images[self.digits[i]], self.angles[i], self.zooms[i]
        return image if angle == 0 and zoom == 1 else _warp(image, angle, zoom)


def check_digits(labels):
    """Check labels of single digits.

    Parameters
    ----------
    labels : array-like of shape (n_images,)
        Whole numbers, or floats that are.

    Returns
    -------
    ndarray of shape (n_images,), int64
        The labels.

    Raises
    ------
    ValueError
        If one is not among 0–9.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind in "biuf":
        wrong = labels[~np.isin(labels, np.arange(10))]
        if not len(wrong):
            return labels.astype(np.int64)
        labels = wrong
    raise ValueError(
        f"Labels of single digits should be whole numbers from 0 to 9; got {labels[:3].tolist()}."
    )


def _canvas_width(width, widest):
    if width is None:
        return widest
    if not isinstance(width, Integral) or width < widest:
        raise ValueError(
            f"width={width!r} is too narrow: with these lengths and gaps a sequence can be "
            f"{widest} pixels wide."
        )
    return int(width)


def _ink_box(image):
    """Left, top, right and bottom of what is not black; all of the image where nothing is."""
    height, width = image.shape
    columns, rows = np.flatnonzero(image.any(axis=0)), np.flatnonzero(image.any(axis=1))
    if not len(rows):
        return np.array([0, 0, width, height])
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def _warp(image, angle, zoom):
    """Rotate and enlarge about the centre."""
    height, width = image.shape
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    x, y = width / 2, height / 2
    matrix = (cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)
    picture = Image.fromarray(image)
    picture = picture.transform(
        picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return np.asarray(picture)


def _add_noise(canvas, noise, rng):
    """Add normal noise in place, a thousand images at a time to bound memory."""
    for part in np.split(canvas, range(1000, len(canvas), 1000)):
        noisy = part + np.float32(noise) * rng.standard_normal(part.shape, np.float32)
        part[...] = np.clip(np.rint(noisy), 0, 255)
