"""Choose random sequences, place images of digits side by side, and check styles and signs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_consistent_length, gen_batches

from skdigits.synthesis.distortion import Distortion

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

STYLES = ("tiles", "handwritten", "mixed")  # "tiles", and the keys of `handwriting.KINDS`
DRAWN_SIGNS = ".,-=/$€#*"  # signs in lines of all styles except "tiles"
DIGITS_AT_A_TIME = 512  # digits that are distorted at once, to limit memory


@dataclass(frozen=True)
class TileLayout:
    """Layout of digits side by side: their number, gaps, shifts, distortion and noise.

    Parameters
    ----------
    lengths, gap, shift, rotation, scale, noise, shear, elastic
        As in `make_digit_sequences`.
    """

    lengths: int | Sequence[int] | dict[int, float]
    gap: int | Sequence[int] = (-6, 8)
    shift: int = 0
    rotation: float = 0
    scale: float = 0
    noise: float = 0
    shear: float = 0
    elastic: float = 0

    def __post_init__(self) -> None:
        for name in ("shift", "rotation", "scale", "noise", "shear", "elastic"):
            value = getattr(self, name)
            if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
                raise ValueError(f"{name} should be a number of 0 or more; got {value!r}.")
        if not isinstance(self.shift, Integral):
            raise ValueError(f"shift should be a whole number of pixels; got {self.shift!r}.")
        if self.scale >= 1:
            raise ValueError(f"scale should be below 1; got {self.scale!r}.")
        if self.shear >= 90:
            raise ValueError(f"shear should be below 90 degrees; got {self.shear!r}.")
        self.length_weights()
        self.gaps()

    def length_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the possible lengths and their probabilities, two arrays of shape (n,)."""
        given = self.lengths
        numbers: list[Any]
        weights: list[Any]
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
                "lengths should be a whole number from 0, a tuple (shortest, longest), a list of "
                f"numbers, or a dict of numbers and their weights; got {given!r}."
            )
        return np.array(numbers, int), np.array(weights, float) / sum(weights)

    @property
    def longest(self) -> int:
        """Maximum sequence length."""
        numbers, shares = self.length_weights()
        return int(numbers[shares > 0].max())

    def gaps(self) -> tuple[int, int]:
        """Return the minimum and maximum gap in pixels."""
        gap = tuple(_listed(self.gap)) * (2 if isinstance(self.gap, Integral) else 1)
        if len(gap) != 2 or not all(isinstance(g, Integral) for g in gap) or gap[0] > gap[1]:
            raise ValueError(
                "gap should be a whole number of pixels, or a tuple (smallest, largest); "
                f"got {self.gap!r}."
            )
        return gap

    def widest(self, digit_width: int) -> int:
        """Return the maximum width of a sequence in pixels; it is at least `digit_width`."""
        return digit_width + max(0, self.longest - 1) * max(0, digit_width + self.gaps()[1])


def _range(ends: Sequence[Any]) -> list[int]:
    """List the whole numbers of a range, both ends included; empty if the ends are invalid."""
    whole = len(ends) == 2 and all(isinstance(end, Integral) for end in ends)
    return list(range(ends[0], ends[1] + 1)) if whole else []


def _listed(values: Any) -> list[Any]:
    return list(values) if np.iterable(values) and not isinstance(values, str) else [values]


class DigitSource:
    """Images of single digits, from which sequences are composed.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on black.
    labels : array-like of shape (n_images,)
        Whole numbers 0–9.
    weights : ndarray of shape (n_images,), optional
        Relative frequency of each image; equal by default.
    """

    def __init__(
        self, images: np.ndarray, labels: ArrayLike, weights: np.ndarray | None = None
    ) -> None:
        images = np.asarray(images)
        if images.ndim != 3 or images.dtype != np.uint8:
            raise ValueError(
                "images should be an array of bytes (uint8) of shape (n_images, height, width); "
                f"got {images.dtype} of shape {images.shape}."
            )
        if not images.size:
            raise ValueError(f"There is no digit to use: images has shape {images.shape}.")
        check_consistent_length(images, labels)
        self.images = images
        self.labels = check_digits(labels)
        self.height, self.width = images.shape[1:]
        self._order = np.arange(len(images)) if weights is None else self._canonical_order()
        self._shares = None if weights is None else np.cumsum(weights[self._order])

    def _canonical_order(self) -> np.ndarray:
        """Return an order of the images that depends only on their content, not on the input order.

        Thus an image of weight 2 gives the same sequences as two copies of it.
        """
        keys = [
            blake2b(image.tobytes(), digest_size=8, salt=bytes([label])).digest()
            for image, label in zip(self.images, self.labels, strict=True)
        ]
        return np.argsort(np.array(keys), kind="stable")

    def draw(self, n_sequences: int, layout: TileLayout, rng: np.random.RandomState) -> Drawn:
        """Choose digits, their positions and distortions at random.

        Parameters
        ----------
        n_sequences : int
            Number of sequences.
        layout : TileLayout
            Layout of the sequences.
        rng : RandomState
            Random generator.

        Returns
        -------
        Drawn
            The sequences, which are not painted yet.
        """
        check_count(n_sequences)
        low, high = layout.gaps()
        if low <= -self.width:
            raise ValueError(
                f"gap={layout.gap!r} lets digits of {self.width} pixels overlap completely."
                f" Pass a gap above -{self.width}."
            )
        if layout.shift >= self.height:
            raise ValueError(
                f"shift={layout.shift!r} moves digits of {self.height} pixels out of the image. "
                f"Pass a shift below {self.height}."
            )
        numbers, shares = layout.length_weights()
        lengths = rng.choice(numbers, size=n_sequences, p=shares)
        total = int(lengths.sum())
        return Drawn(
            self,
            layout.noise,
            lengths,
            digits=self._choose(total, rng),
            gaps=rng.randint(low, high + 1, size=total),
            shifts=rng.randint(-layout.shift, layout.shift + 1, size=total),
            distortion=Distortion.draw(total, layout, (self.height, self.width), rng),
        )

    def _choose(self, n: int, rng: np.random.RandomState) -> np.ndarray:
        if self._shares is None:
            return rng.randint(len(self.images), size=n)
        drawn = rng.uniform(0, self._shares[-1], size=n)
        return self._order[np.searchsorted(self._shares, drawn, side="right")]


class Drawn:
    """Random sequences, before they are painted.

    Parameters
    ----------
    source : DigitSource
        Source of the digits.
    noise : float
        Standard deviation of the noise.
    lengths : ndarray of shape (n_sequences,)
        Number of digits in each sequence.
    digits, gaps, shifts : ndarray of shape (lengths.sum(),)
        For each digit: its index in the source, the gap to the next digit, and the shift downwards,
        in pixels. The sequences are concatenated.
    distortion : Distortion or None
        Distortion of the digits.

    Attributes
    ----------
    widths : ndarray of shape (n_sequences,)
        Width of each sequence in pixels; an empty sequence is as wide as a digit.
    """

    def __init__(
        self,
        source: DigitSource,
        noise: float,
        lengths: np.ndarray,
        *,
        digits: np.ndarray,
        gaps: np.ndarray,
        shifts: np.ndarray,
        distortion: Distortion | None,
    ) -> None:
        self.source, self.noise, self.lengths = source, noise, lengths
        self.digits, self.shifts, self.distortion = digits, shifts, distortion
        self._ends = np.cumsum(lengths)
        self._sequence_of = np.repeat(np.arange(len(lengths)), lengths)
        steps = np.concatenate([[0], np.cumsum(source.width + gaps)])
        self._lefts = steps[:-1] - steps[(self._ends - lengths)[self._sequence_of]]
        self.widths = np.full(len(lengths), source.width)
        some = lengths > 0
        self.widths[some] += self._lefts[self._ends[some] - 1]

    def target(self) -> np.ndarray:
        """Return the digits of each sequence as a string, in an array of shape (n_sequences,)."""
        text = "".join(map(str, self.source.labels[self.digits]))
        starts = self._ends - self.lengths
        spelled = [text[a:b] for a, b in zip(starts, self._ends, strict=True)]
        return np.array(spelled, dtype=str)

    def paint(
        self,
        width: int,
        starts: np.ndarray,
        rng: np.random.RandomState,
        *,
        boxes: np.ndarray | None = None,
    ) -> np.ndarray:
        """Paint the sequences.

        Parameters
        ----------
        width : int
            Width of the images in pixels.
        starts : ndarray of shape (n_sequences,)
            Start of each sequence in pixels from the left.
        rng : RandomState
            Random generator of the noise.
        boxes : ndarray of shape (n_sequences, max_length, 4), optional
            Array into which the boxes of the digits are written.

        Returns
        -------
        ndarray of shape (n_sequences, height, width), uint8
            The images.
        """
        height, digit_width = self.source.height, self.source.width
        canvas = np.zeros((len(self.lengths), height, width), np.uint8)
        lefts = self._lefts + starts[self._sequence_of]
        positions = np.arange(len(self.digits)) - (self._ends - self.lengths)[self._sequence_of]
        for i, image in enumerate(self._images()):
            sequence, left, top = self._sequence_of[i], lefts[i], self.shifts[i]
            image = image[max(0, -top) : height - max(0, top)]
            part = canvas[sequence, max(0, top) : height + min(0, top), left : left + digit_width]
            np.maximum(part, image, out=part)
            if boxes is not None:
                boxes[sequence, positions[i]] = _ink_box(image) + [left, max(0, top)] * 2
        if self.noise:
            _add_noise(canvas, self.noise, np.random.default_rng(rng.randint(2**31)))
        return canvas

    def _images(self) -> Iterator[np.ndarray]:
        """Yield the distorted image of each digit."""
        for chosen in gen_batches(len(self.digits), DIGITS_AT_A_TIME):
            images = self.source.images[self.digits[chosen]]
            yield from images if self.distortion is None else self.distortion(images, chosen)


def epoch_seed(seed: int, number: int) -> int:
    """Derive the seed of an epoch, in [0, 2**32), from a common seed and the epoch's number."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def check_count(n_sequences: int) -> None:
    """Raise a ValueError if a number of sequences is not a whole number from 1."""
    if not isinstance(n_sequences, Integral) or n_sequences < 1:
        raise ValueError(f"n_sequences should be a whole number from 1; got {n_sequences!r}.")


def make_layout(
    style: str, lengths: Any, defaults: dict[str, Any], tiles: Mapping[str, Any]
) -> TileLayout:
    """Make a layout from the user's arguments.

    Parameters
    ----------
    style : {"tiles", "handwritten", "mixed"}
        The style.
    lengths : int, tuple, list or dict
        As in `make_digit_sequences`.
    defaults : dict of str to object
        Default values of the parameters that belong to the style ``"tiles"``.
    tiles : dict of str to object
        Values of these parameters; None means the default.

    Returns
    -------
    TileLayout
        The layout; styles other than ``"tiles"`` use only its lengths.

    Raises
    ------
    ValueError
        If a value is invalid, or the style does not have the parameter.
    """
    given = {name: value for name, value in tiles.items() if value is not None}
    if given and style != "tiles":
        name = next(iter(given))
        raise ValueError(
            f"{name} belongs to style='tiles'; got style={style!r}. Leave {name} out, or pass "
            "style='tiles'."
        )
    return TileLayout(lengths, **(defaults | given))


def check_drawn(style: str, signs: str) -> None:
    """Raise a ValueError if `signs` contains a sign that generated lines of a style never have."""
    drawn = "" if style == "tiles" else DRAWN_SIGNS
    if missing := [sign for sign in signs if sign not in drawn]:
        drawn = f"only {drawn}" if drawn else "no signs"
        raise ValueError(
            f"signs contains {missing[0]!r}, but lines of the style {style!r} have {drawn}. Remove "
            "it from signs, choose another style, or fit on images of lines with their texts."
        )


def check_digits(labels: ArrayLike) -> np.ndarray:
    """Check labels of single digits.

    Parameters
    ----------
    labels : array-like of shape (n_images,)
        Whole numbers, as integers or floats.

    Returns
    -------
    ndarray of shape (n_images,), int64
        The labels.

    Raises
    ------
    ValueError
        If a label is not one of 0–9.
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


def _ink_box(image: np.ndarray) -> np.ndarray:
    """Return left, top, right and bottom of the ink, or of the whole image if it has no ink."""
    height, width = image.shape
    columns, rows = np.flatnonzero(image.any(axis=0)), np.flatnonzero(image.any(axis=1))
    if not len(rows):
        return np.array([0, 0, width, height])
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def _add_noise(canvas: np.ndarray, noise: float, rng: np.random.Generator) -> None:
    """Add normal noise in place, to a thousand images at a time to limit memory."""
    for part in np.split(canvas, range(1000, len(canvas), 1000)):
        noisy = part + np.float32(noise) * rng.standard_normal(part.shape, np.float32)
        part[...] = np.clip(np.rint(noisy), 0, 255)
