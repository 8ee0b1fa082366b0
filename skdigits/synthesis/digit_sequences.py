"""Generate sequences of digits from images of single digits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skdigits.checks.parameters import check_name
from skdigits.synthesis.composition import (
    STYLES,
    DigitSource,
    TileLayout,
    check_count,
    check_drawn,
    epoch_seed,
    make_layout,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from skdigits.typing import Lengths, RandomState

NO_BOX = -1  # fills the boxes after the last digit of a sequence


def make_digit_sequences(
    images: np.ndarray,
    labels: ArrayLike,
    n_sequences: int = 100,
    *,
    style: str = "tiles",
    lengths: Lengths = (1, 5),
    signs: str = "",
    gap: int | Sequence[int] | None = None,
    width: int | None = None,
    shift: int | None = None,
    rotation: float | None = None,
    scale: float | None = None,
    noise: float | None = None,
    shear: float | None = None,
    elastic: float | None = None,
    random_state: RandomState = None,
    return_boxes: bool = False,
) -> tuple[np.ndarray, ...]:
    """Make images of sequences of digits from images of single digits.

    Digits are chosen at random, with replacement. In the style ``"tiles"``, their images are placed
    side by side; where images overlap, the brighter pixel is kept.

    In the style ``"handwritten"``, each sequence imitates one writer: the digits are cropped to
    their ink, and have the same slant, size, spacing, thickness and baseline, with small
    variations. Some digits have shapes that MNIST lacks, such as ones with a flag and crossed
    sevens. Lines also contain points, dashes, other signs, underlines and specks. The ink can be
    uneven, blurred or of low resolution. The digits have the height that
    `skdigits.pictures.clean_line` gives them. The style ``"mixed"`` also has printed and
    seven-segment digits.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on a black background.
    labels : array-like of shape (n_images,)
        Their labels, whole numbers 0–9.
    n_sequences : int, default=100
        Number of sequences.
    style : {"tiles", "handwritten", "mixed"}, default="tiles"
        Style of the images.
    lengths : int, tuple of (int, int), list of int or dict of int to float, default=(1, 5)
        Number of digits in a sequence: an integer, a range (both ends included), a list of
        numbers to choose from, or a dict with the weight of each number. A length of 0 makes images
        without digits.
    signs : str, default=""
        Signs that `target` contains, any of ``.,-=/$€#*``. The images in the styles
        ``"handwritten"`` and ``"mixed"`` show all these signs, but `target` contains only those
        given here.
    gap : int or tuple of (int, int), default=None
        Pixels between the images of two neighbouring digits, or the range (both ends included)
        from which each gap is chosen; negative if images overlap. None means (-6, 8). This
        parameter and the following ones, except `width`, belong to the style ``"tiles"``.
    width : int, default=None
        Width of the generated images in pixels; the position of a sequence in its image is random.
        None means the maximum width of a sequence.
    shift : int, default=None
        Maximum vertical shift of a digit in pixels, up or down; None means 0, here and below.
    rotation : float, default=None
        Maximum rotation of a digit in degrees, in both directions.
    scale : float, default=None
        Maximum relative change of the size of a digit, below 1: 0.1 means 90 % to 110 %.
    noise : float, default=None
        Standard deviation of the normal noise that is added to every pixel, in grey levels
        (0–255).
    shear : float, default=None
        Maximum shear of a digit in degrees, in both directions.
    elastic : float, default=None
        Maximum standard deviation, in pixels, of a smooth random displacement of a digit's pixels
        (elastic distortion; Simard et al., 2003).
    random_state : int, RandomState instance or None, default=None
        Random generator; pass an integer for reproducible sequences.
    return_boxes : bool, default=False
        Whether to return the bounding boxes of the digits.

    Returns
    -------
    images : ndarray of shape (n_sequences, height, width), uint8
        Images of the sequences. Their height is 28 pixels; in the style ``"tiles"``, it is the
        height of the single digits.
    target : ndarray of shape (n_sequences,), str
        Digits and `signs` of each sequence; ``""`` for an image without digits.
    boxes : ndarray of shape (n_sequences, max_length, 4), int64
        Bounding box of the ink of each digit in pixels: left, top, right and bottom, where right
        and bottom are exclusive. Values after the last digit are -1. Returned only if
        `return_boxes` is True.

    Raises
    ------
    ValueError
        If an argument is invalid.

    See Also
    --------
    train_test_sequences : Training and test sequences that have no digit in common.
    iter_digit_sequences : An endless iterator over new sequences.

    Examples
    --------
    >>> from skdigits.datasets import load_digits, make_digit_sequences
    >>> digits = load_digits()
    >>> X, y = make_digit_sequences(digits.images, digits.target, gap=(0, 2), random_state=0)
    >>> X.shape, y[:3].tolist()
    ((100, 8, 48), ['444', '7168', '6439'])
    """
    check_name("style", style, STYLES)
    check_drawn(style, signs)
    given = {
        "gap": gap,
        "shift": shift,
        "rotation": rotation,
        "scale": scale,
        "noise": noise,
        "shear": shear,
        "elastic": elastic,
    }
    source, tiles = DigitSource(images, labels), make_layout(style, lengths, {}, given)
    rng = check_random_state(random_state)
    if style == "tiles":
        made: tuple[Any, ...] = _make_tiles(source, n_sequences, tiles, width, rng, return_boxes)
    else:
        made = _write(source, n_sequences, tiles, style, signs, width, rng)
    return made if return_boxes else made[:2]


def _make_tiles(
    source: DigitSource,
    n_sequences: int,
    layout: TileLayout,
    width: int | None,
    rng: np.random.RandomState,
    return_boxes: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Make images, sequences and boxes in the style ``"tiles"``."""
    drawn = source.draw(n_sequences, layout, rng)
    width = _canvas_width(width, layout.widest(source.width))
    starts = rng.randint(0, width - drawn.widths + 1)
    boxes = np.full((n_sequences, layout.longest, 4), NO_BOX) if return_boxes else None
    return drawn.paint(width, starts, rng, boxes=boxes), drawn.target(), boxes


def _write(
    source: DigitSource,
    n_sequences: int,
    layout: TileLayout,
    style: str,
    signs: str,
    width: int | None,
    rng: Any,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make images, sequences and boxes in the styles ``"handwritten"`` and ``"mixed"``."""
    from skdigits.synthesis.handwriting import LineSynthesizer
    from skdigits.synthesis.shapes import Shapes

    check_count(n_sequences)
    rng = np.random.default_rng(rng.randint(2**31))
    synthesizer = LineSynthesizer(Shapes(source.images, source.labels), style, signs)
    lines = synthesizer.write_many(n_sequences, layout, rng)
    width = _canvas_width(width, max(line.image.shape[1] for line in lines))
    images = np.zeros((n_sequences, *lines[0].image.shape[:1], width), np.uint8)
    boxes = np.full((n_sequences, layout.longest, 4), NO_BOX)
    for image, row, line in zip(images, boxes, lines, strict=True):
        left = rng.integers(width - line.image.shape[1] + 1)
        image[:, left : left + line.image.shape[1]] = line.image
        row[: len(line.boxes)] = np.rint(line.boxes) + [left, 0] * 2
    target = np.array([line.text for line in lines], dtype=str)
    return images, target, boxes


def iter_digit_sequences(
    images: np.ndarray,
    labels: ArrayLike,
    n_sequences: int = 100,
    *,
    random_state: RandomState = None,
    **options: Any,
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield an endless series of new batches of sequences, to generate data during training.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on a black background.
    labels : array-like of shape (n_images,)
        Their labels, whole numbers 0–9.
    n_sequences : int, default=100
        Number of sequences in each batch.
    random_state : int, RandomState instance or None, default=None
        Random generator; pass an integer for reproducible batches.
    **options
        Further arguments of `make_digit_sequences`.

    Yields
    ------
    tuple
        Result of `make_digit_sequences`, with new sequences in each batch.
    """
    seed = check_random_state(random_state).randint(2**31 - 1)
    for number in itertools.count():
        yield make_digit_sequences(
            images, labels, n_sequences, random_state=epoch_seed(seed, number), **options
        )


def train_test_sequences(
    images: np.ndarray,
    labels: ArrayLike,
    n_train: int = 800,
    n_test: int = 200,
    *,
    test_size: float = 0.2,
    random_state: RandomState = None,
    **options: Any,
) -> tuple[np.ndarray, ...]:
    """Make training and test sequences that have no digit in common.

    The single digits are split, not the sequences, because otherwise the same images of digits
    would occur in both parts.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits, bright on a black background.
    labels : array-like of shape (n_images,)
        Their labels, whole numbers 0–9.
    n_train, n_test : int, default=800 and 200
        Number of training sequences and of test sequences.
    test_size : float, default=0.2
        Share of the single digits that occur in test sequences only.
    random_state : int, RandomState instance or None, default=None
        Random generator; pass an integer for reproducible sequences.
    **options
        Further arguments of `make_digit_sequences`.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Images and sequences, in the order of scikit-learn's ``train_test_split``. If
        ``return_boxes=True``, the boxes of both parts follow.
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


def _canvas_width(width: int | None, widest: int) -> int:
    if width is None:
        return widest
    if not isinstance(width, Integral) or width < widest:
        raise ValueError(
            f"width={width!r} is too narrow: with these lengths and gaps a sequence can be "
            f"{widest} pixels wide. Pass width={widest} or more."
        )
    return int(width)
