"""Generate the lines on which a recognizer is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdigits.pictures.line_images import HEIGHT
from skdigits.synthesis.composition import DigitSource, TileLayout, epoch_seed

WITH_MARGINS = 0.2  # share of lines with margins, which teach that margins contain no digits


@dataclass(frozen=True, eq=False)
class GeneratedLines:
    """Lines of one epoch.

    Parameters
    ----------
    images : list of ndarray of shape (height, width), uint8
        The lines, bright on black.
    sequences : ndarray of shape (n,), str
        Digits and signs of each line.
    longest : int or None
        Maximum number of characters in a line; None if it is unknown.
    """

    images: list[np.ndarray]
    sequences: np.ndarray
    longest: int | None = None


class TileGenerator:
    """Generator of lines in the style ``"tiles"``: images of digits side by side.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), uint8
        Single digits.
    digits : ndarray of shape (n_images,), int
        Labels of the images.
    weights : ndarray of shape (n_images,) or None
        Relative frequency of each image; None means equal frequencies.
    layout : TileLayout
        Layout of the lines.
    """

    def __init__(
        self,
        images: np.ndarray,
        digits: np.ndarray,
        weights: np.ndarray | None,
        layout: TileLayout,
    ) -> None:
        self._source, self._layout = DigitSource(images, digits, weights), layout

    def draw(self, n_lines: int, seed: int, epoch: int) -> GeneratedLines:
        """Generate `n_lines` lines of the epoch number `epoch`; all epochs have the same `seed`."""
        rng = np.random.RandomState(epoch_seed(seed, epoch))
        drawn = self._source.draw(n_lines, self._layout, rng)
        width = max(self._layout.widest(self._source.width), 4 * self._source.width)
        has_margins = rng.uniform(size=n_lines) < WITH_MARGINS
        margins = rng.randint(0, width - drawn.widths + 1) * has_margins
        images = drawn.paint(width, rng.randint(0, margins + 1), rng)
        widths = (drawn.widths + margins).tolist()
        lines = [image[:, :width] for image, width in zip(images, widths, strict=True)]
        return GeneratedLines(lines, drawn.target(), self._layout.longest)


class WritingGenerator:
    """Generator of lines in the styles ``"handwritten"`` and ``"mixed"``.

    Parameters
    ----------
    images, digits, weights, layout
        As in `TileGenerator`; only the lengths of the layout are used.
    style : {"handwritten", "mixed"}
        Only handwriting, or also printed and seven-segment digits.
    signs : str
        Signs that the sequences contain; other signs occur only in the images.
    """

    def __init__(
        self,
        images: np.ndarray,
        digits: np.ndarray,
        weights: np.ndarray | None,
        layout: TileLayout,
        style: str,
        signs: str,
    ) -> None:
        from skdigits.synthesis.handwriting import LineSynthesizer
        from skdigits.synthesis.shapes import Shapes

        self._layout = layout
        self._synthesizer = LineSynthesizer(Shapes(images, digits, weights), style, signs)

    def draw(self, n_lines: int, seed: int, epoch: int) -> GeneratedLines:
        """Generate the lines of an epoch; the parameters are those of `TileGenerator.draw`."""
        rng = np.random.default_rng(epoch_seed(seed, epoch))
        lines = self._synthesizer.write_many(n_lines, self._layout, rng)
        margins = rng.integers(0, 4 * HEIGHT, (n_lines, 2))
        margins[rng.random(n_lines) > WITH_MARGINS] = 0
        images = [
            np.pad(line.image, [(0, 0), margin]) if any(margin) else line.image
            for line, margin in zip(lines, margins.tolist(), strict=True)
        ]
        return GeneratedLines(images, np.array([line.text for line in lines]))


class AdaptingGenerator:
    """Generator of lines for adaptation: half are given lines, slightly changed, half are new.

    Parameters
    ----------
    images : list of ndarray of shape (height, width), uint8
        The given lines.
    sequences : ndarray of shape (n,), str
        Digits and signs of each given line.
    used : ndarray of int
        Indices of the given lines to use.
    shares : ndarray of float or None
        Probability of each used line; None means equal probabilities.
    layout : TileLayout
        Layout of the generated lines; only its lengths are used.
    signs : str
        Signs that the generated sequences contain.
    """

    def __init__(
        self,
        images: Any,
        sequences: np.ndarray,
        used: np.ndarray,
        shares: np.ndarray | None,
        layout: TileLayout,
        signs: str,
    ) -> None:
        from skdigits.synthesis.handwriting import LineSynthesizer, handwriting_typefaces

        self._given = images, sequences, used, shares
        self._layout = layout
        self._synthesizer = LineSynthesizer(handwriting_typefaces(), "mixed", signs)

    def draw(self, n_lines: int, seed: int, epoch: int) -> GeneratedLines:
        """Generate the lines of an epoch, as in `TileGenerator.draw`; given lines come first."""
        from skdigits.synthesis.paper import varied

        images, sequences, used, shares = self._given
        rng = np.random.default_rng(epoch_seed(seed, epoch))
        chosen = rng.choice(used, n_lines // 2, p=shares)
        written = self._synthesizer.write_many(n_lines // 2, self._layout, rng)
        lines = [varied(images[i], rng) for i in chosen]
        lines += [line.image for line in written]
        texts = [*sequences[chosen].tolist(), *(line.text for line in written)]
        return GeneratedLines(lines, np.array(texts))


def make_generator(
    style: str,
    images: np.ndarray,
    digits: np.ndarray,
    weights: np.ndarray | None,
    layout: TileLayout,
    signs: str,
) -> TileGenerator | WritingGenerator:
    """Make the generator of a style.

    Parameters
    ----------
    style : {"tiles", "handwritten", "mixed"}
        The style.
    images, digits, weights, layout
        As in `TileGenerator`.
    signs : str
        Signs that the sequences contain; the style ``"tiles"`` has no signs.

    Returns
    -------
    TileGenerator or WritingGenerator
        The generator.
    """
    if style == "tiles":
        return TileGenerator(images, digits, weights, layout)
    return WritingGenerator(images, digits, weights, layout, style, signs)
