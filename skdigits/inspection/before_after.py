"""Display of pictures before and after cleaning."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from skdigits.checks.parameters import check_name
from skdigits.files import printable
from skdigits.inspection.axes import make_axes, write_reason
from skdigits.pictures import clean_line, clean_picture, open_pictures
from skdigits.pictures.cutting import cut_lines
from skdigits.pictures.grey import to_grey, upright

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from skdigits.typing import PictureLike

COLUMNS = {"digit": 6, "line": 3}
TILE = {"digit": (1.0, 1.0), "line": (2.4, 0.7)}  # inches; width and height
CAPTION = 0.25  # inches; height
LONGEST_CAPTION = {"digit": 24, "line": 50}  # characters
MOST_LINES = 60
MARGIN = 0.3  # margin that is drawn around a line, relative to its height


class CleaningDisplay:
    """Pictures beside their cleaned images, which are the input of a network.

    Parameters
    ----------
    pictures : list of ndarray of shape (height, width, 3), uint8
        The pictures.
    images : list of ndarray of shape (height, width), uint8
        The cleaned images.
    captions : list of str
        One caption per picture.
    output : {"digit", "line"}, default="digit"
        What the pictures show.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    """

    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        pictures: Sequence[Any],
        images: Sequence[np.ndarray],
        captions: Sequence[str],
        *,
        output: str = "digit",
    ) -> None:
        self.pictures = pictures
        self.images = images
        self.captions = captions
        self.output = output

    @classmethod
    def from_pictures(
        cls,
        pictures: Sequence[PictureLike] | np.ndarray,
        *,
        output: Literal["digit", "line"] = "digit",
        n_pictures: int = 24,
        ax: Axes | None = None,
    ) -> Self:
        """Clean pictures, and draw them before and after.

        With ``output="line"``, the lines of a page are drawn separately, cropped as in
        `skdigits.read`. At most 60 pictures or lines are drawn.

        Parameters
        ----------
        pictures : sequence of str, path-like, PIL.Image.Image or array-like
            Files, or pictures that `skdigits.PictureCleaner` accepts.
        output : {"digit", "line"}, default="digit"
            As in `skdigits.PictureCleaner`.
        n_pictures : int, default=24
            Maximum number of pictures; if there are more, pictures at regular intervals are drawn.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        CleaningDisplay
            The display.

        Raises
        ------
        ValueError
            If there is no picture, or a picture cannot be read.
        """
        check_name("output", output, COLUMNS)
        if isinstance(pictures, (str, bytes, os.PathLike)):
            raise ValueError(
                f"pictures should be a list of pictures or files; got {type(pictures).__name__}."
            )
        if not len(pictures):
            raise ValueError("pictures holds no picture; expected at least one.")
        chosen = np.unique(np.linspace(0, len(pictures) - 1, n_pictures).astype(int))
        drawn = (tile for i in chosen for tile in _tiles(pictures[i], i, output))
        seen, images, captions = map(list, zip(*islice(drawn, MOST_LINES), strict=True))
        return cls(seen, images, captions, output=output).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the pictures and images.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        CleaningDisplay
            The display.
        """
        columns = max(1, min(COLUMNS[self.output], len(self.pictures)))
        rows = max(1, math.ceil(len(self.pictures) / columns))
        width, height = TILE[self.output]
        size = (2 * width * columns, (height + CAPTION) * rows)
        self.ax_, self.figure_ = make_axes(ax, size=(size[0], size[1] + 0.4))
        for i, (picture, image) in enumerate(zip(self.pictures, self.images, strict=True)):
            left = 2 * width * (i % columns)
            top = (height + CAPTION) * (i // columns)
            self._draw(picture, left + width * 0.04, top)
            self._draw(255 - image, left + width * 0.98, top)
            caption = self.captions[i][-LONGEST_CAPTION[self.output] :]
            self.ax_.text(left + width, top + height, caption, ha="center", va="top", fontsize=7)
        self.ax_.set(
            xlim=(0, size[0]),
            ylim=(size[1], 0),
            title="Pictures, and the images that the network gets",
            aspect="equal",
        )
        self.ax_.set_axis_off()
        if not self.pictures:
            write_reason(self.ax_, "No pictures")
        return self

    def _draw(self, pixels: np.ndarray, left: float, top: float) -> None:
        """Draw pixels in the centre of a tile, as large as possible."""
        width, height = (0.92 * side for side in TILE[self.output])
        scale = min(width / pixels.shape[1], height / pixels.shape[0])
        across, down = pixels.shape[1] * scale, pixels.shape[0] * scale
        left, top = left + (width - across) / 2, top + (height - down) / 2
        self.ax_.imshow(
            pixels, cmap="gray", vmin=0, vmax=255, extent=(left, left + across, top + down, top)
        )


def _tiles(picture: Any, position: int, output: str) -> list[tuple[np.ndarray, np.ndarray, str]]:
    """Return the pixels, cleaned image and caption of a picture, or of each line of a page."""
    name = str(position)
    if isinstance(picture, (str, os.PathLike)):
        name = printable(os.path.basename(picture))
        picture = next(open_pictures(picture))
    if output == "digit":
        return [(_as_seen(picture), clean_picture(picture), name)]
    images, boxes = cut_lines(picture)
    if len(images) < 2:
        return [(_as_seen(picture), clean_line(picture), name)]
    return [
        (_as_seen(picture, box), image, f"{name}, line {i}")
        for i, (image, box) in enumerate(zip(images, boxes, strict=True), start=1)
    ]


def _as_seen(picture: Any, box: np.ndarray | None = None) -> np.ndarray:
    """Return the pixels of a picture, or of a box in it, upright and reduced."""
    from PIL import Image

    if not isinstance(picture, Image.Image) or picture.mode[0] in "IF":
        picture = Image.fromarray(to_grey(picture, longest=sys.maxsize).astype(np.uint8))
    picture = upright(picture)
    if box is not None:
        left, top, right, bottom = box.tolist()
        margin = round(MARGIN * (bottom - top))
        picture = picture.crop(
            (
                max(0, left - margin),
                max(0, top - margin),
                min(picture.width, right + margin),
                min(picture.height, bottom + margin),
            )
        )
    if picture.mode != "L":
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    picture.thumbnail((400, 400))
    return np.asarray(picture)
