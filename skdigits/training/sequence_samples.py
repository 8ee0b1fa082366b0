"""Make training samples from images of sequences, without TensorFlow."""

from __future__ import annotations

import numpy as np

from skdigits.networks.architectures import READER
from skdigits.networks.labels import DIGITS, as_rows, needed_frames
from skdigits.networks.spec import NetworkSpec
from skdigits.pictures.line_images import HEIGHT, LineImages
from skdigits.synthesis.generators import GeneratedLines
from skdigits.training.task import Samples

READER_SPEC = NetworkSpec.of(READER, (HEIGHT, None, 1), len(DIGITS) + 1, (), "float32")
COLUMNS_PER_FRAME = READER_SPEC.columns_per_frame


def sequence_samples(lines: LineImages, sequences: np.ndarray, characters: str) -> Samples:
    """Make samples from images and their sequences.

    Parameters
    ----------
    lines : LineImages
        Images of dtype uint8, with the height of the network's input.
    sequences : ndarray of shape (n,), str
        Strings of `characters`.
    characters : str
        The characters that the network reads.

    Returns
    -------
    Samples
        The samples.

    Raises
    ------
    ValueError
        If an image is too narrow for its sequence.
    """
    rows, widths = lines.rows()
    labels = as_rows(sequences, widths, characters)
    needed = needed_frames(labels[:, 1:])
    narrow = np.flatnonzero(READER_SPEC.n_frames(widths) < needed)
    if len(narrow):
        i = narrow[0]
        raise ValueError(
            f"Image {i} is too narrow for its label {str(sequences[i])!r}: at a height of "
            f"{HEIGHT} pixels it is {widths[i]} pixels wide; it needs at least "
            f"{COLUMNS_PER_FRAME * (needed[i] - 1) + 1}. Pass a wider image, or correct the label."
        )
    return Samples(rows, labels)


def generated_samples(generated: GeneratedLines, characters: str) -> Samples:
    """Make samples from generated lines; a line that is too narrow for CTC gets a margin."""
    images, sequences = list(generated.images), generated.sequences
    widths = np.array([image.shape[1] for image in images])
    labels = as_rows(sequences, widths, characters, generated.longest)
    needed = COLUMNS_PER_FRAME * needed_frames(labels[:, 1:])
    for i in np.flatnonzero(needed > widths):
        images[i] = np.pad(images[i], [(0, 0), (0, needed[i] - widths[i])])
    rows, labels[:, 0] = LineImages(images).rows()
    return Samples(rows, labels)


def check_room(digit_width: int, numbers: np.ndarray, least_gap: int) -> None:
    """Check that overlapping digits leave enough frames for CTC.

    Parameters
    ----------
    digit_width : int
        Width of a digit in pixels.
    numbers : ndarray of int
        Possible numbers of digits.
    least_gap : int
        Minimum number of pixels between two digits; negative if they overlap.

    Raises
    ------
    ValueError
        If a sequence may have too few frames.
    """
    widths = digit_width + (numbers - 1) * (digit_width + least_gap)
    crowded = (numbers > 1) & (READER_SPEC.n_frames(widths) < 2 * numbers - 1)
    if crowded.any():
        n, width = numbers[crowded][0], widths[crowded][0]
        raise ValueError(
            f"With gap={least_gap}, {n} digits of {digit_width} pixels become a sequence of "
            f"{width} pixels; the network needs at least {COLUMNS_PER_FRAME * (2 * n - 2) + 1} "
            "pixels. Use a wider gap."
        )
