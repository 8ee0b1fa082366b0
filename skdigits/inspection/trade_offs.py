"""Displays of accuracy over time and over the number of training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdigits.inspection.axes import MARKERS, make_axes, use_log_scale, write_reason

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# Offsets of a name from its data point, in typographic points, and horizontal alignments.
NAME_POSITIONS = [((6, 3), "left"), ((-6, 3), "right"), ((0, 8), "center"), ((0, -16), "center")]
NAME_POSITIONS += [((30, 8), "right"), ((30, -16), "right")]
NAME_POSITIONS += [((6, -12), "left"), ((-6, -12), "right")]
TIMES = {
    "fit_seconds": "seconds to fit",
    "predict_seconds": "seconds to predict all test images",
    "predict_one_seconds": "seconds to predict one image",
}


class TradeOffDisplay:
    """Accuracy over time, with one point per classifier.

    Parameters
    ----------
    table : dict of list
        The attribute ``table`` of a result of `compare_classifiers`.
    emphasized : collection of str, default=()
        Names of the classifiers to emphasize.

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
        self, table: Mapping[str, Sequence[Any]], *, emphasized: Sequence[str] = ()
    ) -> None:
        self.table, self.emphasized = table, emphasized

    def plot(self, *, time: str = "fit_seconds", ax: Axes | None = None) -> Self:
        """Draw the points, with the 95 % confidence interval of each accuracy.

        Parameters
        ----------
        time : {"fit_seconds", "predict_seconds", "predict_one_seconds"}, default="fit_seconds"
            Column of the table on the horizontal axis.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        TradeOffDisplay
            The display.

        Raises
        ------
        ValueError
            If `time` is not one of these names.
        """
        if time not in TIMES:
            raise ValueError(f"Unknown time {time!r}; expected one of {', '.join(TIMES)}.")
        self.ax_, self.figure_ = make_axes(ax, size=(7.5, 5))
        columns = ("classifier", time, "accuracy", "accuracy_low", "accuracy_high")
        rows = list(zip(*(self.table[c] for c in columns), strict=True))
        for name, x, y, low, high in rows:
            color, _ = _style(name in self.emphasized)
            self.ax_.errorbar(x, y, [[y - low], [high - y]], fmt="o", color=color, capsize=2)
        self.ax_.set(
            xlabel=TIMES[time], ylabel="accuracy", title="Accuracy and its 95 % confidence interval"
        )
        self.ax_.margins(x=0.15)
        self.ax_.grid(alpha=0.3)
        if not rows:
            write_reason(self.ax_, "No classifiers")
            return self
        use_log_scale(self.ax_.xaxis)
        self._write_names([(name, (x, y)) for name, x, y, *_ in rows])
        return self

    def _write_names(self, points: list[tuple[str, tuple[float, float]]]) -> None:
        """Write each name where it does not cover another name or a point, if possible."""
        from matplotlib.transforms import Bbox

        self.figure_.canvas.figure.draw_without_rendering()  # fixes the position of the axes
        taken = [
            Bbox.from_extents(*(position - 5), *(position + 5))
            for position in self.ax_.transData.transform([point for _, point in points])
        ]
        for name, point in points:
            color, weight = _style(name in self.emphasized)
            style: dict[str, Any] = {
                "color": color,
                "weight": weight,
                "textcoords": "offset points",
            }
            for offset, alignment in NAME_POSITIONS:
                text = self.ax_.annotate(name, point, offset, ha=alignment, **style)
                box = text.get_window_extent()
                inside = self.ax_.bbox.x0 < box.x0 and box.x1 < self.ax_.bbox.x1
                if inside and not any(box.overlaps(other) for other in taken):
                    break
                text.remove()
            else:
                text = self.ax_.annotate(name, point, offset, ha=alignment, **style)
            taken.append(box)


class TrainSizeDisplay:
    """Error rate over the number of training images, with one curve per classifier.

    Parameters
    ----------
    curves : dict of list
        The result of `learning_curves`.
    emphasized : collection of str, default=()
        Names of the classifiers to emphasize.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the drawing.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of matplotlib Line2D
        The curves.
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]

    def __init__(
        self, curves: Mapping[str, Sequence[Any]], *, emphasized: Sequence[str] = ()
    ) -> None:
        self.curves, self.emphasized = curves, emphasized

    def plot(self, *, ax: Axes | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.

        Returns
        -------
        TrainSizeDisplay
            The display.
        """
        self.ax_, self.figure_ = make_axes(ax, size=(7.5, 5))
        names = np.array(self.curves["classifier"])
        sizes, accuracy = np.array(self.curves["n_train"]), np.array(self.curves["accuracy"])
        self.lines_ = []
        for i, name in enumerate(dict.fromkeys(names.tolist())):
            rows = names == name
            style = {"lw": 2.5} if name in self.emphasized else {"lw": 1, "ls": "--"}
            marker = MARKERS[i % len(MARKERS)]
            self.lines_ += self.ax_.plot(
                sizes[rows], 1 - accuracy[rows], marker=marker, ms=4, label=name, **style
            )
        self.ax_.set(xlabel="training images", ylabel="error rate")
        self.ax_.set_title("Error rate over training images")
        self.ax_.grid(alpha=0.3)
        if not self.lines_:
            write_reason(self.ax_, "No classifiers")
            return self
        use_log_scale(self.ax_.xaxis)
        if (accuracy < 1).any():
            use_log_scale(self.ax_.yaxis)
        else:
            write_reason(self.ax_, "No mistakes")
        self.ax_.legend(fontsize="small", ncols=2)
        return self


def _style(emphasized: bool) -> tuple[str, str]:
    return ("tab:blue", "bold") if emphasized else ("0.35", "normal")
