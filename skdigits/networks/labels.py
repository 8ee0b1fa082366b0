"""Convert sequences between strings and rows of integers, which networks use.

The characters of a network are the ten digits, followed by its signs if it has any. The label of a
character is its index among them. The last output of the network is the blank of CTC.
"""

from __future__ import annotations

import numpy as np

DIGITS = "0123456789"
PADDING = -1  # after the last label of a row


def as_rows(
    sequences: np.ndarray, widths: np.ndarray, characters: str, longest: int | None = None
) -> np.ndarray:
    """Convert each string to a row with the image width and the labels.

    Parameters
    ----------
    sequences : ndarray of shape (n,), str
        Strings of `characters`.
    widths : ndarray of shape (n,), int
        Width of each image in pixels.
    characters : str
        The characters that the network reads.
    longest : int, optional
        Number of labels in a row; the length of the longest sequence by default.

    Returns
    -------
    ndarray of shape (n, 1 + longest), int32
        The width, then the labels, then -1 up to the end of the row.
    """
    label = {character: i for i, character in enumerate(characters)}
    longest = max(map(len, sequences.tolist())) if longest is None else longest
    rows = np.full((len(sequences), 1 + max(1, longest)), PADDING, np.int32)
    rows[:, 0] = widths
    for row, text in zip(rows, sequences.tolist(), strict=True):
        row[1 : 1 + len(text)] = [label[character] for character in text]
    return rows


def as_strings(labels: np.ndarray, characters: str) -> np.ndarray:
    """Convert rows of labels to strings.

    Parameters
    ----------
    labels : ndarray of shape (n, max_length), int
        Labels, padded with -1.
    characters : str
        The characters that the network reads.

    Returns
    -------
    ndarray of shape (n,), str
        The sequences.
    """
    # The label -1 (`PADDING`) selects the last code: 0, which ends a string.
    codes = np.array([*map(ord, characters), 0], np.uint32)
    return codes[labels].view(f"<U{labels.shape[1]}")[:, 0]


def needed_frames(digits: np.ndarray) -> np.ndarray:
    """Compute the minimum number of frames that CTC needs for each sequence.

    Parameters
    ----------
    digits : ndarray of shape (n, max_length), int
        Labels of the sequences, padded with -1.

    Returns
    -------
    ndarray of shape (n,), int
        One frame for each label, and one for the blank between two equal labels.
    """
    is_digit = digits != PADDING
    return is_digit.sum(axis=1) + (is_digit[:, 1:] & (digits[:, 1:] == digits[:, :-1])).sum(axis=1)


def moved_left(labels: np.ndarray, is_digit: np.ndarray) -> np.ndarray:
    """Move the selected labels of each row to the left, and pad the rows with -1.

    Parameters
    ----------
    labels : ndarray of shape (n, n_labels), int
        Rows of labels.
    is_digit : ndarray of shape (n, n_labels), bool
        True for the labels to keep.

    Returns
    -------
    ndarray of shape (n, max_length), int32
        The kept labels, padded with -1; at least one column.
    """
    counts = is_digit.sum(axis=1)
    digits = np.full((len(labels), max(1, counts.max(initial=0))), PADDING, np.int32)
    digits[np.arange(digits.shape[1]) < counts[:, np.newaxis]] = labels[is_digit]
    return digits
