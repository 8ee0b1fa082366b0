"""Classifiers side by side."""

from __future__ import annotations

import numpy as np
from sklearn.calibration import CalibrationDisplay

from skdigits.inspection.axes import make_axes

MARKERS = "osv^DPX"  # as many as, with ten colours, make seventy lines differ
# Of a name beside its point: points to the right and up, and what of it is there.
PLACES = [((6, 3), "left"), ((-6, 3), "right"), ((0, 8), "center"), ((0, -16), "center")]
PLACES += [((30, 8), "right"), ((30, -16), "right"), ((6, -12), "left"), ((-6, -12), "right")]
TIMES = {
    "fit_seconds": "seconds to fit",
    "predict_seconds": "seconds to predict all test images",
    "predict_one_seconds": "seconds to predict one image",
}


class TradeOffDisplay:
    """Accuracy over time, a point per classifier.

    Parameters
    ----------
    table : dict of list
        Columns, as `compare_classifiers` gives them.
    emphasized : collection of str, default=()
        Classifiers to draw in bold.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    """

    def __init__(self, table, *, emphasized=()):
        self.table, self.emphasized = table, emphasized

    def plot(self, *, time="fit_seconds", ax=None):
        """Draw the points, with the interval of each accuracy.

        Parameters
        ----------
        time : {"fit_seconds", "predict_seconds", "predict_one_seconds"}, default="fit_seconds"
            What to draw accuracy over.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TradeOffDisplay
            The display.

        Raises
        ------
        ValueError
            If there is no such time.
        """
        if time not in TIMES:
            raise ValueError(f"Unknown time {time!r}; expected one of {', '.join(TIMES)}.")
        self.ax_, self.figure_ = make_axes(ax, size=(7.5, 5))
        columns = ("classifier", time, "accuracy", "accuracy_low", "accuracy_high")
        rows = list(zip(*(self.table[c] for c in columns), strict=True))
        for name, x, y, low, high in rows:
            color, _ = _style(name in self.emphasized)
            self.ax_.errorbar(x, y, [[y - low], [high - y]], fmt="o", color=color, capsize=2)
        self.ax_.set(xscale="log", xlabel=TIMES[time], ylabel="accuracy")
        self.ax_.set_title("Accuracy and its 95 % interval")
        self.ax_.margins(x=0.15)
        self.ax_.grid(alpha=0.3)
        self._write_names([(name, (x, y)) for name, x, y, *_ in rows])
        return self

    def _write_names(self, points):
        """Write each name where it hides no other and no point, if there is such a place."""
        from matplotlib.transforms import Bbox

        self.figure_.canvas.figure.draw_without_rendering()  # settles where the axes are
        taken = [
            Bbox.from_extents(*(place - 5), *(place + 5))
            for place in self.ax_.transData.transform([point for _, point in points])
        ]
        for name, point in points:
            color, weight = _style(name in self.emphasized)
            style = {"color": color, "weight": weight, "textcoords": "offset points"}
            for offset, side in PLACES:
                text = self.ax_.annotate(name, point, offset, ha=side, **style)
                box = text.get_window_extent()
                inside = self.ax_.bbox.x0 < box.x0 and box.x1 < self.ax_.bbox.x1
                if inside and not any(box.overlaps(other) for other in taken):
                    break
                text.remove()
            else:
                text = self.ax_.annotate(name, point, offset, ha=side, **style)
            taken.append(box)


class TrainSizeDisplay:
    """Share of mistakes over the number of images trained on, a line per classifier.

    Parameters
    ----------
    curves : dict of list
        Columns, as `learning_curves` gives them.
    emphasized : collection of str, default=()
        Classifiers to draw in bold.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The lines.
    """

    def __init__(self, curves, *, emphasized=()):
        self.curves, self.emphasized = curves, emphasized

    def plot(self, *, ax=None):
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

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
            own = names == name
            style = {"lw": 2.5} if name in self.emphasized else {"lw": 1, "ls": "--"}
            marker = MARKERS[i % len(MARKERS)]
            self.lines_ += self.ax_.plot(
                sizes[own], 1 - accuracy[own], marker=marker, ms=4, label=name, **style
            )
        self.ax_.set(xscale="log", yscale="log", xlabel="images trained on")
        self.ax_.set(ylabel="share of mistakes", title="Mistakes and training images")
        self.ax_.grid(alpha=0.3, which="both")
        self.ax_.legend(fontsize="small", ncols=2)
        return self


class ReliabilityDisplay:
    """Share of right predictions over their confidence, a line per classifier.

    Parameters
    ----------
    right : dict of str to ndarray of shape (n_samples,)
        Per classifier, which predictions are right.
    confidence : dict of str to ndarray of shape (n_samples,) or None
        The highest probability of each prediction; None where there are no probabilities.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    """

    def __init__(self, right, confidence):
        self.right, self.confidence = right, confidence

    def plot(self, *, n_bins=10, ax=None):
        """Draw the lines with scikit-learn's ``CalibrationDisplay``.

        Parameters
        ----------
        n_bins : int, default=10
            Points of a line, of equally many predictions each.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ReliabilityDisplay
            The display.
        """
        self.ax_, self.figure_ = make_axes(ax, size=(6, 5.5))
        for i, (name, right) in enumerate(self.right.items()):
            confidence = self.confidence[name]
            if confidence is None or right.all() or not right.any():
                continue
            CalibrationDisplay.from_predictions(
                right,
                np.clip(confidence, 0, 1),  # sums of float32 may pass 1
                n_bins=n_bins,
                strategy="quantile",
                name=name,
                ax=self.ax_,
                marker=MARKERS[i % len(MARKERS)],
                color=f"C{i % 10}",
                ms=4,
                lw=1,
            )
        lowest = min((np.min(line.get_data()) for line in self.ax_.lines[1:]), default=0)
        limits = (max(lowest - 0.05, 0), 1.02)  # lines[0] is the diagonal
        self.ax_.set(xlabel="confidence", ylabel="share of right predictions")
        self.ax_.set(xlim=limits, ylim=limits)
        self.ax_.set_title("Is confidence what it says?")
        if self.ax_.lines:
            self.ax_.legend(fontsize="small")
        return self


def _style(emphasized):
    return ("tab:blue", "bold") if emphasized else ("0.35", "normal")
