"""Sequences of digits, made by concatenating images of single digits."""

from __future__ import annotations

import itertools
from numbers import Integral

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skdigits.synthesis.composition import DigitSource, Style, epoch_seed

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
    shear=0,
    elastic=0,
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
    lengths : int, tuple of (int, int), list of int or dict of int to float, default=(1, 5)
        Digits in a sequence: one number, a range with both ends, numbers to choose from, or the
        weight of each number. 0 gives pictures without a digit.
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
    shear : float, default=0
        A digit is slanted by as many degrees at most, to either side.
    elastic : float, default=0
        The pixels of a digit are displaced, smoothly, with this standard deviation in pixels at
        most (Simard et al., 2003).
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
    style = Style(lengths, gap, shift, rotation, scale, noise, shear, elastic)
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


def _canvas_width(width, widest):
    if width is None:
        return widest
    if not isinstance(width, Integral) or width < widest:
        raise ValueError(
            f"width={width!r} is too narrow: with these lengths and gaps a sequence can be "
            f"{widest} pixels wide."
        )
    return int(width)
