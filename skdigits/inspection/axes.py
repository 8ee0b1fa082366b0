"""Create, label and scale the axes of displays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MARKERS = "osv^DPX"  # seven markers and ten colours make seventy different lines
MANY_DECADES = 3  # an axis of more decades has room only for labels of powers of ten


def make_axes(ax: Axes | None, size: tuple[float, float] | None = None) -> tuple[Axes, Figure]:
    """Return the user's axes, or new ones.

    Parameters
    ----------
    ax : matplotlib Axes or None
        The user's axes; None makes a new figure.
    size : tuple of float, optional
        Width and height of a new figure in inches.

    Returns
    -------
    ax, figure
        The axes and their figure.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained")
    figure: Any = ax.figure
    return ax, figure


def write_reason(ax: Axes, reason: str) -> None:
    """Write a reason into the middle of the axes: why they show little or nothing.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    reason : str
        The reason.
    """
    ax.text(0.5, 0.5, reason, transform=ax.transAxes, ha="center", va="center", color="0.4")


def use_log_scale(axis: Axis) -> None:
    """Set a logarithmic scale whose tick labels are plain numbers: 0.5, 1, 2, 5, 10.

    Parameters
    ----------
    axis : matplotlib Axis
        The axis, after the data are drawn.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    name = axis.axis_name  # type: ignore[attr-defined]
    axis.axes.set(**{f"{name}scale": "log"})
    low, high = axis.get_view_interval()
    steps = (1, 2, 5) if np.log10(high / low) <= MANY_DECADES else (1,)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_plain_number))


def _plain_number(value: float, position: int | None) -> str:
    return f"{value:,.10g}" if value >= 1 else np.format_float_positional(value, 6, trim="-")
